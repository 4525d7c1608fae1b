/* SPDX-License-Identifier: MIT */
#ifndef PLUGIN_COUNTERS_H
#define PLUGIN_COUNTERS_H

/*
 * Numbers about ourselves: one value list of counters, under the plugin name
 * "tallyman" with our plugin's name as the instance:
 * tallyman-PLUGIN/TYPE, or tallyman-PLUGIN:INSTANCE/TYPE with an `instance`.
 * Include after collectd's headers.
 */

#include "docker/docker.h"

#define PLUGIN_COUNTERS_MAX 16

/* A type whose data sources are DERIVEs, in the order of types.db; but for the
 * last `gauges` of them, which say how things are now. */
typedef struct plugin_counters_type_s {
  const char *name;
  const char *sources[PLUGIN_COUNTERS_MAX]; /* NULL-terminated unless full */
  size_t gauges;
} plugin_counters_type_t;

/* Makes sure that the daemon knows the type, also without our types.db. -1 and
 * a log line if some types.db says something else. */
int plugin_counters_register(const char *plugin,
                             const plugin_counters_type_t *type);
/* One value per data source. */
void plugin_counters_dispatch(const char *plugin, const char *instance,
                              const plugin_counters_type_t *type,
                              const uint64_t *values);

/* Type tallyman_events: what the inventory went through. */
int plugin_counters_register_events(const char *plugin);
void plugin_counters_dispatch_events(const char *plugin, const char *instance,
                                     tally_inventory_t *inventory);

#endif
