/* SPDX-License-Identifier: MIT */
#ifndef TALLY_BENCH_FARM_CGROUP_H
#define TALLY_BENCH_FARM_CGROUP_H

/*
 * Cgroups made with mkdir, in every hierarchy that this host has: what Docker
 * makes for a container, without Docker. Written independently of lib/cgroup,
 * because it prepares what lib/cgroup is measured with.
 *
 * One thread. Functions that fail print the reason to stderr and return -1.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FARM_HIERARCHIES_MAX 24

typedef struct farm_hierarchy_s {
  char *mount;  /* where it is mounted */
  bool unified; /* the v2 tree */
  bool cpuset;  /* v1: a new cpuset is unusable until CPUs are given */
  int parent;   /* directory descriptor of the farm's own cgroup; -1: none */
} farm_hierarchy_t;

typedef struct farm_cgroups_s {
  char name[64]; /* of the farm's cgroup, below the root of each hierarchy */
  char *enabled; /* v2 controllers that we switched on in the root */
  farm_hierarchy_t hierarchy[FARM_HIERARCHIES_MAX];
  size_t count;
} farm_cgroups_t;

/* Finds the hierarchies and makes the cgroup `name`, which must not exist, in
 * each. What was made is given back by close(), also after a failure. */
int farm_cgroups_open(farm_cgroups_t *cgroups, const char *name);
void farm_cgroups_close(farm_cgroups_t *cgroups);

/* A cgroup `id` below the farm's, and the process `pid` put into it. */
int farm_cgroups_add(farm_cgroups_t *cgroups, const char *id, pid_t pid);
/* It must be empty by now. */
void farm_cgroups_remove(farm_cgroups_t *cgroups, const char *id);

#endif
