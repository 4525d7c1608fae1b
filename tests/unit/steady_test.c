/* SPDX-License-Identifier: MIT */
/* Counters that never fall: interfaces that come, go and come again. */
#include "config.h"

#include "unit.h"

#include "steady.h"

#define ID "3f4e5d6c7b8a0123456789abcdef0123456789abcdef0123456789abcdef4567"

static uint64_t part(tally_steady_run_t *run, tally_steady_kind_t kind,
                     const char *name, uint64_t value) {
  uint64_t counters[] = {value};
  tally_steady_part(run, kind, name, counters, 1);
  return counters[0];
}

static uint64_t sum(tally_steady_run_t *run, tally_steady_kind_t kind) {
  uint64_t sums[1];
  tally_steady_sum(run, kind, sums, 1);
  return sums[0];
}

static void test_interfaces(void **state) {
  tally_steady_t *steady = tally_steady_create();
  tally_steady_run_t *run = tally_steady_run(steady, ID, 7);
  assert_int_equal(sum(run, TALLY_STEADY_INTERFACE), 0);
  assert_int_equal(part(run, TALLY_STEADY_INTERFACE, "eth0", 100), 100);
  assert_int_equal(part(run, TALLY_STEADY_INTERFACE, "eth1", 1000), 1000);
  assert_int_equal(sum(run, TALLY_STEADY_INTERFACE), 1100);

  /* eth1 is disconnected: the sum keeps what it has sent */
  run = tally_steady_run(steady, ID, 7);
  assert_int_equal(part(run, TALLY_STEADY_INTERFACE, "eth0", 110), 110);
  assert_int_equal(sum(run, TALLY_STEADY_INTERFACE), 1110);

  /* it could not be read for a moment, that is all */
  assert_int_equal(part(run, TALLY_STEADY_INTERFACE, "eth1", 1001), 1001);
  assert_int_equal(sum(run, TALLY_STEADY_INTERFACE), 1111);

  /* another one under its name begins at 0 */
  assert_int_equal(part(run, TALLY_STEADY_INTERFACE, "eth1", 5), 1006);
  assert_int_equal(part(run, TALLY_STEADY_INTERFACE, "eth1", 9), 1010);
  assert_int_equal(part(run, TALLY_STEADY_INTERFACE, "eth1", 2), 1012);
  assert_int_equal(sum(run, TALLY_STEADY_INTERFACE), 1122);

  assert_int_equal(part(run, TALLY_STEADY_INTERFACE, "eth1", TALLY_UNKNOWN),
                   TALLY_UNKNOWN);
  assert_int_equal(part(run, TALLY_STEADY_INTERFACE, "eth1", 3), 1013);
  assert_int_equal(sum(run, TALLY_STEADY_DEVICE), 0); /* another kind */
  tally_steady_destroy(steady);
}

/* Errors and drops do not tell whether an interface is another one. */
static void test_telling_counters(void **state) {
  tally_steady_t *steady = tally_steady_create();
  tally_steady_run_t *run = tally_steady_run(steady, ID, 7);
  uint64_t v[] = {10, 20, 30, 40, 50, 60, 70, 80};
  tally_steady_part(run, TALLY_STEADY_INTERFACE, "eth0", v, 8);
  uint64_t odd[] = {11, 20, 30, 40, 50, 60, 70, 8};
  tally_steady_part(run, TALLY_STEADY_INTERFACE, "eth0", odd, 8);
  assert_int_equal(odd[0], 11);
  assert_int_equal(odd[7], 80);
  uint64_t fresh[] = {1, 0, 30, 40, 0, 0, 0, 1};
  tally_steady_part(run, TALLY_STEADY_INTERFACE, "eth0", fresh, 8);
  assert_int_equal(fresh[0], 12);
  assert_int_equal(fresh[1], 20);
  assert_int_equal(fresh[4], 50);
  assert_int_equal(fresh[7], 81);
  tally_steady_destroy(steady);
}

/* The kernel's clocks may step back by a tick: the counter waits. */
static void test_cgroup(void **state) {
  tally_steady_t *steady = tally_steady_create();
  tally_steady_run_t *run = tally_steady_run(steady, ID, 7);
  assert_int_equal(part(run, TALLY_STEADY_CGROUP, "cpu", 100), 100);
  assert_int_equal(part(run, TALLY_STEADY_CGROUP, "cpu", 99), 100);
  assert_int_equal(part(run, TALLY_STEADY_CGROUP, "cpu", 101), 101);
  assert_int_equal(part(NULL, TALLY_STEADY_CGROUP, "cpu", 5), 5);
  tally_steady_destroy(steady);
}

static void test_runs(void **state) {
  tally_steady_t *steady = tally_steady_create();
  char id[65] = ID;
  for (int i = 0; i < 50; i++) {
    id[0] = (char)('A' + (i * 7) % 50);
    tally_steady_run_t *run = tally_steady_run(steady, id, 1);
    assert_int_equal(part(run, TALLY_STEADY_CGROUP, "cpu", 100), 100);
  }
  assert_int_equal(tally_steady_count(steady), 50);
  tally_steady_sweep(steady);
  assert_int_equal(tally_steady_count(steady), 50);

  /* another start of one begins at 0; the others are not asked for again */
  tally_steady_run_t *run = tally_steady_run(steady, id, 2);
  assert_int_equal(part(run, TALLY_STEADY_CGROUP, "cpu", 3), 3);
  tally_steady_sweep(steady);
  assert_int_equal(tally_steady_count(steady), 1);
  tally_steady_sweep(steady);
  assert_int_equal(tally_steady_count(steady), 0);
  tally_steady_destroy(steady);
}

/* Thousands of interfaces in the life of a container. */
static void test_bounds(void **state) {
  tally_steady_t *steady = tally_steady_create();
  uint64_t total = 0;
  for (int i = 0; i < 5000; i++) {
    tally_steady_run_t *run = tally_steady_run(steady, ID, 7);
    char name[20];
    snprintf(name, sizeof(name), "veth%d", i);
    assert_int_equal(part(run, TALLY_STEADY_INTERFACE, name, 10), 10);
    assert_int_equal(part(run, TALLY_STEADY_CGROUP, "cpu", (uint64_t)i), i);
    total += 10;
    assert_int_equal(sum(run, TALLY_STEADY_INTERFACE), total);
  }
  /* more at a time than there is room for: they are shown as they are */
  tally_steady_run_t *run = tally_steady_run(steady, ID, 8);
  for (int i = 0; i < TALLY_STEADY_PARTS + 10; i++) {
    char name[20];
    snprintf(name, sizeof(name), "veth%d", i);
    assert_int_equal(part(run, TALLY_STEADY_INTERFACE, name, 10), 10);
  }
  tally_steady_destroy(steady);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_interfaces),
      cmocka_unit_test(test_telling_counters),
      cmocka_unit_test(test_cgroup),
      cmocka_unit_test(test_runs),
      cmocka_unit_test(test_bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
