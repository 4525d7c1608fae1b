/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CGROUP_EPOCH_H
#define TALLY_CGROUP_EPOCH_H

#include <stdatomic.h>

/*
 * How readers learn that this process wrote limits: a number that grows each
 * time. There are a few of them, chosen by the name of the directory, so that
 * adjusting one container does not make the readers of all others look at their
 * limits again.
 */
atomic_uint *tally_cgroup_epoch(const char *dir);

#endif
