/* SPDX-License-Identifier: MIT */
/* What is read from cgroup v1. Contract: the kernel's
 * Documentation/admin-guide/cgroup-v1/{cpuacct,memory,blkio-controller,pids,
 * cpusets}.rst and Documentation/scheduler/sched-bwc.rst. */
#include "config.h"

#include "cgroup/files.h"

#include <unistd.h>

#include "cgroup/parse.h"
#include "core/clock.h"

/* ---- cpu, cpuacct, cpuset ------------------------------------------------ */

static int parse_cpuacct_usage(const char *text, size_t len,
                               tally_cgroup_sample_t *s) {
  return tally_parse_number(text, len, &s->cpu_usage_ns);
}

/* In ticks of USER_HZ, which has been 100 on all of Linux for decades, but is
 * the C library's to say. */
static uint64_t tick_ns(void) {
  long ticks = sysconf(_SC_CLK_TCK);
  return TALLY_NS_PER_S / (ticks > 0 ? (uint64_t)ticks : 100);
}

static int parse_cpuacct_stat(const char *text, size_t len,
                              tally_cgroup_sample_t *s) {
  enum { USER, SYSTEM, KEYS };
  static const tally_key_t keys[KEYS] = {
      [USER] = TALLY_KEY("user"),
      [SYSTEM] = TALLY_KEY("system"),
  };
  uint64_t v[KEYS];
  if (tally_parse_keyed(text, len, keys, KEYS, v) != 0)
    return -1;
  s->cpu_user_ns = tally_scale(v[USER], tick_ns());
  s->cpu_system_ns = tally_scale(v[SYSTEM], tick_ns());
  return 0;
}

static int parse_cpu_stat(const char *text, size_t len,
                          tally_cgroup_sample_t *s) {
  enum { PERIODS, THROTTLED, TIME, KEYS };
  static const tally_key_t keys[KEYS] = {
      [PERIODS] = TALLY_KEY("nr_periods"),
      [THROTTLED] = TALLY_KEY("nr_throttled"),
      [TIME] = TALLY_KEY("throttled_time"), /* ns */
  };
  uint64_t v[KEYS];
  if (tally_parse_keyed(text, len, keys, KEYS, v) != 0)
    return -1;
  s->cpu_periods = v[PERIODS];
  s->cpu_throttled = v[THROTTLED];
  s->cpu_throttled_ns = v[TIME];
  return 0;
}

static int parse_quota(const char *text, size_t len, tally_cgroup_sample_t *s) {
  return tally_parse_limit(text, len, &s->cpu_quota_us);
}

static int parse_period(const char *text, size_t len,
                        tally_cgroup_sample_t *s) {
  return tally_parse_number(text, len, &s->cpu_period_us);
}

static int parse_cpus(const char *text, size_t len, tally_cgroup_sample_t *s) {
  return tally_parse_cpu_list(text, len, &s->cpuset_cpus);
}

/* ---- memory -------------------------------------------------------------- */

static int parse_memory_usage(const char *text, size_t len,
                              tally_cgroup_sample_t *s) {
  return tally_parse_number(text, len, &s->memory_usage);
}

static int parse_memory_kernel(const char *text, size_t len,
                               tally_cgroup_sample_t *s) {
  return tally_parse_number(text, len, &s->memory_kernel);
}

static int parse_limit_hits(const char *text, size_t len,
                            tally_cgroup_sample_t *s) {
  return tally_parse_number(text, len, &s->memory_limit_hits);
}

static int parse_oom_control(const char *text, size_t len,
                             tally_cgroup_sample_t *s) {
  /* "oom_kill" came with 4.13; its absence is not a fault of the file. */
  enum { DISABLED, KILLS, KEYS };
  static const tally_key_t keys[KEYS] = {
      [DISABLED] = TALLY_KEY("oom_kill_disable"),
      [KILLS] = TALLY_KEY("oom_kill"),
  };
  uint64_t v[KEYS];
  if (tally_parse_keyed(text, len, keys, KEYS, v) != 0)
    return -1;
  s->memory_oom_kills = v[KILLS];
  return 0;
}

/* memsw counts memory and swap together; what is left for swap alone. */
static uint64_t swap_limit(uint64_t memory, uint64_t memory_and_swap) {
  memory = tally_limit_of(memory);
  memory_and_swap = tally_limit_of(memory_and_swap);
  if (memory_and_swap == TALLY_UNKNOWN || memory_and_swap == TALLY_UNLIMITED)
    return memory_and_swap;
  if (memory >= TALLY_UNLIMITED)
    return TALLY_UNKNOWN; /* the kernel does not allow it */
  return memory_and_swap > memory ? memory_and_swap - memory : 0;
}

/* The total_ keys cover the cgroup and all below it; the limits are the lowest
 * of this cgroup and its parents, which is what the container runs into. */
static int parse_memory_stat(const char *text, size_t len,
                             tally_cgroup_sample_t *s) {
  enum {
    LIMIT,
    LIMIT_WITH_SWAP,
    CACHE,
    RSS,
    SHMEM,
    SWAP,
    FAULTS,
    MAJOR_FAULTS,
    INACTIVE_ANON,
    ACTIVE_ANON,
    INACTIVE_FILE,
    ACTIVE_FILE,
    KEYS
  };
  static const tally_key_t keys[KEYS] = {
      [LIMIT] = TALLY_KEY("hierarchical_memory_limit"),
      [LIMIT_WITH_SWAP] = TALLY_KEY("hierarchical_memsw_limit"),
      [CACHE] = TALLY_KEY("total_cache"),
      [RSS] = TALLY_KEY("total_rss"),
      [SHMEM] = TALLY_KEY("total_shmem"),
      [SWAP] = TALLY_KEY("total_swap"),
      [FAULTS] = TALLY_KEY("total_pgfault"),
      [MAJOR_FAULTS] = TALLY_KEY("total_pgmajfault"),
      [INACTIVE_ANON] = TALLY_KEY("total_inactive_anon"),
      [ACTIVE_ANON] = TALLY_KEY("total_active_anon"),
      [INACTIVE_FILE] = TALLY_KEY("total_inactive_file"),
      [ACTIVE_FILE] = TALLY_KEY("total_active_file"),
  };
  uint64_t v[KEYS];
  if (tally_parse_keyed(text, len, keys, KEYS, v) != 0)
    return -1;
  s->memory_limit = tally_limit_of(v[LIMIT]);
  s->memory_swap_limit = swap_limit(v[LIMIT], v[LIMIT_WITH_SWAP]);
  s->memory_file = v[CACHE];
  s->memory_anon = v[RSS];
  s->memory_shmem = v[SHMEM];
  s->memory_swap = v[SWAP];
  s->memory_page_faults = v[FAULTS];
  s->memory_major_page_faults = v[MAJOR_FAULTS];
  s->memory_inactive_anon = v[INACTIVE_ANON];
  s->memory_active_anon = v[ACTIVE_ANON];
  s->memory_inactive_file = v[INACTIVE_FILE];
  s->memory_active_file = v[ACTIVE_FILE];
  return 0;
}

/* ---- pids ---------------------------------------------------------------- */

static int parse_threads(const char *text, size_t len,
                         tally_cgroup_sample_t *s) {
  return tally_parse_number(text, len, &s->threads);
}

static int parse_threads_limit(const char *text, size_t len,
                               tally_cgroup_sample_t *s) {
  return tally_parse_limit(text, len, &s->threads_limit);
}

/* ---- the table ----------------------------------------------------------- */

#define CPU TALLY_CONTROLLER_CPU
#define CPUACCT TALLY_CONTROLLER_CPUACCT
#define CPUSET TALLY_CONTROLLER_CPUSET
#define MEMORY TALLY_CONTROLLER_MEMORY
#define BLKIO TALLY_CONTROLLER_IO
#define PIDS TALLY_CONTROLLER_PIDS
#define SIGN TALLY_CGROUP_SIGN
#define BY_TASKS TALLY_CGROUP_BY_TASKS
#define LIMIT TALLY_CGROUP_LIMIT

const tally_cgroup_file_t tally_cgroup_files_v1[] = {
    {"cpuacct.usage", CPUACCT, SIGN, parse_cpuacct_usage},
    {"cpuacct.stat", CPUACCT, BY_TASKS, parse_cpuacct_stat},
    {"cpu.stat", CPU, BY_TASKS, parse_cpu_stat},
    {"cpu.cfs_quota_us", CPU, LIMIT, parse_quota},
    {"cpu.cfs_period_us", CPU, LIMIT, parse_period},
    {"cpuset.effective_cpus", CPUSET, LIMIT, parse_cpus},
    {"cpuset.cpus", CPUSET, LIMIT, parse_cpus, true},
    {"memory.stat", MEMORY, BY_TASKS, parse_memory_stat},
    {"memory.usage_in_bytes", MEMORY, SIGN, parse_memory_usage},
    {"memory.kmem.usage_in_bytes", MEMORY, BY_TASKS, parse_memory_kernel},
    {"memory.failcnt", MEMORY, BY_TASKS, parse_limit_hits},
    {"memory.oom_control", MEMORY, BY_TASKS, parse_oom_control},
    {"blkio.throttle.io_service_bytes_recursive", BLKIO, BY_TASKS,
     tally_parse_blkio_bytes},
    {"blkio.throttle.io_service_bytes", BLKIO, BY_TASKS,
     tally_parse_blkio_bytes, true},
    {"blkio.throttle.io_serviced_recursive", BLKIO, BY_TASKS,
     tally_parse_blkio_ops},
    {"blkio.throttle.io_serviced", BLKIO, BY_TASKS, tally_parse_blkio_ops,
     true},
    {"pids.current", PIDS, BY_TASKS, parse_threads},
    {"pids.max", PIDS, LIMIT, parse_threads_limit},
    /* The same in all of them. A descriptor that is read at least once a second
     * gets the same list for ever (cgroup_pidlist_start in cgroup-v1.c). */
    {"cgroup.procs", CPUACCT, BY_TASKS, NULL, .reopen = true},
    {"cgroup.procs", MEMORY, BY_TASKS, NULL, .otherwise = true, .reopen = true},
    {"cgroup.procs", PIDS, BY_TASKS, NULL, .otherwise = true, .reopen = true},
};
const size_t tally_cgroup_files_v1_count =
    sizeof(tally_cgroup_files_v1) / sizeof(tally_cgroup_files_v1[0]);

/* v1 has no pressure of its own: on a hybrid host it is read from the v2
 * directory of the container (see files_v2.c), elsewhere it stays unknown. */

_Static_assert(sizeof(tally_cgroup_files_v1) /
                       sizeof(tally_cgroup_files_v1[0]) <=
                   TALLY_CGROUP_FILES_MAX,
               "TALLY_CGROUP_FILES_MAX is too small");
