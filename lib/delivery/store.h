/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_STORE_H
#define TALLY_DELIVERY_STORE_H

/*
 * Everything an outbox keeps, without its threads: the window in memory, the
 * spool behind it, and the tail behind the spool, which is memory again and in
 * use while the disk does not take anything.
 *
 *   put ─► [ tail ] ─► [ spool, unread ] ─► [ window ] ─► batch
 *
 * A record goes as far to the right as it can without overtaking another one.
 * Whoever uses a store from several threads holds a lock, except where a
 * function says otherwise. Only tests use this without an outbox around it.
 */

#include "delivery/spool.h"
#include "delivery/window.h"

typedef struct tally_batch_s {
  size_t count; /* 0: none is under way */
  tally_item_t **items;
  tally_record_t *records;
  tally_fate_t *fates;
} tally_batch_t;

typedef struct tally_store_s {
  tally_outbox_options_t options; /* defaults filled in */
  tally_destination_t destination;
  tally_hooks_t hooks;
  tally_outbox_stats_t counters; /* totals; the rest is filled in by stats */
  bool closed;

  tally_window_t window;
  tally_batch_t batch;

  tally_spool_t *spool; /* NULL: none */
  tally_spool_t spool_object;
  int spool_error;         /* errno of the last commit; 0: it was good */
  uint64_t spool_retry_ns; /* monotonic: not tried again before */
  uint64_t read_retry_ns;
  uint64_t unread_since_ns; /* monotonic: the first unread one was put */

  tally_items_t tail;
  size_t tail_records, tail_bytes;

  /* Durable, but in memory alone, because the disk did not take it: maybe
   * records, and notes that may only be written behind them. */
  bool alone;
  uint64_t rescue_retry_ns; /* monotonic: there is no room before */
  tally_notes_t waiting;

  /* Items for the next records. While the spool is being read the reader has
   * them, and needs no lock for that. */
  tally_pool_t pool, lent;
  uint64_t next_trim_ns;

  uint64_t last_seq;
  uint64_t next_expiry_ns;
  size_t write_about; /* bytes that are written to the spool at once */
  bool saved;         /* what is in memory is in the spool too, or lost */
} tally_store_t;

/* As tally_outbox_create(). Options without 0 are taken as they are. */
int tally_store_open(tally_store_t *store,
                     const tally_outbox_options_t *options,
                     const tally_destination_t *destination,
                     const tally_hooks_t *hooks, tally_error_t *err);
/* Gives back memory and descriptors, and writes nothing: also what a crash
 * does. A batch under way is freed too. */
void tally_store_close(tally_store_t *store);

size_t tally_store_put(tally_store_t *store, const tally_record_t *records,
                       size_t count, tally_loss_t *verdicts);

/* As tally_outbox_put_noted() and the others. */
int tally_store_put_noted(tally_store_t *store, const tally_record_t *records,
                          size_t count, tally_loss_t *verdicts,
                          const char *name, const char *text);
/* NULL: none. Lives until the next call. */
const char *tally_store_note(const tally_store_t *store, const char *name);
void tally_store_notes(const tally_store_t *store,
                       void (*each)(const char *name, const char *text,
                                    void *data),
                       void *data);

/* Moves what can be moved, drops what is too old. Before each take. */
void tally_store_tend(tally_store_t *store);

/* Brings records from the spool into the window: begin (false: not now), run
 * without the lock, end. */
bool tally_store_read_begin(tally_store_t *store, tally_spool_read_t *read);
void tally_store_read_run(tally_spool_read_t *read);
void tally_store_read_end(tally_store_t *store, tally_spool_read_t *read);

/* Makes the next batch; false: none is due. */
bool tally_store_take(tally_store_t *store, bool hurry);
/* The batch's fates are set; `status` as send() returned it. */
void tally_store_settle(tally_store_t *store, int status,
                        const tally_answer_t *answer, const tally_error_t *err,
                        uint64_t call_ns);

/* Monotonic time when tend and take are worth calling again; 0: now. */
uint64_t tally_store_due(tally_store_t *store, bool hurry);

/* Records that wait. */
uint64_t tally_store_queued(const tally_store_t *store);
/* Why the spool does not keep what it should, an errno; 0: it does. */
int tally_store_spool_error(const tally_store_t *store);
void tally_store_stats(tally_store_t *store, tally_outbox_stats_t *stats);

/* Whether save() will find room for all that waits. */
bool tally_store_can_save(const tally_store_t *store);
/* Takes nothing more, puts everything into the spool, counts what cannot be
 * kept. Afterwards only stats and close make sense. */
void tally_store_save(tally_store_t *store);

/* ---- between the parts of the store -------------------------------------- */

/* Counts what the spool has found, which is at its first opening. */
void tally_store_note_recovered(tally_store_t *store);
/* Writes what is staged; keeps book of failure and success. */
int tally_store_commit(tally_store_t *store, uint64_t now);
/* Whether a commit is worth trying. */
bool tally_store_is_usable(const tally_store_t *store, uint64_t now);
/* Whether so much fits into memory. */
bool tally_store_has_room(const tally_store_t *store, size_t records,
                          size_t bytes);
/* TALLY_LOSS_NONE: the record may be accepted, if there is room. */
tally_loss_t tally_store_check(const tally_store_t *store,
                               const tally_record_t *record);
/* Frees items that are kept, so that with so many bytes more in memory it is
 * no more than memory_bytes, those that are kept included. */
void tally_store_limit_pool(tally_store_t *store, size_t bytes);
/* NULL: no memory. */
tally_item_t *tally_store_make_item(tally_store_t *store,
                                    const tally_record_t *record, uint64_t seq,
                                    uint64_t now, uint64_t real_now);
void tally_store_enter_tail(tally_store_t *store, tally_item_t *item);
/* Puts an item of the tail or a new one at the end of the window. */
int tally_store_enter_window(tally_store_t *store, tally_item_t *item);
void tally_store_move_tail(tally_store_t *store, uint64_t now);
/* What is alone is written as soon as that is possible. */
void tally_store_rescue(tally_store_t *store, uint64_t now);
/* Writes the notes that wait; every record before them is on disk. -1: not now.
 */
int tally_store_write_waiting(tally_store_t *store);

uint64_t tally_store_now(const tally_store_t *store);
uint64_t tally_store_real_now(const tally_store_t *store);

#endif
