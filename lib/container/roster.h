/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CONTAINER_ROSTER_H
#define TALLY_CONTAINER_ROSTER_H

/*
 * The roster: all containers of the inventory, each with its probe while it
 * runs, and the last samples of those that have gone. It follows snapshots; it
 * has no thread and no lock of its own.
 */

#include "container/probe.h"

typedef struct tally_roster_entry_s {
  const tally_container_t *container; /* a reference */
  bool wanted;
  tally_probe_t *probe; /* NULL: not running, not wanted, or no cgroup */
  /* The run that is known to be over, although Docker has not said so yet. */
  bool is_over;
  int over_pid;
  uint64_t over_started_ns;
} tally_roster_entry_t;

typedef struct tally_roster_s {
  tally_probing_t probing;
  bool (*wanted)(const tally_container_t *container, void *data);
  void *wanted_data;

  uint64_t generation;           /* of the snapshot that was followed last */
  bool followed;                 /* there was one */
  tally_roster_entry_t *entries; /* sorted by id */
  size_t count, size;

  uint64_t visit_interval_ns; /* between the last two runs */

  tally_probe_t *finals, **finals_end; /* oldest first */
  size_t finals_count;
  uint64_t finals_dropped;
} tally_roster_t;

/* How many last samples wait for a run at most; the oldest make room. */
#define TALLY_FINALS_MAX 2048

/* Takes nothing over; -1: out of memory. */
int tally_roster_init(tally_roster_t *roster,
                      const tally_sampler_options_t *options,
                      tally_error_t *err);
void tally_roster_clear(tally_roster_t *roster);

/* Makes the roster look like the snapshot. A container that started is sampled
 * at once; one that has ended leaves its last sample in the list of finals. */
void tally_roster_follow(tally_roster_t *roster,
                         const tally_snapshot_t *snapshot, uint64_t now_ns);

/* Samples the young containers that are due. Returns when the next one is due
 * (monotonic); UINT64_MAX: nothing is young. */
uint64_t tally_roster_sample_young(tally_roster_t *roster, uint64_t now_ns);

/* The first process of the container has ended whose probe has this number:
 * reads its final counters. */
void tally_roster_on_exit(tally_roster_t *roster, uint64_t serial);

/*
 * Samples what runs, for a run, in portions between which the lock can be given
 * to somebody more urgent: up to `max` entries after `id` ("" at first), which
 * becomes the last one that was looked at. Counts into *cost. false: that was
 * the end.
 */
bool tally_roster_sample_some(tally_roster_t *roster, char id[65], size_t max,
                              uint64_t now_ns, tally_sampler_cost_t *cost);
/* All of them at once. */
void tally_roster_sample_all(tally_roster_t *roster, uint64_t now_ns,
                             tally_sampler_cost_t *cost);

/* The oldest final, now the caller's; NULL: there is none. */
tally_probe_t *tally_roster_pop_final(tally_roster_t *roster);

/* The first entry whose id is greater than `id` ("" for the first one); its
 * number, or `count` if there is none. */
size_t tally_roster_after(const tally_roster_t *roster, const char *id);

#endif
