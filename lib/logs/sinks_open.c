/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/text.h"
#include "logs/sink_list.h"
#include "logs/sinks_private.h"

#define RETRY_NS (30 * TALLY_NS_PER_S)
#define ROOM_LEAST (64 * 1024)
/* What an outbox adds to a record, in memory or in the spool. */
#define OVERHEAD 4096
#define MEMORY_DEFAULT (16 * 1024 * 1024) /* of delivery.h */
#define SPOOL_DEFAULT (256 * 1024 * 1024)

typedef tally_log_sinks_entry_t entry_t;

/* ---- names --------------------------------------------------------------- */

/* A long one is cut and gets a hash, lest two become one. */
static char *label_of(const tally_log_sinks_t *s, const char *kind,
                      const char *target) {
  char label[TALLY_LOG_SINK_LABEL_SIZE + TALLY_LOG_TARGET_MAX];
  int n = snprintf(label, sizeof(label), "%s-%s-%s", s->label, kind, target);
  if (n >= TALLY_LOG_SINK_LABEL_SIZE)
    snprintf(label + TALLY_LOG_SINK_LABEL_SIZE - 10, 10, "~%08" PRIx32,
             (uint32_t)tally_hash(target, strlen(target)));
  return strdup(label);
}

/* ---- the list on disk ---------------------------------------------------- */

void tally_log_sinks_save(tally_log_sinks_t *s) {
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
  if (s->options.prepare(sink->label, &options, spool, sizeof(spool),
                         s->options.data, err) != 0 ||
      sink->kind->open(sink->kind->data, sink->target, &destination, &options,
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

/* Once for each reason, whoever the first one is. */
static void refuse(const tally_log_sinks_t *s, bool *said,
                   const tally_log_kind_t *kind, const char *target,
                   const char *why) {
  char name[128];
  if (*said)
    return;
  *said = true;
  tally_log(TALLY_LOG_WARNING, "%s: %s \"%s\": %s", s->label, kind->name,
            tally_text_copy(name, sizeof(name), target), why);
}

bool tally_log_sinks_open(tally_log_sinks_t *s, entry_t *e) {
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
  tally_log_sinks_save(s);
  return true;
}

void tally_log_sinks_free(entry_t *e) {
  free((char *)e->sink.target);
  free((char *)e->sink.label);
  free(e->slot);
  free(e);
}

entry_t *tally_log_sinks_add(tally_log_sinks_t *s, const tally_log_kind_t *kind,
                             const char *target) {
  if (s->count >= TALLY_LOG_SINKS_MAX) {
    refuse(s, &s->said_many, kind, target, "there are too many sinks already");
    return NULL;
  }
  if (!tally_log_sink_list_takes(target)) {
    refuse(s, &s->said_name, kind, target,
           "longer than a name may be, or more than one line");
    return NULL;
  }
  entry_t *e = calloc(1, sizeof(*e));
  if (e == NULL)
    return NULL;
  e->unused_ns = tally_clock_monotonic_ns();
  e->sink.kind = kind;
  e->sink.target = strdup(target);
  e->sink.label = label_of(s, kind->name, target);
  if (e->sink.target == NULL || e->sink.label == NULL) {
    tally_log_sinks_free(e);
    return NULL;
  }
  pthread_mutex_lock(&s->lock);
  e->next = s->entries;
  s->entries = e;
  s->count++;
  pthread_mutex_unlock(&s->lock);
  return e;
}
