/* SPDX-License-Identifier: MIT */
/* The roster: who is sampled when, last samples, shared networks. Containers
 * are made of files in a temporary tree. */
#include "config.h"

#include "unit.h"

#include <limits.h>
#include <math.h>
#include <unistd.h>

#include "container/roster.h"
#include "core/clock.h"
#include "docker/container_private.h"
#include "docker/snapshot.h"
#include "tree.h"

#define MS TALLY_NS_PER_MS
#define S TALLY_NS_PER_S

/* ---- allocations --------------------------------------------------------- */

/* The sanitizers bring their own. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&         \
    defined(__GLIBC__)
#define COUNT_ALLOCATIONS 1
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

static size_t allocations;

void *malloc(size_t size) {
  allocations++;
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  allocations++;
  return __libc_calloc(count, size);
}

void *realloc(void *p, size_t size) {
  allocations++;
  return __libc_realloc(p, size);
}
#endif

/* ---- a host made of files ------------------------------------------------ */

static tree_t tree;
static tally_roster_t roster;
static uint64_t generation;

/* Containers are called by one hexadecimal digit. */
static void id_of(char c, char id[65]) {
  memset(id, c, 64);
  id[64] = '\0';
}

static void write_file(char c, const char *file, const char *text) {
  char id[65], path[PATH_MAX];
  id_of(c, id);
  snprintf(path, sizeof(path), "/cgroup/docker/%s/%s", id, file);
  tree_write(&tree, path, text);
}

static void write_number(char c, const char *file, uint64_t number) {
  char text[32];
  snprintf(text, sizeof(text), "%llu\n", (unsigned long long)number);
  write_file(c, file, text);
}

/* Lets a process see the interfaces of a namespace: one file for all in it. */
static void join(int pid, const char *namespace) {
  char path[PATH_MAX], target[PATH_MAX];
  snprintf(path, sizeof(path), "/proc/%d/net/.dir", pid);
  tree_write(&tree, path, "");
  snprintf(path, sizeof(path), "%s/proc/%d/net/dev", tree.root, pid);
  snprintf(target, sizeof(target), "%s%s", tree.root, namespace);
  (void)unlink(path);
  assert_int_equal(link(target, path), 0);
}

/* Starts the processes of a container: its cgroup, and what /proc shows. All
 * with the same `network` file share a namespace. */
static void boot(char c, int pid, const char *network) {
  char id[65], path[PATH_MAX], text[256];
  id_of(c, id);
  write_file(c, "tasks", "");
  write_file(c, "pids.current", "1\n");
  write_file(c, "cpuacct.usage", "1000000000\n");
  snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
  snprintf(text, sizeof(text), "1:cpuacct,pids:/docker/%s\n", id);
  tree_write(&tree, path, text);
  snprintf(path, sizeof(path), "/namespaces/%s", network);
  tree_write(&tree, path,
             "Inter-|   Receive\n face |bytes\n"
             "  eth0: 100 1 0 0 0 0 0 0 200 2 0 0 0 0 0 0\n"
             "  eth1: 300 1 0 0 0 0 0 0 400 2 0 0 0 0 0 0\n");
  join(pid, path);
}

static void kill_container(char c, int pid) {
  char id[65], path[PATH_MAX];
  id_of(c, id);
  snprintf(path, sizeof(path), "/cgroup/docker/%s", id);
  tree_remove(&tree, path);
  snprintf(path, sizeof(path), "/proc/%d", pid);
  tree_remove(&tree, path);
}

typedef struct {
  char c;
  tally_container_state_t state;
  int pid;
  const char *network_mode;
  int run; /* how often it was started before */
} description_t;

#define JUST_NOW -1 /* its age is not known: none */

static const tally_container_t *describe(const description_t *d) {
  tally_container_t draft = {.state = d->state,
                             .pid = d->pid,
                             .exit_code = d->pid ? 0 : 42,
                             .network_mode = d->network_mode};
  id_of(d->c, draft.id);
  char name[2] = {d->c, '\0'};
  draft.name = name;
  static uint64_t started_ns;
  if (started_ns == 0)
    started_ns = tally_clock_realtime_ns();
  draft.started_ns = d->run == JUST_NOW ? 0 : started_ns + (uint64_t)d->run;
  const tally_container_t *c = tally_container_pack(&draft, NULL);
  assert_non_null(c);
  return c;
}

/* Follows a snapshot of these containers, ordered by id. Those whose
 * description has not changed since the last time stay the same object. */
static void follow(const description_t *list, size_t count, uint64_t now) {
  static const tally_container_t *cache[16];
  static description_t cached[16];
  if (list == NULL) { /* the end of a test */
    for (size_t i = 0; i < COUNT_OF(cache); i++) {
      tally_container_unref(cache[i]);
      cache[i] = NULL;
    }
    return;
  }
  tally_snapshot_t *snapshot = tally_snapshot_create(count);
  assert_non_null(snapshot);
  snapshot->generation = ++generation;
  for (size_t i = 0; i < count; i++) {
    size_t k =
        (size_t)(list[i].c <= '9' ? list[i].c - '0' : list[i].c - 'a' + 10);
    if (cache[k] == NULL || cached[k].state != list[i].state ||
        cached[k].pid != list[i].pid || cached[k].run != list[i].run ||
        strcmp(cached[k].network_mode, list[i].network_mode) != 0) {
      tally_container_unref(cache[k]);
      cache[k] = describe(&list[i]);
      cached[k] = list[i];
    }
    tally_snapshot_add(snapshot, cache[k]);
  }
  tally_roster_follow(&roster, snapshot, now);
  tally_snapshot_unref(snapshot);
}

static bool is_wanted(const tally_container_t *container, void *data) {
  return container->name[0] != 'f';
}

static int set_up(void **state) {
  tree_create(&tree);
  tree_write(&tree, "/proc/1/mountinfo",
             "25 20 0:21 / /cgroup rw - cgroup none rw,cpuacct,pids\n");
  tree_write(&tree, "/proc/meminfo", "MemTotal: 1024 kB\n");
  tree_write(&tree, "/proc/1/net/dev", "");
  tree_write(&tree, "/cgroup/tasks", "");
  /* Kept descriptors of ordinary files do not notice that they were removed. */
  tally_cgroup_set_descriptor_budget(1);
  tally_sampler_options_t options = {.rootfs = tree.root,
                                     .network = true,
                                     .block_io = true,
                                     .wanted = is_wanted};
  assert_true(tally_cgroup_descriptor_take());
  assert_int_equal(tally_roster_init(&roster, &options, NULL), 0);
  return 0;
}

static int tear_down(void **state) {
  tally_roster_clear(&roster);
  follow(NULL, 0, 0);
  tally_cgroup_descriptor_give();
  assert_int_equal(tally_cgroup_descriptors_in_use(), 0);
  tree_destroy(&tree);
  return 0;
}

static tally_probe_t *probe_of(char c) {
  char id[65];
  id_of(c, id);
  for (size_t i = 0; i < roster.count; i++)
    if (strcmp(roster.entries[i].container->id, id) == 0)
      return roster.entries[i].probe;
  return NULL;
}

#define UP TALLY_CONTAINER_RUNNING
#define EXITED TALLY_CONTAINER_EXITED

/* ---- tests --------------------------------------------------------------- */

static void test_young(void **state) {
  uint64_t start = 1000 * S, now = start;
  boot('a', 10, "a");
  static const description_t a[] = {{'a', UP, 10, "default", JUST_NOW}};
  follow(a, 1, now);
  tally_probe_t *probe = probe_of('a');
  assert_non_null(probe);
  assert_true(probe->sampled); /* at once */
  assert_int_equal(probe->last.cgroup.cpu_usage_ns, S);
  assert_int_equal(probe->last.interfaces_count, 2);

  /* at growing ages, until the visits come as often */
  uint64_t due;
  for (uint64_t age = 20 * MS; age <= 10 * S; age *= 2) {
    due = tally_roster_sample_young(&roster, now);
    assert_int_equal(due, start + age);
    now = due;
    write_number('a', "cpuacct.usage", S + age);
  }
  assert_int_equal(tally_roster_sample_young(&roster, now), UINT64_MAX);
  assert_true(probe->last.cgroup.cpu_usage_ns > S);

  /* the visit covers the whole time since the first sample */
  tally_sampler_cost_t cost = {0};
  tally_roster_sample_all(&roster, now, &cost);
  assert_int_equal(cost.containers, 1);
  assert_int_equal(cost.sampled, 1);
  assert_int_equal(cost.failed, 0);
  assert_true(probe->last.running);
}

static void test_last_sample(void **state) {
  boot('a', 10, "a");
  boot('b', 11, "b");
  static const description_t both[] = {{'a', UP, 10, "default", 0},
                                       {'b', UP, 11, "default", 0}};
  follow(both, 2, 1000 * S);
  write_number('b', "cpuacct.usage", 7 * S);
  tally_sampler_cost_t cost = {0};
  tally_roster_sample_all(&roster, 1000 * S, &cost);

  /* noticed by the files, before Docker says anything */
  kill_container('b', 11);
  cost = (tally_sampler_cost_t){0};
  tally_roster_sample_all(&roster, 1001 * S, &cost);
  assert_int_equal(cost.containers, 2);
  assert_int_equal(cost.sampled, 1);
  assert_null(probe_of('b'));
  assert_int_equal(roster.finals_count, 1);

  /* it is not tried again, and then Docker says how it ended */
  cost = (tally_sampler_cost_t){0};
  tally_roster_sample_all(&roster, 1002 * S, &cost);
  assert_int_equal(roster.finals_count, 1);
  static const description_t ended[] = {{'a', UP, 10, "default", 0},
                                        {'b', EXITED, 0, "default", 0}};
  follow(ended, 2, 1003 * S);
  assert_int_equal(roster.finals_count, 1);

  tally_probe_t *final = tally_roster_pop_final(&roster);
  assert_non_null(final);
  assert_true(final->last.final && !final->last.running);
  assert_int_equal(final->last.cgroup.cpu_usage_ns, 7 * S);
  assert_int_equal(final->last.interfaces_count, 2);
  assert_int_equal(final->last.container->exit_code, 42);
  tally_probe_destroy(final);
  assert_null(tally_roster_pop_final(&roster));

  /* removed from the inventory while it runs */
  follow(ended, 0, 1004 * S);
  final = tally_roster_pop_final(&roster);
  assert_non_null(final);
  assert_string_equal(final->last.container->name, "a");
  tally_probe_destroy(final);
  assert_int_equal(roster.count, 0);
}

static void test_restart(void **state) {
  boot('a', 10, "a");
  static const description_t first[] = {{'a', UP, 10, "default", 0}};
  static const description_t second[] = {{'a', UP, 20, "default", 1}};
  follow(first, 1, 1000 * S);
  write_number('a', "cpuacct.usage", 9 * S);
  tally_sampler_cost_t cost = {0};
  tally_roster_sample_all(&roster, 1001 * S, &cost);

  /* so quick that no snapshot shows the end */
  kill_container('a', 10);
  boot('a', 20, "a2");
  follow(second, 1, 1002 * S);
  assert_int_equal(roster.finals_count, 1);
  tally_probe_t *probe = probe_of('a');
  assert_non_null(probe);
  assert_int_equal(probe->pid, 20);
  assert_int_equal(probe->last.cgroup.cpu_usage_ns, S);
  assert_true(isnan(probe->last.cpu_percent));
  tally_probe_t *final = tally_roster_pop_final(&roster);
  assert_int_equal(final->last.cgroup.cpu_usage_ns, 9 * S);
  tally_probe_destroy(final);
}

static void test_listed_before_inspected(void **state) {
  boot('a', 10, "a");
  static const description_t listed[] = {{'a', UP, 0, "", 0}};
  static const description_t inspected[] = {{'a', UP, 10, "default", 0}};
  follow(listed, 1, 1000 * S);
  tally_probe_t *probe = probe_of('a');
  assert_non_null(probe); /* found in the usual place */
  assert_int_equal(probe->last.interfaces_count, 0);

  follow(inspected, 1, 1001 * S);
  assert_ptr_equal(probe_of('a'), probe); /* the same run */
  assert_int_equal(roster.finals_count, 0);
  tally_sampler_cost_t cost = {0};
  tally_roster_sample_all(&roster, 1002 * S, &cost);
  assert_int_equal(probe->last.interfaces_count, 2);
}

static void test_unwanted(void **state) {
  boot('f', 10, "f");
  boot('a', 11, "a");
  static const description_t list[] = {{'a', UP, 11, "default", 0},
                                       {'f', UP, 10, "default", 0}};
  follow(list, 2, 1000 * S);
  assert_null(probe_of('f'));
  tally_sampler_cost_t cost = {0};
  tally_roster_sample_all(&roster, 1001 * S, &cost);
  assert_int_equal(cost.containers, 1);
}

static void test_vanished_before_it_was_seen(void **state) {
  static const description_t list[] = {{'a', UP, 10, "default", 0}};
  follow(list, 1, 1000 * S);
  assert_null(probe_of('a'));
  tally_sampler_cost_t cost = {0};
  tally_roster_sample_all(&roster, 1001 * S, &cost);
  assert_int_equal(cost.containers, 1);
  assert_int_equal(cost.sampled, 0);
  assert_int_equal(roster.finals_count, 0);

  boot('a', 10, "a"); /* late, but there */
  cost = (tally_sampler_cost_t){0};
  tally_roster_sample_all(&roster, 1002 * S, &cost);
  assert_int_equal(cost.sampled, 1);
  assert_int_equal(probe_of('a')->last.interfaces_count, 2);
}

static void test_reused_pid_has_no_network(void **state) {
  boot('a', 10, "a");
  boot('b', 11, "b");
  /* Docker still shows the old process of `a`; the number is b's by now */
  static const description_t list[] = {{'a', UP, 11, "default", 0}};
  follow(list, 1, 1000 * S);
  tally_probe_t *probe = probe_of('a');
  assert_non_null(probe); /* its cgroup is in the usual place */
  assert_int_equal(probe->last.network, TALLY_NETWORK_UNKNOWN);
  assert_int_equal(probe->last.interfaces_count, 0);
}

static void assert_network(char c, tally_network_t network) {
  tally_sampler_cost_t cost = {0};
  tally_roster_sample_all(&roster, 2000 * S, &cost);
  tally_probe_t *probe = probe_of(c);
  assert_non_null(probe);
  assert_int_equal(probe->last.network, network);
  bool counted =
      network == TALLY_NETWORK_OWN || network == TALLY_NETWORK_SHARED;
  assert_int_equal(probe->last.interfaces_count, counted ? 2 : 0);
}

static void test_shared_networks(void **state) {
  boot('1', 11, "one");
  boot('2', 12, "pod");
  boot('3', 13, "pod");
  boot('4', 14, "pod");
  boot('5', 15, "orphans");
  boot('6', 16, "orphans");
  static const description_t list[] = {
      {'1', UP, 11, "default", 0},        {'2', UP, 12, "container:4444", 0},
      {'3', UP, 13, "container:4444", 0}, {'4', UP, 14, "default", 0},
      {'5', UP, 15, "container:eeee", 0}, /* whose it was is gone */
      {'6', UP, 16, "container:eeee", 0},
  };
  /* the decision does not depend on who came first */
  for (size_t n = 4; n <= COUNT_OF(list); n++)
    follow(list, n, 1000 * S);
  assert_network('1', TALLY_NETWORK_OWN);
  assert_network('2', TALLY_NETWORK_ELSEWHERE);
  assert_network('3', TALLY_NETWORK_ELSEWHERE);
  assert_network('4', TALLY_NETWORK_SHARED);
  assert_network('5', TALLY_NETWORK_SHARED);
  assert_network('6', TALLY_NETWORK_ELSEWHERE);

  /* the one that counts ends: somebody else takes over */
  static const description_t without[] = {
      {'1', UP, 11, "default", 0},        {'2', UP, 12, "container:4444", 0},
      {'3', UP, 13, "container:4444", 0}, {'4', EXITED, 0, "default", 0},
      {'6', UP, 16, "container:eeee", 0},
  };
  follow(without, COUNT_OF(without), 1001 * S);
  assert_network('2', TALLY_NETWORK_SHARED);
  assert_network('3', TALLY_NETWORK_ELSEWHERE);
  assert_network('6', TALLY_NETWORK_OWN);
}

static void test_host_network(void **state) {
  boot('a', 10, "a");
  join(10, "/proc/1/net/dev");
  static const description_t list[] = {{'a', UP, 10, "host", 0}};
  follow(list, 1, 1000 * S);
  assert_network('a', TALLY_NETWORK_HOST);
}

static void test_host_network_by_its_name(void **state) {
  roster.probing.host_netns = 0; /* PID 1 could not be looked at */
  boot('a', 10, "host");
  boot('b', 11, "host");
  boot('c', 12, "c");
  static const description_t list[] = {{'a', UP, 10, "container:bbbb", 0},
                                       {'b', UP, 11, "host", 0},
                                       {'c', UP, 12, "default", 0}};
  follow(list, 3, 1000 * S);
  assert_network('a', TALLY_NETWORK_HOST);
  assert_network('b', TALLY_NETWORK_HOST);
  assert_network('c', TALLY_NETWORK_OWN);
}

static void test_too_many_finals(void **state) {
  boot('a', 10, "a");
  for (int run = 0; run < TALLY_FINALS_MAX + 5; run++) {
    const description_t up[] = {{'a', UP, 10, "default", 2 * run}};
    const description_t down[] = {{'a', EXITED, 0, "default", 2 * run}};
    follow(up, 1, 1000 * S);
    follow(down, 1, 1000 * S);
  }
  assert_int_equal(roster.finals_count, TALLY_FINALS_MAX);
  assert_int_equal(roster.finals_dropped, 5);
}

static void test_steady_state_allocates_nothing(void **state) {
#ifdef COUNT_ALLOCATIONS
  static description_t list[15];
  static const char *const namespaces[] = {"one", "another", "a third"};
  for (int i = 0; i < 15; i++) {
    char c = "0123456789abcde"[i];
    boot(c, 100 + i, namespaces[i % 3]);
    list[i] = (description_t){c, UP, 100 + i, "default", 0};
  }
  follow(list, COUNT_OF(list), 1000 * S);
  tally_sampler_cost_t cost = {0};
  tally_roster_sample_all(&roster, 1001 * S, &cost);

  size_t before = allocations;
  free(malloc(1));
  assert_true(allocations > before); /* they are really counted */
  before = allocations;
  for (uint64_t i = 0; i < 10; i++) {
    (void)tally_roster_sample_young(&roster, (1002 + i) * S);
    tally_roster_sample_all(&roster, (1002 + i) * S, &cost);
  }
  assert_int_equal(allocations - before, 0);
  assert_int_equal(cost.sampled, 11 * 15);
#else
  SKIP("the sanitizer has its own allocator");
#endif
}

static void test_after(void **state) {
  static const description_t list[] = {{'3', EXITED, 0, "", 0},
                                       {'5', EXITED, 0, "", 0},
                                       {'7', EXITED, 0, "", 0}};
  follow(list, 3, 1000 * S);
  char id[65];
  static const struct {
    char c;
    size_t number;
  } cases[] = {{'2', 0}, {'3', 1}, {'4', 1}, {'6', 2}, {'7', 3}, {'8', 3}};
  assert_int_equal(tally_roster_after(&roster, ""), 0);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    id_of(cases[i].c, id);
    assert_int_equal(tally_roster_after(&roster, id), cases[i].number);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_young),
      TEST(test_last_sample),
      TEST(test_restart),
      TEST(test_listed_before_inspected),
      TEST(test_unwanted),
      TEST(test_vanished_before_it_was_seen),
      TEST(test_reused_pid_has_no_network),
      TEST(test_shared_networks),
      TEST(test_host_network),
      TEST(test_host_network_by_its_name),
      TEST(test_too_many_finals),
      TEST(test_steady_state_allocates_nothing),
      TEST(test_after),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
