/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "docker_events_counters.h"
#include "plugin_name.h"

static docker_events_counter_t *find(docker_events_counters_t *c,
                                     const char *type, const char *action) {
  for (size_t i = 0; i < c->used; i++)
    if (strcmp(c->list[i].action, action) == 0 &&
        strcmp(c->list[i].type, type) == 0)
      return &c->list[i];
  return NULL;
}

/* The last place of the table belongs to "other". */
static docker_events_counter_t *
find_or_add(docker_events_counters_t *c, const char *type, const char *action) {
  docker_events_counter_t *counter = find(c, type, action);
  if (counter != NULL)
    return counter;
  if (c->used >= DOCKER_EVENTS_COUNTERS_MAX - 1) {
    type = action = "other";
    if ((counter = find(c, type, action)) != NULL)
      return counter;
  }
  counter = &c->list[c->used++];
  counter->count = 0;
  sstrncpy(counter->type, type, sizeof(counter->type));
  sstrncpy(counter->action, action, sizeof(counter->action));
  return counter;
}

void docker_events_counters_init(docker_events_counters_t *counters) {
  static const char *const actions[] = {
      "create", "start", "die",     "kill",
      "stop",   "oom",   "destroy", "health_status_unhealthy"};
  pthread_mutex_init(&counters->lock, NULL);
  counters->used = 0;
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(actions); i++)
    find_or_add(counters, "container", actions[i]);
}

void docker_events_counters_clear(docker_events_counters_t *counters) {
  pthread_mutex_destroy(&counters->lock);
}

void docker_events_counters_add(docker_events_counters_t *counters,
                                const char *type, const char *action) {
  /* Cut as the table cuts it, so that it is found again. */
  char short_type[DOCKER_EVENTS_TYPE_SIZE], name[TALLY_ACTION_NAME_SIZE];
  sstrncpy(short_type, type, sizeof(short_type));
  tally_event_action_name(action, name);
  pthread_mutex_lock(&counters->lock);
  find_or_add(counters, short_type, name)->count++;
  pthread_mutex_unlock(&counters->lock);
}

void docker_events_counters_dispatch(docker_events_counters_t *counters,
                                     const char *instance) {
  value_t value;
  value_list_t vl = VALUE_LIST_INIT;
  vl.values = &value;
  vl.values_len = 1;
  sstrncpy(vl.plugin, "docker_events", sizeof(vl.plugin));
  sstrncpy(vl.type, "total_events", sizeof(vl.type));

  /* Entries are only ever added, so the lock need not be held while the
   * daemon's write threads are given work. */
  pthread_mutex_lock(&counters->lock);
  size_t used = counters->used;
  pthread_mutex_unlock(&counters->lock);
  for (size_t i = 0; i < used; i++) {
    pthread_mutex_lock(&counters->lock);
    value.derive = (derive_t)counters->list[i].count;
    pthread_mutex_unlock(&counters->lock);
    plugin_name_thing(vl.plugin_instance, sizeof(vl.plugin_instance), instance,
                      counters->list[i].type);
    sstrncpy(vl.type_instance, counters->list[i].action,
             sizeof(vl.type_instance));
    plugin_dispatch_values(&vl);
  }
}
