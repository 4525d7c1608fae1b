/* SPDX-License-Identifier: MIT */
/* Facts of the node: what the files of /proc say, and what is missing. */
#include "config.h"

#include "unit.h"

#include <math.h>
#include <unistd.h>

#include "core/clock.h"
#include "node/facts.h"
#include "tree.h"

static const char meminfo[] = "MemTotal:       24682416 kB\n"
                              "MemFree:        23356132 kB\n"
                              "MemAvailable:   24011848 kB\n"
                              "Buffers:           29364 kB\n"
                              "Cached:           613708 kB\n"
                              "SwapCached:            7 kB\n"
                              "SwapTotal:       1048572 kB\n"
                              "SwapFree:        1000000 kB\n";

static tally_node_facts_t read_facts(tally_node_reader_t *reader) {
  tally_node_facts_t facts;
  tally_node_reader_read(reader, &facts);
  return facts;
}

static void test_files(void **state) {
  tree_t tree;
  tree_create(&tree);
  /* the line of interrupts is longer than any buffer */
  char stat[8192] = "cpu  100 10 50 800 40 0 0 0 0 0\n"
                    "cpu0 100 10 50 800 40 0 0 0 0 0\nintr 7";
  for (int i = 0; i < 3000; i++)
    strcat(stat, " 0");
  strcat(stat, "\nctxt 9\nbtime 1795252981\nprocesses 5\n");
  tree_write(&tree, "/proc/stat", stat);
  tree_write(&tree, "/proc/meminfo", meminfo);
  tree_write(&tree, "/proc/loadavg", "0.52 12.25 3.00 1/187 4711\n");
  tree_write(&tree, "/proc/1/comm", "init\n");
  tree_write(&tree, "/proc/4711/comm", "sh\n");
  tree_write(&tree, "/proc/self/comm", "sh\n");

  tally_node_reader_t *reader = tally_node_reader_create(tree.root, NULL);
  tally_node_facts_t f = read_facts(reader);
  assert_true(isnan(f.cpu_percent)); /* since when? */
  assert_true(f.load[0] == 0.52 && f.load[1] == 12.25 && f.load[2] == 3);
  assert_int_equal(f.cpus, sysconf(_SC_NPROCESSORS_ONLN));
  assert_int_equal(f.memory_total, UINT64_C(24682416) * 1024);
  assert_int_equal(f.memory_available, UINT64_C(24011848) * 1024);
  assert_int_equal(f.memory_used, UINT64_C(670568) * 1024);
  assert_int_equal(f.swap_total, UINT64_C(1048572) * 1024);
  assert_int_equal(f.swap_used, UINT64_C(48572) * 1024);
  assert_int_equal(f.processes, 2);
  assert_int_equal(f.boot_ns, UINT64_C(1795252981) * TALLY_NS_PER_S);

  /* 200 more ticks: 30 user, 20 soft interrupts, 10 stolen, 140 idle or
   * waiting; what guests used is in user already */
  tree_write(&tree, "/proc/stat",
             "cpu  130 10 50 900 80 0 20 10 30 0\nbtime 1795252981\n");
  f = read_facts(reader);
  assert_true(fabs(f.cpu_percent - 30) < 1e-9);
  f = read_facts(reader); /* no time has passed */
  assert_true(isnan(f.cpu_percent));
  tally_node_reader_destroy(reader);
  tree_destroy(&tree);
}

static void test_strange_files(void **state) {
  static const struct {
    const char *before, *after;
    double percent;
  } cases[] = {
      {"cpu  10 0 0 90\n", "cpu  20 0 0 180\n", 10}, /* Linux 2.4 */
      {"cpu  10 0 0 90 9\n", "cpu  10 0 0 190 5\n", 0},
      {"cpu  10 0 0 90 0 0 0 5\n", "cpu  20 0 0 90 0 0 0 4\n", 100},
      {"cpu  10 0 0 90\n", "cpu  5 0 0 80\n", NAN}, /* another boot? */
      {"cpu  10 0 0\n", "cpu  20 0 0\n", NAN},
      {"cpu  a b c d\n", "cpu0 1 2 3 4\n", NAN},
      {"", "", NAN},
  };
  tree_t tree;
  tree_create(&tree);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_node_reader_t *reader = tally_node_reader_create(tree.root, NULL);
    tree_write(&tree, "/proc/stat", cases[i].before);
    (void)read_facts(reader);
    tree_write(&tree, "/proc/stat", cases[i].after);
    double percent = read_facts(reader).cpu_percent;
    if (isnan(cases[i].percent))
      assert_true(isnan(percent));
    else
      assert_true(fabs(percent - cases[i].percent) < 1e-9);
    tally_node_reader_destroy(reader);
  }

  tree_write(&tree, "/proc/meminfo",
             "MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\n"
             "Cached: 20 kB\nSwapTotal: x kB\n");
  tree_write(&tree, "/proc/loadavg", "0.5 nonsense");
  tally_node_reader_t *reader = tally_node_reader_create(tree.root, NULL);
  tally_node_facts_t f = read_facts(reader);
  assert_int_equal(f.memory_available, 35 * 1024); /* before Linux 3.14 */
  assert_int_equal(f.memory_used, 65 * 1024);
  assert_int_equal(f.swap_total, TALLY_UNKNOWN);
  assert_int_equal(f.swap_used, TALLY_UNKNOWN);
  assert_true(isnan(f.load[0]));

  tree_remove(&tree, "/proc");
  f = read_facts(reader);
  assert_int_equal(f.memory_total, TALLY_UNKNOWN);
  assert_int_equal(f.memory_used, TALLY_UNKNOWN);
  assert_int_equal(f.processes, TALLY_UNKNOWN);
  assert_int_equal(f.boot_ns, TALLY_UNKNOWN);
  tally_node_reader_destroy(reader);
  tree_destroy(&tree);
}

/* The kernel that the test runs on. */
static void test_this_node(void **state) {
  tally_node_reader_t *reader = tally_node_reader_create(NULL, NULL);
  tally_node_facts_t f = read_facts(reader);
  assert_true(f.memory_total > 0 && f.memory_used < f.memory_total);
  assert_true(f.processes >= 1 && f.load[0] >= 0);
  assert_true(f.boot_ns < tally_clock_realtime_ns());
  tally_node_reader_destroy(reader);
}

static void test_name(void **state) {
  char name[256], own[256];
  tally_node_name(NULL, name, sizeof(name));
  assert_int_equal(gethostname(own, sizeof(own)), 0);
  assert_string_equal(name, own);

  tree_t tree;
  tree_create(&tree);
  tally_node_name(tree.root, name, sizeof(name));
  assert_string_equal(name, "");
  tree_write(&tree, "/etc/hostname", "quay\n");
  tally_node_name(tree.root, name, sizeof(name));
  assert_string_equal(name, "quay");
  tree_destroy(&tree);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_files),
      cmocka_unit_test(test_strange_files),
      cmocka_unit_test(test_this_node),
      cmocka_unit_test(test_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
