/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_endpoint.h"

const char *plugin_endpoint_name(const plugin_endpoint_t *endpoint) {
  return endpoint->instance != NULL ? endpoint->instance : "";
}

void plugin_endpoint_label(char *label, size_t size,
                           const plugin_module_t *module,
                           const plugin_endpoint_t *endpoint, char separator) {
  if (endpoint->instance == NULL)
    snprintf(label, size, "%s", module->name);
  else
    snprintf(label, size, "%s%c%s", module->name, separator,
             endpoint->instance);
}

/* ---- config -------------------------------------------------------------- */

static plugin_endpoint_t *create(const plugin_module_t *module) {
  plugin_endpoint_t *endpoint = calloc(1, module->size);
  if (endpoint == NULL) {
    ERROR("%s plugin: out of memory", module->name);
    return NULL;
  }
  module->set_defaults(endpoint);
  return endpoint;
}

/* What the plugin added goes first: it uses the inventory. */
static void destroy(const plugin_module_t *module,
                    plugin_endpoint_t *endpoint) {
  module->stop(endpoint);
  if (endpoint->inventory != NULL)
    tally_inventory_release(endpoint->inventory);
  plugin_watch_clear(&endpoint->watch);
  free(endpoint->instance);
  free(endpoint);
}

/* Its values and files must not get the names of another block's. */
static int add(plugin_module_t *module, plugin_endpoint_t *endpoint) {
  const char *name = plugin_endpoint_name(endpoint);
  plugin_endpoint_t **last = &module->endpoints;
  for (; *last != NULL; last = &(*last)->next)
    if (strcasecmp(plugin_endpoint_name(*last), name) == 0) {
      ERROR("%s plugin: configuration: Instance \"%s\": taken by another "
            "<Plugin %s> block; each endpoint needs a name of its own",
            module->name, name, module->name);
      return -1;
    }
  *last = endpoint;
  return 0;
}

int plugin_module_config(plugin_module_t *module, oconfig_item_t *block) {
  plugin_endpoint_t *endpoint = create(module);
  if (endpoint == NULL)
    return -1;
  if (plugin_config_block(module->name, block, module->options, endpoint) ==
          0 &&
      plugin_watch_finish(module->name, &endpoint->watch) == 0 &&
      add(module, endpoint) == 0)
    return 0;
  destroy(module, endpoint);
  return -1;
}

/* ---- init and shutdown --------------------------------------------------- */

static int add_default(plugin_module_t *module) {
  module->endpoints = create(module);
  if (module->endpoints == NULL)
    return -1;
  return plugin_watch_finish(module->name, &module->endpoints->watch);
}

static int start(const plugin_module_t *module, plugin_endpoint_t *endpoint) {
  tally_error_t err = {0};
  const tally_endpoint_t *daemon = &endpoint->watch.endpoint;
  endpoint->inventory = tally_inventory_acquire(daemon, &err);
  if (endpoint->inventory == NULL || module->start(endpoint, &err) != 0) {
    ERROR("%s plugin: endpoint %s: %s", module->name, daemon->name,
          err.message);
    return -1;
  }
  char label[DATA_MAX_NAME_LEN];
  plugin_endpoint_label(label, sizeof(label), module, endpoint, '/');
  return plugin_register_complex_read(NULL, label, module->read, 0,
                                      &(user_data_t){.data = endpoint});
}

int plugin_module_init(plugin_module_t *module) {
  plugin_util_log_init();
  if (module->endpoints == NULL && add_default(module) != 0)
    return -1;
  if (module->prepare != NULL && module->prepare(module->endpoints) != 0)
    return -1;
  int status = -1; /* unless one of them works */
  for (plugin_endpoint_t *e = module->endpoints; e != NULL; e = e->next)
    if (start(module, e) == 0)
      status = 0;
  return status;
}

int plugin_module_shutdown(plugin_module_t *module) {
  while (module->endpoints != NULL) {
    plugin_endpoint_t *endpoint = module->endpoints;
    module->endpoints = endpoint->next;
    destroy(module, endpoint);
  }
  return 0;
}
