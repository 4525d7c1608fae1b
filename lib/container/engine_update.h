/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CONTAINER_ENGINE_UPDATE_H
#define TALLY_CONTAINER_ENGINE_UPDATE_H

/*
 * Limits in the words of the Engine: which fields of its update call say what
 * is wanted, and how to take that back. Pure.
 *
 * Contract: Docker Engine API, POST /containers/{id}/update (Resources) and the
 * HostConfig of GET /containers/{id}/json. What it cannot say is left to the
 * caller, who writes the file of the cgroup instead:
 *
 *   memory.high on v2      MemoryReservation means memory.low there
 *   swap.max               where the memory itself is not limited
 *   swap.max max           on v2
 *   cpu.max max            once NanoCpus (docker run --cpus) is in use
 *   memory.high max        together with a finite memory.max
 */

#include <stdint.h>

#include "cgroup/cgroup.h"
#include "core/buffer.h"

typedef enum tally_engine_field_e {
  TALLY_ENGINE_MEMORY = 0,         /* bytes; 0: no limit */
  TALLY_ENGINE_MEMORY_SWAP,        /* memory + swap; -1: no limit */
  TALLY_ENGINE_MEMORY_RESERVATION, /* bytes; 0: none */
  TALLY_ENGINE_CPU_SHARES,
  TALLY_ENGINE_NANO_CPUS,
  TALLY_ENGINE_CPU_QUOTA, /* µs per period; -1: no limit */
  TALLY_ENGINE_CPU_PERIOD,
  TALLY_ENGINE_PIDS_LIMIT, /* -1: no limit */
  TALLY_ENGINE_BLKIO_WEIGHT,
  TALLY_ENGINE_FIELDS
} tally_engine_field_t;

/* "Memory", "MemorySwap", …; NULL: no such field. */
const char *tally_engine_field_name(tally_engine_field_t field);

#define TALLY_ENGINE_UNSET INT64_MIN /* the field is not mentioned */

typedef struct tally_engine_config_s {
  int64_t value[TALLY_ENGINE_FIELDS];
} tally_engine_config_t;

void tally_engine_config_init(tally_engine_config_t *config); /* all unset */

/* HostConfig of an inspect answer; what is missing or null there is 0. -1: it
 * is not the description of a container. */
int tally_engine_config_parse(const char *json, tally_engine_config_t *config,
                              tally_error_t *err);

/*
 * The fields of an update that make `wanted` true for a container whose
 * HostConfig is `now`, in hierarchies of the given versions (those of
 * tally_cgroup_paths_t). What the Engine cannot say stands in *rest.
 */
void tally_engine_plan(const tally_limits_t *wanted,
                       const tally_engine_config_t *now,
                       const int version[TALLY_CONTROLLERS],
                       tally_engine_config_t *update, tally_limits_t *rest);

/* The update that brings back `before` for the fields that `changed`
 * mentions, as far as the Engine can forget a limit at all. `memory_version` is
 * that of the memory controller. */
void tally_engine_undo(const tally_engine_config_t *before,
                       const tally_engine_config_t *changed, int memory_version,
                       tally_engine_config_t *undo);

/* Appends {"Memory":…,…}. Returns how many fields that are, or -1 if the
 * buffer's cap was reached. */
int tally_engine_body(const tally_engine_config_t *update,
                      tally_buffer_t *body);

#endif
