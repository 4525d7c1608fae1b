/* SPDX-License-Identifier: MIT */
/* Which files are written, with what and in which order. The kernel's own
 * refusals are the business of the system tests. */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/adjust.h"
#include "cgroup/epoch.h"
#include "core/file.h"
#include "tree.h"

#define ID "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define U TALLY_UNKNOWN
#define MAX TALLY_UNLIMITED
#define MIB (UINT64_C(1) << 20)
#define V1_MAX "18446744073709551615"

/* ---- planning ------------------------------------------------------------ */

typedef struct {
  const char *name;
  int version;
  uint64_t max, high, swap;        /* wanted */
  uint64_t limit, limit_with_swap; /* shown now */
  const char *steps;               /* "file=text …"; "!" before: impossible */
} memory_case_t;

static const memory_case_t memory_cases[] = {
    {"the contract's SWAP=1", 1, MAX, MAX, MAX, 100 * MIB, 100 * MIB,
     "memory.memsw.limit_in_bytes=" V1_MAX " memory.soft_limit_in_bytes=" V1_MAX
     " memory.limit_in_bytes=" V1_MAX " "},
    {"raise: memsw first", 1, 200 * MIB, U, 50 * MIB, 100 * MIB, 150 * MIB,
     "memory.memsw.limit_in_bytes=262144000 "
     "memory.limit_in_bytes=209715200 "},
    {"lower: memsw last", 1, 50 * MIB, 40 * MIB, 10 * MIB, 100 * MIB, 150 * MIB,
     "memory.soft_limit_in_bytes=41943040 memory.limit_in_bytes=52428800 "
     "memory.memsw.limit_in_bytes=62914560 "},
    {"from unlimited", 1, 50 * MIB, U, 0, MAX, MAX,
     "memory.limit_in_bytes=52428800 memory.memsw.limit_in_bytes=52428800 "},
    {"memsw falls, but not below the present limit", 1, 80 * MIB, U, 30 * MIB,
     100 * MIB, 200 * MIB,
     "memory.memsw.limit_in_bytes=115343360 memory.limit_in_bytes=83886080 "},
    {"memory alone takes memsw with it", 1, 300 * MIB, U, U, 100 * MIB,
     150 * MIB,
     "memory.memsw.limit_in_bytes=367001600 memory.limit_in_bytes=314572800 "},
    {"memory alone, memsw is unlimited", 1, 300 * MIB, U, U, 100 * MIB, MAX,
     "memory.limit_in_bytes=314572800 "},
    {"memory alone, swap is not counted", 1, 300 * MIB, U, U, 100 * MIB, U,
     "memory.limit_in_bytes=314572800 "},
    {"swap alone", 1, U, U, 512 * MIB, 100 * MIB, 100 * MIB,
     "memory.memsw.limit_in_bytes=641728512 "},
    {"swap alone, no limit of memory", 1, U, U, 512 * MIB, MAX, MAX,
     "!memory.memsw.limit_in_bytes=536870912 "},
    {"unlimited swap alone", 1, U, U, MAX, 100 * MIB, 100 * MIB,
     "memory.memsw.limit_in_bytes=" V1_MAX " "},
    {"nothing", 1, U, U, U, 100 * MIB, 100 * MIB, ""},
    {"v2", 2, 100 * MIB, 80 * MIB, 0, U, U,
     "memory.swap.max=0 memory.high=83886080 memory.max=104857600 "},
    {"v2 unlimited", 2, MAX, MAX, MAX, U, U,
     "memory.swap.max=max memory.high=max memory.max=max "},
    {"v2 nothing", 2, U, U, U, U, U, ""},
};

static void render(const tally_step_t *steps, size_t count, char *text) {
  *text = '\0';
  for (size_t i = 0; i < count; i++)
    text += sprintf(text, "%s%s=%s ", steps[i].impossible ? "!" : "",
                    steps[i].file, steps[i].text);
}

static void test_memory_order(void **state) {
  for (size_t i = 0; i < COUNT_OF(memory_cases); i++) {
    const memory_case_t *c = &memory_cases[i];
    print_message("# %s\n", c->name);
    tally_cgroup_paths_t paths = {
        .version = {[TALLY_CONTROLLER_MEMORY] = c->version}};
    tally_limits_t limits;
    tally_limits_init(&limits);
    limits.value[TALLY_LIMIT_MEMORY_MAX] = c->max;
    limits.value[TALLY_LIMIT_MEMORY_HIGH] = c->high;
    limits.value[TALLY_LIMIT_SWAP_MAX] = c->swap;
    tally_memory_now_t now = {c->limit, c->limit_with_swap};
    tally_step_t steps[TALLY_LIMIT_CHANGES_MAX];
    size_t count = tally_adjust_plan(&paths, &limits, &now, steps);
    char text[1024];
    render(steps, count, text);
    assert_string_equal(text, c->steps);
  }
}

static void test_other_limits(void **state) {
  static const struct {
    int version;
    tally_limit_t limit;
    uint64_t value;
    const char *steps;
  } cases[] = {
      {1, TALLY_LIMIT_CPU_WEIGHT, 100, "cpu.shares=1024 "},
      {2, TALLY_LIMIT_CPU_WEIGHT, 100, "cpu.weight=100 "},
      {1, TALLY_LIMIT_CPU_MAX, 1500,
       "cpu.cfs_period_us=100000 cpu.cfs_quota_us=150000 "},
      {1, TALLY_LIMIT_CPU_MAX, MAX,
       "cpu.cfs_period_us=100000 cpu.cfs_quota_us=-1 "},
      {2, TALLY_LIMIT_CPU_MAX, 500, "cpu.max=50000 100000 "},
      {2, TALLY_LIMIT_CPU_MAX, MAX, "cpu.max=max 100000 "},
      {1, TALLY_LIMIT_PIDS_MAX, 64, "pids.max=64 "},
      {2, TALLY_LIMIT_PIDS_MAX, MAX, "pids.max=max "},
      {1, TALLY_LIMIT_IO_WEIGHT, 100, "blkio.bfq.weight=100 blkio.weight=500 "},
      {1, TALLY_LIMIT_IO_WEIGHT, 1, "blkio.bfq.weight=1 blkio.weight=10 "},
      {2, TALLY_LIMIT_IO_WEIGHT, 200, "io.weight=200 io.bfq.weight=109 "},
      {2, TALLY_LIMIT_IO_WEIGHT, 10000, "io.weight=10000 io.bfq.weight=1000 "},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_cgroup_paths_t paths;
    for (size_t c = 0; c < TALLY_CONTROLLERS; c++)
      paths.version[c] = cases[i].version;
    tally_limits_t limits;
    tally_limits_init(&limits);
    limits.value[cases[i].limit] = cases[i].value;
    tally_memory_now_t now = {U, U};
    tally_step_t steps[TALLY_LIMIT_CHANGES_MAX];
    size_t count = tally_adjust_plan(&paths, &limits, &now, steps);
    char text[1024];
    render(steps, count, text);
    assert_string_equal(text, cases[i].steps);
    for (size_t k = 0; k < count; k++)
      assert_int_equal(steps[k].limit, cases[i].limit);
  }
}

static void test_all_at_once_fits(void **state) {
  for (int version = 1; version <= 2; version++) {
    tally_cgroup_paths_t paths;
    for (size_t c = 0; c < TALLY_CONTROLLERS; c++)
      paths.version[c] = version;
    tally_limits_t limits;
    for (size_t i = 0; i < TALLY_LIMITS; i++)
      limits.value[i] = 100;
    tally_memory_now_t now = {MIB, MIB};
    tally_step_t steps[TALLY_LIMIT_CHANGES_MAX];
    assert_true(tally_adjust_plan(&paths, &limits, &now, steps) <=
                TALLY_LIMIT_CHANGES_MAX);
  }
}

/* ---- carrying out -------------------------------------------------------- */

#define DIR_OF "/cgroup/docker/" ID
static char dir[PATH_MAX / 2];

/* A container on v1 whose files take whatever is written. */
static void make_container(tree_t *tree, tally_cgroup_paths_t *paths) {
  tree_create(tree);
  tree_write(tree, DIR_OF "/memory.limit_in_bytes", "104857600\n");
  tree_write(tree, DIR_OF "/memory.memsw.limit_in_bytes", "104857600\n");
  tree_write(tree, DIR_OF "/memory.soft_limit_in_bytes", V1_MAX "\n");
  tree_write(tree, DIR_OF "/blkio.weight", "500\n");
  snprintf(dir, sizeof(dir), "%s" DIR_OF, tree->root);
  *paths = (tally_cgroup_paths_t){0};
  for (size_t c = 0; c < TALLY_CONTROLLERS; c++) {
    paths->dir[c] = dir;
    paths->version[c] = 1;
  }
}

static void assert_shows(const tree_t *tree, const char *file,
                         const char *text) {
  char path[PATH_MAX], now[128];
  snprintf(path, sizeof(path), "%s" DIR_OF "/%s", tree->root, file);
  assert_true(tally_file_read(path, now, sizeof(now), NULL) >= 0);
  assert_string_equal(now, text);
}

static void test_apply(void **state) {
  tree_t tree;
  tally_cgroup_paths_t paths;
  make_container(&tree, &paths);
  tally_limits_t limits;
  tally_limits_init(&limits);
  limits.value[TALLY_LIMIT_MEMORY_MAX] = MAX;
  limits.value[TALLY_LIMIT_MEMORY_HIGH] = MAX;
  limits.value[TALLY_LIMIT_SWAP_MAX] = MAX;

  tally_limit_change_t changes[TALLY_LIMIT_CHANGES_MAX];
  size_t count;
  unsigned epoch = atomic_load(tally_cgroup_epoch(dir));
  assert_int_equal(tally_cgroup_apply(&paths, &limits, true, changes, &count),
                   0);
  assert_int_equal(count, 3);
  assert_false(changes[0].changed || changes[0].verified);
  assert_shows(&tree, "memory.limit_in_bytes", "104857600\n");
  assert_int_equal(atomic_load(tally_cgroup_epoch(dir)), epoch);

  assert_int_equal(tally_cgroup_apply(&paths, &limits, false, changes, &count),
                   0);
  assert_int_equal(count, 3);
  assert_string_equal(changes[0].file, "memory.memsw.limit_in_bytes");
  assert_string_equal(changes[0].before, "104857600");
  assert_string_equal(changes[0].wanted, V1_MAX);
  assert_true(changes[0].changed && changes[0].verified);
  assert_string_equal(changes[1].file, "memory.soft_limit_in_bytes");
  assert_true(!changes[1].changed && changes[1].verified);
  assert_string_equal(changes[2].file, "memory.limit_in_bytes");
  assert_true(changes[2].changed && changes[2].verified);
  assert_shows(&tree, "memory.limit_in_bytes", V1_MAX); /* no newline */
  assert_true(atomic_load(tally_cgroup_epoch(dir)) != epoch);

  /* a second time there is nothing left to do */
  epoch = atomic_load(tally_cgroup_epoch(dir));
  assert_int_equal(tally_cgroup_apply(&paths, &limits, false, changes, &count),
                   0);
  for (size_t i = 0; i < count; i++)
    assert_true(!changes[i].changed && changes[i].verified);
  assert_int_equal(atomic_load(tally_cgroup_epoch(dir)), epoch);
  tree_destroy(&tree);
}

static void test_one_refusal_stops_nothing(void **state) {
  tree_t tree;
  tally_cgroup_paths_t paths;
  make_container(&tree, &paths);
  tree_remove(&tree, DIR_OF "/memory.soft_limit_in_bytes");
  tally_limits_t limits;
  tally_limits_init(&limits);
  limits.value[TALLY_LIMIT_MEMORY_MAX] = 50 * MIB;
  limits.value[TALLY_LIMIT_MEMORY_HIGH] = 40 * MIB;
  limits.value[TALLY_LIMIT_PIDS_MAX] = 10; /* there is no such file either */
  limits.value[TALLY_LIMIT_IO_WEIGHT] = 200;
  tally_limit_change_t changes[TALLY_LIMIT_CHANGES_MAX];
  size_t count;
  assert_int_equal(tally_cgroup_apply(&paths, &limits, false, changes, &count),
                   2);
  assert_int_equal(count, 5);
  assert_string_equal(changes[0].file, "memory.soft_limit_in_bytes");
  assert_int_equal(changes[0].code, ENOENT);
  assert_string_equal(changes[1].file, "memory.limit_in_bytes");
  assert_true(changes[1].verified);
  assert_string_equal(changes[3].file, "pids.max");
  assert_int_equal(changes[3].code, ENOENT);
  assert_string_equal(changes[4].file, "blkio.weight"); /* not the BFQ one */
  assert_string_equal(changes[4].after, "1000");
  tree_destroy(&tree);
}

static void test_page_rounding(void **state) {
  tree_t tree;
  tally_cgroup_paths_t paths;
  make_container(&tree, &paths);
  tree_write(&tree, DIR_OF "/memory.soft_limit_in_bytes", "40960\n");
  tally_limits_t limits;
  tally_limits_init(&limits);
  tally_limit_change_t changes[TALLY_LIMIT_CHANGES_MAX];
  size_t count;
  /* the kernel shows 40960 for anything up to the next page */
  limits.value[TALLY_LIMIT_MEMORY_HIGH] = 40961;
  assert_int_equal(tally_cgroup_apply(&paths, &limits, true, changes, &count),
                   0);
  assert_true(changes[0].verified);
  limits.value[TALLY_LIMIT_MEMORY_HIGH] = 40959;
  assert_int_equal(tally_cgroup_apply(&paths, &limits, true, changes, &count),
                   0);
  assert_false(changes[0].verified);
  tree_destroy(&tree);
}

static void test_stays_inside(void **state) {
  tree_t tree;
  tally_cgroup_paths_t paths;
  make_container(&tree, &paths);
  tree_write(&tree, "/victim", "104857600\n");
  tally_limits_t limits;
  tally_limits_init(&limits);
  limits.value[TALLY_LIMIT_MEMORY_HIGH] = MIB;
  tally_limit_change_t changes[TALLY_LIMIT_CHANGES_MAX];
  size_t count;

  /* a link in place of the file */
  char target[PATH_MAX], link[PATH_MAX], text[64];
  snprintf(target, sizeof(target), "%s/victim", tree.root);
  snprintf(link, sizeof(link), "%s/memory.soft_limit_in_bytes", dir);
  assert_int_equal(unlink(link), 0);
  assert_int_equal(symlink(target, link), 0);
  assert_int_equal(tally_cgroup_apply(&paths, &limits, false, changes, &count),
                   1);
  assert_int_equal(changes[0].code, ELOOP);
  assert_true(tally_file_read(target, text, sizeof(text), NULL) > 0);
  assert_string_equal(text, "104857600\n");

  /* a link in place of the directory */
  char other[PATH_MAX];
  snprintf(other, sizeof(other), "%s/docker-" ID ".scope", tree.root);
  assert_int_equal(symlink(dir, other), 0);
  paths.dir[TALLY_CONTROLLER_MEMORY] = other;
  assert_int_equal(tally_cgroup_apply(&paths, &limits, false, changes, &count),
                   1);
  assert_int_equal(changes[0].code, ENOTDIR);

  /* directories that are nobody's */
  static const char *const nobody[] = {
      "/sys/fs/cgroup", "/", "", "/tmp/" ID "/child", "/tmp/aaaaaaaaaaaa"};
  for (size_t i = 0; i < COUNT_OF(nobody); i++) {
    paths.dir[TALLY_CONTROLLER_MEMORY] = (char *)nobody[i];
    assert_int_equal(
        tally_cgroup_apply(&paths, &limits, false, changes, &count), 1);
    assert_int_equal(changes[0].code, EPERM);
  }
  tree_destroy(&tree);
}

static void test_restore(void **state) {
  tree_t tree;
  tally_cgroup_paths_t paths;
  make_container(&tree, &paths);
  tree_write(&tree, DIR_OF "/blkio.bfq.weight", "default 100\n");
  tally_limits_t limits;
  tally_limits_init(&limits);
  limits.value[TALLY_LIMIT_MEMORY_MAX] = 200 * MIB;
  limits.value[TALLY_LIMIT_SWAP_MAX] = 0;
  limits.value[TALLY_LIMIT_IO_WEIGHT] = 50;
  tally_limit_change_t there[TALLY_LIMIT_CHANGES_MAX];
  tally_limit_change_t back[TALLY_LIMIT_CHANGES_MAX];
  size_t count, back_count;
  assert_int_equal(tally_cgroup_apply(&paths, &limits, false, there, &count),
                   0);
  assert_int_equal(count, 4);

  assert_int_equal(
      tally_cgroup_restore(&paths, there, count, true, back, &back_count), 0);
  assert_shows(&tree, "memory.limit_in_bytes", "209715200");
  assert_int_equal(
      tally_cgroup_restore(&paths, there, count, false, back, &back_count), 0);
  assert_int_equal(back_count, 4);
  for (size_t i = 0; i < count; i++) {
    assert_string_equal(back[i].file, there[count - 1 - i].file);
    assert_true(back[i].changed && back[i].verified);
  }
  assert_shows(&tree, "memory.limit_in_bytes", "104857600");
  assert_shows(&tree, "memory.memsw.limit_in_bytes", "104857600");
  assert_shows(&tree, "blkio.weight", "500");
  assert_shows(&tree, "blkio.bfq.weight", "100");
  tree_destroy(&tree);
}

static void test_restore_stays_inside(void **state) {
  tree_t tree;
  tally_cgroup_paths_t paths;
  make_container(&tree, &paths);
  tree_write(&tree, "/cgroup/docker/victim", "1\n");
  const tally_limit_change_t originals[] = {
      {.limit = TALLY_LIMIT_MEMORY_MAX, .file = "../victim", .before = "2"},
      {.limit = TALLY_LIMIT_MEMORY_MAX, .file = "cgroup.procs", .before = "2"},
      {.limit = TALLY_LIMIT_MEMORY_MAX, .file = "", .before = "2"},
      {.limit = TALLY_LIMIT_MEMORY_MAX, .file = "memory.limit_in_bytes"},
  };
  tally_limit_change_t changes[TALLY_LIMIT_CHANGES_MAX];
  size_t count;
  assert_int_equal(tally_cgroup_restore(&paths, originals, COUNT_OF(originals),
                                        false, changes, &count),
                   0);
  assert_int_equal(count, 0);
  assert_shows(&tree, "memory.limit_in_bytes", "104857600\n");
  tree_destroy(&tree);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_memory_order),
      cmocka_unit_test(test_other_limits),
      cmocka_unit_test(test_all_at_once_fits),
      cmocka_unit_test(test_restore),
      cmocka_unit_test(test_restore_stays_inside),
      cmocka_unit_test(test_apply),
      cmocka_unit_test(test_one_refusal_stops_nothing),
      cmocka_unit_test(test_page_rounding),
      cmocka_unit_test(test_stays_inside),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
