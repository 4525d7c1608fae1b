/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/thread.h"
#include "watch_private.h"

/* Who wants the thread to end calls until it has heard. */
#define CALL_AGAIN_MS 5

/* ---- a view -------------------------------------------------------------- */

typedef struct visit_s {
  tally_watch_t *watch;
  tally_view_t *view;
} visit_t;

static int on_sample(const tally_container_sample_t *sample, void *data) {
  visit_t *visit = data;
  tally_watch_t *w = visit->watch;
  tally_watch_show_container(sample, w->settings, w->steady, &w->rules,
                             visit->view);
  return 0;
}

static void show_containers(tally_watch_t *w, tally_view_t *view) {
  tally_inventory_t *inventory = tally_watch_docker_inventory(w->docker);
  const tally_snapshot_t *snapshot = tally_inventory_snapshot(inventory);
  w->generation = snapshot->generation;
  tally_watch_docker_show(w->docker, snapshot, view);
  tally_snapshot_unref(snapshot);

  w->rules.count = w->rules.next = 0;
  w->rules.view = view;
  tally_sampler_cost_t cost;
  tally_sampler_run(tally_watch_docker_sampler(w->docker), on_sample,
                    &(visit_t){w, view}, &cost);
  tally_steady_sweep(w->steady);
}

static void fill_view(tally_watch_t *w, tally_view_t *view) {
  uint64_t begin = tally_clock_monotonic_ns();
  uint64_t cpu = tally_clock_thread_cpu_ns();
  tally_node_row_t *node = tally_view_node(view);
  node->sample_ns = tally_clock_realtime_ns();

  tally_watch_show_node(w->node, w->settings, view);
  tally_watch_show_disks(w->mounts, view);
  show_containers(w, view);
  tally_sinks_show(w->sinks, w->settings, view);
  tally_alarms_judge(w->alarms, w->settings, view, tally_watch_rule_of,
                     &w->rules, node->sample_ns, w->notices);
  tally_notices_count(w->notices, &node->notifications_sent,
                      &node->notifications_suppressed);

  node->sample_wall_us = (tally_clock_monotonic_ns() - begin) / 1000;
  node->sample_cpu_us = (tally_clock_thread_cpu_ns() - cpu) / 1000;
}

/* Without memory the old view stays; its age tells. */
static void publish(tally_watch_t *w) {
  tally_error_t err = {0};
  tally_view_t *view = tally_view_create();
  if (view == NULL)
    tally_error_set(&err, ENOMEM, "view");
  else
    fill_view(w, view);
  if (view != NULL && tally_view_finish(view, &err) == 0) {
    tally_board_publish(w->board, view);
    w->complained = false;
    return;
  }
  tally_view_unref(view);
  if (!w->complained)
    tally_log(TALLY_LOG_ERROR, "%s", err.message);
  w->complained = true;
}

/* ---- settings ------------------------------------------------------------ */

static bool equal(const char *a, const char *b) {
  return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static tally_mounts_options_t mounts_options(tally_settings_t *settings) {
  return (tally_mounts_options_t){.rootfs = settings->rootfs,
                                  .interval = settings->interval,
                                  .timeout = settings->disk_timeout,
                                  .wanted = tally_watch_wants_mount,
                                  .data = settings};
}

/* What depends on settings. Made anew where they differ, and taken over all at
 * once or not at all. */
typedef struct parts_s {
  tally_watch_docker_t *docker;
  tally_node_reader_t *node;
  tally_mounts_t *mounts;
  tally_sinks_t *sinks;
} parts_t;

static void destroy_parts(parts_t *parts) {
  tally_watch_docker_close(parts->docker);
  tally_node_reader_destroy(parts->node);
  tally_mounts_destroy(parts->mounts);
  tally_sinks_destroy(parts->sinks);
  *parts = (parts_t){NULL};
}

static int make_parts(const tally_watch_t *w, tally_settings_t *s,
                      parts_t *parts, tally_error_t *err) {
  const tally_settings_t *old = w->settings;
  bool other_root = old == NULL || !equal(old->rootfs, s->rootfs);
  if (w->docker == NULL || !tally_watch_docker_is_of(w->docker, s)) {
    parts->docker = tally_watch_docker_open(s, w->notices, err);
    if (parts->docker == NULL)
      return -1;
  }
  if (other_root) {
    tally_mounts_options_t options = mounts_options(s);
    parts->node = tally_node_reader_create(s->rootfs, err);
    if (parts->node != NULL)
      parts->mounts = tally_mounts_create(&options, err);
    if (parts->mounts == NULL)
      return -1;
  }
  if (old == NULL || old->interval != s->interval ||
      !equal(old->collectd_socket, s->collectd_socket)) {
    parts->sinks = tally_sinks_create(s->collectd_socket, s->interval, err);
    if (parts->sinks == NULL)
      return -1;
  }
  return 0;
}

#define TAKE_OVER(part)                                                        \
  do {                                                                         \
    void *before = w->part;                                                    \
    if (parts->part != NULL) {                                                 \
      w->part = parts->part;                                                   \
      parts->part = before;                                                    \
    }                                                                          \
  } while (0)

/* Leaves in *parts what is not needed any more. */
static int adopt(tally_watch_t *w, tally_settings_t *s, parts_t *parts,
                 tally_error_t *err) {
  if (parts->docker == NULL &&
      tally_watch_docker_configure(w->docker, s, err) != 0)
    return -1;
  if (parts->mounts == NULL) {
    tally_mounts_options_t options = mounts_options(s);
    tally_mounts_configure(w->mounts, &options);
  }
  pthread_mutex_lock(&w->lock);
  TAKE_OVER(docker);
  pthread_mutex_unlock(&w->lock);
  TAKE_OVER(node);
  TAKE_OVER(mounts);
  TAKE_OVER(sinks);
  tally_notices_configure(w->notices, s);
  return 0;
}

/* Takes over the caller's reference. */
static int configure(tally_watch_t *w, tally_settings_t *s,
                     tally_error_t *err) {
  parts_t parts = {NULL};
  tally_settings_t *unused = s;
  int status = make_parts(w, s, &parts, err);
  if (status == 0)
    status = adopt(w, s, &parts, err);
  if (status == 0) {
    unused = w->settings;
    w->settings = s;
  }
  destroy_parts(&parts);
  tally_settings_unref(unused);
  return status;
}

/* ---- the thread ---------------------------------------------------------- */

static tally_settings_t *take_pending(tally_watch_t *w, bool *stop) {
  pthread_mutex_lock(&w->lock);
  tally_settings_t *pending = w->pending;
  w->pending = NULL;
  *stop = w->stop;
  pthread_mutex_unlock(&w->lock);
  return pending;
}

static void *watch(void *data) {
  tally_watch_t *w = data;
  tally_watch_wait_for_list(w);
  for (;;) {
    bool stop;
    tally_settings_t *pending = take_pending(w, &stop);
    tally_error_t err = {0};
    if (pending != NULL && !stop && configure(w, pending, &err) != 0)
      tally_log(TALLY_LOG_ERROR, "the old settings stay: %s", err.message);
    if (stop) {
      tally_settings_unref(pending);
      break;
    }
    uint64_t now = tally_clock_monotonic_ns();
    publish(w);
    atomic_store(&w->last_ns, now);
    tally_watch_wait_for_view(w, now);
  }
  pthread_mutex_lock(&w->lock);
  w->ended = true;
  pthread_cond_broadcast(&w->changed);
  pthread_mutex_unlock(&w->lock);
  return NULL;
}

/* ---- the user's side ----------------------------------------------------- */

static int start(tally_watch_t *w, tally_settings_t *settings,
                 tally_error_t *err) {
  w->alarms = tally_alarms_create();
  w->steady = tally_steady_create();
  if (w->alarms == NULL || w->steady == NULL)
    return tally_error_set(err, ENOMEM, "watcher");
  if (configure(w, tally_settings_ref(settings), err) != 0 ||
      tally_thread_start(&w->thread, "tally-watch", watch, w, err) != 0)
    return -1;
  w->started = true;
  return 0;
}

tally_watch_t *tally_watch_start(tally_settings_t *settings,
                                 tally_board_t *board, tally_notices_t *notices,
                                 tally_error_t *err) {
  tally_watch_t *w = calloc(1, sizeof(*w));
  if (w == NULL) {
    tally_error_set(err, ENOMEM, "watcher");
    return NULL;
  }
  w->board = board;
  w->notices = notices;
  tally_cgroup_raise_descriptor_limit(); /* a container takes some 17 */
  pthread_mutex_init(&w->lock, NULL);
  tally_condition_init(&w->changed);
  if (start(w, settings, err) != 0) {
    tally_watch_stop(w);
    return NULL;
  }
  return w;
}

int tally_watch_configure(tally_watch_t *w, tally_settings_t *settings,
                          tally_error_t *err) {
  /* What can be wrong is found out here; the rest is done by the thread, so
   * that nobody waits for an Engine that has to be left. */
  tally_endpoint_t endpoint;
  if (tally_endpoint_parse(&endpoint, settings->docker_endpoint,
                           settings->docker_cert_dir, err) != 0)
    return -1;
  tally_endpoint_clear(&endpoint);
  pthread_mutex_lock(&w->lock);
  tally_settings_t *before = w->pending;
  w->pending = tally_settings_ref(settings);
  tally_watch_call(w);
  pthread_mutex_unlock(&w->lock);
  tally_settings_unref(before);
  return 0;
}

uint64_t tally_watch_last_ns(tally_watch_t *w) {
  return atomic_load(&w->last_ns);
}

void tally_watch_stop(tally_watch_t *w) {
  if (w == NULL)
    return;
  pthread_mutex_lock(&w->lock);
  w->stop = true;
  while (w->started && !w->ended) {
    tally_watch_call(w);
    struct timespec deadline = tally_deadline_after(CALL_AGAIN_MS);
    pthread_cond_timedwait(&w->changed, &w->lock, &deadline);
  }
  pthread_mutex_unlock(&w->lock);
  if (w->started)
    pthread_join(w->thread, NULL);
  destroy_parts(&(parts_t){w->docker, w->node, w->mounts, w->sinks});
  tally_alarms_destroy(w->alarms);
  tally_steady_destroy(w->steady);
  free(w->rules.of);
  tally_settings_unref(w->settings);
  tally_settings_unref(w->pending);
  pthread_cond_destroy(&w->changed);
  pthread_mutex_destroy(&w->lock);
  free(w);
}
