/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "container/probe.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cgroup/files.h"
#include "core/clock.h"
#include "core/log.h"

/* Room for so many interfaces at first; it is doubled where they do not fit. */
#define INTERFACES_SIZE 4

bool tally_container_is_sampled(const tally_container_t *container) {
  return container->state == TALLY_CONTAINER_RUNNING ||
         container->state == TALLY_CONTAINER_PAUSED;
}

/* ---- network ------------------------------------------------------------- */

static void close_network(tally_probe_t *probe) {
  tally_netns_destroy(probe->netns);
  probe->netns = NULL;
  for (; probe->netns_descriptors > 0; probe->netns_descriptors--)
    tally_cgroup_descriptor_give();
}

/* Takes what a namespace keeps open out of the budget: all of it or nothing. */
static bool take_descriptors(tally_probe_t *probe, unsigned wanted) {
  while (probe->netns_descriptors < wanted) {
    if (!tally_cgroup_descriptor_take()) {
      close_network(probe);
      return false;
    }
    probe->netns_descriptors++;
  }
  return true;
}

/* Finds the container's network namespace. Not to find it costs the container
 * its network values and nothing else. */
static void open_network(tally_probe_t *probe, const tally_probing_t *probing) {
  if (!probing->network && !probing->tcp_connections)
    return;
  if (probe->netns_id != 0 || probe->pid <= 0)
    return;

  bool keep = take_descriptors(probe, probing->tcp_connections ? 2 : 1);
  probe->netns = tally_netns_create(probing->proc, probe->pid,
                                    probe->container->id, keep, NULL);
  if (probe->netns == NULL) {
    close_network(probe);
    return;
  }
  probe->netns_id = tally_netns_id(probe->netns);
  if (probe->netns_id == probing->host_netns)
    close_network(probe); /* the node's own interfaces are not counted */
}

/* ---- the end of the first process ---------------------------------------- */

static void close_exit(tally_probe_t *probe) {
  if (probe->exit_fd < 0)
    return;
  close(probe->exit_fd); /* and with that it has left the epoll set */
  probe->exit_fd = -1;
  tally_cgroup_descriptor_give();
}

/* Asks to be told when the container's first process ends: its cgroup lives on
 * for a moment then, long enough to read the final counters. Where this does
 * not work (an older kernel, another pid namespace, no descriptor to spare) the
 * last sample is as old as the last visit. */
static void watch_exit(tally_probe_t *probe, const tally_probing_t *probing) {
  if (probing->exits < 0 || probe->exit_fd >= 0 || probe->ended ||
      probe->pid <= 0 || !tally_cgroup_descriptor_take())
    return;
  probe->exit_fd = tally_file_raise(
      tally_process_watch(probe->pid, probe->container->id, NULL));
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = probe->serial};
  if (probe->exit_fd < 0)
    tally_cgroup_descriptor_give();
  else if (epoll_ctl(probing->exits, EPOLL_CTL_ADD, probe->exit_fd, &event) !=
           0)
    close_exit(probe);
}

/* ---- making and unmaking ------------------------------------------------- */

/* Tasks are counted in one request where there is a v1 hierarchy. */
static int choose_load_dir(tally_probe_t *probe,
                           const tally_cgroup_paths_t *paths) {
  for (int version = 1; version <= 2; version++)
    for (size_t c = 0; c < TALLY_CONTROLLERS; c++)
      if (paths->version[c] == version && paths->dir[c] != NULL) {
        probe->load_version = version;
        probe->load_dir = strdup(paths->dir[c]);
        return probe->load_dir != NULL ? 0 : -1;
      }
  return 0;
}

static int open_cgroup(tally_probe_t *probe, const tally_probing_t *probing,
                       tally_error_t *err) {
  tally_cgroup_paths_t paths;
  if (tally_cgroup_locate(probing->cgroups, probe->pid, probe->container->id,
                          &paths, err) != 0)
    return -1;
  probe->reader = tally_cgroup_reader_create(&paths, probing->without, err);
  int status = probe->reader != NULL ? 0 : -1;
  if (status == 0 && probing->tasks != NULL)
    status = choose_load_dir(probe, &paths);
  tally_cgroup_paths_clear(&paths);
  return status;
}

tally_probe_t *tally_probe_create(const tally_container_t *container,
                                  tally_probing_t *probing,
                                  tally_error_t *err) {
  tally_probe_t *probe = calloc(1, sizeof(*probe));
  if (probe == NULL) {
    tally_error_set(err, ENOMEM, "container %s", container->name);
    return NULL;
  }
  probe->container = tally_container_ref(container);
  probe->serial = ++probing->serial;
  probe->exit_fd = -1;
  probe->pid = container->pid;
  probe->started_ns = container->started_ns;
  probe->cpu_base.usage_ns = TALLY_UNKNOWN;
  probe->active = TALLY_UNKNOWN;
  tally_container_sample_init(&probe->last, container);
  if (open_cgroup(probe, probing, err) != 0) {
    tally_probe_destroy(probe);
    return NULL;
  }
  open_network(probe, probing);
  watch_exit(probe, probing);
  return probe;
}

static void close_files(tally_probe_t *probe) {
  close_exit(probe);
  tally_cgroup_reader_destroy(probe->reader);
  probe->reader = NULL;
  close_network(probe);
}

void tally_probe_destroy(tally_probe_t *probe) {
  if (probe == NULL)
    return;
  close_files(probe);
  tally_container_unref(probe->container);
  free(probe->interfaces);
  free(probe->load_dir);
  free(probe);
}

/* ---- whose probe --------------------------------------------------------- */

bool tally_probe_is_of(const tally_probe_t *probe,
                       const tally_container_t *container) {
  /* What was only listed so far has neither process nor time. */
  bool same_process =
      probe->pid == 0 || container->pid == 0 || probe->pid == container->pid;
  bool same_start = probe->started_ns == 0 || container->started_ns == 0 ||
                    probe->started_ns == container->started_ns;
  return same_process && same_start;
}

/* Lets go of the old description; the same run, or the end of it. */
static void describe(tally_probe_t *probe, const tally_container_t *container) {
  const tally_container_t *before = probe->container;
  probe->container = probe->last.container = tally_container_ref(container);
  tally_container_unref(before);
}

bool tally_probe_update(tally_probe_t *probe,
                        const tally_container_t *container,
                        const tally_probing_t *probing) {
  describe(probe, container);
  if (!tally_container_is_sampled(container))
    return false;
  probe->refresh = true; /* it may have been `docker update` */
  if (container->started_ns != 0)
    probe->started_ns = container->started_ns;
  if (container->pid != 0)
    probe->pid = container->pid;
  uint64_t netns_before = probe->netns_id;
  open_network(probe, probing);
  watch_exit(probe, probing);
  return probe->netns_id != netns_before;
}

/* ---- sampling ------------------------------------------------------------ */

static int read_interfaces(tally_probe_t *probe, tally_error_t *err) {
  for (;;) {
    int count = tally_netns_interfaces(probe->netns, probe->interfaces,
                                       probe->interfaces_size, err);
    if (count < 0)
      return -1;
    if ((size_t)count < probe->interfaces_size ||
        probe->interfaces_size >= TALLY_INTERFACES_MAX) {
      probe->last.interfaces_count = (size_t)count;
      return 0;
    }
    size_t size = probe->interfaces_size > 0 ? 2 * probe->interfaces_size
                                             : INTERFACES_SIZE;
    tally_interface_t *grown =
        realloc(probe->interfaces, size * sizeof(*grown));
    if (grown == NULL)
      return tally_error_set(err, ENOMEM, "network interfaces");
    probe->last.interfaces = probe->interfaces = grown;
    probe->interfaces_size = size;
  }
}

static bool counts_network(const tally_probe_t *probe) {
  return probe->netns != NULL && (probe->network == TALLY_NETWORK_OWN ||
                                  probe->network == TALLY_NETWORK_SHARED);
}

static void sample_network(tally_probe_t *probe, const tally_probing_t *probing,
                           tally_sampling_t sampling, tally_error_t *err) {
  tally_container_sample_t *s = &probe->last;
  s->network = probe->network;
  s->interfaces_count = 0;
  s->tcp_known = false;
  if (!counts_network(probe))
    return;
  if (probing->network)
    (void)read_interfaces(probe, err);
  if (probing->tcp_connections && sampling == TALLY_SAMPLE_VISIT)
    s->tcp_known = tally_netns_tcp(probe->netns, s->tcp, err) == 0;
}

/* Docker may be taking the interfaces away already: then the numbers that were
 * read before stay. */
static void sample_network_end(tally_probe_t *probe,
                               const tally_probing_t *probing) {
  tally_interface_t now[TALLY_INTERFACES_MAX];
  if (!counts_network(probe) || !probing->network)
    return;
  int count =
      tally_netns_interfaces(probe->netns, now, TALLY_INTERFACES_MAX, NULL);
  if (count > 0 && (size_t)count == probe->last.interfaces_count)
    memcpy(probe->interfaces, now, (size_t)count * sizeof(now[0]));
}

static void sample_load(tally_probe_t *probe, const tally_probing_t *probing,
                        uint64_t at_ns, tally_error_t *err) {
  if (probe->load_dir == NULL)
    return;
  if (probe->active != 0 &&
      tally_tasks_active(probing->tasks, probe->load_dir, probe->load_version,
                         &probe->active, err) != 0)
    return;
  tally_load_update(&probe->load, probe->active, at_ns);
  memcpy(probe->last.load, probe->load.average, sizeof(probe->last.load));
}

/* Says once per run of a container what could not be read. */
static void complain(tally_probe_t *probe, const tally_error_t *err) {
  probe->failed = err->code != 0;
  if (!probe->failed || probe->complained)
    return;
  probe->complained = true;
  tally_log(TALLY_LOG_WARNING, "container %s: %s", probe->container->name,
            err->message);
}

static void derive(tally_probe_t *probe, const tally_probing_t *probing) {
  tally_container_sample_t *s = &probe->last;
  double percent = tally_cpu_percent(&probe->cpu_base, s->cgroup.cpu_usage_ns,
                                     probe->last_at_ns);
  /* Right after a visit there is nothing new to say. */
  if (!isnan(percent))
    s->cpu_percent = percent;
  tally_derive(s, &probing->host);
  s->uptime = NAN;
  if (probe->started_ns != 0 && s->time_ns > probe->started_ns)
    s->uptime = (double)(s->time_ns - probe->started_ns) / TALLY_NS_PER_S;
}

static void begin_interval(tally_probe_t *probe) {
  probe->cpu_base =
      (tally_cpu_base_t){probe->last.cgroup.cpu_usage_ns, probe->last_at_ns};
}

static void stamp(tally_probe_t *probe, uint64_t at_ns) {
  probe->refresh = false;
  probe->last_at_ns = at_ns;
  probe->last.time_ns = tally_clock_realtime_ns();
  probe->last.running = true;
}

/* The counters as they are now, everything else as it was in life. A visit that
 * comes while the cgroup is still there sees it as it is: empty. */
static tally_cgroup_status_t sample_end(tally_probe_t *probe,
                                        const tally_probing_t *probing) {
  uint64_t at_ns = tally_clock_monotonic_ns();
  tally_cgroup_sample_t now;
  if (tally_cgroup_reader_read(probe->reader, 0, &now, NULL) ==
      TALLY_CGROUP_GONE)
    return TALLY_CGROUP_GONE;
  tally_cgroup_sample_take_counters(&probe->last.cgroup, &now);
  sample_network_end(probe, probing);
  stamp(probe, at_ns);
  return TALLY_CGROUP_READ;
}

tally_cgroup_status_t tally_probe_sample(tally_probe_t *probe,
                                         const tally_probing_t *probing,
                                         tally_sampling_t sampling) {
  if (sampling == TALLY_SAMPLE_END) {
    probe->ended = true;
    probe->due_ns = 0;
    close_exit(probe);
    if (probe->sampled)
      return sample_end(probe, probing);
  }

  tally_error_t err = {0};
  tally_container_sample_t *s = &probe->last;
  uint64_t at_ns = tally_clock_monotonic_ns();
  unsigned how =
      TALLY_CGROUP_CONTINUE | (probe->refresh ? TALLY_CGROUP_REFRESH : 0);
  if (tally_cgroup_reader_read(probe->reader, how, &s->cgroup, &err) ==
      TALLY_CGROUP_GONE)
    return TALLY_CGROUP_GONE;
  stamp(probe, at_ns);
  /* None of its tasks can have become active without running. */
  if (!s->cgroup.at_rest)
    probe->active = TALLY_UNKNOWN;
  sample_network(probe, probing, sampling, &err);
  if (sampling == TALLY_SAMPLE_VISIT) {
    s->cpu_percent = NAN;
    sample_load(probe, probing, at_ns, &err);
    derive(probe, probing);
    begin_interval(probe);
  } else if (!probe->sampled) {
    begin_interval(probe);
  }
  probe->sampled = true;
  complain(probe, &err);
  return TALLY_CGROUP_READ;
}

void tally_probe_describe_end(tally_probe_t *probe,
                              const tally_container_t *container) {
  if (container->started_ns == probe->started_ns)
    describe(probe, container);
}

void tally_probe_finish(tally_probe_t *probe, const tally_probing_t *probing) {
  close_files(probe);
  if (!probe->sampled)
    return;
  derive(probe, probing);
  probe->last.running = false;
  probe->last.final = true;
}
