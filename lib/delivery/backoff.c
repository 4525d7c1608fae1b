/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "delivery/backoff.h"

#include "core/clock.h"

#define HINT_MOST_NS (3600 * TALLY_NS_PER_S)

uint64_t tally_backoff_fail(tally_backoff_t *backoff, uint64_t base_ns,
                            uint64_t cap_ns, uint64_t at_least_ns,
                            uint64_t random) {
  uint64_t limit = base_ns < cap_ns ? base_ns : cap_ns;
  for (uint32_t i = 0; i < backoff->failures && limit < cap_ns; i++)
    limit = limit > cap_ns / 2 ? cap_ns : limit * 2;
  if (backoff->failures < UINT32_MAX)
    backoff->failures++;
  if (at_least_ns > HINT_MOST_NS)
    at_least_ns = HINT_MOST_NS;
  uint64_t wait_ns = limit == UINT64_MAX ? random : random % (limit + 1);
  if (at_least_ns > wait_ns) /* many may have been told the same */
    wait_ns = at_least_ns + random % (base_ns / 2 + 1);
  return wait_ns;
}
