/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "container/engine_update.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "core/json.h"

/* The Engine takes 0 for "leave it", so a limit is lifted by the largest value
 * of the kernel's page counters, which reads back as "none". */
#define NO_MEMORY_LIMIT INT64_C(9223372036854771712)
#define CPU_PERIOD_US 100000
#define CPU_SHARES_DEFAULT 1024

static const char *const field_names[TALLY_ENGINE_FIELDS] = {
    [TALLY_ENGINE_MEMORY] = "Memory",
    [TALLY_ENGINE_MEMORY_SWAP] = "MemorySwap",
    [TALLY_ENGINE_MEMORY_RESERVATION] = "MemoryReservation",
    [TALLY_ENGINE_CPU_SHARES] = "CpuShares",
    [TALLY_ENGINE_NANO_CPUS] = "NanoCpus",
    [TALLY_ENGINE_CPU_QUOTA] = "CpuQuota",
    [TALLY_ENGINE_CPU_PERIOD] = "CpuPeriod",
    [TALLY_ENGINE_PIDS_LIMIT] = "PidsLimit",
    [TALLY_ENGINE_BLKIO_WEIGHT] = "BlkioWeight",
};

const char *tally_engine_field_name(tally_engine_field_t field) {
  return (size_t)field < TALLY_ENGINE_FIELDS ? field_names[field] : NULL;
}

void tally_engine_config_init(tally_engine_config_t *config) {
  for (size_t i = 0; i < TALLY_ENGINE_FIELDS; i++)
    config->value[i] = TALLY_ENGINE_UNSET;
}

int tally_engine_config_parse(const char *json, tally_engine_config_t *config,
                              tally_error_t *err) {
  tally_json_t *document = tally_json_parse(json, strlen(json), err);
  if (document == NULL)
    return -1;
  const tally_json_t *host = tally_json_get(document, "HostConfig");
  for (size_t i = 0; i < TALLY_ENGINE_FIELDS; i++)
    config->value[i] = tally_json_int(tally_json_get(host, field_names[i]), 0);
  tally_json_destroy(document);
  if (host == NULL)
    return tally_error_set(err, 0, "the answer has no HostConfig");
  return 0;
}

/* ---- from limits to fields ----------------------------------------------- */

static int64_t memory_value(uint64_t bytes) {
  return bytes == TALLY_UNLIMITED ? NO_MEMORY_LIMIT : (int64_t)bytes;
}

/* What the container may use now. */
static uint64_t memory_now(const tally_engine_config_t *now) {
  int64_t memory = now->value[TALLY_ENGINE_MEMORY];
  return memory > 0 && memory < NO_MEMORY_LIMIT ? (uint64_t)memory
                                                : TALLY_UNLIMITED;
}

static uint64_t swap_now(const tally_engine_config_t *now) {
  uint64_t memory = memory_now(now);
  int64_t both = now->value[TALLY_ENGINE_MEMORY_SWAP];
  if (memory == TALLY_UNLIMITED || both <= 0)
    return TALLY_UNLIMITED;
  return (uint64_t)both > memory ? (uint64_t)both - memory : 0;
}

/* The Engine keeps a MemorySwap of -1 to itself and tells its runtime nothing,
 * so v1, where the sum counts, is given the largest one instead. On v2 the
 * difference counts, which has no such value. */
static int64_t no_swap_limit(int version) {
  return version == 2 ? -1 : NO_MEMORY_LIMIT;
}

/* Memory and MemorySwap always travel together: the Engine refuses a Memory
 * above the present MemorySwap. */
static void plan_memory(const tally_limits_t *wanted,
                        const tally_engine_config_t *now, int version,
                        tally_engine_config_t *update, tally_limits_t *rest) {
  uint64_t memory = wanted->value[TALLY_LIMIT_MEMORY_MAX];
  uint64_t swap = wanted->value[TALLY_LIMIT_SWAP_MAX];
  if (memory == TALLY_UNKNOWN && swap == TALLY_UNKNOWN)
    return;
  if (swap == TALLY_UNKNOWN)
    swap = swap_now(now);
  if (memory == TALLY_UNKNOWN)
    memory = memory_now(now);

  if (memory == TALLY_UNLIMITED && swap != TALLY_UNLIMITED) {
    rest->value[TALLY_LIMIT_SWAP_MAX] = wanted->value[TALLY_LIMIT_SWAP_MAX];
    if (wanted->value[TALLY_LIMIT_MEMORY_MAX] == TALLY_UNKNOWN)
      return;
    swap = TALLY_UNLIMITED;
  } else if (version == 2 && swap == TALLY_UNLIMITED) {
    rest->value[TALLY_LIMIT_SWAP_MAX] = wanted->value[TALLY_LIMIT_SWAP_MAX];
  }
  int64_t value = memory_value(memory);
  bool unlimited = swap == TALLY_UNLIMITED ||
                   swap >= (uint64_t)NO_MEMORY_LIMIT - (uint64_t)value;
  update->value[TALLY_ENGINE_MEMORY] = value;
  update->value[TALLY_ENGINE_MEMORY_SWAP] =
      unlimited ? no_swap_limit(version) : value + (int64_t)swap;
}

static void plan_high(const tally_limits_t *wanted,
                      const tally_engine_config_t *now, int memory_version,
                      tally_engine_config_t *update, tally_limits_t *rest) {
  uint64_t high = wanted->value[TALLY_LIMIT_MEMORY_HIGH];
  if (high == TALLY_UNKNOWN)
    return;
  int64_t memory = update->value[TALLY_ENGINE_MEMORY];
  if (memory == TALLY_ENGINE_UNSET)
    memory = memory_value(memory_now(now));
  if (memory_version != 1 ||
      (high == TALLY_UNLIMITED && memory != NO_MEMORY_LIMIT))
    rest->value[TALLY_LIMIT_MEMORY_HIGH] = high;
  else
    update->value[TALLY_ENGINE_MEMORY_RESERVATION] = memory_value(high);
}

/*
 * On v1 the Engine writes the shares as they are; on v2 its runtime turns them
 * into a weight, in OCI's words 1 + (shares - 2) * 9999 / 262142, which is not
 * the kernel's own scale. (Runtimes of 2025 and later use a curve instead; what
 * came out is read back in any case.)
 */
static int64_t cpu_shares(uint64_t weight, int version) {
  if (version != 2)
    return (int64_t)tally_cgroup_cpu_shares(weight);
  return 2 + ((int64_t)(weight - 1) * 262142 + 9998) / 9999;
}

/* On v1 the relation to the default counts, which is 500 there and 100 on v2.
 */
static int64_t blkio_weight(uint64_t weight, int version) {
  if (version == 2)
    return (int64_t)tally_cgroup_blkio_weight(weight);
  int64_t scaled = (int64_t)weight * 5;
  return scaled < 10 ? 10 : scaled > 1000 ? 1000 : scaled;
}

static void plan_cpu_max(const tally_limits_t *wanted,
                         const tally_engine_config_t *now,
                         tally_engine_config_t *update, tally_limits_t *rest) {
  uint64_t milli = wanted->value[TALLY_LIMIT_CPU_MAX];
  /* The Engine refuses to mix the two ways of saying it. */
  bool nano = now->value[TALLY_ENGINE_NANO_CPUS] > 0;
  if (milli == TALLY_UNKNOWN)
    return;
  if (milli == TALLY_UNLIMITED && nano) {
    rest->value[TALLY_LIMIT_CPU_MAX] = milli;
  } else if (milli == TALLY_UNLIMITED) {
    update->value[TALLY_ENGINE_CPU_QUOTA] = -1;
  } else if (nano) {
    update->value[TALLY_ENGINE_NANO_CPUS] = (int64_t)milli * 1000000;
  } else {
    update->value[TALLY_ENGINE_CPU_PERIOD] = CPU_PERIOD_US;
    update->value[TALLY_ENGINE_CPU_QUOTA] =
        (int64_t)milli * (CPU_PERIOD_US / 1000);
  }
}

void tally_engine_plan(const tally_limits_t *wanted,
                       const tally_engine_config_t *now,
                       const int version[TALLY_CONTROLLERS],
                       tally_engine_config_t *update, tally_limits_t *rest) {
  tally_engine_config_init(update);
  tally_limits_init(rest);
  int memory_version = version[TALLY_CONTROLLER_MEMORY];
  plan_memory(wanted, now, memory_version, update, rest);
  plan_high(wanted, now, memory_version, update, rest);
  plan_cpu_max(wanted, now, update, rest);

  uint64_t weight = wanted->value[TALLY_LIMIT_CPU_WEIGHT];
  if (weight != TALLY_UNKNOWN)
    update->value[TALLY_ENGINE_CPU_SHARES] =
        cpu_shares(weight, version[TALLY_CONTROLLER_CPU]);
  uint64_t pids = wanted->value[TALLY_LIMIT_PIDS_MAX];
  if (pids != TALLY_UNKNOWN)
    update->value[TALLY_ENGINE_PIDS_LIMIT] =
        pids == TALLY_UNLIMITED ? -1 : (int64_t)pids;
  weight = wanted->value[TALLY_LIMIT_IO_WEIGHT];
  if (weight != TALLY_UNKNOWN)
    update->value[TALLY_ENGINE_BLKIO_WEIGHT] =
        blkio_weight(weight, version[TALLY_CONTROLLER_IO]);
}

/* ---- and back ------------------------------------------------------------ */

void tally_engine_undo(const tally_engine_config_t *before,
                       const tally_engine_config_t *changed, int memory_version,
                       tally_engine_config_t *undo) {
  /* What says "as if it had never been set"; UNSET: nothing does. */
  static const int64_t neutral[TALLY_ENGINE_FIELDS] = {
      [TALLY_ENGINE_MEMORY] = NO_MEMORY_LIMIT,
      [TALLY_ENGINE_MEMORY_SWAP] = -1,
      [TALLY_ENGINE_MEMORY_RESERVATION] = NO_MEMORY_LIMIT,
      [TALLY_ENGINE_CPU_SHARES] = CPU_SHARES_DEFAULT,
      [TALLY_ENGINE_NANO_CPUS] = TALLY_ENGINE_UNSET,
      [TALLY_ENGINE_CPU_QUOTA] = -1,
      [TALLY_ENGINE_CPU_PERIOD] = CPU_PERIOD_US,
      [TALLY_ENGINE_PIDS_LIMIT] = -1,
      [TALLY_ENGINE_BLKIO_WEIGHT] = TALLY_ENGINE_UNSET,
  };
  tally_engine_config_init(undo);
  for (size_t i = 0; i < TALLY_ENGINE_FIELDS; i++)
    if (changed->value[i] != TALLY_ENGINE_UNSET &&
        before->value[i] != TALLY_ENGINE_UNSET)
      undo->value[i] = before->value[i] != 0 ? before->value[i] : neutral[i];

  if (undo->value[TALLY_ENGINE_MEMORY_SWAP] == -1)
    undo->value[TALLY_ENGINE_MEMORY_SWAP] = no_swap_limit(memory_version);

  /* The Engine refuses a reservation above the memory of the same request. */
  int64_t memory = undo->value[TALLY_ENGINE_MEMORY];
  if (memory != TALLY_ENGINE_UNSET &&
      undo->value[TALLY_ENGINE_MEMORY_RESERVATION] > memory)
    undo->value[TALLY_ENGINE_MEMORY_RESERVATION] = TALLY_ENGINE_UNSET;
}

int tally_engine_body(const tally_engine_config_t *update,
                      tally_buffer_t *body) {
  int fields = 0;
  if (tally_buffer_append_str(body, "{") != 0)
    return -1;
  for (size_t i = 0; i < TALLY_ENGINE_FIELDS; i++) {
    if (update->value[i] == TALLY_ENGINE_UNSET)
      continue;
    if (tally_buffer_printf(body, "%s\"%s\":%" PRId64, fields ? "," : "",
                            field_names[i], update->value[i]) != 0)
      return -1;
    fields++;
  }
  return tally_buffer_append_str(body, "}") != 0 ? -1 : fields;
}
