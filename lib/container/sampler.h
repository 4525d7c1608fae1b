/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CONTAINER_SAMPLER_H
#define TALLY_CONTAINER_SAMPLER_H

/*
 * Every container of an inventory, sampled.
 *
 * Joins what Docker says (docker/), what the cgroup counts (cgroup/) and what
 * the namespaces show (proc/). Never asks Docker for numbers: while the daemon
 * is away, sampling goes on from the files that are open.
 *
 * A thread ("tally-sampler") follows the inventory. A container that starts is
 * sampled at once and then at growing ages (20 ms, 40 ms, … up to the interval
 * of the visits), so that one that lived for 200 ms leaves numbers too. A
 * second thread ("tally-exits") is told by the kernel when the first process of
 * a container ends (pidfd, Linux 5.3) and reads the final counters before
 * Docker removes the cgroup. When a container has gone, its last sample is
 * handed out once more, marked `final`: counters as they were at the end,
 * memory and tasks as they were when it was seen alive for the last time.
 */

#include "cgroup/cgroup.h"
#include "docker/docker.h"
#include "proc/proc.h"

/* Whose interfaces the numbers are. */
typedef enum tally_network_e {
  TALLY_NETWORK_UNKNOWN = 0, /* not running, or not readable */
  TALLY_NETWORK_OWN,         /* a namespace of its own */
  TALLY_NETWORK_SHARED,      /* shared; counted here */
  TALLY_NETWORK_ELSEWHERE,   /* shared; counted at another container */
  TALLY_NETWORK_HOST,        /* the node's own interfaces: not counted */
} tally_network_t;

typedef struct tally_container_sample_s {
  const tally_container_t *container; /* borrowed for the visit */
  uint64_t time_ns;                   /* when it was read; realtime */
  bool running; /* false: only what Docker says is known (created, exited) */
  bool final;   /* the last one of a container that has gone */

  tally_cgroup_sample_t cgroup;

  /* Derived; NAN where not known (also before the second sample). */
  double cpu_percent;          /* 100 = one core */
  double cpu_limit;            /* cores: quota, else cpuset, else the host */
  double cpu_percent_of_limit; /* 100 = all it may use */
  double memory_used;          /* as `docker stats` shows it */
  double memory_working_set;   /* usage - inactive file, never below 0 */
  double memory_limit;         /* its own, or the host's memory */
  double memory_percent;       /* used / limit */

  tally_network_t network;
  const tally_interface_t *interfaces; /* borrowed for the visit */
  size_t interfaces_count;

  bool tcp_known;
  uint64_t tcp[TALLY_TCP_STATES];

  double load[3]; /* NAN: unknown */
  double uptime;  /* seconds; NAN when not running */
} tally_container_sample_t;

typedef struct tally_sampler_options_s {
  const char *rootfs;   /* prefix of /proc and /sys, "" or NULL */
  bool network;         /* interfaces */
  bool tcp_connections; /* costly: some hundred µs each */
  bool load;
  bool block_io;
  bool pressure; /* where the kernel has it */
  /* Containers that are not wanted cost nothing. NULL: all. Called from the
   * sampler's thread and from run(); must be quick and thread safe. */
  bool (*wanted)(const tally_container_t *container, void *data);
  void *wanted_data;
} tally_sampler_options_t;

typedef struct tally_sampler_s tally_sampler_t;

/* Takes a reference of its own on the inventory. */
tally_sampler_t *tally_sampler_create(tally_inventory_t *inventory,
                                      const tally_sampler_options_t *options,
                                      tally_error_t *err);
void tally_sampler_destroy(tally_sampler_t *sampler);

/* Called once per container, and once more with `final` set for each that has
 * gone since the last run. Return non-zero to stop. */
typedef int (*tally_sampler_visit_t)(const tally_container_sample_t *sample,
                                     void *data);

typedef struct tally_sampler_cost_s {
  uint64_t containers;      /* in the inventory and wanted */
  uint64_t sampled;         /* of them, read from cgroups in this run */
  uint64_t failed;          /* of them, with something unreadable */
  uint64_t finals;          /* last samples handed out in this run */
  uint64_t finals_dropped;  /* since the start, because nobody ran in time */
  uint64_t wall_ns, cpu_ns; /* of sampling alone, without the visits */
  uint64_t descriptors;     /* kept open */
} tally_sampler_cost_t;

/* Samples everything now and calls back, in the caller's thread. In the steady
 * state (no container came or went) it allocates nothing per container. */
void tally_sampler_run(tally_sampler_t *sampler, tally_sampler_visit_t visit,
                       void *data, tally_sampler_cost_t *cost);

#endif
