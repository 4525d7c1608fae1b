/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_counters.h"
#include "plugin_util.h"

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
 * library, which also says when Docker goes away and comes back. The daemon
 * frees nothing for us: shutdown does, when no read runs any more.
 */
typedef struct docker_stats_s {
  /* config */
  plugin_watch_t watch;
  char *instance; /* NULL: the one without a name */
  char *rootfs;
  docker_stats_host_format_t host_format;
  docker_stats_groups_t groups;
  tally_select_t *meta_labels;
  bool ignore_self;

  /* runtime */
  docker_stats_naming_t naming;
  char own_id[65]; /* "": we do not run in a container */
  tally_inventory_t *inventory;
  tally_sampler_t *sampler;
  tally_devices_t *devices;
  docker_stats_identities_t *identities;
  bool was_read;

  struct docker_stats_s *next;
} docker_stats_t;

static docker_stats_t *instances; /* in the order of the configuration */

static const char *instance_name(const docker_stats_t *ds) {
  return ds->instance != NULL ? ds->instance : "";
}

/* ---- read ---------------------------------------------------------------- */

static bool is_wanted(const tally_container_t *container, void *data) {
  const docker_stats_t *ds = data;
  if (ds->ignore_self && strcmp(container->id, ds->own_id) == 0)
    return false;
  return plugin_watch_wants(&ds->watch, container);
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
static const tally_snapshot_t *first_snapshot(docker_stats_t *ds) {
  uint64_t end =
      tally_clock_monotonic_ns() + FIRST_LIST_TIMEOUT_MS * TALLY_NS_PER_MS;
  for (;;) {
    const tally_snapshot_t *snapshot = tally_inventory_snapshot(ds->inventory);
    uint64_t now = tally_clock_monotonic_ns();
    if (snapshot->daemon.listed || snapshot->daemon.problem[0] != '\0' ||
        now >= end)
      return snapshot;
    uint64_t generation = snapshot->generation;
    tally_snapshot_unref(snapshot);
    tally_inventory_wait(ds->inventory, generation,
                         (int)((end - now) / TALLY_NS_PER_MS) + 1);
  }
}

/* Returns 0 whatever happens: anything else would make the daemon ask less and
 * less often, up to once a day. */
static int on_read(user_data_t *user_data) {
  docker_stats_t *ds = user_data->data;
  uint64_t cpu_before = tally_clock_thread_cpu_ns();
  const tally_snapshot_t *snapshot =
      ds->was_read ? tally_inventory_snapshot(ds->inventory)
                   : first_snapshot(ds);
  ds->was_read = true;
  docker_stats_dispatch_host(snapshot, instance_name(ds));
  tally_snapshot_unref(snapshot);

  docker_stats_cost_t cost = {.dispatch_ns = 0};
  tally_sampler_run(ds->sampler, on_sample, ds, &cost.sampler);
  docker_stats_identities_sweep(ds->identities);

  uint64_t cpu = tally_clock_thread_cpu_ns() - cpu_before;
  if (cpu > cost.sampler.cpu_ns)
    cost.dispatch_ns = cpu - cost.sampler.cpu_ns;
  docker_stats_dispatch_cost(&cost, instance_name(ds));
  plugin_counters_dispatch_events(PLUGIN_NAME, instance_name(ds),
                                  ds->inventory);
  return 0;
}

/* ---- config -------------------------------------------------------------- */

static int set_host_format(const char *plugin, oconfig_item_t *ci,
                           void *target) {
  static const char *const formats[] = {
      [DOCKER_STATS_HOST_NODE] = "node",
      [DOCKER_STATS_HOST_CONTAINER] = "container",
      [DOCKER_STATS_HOST_FINGERPRINT] = "fingerprint",
  };
  if (ci->values_num == 1 && ci->values[0].type == OCONFIG_TYPE_STRING)
    for (size_t i = 0; i < STATIC_ARRAY_SIZE(formats); i++)
      if (strcasecmp(ci->values[0].value.string, formats[i]) == 0) {
        *(docker_stats_host_format_t *)target = (docker_stats_host_format_t)i;
        return 0;
      }
  return plugin_config_error(plugin, ci,
                             "takes node, container or fingerprint");
}

#define OPTION(key, set, member)                                               \
  { key, set, offsetof(docker_stats_t, member) }

static const plugin_option_t options[] = {
    PLUGIN_WATCH_OPTIONS(docker_stats_t, watch),
    OPTION("Instance", plugin_config_instance, instance),
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

static void destroy_instance(docker_stats_t *ds) {
  tally_sampler_destroy(ds->sampler);
  if (ds->inventory != NULL)
    tally_inventory_release(ds->inventory);
  tally_devices_destroy(ds->devices);
  docker_stats_identities_destroy(ds->identities);
  plugin_watch_clear(&ds->watch);
  tally_select_destroy(ds->meta_labels);
  free(ds->instance);
  free(ds->rootfs);
  free(ds);
}

static docker_stats_t *create_instance(void) {
  docker_stats_t *ds = calloc(1, sizeof(*ds));
  if (ds == NULL) {
    ERROR(PLUGIN_NAME " plugin: out of memory");
    return NULL;
  }
  ds->groups = (docker_stats_groups_t){.network = true,
                                       .block_io = true,
                                       .load = true,
                                       .pressure = true,
                                       .stopped = true};
  return ds;
}

/* Its values must not get the names of another block's. */
static int add_instance(docker_stats_t *ds) {
  docker_stats_t **last = &instances;
  for (; *last != NULL; last = &(*last)->next)
    if (strcasecmp(instance_name(*last), instance_name(ds)) == 0)
      return plugin_config_instance_taken(PLUGIN_NAME, instance_name(ds));
  *last = ds;
  return 0;
}

static int on_config(oconfig_item_t *block) {
  docker_stats_t *ds = create_instance();
  if (ds == NULL)
    return -1;
  if (plugin_config_block(PLUGIN_NAME, block, options, ds) == 0 &&
      plugin_watch_finish(PLUGIN_NAME, &ds->watch) == 0 &&
      add_instance(ds) == 0)
    return 0;
  destroy_instance(ds);
  return -1;
}

/* ---- init and shutdown --------------------------------------------------- */

static int start_instance(docker_stats_t *ds) {
  tally_error_t err = {0};
  ds->naming = (docker_stats_naming_t){.host_format = ds->host_format,
                                       .instance = ds->instance,
                                       .meta_labels = ds->meta_labels};
  if (ds->ignore_self)
    tally_node_own_container(ds->own_id);

  tally_sampler_options_t sampler = {
      .rootfs = ds->rootfs,
      .network = ds->groups.network,
      .tcp_connections = ds->groups.tcp_connections,
      .load = ds->groups.load,
      .wanted = is_wanted,
      .wanted_data = ds,
  };
  ds->inventory = tally_inventory_acquire(&ds->watch.endpoint, &err);
  if (ds->inventory != NULL)
    ds->sampler = tally_sampler_create(ds->inventory, &sampler, &err);
  if (ds->sampler == NULL) {
    ERROR(PLUGIN_NAME " plugin: endpoint %s: %s", ds->watch.endpoint.name,
          err.message);
    return -1;
  }
  ds->devices = tally_devices_create(ds->rootfs);
  ds->identities = docker_stats_identities_create(&ds->naming);
  if (ds->devices == NULL || ds->identities == NULL) {
    ERROR(PLUGIN_NAME " plugin: out of memory");
    return -1;
  }

  char name[DATA_MAX_NAME_LEN];
  snprintf(name, sizeof(name), PLUGIN_NAME "%s%s",
           ds->instance != NULL ? "/" : "", instance_name(ds));
  return plugin_register_complex_read(NULL, name, on_read, 0,
                                      &(user_data_t){.data = ds});
}

/* Controllers that the kernel was booted without, once and not per container.
 */
static void report_missing_controllers(const docker_stats_t *ds) {
  tally_error_t err = {0};
  tally_cgroup_host_t *host = tally_cgroup_host_create(ds->rootfs, &err);
  if (host == NULL) {
    WARNING(PLUGIN_NAME " plugin: %s", err.message);
    return;
  }
  const char *hint = tally_cgroup_host_hint(host);
  if (hint != NULL)
    WARNING(PLUGIN_NAME " plugin: %s", hint);
  tally_cgroup_host_destroy(host);
}

static int on_init(void) {
  plugin_util_log_init();
  if (docker_stats_types_register(PLUGIN_NAME) != 0 ||
      plugin_counters_register_events(PLUGIN_NAME) != 0)
    return -1;
  tally_cgroup_raise_descriptor_limit();
  if (instances == NULL) {
    /* loaded without a block: the local daemon with all defaults */
    docker_stats_t *ds = create_instance();
    if (ds == NULL)
      return -1;
    instances = ds;
    if (plugin_watch_finish(PLUGIN_NAME, &ds->watch) != 0)
      return -1;
  }
  report_missing_controllers(instances);
  int status = -1; /* unless one of them works */
  for (docker_stats_t *ds = instances; ds != NULL; ds = ds->next)
    if (start_instance(ds) == 0)
      status = 0;
  return status;
}

static int on_shutdown(void) {
  while (instances != NULL) {
    docker_stats_t *ds = instances;
    instances = ds->next;
    destroy_instance(ds);
  }
  return 0;
}

void module_register(void) {
  plugin_register_complex_config(PLUGIN_NAME, on_config);
  plugin_register_init(PLUGIN_NAME, on_init);
  plugin_register_shutdown(PLUGIN_NAME, on_shutdown);
}
