/* SPDX-License-Identifier: MIT */
/* Limits in the words of the Engine's update call. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "container/engine_update.h"

#define MIB (INT64_C(1) << 20)
#define MAX TALLY_UNLIMITED
#define LEFT(limit) (1u << TALLY_LIMIT_##limit)
#define NO_LIMIT "9223372036854771712"

static const int v1[TALLY_CONTROLLERS] = {1, 1, 1, 1, 1, 1};
static const int v2[TALLY_CONTROLLERS] = {2, 2, 2, 2, 2, 2};

static const struct {
  const char *what;
  const int *version;
  /* memory max, high, swap, cpu weight, cpu max, pids, io weight; 0: unknown */
  uint64_t wanted[TALLY_LIMITS];
  const char *now; /* HostConfig */
  const char *body;
  unsigned rest; /* limits left for the cgroup, as bits */
} plans[] = {
    {"nothing", v1, {0}, "{}", "{}", 0},
    {"SWAP=1 under a limit of memory and swap",
     v1,
     {MAX, MAX, MAX},
     "{\"Memory\":67108864,\"MemorySwap\":67108864}",
     "{\"Memory\":" NO_LIMIT ",\"MemorySwap\":" NO_LIMIT
     ",\"MemoryReservation\":" NO_LIMIT "}",
     0},
    {"on v2 the Engine has no words for memory.high and for any swap",
     v2,
     {MAX, MAX, MAX},
     "{\"Memory\":67108864}",
     "{\"Memory\":" NO_LIMIT ",\"MemorySwap\":-1}",
     LEFT(MEMORY_HIGH) | LEFT(SWAP_MAX)},
    {"so much swap on top of the present memory",
     v1,
     {0, 0, 16 * MIB},
     "{\"Memory\":67108864,\"MemorySwap\":67108864}",
     "{\"Memory\":67108864,\"MemorySwap\":83886080}",
     0},
    {"swap cannot be limited where memory is not",
     v2,
     {0, 0, 16 * MIB},
     "{\"Memory\":0,\"MemorySwap\":0}",
     "{}",
     LEFT(SWAP_MAX)},
    {"memory keeps the room for swap that it had",
     v1,
     {128 * MIB},
     "{\"Memory\":67108864,\"MemorySwap\":83886080}",
     "{\"Memory\":134217728,\"MemorySwap\":150994944}",
     0},
    {"hardly any swap",
     v1,
     {128 * MIB, 0, 1},
     "{}",
     "{\"Memory\":134217728,\"MemorySwap\":134217729}",
     0},
    {"a soft limit beside a hard one",
     v1,
     {128 * MIB, 64 * MIB},
     "{}",
     "{\"Memory\":134217728,\"MemorySwap\":" NO_LIMIT
     ",\"MemoryReservation\":67108864}",
     0},
    {"no soft limit beside a hard one is refused by the Engine",
     v1,
     {128 * MIB, MAX},
     "{}",
     "{\"Memory\":134217728,\"MemorySwap\":" NO_LIMIT "}",
     LEFT(MEMORY_HIGH)},
    {"cores as quota",
     v1,
     {0, 0, 0, 0, 1500},
     "{}",
     "{\"CpuQuota\":150000,\"CpuPeriod\":100000}",
     0},
    {"cores where they were given as cores",
     v1,
     {0, 0, 0, 0, 1500},
     "{\"NanoCpus\":500000000}",
     "{\"NanoCpus\":1500000000}",
     0},
    {"all cores", v1, {0, 0, 0, 0, MAX}, "{}", "{\"CpuQuota\":-1}", 0},
    {"all cores cannot be said in cores",
     v1,
     {0, 0, 0, 0, MAX},
     "{\"NanoCpus\":500000000}",
     "{}",
     LEFT(CPU_MAX)},
    {"weights of v1",
     v1,
     {0, 0, 0, 100, 0, 0, 100},
     "{}",
     "{\"CpuShares\":1024,\"BlkioWeight\":500}",
     0},
    {"weights of v2 as the runtimes convert them",
     v2,
     {0, 0, 0, 100, 0, 0, 100},
     "{}",
     "{\"CpuShares\":2598,\"BlkioWeight\":20}",
     0},
    {"tasks", v1, {0, 0, 0, 0, 0, 20}, "{}", "{\"PidsLimit\":20}", 0},
    {"any number of tasks",
     v1,
     {0, 0, 0, 0, 0, MAX},
     "{\"PidsLimit\":null}",
     "{\"PidsLimit\":-1}",
     0},
};

static tally_engine_config_t config(const char *host_config) {
  char json[512];
  tally_engine_config_t c;
  tally_error_t err = {0};
  snprintf(json, sizeof(json), "{\"Id\":\"x\",\"HostConfig\":%s}", host_config);
  if (tally_engine_config_parse(json, &c, &err) != 0)
    fail_msg("%s: %s", json, err.message);
  return c;
}

static void assert_body(const char *what, const tally_engine_config_t *update,
                        const char *expected) {
  tally_buffer_t body;
  tally_buffer_init(&body, 1024);
  assert_true(tally_engine_body(update, &body) >= 0);
  if (strcmp(body.data, expected) != 0)
    fail_msg("%s: %s, not %s", what, body.data, expected);
  tally_buffer_clear(&body);
}

static void test_plans(void **state) {
  for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
    tally_limits_t wanted, rest;
    tally_limits_init(&wanted);
    for (size_t l = 0; l < TALLY_LIMITS; l++)
      if (plans[i].wanted[l] != 0)
        wanted.value[l] = plans[i].wanted[l];
    tally_engine_config_t now = config(plans[i].now), update;
    tally_engine_plan(&wanted, &now, plans[i].version, &update, &rest);
    assert_body(plans[i].what, &update, plans[i].body);
    for (int l = 0; l < TALLY_LIMITS; l++) {
      uint64_t left = plans[i].rest & 1u << l ? wanted.value[l] : TALLY_UNKNOWN;
      if (rest.value[l] != left)
        fail_msg("%s: rest of limit %d", plans[i].what, l);
    }
  }
}

/* The runtimes' integer arithmetic must bring back every weight. */
static void test_weights_survive_the_runtime(void **state) {
  for (uint64_t weight = 1; weight <= 10000; weight++) {
    tally_limits_t wanted, rest;
    tally_limits_init(&wanted);
    wanted.value[TALLY_LIMIT_CPU_WEIGHT] = weight;
    tally_engine_config_t now = config("{}"), update;
    tally_engine_plan(&wanted, &now, v2, &update, &rest);
    uint64_t shares = (uint64_t)update.value[TALLY_ENGINE_CPU_SHARES];
    assert_int_equal(1 + (shares - 2) * 9999 / 262142, weight);
  }
}

static void test_undo(void **state) {
  static const struct {
    const char *what;
    int version;
    const char *before, *changed, *undo;
  } cases[] = {
      {"limits that were there", 1, "{\"Memory\":1,\"MemorySwap\":2}",
       "{\"Memory\":9,\"MemorySwap\":9}", "{\"Memory\":1,\"MemorySwap\":2}"},
      {"limits that were not", 1, "{}", "{\"Memory\":9,\"MemorySwap\":9}",
       "{\"Memory\":" NO_LIMIT ",\"MemorySwap\":" NO_LIMIT "}"},
      {"the same on v2", 2, "{}", "{\"Memory\":9,\"MemorySwap\":9}",
       "{\"Memory\":" NO_LIMIT ",\"MemorySwap\":-1}"},
      {"what did not change stays away", 1, "{\"Memory\":1,\"PidsLimit\":5}",
       "{\"PidsLimit\":9}", "{\"PidsLimit\":5}"},
      {"a quota that was not there", 1, "{}",
       "{\"CpuQuota\":9,\"CpuPeriod\":9,\"CpuShares\":9}",
       "{\"CpuShares\":1024,\"CpuQuota\":-1,\"CpuPeriod\":100000}"},
      {"a weight that was not there cannot be taken away", 1, "{}",
       "{\"BlkioWeight\":9}", "{}"},
      {"a reservation above the memory is refused by the Engine", 1,
       "{\"Memory\":1}", "{\"Memory\":9,\"MemoryReservation\":9}",
       "{\"Memory\":1}"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    tally_engine_config_t before = config(cases[i].before), undo;
    tally_engine_config_t changed = config(cases[i].changed);
    for (size_t f = 0; f < TALLY_ENGINE_FIELDS; f++)
      if (changed.value[f] == 0)
        changed.value[f] = TALLY_ENGINE_UNSET;
    tally_engine_undo(&before, &changed, cases[i].version, &undo);
    assert_body(cases[i].what, &undo, cases[i].undo);
  }
}

static void test_hostile_answers(void **state) {
  static const char *const bad[] = {
      "", "null", "[]", "{}", "{", "{\"HostConfig\":{\"Memory\""};
  tally_engine_config_t c;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    tally_error_t err = {0};
    assert_int_equal(tally_engine_config_parse(bad[i], &c, &err), -1);
    assert_true(err.message[0] != '\0');
  }
  /* of the wrong kind: as if it were not there */
  c = config("{\"Memory\":\"64m\",\"NanoCpus\":{},\"CpuQuota\":1.5}");
  for (size_t i = 0; i < TALLY_ENGINE_FIELDS; i++)
    assert_int_equal(c.value[i], 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_plans),
      cmocka_unit_test(test_weights_survive_the_runtime),
      cmocka_unit_test(test_undo),
      cmocka_unit_test(test_hostile_answers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
