/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_counters.h"
#include "plugin_name.h"

static size_t sources_of(const plugin_counters_type_t *type) {
  size_t count = 0;
  while (count < PLUGIN_COUNTERS_MAX && type->sources[count] != NULL)
    count++;
  return count;
}

static int type_of(const plugin_counters_type_t *type, size_t source) {
  return source + type->gauges < sources_of(type) ? DS_TYPE_DERIVE
                                                  : DS_TYPE_GAUGE;
}

static bool agrees(const plugin_counters_type_t *type, const data_set_t *ds) {
  if (ds->ds_num != sources_of(type))
    return false;
  for (size_t i = 0; i < ds->ds_num; i++)
    if (strcmp(ds->ds[i].name, type->sources[i]) != 0 ||
        ds->ds[i].type != type_of(type, i))
      return false;
  return true;
}

int plugin_counters_register(const char *plugin,
                             const plugin_counters_type_t *type) {
  const data_set_t *known = plugin_get_ds(type->name);
  if (known != NULL && agrees(type, known))
    return 0;
  if (known != NULL) {
    ERROR("%s plugin: TypesDB: type \"%s\" is not what this version "
          "dispatches; use the types.db that came with it",
          plugin, type->name);
    return -1;
  }

  data_source_t sources[PLUGIN_COUNTERS_MAX];
  data_set_t ds = {.ds_num = sources_of(type), .ds = sources};
  sstrncpy(ds.type, type->name, sizeof(ds.type));
  for (size_t i = 0; i < ds.ds_num; i++) {
    sources[i] =
        (data_source_t){.type = type_of(type, i), .min = 0, .max = NAN};
    sstrncpy(sources[i].name, type->sources[i], sizeof(sources[i].name));
  }
  return plugin_register_data_set(&ds);
}

void plugin_counters_dispatch(const char *plugin, const char *instance,
                              const plugin_counters_type_t *type,
                              const uint64_t *values) {
  value_t list[PLUGIN_COUNTERS_MAX];
  value_list_t vl = VALUE_LIST_INIT;
  vl.values = list;
  vl.values_len = sources_of(type);
  for (size_t i = 0; i < vl.values_len; i++)
    if (type_of(type, i) == DS_TYPE_DERIVE)
      list[i].derive = (derive_t)values[i];
    else
      list[i].gauge = (gauge_t)values[i];
  sstrncpy(vl.plugin, "tallyman", sizeof(vl.plugin));
  sstrncpy(vl.type, type->name, sizeof(vl.type));
  if (instance[0] != '\0')
    plugin_name_thing(vl.plugin_instance, sizeof(vl.plugin_instance), plugin,
                      instance);
  else
    sstrncpy(vl.plugin_instance, plugin, sizeof(vl.plugin_instance));
  plugin_dispatch_values(&vl);
}

/* ---- the inventory ------------------------------------------------------- */

static const plugin_counters_type_t events_type = {
    .name = "tallyman_events",
    .sources = {"received", "duplicate", "invalid", "dropped", "reconciled",
                "connects", "inspects", "inspect_errors"},
};

int plugin_counters_register_events(const char *plugin) {
  return plugin_counters_register(plugin, &events_type);
}

void plugin_counters_dispatch_events(const char *plugin, const char *instance,
                                     tally_inventory_t *inventory) {
  tally_inventory_stats_t s;
  tally_inventory_stats(inventory, &s);
  const uint64_t values[] = {
      s.events,         s.events_duplicate,  s.events_invalid,
      s.events_dropped, s.events_reconciled, s.connects,
      s.inspects,       s.inspect_errors,
  };
  plugin_counters_dispatch(plugin, instance, &events_type, values);
}
