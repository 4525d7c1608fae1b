/* SPDX-License-Identifier: MIT */
/* How many files may be kept open, for all readers of the process together. */
#include "config.h"

#include "cgroup/cgroup.h"

#include <stdatomic.h>
#include <sys/resource.h>

static atomic_uint budget; /* 0: not decided yet */
static atomic_uint in_use;

static unsigned soft_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return 1024; /* what it always was */
  /* "infinity" is more than any kernel hands out (fs.nr_open) */
  return limit.rlim_cur > 1u << 30 ? 1u << 30 : (unsigned)limit.rlim_cur;
}

void tally_cgroup_set_descriptor_budget(unsigned descriptors) {
  atomic_store(&budget, descriptors > 0 ? descriptors : 1);
}

unsigned tally_cgroup_descriptors_in_use(void) { return atomic_load(&in_use); }

unsigned tally_cgroup_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
      limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
  }
  return soft_limit();
}

bool tally_cgroup_descriptor_take(void) {
  unsigned most = atomic_load(&budget);
  if (most == 0) {
    unsigned undecided = 0;
    most = soft_limit() / 4 * 3;
    if (!atomic_compare_exchange_strong(&budget, &undecided, most))
      most = undecided; /* somebody else decided meanwhile */
  }

  unsigned used = atomic_load(&in_use);
  do {
    if (used >= most)
      return false;
  } while (!atomic_compare_exchange_weak(&in_use, &used, used + 1));
  return true;
}

void tally_cgroup_descriptor_give(void) { atomic_fetch_sub(&in_use, 1); }
