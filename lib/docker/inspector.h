/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_INSPECTOR_H
#define TALLY_DOCKER_INSPECTOR_H

/*
 * Asks for containers: GET /containers/{id}/json, a few at a time, those first
 * that an event waits for. An inspect that hangs costs its container and one of
 * the places, nothing else; it is tried again, at growing distances. The first
 * container that cannot be inspected is worth a warning, the next ones only
 * after all have been well again.
 */

#include "docker/engine.h"
#include "docker/http.h"
#include "docker/table.h"

typedef struct tally_inspector_s {
  tally_http_t *http;
  const tally_engine_t *engine;
  tally_table_t *table;
  const char *daemon_name; /* for warnings */

  uint64_t wishes;                /* number of the latest one */
  tally_entry_queue_t urgent;     /* an event waits */
  tally_entry_queue_t background; /* a census asks */
  tally_entry_queue_t later;      /* failed, until entry->retry_ns */
  unsigned under_way, under_way_background;
  bool urgent_answered; /* an urgent wish was since the owner last reset it */

  unsigned troubled; /* how many entries are */

  uint64_t inspects, errors; /* since the beginning */
} tally_inspector_t;

/* Everything is borrowed and must outlive it. */
void tally_inspector_init(tally_inspector_t *inspector, const char *daemon_name,
                          tally_http_t *http, const tally_engine_t *engine,
                          tally_table_t *table);

/* The container shall be asked for from now on. Returns the number of the
 * wish: it is answered when entry->answered has reached it. */
uint64_t tally_inspector_wish(tally_inspector_t *inspector,
                              tally_entry_t *entry, bool urgent);

/* Nobody will answer the wish soon: the last try failed a moment ago. */
bool tally_inspector_is_given_up(const tally_entry_t *entry, uint64_t wish);

/* Begins what can begin. Returns the milliseconds until it has to be called
 * again if no transfer ends before; -1: not at all. */
int tally_inspector_pump(tally_inspector_t *inspector);

/* Nothing is under way or waits, but for what has failed. */
bool tally_inspector_is_idle(const tally_inspector_t *inspector);

/* The entry is about to be removed. */
void tally_inspector_forget(tally_inspector_t *inspector, tally_entry_t *entry);

#endif
