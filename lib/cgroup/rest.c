/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cgroup/rest.h"

bool tally_rest_is_still(const tally_cgroup_sample_t *before,
                         const tally_cgroup_sample_t *now) {
  return now->cpu_usage_ns != TALLY_UNKNOWN &&
         now->cpu_usage_ns == before->cpu_usage_ns &&
         now->memory_usage == before->memory_usage;
}

void tally_rest_update(tally_rest_t *rest, const tally_cgroup_sample_t *before,
                       const tally_cgroup_sample_t *now, uint64_t now_ns,
                       uint64_t spread_ns) {
  bool was_read = rest->moved_ns != 0;
  if (!was_read || before == NULL || !tally_rest_is_still(before, now)) {
    rest->moved_ns = now_ns;
    rest->until_ns = 0;
    return;
  }
  if (now_ns - rest->moved_ns >= TALLY_REST_SETTLES_NS)
    rest->until_ns = now_ns + TALLY_REST_LASTS_NS - spread_ns;
}

bool tally_rest_has_decayed(const tally_cgroup_sample_t *sample) {
  for (size_t i = 0; i < TALLY_RESOURCES; i++) {
    const tally_pressure_t *p = &sample->pressure[i];
    if (p->some_avg10 > 0 || p->full_avg10 > 0)
      return false;
  }
  return true;
}
