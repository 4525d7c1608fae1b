/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "docker_stats_values.h"

/* `vl` says whose value it is and when it was read. */
static void dispatch(value_list_t *vl, docker_stats_type_id_t id,
                     const char *type_instance, const void *object,
                     derive_t *held) {
  value_t values[DOCKER_STATS_SOURCES_MAX];
  if (!docker_stats_fill(id, object, held, values))
    return;
  vl->values = values;
  vl->values_len = docker_stats_types[id].count;
  sstrncpy(vl->type, docker_stats_types[id].name, sizeof(vl->type));
  sstrncpy(vl->type_instance, type_instance, sizeof(vl->type_instance));
  plugin_dispatch_values(vl);
}

/* ---- one container ------------------------------------------------------- */

static double number_or_nan(uint64_t number) {
  bool known = number != TALLY_UNKNOWN && number != TALLY_UNLIMITED;
  return known ? (double)number : NAN;
}

/* A container that has gone does not run any more, even if Docker (which may
 * have removed it by now, or is silent) never said so. */
static tally_container_state_t
last_state_of(const tally_container_sample_t *sample) {
  tally_container_state_t state = sample->container->state;
  bool was_up =
      state == TALLY_CONTAINER_RUNNING || state == TALLY_CONTAINER_PAUSED;
  return sample->final && was_up ? TALLY_CONTAINER_EXITED : state;
}

static docker_stats_state_t state_of(const tally_container_sample_t *sample) {
  const tally_container_t *c = sample->container;
  bool has_ended = c->finished_ns != 0;
  bool in_cgroup = sample->running || sample->final;
  return (docker_stats_state_t){
      .state = last_state_of(sample),
      .health = c->health,
      .exit_code = has_ended ? c->exit_code : NAN,
      .restarts = c->restart_count,
      .uptime = sample->uptime,
      .processes = in_cgroup ? number_or_nan(sample->cgroup.processes) : NAN,
      .threads = in_cgroup ? number_or_nan(sample->cgroup.threads) : NAN,
      .threads_limit =
          in_cgroup ? number_or_nan(sample->cgroup.threads_limit) : NAN,
      .network_namespace = sample->network,
  };
}

static void dispatch_devices(value_list_t *vl,
                             const tally_cgroup_sample_t *cgroup,
                             tally_devices_t *devices) {
  for (size_t i = 0; cgroup->devices_known && i < cgroup->devices_count; i++) {
    const tally_cgroup_device_t *d = &cgroup->devices[i];
    const char *name = tally_devices_name(devices, d->major, d->minor);
    dispatch(vl, DOCKER_STATS_DISK_OCTETS, name, d, NULL);
    dispatch(vl, DOCKER_STATS_DISK_OPS, name, d, NULL);
  }
}

static void dispatch_interfaces(value_list_t *vl,
                                const tally_container_sample_t *sample) {
  for (size_t i = 0; i < sample->interfaces_count; i++) {
    const tally_interface_t *interface = &sample->interfaces[i];
    for (docker_stats_type_id_t id = DOCKER_STATS_IF_OCTETS;
         id <= DOCKER_STATS_IF_DROPPED; id++)
      dispatch(vl, id, interface->name, interface, NULL);
  }
}

/* Only a container with a quota can be throttled. */
static bool has_quota(const tally_cgroup_sample_t *cgroup) {
  return cgroup->cpu_quota_us != TALLY_UNKNOWN &&
         cgroup->cpu_quota_us != TALLY_UNLIMITED;
}

void docker_stats_dispatch_sample(const tally_container_sample_t *sample,
                                  const docker_stats_groups_t *groups,
                                  docker_stats_identity_t *identity,
                                  tally_devices_t *devices) {
  bool has_numbers = sample->running || sample->final;
  if (!has_numbers && !groups->stopped)
    return;
  cdtime_t time = NS_TO_CDTIME_T(sample->time_ns);
  if (time <= identity->last_time)
    return;
  identity->last_time = time;

  value_list_t vl = {.time = time, .meta = identity->meta};
  sstrncpy(vl.plugin, "docker", sizeof(vl.plugin));
  sstrncpy(vl.host, identity->host, sizeof(vl.host));
  sstrncpy(vl.plugin_instance, identity->plugin_instance,
           sizeof(vl.plugin_instance));

  docker_stats_state_t state = state_of(sample);
  dispatch(&vl, DOCKER_STATS_STATE, "", &state, NULL);
  if (!has_numbers)
    return;

  dispatch(&vl, DOCKER_STATS_CPU, "", sample, NULL);
  if (has_quota(&sample->cgroup))
    dispatch(&vl, DOCKER_STATS_THROTTLING, "", sample, NULL);
  dispatch(&vl, DOCKER_STATS_MEMORY, "", sample, identity->held);
  if (groups->pressure)
    dispatch(&vl, DOCKER_STATS_PRESSURE, "", sample, identity->held);
  if (groups->load)
    dispatch(&vl, DOCKER_STATS_LOAD, "", sample, NULL);
  if (groups->block_io)
    dispatch_devices(&vl, &sample->cgroup, devices);
  if (groups->network)
    dispatch_interfaces(&vl, sample);
  if (groups->tcp_connections && sample->tcp_known)
    dispatch(&vl, DOCKER_STATS_TCP, "", sample, NULL);
}

/* ---- the host and ourselves ---------------------------------------------- */

/* "docker_stats" or "docker_stats:INSTANCE". */
static void set_self(value_list_t *vl, const char *instance) {
  sstrncpy(vl->plugin, "tallyman", sizeof(vl->plugin));
  snprintf(vl->plugin_instance, sizeof(vl->plugin_instance), "docker_stats%s%s",
           instance[0] != '\0' ? ":" : "", instance);
}

void docker_stats_dispatch_host(const tally_snapshot_t *snapshot,
                                const char *instance) {
  docker_stats_host_t host = {.reachable = snapshot->daemon.reachable};
  for (size_t i = 0; i < snapshot->count; i++) {
    const tally_container_t *c = snapshot->containers[i];
    if ((unsigned)c->state < TALLY_CONTAINER_STATES)
      host.in_state[c->state]++;
    host.unhealthy += c->health == TALLY_HEALTH_UNHEALTHY &&
                      c->state == TALLY_CONTAINER_RUNNING;
  }

  value_list_t self = VALUE_LIST_INIT;
  set_self(&self, instance);
  dispatch(&self, DOCKER_STATS_DAEMON, "", &host, NULL);
  if (!snapshot->daemon.listed)
    return; /* none known is not the same as none there */
  value_list_t vl = VALUE_LIST_INIT;
  sstrncpy(vl.plugin, "docker", sizeof(vl.plugin));
  sstrncpy(vl.plugin_instance, instance, sizeof(vl.plugin_instance));
  dispatch(&vl, DOCKER_STATS_CONTAINERS, "", &host, NULL);
}

void docker_stats_dispatch_cost(const docker_stats_cost_t *cost,
                                const char *instance) {
  value_list_t vl = VALUE_LIST_INIT;
  set_self(&vl, instance);
  dispatch(&vl, DOCKER_STATS_SAMPLING, "", cost, NULL);
}
