/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cgroup/files.h"

#include <math.h>
#include <string.h>

void tally_cgroup_sample_init(tally_cgroup_sample_t *sample) {
  /* TALLY_UNKNOWN is all ones, and most members are nothing else. The devices
   * need no value before they count. */
  _Static_assert(TALLY_UNKNOWN == UINT64_MAX, "memset below");
  memset(sample, 0xff, offsetof(tally_cgroup_sample_t, devices));
  for (size_t i = 0; i < TALLY_RESOURCES; i++) {
    sample->pressure[i].some_avg10 = NAN;
    sample->pressure[i].full_avg10 = NAN;
  }
  tally_cgroup_sample_forget_devices(sample);
  sample->threads = TALLY_UNKNOWN;
  sample->threads_limit = TALLY_UNKNOWN;
  sample->processes = TALLY_UNKNOWN;
  sample->at_rest = false;
}

void tally_cgroup_sample_forget_devices(tally_cgroup_sample_t *sample) {
  sample->devices_count = 0;
  sample->devices_ignored = 0;
  sample->devices_known = false;
}

void tally_cgroup_sample_copy(tally_cgroup_sample_t *to,
                              const tally_cgroup_sample_t *from) {
  memcpy(to, from, offsetof(tally_cgroup_sample_t, devices));
  memcpy(to->devices, from->devices,
         from->devices_count * sizeof(from->devices[0]));
  size_t rest = offsetof(tally_cgroup_sample_t, devices_count);
  memcpy((char *)to + rest, (const char *)from + rest, sizeof(*to) - rest);
}

static void take(uint64_t *to, uint64_t from) {
  if (from != TALLY_UNKNOWN)
    *to = from;
}

void tally_cgroup_sample_take_counters(tally_cgroup_sample_t *to,
                                       const tally_cgroup_sample_t *from) {
  take(&to->cpu_usage_ns, from->cpu_usage_ns);
  take(&to->cpu_user_ns, from->cpu_user_ns);
  take(&to->cpu_system_ns, from->cpu_system_ns);
  take(&to->cpu_periods, from->cpu_periods);
  take(&to->cpu_throttled, from->cpu_throttled);
  take(&to->cpu_throttled_ns, from->cpu_throttled_ns);
  take(&to->memory_page_faults, from->memory_page_faults);
  take(&to->memory_major_page_faults, from->memory_major_page_faults);
  take(&to->memory_limit_hits, from->memory_limit_hits);
  take(&to->memory_oom_kills, from->memory_oom_kills);
  for (size_t i = 0; i < TALLY_RESOURCES; i++) {
    take(&to->pressure[i].some_total_us, from->pressure[i].some_total_us);
    take(&to->pressure[i].full_total_us, from->pressure[i].full_total_us);
  }
  if (from->devices_known) {
    memcpy(to->devices, from->devices,
           from->devices_count * sizeof(from->devices[0]));
    to->devices_count = from->devices_count;
    to->devices_ignored = from->devices_ignored;
    to->devices_known = true;
  }
}
