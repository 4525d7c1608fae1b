/* SPDX-License-Identifier: MIT */
/* What is computed from the kernel's numbers. */
#include "config.h"

#include "unit.h"

#include <math.h>

#include "cgroup/files.h"
#include "container/derive.h"
#include "core/clock.h"

#define U TALLY_UNKNOWN
#define MAX TALLY_UNLIMITED
#define S TALLY_NS_PER_S

static void assert_double(double value, double expected) {
  if (isnan(expected))
    assert_true(isnan(value));
  else
    assert_true(fabs(value - expected) < 1e-9);
}

static void test_cpu_percent(void **state) {
  static const struct {
    tally_cpu_base_t base;
    uint64_t usage, at;
    double percent;
  } cases[] = {
      {{0, 0}, 5 * S, 10 * S, 50},
      {{1 * S, 100 * S}, 21 * S, 110 * S, 200}, /* two cores */
      {{1 * S, 100 * S}, 1 * S, 110 * S, 0},
      /* the time that has passed counts, not the interval that was meant */
      {{0, 0}, 5 * S, 12 * S + S / 2, 40},
      {{U, 0}, 5 * S, 10 * S, NAN},          /* the first sample */
      {{0, 0}, U, 10 * S, NAN},              /* not readable */
      {{6 * S, 0}, 5 * S, 10 * S, NAN},      /* began anew */
      {{0, 10 * S}, 5 * S, 10 * S, NAN},     /* no time has passed */
      {{0, 10 * S}, 5 * S, 10 * S + 1, NAN}, /* hardly any */
      {{0, 11 * S}, 5 * S, 10 * S, NAN},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    assert_double(
        tally_cpu_percent(&cases[i].base, cases[i].usage, cases[i].at),
        cases[i].percent);
}

static const tally_host_size_t host = {4, 1000};

static tally_container_sample_t blank(void) {
  tally_container_sample_t s;
  tally_container_sample_init(&s, NULL);
  return s;
}

static void test_cpu_limit(void **state) {
  static const struct {
    uint64_t quota, period, cpuset;
    double limit;
  } cases[] = {
      {50000, 100000, 2, 0.5}, {MAX, 100000, 2, 2},
      {MAX, 100000, U, 4},     {U, U, U, 4},
      {300000, 100000, 2, 2},  {800000, 100000, U, 4},
      {50000, 0, U, 4},        {50000, U, 0, 4},
      {MAX, U, 64, 4},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_container_sample_t s = blank();
    s.cgroup.cpu_quota_us = cases[i].quota;
    s.cgroup.cpu_period_us = cases[i].period;
    s.cgroup.cpuset_cpus = cases[i].cpuset;
    s.cpu_percent = 30;
    tally_derive(&s, &host);
    assert_double(s.cpu_limit, cases[i].limit);
    assert_double(s.cpu_percent_of_limit, 30 / cases[i].limit);
  }

  tally_container_sample_t s = blank();
  static const tally_host_size_t unknown = {0, 0};
  s.cpu_percent = 30;
  tally_derive(&s, &unknown);
  assert_double(s.cpu_limit, NAN);
  assert_double(s.cpu_percent_of_limit, NAN);
}

static void test_memory(void **state) {
  static const struct {
    uint64_t usage, inactive_file, limit;
    double used, working_set, of, percent;
  } cases[] = {
      {600, 100, 1000, 500, 500, 1000, 50},
      {600, 100, 500, 500, 500, 500, 100},
      {600, 100, MAX, 500, 500, 1000, 50}, /* all of the host's memory */
      {600, 100, 5000, 500, 500, 1000, 50},
      {600, 100, U, 500, 500, 1000, 50},
      {600, U, 1000, 600, NAN, 1000, 60},
      /* read a moment later than the usage, it may be larger */
      {600, 700, 1000, 600, 0, 1000, 60},
      {600, 600, 1000, 600, 0, 1000, 60},
      {600, 100, 0, 500, 500, 0, NAN},
      {U, 100, 1000, NAN, NAN, NAN, NAN},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_container_sample_t s = blank();
    s.cgroup.memory_usage = cases[i].usage;
    s.cgroup.memory_inactive_file = cases[i].inactive_file;
    s.cgroup.memory_limit = cases[i].limit;
    tally_derive(&s, &host);
    assert_double(s.memory_used, cases[i].used);
    assert_double(s.memory_working_set, cases[i].working_set);
    assert_double(s.memory_limit, cases[i].of);
    assert_double(s.memory_percent, cases[i].percent);
  }
}

static void test_copy(void **state) {
  tally_container_sample_t from = blank(), to;
  from.time_ns = 5;
  from.running = true;
  from.cgroup.cpu_usage_ns = 7;
  from.cgroup.devices_count = 2;
  from.cgroup.devices[1].read_ops = 9;
  from.cgroup.devices_known = true;
  from.cgroup.processes = 3;
  from.memory_used = 11;
  from.uptime = 13;
  memset(&to, 0x5a, sizeof(to));
  tally_container_sample_copy(&to, &from);
  assert_int_equal(to.time_ns, 5);
  assert_true(to.running && !to.final);
  assert_int_equal(to.cgroup.cpu_usage_ns, 7);
  assert_int_equal(to.cgroup.memory_usage, U);
  assert_int_equal(to.cgroup.devices_count, 2);
  assert_int_equal(to.cgroup.devices[1].read_ops, 9);
  assert_true(to.cgroup.devices_known);
  assert_int_equal(to.cgroup.processes, 3);
  assert_true(to.memory_used == 11 && to.uptime == 13);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cpu_percent),
      cmocka_unit_test(test_cpu_limit),
      cmocka_unit_test(test_memory),
      cmocka_unit_test(test_copy),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
