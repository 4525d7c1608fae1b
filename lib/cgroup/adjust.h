/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CGROUP_ADJUST_H
#define TALLY_CGROUP_ADJUST_H

/*
 * Which files are written with what, in which order. Planning knows v1 and v2;
 * carrying out (adjust.c) knows files.
 */

#include <stddef.h>

#include "cgroup/cgroup.h"

/* How what the kernel shows is compared with what was wanted. */
typedef enum tally_step_check_e {
  TALLY_STEP_BYTES, /* a limit that the kernel rounds down to whole pages */
  TALLY_STEP_TEXT,  /* the same text, a "default " in front allowed */
} tally_step_check_t;

typedef struct tally_step_s {
  tally_limit_t limit;
  tally_controller_t controller;
  const char *file;
  char text[64]; /* what is written */
  tally_step_check_t check;
  uint64_t value; /* TALLY_STEP_BYTES: what `text` means */
  int impossible; /* an errno value: not written, and why */
} tally_step_t;

/* What the container's memory files show now; only v1 needs to know. */
typedef struct tally_memory_now_s {
  uint64_t limit, limit_with_swap; /* TALLY_UNKNOWN: there is no such file */
} tally_memory_now_t;

/* The steps to the wanted limits; returns their number. */
size_t tally_adjust_plan(const tally_cgroup_paths_t *paths,
                         const tally_limits_t *limits,
                         const tally_memory_now_t *now,
                         tally_step_t steps[TALLY_LIMIT_CHANGES_MAX]);

/* The steps back to what `originals` show as `before`, the last one first.
 * Files that no plan can have named are left out. `originals` must live as long
 * as the steps. */
size_t tally_adjust_plan_back(const tally_limit_change_t *originals,
                              size_t originals_count,
                              tally_step_t steps[TALLY_LIMIT_CHANGES_MAX]);

#endif
