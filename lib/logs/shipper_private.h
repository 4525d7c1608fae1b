/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_SHIPPER_PRIVATE_H
#define TALLY_LOGS_SHIPPER_PRIVATE_H

/* What the parts of the shipper share. */

#include <pthread.h>
#include <stdatomic.h>

#include "container/lifecycle.h"
#include "logs/shipment.h"
#include "logs/shipper.h"

/* INSTANCE where nobody knows it; the contract's. */
#define TALLY_LOG_INSTANCE_UNKNOWN "i-dev"

struct tally_log_shipper_s {
  tally_log_shipper_options_t options; /* strings owned */
  tally_inventory_t *inventory;
  tally_log_feed_common_t common;
  tally_log_sinks_t *sinks;
  tally_log_reader_t *reader;
  tally_subscription_t *subscription;
  tally_lifecycle_t *lifecycle; /* subscription's thread */
  char *agent;                  /* "agent:VERSION/" */
  uint64_t begin_ns;            /* of the very first start */
  pthread_t thread;
  bool running; /* the thread */
  atomic_bool stop;
  atomic_ullong unreadable, sentences_lost;

  pthread_mutex_t lock;
  pthread_cond_t changed; /* the instance is known; the end */
  /* guarded by lock */
  char *instance;
  uint64_t instance_due_ns;        /* monotonic: nobody waits longer */
  tally_log_shipment_t *shipments; /* by id */
  /* All of them, newest first. Others put theirs in front; only the thread
   * takes one out, so only the thread may walk without the lock. */
  tally_log_shipment_t *first;
};

/* The shipment of a container, made if need be; a reference, or NULL: no
 * memory. Any thread. */
tally_log_shipment_t *
tally_log_shipper_find(tally_log_shipper_t *shipper,
                       const tally_container_t *container);

/* The first of all shipments, to walk from; for the thread. */
tally_log_shipment_t *tally_log_shipper_first(tally_log_shipper_t *shipper);

/* Where a container's log begins that no note speaks of. */
tally_log_position_t
tally_log_shipper_start_of(const tally_log_shipper_t *shipper,
                           const tally_container_t *container);

/* The thread (shipper_watch.c). */
void *tally_log_shipper_run(void *shipper);

/* What is done now and then (shipper_sweep.c): forgets containers that have
 * been gone for long, and the notes of those that nobody knows. */
void tally_log_shipper_sweep(tally_log_shipper_t *shipper,
                             const tally_snapshot_t *snapshot);

/* The subscription's callback (shipper_events.c). */
void tally_log_shipper_on_event(const tally_event_t *event,
                                const tally_container_t *container, void *data);

#endif
