/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_OUTBOX_H
#define TALLY_DELIVERY_OUTBOX_H

/*
 * A store with a lock and threads: "tally-outbox" sends, "tally-sync" flushes
 * to the disk. Nobody holds the lock while sending, reading from the spool or
 * flushing.
 *
 * What the threads need lives as long as the last of them: a call that does not
 * come back keeps it, after tally_outbox_destroy() has saved the records.
 */

#include <pthread.h>

#include "delivery/store.h"

struct tally_outbox_s {
  char *name, *spool; /* copies for the options */

  pthread_mutex_t lock;
  pthread_cond_t work;    /* the sender has something to do */
  pthread_cond_t settled; /* a batch is settled, a thread has ended */
  pthread_cond_t tick;    /* the syncer should look */
  /* guarded by lock */
  tally_store_t store;
  uint64_t sleeps_until; /* the sender; monotonic; 0: it does not sleep */
  uint64_t hurry_until;  /* records resolved until which there is a hurry */
  bool closing;          /* send everything, then end */
  bool stop;             /* end */
  bool abandoned;        /* the last thread gives everything back */
  bool failing;          /* the last call did, as a whole */
  unsigned threads;      /* that run */
  bool warned;           /* of the spool */
  bool fetching;         /* the sender reads from the spool */
};

/* As tally_outbox_create(), with another machine. */
tally_outbox_t *tally_outbox_create_on(const tally_outbox_options_t *options,
                                       const tally_destination_t *destination,
                                       const tally_hooks_t *hooks,
                                       tally_error_t *err);

/* The threads; `data` is the outbox. */
void *tally_outbox_send(void *data);
void *tally_outbox_sync(void *data);

/* The calling thread ends. Lock held; it is not afterwards. */
void tally_outbox_leave(tally_outbox_t *outbox);

/* Records that are sent or lost and were accepted or recovered. */
uint64_t tally_outbox_resolved(tally_outbox_t *outbox);

#endif
