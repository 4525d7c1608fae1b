/* SPDX-License-Identifier: MIT */
/* Limits by name, and the weights of v1 and v2 in each other's terms. */
#include "config.h"

#include "cgroup/cgroup.h"

#define WEIGHT_MIN 1
#define WEIGHT_DEFAULT 100
#define WEIGHT_MAX 10000

#define SHARES_DEFAULT 1024

#define BLKIO_MIN 10
#define BLKIO_MAX 1000

const char *tally_limit_name(tally_limit_t limit) {
  static const char *const names[TALLY_LIMITS] = {
      [TALLY_LIMIT_MEMORY_MAX] = "memory.max",
      [TALLY_LIMIT_MEMORY_HIGH] = "memory.high",
      [TALLY_LIMIT_SWAP_MAX] = "swap.max",
      [TALLY_LIMIT_CPU_WEIGHT] = "cpu.weight",
      [TALLY_LIMIT_CPU_MAX] = "cpu.max",
      [TALLY_LIMIT_PIDS_MAX] = "pids.max",
      [TALLY_LIMIT_IO_WEIGHT] = "io.weight",
  };
  return (size_t)limit < TALLY_LIMITS ? names[limit] : "unknown";
}

void tally_limits_init(tally_limits_t *limits) {
  for (size_t i = 0; i < TALLY_LIMITS; i++)
    limits->value[i] = TALLY_UNKNOWN;
}

static uint64_t clamp(uint64_t value, uint64_t min, uint64_t max) {
  return value < min ? min : value > max ? max : value;
}

uint64_t tally_cgroup_cpu_shares(uint64_t weight) {
  weight = clamp(weight, WEIGHT_MIN, WEIGHT_MAX);
  return (weight * SHARES_DEFAULT + WEIGHT_DEFAULT / 2) / WEIGHT_DEFAULT;
}

uint64_t tally_cgroup_blkio_weight(uint64_t weight) {
  weight = clamp(weight, WEIGHT_MIN, WEIGHT_MAX);
  uint64_t span = WEIGHT_MAX - WEIGHT_MIN;
  return BLKIO_MIN +
         ((weight - WEIGHT_MIN) * (BLKIO_MAX - BLKIO_MIN) + span - 1) / span;
}
