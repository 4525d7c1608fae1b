/* SPDX-License-Identifier: MIT */
/* What is read from cgroup v2. Contract: the kernel's
 * Documentation/admin-guide/cgroup-v2.rst and Documentation/accounting/psi.rst.
 */
#include "config.h"

#include "cgroup/files.h"

#include "cgroup/parse.h"

/* ---- cpu, cpuset --------------------------------------------------------- */

static int parse_cpu_stat(const char *text, size_t len,
                          tally_cgroup_sample_t *s) {
  enum { USAGE, USER, SYSTEM, PERIODS, THROTTLED, TIME, KEYS };
  static const tally_key_t keys[KEYS] = {
      [USAGE] = TALLY_KEY("usage_usec"),
      [USER] = TALLY_KEY("user_usec"),
      [SYSTEM] = TALLY_KEY("system_usec"),
      [PERIODS] = TALLY_KEY("nr_periods"), /* from here on: cpu controller */
      [THROTTLED] = TALLY_KEY("nr_throttled"),
      [TIME] = TALLY_KEY("throttled_usec"),
  };
  uint64_t v[KEYS];
  if (tally_parse_keyed(text, len, keys, KEYS, v) != 0)
    return -1;
  s->cpu_usage_ns = tally_scale(v[USAGE], 1000);
  s->cpu_user_ns = tally_scale(v[USER], 1000);
  s->cpu_system_ns = tally_scale(v[SYSTEM], 1000);
  s->cpu_periods = v[PERIODS];
  s->cpu_throttled = v[THROTTLED];
  s->cpu_throttled_ns = tally_scale(v[TIME], 1000);
  return 0;
}

static int parse_cpu_max(const char *text, size_t len,
                         tally_cgroup_sample_t *s) {
  return tally_parse_cpu_max(text, len, &s->cpu_quota_us, &s->cpu_period_us);
}

static int parse_cpus(const char *text, size_t len, tally_cgroup_sample_t *s) {
  return tally_parse_cpu_list(text, len, &s->cpuset_cpus);
}

/* ---- memory -------------------------------------------------------------- */

static int parse_memory_current(const char *text, size_t len,
                                tally_cgroup_sample_t *s) {
  return tally_parse_number(text, len, &s->memory_usage);
}

static int parse_swap_current(const char *text, size_t len,
                              tally_cgroup_sample_t *s) {
  return tally_parse_number(text, len, &s->memory_swap);
}

static int parse_memory_max(const char *text, size_t len,
                            tally_cgroup_sample_t *s) {
  return tally_parse_limit(text, len, &s->memory_limit);
}

static int parse_swap_max(const char *text, size_t len,
                          tally_cgroup_sample_t *s) {
  return tally_parse_limit(text, len, &s->memory_swap_limit);
}

static int parse_memory_events(const char *text, size_t len,
                               tally_cgroup_sample_t *s) {
  enum { MAX, OOM_KILL, KEYS };
  static const tally_key_t keys[KEYS] = {
      [MAX] = TALLY_KEY("max"),
      [OOM_KILL] = TALLY_KEY("oom_kill"),
  };
  uint64_t v[KEYS];
  if (tally_parse_keyed(text, len, keys, KEYS, v) != 0)
    return -1;
  s->memory_limit_hits = v[MAX];
  s->memory_oom_kills = v[OOM_KILL];
  return 0;
}

enum {
  ANON,
  FILE_CACHE,
  KERNEL,
  KERNEL_STACK,
  PAGETABLES,
  SEC_PAGETABLES,
  PERCPU,
  VMALLOC,
  SHMEM,
  INACTIVE_ANON,
  ACTIVE_ANON,
  INACTIVE_FILE,
  ACTIVE_FILE,
  SLAB,
  FAULTS,
  MAJOR_FAULTS,
  MEMORY_STAT_KEYS
};

static const tally_key_t memory_stat_keys[MEMORY_STAT_KEYS] = {
    [ANON] = TALLY_KEY("anon"),
    [FILE_CACHE] = TALLY_KEY("file"),
    [KERNEL] = TALLY_KEY("kernel"), /* since 5.18 */
    [KERNEL_STACK] = TALLY_KEY("kernel_stack"),
    [PAGETABLES] = TALLY_KEY("pagetables"),
    [SEC_PAGETABLES] = TALLY_KEY("sec_pagetables"),
    [PERCPU] = TALLY_KEY("percpu"),
    [VMALLOC] = TALLY_KEY("vmalloc"),
    [SHMEM] = TALLY_KEY("shmem"),
    [INACTIVE_ANON] = TALLY_KEY("inactive_anon"),
    [ACTIVE_ANON] = TALLY_KEY("active_anon"),
    [INACTIVE_FILE] = TALLY_KEY("inactive_file"),
    [ACTIVE_FILE] = TALLY_KEY("active_file"),
    [SLAB] = TALLY_KEY("slab"),
    [FAULTS] = TALLY_KEY("pgfault"),
    [MAJOR_FAULTS] = TALLY_KEY("pgmajfault"),
};

/* Where the kernel does not give the sum, the parts that it would contain: so
 * that the number means the same everywhere, socket buffers stay out. */
static uint64_t kernel_memory(const uint64_t v[MEMORY_STAT_KEYS]) {
  static const int parts[] = {KERNEL_STACK, PAGETABLES, SEC_PAGETABLES,
                              PERCPU,       VMALLOC,    SLAB};
  if (v[KERNEL] != TALLY_UNKNOWN)
    return v[KERNEL];

  uint64_t sum = TALLY_UNKNOWN;
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    uint64_t part = v[parts[i]];
    if (part != TALLY_UNKNOWN)
      sum = (sum == TALLY_UNKNOWN ? 0 : sum) + part;
  }
  return sum;
}

static int parse_memory_stat(const char *text, size_t len,
                             tally_cgroup_sample_t *s) {
  uint64_t v[MEMORY_STAT_KEYS];
  if (tally_parse_keyed(text, len, memory_stat_keys, MEMORY_STAT_KEYS, v) != 0)
    return -1;
  s->memory_anon = v[ANON];
  s->memory_file = v[FILE_CACHE];
  s->memory_kernel = kernel_memory(v);
  s->memory_shmem = v[SHMEM];
  s->memory_inactive_anon = v[INACTIVE_ANON];
  s->memory_active_anon = v[ACTIVE_ANON];
  s->memory_inactive_file = v[INACTIVE_FILE];
  s->memory_active_file = v[ACTIVE_FILE];
  s->memory_page_faults = v[FAULTS];
  s->memory_major_page_faults = v[MAJOR_FAULTS];
  return 0;
}

/* ---- pids, pressure ------------------------------------------------------ */

static int parse_threads(const char *text, size_t len,
                         tally_cgroup_sample_t *s) {
  return tally_parse_number(text, len, &s->threads);
}

static int parse_threads_limit(const char *text, size_t len,
                               tally_cgroup_sample_t *s) {
  return tally_parse_limit(text, len, &s->threads_limit);
}

static int parse_cpu_pressure(const char *text, size_t len,
                              tally_cgroup_sample_t *s) {
  return tally_parse_pressure(text, len, &s->pressure[TALLY_RESOURCE_CPU]);
}

static int parse_memory_pressure(const char *text, size_t len,
                                 tally_cgroup_sample_t *s) {
  return tally_parse_pressure(text, len, &s->pressure[TALLY_RESOURCE_MEMORY]);
}

static int parse_io_pressure(const char *text, size_t len,
                             tally_cgroup_sample_t *s) {
  return tally_parse_pressure(text, len, &s->pressure[TALLY_RESOURCE_IO]);
}

/* ---- the table ----------------------------------------------------------- */

#define CPU TALLY_CONTROLLER_CPU
#define CPUACCT TALLY_CONTROLLER_CPUACCT
#define CPUSET TALLY_CONTROLLER_CPUSET
#define MEMORY TALLY_CONTROLLER_MEMORY
#define IO TALLY_CONTROLLER_IO
#define PIDS TALLY_CONTROLLER_PIDS
#define UNIFIED TALLY_CONTROLLER_UNIFIED
#define EACH_TIME TALLY_CGROUP_EACH_TIME
#define SIGN TALLY_CGROUP_SIGN
#define BY_TASKS TALLY_CGROUP_BY_TASKS
#define PRESSURE TALLY_CGROUP_PRESSURE
#define LIMIT TALLY_CGROUP_LIMIT

const tally_cgroup_file_t tally_cgroup_files_v2[] = {
    {"cpu.stat", CPUACCT, SIGN, parse_cpu_stat},
    {"cpu.max", CPU, LIMIT, parse_cpu_max},
    {"cpuset.cpus.effective", CPUSET, LIMIT, parse_cpus},
    {"memory.stat", MEMORY, BY_TASKS, parse_memory_stat},
    {"memory.current", MEMORY, SIGN, parse_memory_current},
    {"memory.swap.current", MEMORY, BY_TASKS, parse_swap_current},
    {"memory.events", MEMORY, BY_TASKS, parse_memory_events},
    {"memory.max", MEMORY, LIMIT, parse_memory_max},
    {"memory.swap.max", MEMORY, LIMIT, parse_swap_max},
    /* written back by the kernel, perhaps long after the task wrote */
    {"io.stat", IO, EACH_TIME, tally_parse_io_stat},
    {"pids.current", PIDS, BY_TASKS, parse_threads},
    {"pids.max", PIDS, LIMIT, parse_threads_limit},
    {"cgroup.procs", UNIFIED, BY_TASKS, NULL},
    {"cpu.pressure", UNIFIED, PRESSURE, parse_cpu_pressure},
    {"memory.pressure", UNIFIED, PRESSURE, parse_memory_pressure},
    {"io.pressure", UNIFIED, PRESSURE, parse_io_pressure},
};
const size_t tally_cgroup_files_v2_count =
    sizeof(tally_cgroup_files_v2) / sizeof(tally_cgroup_files_v2[0]);

_Static_assert(sizeof(tally_cgroup_files_v2) /
                       sizeof(tally_cgroup_files_v2[0]) <=
                   TALLY_CGROUP_FILES_MAX,
               "TALLY_CGROUP_FILES_MAX is too small");
