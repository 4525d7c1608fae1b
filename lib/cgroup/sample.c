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
  sample->devices_count = 0;
  sample->devices_ignored = 0;
  sample->devices_known = false;
  sample->threads = TALLY_UNKNOWN;
  sample->threads_limit = TALLY_UNKNOWN;
  sample->processes = TALLY_UNKNOWN;
}

void tally_cgroup_sample_copy(tally_cgroup_sample_t *to,
                              const tally_cgroup_sample_t *from) {
  memcpy(to, from, offsetof(tally_cgroup_sample_t, devices));
  memcpy(to->devices, from->devices,
         from->devices_count * sizeof(from->devices[0]));
  size_t rest = offsetof(tally_cgroup_sample_t, devices_count);
  memcpy((char *)to + rest, (const char *)from + rest, sizeof(*to) - rest);
}
