/* SPDX-License-Identifier: MIT */
#ifndef TALLY_PROC_PROCESS_H
#define TALLY_PROC_PROCESS_H

#include "proc/proc.h"

/* A descriptor for /proc/PID. All that is opened relative to it belongs to one
 * and the same process: once that has gone, there is nothing more to open, even
 * if the PID has found a new owner. -1: errno. */
int tally_process_open(const char *proc, pid_t pid);

/* Whether the process's file "cgroup" contains the text. */
bool tally_process_is_member(int process, const char *member);

#endif
