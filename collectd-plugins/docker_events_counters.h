/* SPDX-License-Identifier: MIT */
#ifndef DOCKER_EVENTS_COUNTERS_H
#define DOCKER_EVENTS_COUNTERS_H

/*
 * How many events of each type and action there were. Both words come from
 * outside, so the table is bounded: what does not fit counts as "other" of
 * "other". Thread safe. Include after collectd's headers.
 */

#include "container/lifecycle.h"

#define DOCKER_EVENTS_COUNTERS_MAX 128
#define DOCKER_EVENTS_TYPE_SIZE 32

typedef struct docker_events_counter_s {
  char type[DOCKER_EVENTS_TYPE_SIZE];
  char action[TALLY_ACTION_NAME_SIZE];
  uint64_t count;
} docker_events_counter_t;

typedef struct docker_events_counters_s {
  pthread_mutex_t lock; /* guards the rest */
  docker_events_counter_t list[DOCKER_EVENTS_COUNTERS_MAX];
  size_t used;
} docker_events_counters_t;

/* Begins with the actions that one sets alarms on at zero: a counter that
 * appears with its first event has no rate at that moment. */
void docker_events_counters_init(docker_events_counters_t *counters);
void docker_events_counters_clear(docker_events_counters_t *counters);

void docker_events_counters_add(docker_events_counters_t *counters,
                                const char *type, const char *action);

/* docker_events-TYPE/total_events-ACTION; an `instance` (or "") goes before
 * the type: docker_events-INSTANCE:TYPE/total_events-ACTION. */
void docker_events_counters_dispatch(docker_events_counters_t *counters,
                                     const char *instance);

#endif
