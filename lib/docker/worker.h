/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_WORKER_H
#define TALLY_DOCKER_WORKER_H

/*
 * Thread "tally-docker" of an inventory: one loop that never waits for a single
 * request.
 *
 *   worker.c             the loop
 *   worker_connection.c  reaching the daemon, again and again
 *   worker_events.c      events in order, each with its container
 *   worker_census.c      who is there: list, inspect, and from when on that is
 *                        the whole truth
 *
 * Everything here belongs to the thread, but for the members that say
 * otherwise.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "docker/engine.h"
#include "docker/event_private.h"
#include "docker/fence.h"
#include "docker/inspector.h"
#include "docker/inventory_private.h"
#include "docker/seen.h"
#include "docker/stream.h"
#include "docker/table.h"

/* An event on its way through the worker, or the end of a census: a mark that
 * keeps its place among them. */
typedef struct tally_pending_s {
  STAILQ_ENTRY(tally_pending_s) link;
  tally_event_record_t *record;       /* NULL: the end of a census */
  const tally_container_t *container; /* when it is ready */
  uint64_t wish;                      /* for an inspect; 0: needs none */
  uint64_t deadline_ns;               /* goes on without it then; monotonic */
  unsigned connection;                /* of the stream that brought it */
  unsigned epoch;     /* census that was the latest when it came */
  uint64_t census_ns; /* of a mark: the daemon's clock when it began */
  bool repeated;      /* has been here before */
} tally_pending_t;

STAILQ_HEAD(tally_pending_list_s, tally_pending_s);

typedef enum tally_connection_e {
  TALLY_CONNECTION_DOWN, /* try again at retry_ns */
  TALLY_CONNECTION_OPENING,
  TALLY_CONNECTION_UP,
} tally_connection_t;

typedef struct tally_worker_s {
  tally_inventory_t *inventory;
  tally_http_t *http;     /* wake() and stop() from any thread */
  tally_stream_t *stream; /* has a thread of its own */
  pthread_t thread;
  atomic_bool stop;          /* any thread */
  atomic_bool subscriptions; /* any thread: there is a new one */

  tally_engine_t engine;
  tally_table_t table;
  tally_inspector_t inspector;

  /* connection */
  tally_connection_t connection;
  unsigned connection_number; /* news of others are stale */
  uint64_t retry_ns;          /* monotonic */
  uint64_t opened_ns;         /* monotonic; of OPENING and UP */
  uint64_t probed_ns;         /* monotonic; the last sign of life asked for */
  unsigned attempts;          /* in a row without a lasting connection */
  bool rewinding;             /* the stream is requested again, without a gap */
  uint64_t present_ns;  /* the daemon's clock when the stream was requested */
  uint64_t since_ns;    /* the daemon's clock; the stream began there */
  uint64_t position_ns; /* and has come so far */
  bool gap;             /* the stream lost something; a census is due */
  char warned[256];     /* the last problem that was logged */
  bool outage_logged;   /* so its end should be logged too */
  tally_daemon_t daemon;

  /* events */
  struct tally_pending_list_s pending;
  size_t pending_bytes;
  tally_seen_t seen;
  bool invalid_warned; /* on this connection */

  /* census; `epoch` is the number of the latest */
  unsigned epoch;
  bool census_runs;
  bool census_all; /* inspect also those that look unchanged */
  bool list_done, list_failed;
  bool list_warned;        /* since the last list that could be read */
  uint64_t census_ns;      /* the daemon's clock when it began */
  uint64_t next_census_ns; /* monotonic */
  tally_transfer_t list;
  char list_path[TALLY_ENGINE_PATH_SIZE];
  tally_fence_t fence;
} tally_worker_t;

/* Starts the threads. NULL and *err: no memory, no thread. */
tally_worker_t *tally_worker_create(tally_inventory_t *inventory,
                                    tally_error_t *err);
/* Stops and joins them, at once whatever the daemon does. */
void tally_worker_destroy(tally_worker_t *worker);

/* Any thread: a subscription has been added to the inventory's list. */
void tally_worker_notify(tally_worker_t *worker);

/* ---- among the files of the worker --------------------------------------- */

/* Puts the table and `daemon` into a new snapshot. */
void tally_worker_publish(tally_worker_t *worker);

/* Each does what there is to do and returns the milliseconds until it wants to
 * be called again even if nothing happens; -1: never. */
int tally_worker_connection_turn(tally_worker_t *worker);
int tally_worker_events_turn(tally_worker_t *worker);
int tally_worker_census_turn(tally_worker_t *worker);

/* Puts the end of the census behind all events that have come. */
void tally_worker_mark_census(tally_worker_t *worker);
/* Drops what is pending; for the end of the thread. */
void tally_worker_drop_pending(tally_worker_t *worker);

/* Asks what the stream should have brought by now. */
void tally_worker_fence(tally_worker_t *worker, uint64_t until_ns);

/* The stream was accepted, or ended. `foul`: not because the daemon went away,
 * but because it cannot be understood. */
void tally_worker_opened(tally_worker_t *worker);
void tally_worker_closed(tally_worker_t *worker, const char *problem,
                         bool foul);

void tally_worker_census_start(tally_worker_t *worker, bool all);
void tally_worker_census_cancel(tally_worker_t *worker);

/* The earlier of two waits of which -1 means for ever. */
int tally_worker_sooner(int a_ms, int b_ms);
/* Milliseconds until a point of the monotonic clock, 0 if it is past. */
int tally_worker_until(uint64_t monotonic_ns);

#endif
