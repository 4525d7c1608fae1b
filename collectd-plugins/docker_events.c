/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_endpoint.h"

#include <stdatomic.h>

#include "container/lifecycle.h"
#include "core/clock.h"
#include "docker_events_counters.h"
#include "docker_events_notify.h"
#include "node/node.h"
#include "plugin_counters.h"

#define PLUGIN_NAME "docker_events"

#ifndef STOP_WINDOW_DEFAULT
#define STOP_WINDOW_DEFAULT 60 /* seconds */
#endif
#define STOP_WINDOW_MAX 86400

/*
 * Docker events as notifications and counters.
 *
 * Each <Plugin docker_events> block is one endpoint with a durable subscription
 * and a read callback of its own. Events arrive in the subscription's thread,
 * one after the other; all that it shares with the read callback are the
 * counters, which lock themselves, and the atomic `announced`. The subscription
 * ends in shutdown, when no read runs any more; only then is anything freed.
 */
typedef struct docker_events_s {
  plugin_endpoint_t base;

  /* config */
  char *state_dir;
  tally_select_t *types, *types_ignored;     /* NULL: all, none */
  tally_select_t *actions, *actions_ignored; /* NULL: all, none */
  tally_select_t *meta_labels;               /* NULL: none */
  char **own_images;
  double stop_window; /* seconds */
  bool report_existing;
  bool notify;
  bool count;

  /* runtime */
  plugin_ctx_t context; /* for the subscription's thread */
  plugin_own_t own;
  tally_lifecycle_t *lifecycle; /* subscription's thread only */
  docker_events_counters_t counters;
  tally_subscription_t *subscription;
  atomic_bool announced; /* what was there at the start */
} docker_events_t;

/* ---- what is there at the start ------------------------------------------ */

static size_t count_state(const tally_snapshot_t *snapshot,
                          tally_container_state_t state) {
  size_t count = 0;
  for (size_t i = 0; i < snapshot->count; i++)
    count += snapshot->containers[i]->state == state;
  return count;
}

/* The scan of the start, in one line, as soon as the containers are known. */
static void announce(docker_events_t *de) {
  if (atomic_load(&de->announced))
    return;
  const tally_snapshot_t *s = tally_inventory_snapshot(de->base.inventory);
  if (s->daemon.listed && !atomic_exchange(&de->announced, true)) {
    INFO(PLUGIN_NAME " plugin: Docker %s at %s: %zu containers running, "
                     "%zu exited",
         s->daemon.version, de->base.watch.endpoint.name,
         count_state(s, TALLY_CONTAINER_RUNNING),
         count_state(s, TALLY_CONTAINER_EXITED));
    const tally_container_t *own = tally_snapshot_find(s, de->own.id);
    if (own != NULL)
      INFO(PLUGIN_NAME " plugin: this collectd runs in container %s (%.12s, "
                       "image %s), which is left out",
           own->name, own->id, own->image);
  }
  tally_snapshot_unref(s);
}

/* ---- events -------------------------------------------------------------- */

/* `any` of a list that may be empty, minus what is ignored. */
static bool selects(const tally_select_t *any, const tally_select_t *ignored,
                    const char *text) {
  if (tally_select_match(ignored, text))
    return false;
  return tally_select_is_empty(any) || tally_select_match(any, text);
}

static bool is_wanted(const docker_events_t *de, const tally_event_t *event,
                      const tally_container_t *container) {
  if (event->origin == TALLY_EVENT_SCAN && !de->report_existing)
    return false;
  char action[TALLY_ACTION_NAME_SIZE];
  tally_event_action_name(event->action, action);
  if (!selects(de->types, de->types_ignored, event->type) ||
      !selects(de->actions, de->actions_ignored, action))
    return false;

  /* Container, Image and Label choose among containers, not among the rest. */
  if (!tally_event_of_container(event))
    return true;
  if (container == NULL)
    return !plugin_own_is(&de->own, event->actor_id, event->image) &&
           plugin_watch_wants_event(&de->base.watch, event);
  return !plugin_own_is(&de->own, container->id, container->image) &&
         plugin_watch_wants(&de->base.watch, container);
}

static void on_event(const tally_event_t *event,
                     const tally_container_t *container, void *data) {
  docker_events_t *de = data;
  plugin_set_ctx(de->context);
  announce(de);

  /* Also what is not wanted is judged: it may explain a later event. */
  tally_verdict_t verdict;
  tally_lifecycle_judge(de->lifecycle, event, container, &verdict);
  if (!is_wanted(de, event, container))
    return;
  /* What was found at the first start has not happened now. */
  if (de->count && event->origin != TALLY_EVENT_SCAN)
    docker_events_counters_add(&de->counters, event->type, event->action);
  if (de->notify)
    docker_events_notify(event, container, &verdict,
                         plugin_endpoint_name(&de->base), de->meta_labels);
}

/* ---- read ---------------------------------------------------------------- */

/* Returns 0 whatever happens: anything else would make the daemon ask less and
 * less often, up to once a day. */
static int on_read(user_data_t *user_data) {
  docker_events_t *de = user_data->data;
  announce(de);
  if (de->count)
    docker_events_counters_dispatch(&de->counters,
                                    plugin_endpoint_name(&de->base));
  plugin_counters_dispatch_events(PLUGIN_NAME, plugin_endpoint_name(&de->base),
                                  de->base.inventory);
  return 0;
}

/* ---- config -------------------------------------------------------------- */

static int set_stop_window(const char *plugin, oconfig_item_t *ci,
                           void *target) {
  return plugin_config_number(plugin, ci, 0, STOP_WINDOW_MAX, target);
}

#define OPTION(key, set, member)                                               \
  { key, set, offsetof(docker_events_t, member) }

static const plugin_option_t options[] = {
    PLUGIN_ENDPOINT_OPTIONS,
    OPTION("StateDir", plugin_config_string, state_dir),
    OPTION("EventType", plugin_config_pattern, types),
    OPTION("IgnoreEventType", plugin_config_pattern, types_ignored),
    OPTION("Action", plugin_config_pattern, actions),
    OPTION("IgnoreAction", plugin_config_pattern, actions_ignored),
    OPTION("MetaLabel", plugin_config_pattern, meta_labels),
    OPTION("OwnImage", plugin_config_add_string, own_images),
    OPTION("StopWindow", set_stop_window, stop_window),
    OPTION("ReportExisting", plugin_config_bool, report_existing),
    OPTION("Notifications", plugin_config_bool, notify),
    OPTION("Counters", plugin_config_bool, count),
    {NULL, NULL, 0},
};

static void set_defaults(void *endpoint) {
  docker_events_t *de = endpoint;
  de->stop_window = STOP_WINDOW_DEFAULT;
  de->report_existing = de->notify = de->count = true;
  docker_events_counters_init(&de->counters);
}

/* ---- init and shutdown --------------------------------------------------- */

static plugin_module_t module;

static int prepare(const plugin_endpoint_t *first) {
  return plugin_counters_register_events(PLUGIN_NAME);
}

/* Without a place for its ledger it still reports what happens from now on. */
static int subscribe(docker_events_t *de, tally_error_t *err) {
  char name[DATA_MAX_NAME_LEN];
  plugin_endpoint_label(name, sizeof(name), &module, &de->base, '-');
  tally_subscription_options_t how = {
      .name = name,
      .state_dir = de->state_dir != NULL ? de->state_dir : TALLY_STATE_DIR,
      .on_event = on_event,
      .data = de,
  };
  de->subscription = tally_inventory_subscribe(de->base.inventory, &how, err);
  if (de->subscription == NULL) {
    ERROR(PLUGIN_NAME " plugin: StateDir \"%s\": %s; what happens while "
                      "collectd does not run will be missed",
          how.state_dir, err->message);
    how.state_dir = NULL;
    de->subscription = tally_inventory_subscribe(de->base.inventory, &how, err);
  }
  return de->subscription != NULL ? 0 : -1;
}

static int start(void *endpoint, tally_error_t *err) {
  docker_events_t *de = endpoint;
  de->context = plugin_get_ctx();
  plugin_own_init(&de->own, de->own_images);
  de->lifecycle = tally_lifecycle_create(
      (uint64_t)(de->stop_window * (double)TALLY_NS_PER_S), err);
  if (de->lifecycle == NULL)
    return -1;
  return subscribe(de, err);
}

static void stop(void *endpoint) {
  docker_events_t *de = endpoint;
  if (de->subscription != NULL)
    tally_subscription_cancel(de->subscription);
  tally_lifecycle_destroy(de->lifecycle);
  docker_events_counters_clear(&de->counters);
  tally_select_destroy(de->types);
  tally_select_destroy(de->types_ignored);
  tally_select_destroy(de->actions);
  tally_select_destroy(de->actions_ignored);
  tally_select_destroy(de->meta_labels);
  plugin_strings_free(de->own_images);
  free(de->state_dir);
}

static plugin_module_t module = {.name = PLUGIN_NAME,
                                 .size = sizeof(docker_events_t),
                                 .options = options,
                                 .set_defaults = set_defaults,
                                 .prepare = prepare,
                                 .start = start,
                                 .read = on_read,
                                 .stop = stop};

PLUGIN_MODULE_REGISTER(module)
