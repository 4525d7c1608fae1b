/* SPDX-License-Identifier: MIT */
/* The end of a container, on the kernel of this machine: a real process in a
 * real cgroup, without Docker. */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgroup/hierarchy.h"
#include "container/roster.h"
#include "core/clock.h"
#include "docker/container_private.h"
#include "docker/snapshot.h"

/* What the container uses unseen. Its start costs some of it, hence the half
 * below. */
#define CPU_NS (50 * TALLY_NS_PER_MS)

/* Everything of one pretended container. */
typedef struct {
  char id[65];
  char dir[2][PATH_MAX]; /* "": not made */
  pid_t pid;
} container_t;

static container_t c;

static bool put_into(const char *dir, pid_t pid) {
  char path[PATH_MAX + 16];
  snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
  FILE *f = fopen(path, "we");
  if (f == NULL)
    return false;
  fprintf(f, "%d\n", (int)pid);
  return fclose(f) == 0;
}

/* A process that waits for SIGCONT and then burns CPU time until its death. */
static pid_t start(void) {
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing */
    raise(SIGSTOP);
    for (volatile uint64_t i = 0;; i++)
      continue;
  }
  waitpid(pid, NULL, WUNTRACED);
  return pid;
}

/* false: this test may not make cgroups. */
static bool boot(void) {
  static const tally_controller_t where[2] = {TALLY_CONTROLLER_CPUACCT,
                                              TALLY_CONTROLLER_PIDS};
  c = (container_t){.pid = start()};
  snprintf(c.id, sizeof(c.id), "%064x", (unsigned)getpid());
  tally_cgroup_host_t *host = tally_cgroup_host_create(NULL, NULL);
  bool made = host != NULL;
  for (size_t i = 0; made && i < COUNT_OF(where); i++) {
    const tally_hierarchy_t *at = &host->at[where[i]];
    made = at->version != 0;
    if (!made)
      break;
    snprintf(c.dir[i], sizeof(c.dir[i]), "%s/%s", at->mount, c.id);
    made = (mkdir(c.dir[i], 0755) == 0 || errno == EEXIST) &&
           put_into(c.dir[i], c.pid);
  }
  tally_cgroup_host_destroy(host);
  return made;
}

/* The process first: a cgroup must be empty to be removed. */
static void end(void) {
  if (c.pid > 0) {
    kill(c.pid, SIGKILL);
    waitpid(c.pid, NULL, 0);
    c.pid = 0;
  }
  for (size_t i = 0; i < COUNT_OF(c.dir); i++)
    if (c.dir[i][0] != '\0')
      (void)rmdir(c.dir[i]);
}

static int tear_down(void **state) {
  end();
  return 0;
}

/* However long that takes on a busy machine. */
static void wait_until_it_has_used(uint64_t cpu_ns) {
  clockid_t clock;
  struct timespec used = {0};
  assert_int_equal(clock_getcpuclockid(c.pid, &clock), 0);
  do {
    usleep(1000);
    assert_int_equal(clock_gettime(clock, &used), 0);
  } while ((uint64_t)used.tv_sec * TALLY_NS_PER_S + (uint64_t)used.tv_nsec <
           cpu_ns);
}

static const tally_snapshot_t *snapshot(void) {
  tally_container_t draft = {.name = "c",
                             .pid = c.pid,
                             .state = TALLY_CONTAINER_RUNNING,
                             .network_mode = "default"};
  memcpy(draft.id, c.id, sizeof(draft.id));
  const tally_container_t *packed = tally_container_pack(&draft, NULL);
  tally_snapshot_t *s = tally_snapshot_create(1);
  tally_snapshot_add(s, packed);
  tally_container_unref(packed);
  s->generation = 1;
  return s;
}

static void test_final_counters(void **state) {
  if (!boot())
    SKIP("no cgroup can be made here");

  tally_roster_t roster;
  tally_sampler_options_t options = {
      .network = true, .block_io = true, .pressure = true};
  assert_int_equal(tally_roster_init(&roster, &options, NULL), 0);
  const tally_snapshot_t *seen = snapshot();
  tally_roster_follow(&roster, seen, tally_clock_monotonic_ns());
  tally_snapshot_unref(seen);
  assert_int_equal(roster.count, 1);
  tally_probe_t *probe = roster.entries[0].probe;
  assert_non_null(probe);
  assert_true(probe->sampled);
  /* (a sanitizer may have a thread of its own in the child) */
  uint64_t threads = probe->last.cgroup.threads;
  assert_true(threads >= 1 && threads < 10);
  assert_true(probe->last.network != TALLY_NETWORK_UNKNOWN);
  uint64_t usage = probe->last.cgroup.cpu_usage_ns;

  /* It lives on unseen and dies: the counters are the last ones all the same,
   * while what it was in life stays. */
  struct epoll_event event;
  assert_int_equal(epoll_wait(roster.probing.exits, &event, 1, 0), 0);
  kill(c.pid, SIGCONT);
  wait_until_it_has_used(CPU_NS);
  kill(c.pid, SIGKILL);
  assert_int_equal(epoll_wait(roster.probing.exits, &event, 1, 10000), 1);
  tally_roster_on_exit(&roster, event.data.u64);
  tally_roster_on_exit(&roster, event.data.u64 + 1); /* nobody's number */
  end();

  tally_sampler_cost_t cost = {0};
  tally_roster_sample_all(&roster, tally_clock_monotonic_ns(), &cost);
  assert_int_equal(cost.sampled, 0);
  tally_probe_t *final = tally_roster_pop_final(&roster);
  assert_non_null(final);
  assert_true(final->last.final);
  assert_true(final->last.cgroup.cpu_usage_ns >= usage + CPU_NS / 2);
  assert_int_equal(final->last.cgroup.threads, threads);
  assert_true(final->last.cpu_percent > 0);
  tally_probe_destroy(final);

  tally_roster_clear(&roster);
  assert_int_equal(tally_cgroup_descriptors_in_use(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_final_counters, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
