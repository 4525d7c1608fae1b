/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CONTAINER_DERIVE_H
#define TALLY_CONTAINER_DERIVE_H

/* What is computed from the kernel's numbers. Pure functions. */

#include "container/sampler.h"

/* What a host has; a container without limits may use all of it. */
typedef struct tally_host_size_s {
  double cpus;     /* 0: unknown */
  uint64_t memory; /* bytes; 0: unknown */
} tally_host_size_t;

/* The point from which CPU time is counted. */
typedef struct tally_cpu_base_s {
  uint64_t usage_ns; /* TALLY_UNKNOWN: there is none yet */
  uint64_t at_ns;    /* monotonic */
} tally_cpu_base_t;

/*
 * Percent of one core since the base, over the time that has really passed.
 * NAN without a base, when the counter has gone backwards (another cgroup under
 * the same name) and when less than a millisecond has passed: the clocks of
 * what was read would show more than the container.
 */
double tally_cpu_percent(const tally_cpu_base_t *base, uint64_t usage_ns,
                         uint64_t at_ns);

/* Fills in what follows from sample->cgroup, cpu_percent and the host. */
void tally_derive(tally_container_sample_t *sample,
                  const tally_host_size_t *host);

/* A sample of which nothing is known but the container. */
void tally_container_sample_init(tally_container_sample_t *sample,
                                 const tally_container_t *container);

/* Copies all but the borrowed pointers' targets. */
void tally_container_sample_copy(tally_container_sample_t *to,
                                 const tally_container_sample_t *from);

#endif
