/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_WINDOW_H
#define TALLY_DELIVERY_WINDOW_H

/*
 * The records in memory that may be sent, in order, and what waits after a
 * failure. No lock, no clock, no file: `now` is what the caller says it is.
 *
 * All records stand in one list, in the order of their sequence numbers. Those
 * of a group that has to wait are parked in a list of the group, where they are
 * met in the list; when the group may go on they come back in front. A record
 * is never in a batch while an older one of its group waits.
 */

#include <stdbool.h>

#include "delivery/backoff.h"
#include "delivery/delivery.h"
#include "delivery/item.h"

#define TALLY_NEVER UINT64_MAX

typedef struct tally_group_s tally_group_t;
typedef TAILQ_HEAD(tally_groups_s, tally_group_s) tally_groups_t;

typedef struct tally_window_s {
  const tally_destination_t *destination;
  size_t batch_records, batch_bytes;
  uint64_t backoff_base_ns, backoff_cap_ns;

  size_t records, bytes; /* of all, also those in a batch; bytes of memory */

  /* private */
  tally_items_t ready;
  size_t ready_records, ready_size; /* size: as the destination counts */
  tally_groups_t waiting;
  tally_group_t *groups; /* a hash table */
  tally_backoff_t backoff;
  uint64_t wait_until; /* all of it; after a call that failed as a whole */
} tally_window_t;

void tally_window_init(tally_window_t *window);
void tally_window_clear(tally_window_t *window); /* frees all but a batch */

/* The record is the newest from now on. -1: out of memory, still the caller's.
 */
int tally_window_add(tally_window_t *window, tally_item_t *item);

/* When the next batch is due: 0 now, TALLY_NEVER before something is added.
 * `hurry`: without lingering. */
uint64_t tally_window_due(tally_window_t *window, uint64_t now, bool hurry);

/* Takes the next batch into `items` (room for batch_records); returns how many.
 * Only one batch at a time. */
size_t tally_window_take(tally_window_t *window, uint64_t now,
                         tally_item_t **items);

/* What became of the batch. `status` as send() returned it. Records that are
 * not to be tried again leave the window and are the caller's; items[i] of the
 * others is NULL after this. */
void tally_window_settle(tally_window_t *window, uint64_t now, uint64_t random,
                         tally_item_t **items, const tally_fate_t *fates,
                         size_t count, int status, uint64_t retry_after_ns);

/* Takes out the records that were accepted before `limit` (real time), and are
 * not in a batch. */
void tally_window_expire(tally_window_t *window, uint64_t limit,
                         tally_items_t *expired);

/* Takes out everything that is not in a batch, in any order. */
void tally_window_drain(tally_window_t *window, tally_items_t *drained);

/* Writes down those that are not in a batch, in any order: at most `records`.
 * Returns how many. */
size_t tally_window_list(const tally_window_t *window, tally_item_t **items);

/* When the oldest of them was accepted (real time); TALLY_NEVER: none. */
uint64_t tally_window_oldest(const tally_window_t *window);

#endif
