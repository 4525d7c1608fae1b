/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logs/shipper.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/thread.h"
#include "logs/shipper_private.h"

#define INSTANCE_NS (10 * TALLY_NS_PER_S)
#define STOP_WINDOW_NS (60 * TALLY_NS_PER_S) /* as docker_events */

/* ---- the table ----------------------------------------------------------- */

static tally_log_shipment_t *create(tally_log_shipper_t *s,
                                    const tally_container_t *container) {
  tally_log_route_t routes[TALLY_LOG_ROUTES_MAX];
  size_t count = s->options.routes(container, routes, s->options.data);
  return tally_log_shipment_create(&s->common, container, routes, count, NULL);
}

tally_log_shipment_t *
tally_log_shipper_find(tally_log_shipper_t *s,
                       const tally_container_t *container) {
  tally_log_shipment_t *shipment;
  pthread_mutex_lock(&s->lock);
  HASH_FIND_STR(s->shipments, container->id, shipment);
  if (shipment == NULL && (shipment = create(s, container)) != NULL) {
    HASH_ADD_STR(s->shipments, id, shipment);
    shipment->owner = s;
    shipment->next = s->first;
    s->first = shipment;
  }
  if (shipment != NULL)
    tally_log_shipment_ref(shipment);
  pthread_mutex_unlock(&s->lock);
  return shipment;
}

tally_log_shipment_t *tally_log_shipper_first(tally_log_shipper_t *s) {
  pthread_mutex_lock(&s->lock);
  tally_log_shipment_t *first = s->first;
  pthread_mutex_unlock(&s->lock);
  return first;
}

/* ---- where a log begins -------------------------------------------------- */

tally_log_position_t
tally_log_shipper_start_of(const tally_log_shipper_t *s,
                           const tally_container_t *container) {
  tally_log_position_t start = {0};
  if (s->options.read_existing || container->created_ns >= s->begin_ns)
    return start;
  for (int i = 0; i < TALLY_LOG_STREAMS; i++)
    start.time_ns[i] = s->begin_ns;
  return start;
}

/* When the shipper was started for the first time with this directory. */
static void find_begin(tally_log_shipper_t *s) {
  char path[PATH_MAX], text[32];
  s->begin_ns = tally_clock_realtime_ns();
  snprintf(path, sizeof(path), "%s/%s.since", s->options.state_dir,
           s->options.name);
  uint64_t begin_ns;
  if (tally_file_read(path, text, sizeof(text), NULL) > 0 &&
      tally_file_parse_u64(text, &begin_ns) == 0) {
    s->begin_ns = begin_ns;
    return;
  }
  tally_error_t err = {0};
  int len = snprintf(text, sizeof(text), "%" PRIu64 "\n", s->begin_ns);
  if (tally_file_replace(path, text, (size_t)len, 0600, &err) != 0)
    tally_log(TALLY_LOG_WARNING, "%s: %s", s->options.name, err.message);
}

/* ---- the reader's callbacks ---------------------------------------------- */

static size_t on_lines(const tally_container_t *container,
                       const tally_log_line_t *lines, size_t count,
                       void *data) {
  return tally_log_shipment_take(data, lines, count);
}

/* The shipper is woken, for a new run may be there already. */
static void on_end(const tally_container_t *container, tally_log_end_t how,
                   const tally_error_t *err, void *data) {
  tally_log_shipment_t *shipment = data;
  tally_log_shipper_t *s = shipment->owner;
  tally_log_shipment_end(shipment, how);
  tally_log_shipment_unref(shipment, s->sinks);
  tally_inventory_wake(s->inventory);
}

/* ---- life ---------------------------------------------------------------- */

static int copy_options(tally_log_shipper_t *s,
                        const tally_log_shipper_options_t *options,
                        tally_error_t *err) {
  s->options = *options;
  s->options.name = strdup(options->name);
  s->options.state_dir = strdup(options->state_dir);
  s->options.host = strdup(options->host);
  s->common.host = s->options.host;
  if (asprintf(&s->agent, "agent:%s/", PACKAGE_VERSION) < 0)
    s->agent = NULL;
  if (s->options.name == NULL || s->options.state_dir == NULL ||
      s->options.host == NULL || s->agent == NULL)
    return tally_error_set(err, ENOMEM, "%s", options->name);
  return tally_file_make_directory(options->state_dir, 0755, err);
}

static int open_parts(tally_log_shipper_t *s, tally_error_t *err) {
  char list[PATH_MAX];
  snprintf(list, sizeof(list), "%s/%s.sinks", s->options.state_dir,
           s->options.name);
  tally_log_sinks_options_t sinks = {.label = s->options.name,
                                     .list = list,
                                     .kinds = s->options.kinds,
                                     .prepare = s->options.prepare,
                                     .close = s->options.close,
                                     .data = s->options.data};
  tally_log_reader_options_t reader = {.on_lines = on_lines, .on_end = on_end};
  s->sinks = tally_log_sinks_create(&sinks, err);
  s->lifecycle = tally_lifecycle_create(STOP_WINDOW_NS, err);
  s->reader = tally_log_reader_create(s->inventory, &reader, err);
  return s->sinks != NULL && s->lifecycle != NULL && s->reader != NULL ? 0 : -1;
}

static int start(tally_log_shipper_t *s, tally_error_t *err) {
  if (tally_thread_start(&s->thread, "tally-ship", tally_log_shipper_run, s,
                         err) != 0)
    return -1;
  s->running = true;
  tally_subscription_options_t how = {.name = s->options.name,
                                      .state_dir = s->options.state_dir,
                                      .on_event = tally_log_shipper_on_event,
                                      .data = s};
  s->subscription = tally_inventory_subscribe(s->inventory, &how, err);
  return s->subscription != NULL ? 0 : -1;
}

tally_log_shipper_t *
tally_log_shipper_create(tally_inventory_t *inventory,
                         const tally_log_shipper_options_t *options,
                         tally_error_t *err) {
  tally_log_shipper_t *s = calloc(1, sizeof(*s));
  if (s == NULL) {
    tally_error_set(err, ENOMEM, "%s", options->name);
    return NULL;
  }
  s->inventory = inventory;
  s->instance_due_ns = tally_clock_monotonic_ns() + INSTANCE_NS;
  pthread_mutex_init(&s->lock, NULL);
  tally_condition_init(&s->changed);
  if (copy_options(s, options, err) == 0) {
    find_begin(s);
    if (open_parts(s, err) == 0 && start(s, err) == 0)
      return s;
  }
  tally_log_shipper_destroy(s, 0);
  return NULL;
}

static void end_waits(tally_log_shipper_t *s) {
  pthread_mutex_lock(&s->lock);
  atomic_store(&s->stop, true);
  pthread_cond_broadcast(&s->changed);
  for (tally_log_shipment_t *p = s->first; p != NULL; p = p->next) {
    pthread_mutex_lock(&p->lock);
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
  }
  pthread_mutex_unlock(&s->lock);
  tally_inventory_wake(s->inventory);
}

/* No thread of ours runs any more. */
static void give_up_shipments(tally_log_shipper_t *s) {
  HASH_CLEAR(hh, s->shipments);
  while (s->first != NULL) {
    tally_log_shipment_t *p = s->first;
    s->first = p->next;
    tally_log_shipment_flush(p, true);
    if (tally_log_shipment_abandon(p))
      tally_log_shipment_unref(p, s->sinks); /* the reader's */
    tally_log_shipment_unref(p, s->sinks);
  }
}

void tally_log_shipper_destroy(tally_log_shipper_t *s, int timeout_ms) {
  if (s == NULL)
    return;
  end_waits(s);
  if (s->subscription != NULL)
    tally_subscription_cancel(s->subscription);
  if (s->running)
    pthread_join(s->thread, NULL);
  tally_log_reader_destroy(s->reader);
  give_up_shipments(s);
  tally_log_sinks_destroy(s->sinks, timeout_ms);
  tally_log_parcel_pool_clear(&s->common.pool);
  tally_lifecycle_destroy(s->lifecycle);
  pthread_cond_destroy(&s->changed);
  pthread_mutex_destroy(&s->lock);
  free(s->instance);
  free(s->agent);
  free((char *)s->options.name);
  free((char *)s->options.state_dir);
  free((char *)s->options.host);
  free(s);
}

/* ---- what is asked ------------------------------------------------------- */

void tally_log_shipper_set_instance(tally_log_shipper_t *s,
                                    const char *instance) {
  pthread_mutex_lock(&s->lock);
  if (s->instance == NULL)
    s->instance = strdup(instance);
  atomic_store(&s->common.instance, s->instance);
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->lock);
}

void tally_log_shipper_stats(tally_log_shipper_t *s,
                             tally_log_shipper_stats_t *stats) {
  tally_log_reader_stats(s->reader, &stats->reader);
  stats->unreadable = atomic_load(&s->unreadable);
  stats->sentences_lost = atomic_load(&s->sentences_lost);
}

void tally_log_shipper_sinks(tally_log_shipper_t *s,
                             void (*each)(tally_log_sink_t *sink, void **slot,
                                          void *data),
                             void *data) {
  tally_log_sinks_each(s->sinks, each, data);
}
