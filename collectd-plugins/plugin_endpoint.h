/* SPDX-License-Identifier: MIT */
#ifndef PLUGIN_ENDPOINT_H
#define PLUGIN_ENDPOINT_H

/*
 * The life of a plugin that watches Docker endpoints: each <Plugin> block is
 * one endpoint with options, an inventory and a read callback of its own; a
 * plugin that is loaded without a block watches the local daemon with all
 * defaults. One endpoint that cannot be started does not stop the others.
 *
 * A plugin describes itself in a plugin_module_t and hands its callbacks on.
 * All of it runs in the daemon's main thread, before the first read and after
 * the last one, so the list of endpoints needs no lock. The daemon frees
 * nothing for us: shutdown does. Include after collectd's headers.
 */

#include "plugin_util.h"

/* The first member of a plugin's own struct. */
typedef struct plugin_endpoint_s {
  plugin_watch_t watch;
  char *instance;               /* option Instance; NULL: the nameless one */
  tally_inventory_t *inventory; /* from start() on */
  struct plugin_endpoint_s *next;
} plugin_endpoint_t;

/* The options that all of them have, for the beginning of a table. */
#define PLUGIN_ENDPOINT_OPTIONS                                                \
  PLUGIN_WATCH_OPTIONS(plugin_endpoint_t, watch), {                            \
    "Instance", plugin_config_instance, offsetof(plugin_endpoint_t, instance)  \
  }

typedef struct plugin_module_s {
  const char *name;
  size_t size; /* of the plugin's own struct */
  const plugin_option_t *options;
  void (*set_defaults)(void *endpoint);
  /* Once, in init, before the first start. 0 or -1 (logged). NULL: nothing. */
  int (*prepare)(const plugin_endpoint_t *first);
  /* Makes what read needs; the inventory is there already. -1 and *err, and
   * then stop() is called at shutdown as for the others. */
  int (*start)(void *endpoint, tally_error_t *err);
  int (*read)(user_data_t *endpoint);
  /* Stops what start() made and frees what the plugin's struct owns, options
   * included; in any state. */
  void (*stop)(void *endpoint);

  plugin_endpoint_t *endpoints; /* in the order of the configuration */
} plugin_module_t;

/* For the callbacks below. */
int plugin_module_config(plugin_module_t *module, oconfig_item_t *block);
int plugin_module_init(plugin_module_t *module);
int plugin_module_shutdown(plugin_module_t *module);

/* At the end of a plugin's file: module_register(), and the callbacks that it
 * hands to the daemon, which gives them nothing to know the module by. */
#define PLUGIN_MODULE_REGISTER(module)                                         \
  static int on_config(oconfig_item_t *block) {                                \
    return plugin_module_config(&(module), block);                             \
  }                                                                            \
  static int on_init(void) { return plugin_module_init(&(module)); }           \
  static int on_shutdown(void) { return plugin_module_shutdown(&(module)); }   \
  void module_register(void) {                                                 \
    plugin_register_complex_config((module).name, on_config);                  \
    plugin_register_init((module).name, on_init);                              \
    plugin_register_shutdown((module).name, on_shutdown);                      \
  }

/* Instance, or "". */
const char *plugin_endpoint_name(const plugin_endpoint_t *endpoint);
/* MODULE, or MODULE and the instance with `separator` between them. */
void plugin_endpoint_label(char *label, size_t size,
                           const plugin_module_t *module,
                           const plugin_endpoint_t *endpoint, char separator);

#endif
