/* SPDX-License-Identifier: MIT */
/* docker_stats: from a sample to value lists, number by number. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include <setjmp.h>

#include <cmocka.h>

#include "docker_stats_values.h"
#include "mock.h"

#define SECOND UINT64_C(1000000000)
#define START (1700000000 * SECOND)

static const docker_stats_groups_t all_groups = {.network = true,
                                                 .block_io = true,
                                                 .load = true,
                                                 .pressure = true,
                                                 .tcp_connections = true,
                                                 .stopped = true};

static const tally_container_t web = {
    .id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    .name = "web",
    .image = "nginx:1.25",
    .state = TALLY_CONTAINER_RUNNING,
    .health = TALLY_HEALTH_HEALTHY,
    .restart_count = 3,
};

static const tally_interface_t interfaces[] = {
    {"eth0", 1, 2, 3, 4, 5, 6, 7, 8},
    {"eth1", 11, 12, 13, 14, 15, 16, 17, 18},
};

static docker_stats_identity_t identity;
static tally_devices_t *devices;

static int load_plugin(void **state) {
  mock_load();
  plugin_set_ctx((plugin_ctx_t){.interval = interval_g});
  assert_int_equal(docker_stats_types_register("docker_stats"), 0);
  memset(&identity, 0, sizeof(identity));
  sstrncpy(identity.plugin_instance, "web", sizeof(identity.plugin_instance));
  /* without a /sys, devices are called by their numbers */
  devices = tally_devices_create("/nonexistent");
  assert_non_null(devices);
  return 0;
}

static int unload_plugin(void **state) {
  mock_assert_content();
  tally_devices_destroy(devices);
  mock_unload();
  return 0;
}

/* A container with a quota, a memory limit, one disk and two interfaces, as a
 * v1 kernel shows it: without pressure. */
static tally_container_sample_t sample_v1(void) {
  tally_container_sample_t s = {
      .container = &web,
      .time_ns = START,
      .running = true,
      .cgroup =
          {
              .cpu_usage_ns = 101,
              .cpu_user_ns = 102,
              .cpu_system_ns = 103,
              .cpu_periods = 104,
              .cpu_throttled = 105,
              .cpu_throttled_ns = 106,
              .cpu_quota_us = 50000,
              .cpu_period_us = 100000,
              .cpuset_cpus = 2,
              .memory_usage = 201,
              .memory_anon = 202,
              .memory_file = 203,
              .memory_active_anon = 204,
              .memory_inactive_anon = 205,
              .memory_active_file = 206,
              .memory_inactive_file = 207,
              .memory_kernel = 208,
              .memory_shmem = 209,
              .memory_swap = 210,
              .memory_limit = 211,
              .memory_swap_limit = 212,
              .memory_page_faults = 213,
              .memory_major_page_faults = 214,
              .memory_limit_hits = 215,
              .memory_oom_kills = 216,
              .devices = {{254, 16, 301, 302, 303, 304}},
              .devices_count = 1,
              .devices_known = true,
              .threads = 401,
              .threads_limit = 402,
              .processes = 403,
          },
      .cpu_percent = 12.5,
      .cpu_limit = 0.5,
      .cpu_percent_of_limit = 25,
      .memory_used = 221,
      .memory_working_set = 222,
      .memory_limit = 223,
      .memory_percent = 22.4,
      .network = TALLY_NETWORK_OWN,
      .interfaces = interfaces,
      .interfaces_count = 2,
      .tcp_known = true,
      .load = {0.1, 0.2, 0.3},
      .uptime = 77.5,
  };
  for (int i = 0; i < TALLY_RESOURCES; i++)
    s.cgroup.pressure[i] =
        (tally_pressure_t){NAN, NAN, TALLY_UNKNOWN, TALLY_UNKNOWN};
  for (int i = 0; i < TALLY_TCP_STATES; i++)
    s.tcp[i] = 500 + (uint64_t)i;
  return s;
}

static tally_container_sample_t sample_v2(void) {
  tally_container_sample_t s = sample_v1();
  for (int i = 0; i < TALLY_RESOURCES; i++)
    s.cgroup.pressure[i] = (tally_pressure_t){601 + i * 10, 602 + i * 10,
                                              603 + i * 10, 604 + i * 10};
  return s;
}

static void dispatch(const tally_container_sample_t *s) {
  docker_stats_dispatch_sample(s, &all_groups, &identity, devices);
}

/* One value list and all it must say, in the order of its sources. */
typedef struct {
  const char *name;
  double values[DOCKER_STATS_SOURCES_MAX];
} expected_t;

static const expected_t expected_v1[] = {
    {"container_state", {2, 2, NAN, 3, 77.5, 403, 401, 402, 1}},
    {"container_cpu", {102, 103, 101, 12.5, 25, 0.5}},
    {"container_throttling", {104, 105, 106}},
    {"container_memory",
     {201, 221, 222, 202, 203, 204, 205, 206, 207, 208, 209, 210, 223, 212,
      22.4, 213, 214, 215, 216}},
    {"load", {0.1, 0.2, 0.3}},
    {"disk_octets-254-16", {301, 302}},
    {"disk_ops-254-16", {303, 304}},
    {"if_octets-eth0", {1, 5}},
    {"if_packets-eth0", {2, 6}},
    {"if_errors-eth0", {3, 7}},
    {"if_dropped-eth0", {4, 8}},
    {"if_octets-eth1", {11, 15}},
    {"if_packets-eth1", {12, 16}},
    {"if_errors-eth1", {13, 17}},
    {"if_dropped-eth1", {14, 18}},
    {"container_tcp", {501, 502, 503, 504, 505, 506, 507, 508, 509, 510, 511}},
};

static void assert_values(const char *prefix, const expected_t *expected) {
  char name[256];
  snprintf(name, sizeof(name), "%s/%s", prefix, expected->name);
  const value_list_t *vl = mock_find(name);
  if (vl == NULL)
    fail_msg("%s was not dispatched", name);
  const data_set_t *ds = plugin_get_ds(vl->type);
  for (size_t i = 0; i < ds->ds_num; i++) {
    double value = ds->ds[i].type == DS_TYPE_GAUGE
                       ? vl->values[i].gauge
                       : (double)vl->values[i].derive;
    double want = expected->values[i];
    if (!(isnan(want) && isnan(value)) && value != want)
      fail_msg("%s: %s is %g, not %g", name, ds->ds[i].name, value, want);
  }
}

static void test_every_number_of_v1(void **state) {
  tally_container_sample_t s = sample_v1();
  dispatch(&s);
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(expected_v1); i++)
    assert_values("node/docker-web", &expected_v1[i]);
  assert_int_equal(mock_values(), STATIC_ARRAY_SIZE(expected_v1));
  assert_true(mock_value(0)->time == TIME_T_TO_CDTIME_T(1700000000));
}

static void test_every_number_of_v2(void **state) {
  static const expected_t pressure = {
      "container_pressure",
      {601, 602, 611, 612, 621, 622, 603, 604, 613, 614, 623, 624}};
  tally_container_sample_t s = sample_v2();
  dispatch(&s);
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(expected_v1); i++)
    assert_values("node/docker-web", &expected_v1[i]);
  assert_values("node/docker-web", &pressure);
  assert_int_equal(mock_values(), STATIC_ARRAY_SIZE(expected_v1) + 1);
}

static void test_at_most_a_dozen_lists(void **state) {
  docker_stats_groups_t defaults = all_groups;
  defaults.tcp_connections = false;
  tally_container_sample_t s = sample_v2();
  s.interfaces_count = 1;
  s.cgroup.cpu_quota_us = TALLY_UNLIMITED;
  docker_stats_dispatch_sample(&s, &defaults, &identity, devices);
  assert_int_equal(mock_values(), 11);
  assert_int_equal(mock_count("node/docker-web/container_throttling"), 0);

  s.time_ns += SECOND;
  s.cgroup.cpu_quota_us = 50000;
  mock_forget();
  docker_stats_dispatch_sample(&s, &defaults, &identity, devices);
  assert_int_equal(mock_values(), 12);
}

/* Every combination of switches gives its lists and no other. */
static void test_groups(void **state) {
  static const struct {
    size_t offset;
    const char *names[5];
  } cases[] = {
      {offsetof(docker_stats_groups_t, network),
       {"if_octets", "if_packets", "if_errors", "if_dropped"}},
      {offsetof(docker_stats_groups_t, block_io), {"disk_octets", "disk_ops"}},
      {offsetof(docker_stats_groups_t, load), {"load"}},
      {offsetof(docker_stats_groups_t, pressure), {"container_pressure"}},
      {offsetof(docker_stats_groups_t, tcp_connections), {"container_tcp"}},
  };
  tally_container_sample_t s = sample_v2();
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    docker_stats_groups_t groups = {.stopped = true};
    *(bool *)((char *)&groups + cases[i].offset) = true;
    s.time_ns += SECOND;
    mock_forget();
    docker_stats_dispatch_sample(&s, &groups, &identity, devices);
    size_t lists = 0;
    for (const char *const *name = cases[i].names; *name != NULL; name++) {
      char prefix[128];
      snprintf(prefix, sizeof(prefix), "node/docker-web/%s", *name);
      assert_true(mock_count(prefix) >= 1);
      lists += mock_count(prefix);
    }
    /* state, cpu, throttling and memory always */
    assert_int_equal(mock_values(), 4 + lists);
  }
}

static void test_unknown_gauges_are_nan(void **state) {
  tally_container_sample_t s = sample_v1();
  s.cgroup.memory_swap = TALLY_UNKNOWN;
  s.cgroup.memory_swap_limit = TALLY_UNLIMITED;
  s.cgroup.threads_limit = TALLY_UNLIMITED;
  s.cpu_percent = NAN;
  s.load[2] = NAN;
  dispatch(&s);
  static const char *const names[][2] = {
      {"node/docker-web/container_memory", "swap"},
      {"node/docker-web/container_memory", "swap_limit"},
      {"node/docker-web/container_state", "threads_limit"},
      {"node/docker-web/container_cpu", "percent"},
      {"node/docker-web/load", "longterm"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(names); i++)
    assert_true(isnan(mock_gauge(names[i][0], names[i][1])));
  assert_float_equal(mock_gauge("node/docker-web/container_memory", "usage"),
                     201, 0);
}

static void forget_known(tally_container_sample_t *s, size_t offset) {
  *(uint64_t *)((char *)s + offset) = TALLY_UNKNOWN;
}

/* What cannot be read takes its own list away and no other. */
static void test_unknown_derive_drops_its_list(void **state) {
  static const struct {
    size_t offset;
    const char *list;
  } cases[] = {
      {offsetof(tally_container_sample_t, cgroup.cpu_user_ns),
       "node/docker-web/container_cpu"},
      {offsetof(tally_container_sample_t, cgroup.cpu_throttled_ns),
       "node/docker-web/container_throttling"},
      {offsetof(tally_container_sample_t, cgroup.devices[0].read_ops),
       "node/docker-web/disk_ops"},
  };
  tally_container_sample_t s = sample_v2();
  dispatch(&s);
  size_t all = mock_values();
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    mock_forget();
    tally_container_sample_t broken = sample_v2();
    broken.time_ns = s.time_ns += SECOND;
    forget_known(&broken, cases[i].offset);
    dispatch(&broken);
    assert_int_equal(mock_count(cases[i].list), 0);
    assert_int_equal(mock_values(), all - 1);
  }
}

/* Memory and pressure come from several files: one that is missing must not
 * take the others' numbers away. Its counters stand still. */
static void test_counters_that_stand_still(void **state) {
  tally_container_sample_t s = sample_v2();
  s.cgroup.memory_oom_kills = TALLY_UNKNOWN; /* this kernel never counts it */
  dispatch(&s);
  assert_int_equal(mock_derive("node/docker-web/container_memory", "oom_kills"),
                   0);
  assert_float_equal(mock_gauge("node/docker-web/container_memory", "usage"),
                     201, 0);

  s.time_ns += SECOND;
  s.cgroup.memory_page_faults = TALLY_UNKNOWN; /* was 213 */
  s.cgroup.pressure[TALLY_RESOURCE_CPU] =
      (tally_pressure_t){1, NAN, 700, TALLY_UNKNOWN}; /* was 603, 604 */
  dispatch(&s);
  assert_int_equal(
      mock_derive("node/docker-web/container_memory", "page_faults"), 213);
  assert_int_equal(
      mock_derive("node/docker-web/container_pressure", "cpu_some_total"), 700);
  assert_int_equal(
      mock_derive("node/docker-web/container_pressure", "cpu_full_total"), 604);
  assert_true(
      isnan(mock_gauge("node/docker-web/container_pressure", "cpu_full")));
}

static void test_nothing_known_is_not_sent(void **state) {
  tally_container_sample_t s = sample_v1();
  memset(&s.cgroup, 0xff, offsetof(tally_cgroup_sample_t, pressure));
  s.cgroup.devices_known = false;
  s.memory_used = s.memory_working_set = s.memory_limit = s.memory_percent =
      NAN;
  s.load[0] = s.load[1] = s.load[2] = NAN;
  s.tcp_known = false;
  s.interfaces_count = 0;
  dispatch(&s);
  assert_int_equal(mock_values(), 1);
  assert_non_null(mock_find("node/docker-web/container_state"));
}

static void test_stopped_containers(void **state) {
  tally_container_t exited = web;
  exited.state = TALLY_CONTAINER_EXITED;
  exited.health = TALLY_HEALTH_NONE;
  exited.finished_ns = START;
  exited.exit_code = 137;
  tally_container_sample_t s = sample_v1();
  s.container = &exited;
  s.running = false;
  s.network = TALLY_NETWORK_UNKNOWN;
  s.uptime = NAN;
  static const expected_t expected = {"container_state",
                                      {6, 0, 137, 3, NAN, NAN, NAN, NAN, 0}};
  dispatch(&s);
  assert_int_equal(mock_values(), 1);
  assert_values("node/docker-web", &expected);

  docker_stats_groups_t groups = all_groups;
  groups.stopped = false;
  s.time_ns += SECOND;
  mock_forget();
  docker_stats_dispatch_sample(&s, &groups, &identity, devices);
  assert_int_equal(mock_values(), 0);
  s.final = true; /* it ran until a moment ago */
  docker_stats_dispatch_sample(&s, &groups, &identity, devices);
  assert_non_null(mock_find("node/docker-web/container_cpu"));
}

/* The last sample of a container may be the very one that was sent already. */
static void test_final_sample(void **state) {
  tally_container_sample_t s = sample_v1();
  dispatch(&s);
  size_t lists = mock_values();
  s.running = false;
  s.final = true;
  dispatch(&s);
  assert_int_equal(mock_values(), lists);

  s.time_ns += 1000; /* a microsecond later is another sample */
  dispatch(&s);
  assert_int_equal(mock_values(), 2 * lists);
  assert_true(mock_find("node/docker-web/container_cpu")->time ==
              NS_TO_CDTIME_T(START + 1000));
  /* its container was running when Docker was asked last */
  assert_float_equal(mock_gauge("node/docker-web/container_state", "state"),
                     TALLY_CONTAINER_EXITED, 0);
  assert_true(
      isnan(mock_gauge("node/docker-web/container_state", "exit_code")));
}

static void test_host(void **state) {
  tally_container_t list[6];
  const tally_container_t *pointers[6];
  static const tally_container_state_t states[] = {
      TALLY_CONTAINER_RUNNING, TALLY_CONTAINER_RUNNING, TALLY_CONTAINER_PAUSED,
      TALLY_CONTAINER_EXITED,  TALLY_CONTAINER_CREATED, TALLY_CONTAINER_DEAD};
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(list); i++) {
    list[i] = web;
    list[i].state = states[i];
    list[i].health = TALLY_HEALTH_UNHEALTHY;
    pointers[i] = &list[i];
  }
  tally_snapshot_t snapshot = {.daemon = {.reachable = true},
                               .count = STATIC_ARRAY_SIZE(list),
                               .containers = pointers};
  docker_stats_dispatch_host(&snapshot, "");
  assert_int_equal(mock_values(), 1); /* not listed: nothing is known yet */
  assert_float_equal(
      mock_gauge("node/tallyman-docker_stats/tallyman_daemon", "reachable"), 1,
      0);

  snapshot.daemon.listed = true;
  snapshot.daemon.reachable = false;
  docker_stats_dispatch_host(&snapshot, "far");
  assert_float_equal(
      mock_gauge("node/tallyman-docker_stats:far/tallyman_daemon", "reachable"),
      0, 0);
  static const expected_t expected = {"containers", {2, 1, 0, 1, 1, 1, 0, 2}};
  assert_values("node/docker-far", &expected);
}

static void test_cost(void **state) {
  docker_stats_cost_t cost = {{11, 12, 13, 14, 15, 1500000000, 2500000, 18},
                              500000};
  docker_stats_dispatch_cost(&cost, "");
  static const expected_t expected = {
      "tallyman_sampling", {1.5, 0.0025, 0.0005, 11, 12, 13, 14, 15, 18}};
  assert_values("node/tallyman-docker_stats", &expected);
}

/* The table in C and types.db must not drift apart, and no type of ours may
 * stand in the way of a stock one. */
static void test_types_db(void **state) {
  size_t held = 0;
  for (size_t i = 0; i < DOCKER_STATS_TYPES; i++) {
    const docker_stats_type_t *type = &docker_stats_types[i];
    const data_set_t *ds = plugin_get_ds(type->name);
    if (ds == NULL || ds->ds_num != type->count)
      fail_msg("types.db: %s", type->name);
    assert_true(type->count <= DOCKER_STATS_SOURCES_MAX);
    size_t own_held = 0;
    for (size_t j = 0; j < type->count; j++) {
      docker_stats_kind_t kind = type->sources[j].kind;
      int want = kind == DOCKER_STATS_DERIVE || kind == DOCKER_STATS_HELD
                     ? DS_TYPE_DERIVE
                     : DS_TYPE_GAUGE;
      assert_string_equal(ds->ds[j].name, type->sources[j].name);
      assert_int_equal(ds->ds[j].type, want);
      assert_true(ds->ds[j].min == 0);
      assert_true(type->stock || isnan(ds->ds[j].max));
      own_held += kind == DOCKER_STATS_HELD;
    }
    /* held counters lie one after another, none twice */
    if (own_held > 0)
      assert_int_equal(type->held, held);
    held += own_held;
  }
  assert_int_equal(held, DOCKER_STATS_HELD_MAX);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, load_plugin, unload_plugin)
  const struct CMUnitTest tests[] = {
      TEST(test_every_number_of_v1),
      TEST(test_every_number_of_v2),
      TEST(test_at_most_a_dozen_lists),
      TEST(test_groups),
      TEST(test_unknown_gauges_are_nan),
      TEST(test_unknown_derive_drops_its_list),
      TEST(test_counters_that_stand_still),
      TEST(test_nothing_known_is_not_sent),
      TEST(test_stopped_containers),
      TEST(test_final_sample),
      TEST(test_host),
      TEST(test_cost),
      TEST(test_types_db),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
