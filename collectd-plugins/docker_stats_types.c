/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "core/clock.h"
#include "docker_stats_types.h"

/* ---- the tables ---------------------------------------------------------- */

#define SAMPLE(name, kind, member)                                             \
  { name, DOCKER_STATS_##kind, offsetof(tally_container_sample_t, member) }
#define CGROUP(name, kind, member) SAMPLE(name, kind, cgroup.member)
#define PRESSURE(resource, member) pressure[TALLY_RESOURCE_##resource].member
#define STATE(name)                                                            \
  { #name, DOCKER_STATS_DOUBLE, offsetof(docker_stats_state_t, name) }
#define DEVICE(name, member)                                                   \
  { name, DOCKER_STATS_DERIVE, offsetof(tally_cgroup_device_t, member) }
#define INTERFACE(name, member)                                                \
  { name, DOCKER_STATS_DERIVE, offsetof(tally_interface_t, member) }
#define IN_STATE(name, state)                                                  \
  {                                                                            \
    name, DOCKER_STATS_GAUGE,                                                  \
        offsetof(docker_stats_host_t, in_state[TALLY_CONTAINER_##state])       \
  }
#define TCP(name, state) SAMPLE(name, GAUGE, tcp[TALLY_TCP_##state])
#define COST(name, kind, member)                                               \
  { name, DOCKER_STATS_##kind, offsetof(docker_stats_cost_t, member) }

static const docker_stats_source_t cpu[] = {
    CGROUP("user", DERIVE, cpu_user_ns),
    CGROUP("system", DERIVE, cpu_system_ns),
    CGROUP("usage", DERIVE, cpu_usage_ns),
    SAMPLE("percent", DOUBLE, cpu_percent),
    SAMPLE("percent_of_limit", DOUBLE, cpu_percent_of_limit),
    SAMPLE("limit", DOUBLE, cpu_limit),
};

static const docker_stats_source_t throttling[] = {
    CGROUP("periods", DERIVE, cpu_periods),
    CGROUP("throttled", DERIVE, cpu_throttled),
    CGROUP("throttled_time", DERIVE, cpu_throttled_ns),
};

static const docker_stats_source_t memory[] = {
    CGROUP("usage", GAUGE, memory_usage),
    SAMPLE("used", DOUBLE, memory_used),
    SAMPLE("working_set", DOUBLE, memory_working_set),
    CGROUP("anon", GAUGE, memory_anon),
    CGROUP("file", GAUGE, memory_file),
    CGROUP("active_anon", GAUGE, memory_active_anon),
    CGROUP("inactive_anon", GAUGE, memory_inactive_anon),
    CGROUP("active_file", GAUGE, memory_active_file),
    CGROUP("inactive_file", GAUGE, memory_inactive_file),
    CGROUP("kernel", GAUGE, memory_kernel),
    CGROUP("shmem", GAUGE, memory_shmem),
    CGROUP("swap", GAUGE, memory_swap),
    SAMPLE("limit", DOUBLE, memory_limit),
    CGROUP("swap_limit", GAUGE, memory_swap_limit),
    SAMPLE("percent", DOUBLE, memory_percent),
    CGROUP("page_faults", HELD, memory_page_faults),
    CGROUP("major_page_faults", HELD, memory_major_page_faults),
    CGROUP("limit_hits", HELD, memory_limit_hits),
    CGROUP("oom_kills", HELD, memory_oom_kills),
};

static const docker_stats_source_t pressure[] = {
    CGROUP("cpu_some", DOUBLE, PRESSURE(CPU, some_avg10)),
    CGROUP("cpu_full", DOUBLE, PRESSURE(CPU, full_avg10)),
    CGROUP("memory_some", DOUBLE, PRESSURE(MEMORY, some_avg10)),
    CGROUP("memory_full", DOUBLE, PRESSURE(MEMORY, full_avg10)),
    CGROUP("io_some", DOUBLE, PRESSURE(IO, some_avg10)),
    CGROUP("io_full", DOUBLE, PRESSURE(IO, full_avg10)),
    CGROUP("cpu_some_total", HELD, PRESSURE(CPU, some_total_us)),
    CGROUP("cpu_full_total", HELD, PRESSURE(CPU, full_total_us)),
    CGROUP("memory_some_total", HELD, PRESSURE(MEMORY, some_total_us)),
    CGROUP("memory_full_total", HELD, PRESSURE(MEMORY, full_total_us)),
    CGROUP("io_some_total", HELD, PRESSURE(IO, some_total_us)),
    CGROUP("io_full_total", HELD, PRESSURE(IO, full_total_us)),
};

static const docker_stats_source_t load[] = {
    SAMPLE("shortterm", DOUBLE, load[0]),
    SAMPLE("midterm", DOUBLE, load[1]),
    SAMPLE("longterm", DOUBLE, load[2]),
};

static const docker_stats_source_t tcp[] = {
    TCP("established", ESTABLISHED),
    TCP("syn_sent", SYN_SENT),
    TCP("syn_recv", SYN_RECV),
    TCP("fin_wait1", FIN_WAIT1),
    TCP("fin_wait2", FIN_WAIT2),
    TCP("time_wait", TIME_WAIT),
    TCP("close", CLOSE),
    TCP("close_wait", CLOSE_WAIT),
    TCP("last_ack", LAST_ACK),
    TCP("listen", LISTEN),
    TCP("closing", CLOSING),
};

static const docker_stats_source_t state[] = {
    STATE(state),    STATE(health),        STATE(exit_code),
    STATE(restarts), STATE(uptime),        STATE(processes),
    STATE(threads),  STATE(threads_limit), STATE(network_namespace),
};

static const docker_stats_source_t disk_octets[] = {
    DEVICE("read", read_bytes),
    DEVICE("write", write_bytes),
};

static const docker_stats_source_t disk_ops[] = {
    DEVICE("read", read_ops),
    DEVICE("write", write_ops),
};

static const docker_stats_source_t if_octets[] = {
    INTERFACE("rx", rx_bytes),
    INTERFACE("tx", tx_bytes),
};

static const docker_stats_source_t if_packets[] = {
    INTERFACE("rx", rx_packets),
    INTERFACE("tx", tx_packets),
};

static const docker_stats_source_t if_errors[] = {
    INTERFACE("rx", rx_errors),
    INTERFACE("tx", tx_errors),
};

static const docker_stats_source_t if_dropped[] = {
    INTERFACE("rx", rx_dropped),
    INTERFACE("tx", tx_dropped),
};

static const docker_stats_source_t containers[] = {
    IN_STATE("running", RUNNING),
    IN_STATE("paused", PAUSED),
    IN_STATE("restarting", RESTARTING),
    IN_STATE("exited", EXITED),
    IN_STATE("created", CREATED),
    IN_STATE("dead", DEAD),
    IN_STATE("removing", REMOVING),
    {"unhealthy", DOCKER_STATS_GAUGE, offsetof(docker_stats_host_t, unhealthy)},
};

static const docker_stats_source_t daemon_state[] = {
    {"reachable", DOCKER_STATS_GAUGE, offsetof(docker_stats_host_t, reachable)},
};

static const docker_stats_source_t sampling[] = {
    COST("wall_time", SECONDS, sampler.wall_ns),
    COST("cpu_time", SECONDS, sampler.cpu_ns),
    COST("dispatch_time", SECONDS, dispatch_ns),
    COST("containers", GAUGE, sampler.containers),
    COST("sampled", GAUGE, sampler.sampled),
    COST("failed", GAUGE, sampler.failed),
    COST("finals", GAUGE, sampler.finals),
    COST("finals_dropped", DERIVE, sampler.finals_dropped),
    COST("descriptors", GAUGE, sampler.descriptors),
};

#define TYPE(name, sources, ...)                                               \
  { name, sources, STATIC_ARRAY_SIZE(sources), __VA_ARGS__ }

const docker_stats_type_t docker_stats_types[DOCKER_STATS_TYPES] = {
    [DOCKER_STATS_CPU] = TYPE("container_cpu", cpu),
    [DOCKER_STATS_THROTTLING] = TYPE("container_throttling", throttling),
    [DOCKER_STATS_MEMORY] = TYPE("container_memory", memory, .held = 0),
    [DOCKER_STATS_PRESSURE] = TYPE("container_pressure", pressure, .held = 4),
    [DOCKER_STATS_LOAD] = TYPE("load", load, .stock = true),
    [DOCKER_STATS_TCP] = TYPE("container_tcp", tcp),
    [DOCKER_STATS_STATE] = TYPE("container_state", state),
    [DOCKER_STATS_DISK_OCTETS] =
        TYPE("disk_octets", disk_octets, .stock = true),
    [DOCKER_STATS_DISK_OPS] = TYPE("disk_ops", disk_ops, .stock = true),
    [DOCKER_STATS_IF_OCTETS] = TYPE("if_octets", if_octets, .stock = true),
    [DOCKER_STATS_IF_PACKETS] = TYPE("if_packets", if_packets, .stock = true),
    [DOCKER_STATS_IF_ERRORS] = TYPE("if_errors", if_errors, .stock = true),
    [DOCKER_STATS_IF_DROPPED] = TYPE("if_dropped", if_dropped, .stock = true),
    [DOCKER_STATS_CONTAINERS] = TYPE("containers", containers),
    [DOCKER_STATS_DAEMON] = TYPE("tallyman_daemon", daemon_state),
    [DOCKER_STATS_SAMPLING] = TYPE("tallyman_sampling", sampling),
};

/* ---- filling in ---------------------------------------------------------- */

static gauge_t to_gauge(uint64_t number) {
  bool is_number = number != TALLY_UNKNOWN && number != TALLY_UNLIMITED;
  return is_number ? (gauge_t)number : NAN;
}

static bool is_derive(docker_stats_kind_t kind) {
  return kind == DOCKER_STATS_DERIVE || kind == DOCKER_STATS_HELD;
}

bool docker_stats_fill(docker_stats_type_id_t id, const void *object,
                       derive_t *held, value_t *values) {
  const docker_stats_type_t *type = &docker_stats_types[id];
  bool known = false;
  derive_t *next_held = held != NULL ? held + type->held : NULL;

  for (size_t i = 0; i < type->count; i++) {
    const docker_stats_source_t *source = &type->sources[i];
    const void *at = (const char *)object + source->offset;
    if (source->kind == DOCKER_STATS_DOUBLE) {
      values[i].gauge = *(const double *)at;
      known |= !isnan(values[i].gauge);
      continue;
    }
    uint64_t number = *(const uint64_t *)at;
    known |= number != TALLY_UNKNOWN;
    switch (source->kind) {
    case DOCKER_STATS_DERIVE:
      if (number == TALLY_UNKNOWN)
        return false;
      values[i].derive = (derive_t)number;
      break;
    case DOCKER_STATS_HELD:
      if (number != TALLY_UNKNOWN)
        *next_held = (derive_t)number;
      values[i].derive = *next_held++;
      break;
    case DOCKER_STATS_SECONDS:
      values[i].gauge = to_gauge(number) / (gauge_t)TALLY_NS_PER_S;
      break;
    default:
      values[i].gauge = to_gauge(number);
    }
  }
  return known;
}

/* ---- types.db ------------------------------------------------------------ */

static bool agrees(const docker_stats_type_t *type, const data_set_t *ds) {
  if (ds->ds_num != type->count)
    return false;
  for (size_t i = 0; i < type->count; i++) {
    bool derive = is_derive(type->sources[i].kind);
    if (strcmp(ds->ds[i].name, type->sources[i].name) != 0 ||
        ds->ds[i].type != (derive ? DS_TYPE_DERIVE : DS_TYPE_GAUGE))
      return false;
  }
  return true;
}

static int register_type(const docker_stats_type_t *type) {
  data_source_t sources[DOCKER_STATS_SOURCES_MAX];
  data_set_t ds = {.ds_num = type->count, .ds = sources};
  sstrncpy(ds.type, type->name, sizeof(ds.type));
  for (size_t i = 0; i < type->count; i++) {
    bool derive = is_derive(type->sources[i].kind);
    sources[i] = (data_source_t){
        .type = derive ? DS_TYPE_DERIVE : DS_TYPE_GAUGE, .min = 0, .max = NAN};
    sstrncpy(sources[i].name, type->sources[i].name, sizeof(sources[i].name));
  }
  return plugin_register_data_set(&ds);
}

int docker_stats_types_register(const char *plugin) {
  for (size_t i = 0; i < DOCKER_STATS_TYPES; i++) {
    const docker_stats_type_t *type = &docker_stats_types[i];
    const data_set_t *ds = plugin_get_ds(type->name);
    if (ds == NULL && register_type(type) == 0)
      continue;
    if (ds == NULL || !agrees(type, ds)) {
      ERROR("%s plugin: TypesDB: type \"%s\" is not what this version "
            "dispatches; use the types.db that came with it",
            plugin, type->name);
      return -1;
    }
  }
  return 0;
}
