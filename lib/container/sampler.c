/* SPDX-License-Identifier: MIT */
/*
 * Three threads work on the roster, under one lock:
 *
 *   tally-sampler  follows the inventory and samples young containers,
 *   tally-exits    is told when the first process of a container ends, and
 * reads the final counters before Docker removes the cgroup, the caller of
 * tally_sampler_run().
 *
 * The lock is never held during a visit, which may take its time.
 */
#include "config.h"

#include "container/sampler.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "container/roster.h"
#include "core/clock.h"
#include "core/thread.h"
#include "node/node.h"

/* How long the thread sleeps when nothing is young. */
#define IDLE_MS 60000

/* How many containers a run samples before it lets somebody else have the lock:
 * a millisecond or two. A container's cgroup outlives its processes by ten. */
#define PORTION 64

struct tally_sampler_s {
  tally_inventory_t *inventory;
  char *rootfs;

  pthread_t follower;
  bool follower_started;
  atomic_bool stop;
  atomic_bool stopped; /* the follower is about to end */
  pthread_t exits;
  bool exits_started;
  int stop_exits; /* eventfd(2) in the set that tally-exits waits for */

  pthread_mutex_t turn; /* taken first, given back once `lock` is held */
  pthread_mutex_t lock; /* guards the roster */
  tally_roster_t roster;

  /* Of the run; nobody else looks at them. */
  uint64_t last_run_ns;             /* monotonic; 0: none yet */
  tally_container_sample_t visited; /* what the visitor sees */
  tally_interface_t interfaces[TALLY_INTERFACES_MAX]; /* … with these */
};

/* ---- the lock ------------------------------------------------------------ */

/* Whoever gives the lock back and wants it again at once would mostly get it,
 * before anybody who waits has woken up. The turn goes to who waits. */
static void lock(tally_sampler_t *sampler) {
  pthread_mutex_lock(&sampler->turn);
  pthread_mutex_lock(&sampler->lock);
  pthread_mutex_unlock(&sampler->turn);
}

static void unlock(tally_sampler_t *sampler) {
  pthread_mutex_unlock(&sampler->lock);
}

/* ---- the threads --------------------------------------------------------- */

static int timeout_ms(uint64_t due_ns, uint64_t now_ns) {
  if (due_ns <= now_ns)
    return 0;
  uint64_t ms = (due_ns - now_ns) / TALLY_NS_PER_MS + 1;
  return ms < IDLE_MS ? (int)ms : IDLE_MS;
}

static void *follow_inventory(void *data) {
  tally_sampler_t *sampler = data;
  while (!atomic_load(&sampler->stop)) {
    const tally_snapshot_t *snapshot =
        tally_inventory_snapshot(sampler->inventory);
    uint64_t generation = snapshot->generation;

    lock(sampler);
    uint64_t now = tally_clock_monotonic_ns();
    tally_roster_follow(&sampler->roster, snapshot, now);
    uint64_t due = tally_roster_sample_young(&sampler->roster, now);
    unlock(sampler);
    tally_snapshot_unref(snapshot);

    (void)tally_inventory_wait(sampler->inventory, generation,
                               timeout_ms(due, tally_clock_monotonic_ns()));
  }
  atomic_store(&sampler->stopped, true);
  return NULL;
}

/* stop_exits stands for 0, which is no probe's number. */
static void *watch_exits(void *data) {
  tally_sampler_t *sampler = data;
  int exits = sampler->roster.probing.exits; /* constant */
  while (!atomic_load(&sampler->stop)) {
    struct epoll_event events[16];
    int count = epoll_wait(exits, events, 16, -1);
    if (count <= 0)
      continue; /* EINTR */
    lock(sampler);
    for (int i = 0; i < count; i++)
      tally_roster_on_exit(&sampler->roster, events[i].data.u64);
    unlock(sampler);
  }
  return NULL;
}

static int start_threads(tally_sampler_t *sampler, tally_error_t *err) {
  if (tally_thread_start(&sampler->follower, "tally-sampler", follow_inventory,
                         sampler, err) != 0)
    return -1;
  sampler->follower_started = true;

  int exits = sampler->roster.probing.exits;
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0};
  if (exits < 0 || sampler->stop_exits < 0 ||
      epoll_ctl(exits, EPOLL_CTL_ADD, sampler->stop_exits, &event) != 0)
    return 0; /* without it last samples are older, that is all */
  if (tally_thread_start(&sampler->exits, "tally-exits", watch_exits, sampler,
                         err) != 0)
    return -1;
  sampler->exits_started = true;
  return 0;
}

static void stop_threads(tally_sampler_t *sampler) {
  atomic_store(&sampler->stop, true);
  if (sampler->exits_started) {
    (void)eventfd_write(sampler->stop_exits, 1);
    pthread_join(sampler->exits, NULL);
  }
  if (!sampler->follower_started)
    return;
  /* It may have looked at `stop` just before and begin to wait just after. */
  while (!atomic_load(&sampler->stopped)) {
    tally_inventory_wake(sampler->inventory);
    nanosleep(&(struct timespec){.tv_nsec = TALLY_NS_PER_MS}, NULL);
  }
  pthread_join(sampler->follower, NULL);
}

/* ---- making and unmaking ------------------------------------------------- */

tally_sampler_t *tally_sampler_create(tally_inventory_t *inventory,
                                      const tally_sampler_options_t *options,
                                      tally_error_t *err) {
  tally_sampler_t *sampler = calloc(1, sizeof(*sampler));
  const char *rootfs = options->rootfs ? options->rootfs : "";
  if (sampler == NULL || (sampler->rootfs = strdup(rootfs)) == NULL) {
    free(sampler);
    tally_error_set(err, ENOMEM, "sampler");
    return NULL;
  }
  pthread_mutex_init(&sampler->turn, NULL);
  pthread_mutex_init(&sampler->lock, NULL);
  sampler->stop_exits = eventfd(0, EFD_CLOEXEC);
  sampler->inventory = tally_inventory_ref(inventory);
  if (tally_roster_init(&sampler->roster, options, err) != 0 ||
      start_threads(sampler, err) != 0) {
    tally_sampler_destroy(sampler);
    return NULL;
  }
  return sampler;
}

void tally_sampler_destroy(tally_sampler_t *sampler) {
  if (sampler == NULL)
    return;
  stop_threads(sampler);
  tally_roster_clear(&sampler->roster);
  tally_inventory_release(sampler->inventory);
  if (sampler->stop_exits >= 0)
    close(sampler->stop_exits);
  pthread_mutex_destroy(&sampler->lock);
  pthread_mutex_destroy(&sampler->turn);
  free(sampler->rootfs);
  free(sampler);
}

/* ---- a run --------------------------------------------------------------- */

/* Memory can be plugged in, CPUs can be switched off. */
static void look_at_host(tally_sampler_t *sampler) {
  tally_host_size_t *host = &sampler->roster.probing.host;
  host->cpus = tally_node_cpus();
  host->memory = tally_node_memory_total(sampler->rootfs);
}

static void sample_all(tally_sampler_t *sampler, tally_sampler_cost_t *cost) {
  uint64_t now = tally_clock_monotonic_ns();
  uint64_t cpu = tally_clock_thread_cpu_ns();
  const tally_snapshot_t *snapshot =
      tally_inventory_snapshot(sampler->inventory);

  lock(sampler);
  tally_roster_t *roster = &sampler->roster;
  if (sampler->last_run_ns != 0)
    roster->visit_interval_ns = now - sampler->last_run_ns;
  sampler->last_run_ns = now;
  look_at_host(sampler);
  tally_roster_follow(roster, snapshot, now);
  char id[65] = "";
  while (tally_roster_sample_some(roster, id, PORTION, now, cost)) {
    unlock(sampler);
    lock(sampler);
  }
  cost->finals_dropped = roster->finals_dropped;
  unlock(sampler);

  tally_snapshot_unref(snapshot);
  cost->descriptors = tally_cgroup_descriptors_in_use();
  cost->cpu_ns = tally_clock_thread_cpu_ns() - cpu;
  cost->wall_ns = tally_clock_monotonic_ns() - now;
}

static int visit_finals(tally_sampler_t *sampler, tally_sampler_visit_t visit,
                        void *data, tally_sampler_cost_t *cost) {
  for (;;) {
    lock(sampler);
    tally_probe_t *probe = tally_roster_pop_final(&sampler->roster);
    unlock(sampler);
    if (probe == NULL)
      return 0;
    cost->finals++;
    int status = visit(&probe->last, data);
    tally_probe_destroy(probe);
    if (status != 0)
      return status;
  }
}

/* Copies what the visitor may see, so that the other thread can go on. */
static void prepare_visit(tally_sampler_t *sampler,
                          const tally_roster_entry_t *entry) {
  tally_container_sample_t *v = &sampler->visited;
  if (entry->probe == NULL || !entry->probe->sampled) {
    tally_container_sample_init(v, entry->container);
    v->time_ns = tally_clock_realtime_ns();
    return;
  }
  tally_container_sample_copy(v, &entry->probe->last);
  v->container = entry->container;
  if (v->interfaces_count > 0)
    memcpy(sampler->interfaces, v->interfaces,
           v->interfaces_count * sizeof(sampler->interfaces[0]));
  v->interfaces = sampler->interfaces;
}

void tally_sampler_run(tally_sampler_t *sampler, tally_sampler_visit_t visit,
                       void *data, tally_sampler_cost_t *cost) {
  *cost = (tally_sampler_cost_t){0};
  sample_all(sampler, cost);
  if (visit_finals(sampler, visit, data, cost) != 0)
    return;

  char id[65] = "";
  int status = 0;
  while (status == 0) {
    lock(sampler);
    const tally_roster_t *roster = &sampler->roster;
    size_t i = tally_roster_after(roster, id);
    while (i < roster->count && !roster->entries[i].wanted)
      i++;
    const tally_container_t *container = NULL;
    if (i < roster->count) {
      container = tally_container_ref(roster->entries[i].container);
      prepare_visit(sampler, &roster->entries[i]);
    }
    unlock(sampler);
    if (container == NULL)
      return;
    memcpy(id, container->id, sizeof(id));
    status = visit(&sampler->visited, data);
    tally_container_unref(container);
  }
}
