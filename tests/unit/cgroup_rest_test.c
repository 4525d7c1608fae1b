/* SPDX-License-Identifier: MIT */
/* When a container is at rest, and what is not read then. */
#include "config.h"

#include "unit.h"

#include <unistd.h>

#include "cgroup/cgroup.h"
#include "cgroup/files.h"
#include "cgroup/rest.h"
#include "tree.h"

#define ID "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FILE_OF(name) "/cgroup/docker/" ID "/" name

static void test_rest_begins_when_all_has_settled(void **state) {
  tally_cgroup_sample_t before, now;
  tally_cgroup_sample_init(&before);
  tally_cgroup_sample_init(&now);
  before.cpu_usage_ns = now.cpu_usage_ns = 1000;
  before.memory_usage = now.memory_usage = 4096;
  const uint64_t begin = 50 * TALLY_NS_PER_S;
  tally_rest_t rest = {0};

  /* whatever the sample says: this reader has not read it before */
  tally_rest_update(&rest, &before, &now, begin, 0);
  assert_int_equal(rest.until_ns, 0);
  uint64_t settled = begin + TALLY_REST_SETTLES_NS;
  tally_rest_update(&rest, &before, &now, settled - 1, 0);
  assert_int_equal(rest.until_ns, 0);
  tally_rest_update(&rest, &before, &now, settled, 0);
  assert_int_equal(rest.until_ns, settled + TALLY_REST_LASTS_NS);
  tally_rest_update(&rest, &before, &now, settled + 7, 5);
  assert_int_equal(rest.until_ns, settled + TALLY_REST_LASTS_NS + 2);

  tally_rest_update(&rest, NULL, &now, settled + 8, 0);
  assert_int_equal(rest.until_ns, 0);
  settled += 8 + TALLY_REST_SETTLES_NS;
  tally_rest_update(&rest, &before, &now, settled, 0);
  assert_true(rest.until_ns > settled);

  now.memory_usage += 4096; /* not by its tasks: reclaim */
  tally_rest_update(&rest, &before, &now, settled + 1, 0);
  assert_int_equal(rest.until_ns, 0);

  /* where CPU time is not counted, nothing tells that it is at rest */
  before.cpu_usage_ns = now.cpu_usage_ns = TALLY_UNKNOWN;
  assert_false(tally_rest_is_still(&before, &now));

  assert_true(tally_rest_has_decayed(&now)); /* no pressure is known */
  now.pressure[TALLY_RESOURCE_IO].full_avg10 = 0.01;
  assert_false(tally_rest_has_decayed(&now));
}

/* A container of which everything was read once it had come to rest. */
static tally_cgroup_reader_t *open_resting(tree_t *tree,
                                           tally_cgroup_sample_t *s) {
  tree_create(tree);
  tree_write(tree, "/proc/1/mountinfo",
             "25 20 0:21 / /cgroup rw - cgroup none "
             "rw,cpuset,cpu,cpuacct,memory,blkio,pids\n");
  tree_write(tree, "/cgroup/tasks", "");
  tree_write(tree, FILE_OF("tasks"), "");
  tree_write(tree, FILE_OF("cpuacct.usage"), "1000\n");
  tree_write(tree, FILE_OF("memory.usage_in_bytes"), "4096\n");
  tree_write(tree, FILE_OF("memory.failcnt"), "1\n");
  tree_write(tree, FILE_OF("pids.max"), "100\n");

  tally_error_t err = {0};
  tally_cgroup_host_t *host = tally_cgroup_host_create(tree->root, &err);
  assert_non_null(host);
  tally_cgroup_paths_t paths;
  assert_int_equal(tally_cgroup_locate(host, 0, ID, &paths, &err), 0);
  tally_cgroup_reader_t *reader = tally_cgroup_reader_create(&paths, 0, &err);
  assert_non_null(reader);
  tally_cgroup_paths_clear(&paths);
  tally_cgroup_host_destroy(host);

  for (int i = 0; i < 2; i++) {
    assert_int_equal(
        tally_cgroup_reader_read(reader, TALLY_CGROUP_CONTINUE, s, &err),
        TALLY_CGROUP_READ);
    assert_int_equal(err.code, 0);
    assert_false(s->at_rest);
    if (i == 0)
      usleep((TALLY_REST_SETTLES_NS + TALLY_NS_PER_MS) / 1000);
  }
  return reader;
}

static void test_at_rest(void **state) {
  tree_t tree;
  tally_cgroup_sample_t s;
  tally_error_t err = {0};
  tally_cgroup_reader_t *reader = open_resting(&tree, &s);

  /* what only its tasks can move is not looked at while they do not run */
  tree_write(&tree, FILE_OF("memory.failcnt"), "2\n");
  (void)tally_cgroup_reader_read(reader, TALLY_CGROUP_CONTINUE, &s, &err);
  assert_true(s.at_rest);
  assert_int_equal(s.memory_limit_hits, 1);
  assert_int_equal(s.cpu_usage_ns, 1000);
  assert_int_equal(s.threads_limit, 100);

  /* unless somebody wants to know */
  tree_write(&tree, FILE_OF("memory.failcnt"), "3\n");
  (void)tally_cgroup_reader_read(
      reader, TALLY_CGROUP_CONTINUE | TALLY_CGROUP_REFRESH, &s, &err);
  assert_false(s.at_rest);
  assert_int_equal(s.memory_limit_hits, 3);
  tally_cgroup_sample_t other;
  tree_write(&tree, FILE_OF("memory.failcnt"), "4\n");
  (void)tally_cgroup_reader_read(reader, 0, &other, &err);
  assert_int_equal(other.memory_limit_hits, 4);
  tally_cgroup_reader_destroy(reader);
  tree_destroy(&tree);
}

static void test_rest_ends(void **state) {
  tree_t tree;
  tally_cgroup_sample_t s;
  tally_error_t err = {0};
  tally_cgroup_reader_t *reader = open_resting(&tree, &s);
  tree_write(&tree, FILE_OF("cpuacct.usage"), "1001\n");
  tree_write(&tree, FILE_OF("memory.failcnt"), "2\n");
  (void)tally_cgroup_reader_read(reader, TALLY_CGROUP_CONTINUE, &s, &err);
  assert_false(s.at_rest);
  assert_int_equal(s.cpu_usage_ns, 1001);
  assert_int_equal(s.memory_limit_hits, 2);

  /* and has to settle again */
  (void)tally_cgroup_reader_read(reader, TALLY_CGROUP_CONTINUE, &s, &err);
  assert_false(s.at_rest);
  tally_cgroup_reader_destroy(reader);
  tree_destroy(&tree);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rest_begins_when_all_has_settled),
      cmocka_unit_test(test_at_rest),
      cmocka_unit_test(test_rest_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
