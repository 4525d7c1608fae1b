/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/worker.h"

#include <errno.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/thread.h"
#include "docker/snapshot.h"

/* With a list of thousands to inspect, a snapshot is published after so many
 * changes, unless an event waits for one of them. */
#define PUBLISH_BATCH 64

int tally_worker_sooner(int a_ms, int b_ms) {
  if (a_ms < 0)
    return b_ms;
  if (b_ms < 0)
    return a_ms;
  return a_ms < b_ms ? a_ms : b_ms;
}

int tally_worker_until(uint64_t monotonic_ns) {
  uint64_t now = tally_clock_monotonic_ns();
  if (monotonic_ns <= now)
    return 0;
  uint64_t ms = (monotonic_ns - now) / TALLY_NS_PER_MS + 1;
  return ms < 3600000 ? (int)ms : 3600000;
}

/* ---- publishing ---------------------------------------------------------- */

void tally_worker_publish(tally_worker_t *worker) {
  tally_snapshot_t *snapshot = tally_table_snapshot(&worker->table);
  if (snapshot == NULL) { /* the next change tries again */
    worker->table.changes++;
    return;
  }
  snapshot->daemon = worker->daemon;
  tally_inventory_publish(worker->inventory, snapshot);
}

static void publish_changes(tally_worker_t *worker) {
  if (worker->table.changes == 0)
    return;
  if (worker->inspector.urgent_answered ||
      worker->table.changes >= PUBLISH_BATCH ||
      tally_inspector_is_idle(&worker->inspector)) {
    worker->inspector.urgent_answered = false;
    tally_worker_publish(worker);
  }
}

/* ---- the loop ------------------------------------------------------------ */

static void count(tally_worker_t *worker) {
  atomic_store(&worker->inventory->stats.inspects, worker->inspector.inspects);
  atomic_store(&worker->inventory->stats.inspect_errors,
               worker->inspector.errors);
}

static void *run(void *data) {
  tally_worker_t *worker = data;
  while (!atomic_load(&worker->stop)) {
    /* The news first: they change what the others have to wait for. */
    int wait_ms = tally_worker_events_turn(worker);
    wait_ms =
        tally_worker_sooner(wait_ms, tally_worker_connection_turn(worker));
    wait_ms = tally_worker_sooner(wait_ms, tally_worker_census_turn(worker));
    if (worker->connection != TALLY_CONNECTION_DOWN)
      wait_ms = tally_worker_sooner(wait_ms,
                                    tally_inspector_pump(&worker->inspector));
    publish_changes(worker);
    count(worker);
    tally_http_run(worker->http, wait_ms < 0 ? 60000 : wait_ms);
  }
  return NULL;
}

/* ---- life ---------------------------------------------------------------- */

static void on_news(void *data) {
  tally_worker_t *worker = data;
  tally_http_wake(worker->http);
}

void tally_worker_notify(tally_worker_t *worker) {
  atomic_store(&worker->subscriptions, true);
  tally_http_wake(worker->http);
}

static void release(tally_worker_t *worker) {
  tally_stream_destroy(worker->stream);
  tally_worker_drop_pending(worker);
  tally_worker_census_cancel(worker);
  for (size_t i = 0; i < worker->table.list.count; i++)
    tally_inspector_forget(&worker->inspector, worker->table.list.items[i]);
  tally_table_clear(&worker->table);
  tally_http_destroy(worker->http);
  free(worker);
}

tally_worker_t *tally_worker_create(tally_inventory_t *inventory,
                                    tally_error_t *err) {
  tally_worker_t *worker = calloc(1, sizeof(*worker));
  if (worker == NULL) {
    tally_error_set(err, ENOMEM, "Docker inventory");
    return NULL;
  }
  worker->inventory = inventory;
  STAILQ_INIT(&worker->pending);
  worker->http = tally_http_create(&inventory->endpoint, err);
  tally_inspector_init(&worker->inspector, inventory->endpoint.name,
                       worker->http, &worker->engine, &worker->table);
  if (worker->http != NULL)
    worker->stream =
        tally_stream_create(&inventory->endpoint, on_news, worker, err);
  if (worker->stream == NULL ||
      tally_thread_start(&worker->thread, "tally-docker", run, worker, err) !=
          0) {
    release(worker);
    return NULL;
  }
  return worker;
}

void tally_worker_destroy(tally_worker_t *worker) {
  atomic_store(&worker->stop, true);
  tally_http_stop(worker->http);
  pthread_join(worker->thread, NULL);
  release(worker);
}
