/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CGROUP_REST_H
#define TALLY_CGROUP_REST_H

/*
 * Containers at rest.
 *
 * Most containers of a node do nothing most of the time, and a task that does
 * not run changes nothing: it allocates, faults, forks, exits, reads and writes
 * only while it uses CPU time. What others do to its memory (reclaim) shows in
 * the memory usage. So while these two stand still, what else the kernel counts
 * for the container stands still too, and need not be read: two small files in
 * place of a dozen, among them memory.stat, which alone costs half of a sample.
 *
 * Three things take care of what is late or outside of this. The kernel brings
 * its sums and averages up to date every two seconds, so a container is at rest
 * only after it was read whole TALLY_REST_SETTLES_NS after it last moved.
 * Pressure averages are read until they have decayed to 0. And at the latest
 * after TALLY_REST_LASTS_NS everything is read again, because the kernel may
 * still move pages from one LRU list to another; so an interval of half a
 * minute shows each time what the kernel shows.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cgroup/cgroup.h"
#include "core/clock.h"

/* Twice what memory.stat (FLUSH_TIME in mm/memcontrol.c) and pressure
 * (PSI_FREQ) are behind at most. */
#define TALLY_REST_SETTLES_NS (4 * TALLY_NS_PER_S)
/* Two of three samples at the default interval of ten seconds. */
#define TALLY_REST_LASTS_NS (29 * TALLY_NS_PER_S)

/* All times are monotonic. */
typedef struct tally_rest_s {
  uint64_t moved_ns; /* when it was last seen to have moved; 0: never read */
  uint64_t until_ns; /* when it is to be read whole again; 0: it moves */
} tally_rest_t;

/* Whether the signs of rest are the same in both. */
bool tally_rest_is_still(const tally_cgroup_sample_t *before,
                         const tally_cgroup_sample_t *now);

/* After the container was read whole. `before` NULL: there is no sample that
 * this one continues. `spread_ns` ends the rest so much earlier, lest all
 * containers be read whole in the same run. */
void tally_rest_update(tally_rest_t *rest, const tally_cgroup_sample_t *before,
                       const tally_cgroup_sample_t *now, uint64_t now_ns,
                       uint64_t spread_ns);

/* Whether all averages are 0, as they stay at rest. */
bool tally_rest_has_decayed(const tally_cgroup_sample_t *sample);

#endif
