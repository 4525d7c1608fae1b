/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_EVENT_PRIVATE_H
#define TALLY_DOCKER_EVENT_PRIVATE_H

/*
 * How events are made and passed on: one allocation each, reference counted,
 * shared by all subscriptions.
 */

#include "docker/docker.h"

typedef struct tally_event_record_s {
  tally_event_t event;
  uint64_t hash; /* of the text as the daemon sent it; 0: made up */
  /* The text carries nanoseconds, so equal texts are the same event. Without
   * them (Docker before 1.9) two events of one second may look alike. */
  bool exact;
  size_t size; /* bytes of memory, for the caps of queues */
} tally_event_record_t;

/* One JSON text of the event stream, in the form that any daemon from 1.7 to
 * today sends. One reference. NULL and *err: out of memory, or not an event. */
tally_event_record_t *tally_event_parse(const char *text, size_t len,
                                        tally_error_t *err);

/* A copy of an event whose strings are borrowed. */
tally_event_record_t *tally_event_pack(const tally_event_t *draft,
                                       tally_error_t *err);

tally_event_record_t *tally_event_ref(tally_event_record_t *record);
void tally_event_unref(tally_event_record_t *record);

/* FNV-1a of a text; never 0. */
uint64_t tally_event_hash(const char *text, size_t len);

/* What an event means to the life of its container. */
typedef enum tally_step_e {
  TALLY_STEP_NONE = 0, /* nothing, or not about a container */
  TALLY_STEP_CREATE,
  TALLY_STEP_START,
  TALLY_STEP_DIE,
  TALLY_STEP_DESTROY,
  TALLY_STEP_OTHER, /* something else that inspect would show */
} tally_step_t;

tally_step_t tally_event_step(const tally_event_t *event);

/* About a container with an id that can be asked for. */
bool tally_event_is_container(const tally_event_t *event);

#endif
