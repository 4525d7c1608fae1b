/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/subscription.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "core/thread.h"
#include "docker/container_private.h"
#include "docker/ledger.h"
#include "docker/snapshot.h"
#include "docker/worker.h"

#define QUEUE_BYTES_DEFAULT (8 * 1024 * 1024)
#define NAME_CHARACTERS                                                        \
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

/* What waits for the thread: an event, a sync, or the beginning. */
typedef struct item_s {
  STAILQ_ENTRY(item_s) link;
  tally_event_record_t *record;
  const tally_container_t *container;
  const tally_snapshot_t *snapshot;
  uint64_t time_ns; /* census_ns, or begin_ns */
  unsigned epoch;
} item_t;

struct tally_subscription_s {
  tally_inventory_t *inventory; /* holds a reference */
  tally_subscription_options_t options;
  uint64_t resume_ns;     /* constant */
  tally_ledger_t *ledger; /* of the thread */
  pthread_t thread;

  /* Guarded by inventory->lock; changed by the worker only. */
  tally_subscription_t *next;
  bool attached;
  unsigned connection;

  /* Guards what follows. Taken alone or inside inventory->lock. */
  pthread_mutex_t lock;
  pthread_cond_t filled;
  STAILQ_HEAD(, item_s) queue;
  size_t queued; /* bytes */
  bool overflow; /* something was dropped, no sync since */
  bool stop;
};

/* ---- the worker's side --------------------------------------------------- */

tally_subscription_t *tally_subscription_next(const tally_subscription_t *s) {
  return s->next;
}

uint64_t tally_subscription_resume_ns(const tally_subscription_t *s) {
  return s->resume_ns;
}

bool tally_subscription_is_attached(const tally_subscription_t *s) {
  return s->attached;
}

static size_t size_of(const item_t *item) {
  return sizeof(*item) + (item->record != NULL ? item->record->size : 0);
}

/* Takes over the references in `from`. False: dropped. */
static bool push(tally_subscription_t *s, const item_t *from) {
  item_t *item = malloc(sizeof(*item));
  bool accepted = item != NULL;
  if (accepted)
    *item = *from;

  pthread_mutex_lock(&s->lock);
  if (accepted && item->record != NULL &&
      s->queued + size_of(item) > s->options.queue_bytes)
    accepted = false;
  if (accepted) {
    s->queued += size_of(item);
    STAILQ_INSERT_TAIL(&s->queue, item, link);
    pthread_cond_signal(&s->filled);
  } else {
    s->overflow = true;
  }
  pthread_mutex_unlock(&s->lock);

  if (!accepted) {
    tally_event_unref(from->record);
    tally_container_unref(from->container);
    tally_snapshot_unref(from->snapshot);
    free(item);
  }
  return accepted;
}

void tally_subscription_attach(tally_subscription_t *s, unsigned connection,
                               uint64_t begin_ns) {
  if (s->attached)
    return;
  s->attached = true;
  s->connection = connection;
  push(s, &(item_t){.time_ns = begin_ns});
}

void tally_subscription_push_event(tally_subscription_t *s,
                                   tally_event_record_t *record,
                                   const tally_container_t *container,
                                   unsigned connection, unsigned epoch) {
  if (!s->attached || connection < s->connection)
    return;
  if (!push(s, &(item_t){.record = tally_event_ref(record),
                         .container = tally_container_ref(container),
                         .epoch = epoch}))
    atomic_fetch_add(&s->inventory->stats.dropped, 1);
}

void tally_subscription_push_sync(tally_subscription_t *s,
                                  const tally_snapshot_t *snapshot,
                                  uint64_t census_ns, unsigned epoch) {
  if (s->attached)
    push(s, &(item_t){.snapshot = tally_snapshot_ref(snapshot),
                      .time_ns = census_ns,
                      .epoch = epoch});
}

bool tally_subscription_take_overflow(tally_subscription_t *s) {
  pthread_mutex_lock(&s->lock);
  bool overflow = s->overflow && STAILQ_EMPTY(&s->queue);
  if (overflow)
    s->overflow = false;
  pthread_mutex_unlock(&s->lock);
  return overflow;
}

/* ---- the thread ---------------------------------------------------------- */

static void emit(const tally_event_t *event, const tally_container_t *container,
                 void *data) {
  tally_subscription_t *s = data;
  if (event->origin == TALLY_EVENT_RECONCILED)
    atomic_fetch_add(&s->inventory->stats.reconciled, 1);
  if (container != NULL && tally_container_is_partial(container))
    container = NULL;
  s->options.on_event(event, container, s->options.data);
}

static void process(tally_subscription_t *s, const item_t *item) {
  if (item->record != NULL)
    tally_ledger_event(s->ledger, item->record, item->container, item->epoch);
  else if (item->snapshot != NULL)
    tally_ledger_sync(s->ledger, item->snapshot, item->time_ns, item->epoch);
  else
    tally_ledger_begin(s->ledger, item->time_ns);
}

static void discard(item_t *item) {
  tally_event_unref(item->record);
  tally_container_unref(item->container);
  tally_snapshot_unref(item->snapshot);
  free(item);
}

/* The next item; NULL: stop. */
static item_t *next_item(tally_subscription_t *s) {
  pthread_mutex_lock(&s->lock);
  while (!s->stop && STAILQ_EMPTY(&s->queue))
    pthread_cond_wait(&s->filled, &s->lock);
  item_t *item = s->stop ? NULL : STAILQ_FIRST(&s->queue);
  bool catch_up = false;
  if (item != NULL) {
    STAILQ_REMOVE_HEAD(&s->queue, link);
    s->queued -= size_of(item);
    catch_up = s->overflow && STAILQ_EMPTY(&s->queue);
  }
  pthread_mutex_unlock(&s->lock);
  if (catch_up)
    tally_worker_notify(s->inventory->worker);
  return item;
}

static void *run(void *data) {
  tally_subscription_t *s = data;
  item_t *item;
  while ((item = next_item(s)) != NULL) {
    process(s, item);
    discard(item);
  }
  return NULL;
}

/* ---- life ---------------------------------------------------------------- */

/* STATE_DIR/NAME.<hash of the endpoint>.events; NULL and *err if it cannot be
 * made. */
static char *ledger_path(const tally_inventory_t *inventory,
                         const tally_subscription_options_t *options,
                         tally_error_t *err) {
  const char *endpoint = inventory->endpoint.name;
  if (tally_file_make_directory(options->state_dir, 0750, err) != 0)
    return NULL;
  char *path;
  if (asprintf(&path, "%s/%s.%016llx.events", options->state_dir, options->name,
               (unsigned long long)tally_event_hash(endpoint,
                                                    strlen(endpoint))) < 0) {
    tally_error_set(err, ENOMEM, "state directory");
    return NULL;
  }
  return path;
}

static int open_ledger(tally_subscription_t *s, tally_error_t *err) {
  tally_autofree char *path = NULL;
  if (s->options.state_dir != NULL) {
    path = ledger_path(s->inventory, &s->options, err);
    if (path == NULL)
      return -1;
  }
  s->ledger = tally_ledger_create(path, emit, s, err);
  if (s->ledger == NULL)
    return -1;
  s->resume_ns = tally_ledger_resume_ns(s->ledger);
  return 0;
}

static void release(tally_subscription_t *s) {
  item_t *item;
  while ((item = STAILQ_FIRST(&s->queue)) != NULL) {
    STAILQ_REMOVE_HEAD(&s->queue, link);
    discard(item);
  }
  tally_ledger_destroy(s->ledger);
  pthread_mutex_destroy(&s->lock);
  pthread_cond_destroy(&s->filled);
  tally_inventory_release(s->inventory);
  free(s);
}

tally_subscription_t *
tally_inventory_subscribe(tally_inventory_t *inventory,
                          const tally_subscription_options_t *options,
                          tally_error_t *err) {
  size_t len = options->name != NULL ? strlen(options->name) : 0;
  if (len == 0 || len > 100 || strspn(options->name, NAME_CHARACTERS) != len) {
    tally_error_set(err, EINVAL, "name of a subscription");
    return NULL;
  }
  tally_subscription_t *s = calloc(1, sizeof(*s));
  if (s == NULL) {
    tally_error_set(err, ENOMEM, "subscription %s", options->name);
    return NULL;
  }
  s->inventory = tally_inventory_ref(inventory);
  s->options = *options;
  if (s->options.queue_bytes == 0)
    s->options.queue_bytes = QUEUE_BYTES_DEFAULT;
  STAILQ_INIT(&s->queue);
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->filled, NULL);
  if (open_ledger(s, err) != 0 ||
      tally_thread_start(&s->thread, "tally-sub", run, s, err) != 0) {
    release(s);
    return NULL;
  }

  pthread_mutex_lock(&inventory->lock);
  s->next = inventory->subscriptions;
  inventory->subscriptions = s;
  pthread_mutex_unlock(&inventory->lock);
  tally_worker_notify(inventory->worker);
  return s;
}

void tally_subscription_cancel(tally_subscription_t *s) {
  if (s == NULL)
    return;
  pthread_mutex_lock(&s->inventory->lock);
  tally_subscription_t **link = &s->inventory->subscriptions;
  while (*link != s)
    link = &(*link)->next;
  *link = s->next;
  pthread_mutex_unlock(&s->inventory->lock);

  pthread_mutex_lock(&s->lock);
  s->stop = true;
  pthread_cond_signal(&s->filled);
  pthread_mutex_unlock(&s->lock);
  pthread_join(s->thread, NULL);
  release(s);
}
