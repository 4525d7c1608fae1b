/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container/lifecycle.h"
#include "core/clock.h"
#include "core/text.h"
#include "watch_private.h"

/* How long after "docker stop" an end still counts as asked for. */
#define STOP_WINDOW_NS (60 * TALLY_NS_PER_S)

struct tally_watch_docker_s {
  tally_endpoint_t endpoint;
  tally_notices_t *notices;
  tally_inventory_t *inventory;
  tally_watch_images_t *images;
  tally_sampler_t *sampler;
  tally_settings_t *sampled; /* the settings that the sampler asks */

  tally_lifecycle_t *lifecycle; /* the subscription's thread only */
  tally_subscription_t *subscription;
  pthread_mutex_t lock;
  tally_settings_t *settings; /* guarded by lock */

  /* The watcher's thread only. */
  bool lost; /* and said so */
};

/* ---- events -------------------------------------------------------------- */

static tally_settings_t *settings_of(tally_watch_docker_t *docker) {
  pthread_mutex_lock(&docker->lock);
  tally_settings_t *settings = tally_settings_ref(docker->settings);
  pthread_mutex_unlock(&docker->lock);
  return settings;
}

static void on_event(const tally_event_t *event,
                     const tally_container_t *container, void *data) {
  tally_watch_docker_t *docker = data;
  tally_settings_t *settings = settings_of(docker);
  tally_notice_t notice;
  if (tally_watch_notice_of(docker->lifecycle, settings, event, container,
                            &notice))
    tally_notices_put(docker->notices, &notice);
  tally_settings_unref(settings);
}

/* ---- making and unmaking ------------------------------------------------- */

static bool is_wanted(const tally_container_t *container, void *data) {
  return tally_settings_wants(data, container);
}

static int start_sampler(tally_watch_docker_t *docker,
                         tally_settings_t *settings, tally_error_t *err) {
  tally_sampler_options_t options = {.rootfs = settings->rootfs,
                                     .network = true,
                                     .block_io = true,
                                     .pressure = true,
                                     .wanted = is_wanted,
                                     .wanted_data = settings};
  tally_sampler_t *sampler =
      tally_sampler_create(docker->inventory, &options, err);
  if (sampler == NULL)
    return -1;
  tally_sampler_destroy(docker->sampler);
  tally_settings_unref(docker->sampled);
  docker->sampler = sampler;
  docker->sampled = tally_settings_ref(settings);
  return 0;
}

static int start(tally_watch_docker_t *docker, tally_error_t *err) {
  docker->lifecycle = tally_lifecycle_create(STOP_WINDOW_NS, err);
  if (docker->lifecycle == NULL)
    return -1;
  docker->inventory = tally_inventory_acquire(&docker->endpoint, err);
  if (docker->inventory == NULL)
    return -1;
  tally_subscription_options_t options = {
      .name = "tallyman-agentx", .on_event = on_event, .data = docker};
  docker->subscription =
      tally_inventory_subscribe(docker->inventory, &options, err);
  if (docker->subscription == NULL)
    return -1;
  docker->images = tally_watch_images_create(docker->inventory, err);
  return docker->images != NULL ? start_sampler(docker, docker->settings, err)
                                : -1;
}

tally_watch_docker_t *tally_watch_docker_open(tally_settings_t *settings,
                                              tally_notices_t *notices,
                                              tally_error_t *err) {
  tally_watch_docker_t *docker = calloc(1, sizeof(*docker));
  if (docker == NULL) {
    tally_error_set(err, ENOMEM, "Docker");
    return NULL;
  }
  pthread_mutex_init(&docker->lock, NULL);
  docker->notices = notices;
  docker->settings = tally_settings_ref(settings);
  if (tally_endpoint_parse(&docker->endpoint, settings->docker_endpoint,
                           settings->docker_cert_dir, err) != 0 ||
      start(docker, err) != 0) {
    tally_watch_docker_close(docker);
    return NULL;
  }
  return docker;
}

void tally_watch_docker_close(tally_watch_docker_t *docker) {
  if (docker == NULL)
    return;
  if (docker->subscription != NULL)
    tally_subscription_cancel(docker->subscription);
  tally_sampler_destroy(docker->sampler);
  tally_watch_images_destroy(docker->images);
  if (docker->inventory != NULL)
    tally_inventory_release(docker->inventory);
  tally_lifecycle_destroy(docker->lifecycle);
  tally_settings_unref(docker->sampled);
  tally_settings_unref(docker->settings);
  tally_endpoint_clear(&docker->endpoint);
  pthread_mutex_destroy(&docker->lock);
  free(docker);
}

/* ---- other settings ------------------------------------------------------ */

static bool equal(const char *a, const char *b) {
  return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

bool tally_watch_docker_is_of(const tally_watch_docker_t *docker,
                              const tally_settings_t *settings) {
  return equal(docker->settings->docker_endpoint, settings->docker_endpoint) &&
         equal(docker->settings->docker_cert_dir, settings->docker_cert_dir);
}

int tally_watch_docker_configure(tally_watch_docker_t *docker,
                                 tally_settings_t *settings,
                                 tally_error_t *err) {
  if (start_sampler(docker, settings, err) != 0)
    return -1;
  pthread_mutex_lock(&docker->lock);
  tally_settings_t *before = docker->settings;
  docker->settings = tally_settings_ref(settings);
  pthread_mutex_unlock(&docker->lock);
  tally_settings_unref(before);
  return 0;
}

tally_inventory_t *tally_watch_docker_inventory(tally_watch_docker_t *docker) {
  return docker->inventory;
}

tally_sampler_t *tally_watch_docker_sampler(tally_watch_docker_t *docker) {
  return docker->sampler;
}

/* ---- the node's row ------------------------------------------------------ */

/* An Engine that is not there at our start is as bad as one that went. */
static void tell(tally_watch_docker_t *docker, const tally_daemon_t *daemon) {
  bool lost = !daemon->reachable && daemon->problem[0] != '\0';
  bool back = daemon->reachable && docker->lost;
  if (!back && (!lost || docker->lost))
    return;
  docker->lost = lost;
  tally_notice_t notice;
  tally_notice_init(&notice,
                    lost ? TALLY_NOTICE_DOCKER_LOST : TALLY_NOTICE_DOCKER_BACK);
  notice.time_ns =
      daemon->since_ns != 0 ? daemon->since_ns : tally_clock_realtime_ns();
  tally_text_copy(notice.object, sizeof(notice.object), "docker");
  notice.state = lost ? TALLY_FALSE : TALLY_TRUE;
  if (lost)
    snprintf(notice.text, sizeof(notice.text), "Docker does not answer: %.200s",
             daemon->problem);
  else
    snprintf(notice.text, sizeof(notice.text), "Docker %s answers again",
             daemon->version);
  tally_text_tidy(notice.text);
  tally_notices_put(docker->notices, &notice);
}

static void count_states(const tally_snapshot_t *snapshot,
                         tally_node_row_t *node) {
  uint64_t in[TALLY_CONTAINER_STATES] = {0}, unhealthy = 0;
  for (size_t i = 0; i < snapshot->count; i++) {
    const tally_container_t *c = snapshot->containers[i];
    if ((unsigned)c->state < TALLY_CONTAINER_STATES)
      in[c->state]++;
    unhealthy += c->health == TALLY_HEALTH_UNHEALTHY &&
                 c->state == TALLY_CONTAINER_RUNNING;
  }
  node->containers_running = in[TALLY_CONTAINER_RUNNING];
  node->containers_paused = in[TALLY_CONTAINER_PAUSED];
  node->containers_restarting = in[TALLY_CONTAINER_RESTARTING];
  node->containers_exited = in[TALLY_CONTAINER_EXITED];
  node->containers_created = in[TALLY_CONTAINER_CREATED];
  node->containers_dead = in[TALLY_CONTAINER_DEAD];
  node->containers_unhealthy = unhealthy;
}

static const char *text_if_any(tally_view_t *view, const char *text) {
  return text[0] != '\0' ? tally_view_text(view, text) : NULL;
}

void tally_watch_docker_show(tally_watch_docker_t *docker,
                             const tally_snapshot_t *snapshot,
                             tally_view_t *view) {
  const tally_daemon_t *daemon = &snapshot->daemon;
  tally_node_row_t *node = tally_view_node(view);
  node->docker_reachable = daemon->reachable ? TALLY_TRUE : TALLY_FALSE;
  node->docker_version = text_if_any(view, daemon->version);
  node->docker_api_version = text_if_any(view, daemon->api_version);
  node->docker_problem =
      tally_view_text(view, daemon->reachable ? "" : daemon->problem);
  if (daemon->since_ns != 0)
    node->docker_changed_ns = daemon->since_ns;
  node->docker_images =
      tally_watch_images_count(docker->images, daemon->reachable);
  if (daemon->listed) /* none known is not the same as none there */
    count_states(snapshot, node);
  tell(docker, daemon);
}
