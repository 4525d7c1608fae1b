/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

/*
 * The floor of bench_process.py: a collectd plugin that dispatches, for so many
 * containers, the value lists of docker_stats, and does nothing else. What it
 * costs is collectd's own part, which no plugin can avoid.
 *
 *     <Plugin bench_dispatch>
 *       Containers 100
 *     </Plugin>
 */

#define SOURCES_MAX 19

static const struct {
  const char *type, *type_instance;
  size_t sources;
} lists[] = {
    /* what a container on cgroup v1 with one interface and one device has */
    {"container_cpu", "", 6},
    {"container_throttling", "", 3},
    {"container_memory", "", 19},
    {"container_state", "", 9},
    {"load", "", 3},
    {"if_octets", "eth0", 2},
    {"if_packets", "eth0", 2},
    {"if_errors", "eth0", 2},
    {"if_dropped", "eth0", 2},
    {"disk_octets", "vda", 2},
    {"disk_ops", "vda", 2},
};

static int containers;

static int on_read(void) {
  value_t values[SOURCES_MAX];
  memset(values, 0, sizeof(values));
  for (int c = 0; c < containers; c++) {
    value_list_t vl = VALUE_LIST_INIT;
    vl.values = values;
    sstrncpy(vl.plugin, "docker", sizeof(vl.plugin));
    snprintf(vl.plugin_instance, sizeof(vl.plugin_instance), "shop-web-%d", c);
    for (size_t i = 0; i < STATIC_ARRAY_SIZE(lists); i++) {
      vl.values_len = lists[i].sources;
      sstrncpy(vl.type, lists[i].type, sizeof(vl.type));
      sstrncpy(vl.type_instance, lists[i].type_instance,
               sizeof(vl.type_instance));
      plugin_dispatch_values(&vl);
    }
  }
  return 0;
}

static int on_config(oconfig_item_t *block) {
  for (int i = 0; i < block->children_num; i++)
    if (strcasecmp(block->children[i].key, "Containers") == 0)
      return cf_util_get_int(&block->children[i], &containers);
  return -1;
}

void module_register(void) {
  plugin_register_complex_config("bench_dispatch", on_config);
  plugin_register_read("bench_dispatch", on_read);
}
