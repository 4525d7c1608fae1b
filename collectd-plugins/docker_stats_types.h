/* SPDX-License-Identifier: MIT */
#ifndef DOCKER_STATS_TYPES_H
#define DOCKER_STATS_TYPES_H

/*
 * The types of value lists that docker_stats dispatches, each with its data
 * sources in their order and where the numbers come from. types.db says the
 * same to the daemon; a test compares the two. Adding a metric is one line
 * here, one word in types.db and one line in the manual page.
 *
 * Include after collectd's headers.
 */

#include "container/sampler.h"

/* How a data source gets its number from the object it is read from. An unknown
 * gauge is NAN, and so is a limit that does not exist. collectd has no such
 * word for a DERIVE. */
typedef enum docker_stats_kind_e {
  DOCKER_STATS_GAUGE,   /* uint64_t */
  DOCKER_STATS_DOUBLE,  /* double, a gauge */
  DOCKER_STATS_SECONDS, /* uint64_t in nanoseconds, a gauge in seconds */
  DOCKER_STATS_DERIVE,  /* uint64_t; unknown: the whole list is not sent */
  /* uint64_t, a DERIVE that stands beside numbers of other sources. Unknown: it
   * stands still at what it was (at 0, if this kernel does not count it), so
   * that it takes nothing else away. */
  DOCKER_STATS_HELD,
} docker_stats_kind_t;

typedef struct docker_stats_source_s {
  const char *name;
  docker_stats_kind_t kind;
  size_t offset; /* of the number in the object */
} docker_stats_source_t;

#define DOCKER_STATS_SOURCES_MAX 24
#define DOCKER_STATS_HELD_MAX 10 /* of one container, all its types */

typedef struct docker_stats_type_s {
  const char *name;
  const docker_stats_source_t *sources;
  size_t count;
  size_t held; /* where its held counters begin among those of a container */
  bool stock;  /* collectd's own types.db has it */
} docker_stats_type_t;

typedef enum docker_stats_type_id_e {
  /* read from a tally_container_sample_t */
  DOCKER_STATS_CPU = 0,
  DOCKER_STATS_THROTTLING,
  DOCKER_STATS_MEMORY,
  DOCKER_STATS_PRESSURE,
  DOCKER_STATS_LOAD,
  DOCKER_STATS_TCP,
  /* from a docker_stats_state_t */
  DOCKER_STATS_STATE,
  /* from a tally_cgroup_device_t */
  DOCKER_STATS_DISK_OCTETS,
  DOCKER_STATS_DISK_OPS,
  /* from a tally_interface_t */
  DOCKER_STATS_IF_OCTETS,
  DOCKER_STATS_IF_PACKETS,
  DOCKER_STATS_IF_ERRORS,
  DOCKER_STATS_IF_DROPPED,
  /* from a docker_stats_host_t */
  DOCKER_STATS_CONTAINERS,
  DOCKER_STATS_DAEMON,
  /* from a docker_stats_cost_t */
  DOCKER_STATS_SAMPLING,
  DOCKER_STATS_TYPES
} docker_stats_type_id_t;

extern const docker_stats_type_t docker_stats_types[DOCKER_STATS_TYPES];

/* What Docker says of a container, as numbers; NAN: unknown. */
typedef struct docker_stats_state_s {
  double state, health, exit_code, restarts, uptime;
  double processes, threads, threads_limit, network_namespace;
} docker_stats_state_t;

/* What Docker says of the host. */
typedef struct docker_stats_host_s {
  uint64_t in_state[TALLY_CONTAINER_STATES];
  uint64_t unhealthy;
  uint64_t reachable;
} docker_stats_host_t;

/* The sampler's cost, and what dispatching cost on top of it. */
typedef struct docker_stats_cost_s {
  tally_sampler_cost_t sampler;
  uint64_t dispatch_ns;
} docker_stats_cost_t;

/* Writes the values of `object` for a type; `held` are the held counters of the
 * container (DOCKER_STATS_HELD_MAX of them; may be NULL for types without).
 * False: nothing is known, or a DERIVE is not; then there is nothing to send.
 */
bool docker_stats_fill(docker_stats_type_id_t id, const void *object,
                       derive_t *held, value_t *values);

/* Makes sure that the daemon knows our types: registers those that no types.db
 * has told it, and refuses (-1, logged) a types.db that says something else. */
int docker_stats_types_register(const char *plugin);

#endif
