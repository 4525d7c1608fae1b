/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/worker.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "docker/container_private.h"

/*
 * A census lists all containers and inspects those that are unknown or may have
 * changed. Taken at every connect after the stream has been requested, so that
 * nothing can happen in between unnoticed, and again now and then, because a
 * daemon may drop events of its own accord.
 *
 * It ends when all have been inspected and the stream has brought everything
 * that happened before it began. Then the subscriptions are told: what you have
 * not heard of by now, nobody is going to tell you.
 */

#define LIST_TIMEOUT_MS 15000
#define INTERVAL_NS (600 * TALLY_NS_PER_S)
#define AFTER_LIST_FAILURE_NS (15 * TALLY_NS_PER_S)
#define AFTER_INSPECT_FAILURE_NS (60 * TALLY_NS_PER_S)

/* ---- list ---------------------------------------------------------------- */

/* The list says nothing of a run that began and ended between two looks, so
 * after a gap equal states prove nothing. */
static bool needs_inspect(const tally_worker_t *worker,
                          const tally_entry_t *entry,
                          const tally_container_t *listed) {
  const tally_container_t *known = entry->container;
  return worker->census_all || known == NULL ||
         tally_container_is_partial(known) || known->state != listed->state;
}

static void enter(tally_worker_t *worker, const tally_container_t *listed) {
  tally_entry_t *entry = tally_table_add(&worker->table, listed->id);
  if (entry == NULL) {
    tally_container_unref(listed);
    return;
  }
  entry->listed = worker->epoch;
  entry->census_wish = 0;
  if (needs_inspect(worker, entry, listed))
    entry->census_wish = tally_inspector_wish(&worker->inspector, entry, false);
  if (entry->container == NULL)
    tally_table_set(&worker->table, entry, listed);
  else
    tally_container_unref(listed);
}

static int take_list(tally_worker_t *worker, const tally_transfer_t *transfer,
                     tally_error_t *err) {
  if (tally_transfer_check(transfer, err) != 0)
    return -1;
  tally_json_t *json =
      tally_json_parse(transfer->answer.data, transfer->answer.len, err);
  if (json == NULL)
    return -1;
  if (tally_json_count(json) == 0 && *transfer->answer.data != '[') {
    tally_json_destroy(json);
    return tally_error_set(err, 0, "not a list");
  }
  for (size_t i = 0; i < tally_json_count(json); i++) {
    const tally_container_t *listed =
        tally_container_parse_listed(tally_json_at(json, i, NULL), NULL);
    if (listed != NULL)
      enter(worker, listed);
  }
  tally_json_destroy(json);
  return 0;
}

static void on_list(tally_transfer_t *transfer) {
  tally_worker_t *worker = transfer->data;
  tally_error_t err = {0};
  worker->list_done = true;
  worker->list_failed = take_list(worker, transfer, &err) != 0;
  tally_transfer_clear(transfer);
  if (worker->list_failed && !worker->list_warned)
    tally_log(TALLY_LOG_WARNING, "Docker at %s: list of containers: %s",
              worker->inventory->endpoint.name, err.message);
  worker->list_warned = worker->list_failed;
}

/* ---- begin and end ------------------------------------------------------- */

void tally_worker_census_cancel(tally_worker_t *worker) {
  tally_fence_clear(&worker->fence);
  if (worker->census_runs && !worker->list_done)
    tally_http_cancel(&worker->list);
  worker->census_runs = false;
}

void tally_worker_census_start(tally_worker_t *worker, bool all) {
  tally_worker_census_cancel(worker);
  worker->census_runs = true;
  worker->census_all = all;
  worker->gap = false;
  worker->epoch++;
  worker->list_done = false;
  worker->list_failed = false;
  worker->census_ns = tally_engine_now_ns(&worker->engine);

  tally_engine_list_path(&worker->engine, worker->list_path);
  worker->list = (tally_transfer_t){.path = worker->list_path,
                                    .timeout_ms = LIST_TIMEOUT_MS,
                                    .data = worker,
                                    .on_done = on_list};
  if (tally_http_start(worker->http, &worker->list, NULL) != 0)
    worker->list_done = worker->list_failed = true;
  tally_worker_fence(worker, worker->census_ns);
}

/* Who was neither listed nor mentioned by an event since is gone. */
static void remove_unlisted(tally_worker_t *worker) {
  for (size_t i = worker->table.list.count; i-- > 0;) {
    tally_entry_t *entry = worker->table.list.items[i];
    if (entry->listed == worker->epoch)
      continue;
    tally_inspector_forget(&worker->inspector, entry);
    tally_table_remove(&worker->table, entry);
  }
}

static uint64_t interval_ns(const tally_worker_t *worker) {
  if (worker->list_failed)
    return AFTER_LIST_FAILURE_NS;
  if (!TAILQ_EMPTY(&worker->inspector.later))
    return AFTER_INSPECT_FAILURE_NS;
  return INTERVAL_NS;
}

static void finish(tally_worker_t *worker) {
  worker->census_runs = false;
  tally_fence_clear(&worker->fence);
  worker->next_census_ns = tally_clock_monotonic_ns() + interval_ns(worker);
  if (worker->list_failed)
    return;
  remove_unlisted(worker);
  worker->daemon.listed = true;
  tally_worker_publish(worker);
  tally_worker_mark_census(worker);
}

/* Every answer that the census wished for is there, or will not come soon. */
static bool is_inspected(const tally_worker_t *worker) {
  if (!TAILQ_EMPTY(&worker->inspector.background) ||
      worker->inspector.under_way_background > 0)
    return false;
  for (size_t i = 0; i < worker->table.list.count; i++) {
    const tally_entry_t *entry = worker->table.list.items[i];
    if (entry->answered < entry->census_wish && entry->retry_ns == 0)
      return false; /* an event has put it into the other queue */
  }
  return true;
}

int tally_worker_census_turn(tally_worker_t *worker) {
  if (worker->connection != TALLY_CONNECTION_UP)
    return -1;
  if (!worker->census_runs) {
    if (worker->gap)
      tally_worker_census_start(worker, true);
    else if (worker->next_census_ns <= tally_clock_monotonic_ns())
      tally_worker_census_start(worker, false);
    else
      return tally_worker_until(worker->next_census_ns);
  }

  bool drained = tally_fence_is_passed(&worker->fence) ||
                 tally_fence_is_stuck(&worker->fence);
  if (worker->list_done && drained && is_inspected(worker)) {
    finish(worker);
    return 0;
  }
  return worker->fence.awaited_count > 0 ? 200 : -1;
}
