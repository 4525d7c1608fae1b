/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/event_private.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "docker/container_private.h"

/* One allocation: this, the pairs of the attributes, all strings. */
typedef struct packed_event_s {
  tally_event_record_t record; /* first on purpose */
  atomic_uint refs;
  tally_pair_t attributes[];
} packed_event_t;

tally_event_record_t *tally_event_ref(tally_event_record_t *record) {
  atomic_fetch_add_explicit(&((packed_event_t *)record)->refs, 1,
                            memory_order_relaxed);
  return record;
}

void tally_event_unref(tally_event_record_t *record) {
  if (record != NULL &&
      atomic_fetch_sub_explicit(&((packed_event_t *)record)->refs, 1,
                                memory_order_acq_rel) == 1)
    free(record);
}

/* Copies `s` to *room, which moves behind it. */
static const char *put_string(char **room, const char *s) {
  char *copy = *room;
  size_t size = strlen(s) + 1;
  memcpy(copy, s, size);
  *room += size;
  return copy;
}

tally_event_record_t *tally_event_pack(const tally_event_t *draft,
                                       tally_error_t *err) {
  size_t size =
      sizeof(packed_event_t) + draft->attributes_count * sizeof(tally_pair_t) +
      strlen(draft->type) + strlen(draft->action) + strlen(draft->actor_id) +
      strlen(draft->actor_name) + strlen(draft->image) + 5;
  for (size_t i = 0; i < draft->attributes_count; i++)
    size += strlen(draft->attributes[i].key) +
            strlen(draft->attributes[i].value) + 2;

  packed_event_t *packed = malloc(size);
  if (packed == NULL) {
    tally_error_set(err, ENOMEM, "event %s", draft->action);
    return NULL;
  }
  char *room = (char *)(packed->attributes + draft->attributes_count);
  for (size_t i = 0; i < draft->attributes_count; i++) {
    packed->attributes[i].key = put_string(&room, draft->attributes[i].key);
    packed->attributes[i].value = put_string(&room, draft->attributes[i].value);
  }
  packed->record = (tally_event_record_t){.event = *draft, .size = size};
  tally_event_t *event = &packed->record.event;
  event->attributes = packed->attributes;
  event->type = put_string(&room, draft->type);
  event->action = put_string(&room, draft->action);
  event->actor_id = put_string(&room, draft->actor_id);
  event->actor_name = put_string(&room, draft->actor_name);
  event->image = put_string(&room, draft->image);
  atomic_init(&packed->refs, 1);
  return &packed->record;
}

uint64_t tally_event_hash(const char *text, size_t len) {
  uint64_t hash = tally_hash(text, len);
  return hash != 0 ? hash : 1;
}

const char *tally_event_attribute(const tally_event_t *event, const char *key) {
  for (size_t i = 0; i < event->attributes_count; i++)
    if (strcmp(event->attributes[i].key, key) == 0)
      return event->attributes[i].value;
  return NULL;
}

const char *tally_event_origin_name(tally_event_origin_t origin) {
  switch (origin) {
  case TALLY_EVENT_LIVE:
    break;
  case TALLY_EVENT_REPLAYED:
    return "replayed";
  case TALLY_EVENT_RECONCILED:
    return "reconciled";
  case TALLY_EVENT_SCAN:
    return "scan";
  }
  return "live";
}

bool tally_event_is_container(const tally_event_t *event) {
  return strcmp(event->type, "container") == 0 &&
         tally_container_id_is_valid(event->actor_id);
}

tally_step_t tally_event_step(const tally_event_t *event) {
  static const struct {
    const char *action;
    tally_step_t step;
  } steps[] = {
      {"create", TALLY_STEP_CREATE}, {"start", TALLY_STEP_START},
      {"die", TALLY_STEP_DIE},       {"destroy", TALLY_STEP_DESTROY},
      {"pause", TALLY_STEP_OTHER},   {"unpause", TALLY_STEP_OTHER},
      {"rename", TALLY_STEP_OTHER},  {"update", TALLY_STEP_OTHER},
      {"oom", TALLY_STEP_OTHER},     {"stop", TALLY_STEP_OTHER},
      {"restart", TALLY_STEP_OTHER},
  };
  if (!tally_event_is_container(event))
    return TALLY_STEP_NONE;
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
    if (strcmp(event->action, steps[i].action) == 0)
      return steps[i].step;
  /* "health_status: healthy" */
  if (strncmp(event->action, "health_status", 13) == 0)
    return TALLY_STEP_OTHER;
  return TALLY_STEP_NONE;
}
