/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_ITEM_H
#define TALLY_DELIVERY_ITEM_H

/* A record that waits in memory. It is in one list at a time, or in a batch. */

#include <stdint.h>
#include <sys/queue.h>

#include "delivery/delivery.h"

typedef struct tally_item_s {
  TAILQ_ENTRY(tally_item_s) link;
  struct tally_group_s *group; /* set by the window */
  uint64_t seq;                /* order of acceptance, across restarts */
  uint64_t time_ns;            /* the record's own */
  uint64_t accepted_ns;        /* real time */
  uint64_t due_ns;             /* monotonic: it does not linger longer */
  uint64_t segment;            /* of the spool; 0: it is in memory alone */
  uint32_t index;              /* in the segment */
  uint32_t attempts;
  bool unsure; /* of an attempt the answer was not seen */
  size_t size; /* as the destination counts */
  uint32_t key_len;
  uint32_t len;
  char bytes[]; /* the key, then the data */
} tally_item_t;

typedef TAILQ_HEAD(tally_items_s, tally_item_s) tally_items_t;

/* A copy of the record; NULL: out of memory. Freed with free(), or kept for
 * another record (pool.h). */
tally_item_t *tally_item_create(const tally_record_t *record);
tally_record_t tally_item_record(const tally_item_t *item);
/* The memory it takes, malloc's own part included. */
size_t tally_item_cost(const tally_record_t *record);

/*
 * Items are blocks of few sizes, so that one may take another's place: eight
 * from each power of two to the next, up to a line of Docker's, which has 16
 * KiB. So a ninth of a block is unused at most. What is larger takes what it
 * needs.
 */
#define TALLY_ITEM_CLASSES 65 /* 128 bytes to 32 KiB */

/* TALLY_ITEM_CLASSES: it is larger than these. */
unsigned tally_item_class(const tally_record_t *record);
size_t tally_item_class_cost(unsigned class);
size_t tally_item_class_bytes(unsigned class); /* of the block itself */

/* Makes a block of the record's class an item. */
void tally_item_fill(tally_item_t *item, const tally_record_t *record);

void tally_items_clear(tally_items_t *items);

#endif
