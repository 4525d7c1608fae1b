/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logs/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "core/thread.h"
#include "logs/sink_list.h"

#define RETRY_NS (30 * TALLY_NS_PER_S)
#define IDLE_NS (600 * TALLY_NS_PER_S)
#define ROOM_LEAST (64 * 1024)
/* What an outbox adds to a record, in memory or in the spool. */
#define OVERHEAD 4096
#define MEMORY_DEFAULT (16 * 1024 * 1024) /* of delivery.h */
#define SPOOL_DEFAULT (256 * 1024 * 1024)

typedef struct entry_s {
  tally_log_sink_t sink; /* first; sink.outbox NULL: not open */
  struct entry_s *next;
  /* guarded by the lock */
  unsigned references;
  uint64_t unused_ns; /* since when there are none; monotonic */
  /* guarded by `opening` */
  bool listed; /* has a spool, as far as we know */
  uint64_t retry_ns;
  char problem[256]; /* what was said of it last */
  void *slot;        /* of who calls tally_log_sinks_each() */
} entry_t;

struct tally_log_sinks_s {
  tally_log_sinks_options_t options;
  char *label, *list;
  pthread_mutex_t opening; /* one at a time opens or closes; taken before… */
  pthread_mutex_t lock;    /* … this one, which nobody holds for long */
  entry_t *entries;        /* changed with both held */
  size_t count;
};

/* ---- names --------------------------------------------------------------- */

static uint32_t hash_of(const char *text) {
  uint32_t hash = 0x811c9dc5; /* FNV-1a */
  for (; *text != '\0'; text++)
    hash = (hash ^ (unsigned char)*text) * 0x01000193;
  return hash;
}

/* A long one is cut and gets a hash, lest two become one. */
static char *label_of(const tally_log_sinks_t *s, const char *kind,
                      const char *target) {
  char label[TALLY_LOG_SINK_LABEL_SIZE + TALLY_LOG_TARGET_MAX];
  int n = snprintf(label, sizeof(label), "%s-%s-%s", s->label, kind, target);
  if (n >= TALLY_LOG_SINK_LABEL_SIZE)
    snprintf(label + TALLY_LOG_SINK_LABEL_SIZE - 10, 10, "~%08" PRIx32,
             hash_of(target));
  return strdup(label);
}

/* ---- the list on disk ---------------------------------------------------- */

/* With `opening` held. What cannot be remembered is drained by the next process
 * only if a container still names it. */
static void save_list(tally_log_sinks_t *s) {
  tally_buffer_t text;
  tally_buffer_init(&text, TALLY_LOG_SINKS_MAX * (TALLY_LOG_TARGET_MAX + 32));
  for (const entry_t *e = s->entries; e != NULL; e = e->next)
    if (e->listed)
      tally_log_sink_list_add(&text, e->sink.kind->name, e->sink.target);
  tally_error_t err = {0};
  if (tally_log_sink_list_save(s->list, &text, &err) != 0)
    tally_log(TALLY_LOG_WARNING, "%s: %s", s->label, err.message);
  tally_buffer_clear(&text);
}

/* ---- opening ------------------------------------------------------------- */

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* An outbox takes no record above half of its memory or a quarter of its
 * spool. */
static size_t room_of(const tally_log_kind_t *kind,
                      const tally_outbox_options_t *o) {
  size_t memory = o->memory_bytes > 0 ? o->memory_bytes : MEMORY_DEFAULT;
  uint64_t spool = o->spool_bytes > 0 ? o->spool_bytes : SPOOL_DEFAULT;
  size_t room = smaller(memory / 2,
                        spool / 4 < SIZE_MAX ? (size_t)(spool / 4) : SIZE_MAX);
  room = room > ROOM_LEAST + OVERHEAD ? room - OVERHEAD : ROOM_LEAST;
  return smaller(room, kind->record_max);
}

static int open_sink(const tally_log_sinks_t *s, tally_log_sink_t *sink,
                     tally_error_t *err) {
  char spool[PATH_MAX];
  tally_outbox_options_t options = {0};
  tally_destination_t destination = {0};
  s->options.prepare(sink->label, &options, spool, sizeof(spool),
                     s->options.data);
  if (sink->kind->open(sink->kind->data, sink->target, &destination, &options,
                       err) != 0)
    return -1;
  sink->room = room_of(sink->kind, &options);
  sink->outbox = tally_outbox_create(&options, &destination, err);
  if (sink->outbox != NULL)
    return 0;
  if (destination.release != NULL)
    destination.release(destination.data);
  return -1;
}

/* Foreign text: containers name targets. */
static void complain(const tally_log_sinks_t *s, entry_t *e,
                     const tally_error_t *err) {
  char problem[sizeof(e->problem)], target[128];
  tally_text_copy(problem, sizeof(problem), err->message);
  tally_text_copy(target, sizeof(target), e->sink.target);
  if (strcmp(problem, e->problem) == 0)
    return;
  memcpy(e->problem, problem, sizeof(problem));
  tally_log(TALLY_LOG_WARNING, "%s: %s \"%s\": %s", s->label,
            e->sink.kind->name, target, problem);
}

/* With `opening` held. */
static bool try_to_open(tally_log_sinks_t *s, entry_t *e) {
  uint64_t now = tally_clock_monotonic_ns();
  if (now < e->retry_ns)
    return false;
  tally_error_t err = {0};
  tally_log_sink_t opened = e->sink;
  if (open_sink(s, &opened, &err) != 0) {
    complain(s, e, &err);
    e->retry_ns = now + RETRY_NS;
    return false;
  }
  e->problem[0] = '\0';
  e->listed = true;
  pthread_mutex_lock(&s->lock);
  e->sink = opened;
  e->unused_ns = now;
  pthread_mutex_unlock(&s->lock);
  save_list(s);
  return true;
}

/* ---- finding ------------------------------------------------------------- */

static entry_t *find(const tally_log_sinks_t *s, const tally_log_kind_t *kind,
                     const char *target) {
  entry_t *e = s->entries;
  while (e != NULL &&
         (e->sink.kind != kind || strcmp(e->sink.target, target) != 0))
    e = e->next;
  return e;
}

static void free_entry(entry_t *e) {
  free((char *)e->sink.target);
  free((char *)e->sink.label);
  free(e->slot);
  free(e);
}

/* With `opening` held. */
static entry_t *add(tally_log_sinks_t *s, const tally_log_kind_t *kind,
                    const char *target) {
  if (s->count >= TALLY_LOG_SINKS_MAX || !tally_log_sink_list_takes(target))
    return NULL;
  entry_t *e = calloc(1, sizeof(*e));
  if (e == NULL)
    return NULL;
  e->unused_ns = tally_clock_monotonic_ns();
  e->sink.kind = kind;
  e->sink.target = strdup(target);
  e->sink.label = label_of(s, kind->name, target);
  if (e->sink.target == NULL || e->sink.label == NULL) {
    free_entry(e);
    return NULL;
  }
  pthread_mutex_lock(&s->lock);
  e->next = s->entries;
  s->entries = e;
  s->count++;
  pthread_mutex_unlock(&s->lock);
  return e;
}

/* With `opening` held. */
static entry_t *find_or_open(tally_log_sinks_t *s, const tally_log_kind_t *kind,
                             const char *target) {
  entry_t *e = find(s, kind, target);
  if (e == NULL)
    e = add(s, kind, target);
  if (e != NULL && e->sink.outbox == NULL && !try_to_open(s, e))
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
  entry_t *e = add(s, *kind, target);
  if (e == NULL)
    return;
  e->listed = true;
  try_to_open(s, e);
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
      try_to_open(s, e);
  entry_t *idle = take_idle(s, tally_clock_monotonic_ns());
  if (idle != NULL)
    save_list(s);
  while (idle != NULL) {
    entry_t *e = idle;
    idle = e->next;
    close_outbox(s, e, 0);
    free_entry(e);
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
    free_entry(e);
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
