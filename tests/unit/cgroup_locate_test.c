/* SPDX-License-Identifier: MIT */
/* Which hierarchies a host has and where a container lives in them, for the
 * layouts that are in use. */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <limits.h>

#include "cgroup/cgroup.h"
#include "cgroup/hierarchy.h"
#include "core/mountinfo.h"
#include "tree.h"

#define ID "3f4e5d6c7b8a0123456789abcdef0123456789abcdef0123456789abcdef4567"
#define OTHER "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* ---- mountinfo ----------------------------------------------------------- */

static void test_mountinfo(void **state) {
  char line[] = "36 35 98:0 /a\\040b /mnt\\0112 rw master:1 shared:2 - ext3 "
                "/dev/my\\040root rw,errors=continue\n";
  tally_mount_t m;
  assert_true(tally_mountinfo_parse(line, &m));
  assert_string_equal(m.number, "98:0");
  assert_string_equal(m.root, "/a b");
  assert_string_equal(m.point, "/mnt\t2");
  assert_string_equal(m.mount_options, "rw");
  assert_string_equal(m.type, "ext3");
  assert_string_equal(m.source, "/dev/my root");
  assert_string_equal(m.options, "rw,errors=continue");

  char no_source[] = "36 35 0:31 / /c rw -  cgroup  rw,cpu\n";
  assert_true(tally_mountinfo_parse(no_source, &m));
  assert_string_equal(m.source, "");
  assert_string_equal(m.options, "rw,cpu");

  static const char *const bad[] = {
      "",
      "\n",
      "36 35 98:0 / /mnt rw",
      "36 35 98:0 / /mnt rw - ext3",
      "36 35 98:0 / /mnt - ext3 x rw",
      "36 35 98:0 x y rw - ext3 x rw",
  };
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    char copy[128];
    strcpy(copy, bad[i]);
    assert_false(tally_mountinfo_parse(copy, &m));
  }
}

static void test_mount_options(void **state) {
  assert_true(tally_mountinfo_has_option("rw,cpu,cpuacct", "cpu"));
  assert_true(tally_mountinfo_has_option("rw,cpu,cpuacct", "cpuacct"));
  assert_false(tally_mountinfo_has_option("rw,cpuacct", "cpu"));
  assert_false(tally_mountinfo_has_option("", "cpu"));
  assert_false(tally_mountinfo_has_option(",,", "cpu"));
}

static void test_below(void **state) {
  static const struct {
    const char *root, *path, *below;
  } cases[] = {
      {"/", "/docker/x", "/docker/x"},
      {"/", "/", ""},
      {"/docker/x", "/docker/x", ""},
      {"/docker/x", "/docker/x/y", "/y"},
      {"/docker/x", "/docker/xy", NULL},
      {"/docker/x", "/docker/z", NULL},
      /* we are in a cgroup namespace, the mount is the host's */
      {"/../..", "/../../docker/x", "/docker/x"},
      {"/../..", "/../..", ""},
      {"/../..", "/../x", NULL}, /* a sibling: its parent has no name here */
      {"/../..", "/", NULL},
      {"/", "/../x", NULL}, /* not visible through this mount */
      {"/../a", "/../a/x", "/x"},
      {"/../a", "/../b/x", NULL},
      {"/", "/..x", "/..x"}, /* a name, not a parent */
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_hierarchy_t h = {1, (char *)"/m", (char *)cases[i].root};
    const char *below = tally_hierarchy_below(&h, cases[i].path);
    if (cases[i].below == NULL)
      assert_null(below);
    else
      assert_string_equal(below, cases[i].below);
  }
}

/* ---- layouts ------------------------------------------------------------- */

typedef struct {
  const char *name;
  const char *mode;
  const char *mountinfo;
  const char *proc_cgroup;
  const char *files[12];   /* made, with no content */
  const char *controllers; /* of /sys/fs/cgroup[/unified] */
  int version[TALLY_CONTROLLERS];
  const char *dir[TALLY_CONTROLLERS]; /* below the root */
} layout_t;

#define CPU TALLY_CONTROLLER_CPU
#define CPUACCT TALLY_CONTROLLER_CPUACCT
#define MEMORY TALLY_CONTROLLER_MEMORY
#define IO TALLY_CONTROLLER_IO
#define PIDS TALLY_CONTROLLER_PIDS
#define UNIFIED TALLY_CONTROLLER_UNIFIED

static const layout_t layouts[] = {
    {
        .name = "v1, cpu and cpuacct in one mount, systemd driver",
        .mode = "v1",
        .mountinfo =
            "25 20 0:21 / /sys/fs/cgroup/cpu,cpuacct rw shared:1 - cgroup "
            "cgroup rw,cpu,cpuacct\n"
            "26 20 0:22 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
            "27 20 0:23 / /sys/fs/cgroup/systemd rw - cgroup cgroup "
            "rw,xattr,name=systemd\n",
        .proc_cgroup = "3:memory:/system.slice/docker-" ID ".scope\n"
                       "2:cpu,cpuacct:/system.slice/docker-" ID ".scope\n"
                       "1:name=systemd:/system.slice/docker-" ID ".scope\n",
        .files = {"/sys/fs/cgroup/cpu,cpuacct/tasks",
                  "/sys/fs/cgroup/memory/tasks",
                  "/sys/fs/cgroup/cpu,cpuacct/system.slice/docker-" ID
                  ".scope/tasks",
                  "/sys/fs/cgroup/memory/system.slice/docker-" ID
                  ".scope/tasks"},
        .version = {[CPU] = 1, [CPUACCT] = 1, [MEMORY] = 1},
        .dir = {[CPU] = "/sys/fs/cgroup/cpu,cpuacct/system.slice/docker-" ID
                        ".scope",
                [CPUACCT] = "/sys/fs/cgroup/cpu,cpuacct/system.slice/docker-" ID
                            ".scope",
                [MEMORY] =
                    "/sys/fs/cgroup/memory/system.slice/docker-" ID ".scope"},
    },
    {
        .name = "Amazon Linux: /cgroup, a task's parent cgroup",
        .mode = "v1",
        .mountinfo =
            "25 20 0:21 / /cgroup/blkio rw - cgroup cgroup rw,blkio\n"
            "26 20 0:22 / /cgroup/memory rw - cgroup cgroup rw,memory\n",
        .proc_cgroup = "3:memory:/ecs/8d0f/" ID "\n2:blkio:/ecs/8d0f/" ID "\n",
        .files = {"/cgroup/blkio/tasks", "/cgroup/memory/tasks",
                  "/cgroup/blkio/ecs/8d0f/" ID "/tasks",
                  "/cgroup/memory/ecs/8d0f/" ID "/tasks"},
        .version = {[IO] = 1, [MEMORY] = 1},
        .dir = {[IO] = "/cgroup/blkio/ecs/8d0f/" ID,
                [MEMORY] = "/cgroup/memory/ecs/8d0f/" ID},
    },
    {
        .name = "CentOS 6: everything in one mount",
        .mode = "v1",
        .mountinfo = "25 20 0:21 / /cgroups rw - cgroup none "
                     "rw,cpuset,cpu,cpuacct,memory,blkio\n",
        .proc_cgroup = "1:blkio,memory,cpuacct,cpu,cpuset:/docker/" ID "\n",
        .files = {"/cgroups/tasks", "/cgroups/docker/" ID "/tasks"},
        .version = {1, 1, 1, 1, 1},
        .dir = {"/cgroups/docker/" ID, "/cgroups/docker/" ID,
                "/cgroups/docker/" ID, "/cgroups/docker/" ID,
                "/cgroups/docker/" ID},
    },
    {
        .name = "hybrid, an older kernel that lists cpu for v2 too late",
        .mode = "hybrid",
        .mountinfo =
            "24 20 0:20 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
            "25 20 0:21 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup "
            "rw,cpuacct\n",
        .proc_cgroup = "1:cpuacct:/docker/" ID "\n0::/docker/" ID "\n",
        .files = {"/sys/fs/cgroup/unified/cgroup.procs",
                  "/sys/fs/cgroup/cpuacct/tasks",
                  "/sys/fs/cgroup/unified/docker/" ID "/cgroup.procs",
                  "/sys/fs/cgroup/cpuacct/docker/" ID "/tasks"},
        .controllers = "/sys/fs/cgroup/unified/cgroup.controllers",
        .version = {[CPUACCT] = 1, [UNIFIED] = 2},
        .dir = {[CPUACCT] = "/sys/fs/cgroup/cpuacct/docker/" ID,
                [UNIFIED] = "/sys/fs/cgroup/unified/docker/" ID},
    },
    {
        .name = "v2, an init system has moved down in its own cgroup",
        .mode = "v2",
        .mountinfo = "29 22 0:24 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        .proc_cgroup = "0::/system.slice/docker-" ID ".scope/init.scope\n",
        .files = {"/sys/fs/cgroup/cgroup.procs",
                  "/sys/fs/cgroup/system.slice/docker-" ID
                  ".scope/init.scope/cgroup.procs"},
        .version = {[CPUACCT] = 2, [UNIFIED] = 2},
        .controllers = "/sys/fs/cgroup/cgroup.controllers",
        .dir = {[CPUACCT] = "/sys/fs/cgroup/system.slice/docker-" ID ".scope",
                [UNIFIED] = "/sys/fs/cgroup/system.slice/docker-" ID ".scope"},
    },
    {
        .name = "seen from a cgroup namespace: the path has no name here",
        .mode = "v2",
        .mountinfo =
            "29 22 0:24 /../../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        .proc_cgroup = "0::/../docker-" ID ".scope\n",
        .files = {"/sys/fs/cgroup/cgroup.procs",
                  "/sys/fs/cgroup/a.slice/a-b.slice/docker-" ID
                  ".scope/cgroup.procs"},
        .version = {[CPUACCT] = 2, [UNIFIED] = 2},
        .controllers = "/sys/fs/cgroup/cgroup.controllers",
        .dir = {[CPUACCT] =
                    "/sys/fs/cgroup/a.slice/a-b.slice/docker-" ID ".scope",
                [UNIFIED] =
                    "/sys/fs/cgroup/a.slice/a-b.slice/docker-" ID ".scope"},
    },
};

static void make_layout(tree_t *tree, const layout_t *l) {
  tree_create(tree);
  tree_write(tree, "/proc/1/mountinfo", l->mountinfo);
  tree_write(tree, "/proc/77/cgroup", l->proc_cgroup);
  for (size_t i = 0; i < COUNT_OF(l->files) && l->files[i]; i++)
    tree_write(tree, l->files[i], "");
  if (l->controllers != NULL)
    tree_write(tree, l->controllers, "\n");
}

static void assert_paths(const tree_t *tree, const layout_t *l,
                         const tally_cgroup_paths_t *paths) {
  for (size_t c = 0; c < TALLY_CONTROLLERS; c++) {
    assert_int_equal(paths->version[c], l->version[c]);
    if (l->dir[c] == NULL) {
      assert_null(paths->dir[c]);
      continue;
    }
    char expected[PATH_MAX];
    snprintf(expected, sizeof(expected), "%s%s", tree->root, l->dir[c]);
    assert_non_null(paths->dir[c]);
    assert_string_equal(paths->dir[c], expected);
  }
}

static void test_layouts(void **state) {
  for (size_t i = 0; i < COUNT_OF(layouts); i++) {
    const layout_t *l = &layouts[i];
    print_message("# %s\n", l->name);
    tree_t tree;
    make_layout(&tree, l);

    tally_error_t err = {0};
    tally_cgroup_host_t *host = tally_cgroup_host_create(tree.root, &err);
    assert_non_null(host);
    assert_string_equal(tally_cgroup_host_mode(host), l->mode);
    assert_string_equal(tally_cgroup_host_rootfs(host), tree.root);
    for (size_t c = 0; c < TALLY_CONTROLLERS; c++)
      assert_int_equal(tally_cgroup_host_version(host, c), l->version[c]);

    tally_cgroup_paths_t paths;
    assert_int_equal(tally_cgroup_locate(host, 77, ID, &paths, &err), 0);
    assert_paths(&tree, l, &paths);
    tally_cgroup_paths_clear(&paths);

    /* Once the place is known, the process is no longer needed … */
    tree_remove(&tree, "/proc/77");
    assert_int_equal(tally_cgroup_locate(host, 77, ID, &paths, &err), 0);
    assert_paths(&tree, l, &paths);
    tally_cgroup_paths_clear(&paths);
    assert_int_equal(tally_cgroup_locate(host, 0, ID, &paths, &err), 0);
    tally_cgroup_paths_clear(&paths);

    /* … but another container is still not this one. */
    assert_int_equal(tally_cgroup_locate(host, 77, OTHER, &paths, &err), -1);
    assert_int_equal(err.code, ENOENT);
    tally_cgroup_host_destroy(host);
    tree_destroy(&tree);
  }
}

static void test_usual_places(void **state) {
  /* the process went before anybody could ask it */
  for (size_t i = 0; i < COUNT_OF(layouts); i++) {
    const layout_t *l = &layouts[i];
    bool usual = i == 0 || i == 2 || i == 3;
    tree_t tree;
    make_layout(&tree, l);
    tally_cgroup_host_t *host = tally_cgroup_host_create(tree.root, NULL);
    tally_cgroup_paths_t paths;
    assert_int_equal(tally_cgroup_locate(host, 78, ID, &paths, NULL),
                     usual || i == 4 ? 0 : -1);
    tally_cgroup_paths_clear(&paths);
    tally_cgroup_host_destroy(host);
    tree_destroy(&tree);
  }
}

static void test_reused_pid(void **state) {
  tree_t tree;
  make_layout(&tree, &layouts[2]);
  tree_write(&tree, "/proc/77/cgroup",
             "1:blkio,memory,cpuacct,cpu,cpuset:/user.slice\n");
  tree_write(&tree, "/proc/79/cgroup",
             "1:blkio,memory,cpuacct,cpu,cpuset:/docker/" OTHER "\n");
  tree_remove(&tree, "/cgroups/docker");
  tree_write(&tree, "/cgroups/docker/" OTHER "/tasks", "");
  tally_cgroup_host_t *host = tally_cgroup_host_create(tree.root, NULL);
  tally_cgroup_paths_t paths;
  tally_error_t err = {0};
  for (int pid = 77; pid <= 79; pid++) {
    assert_int_equal(tally_cgroup_locate(host, pid, ID, &paths, &err), -1);
    assert_int_equal(err.code, ENOENT);
    for (size_t c = 0; c < TALLY_CONTROLLERS; c++)
      assert_null(paths.dir[c]);
  }
  tally_cgroup_host_destroy(host);
  tree_destroy(&tree);
}

static void test_hostile_proc_cgroup(void **state) {
  tree_t tree;
  make_layout(&tree, &layouts[2]);
  tally_cgroup_host_t *host = tally_cgroup_host_create(tree.root, NULL);
  char *longer = malloc(100000);
  memset(longer, 'x', 99999);
  longer[99999] = '\0';
  const char *const bad[] = {
      "", "\n", ":", "::", ":::", "1:memory", "\xff\xfe", longer, "0::/" ID};
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    tree_write(&tree, "/proc/77/cgroup", bad[i]);
    tally_cgroup_paths_t paths;
    /* still found, in the usual place */
    assert_int_equal(tally_cgroup_locate(host, 77, ID, &paths, NULL), 0);
    tally_cgroup_paths_clear(&paths);
  }
  free(longer);

  static const char *const no_ids[] = {"", "..", "3f4e5d6c7b8a", ID "0",
                                       "../../../../etc/passwd"};
  for (size_t i = 0; i < COUNT_OF(no_ids); i++) {
    tally_cgroup_paths_t paths;
    tally_error_t err = {0};
    assert_int_equal(tally_cgroup_locate(host, 77, no_ids[i], &paths, &err),
                     -1);
    assert_int_equal(err.code, EINVAL);
  }
  tally_cgroup_host_destroy(host);
  tree_destroy(&tree);
}

static void test_no_cgroups(void **state) {
  tree_t tree;
  tree_create(&tree);
  tally_error_t err = {0};
  assert_null(tally_cgroup_host_create(tree.root, &err));
  assert_int_equal(err.code, ENOENT);
  assert_non_null(strstr(err.message, tree.root));

  /* mounted says the table, but nothing is there */
  tree_write(&tree, "/proc/1/mountinfo",
             "25 20 0:21 / /cgroup rw - cgroup cgroup rw,memory\n");
  assert_null(tally_cgroup_host_create(tree.root, &err));
  tree_destroy(&tree);
}

static void test_hint(void **state) {
  tree_t tree;
  make_layout(&tree, &layouts[1]); /* memory without swap, no cpu */
  tally_cgroup_host_t *host = tally_cgroup_host_create(tree.root, NULL);
  const char *hint = tally_cgroup_host_hint(host);
  assert_non_null(hint);
  assert_non_null(strstr(hint, "cpuacct"));
  assert_non_null(strstr(hint, "swapaccount=1"));
  assert_null(strstr(hint, "memory accounting"));
  tally_cgroup_host_destroy(host);
  tree_destroy(&tree);

  host = tally_cgroup_host_create(tree_fixture("unified-6.1"), NULL);
  assert_non_null(host);
  assert_null(tally_cgroup_host_hint(host));
  tally_cgroup_host_destroy(host);
}

static void test_trailing_slash(void **state) {
  tree_t tree;
  make_layout(&tree, &layouts[2]);
  char rootfs[128];
  snprintf(rootfs, sizeof(rootfs), "%s//", tree.root);
  tally_cgroup_host_t *host = tally_cgroup_host_create(rootfs, NULL);
  assert_non_null(host);
  assert_string_equal(tally_cgroup_host_rootfs(host), tree.root);
  tally_cgroup_host_destroy(host);
  tree_destroy(&tree);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mountinfo),
      cmocka_unit_test(test_mount_options),
      cmocka_unit_test(test_below),
      cmocka_unit_test(test_layouts),
      cmocka_unit_test(test_usual_places),
      cmocka_unit_test(test_reused_pid),
      cmocka_unit_test(test_hostile_proc_cgroup),
      cmocka_unit_test(test_no_cgroups),
      cmocka_unit_test(test_hint),
      cmocka_unit_test(test_trailing_slash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
