/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logs/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/thread.h"
#include "logs/sink_list.h"
#include "logs/sinks_private.h"

#define IDLE_NS (600 * TALLY_NS_PER_S)

typedef tally_log_sinks_entry_t entry_t;

/* ---- finding ------------------------------------------------------------- */

static entry_t *find(const tally_log_sinks_t *s, const tally_log_kind_t *kind,
                     const char *target) {
  entry_t *e = s->entries;
  while (e != NULL &&
         (e->sink.kind != kind || strcmp(e->sink.target, target) != 0))
    e = e->next;
  return e;
}

/* With `opening` held. */
static entry_t *find_or_open(tally_log_sinks_t *s, const tally_log_kind_t *kind,
                             const char *target) {
  entry_t *e = find(s, kind, target);
  if (e == NULL)
    e = tally_log_sinks_add(s, kind, target);
  if (e != NULL && e->sink.outbox == NULL && !tally_log_sinks_open(s, e))
    return NULL;
  return e;
}

tally_log_sink_t *tally_log_sinks_acquire(tally_log_sinks_t *s,
                                          const tally_log_kind_t *kind,
                                          const char *target) {
  pthread_mutex_lock(&s->opening);
  entry_t *e = find_or_open(s, kind, target);
  if (e != NULL) {
    pthread_mutex_lock(&s->lock);
    e->references++;
    pthread_mutex_unlock(&s->lock);
  }
  pthread_mutex_unlock(&s->opening);
  return e != NULL ? &e->sink : NULL;
}

void tally_log_sinks_release(tally_log_sinks_t *s, tally_log_sink_t *sink) {
  entry_t *e = (entry_t *)sink;
  pthread_mutex_lock(&s->lock);
  if (--e->references == 0)
    e->unused_ns = tally_clock_monotonic_ns();
  pthread_mutex_unlock(&s->lock);
}

static void reopen(const char *kind_name, const char *target, void *data) {
  tally_log_sinks_t *s = data;
  const tally_log_kind_t *const *kind = s->options.kinds;
  while (*kind != NULL && strcmp((*kind)->name, kind_name) != 0)
    kind++;
  if (*kind == NULL || find(s, *kind, target) != NULL)
    return;
  entry_t *e = tally_log_sinks_add(s, *kind, target);
  if (e == NULL)
    return;
  e->listed = true;
  tally_log_sinks_open(s, e);
}

void tally_log_sinks_reopen(tally_log_sinks_t *s) {
  pthread_mutex_lock(&s->opening);
  tally_log_sink_list_each(s->list, reopen, s);
  pthread_mutex_unlock(&s->opening);
}

/* ---- closing ------------------------------------------------------------- */

static bool is_idle(const entry_t *e, uint64_t now) {
  if (e->references > 0 || now - e->unused_ns < IDLE_NS)
    return false;
  if (e->sink.outbox == NULL)
    return !e->listed;
  tally_outbox_stats_t stats;
  tally_outbox_stats(e->sink.outbox, &stats);
  return stats.queued == 0;
}

static void close_outbox(const tally_log_sinks_t *s, const entry_t *e,
                         int timeout_ms) {
  if (s->options.close != NULL && e->sink.outbox != NULL)
    s->options.close(&e->sink, e->slot, timeout_ms, s->options.data);
  else
    tally_outbox_destroy(e->sink.outbox, timeout_ms, NULL);
}

/* Takes them out of the list of entries. */
static entry_t *take_idle(tally_log_sinks_t *s, uint64_t now) {
  entry_t *idle = NULL;
  pthread_mutex_lock(&s->lock);
  for (entry_t **link = &s->entries; *link != NULL;) {
    entry_t *e = *link;
    if (!is_idle(e, now)) {
      link = &e->next;
      continue;
    }
    *link = e->next;
    s->count--;
    e->next = idle;
    idle = e;
  }
  pthread_mutex_unlock(&s->lock);
  return idle;
}

void tally_log_sinks_tend(tally_log_sinks_t *s) {
  pthread_mutex_lock(&s->opening);
  for (entry_t *e = s->entries; e != NULL; e = e->next)
    if (e->listed && e->sink.outbox == NULL)
      tally_log_sinks_open(s, e);
  entry_t *idle = take_idle(s, tally_clock_monotonic_ns());
  if (idle != NULL)
    tally_log_sinks_save(s);
  while (idle != NULL) {
    entry_t *e = idle;
    idle = e->next;
    close_outbox(s, e, 0);
    tally_log_sinks_free(e);
  }
  pthread_mutex_unlock(&s->opening);
}

void tally_log_sinks_each(tally_log_sinks_t *s,
                          void (*each)(tally_log_sink_t *sink, void **slot,
                                       void *data),
                          void *data) {
  entry_t *open[TALLY_LOG_SINKS_MAX];
  size_t count = 0;
  pthread_mutex_lock(&s->lock);
  for (entry_t *e = s->entries; e != NULL; e = e->next)
    if (e->sink.outbox != NULL && count < TALLY_LOG_SINKS_MAX) {
      e->references++;
      open[count++] = e;
    }
  pthread_mutex_unlock(&s->lock);
  for (size_t i = 0; i < count; i++)
    each(&open[i]->sink, &open[i]->slot, data);
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < count; i++)
    open[i]->references--;
  pthread_mutex_unlock(&s->lock);
}

/* ---- life ---------------------------------------------------------------- */

typedef struct {
  pthread_t thread;
  const tally_log_sinks_t *sinks;
  const entry_t *entry;
  int timeout_ms;
} closing_t;

static void *close_one(void *data) {
  const closing_t *closing = data;
  close_outbox(closing->sinks, closing->entry, closing->timeout_ms);
  return NULL;
}

/* A dead target takes its time; together they take no longer than one. */
static void close_all(tally_log_sinks_t *s, int timeout_ms) {
  closing_t closing[TALLY_LOG_SINKS_MAX];
  size_t count = 0;
  for (entry_t *e = s->entries; e != NULL; e = e->next) {
    closing_t *c = &closing[count];
    *c = (closing_t){.sinks = s, .entry = e, .timeout_ms = timeout_ms};
    if (tally_thread_start(&c->thread, "tally-close", close_one, c, NULL) == 0)
      count++;
    else
      close_one(c);
  }
  for (size_t i = 0; i < count; i++)
    pthread_join(closing[i].thread, NULL);
}

void tally_log_sinks_destroy(tally_log_sinks_t *s, int timeout_ms) {
  if (s == NULL)
    return;
  close_all(s, timeout_ms);
  while (s->entries != NULL) {
    entry_t *e = s->entries;
    s->entries = e->next;
    tally_log_sinks_free(e);
  }
  pthread_mutex_destroy(&s->lock);
  pthread_mutex_destroy(&s->opening);
  free(s->label);
  free(s->list);
  free(s);
}

tally_log_sinks_t *
tally_log_sinks_create(const tally_log_sinks_options_t *options,
                       tally_error_t *err) {
  tally_log_sinks_t *s = calloc(1, sizeof(*s));
  if (s == NULL) {
    tally_error_set(err, ENOMEM, "%s", options->label);
    return NULL;
  }
  s->options = *options;
  pthread_mutex_init(&s->opening, NULL);
  pthread_mutex_init(&s->lock, NULL);
  s->label = strdup(options->label);
  s->list = strdup(options->list);
  if (s->label != NULL && s->list != NULL)
    return s;
  tally_log_sinks_destroy(s, 0);
  tally_error_set(err, ENOMEM, "%s", options->label);
  return NULL;
}
