/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_counters.h"
#include "plugin_endpoint.h"

#include "cgroup/cgroup.h"
#include "container/sampler.h"
#include "core/clock.h"
#include "docker_stats_identity.h"
#include "docker_stats_values.h"
#include "node/node.h"

#define PLUGIN_NAME "docker_stats"

/* How long the very first read waits for Docker's list of containers. */
#define FIRST_LIST_TIMEOUT_MS 2000

/*
 * The statistics of every container, without asking Docker for them.
 *
 * Each <Plugin docker_stats> block is one endpoint with an inventory, a sampler
 * and a read callback of its own. collectd never runs one read callback twice
 * at a time, so nothing here needs a lock; what threads there are belong to the
 * library, which also says when Docker goes away and comes back.
 */
typedef struct docker_stats_s {
  plugin_endpoint_t base;

  /* config */
  char *rootfs;
  docker_stats_host_format_t host_format;
  docker_stats_groups_t groups;
  tally_select_t *meta_labels;
  bool ignore_self;

  /* runtime */
  docker_stats_naming_t naming;
  char own_id[65]; /* "": we do not run in a container */
  tally_sampler_t *sampler;
  tally_devices_t *devices;
  docker_stats_identities_t *identities;
  bool was_read;
} docker_stats_t;

/* ---- read ---------------------------------------------------------------- */

static bool is_wanted(const tally_container_t *container, void *data) {
  const docker_stats_t *ds = data;
  if (ds->ignore_self && strcmp(container->id, ds->own_id) == 0)
    return false;
  return plugin_watch_wants(&ds->base.watch, container);
}

static int on_sample(const tally_container_sample_t *sample, void *data) {
  docker_stats_t *ds = data;
  docker_stats_identity_t *identity =
      docker_stats_identities_get(ds->identities, sample->container);
  if (identity != NULL)
    docker_stats_dispatch_sample(sample, &ds->groups, identity, ds->devices);
  return 0;
}

/* The inventory has only just begun when the first read comes; a moment of
 * patience saves a whole interval without values. */
static const tally_snapshot_t *first_snapshot(tally_inventory_t *inventory) {
  uint64_t end =
      tally_clock_monotonic_ns() + FIRST_LIST_TIMEOUT_MS * TALLY_NS_PER_MS;
  for (;;) {
    const tally_snapshot_t *snapshot = tally_inventory_snapshot(inventory);
    uint64_t now = tally_clock_monotonic_ns();
    if (snapshot->daemon.listed || snapshot->daemon.problem[0] != '\0' ||
        now >= end)
      return snapshot;
    uint64_t generation = snapshot->generation;
    tally_snapshot_unref(snapshot);
    tally_inventory_wait(inventory, generation,
                         (int)((end - now) / TALLY_NS_PER_MS) + 1);
  }
}

/* Returns 0 whatever happens: anything else would make the daemon ask less and
 * less often, up to once a day. */
static int on_read(user_data_t *user_data) {
  docker_stats_t *ds = user_data->data;
  tally_inventory_t *inventory = ds->base.inventory;
  const char *instance = plugin_endpoint_name(&ds->base);
  uint64_t cpu_before = tally_clock_thread_cpu_ns();
  const tally_snapshot_t *snapshot = ds->was_read
                                         ? tally_inventory_snapshot(inventory)
                                         : first_snapshot(inventory);
  ds->was_read = true;
  docker_stats_dispatch_host(snapshot, instance);
  tally_snapshot_unref(snapshot);

  docker_stats_cost_t cost = {.dispatch_ns = 0};
  tally_sampler_run(ds->sampler, on_sample, ds, &cost.sampler);
  docker_stats_identities_sweep(ds->identities);

  uint64_t cpu = tally_clock_thread_cpu_ns() - cpu_before;
  if (cpu > cost.sampler.cpu_ns)
    cost.dispatch_ns = cpu - cost.sampler.cpu_ns;
  docker_stats_dispatch_cost(&cost, instance);
  plugin_counters_dispatch_events(PLUGIN_NAME, instance, inventory);
  return 0;
}

/* ---- config -------------------------------------------------------------- */

static int set_host_format(const char *plugin, oconfig_item_t *ci,
                           void *target) {
  static const char *const formats[] = {
      [DOCKER_STATS_HOST_NODE] = "node",
      [DOCKER_STATS_HOST_CONTAINER] = "container",
      [DOCKER_STATS_HOST_FINGERPRINT] = "fingerprint",
      NULL,
  };
  return plugin_config_word(plugin, ci, formats, target);
}

#define OPTION(key, set, member)                                               \
  { key, set, offsetof(docker_stats_t, member) }

static const plugin_option_t options[] = {
    PLUGIN_ENDPOINT_OPTIONS,
    OPTION("RootFS", plugin_config_string, rootfs),
    OPTION("HostFormat", set_host_format, host_format),
    OPTION("Network", plugin_config_bool, groups.network),
    OPTION("BlockIO", plugin_config_bool, groups.block_io),
    OPTION("Load", plugin_config_bool, groups.load),
    OPTION("Pressure", plugin_config_bool, groups.pressure),
    OPTION("TcpConnections", plugin_config_bool, groups.tcp_connections),
    OPTION("StoppedContainers", plugin_config_bool, groups.stopped),
    OPTION("MetaLabel", plugin_config_pattern, meta_labels),
    OPTION("IgnoreSelf", plugin_config_bool, ignore_self),
    {NULL, NULL, 0},
};

static void set_defaults(void *endpoint) {
  docker_stats_t *ds = endpoint;
  ds->groups = (docker_stats_groups_t){.network = true,
                                       .block_io = true,
                                       .load = true,
                                       .pressure = true,
                                       .stopped = true};
}

/* ---- init and shutdown --------------------------------------------------- */

/* Controllers that the kernel was booted without, once and not per container.
 */
static void report_missing_controllers(const char *rootfs) {
  tally_error_t err = {0};
  tally_cgroup_host_t *host = tally_cgroup_host_create(rootfs, &err);
  if (host == NULL) {
    WARNING(PLUGIN_NAME " plugin: %s", err.message);
    return;
  }
  const char *hint = tally_cgroup_host_hint(host);
  if (hint != NULL)
    WARNING(PLUGIN_NAME " plugin: %s", hint);
  tally_cgroup_host_destroy(host);
}

static int prepare(const plugin_endpoint_t *first) {
  if (docker_stats_types_register(PLUGIN_NAME) != 0 ||
      plugin_counters_register_events(PLUGIN_NAME) != 0)
    return -1;
  tally_cgroup_raise_descriptor_limit();
  report_missing_controllers(((const docker_stats_t *)first)->rootfs);
  return 0;
}

static int start(void *endpoint, tally_error_t *err) {
  docker_stats_t *ds = endpoint;
  ds->naming = (docker_stats_naming_t){.host_format = ds->host_format,
                                       .instance = ds->base.instance,
                                       .meta_labels = ds->meta_labels};
  if (ds->ignore_self)
    tally_node_own_container(ds->own_id);

  tally_sampler_options_t sampler = {
      .rootfs = ds->rootfs,
      .network = ds->groups.network,
      .tcp_connections = ds->groups.tcp_connections,
      .load = ds->groups.load,
      .block_io = ds->groups.block_io,
      .pressure = ds->groups.pressure,
      .wanted = is_wanted,
      .wanted_data = ds,
  };
  ds->sampler = tally_sampler_create(ds->base.inventory, &sampler, err);
  if (ds->sampler == NULL)
    return -1;
  ds->devices = tally_devices_create(ds->rootfs);
  ds->identities = docker_stats_identities_create(&ds->naming);
  if (ds->devices == NULL || ds->identities == NULL)
    return tally_error_set(err, ENOMEM, "statistics");
  return 0;
}

static void stop(void *endpoint) {
  docker_stats_t *ds = endpoint;
  tally_sampler_destroy(ds->sampler);
  tally_devices_destroy(ds->devices);
  docker_stats_identities_destroy(ds->identities);
  tally_select_destroy(ds->meta_labels);
  free(ds->rootfs);
}

static plugin_module_t module = {.name = PLUGIN_NAME,
                                 .size = sizeof(docker_stats_t),
                                 .options = options,
                                 .set_defaults = set_defaults,
                                 .prepare = prepare,
                                 .start = start,
                                 .read = on_read,
                                 .stop = stop};

PLUGIN_MODULE_REGISTER(module)
