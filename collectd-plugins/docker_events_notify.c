/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_name.h"

#include "container/signal_name.h"
#include "docker_events_notify.h"

static int severity_of(const tally_verdict_t *verdict) {
  switch (verdict->severity) {
  case TALLY_SEVERITY_FAILURE:
    return NOTIF_FAILURE;
  case TALLY_SEVERITY_WARNING:
    return NOTIF_WARNING;
  case TALLY_SEVERITY_OKAY:
    break;
  }
  return NOTIF_OKAY;
}

/* Meta data that is empty says nothing and is left out. */
static void add_string(notification_t *n, const char *name, const char *value) {
  if (value != NULL && value[0] != '\0')
    plugin_notification_meta_add_string(n, name, value);
}

/* The daemon sends the labels of a container along with its events; with those
 * of images and networks it does the same. */
static void add_labels(notification_t *n, const tally_event_t *event,
                       const tally_container_t *container,
                       const tally_select_t *labels) {
  const tally_pair_t *list =
      container != NULL ? container->labels : event->attributes;
  size_t count =
      container != NULL ? container->labels_count : event->attributes_count;
  for (size_t i = 0; i < count; i++) {
    char name[DATA_MAX_NAME_LEN];
    if (!tally_select_match(labels, list[i].key))
      continue;
    snprintf(name, sizeof(name), "label:%s", list[i].key);
    add_string(n, name, list[i].value);
  }
}

static void add_meta(notification_t *n, const tally_event_t *event,
                     const tally_container_t *container,
                     const tally_verdict_t *verdict) {
  if (tally_event_of_container(event)) {
    add_string(n, "container_id", event->actor_id);
    add_string(n, "container_name", event->actor_name);
    add_string(n, "container_image",
               container != NULL ? container->image : event->image);
    add_string(n, "execution_id", tally_event_attribute(event, "execID"));
  } else {
    add_string(n, "actor_id", event->actor_id);
    add_string(n, "actor_name", event->actor_name);
    /* the other end of `connect` and `mount` */
    add_string(n, "container_id", tally_event_attribute(event, "container"));
  }
  add_string(n, "action", event->action);
  add_string(n, "origin", tally_event_origin_name(event->origin));
  plugin_notification_meta_add_unsigned_int(n, "event_time_ns", event->time_ns);
  if (verdict->exit_code_known)
    plugin_notification_meta_add_signed_int(n, "exit_code", verdict->exit_code);
  if (verdict->signal != 0) {
    char signal[TALLY_SIGNAL_NAME_SIZE];
    tally_signal_name(verdict->signal, signal);
    add_string(n, "signal", signal);
  }
  if (verdict->stop_requested)
    plugin_notification_meta_add_boolean(n, "stop_requested", true);
  if (verdict->oom)
    plugin_notification_meta_add_boolean(n, "oom", true);
}

void docker_events_notify(const tally_event_t *event,
                          const tally_container_t *container,
                          const tally_verdict_t *verdict, const char *instance,
                          const tally_select_t *meta_labels) {
  notification_t n = {.severity = severity_of(verdict),
                      .time = NS_TO_CDTIME_T(event->time_ns)};
  char actor[DATA_MAX_NAME_LEN];
  tally_event_sentence(event, container, verdict, n.message, sizeof(n.message));
  sstrncpy(n.host, hostname_g, sizeof(n.host));
  sstrncpy(n.plugin, "docker", sizeof(n.plugin));
  if (tally_event_of_container(event) && event->actor_id[0] != '\0')
    plugin_name_container(n.plugin_instance, sizeof(n.plugin_instance),
                          instance, event->actor_name, event->actor_id);
  else
    plugin_name_thing(n.plugin_instance, sizeof(n.plugin_instance), instance,
                      tally_event_actor(event, actor, sizeof(actor)));
  plugin_name_thing(n.type, sizeof(n.type), NULL, event->type);
  tally_event_action_name(event->action, n.type_instance);

  add_meta(&n, event, container, verdict);
  add_labels(&n, event, container, meta_labels);
  /* -1 only means that nobody listens. */
  plugin_dispatch_notification(&n);
  plugin_notification_meta_free(n.meta);
}
