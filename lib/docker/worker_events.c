/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/worker.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "docker/container_private.h"
#include "docker/subscription.h"

/*
 * An event is parsed as soon as it has come, and the inspect that it calls for
 * begins; it is handed on when its turn has come and the answer is there, or
 * when it has waited long enough for it. Their order never changes.
 */

#define PATIENCE_NS (3 * TALLY_NS_PER_S) /* with one inspect */
#define PENDING_MAX (8 * 1024 * 1024)

/* ---- coming in ----------------------------------------------------------- */

static void append(tally_worker_t *worker, tally_pending_t *pending) {
  STAILQ_INSERT_TAIL(&worker->pending, pending, link);
  if (pending->record != NULL)
    worker->pending_bytes += pending->record->size + sizeof(*pending);
}

static void warn_invalid(tally_worker_t *worker, const tally_error_t *err) {
  atomic_fetch_add(&worker->inventory->stats.invalid, 1);
  if (worker->invalid_warned)
    return;
  worker->invalid_warned = true;
  tally_log(TALLY_LOG_WARNING, "Docker at %s: not an event: %s",
            worker->inventory->endpoint.name, err->message);
}

/* Whether it has been here before: it was sent again from the daemon's memory,
 * or published while we asked for that. */
static bool is_repeated(tally_worker_t *worker,
                        const tally_event_record_t *record) {
  bool from_memory = record->event.time_ns < worker->present_ns;
  if ((record->exact || from_memory) &&
      tally_seen_has(&worker->seen, record->hash)) {
    atomic_fetch_add(&worker->inventory->stats.duplicate, 1);
    return true;
  }
  tally_seen_add(&worker->seen, record->hash);
  atomic_fetch_add(&worker->inventory->stats.events, 1);
  return false;
}

/* Asks for the container, if this kind of event changes something about it. */
static void wish_inspect(tally_worker_t *worker, tally_pending_t *pending) {
  const tally_event_t *event = &pending->record->event;
  tally_step_t step = tally_event_step(event);
  if (step == TALLY_STEP_NONE || pending->repeated)
    return;
  tally_entry_t *entry = tally_table_add(&worker->table, event->actor_id);
  if (entry == NULL)
    return;
  entry->listed = worker->epoch; /* it exists */
  entry->updated |= strcmp(event->action, "update") == 0;
  if (step != TALLY_STEP_DESTROY)
    pending->wish = tally_inspector_wish(&worker->inspector, entry, true);
}

static void receive(tally_worker_t *worker, const tally_news_t *news) {
  tally_error_t err = {0};
  tally_event_record_t *record = tally_event_parse(news->text, news->len, &err);
  tally_pending_t *pending = calloc(1, sizeof(*pending));
  if (record == NULL || pending == NULL) {
    if (record == NULL)
      warn_invalid(worker, &err);
    tally_event_unref(record);
    free(pending);
    return;
  }

  record->event.origin = record->event.time_ns < worker->present_ns
                             ? TALLY_EVENT_REPLAYED
                             : TALLY_EVENT_LIVE;
  if (news->connection == worker->connection_number &&
      record->event.time_ns > worker->position_ns)
    worker->position_ns = record->event.time_ns;
  *pending = (tally_pending_t){
      .record = record,
      .deadline_ns = tally_clock_monotonic_ns() + PATIENCE_NS,
      .connection = news->connection,
      .epoch = worker->epoch,
      .repeated = is_repeated(worker, record),
  };
  tally_fence_note(&worker->fence, record->hash);
  wish_inspect(worker, pending);
  append(worker, pending);
}

static void take_news(tally_worker_t *worker) {
  if (worker->pending_bytes > PENDING_MAX)
    return; /* it waits in the stream's queue, which has its own limit */
  tally_news_t *news = tally_stream_take(worker->stream);
  while (news != NULL) {
    bool current = news->connection == worker->connection_number;
    switch (news->kind) {
    case TALLY_NEWS_TEXT:
      receive(worker, news);
      break;
    case TALLY_NEWS_LOST:
      worker->gap = true;
      break;
    case TALLY_NEWS_OPENED:
      if (current)
        tally_worker_opened(worker);
      break;
    case TALLY_NEWS_CLOSED:
    case TALLY_NEWS_FOUL:
      if (current && worker->connection != TALLY_CONNECTION_DOWN)
        tally_worker_closed(worker, news->text, news->kind == TALLY_NEWS_FOUL);
      break;
    }
    tally_news_t *next = news->next;
    free(news);
    news = next;
  }
}

void tally_worker_mark_census(tally_worker_t *worker) {
  tally_pending_t *mark = calloc(1, sizeof(*mark));
  if (mark == NULL)
    return; /* the next census marks its end */
  mark->epoch = worker->epoch;
  mark->census_ns = worker->census_ns;
  append(worker, mark);
}

/* ---- going out ----------------------------------------------------------- */

static bool is_ready(const tally_worker_t *worker,
                     const tally_pending_t *pending,
                     const tally_entry_t *entry) {
  return pending->wish == 0 || entry == NULL ||
         entry->answered >= pending->wish ||
         worker->connection == TALLY_CONNECTION_DOWN ||
         tally_inspector_is_given_up(entry, pending->wish) ||
         pending->deadline_ns <= tally_clock_monotonic_ns();
}

/* The event's turn has come: brings the table up to date and gives the event
 * its container. */
static void apply(tally_worker_t *worker, tally_pending_t *pending,
                  tally_entry_t *entry) {
  const tally_event_t *event = &pending->record->event;
  if (entry == NULL)
    return;
  bool inspected = entry->answered >= pending->wish && entry->fresh;
  if (pending->wish != 0 && !inspected && entry->container != NULL)
    tally_table_set(&worker->table, entry,
                    tally_container_after(entry->container, event));
  pending->container = tally_container_ref(entry->container);

  if (tally_event_step(event) == TALLY_STEP_DESTROY && !pending->repeated) {
    tally_inspector_forget(&worker->inspector, entry);
    tally_table_remove(&worker->table, entry);
  }
}

/* Moves from the head of the queue what is ready. Returns the milliseconds
 * until the next one is; -1: the queue is empty. */
static int collect_ready(tally_worker_t *worker,
                         struct tally_pending_list_s *ready) {
  tally_pending_t *pending;
  while ((pending = STAILQ_FIRST(&worker->pending)) != NULL) {
    if (pending->record != NULL) {
      tally_entry_t *entry = NULL;
      if (tally_event_is_container(&pending->record->event))
        entry =
            tally_table_find(&worker->table, pending->record->event.actor_id);
      if (!is_ready(worker, pending, entry))
        return tally_worker_until(pending->deadline_ns);
      apply(worker, pending, entry);
      worker->pending_bytes -= pending->record->size + sizeof(*pending);
    }
    STAILQ_REMOVE_HEAD(&worker->pending, link);
    STAILQ_INSERT_TAIL(ready, pending, link);
  }
  return -1;
}

static void drop(tally_pending_t *pending) {
  tally_event_unref(pending->record);
  tally_container_unref(pending->container);
  free(pending);
}

static void hand_on(tally_worker_t *worker,
                    struct tally_pending_list_s *ready) {
  tally_inventory_t *inventory = worker->inventory;
  tally_pending_t *pending;
  while ((pending = STAILQ_FIRST(ready)) != NULL) {
    STAILQ_REMOVE_HEAD(ready, link);
    pthread_mutex_lock(&inventory->lock);
    for (tally_subscription_t *s = inventory->subscriptions; s != NULL;
         s = tally_subscription_next(s)) {
      if (pending->record == NULL)
        tally_subscription_push_sync(s, inventory->current, pending->census_ns,
                                     pending->epoch);
      else
        tally_subscription_push_event(s, pending->record, pending->container,
                                      pending->connection, pending->epoch);
    }
    pthread_mutex_unlock(&inventory->lock);
    drop(pending);
  }
}

int tally_worker_events_turn(tally_worker_t *worker) {
  take_news(worker);
  struct tally_pending_list_s ready = STAILQ_HEAD_INITIALIZER(ready);
  int wait_ms = collect_ready(worker, &ready);
  if (STAILQ_EMPTY(&ready))
    return wait_ms;

  /* Who gets an event finds a snapshot that is at least as new. */
  if (worker->table.changes > 0)
    tally_worker_publish(worker);
  hand_on(worker, &ready);
  return wait_ms;
}

void tally_worker_drop_pending(tally_worker_t *worker) {
  tally_pending_t *pending;
  while ((pending = STAILQ_FIRST(&worker->pending)) != NULL) {
    STAILQ_REMOVE_HEAD(&worker->pending, link);
    drop(pending);
  }
}
