/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cgroup/adjust.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cgroup/parse.h"

#define PERIOD_US 100000

/* "No limit" on v1, as Docker and everybody else has always written it. */
#define V1_UNLIMITED "18446744073709551615"

/* ---- scales -------------------------------------------------------------- */

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high) {
  return value < low ? low : value > high ? high : value;
}

/* Default to default, as systemd does it: what counts on v1 and for BFQ is the
 * relation to the other containers, most of which have the default. */
static uint64_t weight_for_blkio(uint64_t weight) {
  return clamp(clamp(weight, 1, 10000) * 500 / 100, 10, 1000);
}

static uint64_t weight_for_bfq(uint64_t weight) {
  weight = clamp(weight, 1, 10000);
  return weight <= 100 ? weight : 100 + (weight - 100) * 900 / 9900;
}

/* ---- steps --------------------------------------------------------------- */

typedef struct {
  tally_step_t *steps;
  size_t count;
} plan_t;

static tally_step_t *add(plan_t *plan, tally_limit_t limit,
                         tally_controller_t controller, const char *file) {
  tally_step_t *step = &plan->steps[plan->count++];
  *step = (tally_step_t){.limit = limit,
                         .controller = controller,
                         .file = file,
                         .check = TALLY_STEP_TEXT};
  return step;
}

static void add_number(plan_t *plan, tally_limit_t limit,
                       tally_controller_t controller, const char *file,
                       uint64_t value) {
  tally_step_t *step = add(plan, limit, controller, file);
  if (value == TALLY_UNLIMITED)
    snprintf(step->text, sizeof(step->text), "max");
  else
    snprintf(step->text, sizeof(step->text), "%" PRIu64, value);
}

static void add_bytes(plan_t *plan, tally_limit_t limit, const char *file,
                      uint64_t value, const char *unlimited) {
  tally_step_t *step = add(plan, limit, TALLY_CONTROLLER_MEMORY, file);
  step->check = TALLY_STEP_BYTES;
  step->value = value;
  if (value == TALLY_UNLIMITED)
    snprintf(step->text, sizeof(step->text), "%s", unlimited);
  else
    snprintf(step->text, sizeof(step->text), "%" PRIu64, value);
}

/* ---- memory -------------------------------------------------------------- */

static uint64_t sum(uint64_t memory, uint64_t swap) {
  if (memory == TALLY_UNLIMITED || swap == TALLY_UNLIMITED ||
      memory > TALLY_UNLIMITED - swap)
    return TALLY_UNLIMITED;
  return memory + swap;
}

/* What memsw must become; TALLY_UNKNOWN: stay as it is. */
static uint64_t wanted_memsw(uint64_t max, uint64_t swap,
                             const tally_memory_now_t *now) {
  if (swap != TALLY_UNKNOWN)
    return sum(max != TALLY_UNKNOWN ? max : now->limit, swap);
  if (max == TALLY_UNKNOWN || now->limit_with_swap >= TALLY_UNLIMITED)
    return TALLY_UNKNOWN;
  uint64_t swap_now =
      now->limit_with_swap > now->limit ? now->limit_with_swap - now->limit : 0;
  return sum(max, swap_now);
}

static void plan_memory_v1(plan_t *plan, const tally_limits_t *limits,
                           const tally_memory_now_t *now) {
  static const char memsw_file[] = "memory.memsw.limit_in_bytes";
  uint64_t max = limits->value[TALLY_LIMIT_MEMORY_MAX];
  uint64_t high = limits->value[TALLY_LIMIT_MEMORY_HIGH];
  uint64_t swap = limits->value[TALLY_LIMIT_SWAP_MAX];
  uint64_t memsw = wanted_memsw(max, swap, now);

  uint64_t limit = max != TALLY_UNKNOWN ? max : now->limit;
  if (swap < TALLY_UNLIMITED && limit >= TALLY_UNLIMITED) {
    tally_step_t *step =
        add(plan, TALLY_LIMIT_SWAP_MAX, TALLY_CONTROLLER_MEMORY, memsw_file);
    snprintf(step->text, sizeof(step->text), "%" PRIu64, swap);
    step->impossible = EINVAL;
    memsw = TALLY_UNKNOWN;
  }

  /* It may come first as long as it does not fall below the present limit. */
  tally_limit_t why =
      swap != TALLY_UNKNOWN ? TALLY_LIMIT_SWAP_MAX : TALLY_LIMIT_MEMORY_MAX;
  bool first = now->limit == TALLY_UNKNOWN || memsw >= now->limit;
  if (memsw != TALLY_UNKNOWN && first)
    add_bytes(plan, why, memsw_file, memsw, V1_UNLIMITED);
  if (high != TALLY_UNKNOWN)
    add_bytes(plan, TALLY_LIMIT_MEMORY_HIGH, "memory.soft_limit_in_bytes", high,
              V1_UNLIMITED);
  if (max != TALLY_UNKNOWN)
    add_bytes(plan, TALLY_LIMIT_MEMORY_MAX, "memory.limit_in_bytes", max,
              V1_UNLIMITED);
  if (memsw != TALLY_UNKNOWN && !first)
    add_bytes(plan, why, memsw_file, memsw, V1_UNLIMITED);
}

static void plan_memory_v2(plan_t *plan, const tally_limits_t *limits) {
  static const struct {
    tally_limit_t limit;
    const char *file;
  } files[] = {
      {TALLY_LIMIT_SWAP_MAX, "memory.swap.max"},
      {TALLY_LIMIT_MEMORY_HIGH, "memory.high"},
      {TALLY_LIMIT_MEMORY_MAX, "memory.max"},
  };
  for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
    uint64_t value = limits->value[files[i].limit];
    if (value != TALLY_UNKNOWN)
      add_bytes(plan, files[i].limit, files[i].file, value, "max");
  }
}

/* ---- cpu, pids, io ------------------------------------------------------- */

static void plan_cpu(plan_t *plan, const tally_limits_t *limits, int version) {
  static const tally_controller_t cpu = TALLY_CONTROLLER_CPU;
  uint64_t weight = limits->value[TALLY_LIMIT_CPU_WEIGHT];
  if (weight != TALLY_UNKNOWN && version == 1)
    add_number(plan, TALLY_LIMIT_CPU_WEIGHT, cpu, "cpu.shares",
               tally_cgroup_cpu_shares(weight));
  else if (weight != TALLY_UNKNOWN)
    add_number(plan, TALLY_LIMIT_CPU_WEIGHT, cpu, "cpu.weight", weight);

  uint64_t max = limits->value[TALLY_LIMIT_CPU_MAX];
  if (max == TALLY_UNKNOWN)
    return;
  char quota[32];
  if (max == TALLY_UNLIMITED)
    snprintf(quota, sizeof(quota), "%s", version == 1 ? "-1" : "max");
  else
    snprintf(quota, sizeof(quota), "%" PRIu64, max * (PERIOD_US / 1000));

  if (version == 1) {
    add_number(plan, TALLY_LIMIT_CPU_MAX, cpu, "cpu.cfs_period_us", PERIOD_US);
    tally_step_t *step =
        add(plan, TALLY_LIMIT_CPU_MAX, cpu, "cpu.cfs_quota_us");
    snprintf(step->text, sizeof(step->text), "%s", quota);
  } else {
    tally_step_t *step = add(plan, TALLY_LIMIT_CPU_MAX, cpu, "cpu.max");
    snprintf(step->text, sizeof(step->text), "%s %d", quota, PERIOD_US);
  }
}

/* Both schedulers' files; which of them exist, the kernel decides. */
static void plan_io(plan_t *plan, uint64_t weight, int version) {
  static const tally_controller_t io = TALLY_CONTROLLER_IO;
  if (weight == TALLY_UNKNOWN)
    return;
  if (version == 1) {
    add_number(plan, TALLY_LIMIT_IO_WEIGHT, io, "blkio.bfq.weight",
               weight_for_bfq(weight));
    add_number(plan, TALLY_LIMIT_IO_WEIGHT, io, "blkio.weight",
               weight_for_blkio(weight));
  } else {
    add_number(plan, TALLY_LIMIT_IO_WEIGHT, io, "io.weight", weight);
    add_number(plan, TALLY_LIMIT_IO_WEIGHT, io, "io.bfq.weight",
               weight_for_bfq(weight));
  }
}

/* ---- there --------------------------------------------------------------- */

size_t tally_adjust_plan(const tally_cgroup_paths_t *paths,
                         const tally_limits_t *limits,
                         const tally_memory_now_t *now,
                         tally_step_t steps[TALLY_LIMIT_CHANGES_MAX]) {
  plan_t plan = {.steps = steps};
  if (paths->version[TALLY_CONTROLLER_MEMORY] == 1)
    plan_memory_v1(&plan, limits, now);
  else
    plan_memory_v2(&plan, limits);
  plan_cpu(&plan, limits, paths->version[TALLY_CONTROLLER_CPU]);
  if (limits->value[TALLY_LIMIT_PIDS_MAX] != TALLY_UNKNOWN)
    add_number(&plan, TALLY_LIMIT_PIDS_MAX, TALLY_CONTROLLER_PIDS, "pids.max",
               limits->value[TALLY_LIMIT_PIDS_MAX]);
  plan_io(&plan, limits->value[TALLY_LIMIT_IO_WEIGHT],
          paths->version[TALLY_CONTROLLER_IO]);
  return plan.count;
}

/* ---- and back ------------------------------------------------------------ */

static bool is_one_of(const char *file, const char *const *files) {
  for (; *files != NULL; files++)
    if (strcmp(file, *files) == 0)
      return true;
  return false;
}

size_t tally_adjust_plan_back(const tally_limit_change_t *originals,
                              size_t originals_count,
                              tally_step_t steps[TALLY_LIMIT_CHANGES_MAX]) {
  /* Only files that a plan above can have named. */
  static const char *const memory[] = {"memory.memsw.limit_in_bytes",
                                       "memory.soft_limit_in_bytes",
                                       "memory.limit_in_bytes",
                                       "memory.swap.max",
                                       "memory.high",
                                       "memory.max",
                                       NULL};
  static const char *const cpu[] = {"cpu.shares",        "cpu.weight",
                                    "cpu.cfs_period_us", "cpu.cfs_quota_us",
                                    "cpu.max",           NULL};
  static const char *const pids[] = {"pids.max", NULL};
  static const char *const io[] = {"blkio.bfq.weight", "blkio.weight",
                                   "io.weight", "io.bfq.weight", NULL};
  static const struct {
    tally_controller_t controller;
    const char *const *files;
  } known[] = {
      {TALLY_CONTROLLER_MEMORY, memory},
      {TALLY_CONTROLLER_CPU, cpu},
      {TALLY_CONTROLLER_PIDS, pids},
      {TALLY_CONTROLLER_IO, io},
  };

  plan_t plan = {.steps = steps};
  while (originals_count-- > 0 && plan.count < TALLY_LIMIT_CHANGES_MAX) {
    const tally_limit_change_t *o = &originals[originals_count];
    for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
      if (o->before[0] == '\0' || !is_one_of(o->file, known[k].files))
        continue;
      const char *text = o->before;
      if (strncmp(text, "default ", 8) == 0)
        text += 8;
      tally_step_t *step = add(&plan, o->limit, known[k].controller, o->file);
      snprintf(step->text, sizeof(step->text), "%s", text);
      if (known[k].controller == TALLY_CONTROLLER_MEMORY &&
          tally_parse_limit(text, strlen(text), &step->value) == 0)
        step->check = TALLY_STEP_BYTES;
    }
  }
  return plan.count;
}
