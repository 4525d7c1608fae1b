/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CONTAINER_PROBE_H
#define TALLY_CONTAINER_PROBE_H

/*
 * A probe: everything that is kept open for one run of one container (from its
 * start to its end), and the last sample that was taken. Another start of the
 * same container gets another probe.
 *
 * A probe belongs to the roster that made it and is used under its lock.
 */

#include "container/derive.h"
#include "container/sampler.h"

/* What all probes of a sampler have in common. */
typedef struct tally_probing_s {
  tally_cgroup_host_t *cgroups; /* NULL: the host has none */
  tally_tasks_t *tasks;         /* NULL: no load */
  char *proc;                   /* "/proc", "/rootfs/proc" */
  uint64_t host_netns;          /* of PID 1; 0: unknown */
  tally_host_size_t host;
  unsigned without; /* tally_cgroup_without_t */
  bool network, tcp_connections;
  int exits; /* epoll(7) of the processes that are watched; -1: none are */
  uint64_t serial; /* of the probe that was made last */
} tally_probing_t;

typedef struct tally_probe_s {
  const tally_container_t *container; /* a reference; the newest there is */
  uint64_t serial;     /* which one it is, in events of `exits` */
  int pid;             /* 0: not known yet */
  uint64_t started_ns; /* 0: not known yet */

  tally_cgroup_reader_t *reader;
  char *load_dir; /* whose tasks are counted; NULL: no load */
  int load_version;
  uint64_t active; /* tasks; TALLY_UNKNOWN: to be counted again */
  tally_load_t load;

  tally_netns_t *netns; /* NULL: unknown, or the host's */
  uint64_t netns_id;
  unsigned netns_descriptors; /* taken out of the budget */
  tally_network_t network;    /* decided by the roster, which sees all */
  tally_interface_t *interfaces;
  size_t interfaces_size;

  int exit_fd; /* readable when the first process ends; -1: not watched */
  bool ended;  /* it has; not to be watched again */

  bool refresh; /* read the limits at the next sample */
  bool failed;  /* something could not be read at the last sample */
  bool complained;

  bool sampled; /* `last` is filled in */
  tally_container_sample_t last;
  tally_cpu_base_t cpu_base;
  uint64_t last_at_ns; /* when `last` was taken; monotonic */

  uint64_t due_ns;  /* young: when it is sampled next; 0: no longer young */
  uint64_t born_ns; /* when it was first seen; monotonic */
  uint64_t step_ns; /* how long the schedule waits next time */

  struct tally_probe_s *next; /* in the list of finals */
} tally_probe_t;

/* The container has a process: running or paused. */
bool tally_container_is_sampled(const tally_container_t *container);

/* Finds the container's cgroup and opens what is read. NULL and *err: it has no
 * cgroup (any more, or yet), out of memory. */
tally_probe_t *tally_probe_create(const tally_container_t *container,
                                  tally_probing_t *probing, tally_error_t *err);
void tally_probe_destroy(tally_probe_t *probe);

/* Whether `container` speaks of the run that this probe looks at. */
bool tally_probe_is_of(const tally_probe_t *probe,
                       const tally_container_t *container);

/* Takes over a newer description of the same run. Returns whether its network
 * namespace became known by that. */
bool tally_probe_update(tally_probe_t *probe,
                        const tally_container_t *container,
                        const tally_probing_t *probing);

/* How thorough a sample is. */
typedef enum tally_sampling_e {
  TALLY_SAMPLE_YOUNG, /* in between: what is cheap and would be lost */
  TALLY_SAMPLE_VISIT, /* for a run: everything; the next interval begins */
  TALLY_SAMPLE_END,   /* nothing lives there any more: counters only, so that
                         memory and tasks stay what they were in life */
} tally_sampling_t;

/* Samples into probe->last. GONE: the container has ended; what `last` held
 * before is its last sample. */
tally_cgroup_status_t tally_probe_sample(tally_probe_t *probe,
                                         const tally_probing_t *probing,
                                         tally_sampling_t sampling);

/* The end: closes all files, completes `last`. */
void tally_probe_finish(tally_probe_t *probe, const tally_probing_t *probing);

/* What became of the container, if this is still the same run. */
void tally_probe_describe_end(tally_probe_t *probe,
                              const tally_container_t *container);

#endif
