/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CGROUP_FILES_H
#define TALLY_CGROUP_FILES_H

/*
 * Which files are read, as tables: one for v1, one for v2. A new number is a
 * line in a table and, if its format is new, a parser.
 */

#include <stdbool.h>
#include <stddef.h>

#include "cgroup/cgroup.h"

/* Fills in the numbers of one file. -1: nothing in it was understood. */
typedef int (*tally_cgroup_parse_t)(const char *text, size_t len,
                                    tally_cgroup_sample_t *sample);

/* When a file is read. All but the limits are kept open. */
typedef enum tally_cgroup_cadence_e {
  TALLY_CGROUP_EACH_TIME, /* for each sample */
  TALLY_CGROUP_SIGN,      /* also, and standing still it is a sign of rest */
  TALLY_CGROUP_BY_TASKS,  /* not at rest: only the container's tasks move it */
  TALLY_CGROUP_PRESSURE,  /* not at rest, once its averages have decayed */
  TALLY_CGROUP_LIMIT,     /* changes rarely: opened when it is read again */
} tally_cgroup_cadence_t;

typedef struct tally_cgroup_file_s {
  const char *name;
  tally_controller_t controller;
  tally_cgroup_cadence_t cadence;
  tally_cgroup_parse_t parse; /* NULL: lines are counted, see below */
  /* Only where the file of the line above does not exist. */
  bool otherwise;
  /* The kernel shows what it showed last to whoever keeps it open. */
  bool reopen;
} tally_cgroup_file_t;

/* The file with a NULL parser lists processes and may be larger than any
 * buffer, so its lines are counted piece by piece into sample->processes. */

extern const tally_cgroup_file_t tally_cgroup_files_v1[];
extern const size_t tally_cgroup_files_v1_count;
extern const tally_cgroup_file_t tally_cgroup_files_v2[];
extern const size_t tally_cgroup_files_v2_count;

/* No version has more lines. */
#define TALLY_CGROUP_FILES_MAX 32

/* Every number unknown, no devices. */
void tally_cgroup_sample_init(tally_cgroup_sample_t *sample);

/* No devices, and not known whether there are any. */
void tally_cgroup_sample_forget_devices(tally_cgroup_sample_t *sample);

/* Copies without the unused part of the list of devices. */
void tally_cgroup_sample_copy(tally_cgroup_sample_t *to,
                              const tally_cgroup_sample_t *from);

/* Copies what only ever grows (CPU time, throttling, faults, kills, pressure
 * totals, block I/O), as far as `from` knows it. */
void tally_cgroup_sample_take_counters(tally_cgroup_sample_t *to,
                                       const tally_cgroup_sample_t *from);

/* The descriptors that a reader keeps open, for the bench that reads the same
 * files without us. Returns their number, at most `max`. */
size_t tally_cgroup_reader_descriptors(const tally_cgroup_reader_t *reader,
                                       int *fds, size_t max);

#endif
