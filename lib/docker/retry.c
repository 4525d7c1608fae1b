/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/retry.h"

#include "core/clock.h"

#define FIRST_MS 100

uint64_t tally_retry_ns(unsigned failures) {
  unsigned doublings = failures < 6 ? failures : 6;
  uint64_t ms = FIRST_MS << doublings;
  if (ms > TALLY_RETRY_MAX_MS)
    ms = TALLY_RETRY_MAX_MS;
  uint64_t quarter = ms * TALLY_NS_PER_MS / 4;
  uint64_t spread = tally_clock_realtime_ns() / 1000 % 1024; /* not a secret */
  return ms * TALLY_NS_PER_MS - quarter + spread * quarter / 512;
}
