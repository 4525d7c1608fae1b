/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logs/shipment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/thread.h"

/* ---- life ---------------------------------------------------------------- */

static void destroy(tally_log_shipment_t *s, tally_log_sinks_t *sinks) {
  for (size_t i = 0; i < s->count; i++) {
    if (s->feeds[i].sink != NULL)
      tally_log_sinks_release(sinks, s->feeds[i].sink);
    tally_log_feed_clear(&s->feeds[i]);
  }
  free(s->feeds);
  if (s->container != NULL)
    tally_container_unref(s->container);
  pthread_cond_destroy(&s->changed);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

static int add_feeds(tally_log_shipment_t *s, tally_log_feed_common_t *common,
                     const tally_container_t *container,
                     const tally_log_route_t *routes, size_t count,
                     tally_error_t *err) {
  s->feeds = calloc(count + 1, sizeof(*s->feeds));
  if (s->feeds == NULL)
    return tally_error_set(err, ENOMEM, "container %s", container->name);
  for (size_t i = 0; i < count; i++) {
    s->count++; /* also what fails half way is cleared */
    if (tally_log_feed_init(&s->feeds[i], common, &routes[i], container, err) !=
        0)
      return -1;
  }
  return 0;
}

tally_log_shipment_t *tally_log_shipment_create(
    tally_log_feed_common_t *common, const tally_container_t *container,
    const tally_log_route_t *routes, size_t count, tally_error_t *err) {
  tally_log_shipment_t *s = calloc(1, sizeof(*s));
  if (s == NULL) {
    tally_error_set(err, ENOMEM, "container %s", container->name);
    return NULL;
  }
  memcpy(s->id, container->id, sizeof(s->id));
  s->references = 1;
  s->container = tally_container_ref(container);
  pthread_mutex_init(&s->lock, NULL);
  tally_condition_init(&s->changed);
  if (add_feeds(s, common, container, routes, count, err) == 0)
    return s;
  destroy(s, NULL);
  return NULL;
}

tally_log_shipment_t *tally_log_shipment_ref(tally_log_shipment_t *s) {
  pthread_mutex_lock(&s->lock);
  s->references++;
  pthread_mutex_unlock(&s->lock);
  return s;
}

void tally_log_shipment_unref(tally_log_shipment_t *s,
                              tally_log_sinks_t *sinks) {
  pthread_mutex_lock(&s->lock);
  bool last = --s->references == 0;
  pthread_mutex_unlock(&s->lock);
  if (last)
    destroy(s, sinks);
}

/* ---- sinks --------------------------------------------------------------- */

bool tally_log_shipment_connect(tally_log_shipment_t *s,
                                tally_log_sinks_t *sinks,
                                const tally_log_position_t *start) {
  bool more = false;
  for (size_t i = 0; i < s->count; i++) {
    tally_log_feed_t *feed = &s->feeds[i];
    pthread_mutex_lock(&s->lock);
    bool open = feed->sink != NULL;
    pthread_mutex_unlock(&s->lock);
    if (open)
      continue;
    tally_log_sink_t *sink =
        tally_log_sinks_acquire(sinks, feed->route.kind, feed->route.target);
    if (sink == NULL)
      continue;
    pthread_mutex_lock(&s->lock);
    bool late = feed->sink != NULL; /* another thread was faster */
    if (!late)
      tally_log_feed_connect(feed, sink, start);
    pthread_mutex_unlock(&s->lock);
    if (late)
      tally_log_sinks_release(sinks, sink);
    more |= !late;
  }
  return more;
}

bool tally_log_shipment_lacks_sink(tally_log_shipment_t *s) {
  bool lacks = false;
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < s->count; i++)
    lacks |= s->feeds[i].sink == NULL;
  pthread_mutex_unlock(&s->lock);
  return lacks;
}

bool tally_log_shipment_is_joined(tally_log_shipment_t *s) {
  bool joined = false;
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < s->count; i++)
    joined |= s->feeds[i].sink != NULL && !s->feeds[i].reading;
  joined &= s->following;
  pthread_mutex_unlock(&s->lock);
  return joined;
}

/* ---- the reader ---------------------------------------------------------- */

bool tally_log_shipment_begin(tally_log_shipment_t *s, uint64_t run_ns,
                              bool force, tally_log_position_t *position) {
  bool any = false, due = force;
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < s->count; i++) {
    tally_log_feed_t *feed = &s->feeds[i];
    if (feed->sink == NULL)
      continue;
    tally_log_feed_rewind(feed);
    if (any)
      tally_log_position_include(position, &feed->mark.position);
    else
      *position = feed->mark.position;
    any = true;
    due |= feed->mark.drained_ns != run_ns;
  }
  s->following = any && due;
  if (s->following)
    s->run_ns = run_ns;
  else if (any)
    s->drained_ns = run_ns;
  pthread_mutex_unlock(&s->lock);
  return any && due;
}

bool tally_log_shipment_abandon(tally_log_shipment_t *s) {
  pthread_mutex_lock(&s->lock);
  bool was = s->following;
  s->following = false;
  pthread_mutex_unlock(&s->lock);
  return was;
}

size_t tally_log_shipment_take(tally_log_shipment_t *s,
                               const tally_log_line_t *lines, size_t count) {
  size_t done[TALLY_LOG_ROUTES_MAX], taken = count;
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < s->count; i++) {
    tally_log_feed_t *feed = &s->feeds[i];
    if (!feed->reading)
      continue;
    done[i] = tally_log_feed_offer(feed, lines, count);
    if (done[i] < taken)
      taken = done[i];
  }
  for (size_t i = 0; i < s->count; i++)
    if (s->feeds[i].reading)
      tally_log_feed_settle(&s->feeds[i], count, done[i], taken);
  for (size_t i = 0; i < taken; i++)
    if (lines[i].time_ns > s->newest_ns)
      s->newest_ns = lines[i].time_ns;
  s->taken += taken;
  pthread_mutex_unlock(&s->lock);
  return taken;
}

void tally_log_shipment_end(tally_log_shipment_t *s, tally_log_end_t how) {
  pthread_mutex_lock(&s->lock);
  s->following = false;
  if (how == TALLY_LOG_UNREADABLE)
    s->unreadable = true;
  else
    s->drained_ns = s->run_ns;
  s->ended_ns = tally_clock_monotonic_ns();
  for (size_t i = 0; i < s->count; i++) {
    tally_log_feed_t *feed = &s->feeds[i];
    if (!feed->reading)
      continue;
    feed->reading = false;
    if (how == TALLY_LOG_ENDED)
      tally_log_feed_drained(feed, s->run_ns);
    tally_log_feed_flush(feed, true);
  }
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->lock);
}

/* ---- sentences ----------------------------------------------------------- */

unsigned tally_log_shipment_tell(tally_log_shipment_t *s,
                                 const tally_event_t *event, const char *text) {
  unsigned lost = 0;
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < s->count; i++) {
    tally_log_feed_t *feed = &s->feeds[i];
    if (feed->route.lifecycle && feed->sink != NULL)
      lost += !tally_log_feed_tell(feed, event, text);
  }
  pthread_mutex_unlock(&s->lock);
  return lost;
}

bool tally_log_shipment_flush(tally_log_shipment_t *s, bool finish) {
  bool all = true;
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < s->count; i++)
    if (s->feeds[i].sink != NULL)
      all &= tally_log_feed_flush(&s->feeds[i], finish);
  pthread_mutex_unlock(&s->lock);
  return all;
}
