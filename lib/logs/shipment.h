/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_SHIPMENT_H
#define TALLY_LOGS_SHIPMENT_H

/*
 * All that is shipped of one container: its feeds, and how far the reader is
 * with its log. Private to the shipper.
 *
 * Three threads meet here: the reader's brings lines, the shipper's decides
 * what is read, the subscription's puts sentences. The lock is held for as long
 * as a parcel takes to be put, never while a sink is opened or somebody is
 * waited for.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "docker/logs.h"
#include "logs/feed.h"
#include "logs/shipper.h"

typedef struct tally_log_shipment_s {
  char id[65];
  tally_log_shipper_t *owner;
  tally_log_feed_t *feeds; /* guarded by lock, but for their routes */
  size_t count;            /* 0: the container asks for nothing */

  /* the shipper's table */
  UT_hash_handle hh;
  struct tally_log_shipment_s *next;

  /* the shipper's thread */
  const tally_container_t *container; /* as inspect showed it last */
  uint64_t gone_ns; /* since when the daemon does not know it; 0: it does */
  bool told_unreadable;

  pthread_mutex_t lock;
  pthread_cond_t changed;
  /* guarded by lock */
  unsigned references;
  bool following;
  bool unreadable;
  uint64_t run_ns;     /* the start of the run that is, or was, followed */
  uint64_t drained_ns; /* that of the one that was read to its end */
  uint64_t ended_ns;   /* when that was; monotonic */
  uint64_t taken;      /* lines */
  uint64_t newest_ns;  /* the latest time of them */
} tally_log_shipment_t;

/* With one reference. NULL and *err: no memory. */
tally_log_shipment_t *tally_log_shipment_create(
    tally_log_feed_common_t *common, const tally_container_t *container,
    const tally_log_route_t *routes, size_t count, tally_error_t *err);
tally_log_shipment_t *tally_log_shipment_ref(tally_log_shipment_t *shipment);
/* The last one gives sinks back to `sinks`. */
void tally_log_shipment_unref(tally_log_shipment_t *shipment,
                              tally_log_sinks_t *sinks);

/* Opens the sinks that are not; true: there is one more. Not under the lock. */
bool tally_log_shipment_connect(tally_log_shipment_t *shipment,
                                tally_log_sinks_t *sinks,
                                const tally_log_position_t *start);

/* Whether a sink is not open, and whether one was opened after the reader
 * began. */
bool tally_log_shipment_lacks_sink(tally_log_shipment_t *shipment);
bool tally_log_shipment_is_joined(tally_log_shipment_t *shipment);

/* A reader is about to begin with the run that began at `run_ns`: where, for
 * all feeds that have a sink. false: there is none of them, or all have that
 * run already, which counts unless `force`. */
bool tally_log_shipment_begin(tally_log_shipment_t *shipment, uint64_t run_ns,
                              bool force, tally_log_position_t *position);
/* It was told to stop. false: it had ended before. */
bool tally_log_shipment_abandon(tally_log_shipment_t *shipment);

/* The reader's callbacks. */
size_t tally_log_shipment_take(tally_log_shipment_t *shipment,
                               const tally_log_line_t *lines, size_t count);
void tally_log_shipment_end(tally_log_shipment_t *shipment,
                            tally_log_end_t how);

/* A sentence for each feed that wants them; how many were lost. */
unsigned tally_log_shipment_tell(tally_log_shipment_t *shipment,
                                 const tally_event_t *event, const char *text);

/* See tally_log_feed_flush(). */
bool tally_log_shipment_flush(tally_log_shipment_t *shipment, bool finish);

#endif
