/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cgroup/epoch.h"

#include <stdint.h>
#include <string.h>

#define EPOCHS 64

static atomic_uint epochs[EPOCHS];

/* By the last component alone: it is the same in all hierarchies. */
atomic_uint *tally_cgroup_epoch(const char *dir) {
  const char *name = strrchr(dir, '/');
  name = name ? name + 1 : dir;
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (; *name != '\0'; name++)
    hash = (hash ^ (unsigned char)*name) * 16777619u;
  return &epochs[(hash ^ hash >> 16) % EPOCHS];
}
