/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CGROUP_HIERARCHY_H
#define TALLY_CGROUP_HIERARCHY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "cgroup/cgroup.h"

/* The mount through which one controller is reached. */
typedef struct tally_hierarchy_s {
  int version; /* 1, 2; 0: the host does not have the controller */
  char *mount; /* where it is mounted, with the RootFS prefix */
  char *root;  /* which cgroup that is, seen from our cgroup namespace: "/",
                  "/docker/ID" (a part of it), "/../.." (above our own root) */
} tally_hierarchy_t;

/* A directory in which containers live: PREFIX + id + SUFFIX below the mount.
 * Learned from containers whose process could be asked. */
typedef struct tally_place_s {
  char *prefix;
  char *suffix;
} tally_place_t;

#define TALLY_PLACES_MAX 16

struct tally_cgroup_host_s {
  char *rootfs; /* "" or a path without a slash at the end */
  tally_hierarchy_t at[TALLY_CONTROLLERS];
  const char *mode;
  char *hint; /* NULL: nothing is missing */

  pthread_mutex_t lock; /* guards what follows */
  tally_place_t places[TALLY_PLACES_MAX];
  size_t places_count;
  size_t places_next; /* which one makes room when all are taken */
};

/*
 * The part of `path` (a line of /proc/PID/cgroup) that lies below the mount:
 * "" for the mount point itself, otherwise beginning with a slash. NULL if the
 * path is not visible there, or if its name is not known because it lies above
 * the root of our own cgroup namespace ("/../x").
 */
const char *tally_hierarchy_below(const tally_hierarchy_t *hierarchy,
                                  const char *path);

/* Why controllers are missing and what helps; owned by the caller, NULL if
 * nothing is missing (or memory is short). */
char *tally_hierarchy_hint(const tally_cgroup_host_t *host);

#endif
