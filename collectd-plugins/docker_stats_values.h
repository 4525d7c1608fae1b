/* SPDX-License-Identifier: MIT */
#ifndef DOCKER_STATS_VALUES_H
#define DOCKER_STATS_VALUES_H

/*
 * From samples to value lists. Nothing here reads files or asks anybody; what
 * is not known is not sent. Include after collectd's headers.
 */

#include "container/sampler.h"
#include "docker_stats_identity.h"
#include "docker_stats_types.h"

/* Which groups of a container are dispatched. */
typedef struct docker_stats_groups_s {
  bool network;
  bool block_io;
  bool load;
  bool pressure;
  bool tcp_connections;
  bool stopped; /* container_state of containers that do not run */
} docker_stats_groups_t;

/* Dispatches what `sample` says as the container `identity`. A sample that is
 * not newer than the last one of this container has been seen already and
 * leaves no trace (the daemon would drop it, and complain). */
void docker_stats_dispatch_sample(const tally_container_sample_t *sample,
                                  const docker_stats_groups_t *groups,
                                  docker_stats_identity_t *identity,
                                  tally_devices_t *devices);

/* Containers per state, and whether Docker answers. `instance` of the endpoint,
 * "": none. */
void docker_stats_dispatch_host(const tally_snapshot_t *snapshot,
                                const char *instance);

/* What the reading itself cost. */
void docker_stats_dispatch_cost(const docker_stats_cost_t *cost,
                                const char *instance);

#endif
