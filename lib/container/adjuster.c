/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "container/adjuster.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container/adjuster_private.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/thread.h"

#define FIRST_RETRY_MS 5
#define LAST_RETRY_MS 200
#define IDLE_WAIT_MS 1000 /* how soon a request to restore is seen */
#define SWEEP_PERIOD_NS (60 * TALLY_NS_PER_S)
#define RESTORE_DEADLINE_NS (10 * TALLY_NS_PER_S)

/* One run of a container. */
typedef struct {
  const tally_container_t *container; /* a reference */
  bool done;
  unsigned retry_ms;
  uint64_t next_try_ns; /* monotonic, as is the deadline */
  uint64_t deadline_ns;
} run_t;

struct tally_adjuster_s {
  tally_adjuster_core_t adjust;
  char *state_dir;
  char *rootfs;
  char *request_path; /* "restore" in the state directory */
  pthread_t thread;
  atomic_bool stop;

  /* the thread's own */
  run_t *runs; /* of the running containers, sorted by id */
  size_t runs_count;
  uint64_t generation; /* of the snapshot that they are taken from */
  uint64_t next_sweep_ns;
  bool holding;     /* an operator wants the originals and nothing else */
  bool restore_due; /* and they are not back yet */
};

/* ---- which containers run ------------------------------------------------ */

static bool is_running(const tally_container_t *c) {
  return c->state == TALLY_CONTAINER_RUNNING ||
         c->state == TALLY_CONTAINER_PAUSED;
}

static bool is_same_run(const run_t *run, const tally_container_t *c) {
  return run->container->started_ns == c->started_ns &&
         run->container->pid == c->pid;
}

static bool is_wanted(const tally_adjuster_t *a, const tally_container_t *c) {
  const tally_adjuster_options_t *o = &a->adjust.options;
  return is_running(c) && (o->wanted == NULL || o->wanted(c, o->data));
}

/* Takes over what is known of a run, with what inspect shows of it now. */
static run_t continue_run(run_t run, const tally_container_t *c) {
  run.container = tally_container_ref(c);
  return run;
}

static run_t begin_run(const tally_container_t *c, uint64_t now) {
  return (run_t){.container = tally_container_ref(c),
                 .retry_ms = FIRST_RETRY_MS,
                 .next_try_ns = now,
                 .deadline_ns =
                     now + TALLY_ADJUST_PATIENCE_MS * TALLY_NS_PER_MS};
}

/* Both lists are sorted by id, so one pass joins them. Out of memory: the old
 * list stays, and the next snapshot brings another try. */
static void follow(tally_adjuster_t *a, const tally_snapshot_t *snapshot) {
  run_t *runs = calloc(snapshot->count + 1, sizeof(*runs));
  if (runs == NULL)
    return;
  size_t count = 0, old = 0;
  uint64_t now = tally_clock_monotonic_ns();
  for (size_t i = 0; i < snapshot->count; i++) {
    const tally_container_t *c = snapshot->containers[i];
    if (!is_wanted(a, c))
      continue;
    while (old < a->runs_count && strcmp(a->runs[old].container->id, c->id) < 0)
      old++;
    bool known = old < a->runs_count &&
                 strcmp(a->runs[old].container->id, c->id) == 0 &&
                 is_same_run(&a->runs[old], c);
    runs[count++] = known ? continue_run(a->runs[old], c) : begin_run(c, now);
  }
  for (size_t i = 0; i < a->runs_count; i++)
    tally_container_unref(a->runs[i].container);
  free(a->runs);
  a->runs = runs;
  a->runs_count = count;
  a->generation = snapshot->generation;
}

/* ---- setting ------------------------------------------------------------- */

/* Looks at one run that is due; sets when it is due again. */
static void try_run(tally_adjuster_t *a, run_t *run) {
  uint64_t now = tally_clock_monotonic_ns();
  bool patient = now < run->deadline_ns;
  if (tally_adjuster_set(&a->adjust, run->container, patient) ==
      TALLY_ADJUST_DONE) {
    run->done = true;
    return;
  }
  run->next_try_ns = now + run->retry_ms * TALLY_NS_PER_MS;
  run->retry_ms *= 2;
  if (run->retry_ms > LAST_RETRY_MS)
    run->retry_ms = LAST_RETRY_MS;
}

/* Tries everything that is due. Returns for how many ms nothing will be. */
static int try_due_runs(tally_adjuster_t *a) {
  uint64_t wait_ns = IDLE_WAIT_MS * TALLY_NS_PER_MS;
  for (size_t i = 0; i < a->runs_count && !atomic_load(&a->stop); i++) {
    run_t *run = &a->runs[i];
    if (!run->done && run->next_try_ns <= tally_clock_monotonic_ns())
      try_run(a, run);
    if (run->done)
      continue;
    uint64_t now = tally_clock_monotonic_ns();
    uint64_t left = run->next_try_ns > now ? run->next_try_ns - now : 0;
    if (left < wait_ns)
      wait_ns = left;
  }
  return (int)(wait_ns / TALLY_NS_PER_MS) + 1;
}

/* ---- putting back -------------------------------------------------------- */

static void restore_all(tally_adjuster_t *a, uint64_t deadline_ns) {
  const tally_snapshot_t *s = tally_inventory_snapshot(a->adjust.inventory);
  for (size_t i = 0; i < s->count && tally_clock_monotonic_ns() < deadline_ns;
       i++)
    tally_adjuster_put_back(&a->adjust, s->containers[i]);
  tally_snapshot_unref(s);
}

/* An operator's request stands as long as the file does. */
static void check_request(tally_adjuster_t *a) {
  bool hold = access(a->request_path, F_OK) == 0;
  if (hold && !a->holding)
    tally_log(TALLY_LOG_NOTICE,
              "cgroup_adjust: `%s' is there: putting original limits back",
              a->request_path);
  if (!hold && a->holding) {
    tally_log(TALLY_LOG_NOTICE,
              "cgroup_adjust: `%s' has gone: setting limits again",
              a->request_path);
    for (size_t i = 0; i < a->runs_count; i++) {
      const tally_container_t *c = a->runs[i].container;
      a->runs[i] = begin_run(c, tally_clock_monotonic_ns());
      tally_container_unref(c);
    }
  }
  a->restore_due |= hold && !a->holding;
  a->holding = hold;
}

/* Once per request, as soon as the containers are known. */
static void serve_request(tally_adjuster_t *a, bool listed) {
  if (!a->restore_due || !listed)
    return;
  a->restore_due = false;
  if (!a->adjust.options.dry_run)
    restore_all(a, UINT64_MAX);
}

typedef struct {
  const char *originals_dir;
  const tally_snapshot_t *snapshot;
} sweep_t;

static void forget_if_gone(const char *id, void *data) {
  const sweep_t *sweep = data;
  if (tally_snapshot_find(sweep->snapshot, id) == NULL)
    tally_originals_remove(sweep->originals_dir, id);
}

/* Drops what is kept of containers that were removed. */
static void sweep_originals(tally_adjuster_t *a,
                            const tally_snapshot_t *snapshot) {
  uint64_t now = tally_clock_monotonic_ns();
  if (!snapshot->daemon.listed || now < a->next_sweep_ns)
    return;
  a->next_sweep_ns = now + SWEEP_PERIOD_NS;
  sweep_t sweep = {a->adjust.originals_dir, snapshot};
  tally_originals_each(sweep.originals_dir, forget_if_gone, &sweep);
}

/* ---- the thread ---------------------------------------------------------- */

static void *run_thread(void *data) {
  tally_adjuster_t *a = data;
  a->generation = UINT64_MAX;
  while (!atomic_load(&a->stop)) {
    const tally_snapshot_t *s = tally_inventory_snapshot(a->adjust.inventory);
    if (s->generation != a->generation)
      follow(a, s);
    sweep_originals(a, s);
    uint64_t generation = s->generation;
    bool listed = s->daemon.listed;
    tally_snapshot_unref(s);

    check_request(a);
    int wait_ms = IDLE_WAIT_MS;
    if (!a->holding)
      wait_ms = try_due_runs(a);
    else
      serve_request(a, listed);
    if (!atomic_load(&a->stop))
      tally_inventory_wait(a->adjust.inventory, generation, wait_ms);
  }
  return NULL;
}

/* ---- life ---------------------------------------------------------------- */

static int make_paths(tally_adjuster_t *a, const char *endpoint_name,
                      const tally_adjuster_options_t *options,
                      tally_error_t *err) {
  tally_adjuster_core_t *adjust = &a->adjust;
  a->state_dir = strdup(options->state_dir);
  a->rootfs = strdup(options->rootfs != NULL ? options->rootfs : "");
  if (asprintf(&a->request_path, "%s/restore", options->state_dir) < 0)
    a->request_path = NULL;
  /* Endpoints do not share a directory: each sweeps what it does not know. */
  if (asprintf(&adjust->originals_dir, "%s/%016" PRIx64, options->state_dir,
               tally_hash(endpoint_name, strlen(endpoint_name))) < 0)
    adjust->originals_dir = NULL;
  if (a->state_dir == NULL || a->rootfs == NULL || a->request_path == NULL ||
      adjust->originals_dir == NULL)
    return tally_error_set(err, ENOMEM, "adjuster");
  adjust->options.state_dir = a->state_dir;
  adjust->options.rootfs = a->rootfs;
  return 0;
}

static void free_adjuster(tally_adjuster_t *a) {
  for (size_t i = 0; i < a->runs_count; i++)
    tally_container_unref(a->runs[i].container);
  free(a->runs);
  if (a->adjust.host != NULL)
    tally_cgroup_host_destroy(a->adjust.host);
  pthread_mutex_destroy(&a->adjust.lock);
  free(a->adjust.originals_dir);
  free(a->request_path);
  free(a->state_dir);
  free(a->rootfs);
  free(a);
}

tally_adjuster_t *tally_adjuster_create(tally_inventory_t *inventory,
                                        const char *endpoint_name,
                                        const tally_adjuster_options_t *options,
                                        tally_error_t *err) {
  tally_adjuster_t *a = calloc(1, sizeof(*a));
  if (a == NULL) {
    tally_error_set(err, ENOMEM, "adjuster");
    return NULL;
  }
  a->adjust.options = *options;
  a->adjust.inventory = inventory;
  pthread_mutex_init(&a->adjust.lock, NULL);
  atomic_init(&a->stop, false);
  if (make_paths(a, endpoint_name, options, err) == 0 &&
      (a->adjust.host = tally_cgroup_host_create(a->rootfs, err)) != NULL &&
      tally_thread_start(&a->thread, "tally-adjust", run_thread, a, err) == 0)
    return a;
  free_adjuster(a);
  return NULL;
}

void tally_adjuster_destroy(tally_adjuster_t *adjuster) {
  if (adjuster == NULL)
    return;
  atomic_store(&adjuster->stop, true);
  tally_inventory_wake(adjuster->adjust.inventory);
  pthread_join(adjuster->thread, NULL);
  const tally_adjuster_options_t *options = &adjuster->adjust.options;
  if (options->restore_at_end && !options->dry_run)
    restore_all(adjuster, tally_clock_monotonic_ns() + RESTORE_DEADLINE_NS);
  free_adjuster(adjuster);
}

void tally_adjuster_stats(tally_adjuster_t *adjuster,
                          tally_adjuster_stats_t *stats) {
  pthread_mutex_lock(&adjuster->adjust.lock);
  *stats = adjuster->adjust.stats;
  pthread_mutex_unlock(&adjuster->adjust.lock);
}
