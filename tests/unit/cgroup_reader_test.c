/* SPDX-License-Identifier: MIT */
/* Samples read from trees captured from real kernels, and what happens when
 * files are missing, unreadable or nonsense. */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "cgroup/epoch.h"
#include "cgroup/hierarchy.h"
#include "tree.h"

#define HYBRID_ID                                                              \
  "6bef52d6135cbcc78485e1ec05bddced2d8403f72c62a22bbd6bf95ba04bd358"
#define HYBRID_PID 16395
#define UNIFIED_ID                                                             \
  "ad5e1227c88304b97a40df467b5585c6b1605d2623e2882bc51699a078c73026"
#define UNIFIED_PID 290

#define ID "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define U TALLY_UNKNOWN

static tally_cgroup_reader_t *open_without(const char *rootfs, int pid,
                                           const char *id, unsigned without) {
  tally_error_t err = {0};
  tally_cgroup_host_t *host = tally_cgroup_host_create(rootfs, &err);
  assert_non_null(host);
  tally_cgroup_paths_t paths;
  assert_int_equal(tally_cgroup_locate(host, pid, id, &paths, &err), 0);
  tally_cgroup_reader_t *reader =
      tally_cgroup_reader_create(&paths, without, &err);
  assert_non_null(reader);
  tally_cgroup_paths_clear(&paths);
  tally_cgroup_host_destroy(host);
  return reader;
}

static tally_cgroup_reader_t *open_container(const char *rootfs, int pid,
                                             const char *id) {
  return open_without(rootfs, pid, id, 0);
}

static void assert_hybrid(const tally_cgroup_sample_t *s) {
  assert_int_equal(s->cpu_usage_ns, 20929298912);
  assert_int_equal(s->cpu_user_ns % 10000000, 0); /* ticks */
  assert_true(s->cpu_user_ns > 20000000000 && s->cpu_user_ns < 21000000000);
  assert_true(s->cpu_system_ns > 0 && s->cpu_system_ns < 1000000000);
  assert_true(s->cpu_periods > 300 && s->cpu_throttled > 300);
  assert_true(s->cpu_throttled_ns > 10000000000);
  assert_int_equal(s->cpu_quota_us, 50000);
  assert_int_equal(s->cpu_period_us, 100000);
  assert_int_equal(s->cpuset_cpus, 2);

  assert_true(s->memory_usage > 51134464 && s->memory_usage < 104857600);
  assert_true(s->memory_anon > 0 && s->memory_anon < 1000000);
  assert_true(s->memory_file >= 51134464);
  assert_true(s->memory_shmem >= 51134464);
  assert_true(s->memory_inactive_anon > 0 && s->memory_active_anon > 0);
  assert_int_equal(s->memory_active_file, 0);
  assert_int_equal(s->memory_inactive_file, 0);
  assert_true(s->memory_kernel > 0 && s->memory_kernel < s->memory_usage);
  assert_int_equal(s->memory_swap, 0);
  assert_int_equal(s->memory_limit, 100 << 20);
  assert_int_equal(s->memory_swap_limit, 50 << 20);
  assert_true(s->memory_page_faults > 40000);
  assert_int_equal(s->memory_major_page_faults, 0);
  assert_int_equal(s->memory_limit_hits, 2815);
  assert_int_equal(s->memory_oom_kills, 2);

  /* v1 counts no pressure, but the container has a v2 directory as well */
  assert_true(fabs(s->pressure[TALLY_RESOURCE_CPU].some_avg10 - 29.67) < 1e-9);
  assert_int_equal(s->pressure[TALLY_RESOURCE_CPU].full_total_us, 15210970);
  assert_true(s->pressure[TALLY_RESOURCE_MEMORY].some_total_us != U);
  assert_true(s->pressure[TALLY_RESOURCE_IO].full_total_us != U);

  assert_true(s->devices_known);
  assert_int_equal(s->devices_count, 1);
  assert_int_equal(s->devices[0].major, 254);
  assert_int_equal(s->devices[0].read_bytes, 41943040);
  assert_int_equal(s->devices[0].write_bytes, 20971520);
  assert_int_equal(s->devices[0].read_ops, 329);
  assert_int_equal(s->devices[0].write_ops, 20);
  assert_int_equal(s->devices_ignored, 0);

  assert_int_equal(s->threads, 6);
  assert_int_equal(s->threads_limit, 100);
  assert_int_equal(s->processes, 6);
}

static void test_hybrid(void **state) {
  tally_cgroup_reader_t *reader =
      open_container(tree_fixture("hybrid-6.18"), HYBRID_PID, HYBRID_ID);
  tally_error_t err = {0};
  for (int i = 0; i < 3; i++) { /* the same, however often it is read */
    tally_cgroup_sample_t s;
    memset(&s, 0x5a, sizeof(s));
    assert_int_equal(tally_cgroup_reader_read(
                         reader, i == 2 ? TALLY_CGROUP_REFRESH : 0, &s, &err),
                     TALLY_CGROUP_READ);
    assert_int_equal(err.code, 0);
    assert_hybrid(&s);
  }
  tally_cgroup_reader_destroy(reader);
}

static void test_unified(void **state) {
  tally_cgroup_reader_t *reader =
      open_container(tree_fixture("unified-6.1"), UNIFIED_PID, UNIFIED_ID);
  tally_error_t err = {0};
  tally_cgroup_sample_t s;
  assert_int_equal(tally_cgroup_reader_read(reader, 0, &s, &err),
                   TALLY_CGROUP_READ);
  assert_int_equal(err.code, 0);
  assert_int_equal(s.cpu_usage_ns, 40774822000);
  assert_int_equal(s.cpu_user_ns, 28454715000);
  assert_int_equal(s.cpu_system_ns, 12320106000);
  assert_int_equal(s.cpu_periods, 812);
  assert_int_equal(s.cpu_throttled, 805);
  assert_int_equal(s.cpu_throttled_ns, 94812361000);
  assert_int_equal(s.cpu_quota_us, 50000);
  assert_int_equal(s.cpu_period_us, 100000);
  assert_int_equal(s.cpuset_cpus, 2);
  assert_int_equal(s.memory_usage, 30089216);
  assert_int_equal(s.memory_anon, 217088);
  assert_int_equal(s.memory_file, 29360128);
  assert_int_equal(s.memory_kernel, 512000);
  assert_int_equal(s.memory_shmem, 8388608);
  assert_int_equal(s.memory_active_anon, 16384);
  assert_int_equal(s.memory_inactive_anon, 8589312);
  assert_int_equal(s.memory_active_file, 0);
  assert_int_equal(s.memory_inactive_file, 20971520);
  assert_int_equal(s.memory_swap, 0);
  assert_int_equal(s.memory_limit, 67108864);
  assert_int_equal(s.memory_swap_limit, 67108864);
  assert_int_equal(s.memory_page_faults, 27676);
  assert_int_equal(s.memory_major_page_faults, 0);
  assert_int_equal(s.memory_limit_hits, 152);
  assert_int_equal(s.memory_oom_kills, 1);
  assert_true(fabs(s.pressure[TALLY_RESOURCE_CPU].full_avg10 - 36.96) < 1e-9);
  assert_int_equal(s.pressure[TALLY_RESOURCE_MEMORY].some_total_us, 988697);
  assert_int_equal(s.pressure[TALLY_RESOURCE_IO].full_total_us, 2436);
  assert_int_equal(s.devices_count, 2);
  assert_int_equal(s.devices[0].major, 254);
  assert_int_equal(s.devices[0].minor, 16);
  assert_int_equal(s.devices[0].write_ops, 1);
  assert_int_equal(s.devices[1].minor, 0);
  assert_int_equal(s.devices[1].write_bytes, 20971520);
  assert_int_equal(s.devices[1].read_ops, 160);
  assert_int_equal(s.threads, 4);
  assert_int_equal(s.threads_limit, 50);
  assert_int_equal(s.processes, 4);
  tally_cgroup_reader_destroy(reader);
}

/* ---- made-up containers -------------------------------------------------- */

/* A container on v1 with all controllers in one mount. */
static void make_container(tree_t *tree) {
  tree_create(tree);
  tree_write(tree, "/proc/1/mountinfo",
             "25 20 0:21 / /cgroup rw - cgroup none "
             "rw,cpuset,cpu,cpuacct,memory,blkio,pids\n");
  tree_write(tree, "/cgroup/tasks", "");
  tree_write(tree, "/cgroup/docker/" ID "/tasks", "");
}

#define FILE_OF(name) "/cgroup/docker/" ID "/" name

static tally_cgroup_sample_t read_once(tally_cgroup_reader_t *reader,
                                       tally_error_t *err) {
  tally_cgroup_sample_t s;
  *err = (tally_error_t){0};
  assert_int_equal(tally_cgroup_reader_read(reader, 0, &s, err),
                   TALLY_CGROUP_READ);
  return s;
}

static void test_left_out(void **state) {
  tally_cgroup_reader_t *reader = open_without(
      tree_fixture("unified-6.1"), UNIFIED_PID, UNIFIED_ID,
      TALLY_CGROUP_WITHOUT_PRESSURE | TALLY_CGROUP_WITHOUT_BLOCK_IO);
  tally_error_t err;
  tally_cgroup_sample_t s = read_once(reader, &err);
  assert_int_equal(err.code, 0);
  assert_int_equal(s.memory_usage, 30089216);
  assert_true(isnan(s.pressure[TALLY_RESOURCE_CPU].full_avg10));
  assert_true(s.pressure[TALLY_RESOURCE_IO].full_total_us == U);
  assert_int_equal(s.devices_count, 0);
  tally_cgroup_reader_destroy(reader);
}

static void test_missing_files(void **state) {
  tree_t tree;
  make_container(&tree);
  tree_write(&tree, FILE_OF("cpuacct.usage"), "17\n");
  tally_cgroup_reader_t *reader = open_container(tree.root, 0, ID);
  tally_error_t err;
  tally_cgroup_sample_t s = read_once(reader, &err);
  assert_int_equal(err.code, 0); /* what does not exist is no error */
  assert_int_equal(s.cpu_usage_ns, 17);
  assert_int_equal(s.cpu_user_ns, U);
  assert_int_equal(s.memory_usage, U);
  assert_int_equal(s.memory_limit, U);
  assert_int_equal(s.threads, U);
  assert_int_equal(s.processes, U);
  assert_true(isnan(s.pressure[TALLY_RESOURCE_IO].some_avg10));
  assert_false(s.devices_known);
  tally_cgroup_reader_destroy(reader);
  tree_destroy(&tree);
}

static void test_nonsense_costs_only_its_own(void **state) {
  static const char *const nonsense[] = {
      "", "\n", "garbage", "-5\n", "\x01\x02\xff", "user\nsystem\n",
  };
  for (size_t i = 0; i < COUNT_OF(nonsense); i++) {
    tree_t tree;
    make_container(&tree);
    tree_write(&tree, FILE_OF("cpuacct.usage"), nonsense[i]);
    tree_write(&tree, FILE_OF("memory.stat"), nonsense[i]);
    tree_write(&tree, FILE_OF("memory.usage_in_bytes"), "4096\n");
    tree_write(&tree, FILE_OF("blkio.throttle.io_service_bytes"), "");
    tally_cgroup_reader_t *reader = open_container(tree.root, 0, ID);
    tally_error_t err;
    tally_cgroup_sample_t s = read_once(reader, &err);
    assert_int_equal(err.code, EBADMSG);
    assert_non_null(strstr(err.message, "cpuacct.usage"));
    assert_int_equal(s.cpu_usage_ns, U);
    assert_int_equal(s.memory_anon, U);
    assert_int_equal(s.memory_limit, U);
    assert_int_equal(s.memory_usage, 4096);
    assert_true(s.devices_known); /* empty: no I/O so far */
    assert_int_equal(s.devices_count, 0);
    tally_cgroup_reader_destroy(reader);
    tree_destroy(&tree);
  }
}

static void test_larger_than_any_buffer(void **state) {
  tree_t tree;
  make_container(&tree);
  char *text = malloc(1 << 20);
  size_t len = 0;
  while (len < (1 << 20) - 100)
    len += (size_t)sprintf(text + len, "total_filler 18446744073709551615\n");
  tree_write(&tree, FILE_OF("memory.stat"), text);
  len = 0;
  for (int pid = 1; pid <= 50000; pid++)
    len += (size_t)sprintf(text + len, "%d\n", pid);
  tree_write(&tree, FILE_OF("cgroup.procs"), text);
  len = 0;
  for (int minor = 0; minor < 1500; minor++)
    len += (size_t)sprintf(text + len, "8:%d Read 1000000000\n", minor);
  tree_write(&tree, FILE_OF("blkio.throttle.io_service_bytes"), text);
  free(text);

  tally_cgroup_reader_t *reader = open_container(tree.root, 0, ID);
  tally_error_t err;
  tally_cgroup_sample_t s = read_once(reader, &err);
  assert_int_equal(err.code, EBADMSG);
  assert_int_equal(s.processes, 50000); /* counted in pieces */
  assert_int_equal(s.devices_count, TALLY_CGROUP_DEVICES_MAX);
  for (size_t i = 0; i < s.devices_count; i++)
    assert_int_equal(s.devices[i].read_bytes, 1000000000);
  tally_cgroup_reader_destroy(reader);
  tree_destroy(&tree);
}

static void test_older_kernels(void **state) {
  tree_t tree;
  make_container(&tree);
  tree_write(&tree, FILE_OF("cpuset.cpus"), "0-2\n");
  tree_write(&tree, FILE_OF("blkio.throttle.io_service_bytes"),
             "8:0 Read 1\n8:0 Write 2\nTotal 3\n");
  tree_write(&tree, FILE_OF("memory.oom_control"),
             "oom_kill_disable 0\nunder_oom 0\n");
  tree_write(&tree, FILE_OF("memory.stat"),
             "cache 1\nrss 2\nhierarchical_memory_limit 9223372036854775807\n"
             "total_cache 3\ntotal_rss 4\n");
  tally_cgroup_reader_t *reader = open_container(tree.root, 0, ID);
  tally_error_t err;
  tally_cgroup_sample_t s = read_once(reader, &err);
  assert_int_equal(err.code, 0);
  assert_int_equal(s.cpuset_cpus, 3);
  assert_int_equal(s.devices_count, 1);
  assert_int_equal(s.memory_oom_kills, U);
  assert_int_equal(s.memory_anon, 4);
  assert_int_equal(s.memory_file, 3);
  assert_int_equal(s.memory_limit, TALLY_UNLIMITED);
  assert_int_equal(s.memory_swap_limit, U); /* swap is not counted */
  tally_cgroup_reader_destroy(reader);
  tree_destroy(&tree);

  /* where the kernel sums up the hierarchy itself, that file is taken */
  make_container(&tree);
  tree_write(&tree, FILE_OF("blkio.throttle.io_service_bytes"), "8:0 Read 1\n");
  tree_write(&tree, FILE_OF("blkio.throttle.io_service_bytes_recursive"),
             "8:0 Read 5\n");
  reader = open_container(tree.root, 0, ID);
  s = read_once(reader, &err);
  assert_int_equal(s.devices_count, 1);
  assert_int_equal(s.devices[0].read_bytes, 5);
  tally_cgroup_reader_destroy(reader);
  tree_destroy(&tree);
}

static void test_swap_limit_on_v1(void **state) {
  static const struct {
    const char *memory, *with_swap;
    uint64_t swap;
  } cases[] = {
      {"104857600", "157286400", 52428800},
      {"104857600", "104857600", 0},
      {"104857600", "9223372036854771712", TALLY_UNLIMITED},
      {"9223372036854771712", "9223372036854771712", TALLY_UNLIMITED},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tree_t tree;
    make_container(&tree);
    char text[256];
    snprintf(text, sizeof(text),
             "hierarchical_memory_limit %s\nhierarchical_memsw_limit %s\n",
             cases[i].memory, cases[i].with_swap);
    tree_write(&tree, FILE_OF("memory.stat"), text);
    tally_cgroup_reader_t *reader = open_container(tree.root, 0, ID);
    tally_error_t err;
    tally_cgroup_sample_t s = read_once(reader, &err);
    assert_int_equal(s.memory_swap_limit, cases[i].swap);
    tally_cgroup_reader_destroy(reader);
    tree_destroy(&tree);
  }
}

/* ---- limits are read now and then ---------------------------------------- */

static void test_limits_are_repeated(void **state) {
  tree_t tree;
  make_container(&tree);
  tree_write(&tree, FILE_OF("pids.max"), "100\n");
  tree_write(&tree, FILE_OF("pids.current"), "1\n");
  tally_cgroup_reader_t *reader = open_container(tree.root, 0, ID);
  tally_error_t err;
  assert_int_equal(read_once(reader, &err).threads_limit, 100);

  tree_write(&tree, FILE_OF("pids.max"), "200\n");
  tree_write(&tree, FILE_OF("pids.current"), "2\n");
  tally_cgroup_sample_t s = read_once(reader, &err);
  assert_int_equal(s.threads_limit, 100);
  assert_int_equal(s.threads, 2);

  assert_int_equal(
      tally_cgroup_reader_read(reader, TALLY_CGROUP_REFRESH, &s, &err),
      TALLY_CGROUP_READ);
  assert_int_equal(s.threads_limit, 200);

  /* somebody in this process has written a limit of this container */
  tree_write(&tree, FILE_OF("pids.max"), "300\n");
  atomic_fetch_add(tally_cgroup_epoch("/somewhere/else/docker/" ID), 1);
  assert_int_equal(read_once(reader, &err).threads_limit, 300);
  tally_cgroup_reader_destroy(reader);
  tree_destroy(&tree);
}

/* ---- descriptors --------------------------------------------------------- */

static void test_descriptors(void **state) {
  unsigned before = tally_cgroup_descriptors_in_use();
  tally_cgroup_reader_t *reader =
      open_container(tree_fixture("hybrid-6.18"), HYBRID_PID, HYBRID_ID);
  /* 12 of v1 and 3 of pressure; limits are not kept open */
  assert_int_equal(tally_cgroup_descriptors_in_use() - before, 15);
  tally_cgroup_reader_destroy(reader);
  assert_int_equal(tally_cgroup_descriptors_in_use(), before);
}

static void test_beyond_the_budget(void **state) {
  /* nothing is lost, with any number of descriptors */
  for (unsigned budget = 1; budget <= 16; budget++) {
    tally_cgroup_set_descriptor_budget(budget);
    tally_cgroup_reader_t *reader =
        open_container(tree_fixture("hybrid-6.18"), HYBRID_PID, HYBRID_ID);
    assert_true(tally_cgroup_descriptors_in_use() <= budget);
    tally_error_t err;
    tally_cgroup_sample_t s = read_once(reader, &err);
    assert_int_equal(err.code, 0);
    assert_hybrid(&s);
    tally_cgroup_reader_destroy(reader);
    assert_int_equal(tally_cgroup_descriptors_in_use(), 0);
  }
  tally_cgroup_set_descriptor_budget(500);
}

static void test_gone_without_descriptors(void **state) {
  tally_cgroup_set_descriptor_budget(1);
  assert_true(tally_cgroup_descriptor_take());
  assert_false(tally_cgroup_descriptor_take());
  tree_t tree;
  make_container(&tree);
  tree_write(&tree, FILE_OF("pids.current"), "1\n");
  tree_write(&tree, FILE_OF("memory.failcnt"), "5\n");
  tally_cgroup_reader_t *reader = open_container(tree.root, 0, ID);
  tally_error_t err;
  assert_int_equal(read_once(reader, &err).threads, 1);

  /* one file: its controller was taken away */
  tree_remove(&tree, FILE_OF("memory.failcnt"));
  tally_cgroup_sample_t s = read_once(reader, &err);
  assert_int_equal(err.code, ENOENT);
  assert_int_equal(s.threads, 1);
  assert_int_equal(s.memory_limit_hits, U);
  tree_write(&tree, FILE_OF("memory.failcnt"), "6\n");
  s = read_once(reader, &err);
  assert_int_equal(s.memory_limit_hits, 6);

  /* the directory: the container has gone; the sample stays as it was */
  tree_remove(&tree, "/cgroup/docker/" ID);
  err = (tally_error_t){0};
  assert_int_equal(tally_cgroup_reader_read(reader, 0, &s, &err),
                   TALLY_CGROUP_GONE);
  assert_int_equal(s.threads, 1);
  assert_int_equal(s.memory_limit_hits, 6);
  assert_int_equal(err.code, 0);
  tally_cgroup_reader_destroy(reader);
  tree_destroy(&tree);
  tally_cgroup_descriptor_give();
  tally_cgroup_set_descriptor_budget(500);
}

/* ---- the kernel of this machine ------------------------------------------ */

/* An empty cgroup in each of two hierarchies, if this test may make them. */
static bool make_cgroup(const tally_cgroup_host_t *host,
                        tally_cgroup_paths_t *paths) {
  static const tally_controller_t where[] = {TALLY_CONTROLLER_PIDS,
                                             TALLY_CONTROLLER_UNIFIED};
  *paths = (tally_cgroup_paths_t){0};
  for (size_t i = 0; i < COUNT_OF(where); i++) {
    const tally_hierarchy_t *at = &host->at[where[i]];
    char dir[PATH_MAX];
    snprintf(dir, sizeof(dir), "%s/tally-unit-%d", at->mount, (int)getpid());
    if (at->version == 0 || (mkdir(dir, 0755) != 0 && errno != EEXIST))
      return false;
    paths->dir[where[i]] = strdup(dir);
    paths->version[where[i]] = at->version;
  }
  return true;
}

static void remove_cgroup(const tally_cgroup_paths_t *paths) {
  for (size_t c = 0; c < TALLY_CONTROLLERS; c++)
    if (paths->dir[c] != NULL)
      (void)rmdir(paths->dir[c]);
}

static void test_removed_cgroup(void **state) {
  tally_cgroup_host_t *host = tally_cgroup_host_create(NULL, NULL);
  tally_cgroup_paths_t paths;
  if (host == NULL || !make_cgroup(host, &paths)) {
    tally_cgroup_host_destroy(host);
    SKIP("no cgroup can be made here");
  }

  tally_cgroup_reader_t *reader = tally_cgroup_reader_create(&paths, 0, NULL);
  tally_error_t err;
  tally_cgroup_sample_t s = read_once(reader, &err);
  assert_int_equal(err.code, 0);
  assert_int_equal(s.threads, 0);
  assert_true(tally_cgroup_descriptors_in_use() > 0);

  remove_cgroup(&paths);
  assert_int_equal(tally_cgroup_reader_read(reader, 0, &s, &err),
                   TALLY_CGROUP_GONE);

  /* The old descriptors do not follow to a new one of the same name. */
  tally_cgroup_paths_clear(&paths);
  assert_true(make_cgroup(host, &paths));
  assert_int_equal(tally_cgroup_reader_read(reader, 0, &s, &err),
                   TALLY_CGROUP_GONE);
  remove_cgroup(&paths);
  tally_cgroup_reader_destroy(reader);
  tally_cgroup_paths_clear(&paths);
  tally_cgroup_host_destroy(host);
}

/* A child that only waits, put into the cgroup wherever the reader looks. */
static pid_t add_process(const tally_cgroup_paths_t *paths) {
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* if an assertion ends the test */
    for (;;)
      pause();
  }
  for (size_t c = 0; c < TALLY_CONTROLLERS; c++) {
    if (paths->dir[c] == NULL)
      continue;
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/cgroup.procs", paths->dir[c]);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fprintf(f, "%d\n", (int)pid) > 0);
    assert_int_equal(fclose(f), 0);
  }
  return pid;
}

static void check_processes(const tally_cgroup_paths_t *paths) {
  pid_t pids[3];
  uint64_t seen[3];
  tally_cgroup_reader_t *reader = tally_cgroup_reader_create(paths, 0, NULL);
  for (size_t i = 0; i < COUNT_OF(pids); i++) {
    pids[i] = add_process(paths);
    tally_error_t err;
    seen[i] = read_once(reader, &err).processes;
  }
  tally_cgroup_reader_destroy(reader);
  for (size_t i = 0; i < COUNT_OF(pids); i++) {
    kill(pids[i], SIGKILL);
    waitpid(pids[i], NULL, 0);
  }
  for (size_t i = 0; i < COUNT_OF(pids); i++)
    assert_int_equal(seen[i], i + 1);
}

/* The kernel caches the list of v1 for who keeps it open. */
static void test_processes_are_those_of_now(void **state) {
  tally_cgroup_host_t *host = tally_cgroup_host_create(NULL, NULL);
  tally_cgroup_paths_t paths;
  if (host == NULL || !make_cgroup(host, &paths)) {
    tally_cgroup_host_destroy(host);
    SKIP("no cgroup can be made here");
  }
  check_processes(&paths);
  paths.version[TALLY_CONTROLLER_UNIFIED] = 0; /* where there is v1 alone */
  check_processes(&paths);
  remove_cgroup(&paths);
  tally_cgroup_paths_clear(&paths);
  tally_cgroup_host_destroy(host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hybrid),
      cmocka_unit_test(test_unified),
      cmocka_unit_test(test_left_out),
      cmocka_unit_test(test_missing_files),
      cmocka_unit_test(test_nonsense_costs_only_its_own),
      cmocka_unit_test(test_larger_than_any_buffer),
      cmocka_unit_test(test_older_kernels),
      cmocka_unit_test(test_swap_limit_on_v1),
      cmocka_unit_test(test_limits_are_repeated),
      cmocka_unit_test(test_descriptors),
      cmocka_unit_test(test_beyond_the_budget),
      cmocka_unit_test(test_gone_without_descriptors),
      cmocka_unit_test(test_removed_cgroup),
      cmocka_unit_test(test_processes_are_those_of_now),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
