/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/inventory_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/thread.h"
#include "docker/engine.h"
#include "docker/http.h"
#include "docker/snapshot.h"
#include "docker/worker.h"

/* All inventories of the process. The lock guards the list, `next` and `refs`;
 * it is not held while threads are started or joined. */
static struct {
  pthread_mutex_t lock;
  tally_inventory_t *first;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- registry ------------------------------------------------------------ */

static bool same_text(const char *a, const char *b) {
  return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_endpoint(const tally_endpoint_t *a,
                          const tally_endpoint_t *b) {
  return same_text(a->name, b->name) && same_text(a->cert_dir, b->cert_dir) &&
         a->verify == b->verify;
}

/* A further reference on the inventory of the endpoint, if there is one. With
 * registry.lock held. */
static tally_inventory_t *find_registered(const tally_endpoint_t *endpoint) {
  for (tally_inventory_t *i = registry.first; i != NULL; i = i->next)
    if (same_endpoint(&i->endpoint, endpoint)) {
      i->refs++;
      return i;
    }
  return NULL;
}

tally_inventory_t *tally_inventory_ref(tally_inventory_t *inventory) {
  pthread_mutex_lock(&registry.lock);
  inventory->refs++;
  pthread_mutex_unlock(&registry.lock);
  return inventory;
}

/* ---- life ---------------------------------------------------------------- */

static int copy_endpoint(tally_endpoint_t *to, const tally_endpoint_t *from,
                         tally_error_t *err) {
  *to = (tally_endpoint_t){.verify = from->verify};
  to->name = strdup(from->name);
  to->base_url = strdup(from->base_url);
  if (from->socket_path != NULL)
    to->socket_path = strdup(from->socket_path);
  if (from->cert_dir != NULL)
    to->cert_dir = strdup(from->cert_dir);
  if (to->name == NULL || to->base_url == NULL ||
      (from->socket_path != NULL && to->socket_path == NULL) ||
      (from->cert_dir != NULL && to->cert_dir == NULL))
    return tally_error_set(err, ENOMEM, "Docker inventory");
  return 0;
}

static void destroy(tally_inventory_t *inventory) {
  if (inventory->worker != NULL)
    tally_worker_destroy(inventory->worker);
  tally_snapshot_unref(inventory->current);
  tally_endpoint_clear(&inventory->endpoint);
  pthread_mutex_destroy(&inventory->lock);
  pthread_cond_destroy(&inventory->changed);
  free(inventory);
}

static tally_inventory_t *create(const tally_endpoint_t *endpoint,
                                 tally_error_t *err) {
  tally_inventory_t *inventory = calloc(1, sizeof(*inventory));
  if (inventory == NULL) {
    tally_error_set(err, ENOMEM, "Docker inventory");
    return NULL;
  }
  inventory->refs = 1;
  pthread_mutex_init(&inventory->lock, NULL);
  tally_condition_init(&inventory->changed);
  inventory->current = tally_snapshot_create(0);
  if (inventory->current == NULL)
    tally_error_set(err, ENOMEM, "Docker inventory");
  if (inventory->current == NULL ||
      copy_endpoint(&inventory->endpoint, endpoint, err) != 0 ||
      (inventory->worker = tally_worker_create(inventory, err)) == NULL) {
    destroy(inventory);
    return NULL;
  }
  return inventory;
}

tally_inventory_t *tally_inventory_acquire(const tally_endpoint_t *endpoint,
                                           tally_error_t *err) {
  pthread_mutex_lock(&registry.lock);
  tally_inventory_t *inventory = find_registered(endpoint);
  pthread_mutex_unlock(&registry.lock);
  if (inventory != NULL)
    return inventory;

  tally_inventory_t *created = create(endpoint, err);
  if (created == NULL)
    return NULL;
  pthread_mutex_lock(&registry.lock);
  inventory = find_registered(endpoint); /* somebody was faster? */
  if (inventory == NULL) {
    created->next = registry.first;
    registry.first = created;
  }
  pthread_mutex_unlock(&registry.lock);
  if (inventory == NULL)
    return created;
  destroy(created);
  return inventory;
}

void tally_inventory_release(tally_inventory_t *inventory) {
  if (inventory == NULL)
    return;
  pthread_mutex_lock(&registry.lock);
  bool last = --inventory->refs == 0;
  if (last) {
    tally_inventory_t **link = &registry.first;
    while (*link != inventory)
      link = &(*link)->next;
    *link = inventory->next;
  }
  pthread_mutex_unlock(&registry.lock);
  if (last)
    destroy(inventory);
}

/* ---- snapshots ----------------------------------------------------------- */

void tally_inventory_publish(tally_inventory_t *inventory,
                             tally_snapshot_t *snapshot) {
  pthread_mutex_lock(&inventory->lock);
  const tally_snapshot_t *old = inventory->current;
  snapshot->generation = old->generation + 1;
  inventory->current = snapshot;
  pthread_cond_broadcast(&inventory->changed);
  for (tally_inventory_watcher_t *w = inventory->watchers; w != NULL;
       w = w->next)
    w->on_change(w->data);
  pthread_mutex_unlock(&inventory->lock);
  tally_snapshot_unref(old);
}

void tally_inventory_watch(tally_inventory_t *inventory,
                           tally_inventory_watcher_t *watcher) {
  pthread_mutex_lock(&inventory->lock);
  watcher->next = inventory->watchers;
  inventory->watchers = watcher;
  pthread_mutex_unlock(&inventory->lock);
}

void tally_inventory_unwatch(tally_inventory_t *inventory,
                             tally_inventory_watcher_t *watcher) {
  pthread_mutex_lock(&inventory->lock);
  tally_inventory_watcher_t **link = &inventory->watchers;
  while (*link != NULL && *link != watcher)
    link = &(*link)->next;
  if (*link != NULL)
    *link = watcher->next;
  pthread_mutex_unlock(&inventory->lock);
}

const tally_snapshot_t *tally_inventory_snapshot(tally_inventory_t *inventory) {
  pthread_mutex_lock(&inventory->lock);
  const tally_snapshot_t *snapshot = tally_snapshot_ref(inventory->current);
  pthread_mutex_unlock(&inventory->lock);
  return snapshot;
}

bool tally_inventory_wait(tally_inventory_t *inventory, uint64_t seen,
                          int timeout_ms) {
  struct timespec deadline = tally_deadline_after(timeout_ms);
  int code = 0;
  pthread_mutex_lock(&inventory->lock);
  uint64_t wakes = inventory->wakes;
  while (inventory->current->generation == seen && inventory->wakes == wakes &&
         code == 0)
    code = pthread_cond_timedwait(&inventory->changed, &inventory->lock,
                                  &deadline);
  bool differs = inventory->current->generation != seen;
  pthread_mutex_unlock(&inventory->lock);
  return differs;
}

void tally_inventory_wake(tally_inventory_t *inventory) {
  pthread_mutex_lock(&inventory->lock);
  inventory->wakes++;
  pthread_cond_broadcast(&inventory->changed);
  pthread_mutex_unlock(&inventory->lock);
}

void tally_inventory_stats(tally_inventory_t *inventory,
                           tally_inventory_stats_t *stats) {
  *stats = (tally_inventory_stats_t){
      .events = atomic_load(&inventory->stats.events),
      .events_duplicate = atomic_load(&inventory->stats.duplicate),
      .events_invalid = atomic_load(&inventory->stats.invalid),
      .events_dropped = atomic_load(&inventory->stats.dropped) +
                        tally_stream_dropped(inventory->worker->stream),
      .events_reconciled = atomic_load(&inventory->stats.reconciled),
      .connects = atomic_load(&inventory->stats.connects),
      .inspects = atomic_load(&inventory->stats.inspects),
      .inspect_errors = atomic_load(&inventory->stats.inspect_errors),
  };
}

/* ---- requests ------------------------------------------------------------ */

/* The version that was negotiated last, or one of our own if there is none. */
static int api_version(tally_inventory_t *inventory, tally_http_t *http,
                       char *api, size_t size, tally_error_t *err) {
  const tally_snapshot_t *snapshot = tally_inventory_snapshot(inventory);
  snprintf(api, size, "%s", snapshot->daemon.api_version);
  tally_snapshot_unref(snapshot);
  if (*api != '\0')
    return 0;
  tally_engine_t engine;
  if (tally_engine_negotiate(&engine, http, err) != 0)
    return -1;
  snprintf(api, size, "%s", engine.api_version);
  return 0;
}

static int request(tally_inventory_t *inventory, tally_http_t *http,
                   tally_transfer_t *transfer, const char *path,
                   tally_error_t *err) {
  char api[16];
  if (api_version(inventory, http, api, sizeof(api), err) != 0)
    return -1;
  tally_autofree char *url_path = NULL;
  if (asprintf(&url_path, "/v%s%s", api, path) < 0) {
    url_path = NULL;
    return tally_error_set(err, ENOMEM, "request");
  }
  transfer->path = url_path;
  return tally_http_perform(http, transfer, err);
}

int tally_inventory_request(tally_inventory_t *inventory, const char *method,
                            const char *path, const char *body, int timeout_ms,
                            char **answer, int *status, tally_error_t *err) {
  if (answer != NULL)
    *answer = NULL;
  if (status != NULL)
    *status = 0;
  tally_http_t *http = tally_http_create(&inventory->endpoint, err);
  if (http == NULL)
    return -1;
  tally_transfer_t transfer = {
      .method = method, .body = body, .timeout_ms = timeout_ms};
  int result = request(inventory, http, &transfer, path, err);
  if (status != NULL)
    *status = transfer.status;
  if (result == 0 && answer != NULL) {
    *answer = strdup(transfer.answer.data);
    if (*answer == NULL)
      result = tally_error_set(err, ENOMEM, "answer");
  }
  if (transfer.done)
    tally_transfer_clear(&transfer);
  tally_http_destroy(http);
  return result;
}
