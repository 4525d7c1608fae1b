/* SPDX-License-Identifier: MIT */
#ifndef TALLY_PROC_TASKSTATS_H
#define TALLY_PROC_TASKSTATS_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/*
 * The generic netlink family TASKSTATS, of which one command counts the tasks
 * of a cgroup by state. It exists for cgroup v1 alone.
 * Contract: the kernel's Documentation/accounting/cgroupstats.rst.
 */
typedef struct tally_taskstats_s {
  int fd; /* -1: not open */
  uint16_t family;
  uint32_t sequence;
} tally_taskstats_t;

/* -1 and *err: the kernel has no such family. */
int tally_taskstats_open(tally_taskstats_t *t, tally_error_t *err);
void tally_taskstats_close(tally_taskstats_t *t);

/* Running and uninterruptible tasks of the cgroup whose directory is open as
 * `dir_fd` (not O_PATH). -1 and *err. */
int tally_taskstats_active(tally_taskstats_t *t, int dir_fd, uint64_t *active,
                           tally_error_t *err);

/* The first attribute of a type in a list of netlink attributes; NULL if there
 * is none. *len: of what it contains. */
const void *tally_netlink_attribute(const void *list, size_t list_len,
                                    uint16_t type, size_t *len);

#endif
