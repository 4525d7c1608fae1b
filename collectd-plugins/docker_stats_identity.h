/* SPDX-License-Identifier: MIT */
#ifndef DOCKER_STATS_IDENTITY_H
#define DOCKER_STATS_IDENTITY_H

/*
 * How a container is called in collectd, worked out once per container and not
 * at every interval, and the little that must be remembered of it between two
 * intervals.
 *
 * Belongs to one thread at a time. Include after collectd's headers.
 */

#include "core/select.h"
#include "docker/docker.h"
#include "docker_stats_types.h"

typedef enum docker_stats_host_format_e {
  DOCKER_STATS_HOST_NODE = 0,    /* host: the node; plugin_instance: name */
  DOCKER_STATS_HOST_CONTAINER,   /* host: name of the container */
  DOCKER_STATS_HOST_FINGERPRINT, /* host: its UUID */
} docker_stats_host_format_t;

typedef struct docker_stats_naming_s {
  docker_stats_host_format_t host_format;
  const char *instance; /* of this endpoint; NULL or "": none */
  /* Labels that become meta data, with id and image; NULL: no meta data. */
  const tally_select_t *meta_labels;
} docker_stats_naming_t;

typedef struct docker_stats_identity_s {
  char host[DATA_MAX_NAME_LEN]; /* "": the node's own */
  char plugin_instance[DATA_MAX_NAME_LEN];
  meta_data_t *meta;  /* NULL: none wanted */
  cdtime_t last_time; /* of the sample that was dispatched last */
  derive_t held[DOCKER_STATS_HELD_MAX];

  /* private */
  const tally_container_t *container; /* a reference */
  uint64_t run;
  struct docker_stats_identity_s *next;
} docker_stats_identity_t;

typedef struct docker_stats_identities_s docker_stats_identities_t;

/* `naming` is borrowed and must outlive it. NULL: out of memory. */
docker_stats_identities_t *
docker_stats_identities_create(const docker_stats_naming_t *naming);
void docker_stats_identities_destroy(docker_stats_identities_t *identities);

/* The identity of a container; worked out again when inspect showed something
 * new of it (a rename). Valid until the next sweep. NULL: out of memory. */
docker_stats_identity_t *
docker_stats_identities_get(docker_stats_identities_t *identities,
                            const tally_container_t *container);

/* Ends a run: forgets the containers that nobody asked for since the last. */
void docker_stats_identities_sweep(docker_stats_identities_t *identities);

#endif
