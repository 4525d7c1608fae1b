/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "container/roster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "container/networks.h"
#include "core/clock.h"
#include "node/node.h"

/* A young container is sampled when it is seen, and then again at these ages:
 * 20 ms, 40 ms, 80 ms, … */
#define YOUNG_STEP_NS (20 * TALLY_NS_PER_MS)

/* What is taken for the interval of the visits until there were two. */
#define VISIT_INTERVAL_NS (10 * TALLY_NS_PER_S)

/* ---- finals -------------------------------------------------------------- */

static tally_probe_t *take_final(tally_roster_t *roster) {
  tally_probe_t *probe = roster->finals;
  if (probe == NULL)
    return NULL;
  roster->finals = probe->next;
  if (roster->finals == NULL)
    roster->finals_end = &roster->finals;
  roster->finals_count--;
  probe->next = NULL;
  return probe;
}

tally_probe_t *tally_roster_pop_final(tally_roster_t *roster) {
  tally_probe_t *probe = take_final(roster);
  if (probe == NULL)
    return NULL;
  /* The end may have been seen before Docker told the exit code. */
  size_t i = tally_roster_after(roster, probe->container->id);
  if (i > 0 &&
      strcmp(roster->entries[i - 1].container->id, probe->container->id) == 0)
    tally_probe_describe_end(probe, roster->entries[i - 1].container);
  return probe;
}

/* ---- making and unmaking ------------------------------------------------- */

int tally_roster_init(tally_roster_t *roster,
                      const tally_sampler_options_t *options,
                      tally_error_t *err) {
  const char *rootfs = options->rootfs ? options->rootfs : "";
  *roster = (tally_roster_t){.wanted = options->wanted,
                             .wanted_data = options->wanted_data,
                             .visit_interval_ns = VISIT_INTERVAL_NS,
                             .probing = {.exits = -1}};
  roster->finals_end = &roster->finals;

  tally_probing_t *probing = &roster->probing;
  size_t size = strlen(rootfs) + sizeof("/proc");
  probing->proc = malloc(size);
  if (probing->proc == NULL)
    return tally_error_set(err, ENOMEM, "sampler");
  snprintf(probing->proc, size, "%s/proc", rootfs);

  /* Without cgroups there still is what Docker says. */
  probing->cgroups = tally_cgroup_host_create(rootfs, NULL);
  probing->tasks =
      options->load ? tally_tasks_create(probing->proc, NULL) : NULL;
  probing->host_netns = tally_netns_id_of(probing->proc, 1);
  if (probing->host_netns == 0 && rootfs[0] == '\0')
    /* PID 1 may not be looked at; we are not in a container as far as we know
     */
    probing->host_netns = tally_netns_id_of(probing->proc, getpid());
  probing->exits = epoll_create1(EPOLL_CLOEXEC); /* -1: then without */
  probing->without =
      (options->pressure ? 0 : (unsigned)TALLY_CGROUP_WITHOUT_PRESSURE) |
      (options->block_io ? 0 : (unsigned)TALLY_CGROUP_WITHOUT_BLOCK_IO);
  probing->network = options->network;
  probing->tcp_connections = options->tcp_connections;
  probing->host.cpus = tally_node_cpus();
  probing->host.memory = tally_node_memory_total(rootfs);
  return 0;
}

static void clear_entry(tally_roster_entry_t *entry) {
  tally_probe_destroy(entry->probe);
  tally_container_unref(entry->container);
  *entry = (tally_roster_entry_t){0};
}

void tally_roster_clear(tally_roster_t *roster) {
  for (size_t i = 0; i < roster->count; i++)
    clear_entry(&roster->entries[i]);
  free(roster->entries);
  tally_probe_t *probe;
  while ((probe = take_final(roster)) != NULL)
    tally_probe_destroy(probe);
  tally_cgroup_host_destroy(roster->probing.cgroups);
  tally_tasks_destroy(roster->probing.tasks);
  free(roster->probing.proc);
  if (roster->probing.exits >= 0)
    close(roster->probing.exits);
  *roster = (tally_roster_t){0};
}

/* ---- one entry ----------------------------------------------------------- */

/* The end of a run of a container. */
static void end_probe(tally_roster_t *roster, tally_roster_entry_t *entry) {
  tally_probe_t *probe = entry->probe;
  entry->probe = NULL;
  tally_probe_finish(probe, &roster->probing);
  if (!probe->sampled || !entry->wanted) {
    tally_probe_destroy(probe);
    return;
  }
  if (roster->finals_count == TALLY_FINALS_MAX) {
    tally_probe_destroy(take_final(roster));
    roster->finals_dropped++;
  }
  *roster->finals_end = probe;
  roster->finals_end = &probe->next;
  roster->finals_count++;
}

static bool is_over(const tally_roster_entry_t *entry) {
  return entry->is_over && entry->over_pid == entry->container->pid &&
         entry->over_started_ns == entry->container->started_ns;
}

/* How long a container has been running, at most since the clock began. */
static uint64_t age_ns(const tally_container_t *container, uint64_t now_ns) {
  uint64_t realtime_ns = tally_clock_realtime_ns();
  if (container->started_ns == 0 || container->started_ns > realtime_ns)
    return 0;
  uint64_t age = realtime_ns - container->started_ns;
  return age < now_ns ? age : now_ns;
}

/* Opens a probe for what runs and has none. Returns whether there is one now.
 */
static bool begin_probe(tally_roster_t *roster, tally_roster_entry_t *entry,
                        uint64_t now_ns) {
  if (!entry->wanted || !tally_container_is_sampled(entry->container) ||
      is_over(entry) || roster->probing.cgroups == NULL)
    return false;
  entry->probe = tally_probe_create(entry->container, &roster->probing, NULL);
  if (entry->probe == NULL)
    return false; /* tried again at the next run */
  entry->probe->born_ns = now_ns - age_ns(entry->container, now_ns);
  entry->probe->step_ns = YOUNG_STEP_NS;
  if (now_ns - entry->probe->born_ns <= roster->visit_interval_ns)
    entry->probe->due_ns = now_ns;
  return true;
}

static tally_cgroup_status_t sample(tally_roster_t *roster,
                                    tally_roster_entry_t *entry,
                                    tally_sampling_t sampling) {
  tally_cgroup_status_t status =
      tally_probe_sample(entry->probe, &roster->probing, sampling);
  if (status == TALLY_CGROUP_GONE) {
    entry->is_over = true;
    entry->over_pid = entry->container->pid;
    entry->over_started_ns = entry->container->started_ns;
    end_probe(roster, entry);
  }
  return status;
}

/* A container that did not exist in the last snapshot or has changed. Returns
 * whether probes have come or gone, or found their network. */
static bool update_entry(tally_roster_t *roster, tally_roster_entry_t *entry,
                         const tally_container_t *container, uint64_t now_ns) {
  if (entry->container != container) {
    tally_container_unref(entry->container);
    entry->container = tally_container_ref(container);
    entry->wanted = roster->wanted == NULL ||
                    roster->wanted(container, roster->wanted_data);
  }
  if (entry->probe == NULL)
    return begin_probe(roster, entry, now_ns);

  bool same_run = tally_probe_is_of(entry->probe, container);
  bool changed = false;
  if (same_run && entry->probe->container != container)
    changed = tally_probe_update(entry->probe, container, &roster->probing);
  if (entry->wanted && same_run && tally_container_is_sampled(container))
    return changed;

  end_probe(roster, entry);
  (void)begin_probe(roster, entry, now_ns);
  return true;
}

/* ---- following snapshots ------------------------------------------------- */

/* A container that is not in the inventory any more. */
static void drop_entry(tally_roster_t *roster, tally_roster_entry_t *entry) {
  if (entry->probe != NULL)
    end_probe(roster, entry);
  clear_entry(entry);
}

/* Both lists are sorted: goes through them side by side. */
static bool merge(tally_roster_t *roster, const tally_snapshot_t *snapshot,
                  tally_roster_entry_t *merged, uint64_t now_ns) {
  bool changed = false;
  size_t old = 0;
  for (size_t i = 0; i < snapshot->count; i++) {
    const tally_container_t *container = snapshot->containers[i];
    int order = 1;
    for (; old < roster->count; old++) {
      order = strcmp(roster->entries[old].container->id, container->id);
      if (order >= 0)
        break;
      changed = changed || roster->entries[old].probe != NULL;
      drop_entry(roster, &roster->entries[old]);
    }
    if (order == 0)
      merged[i] = roster->entries[old++];
    else
      merged[i] = (tally_roster_entry_t){0};
    changed |= update_entry(roster, &merged[i], container, now_ns);
  }
  for (; old < roster->count; old++) {
    changed = changed || roster->entries[old].probe != NULL;
    drop_entry(roster, &roster->entries[old]);
  }
  return changed;
}

/* Nobody came or went: entries can stay where they are. */
static bool has_same_ids(const tally_roster_t *roster,
                         const tally_snapshot_t *snapshot) {
  if (roster->count != snapshot->count)
    return false;
  for (size_t i = 0; i < roster->count; i++)
    if (roster->entries[i].container != snapshot->containers[i] &&
        strcmp(roster->entries[i].container->id, snapshot->containers[i]->id) !=
            0)
      return false;
  return true;
}

void tally_roster_follow(tally_roster_t *roster,
                         const tally_snapshot_t *snapshot, uint64_t now_ns) {
  if (roster->followed && roster->generation == snapshot->generation)
    return;

  bool changed = false;
  if (has_same_ids(roster, snapshot)) {
    for (size_t i = 0; i < roster->count; i++)
      if (roster->entries[i].container != snapshot->containers[i])
        changed |= update_entry(roster, &roster->entries[i],
                                snapshot->containers[i], now_ns);
  } else {
    size_t size = snapshot->count + snapshot->count / 4 + 16;
    tally_roster_entry_t *merged = calloc(size, sizeof(*merged));
    if (merged == NULL)
      return; /* the next snapshot may find some */
    changed = merge(roster, snapshot, merged, now_ns);
    free(roster->entries);
    roster->entries = merged;
    roster->count = snapshot->count;
    roster->size = size;
  }
  roster->generation = snapshot->generation;
  roster->followed = true;
  if (changed)
    tally_networks_decide(roster);
  (void)tally_roster_sample_young(roster, now_ns);
}

/* ---- sampling ------------------------------------------------------------ */

/* When a young container is due again; 0 once the visits come as often. */
static uint64_t next_due(const tally_roster_t *roster, tally_probe_t *probe,
                         uint64_t now_ns) {
  uint64_t due = probe->born_ns + probe->step_ns;
  while (due <= now_ns) {
    probe->step_ns *= 2;
    due = probe->born_ns + probe->step_ns;
  }
  return probe->step_ns > roster->visit_interval_ns ? 0 : due;
}

uint64_t tally_roster_sample_young(tally_roster_t *roster, uint64_t now_ns) {
  uint64_t next = UINT64_MAX;
  bool gone = false;
  for (size_t i = 0; i < roster->count; i++) {
    tally_roster_entry_t *entry = &roster->entries[i];
    if (entry->probe == NULL || entry->probe->due_ns == 0)
      continue;
    if (entry->probe->due_ns <= now_ns) {
      if (sample(roster, entry, TALLY_SAMPLE_YOUNG) == TALLY_CGROUP_GONE) {
        gone = true;
        continue;
      }
      entry->probe->due_ns = next_due(roster, entry->probe, now_ns);
    }
    if (entry->probe->due_ns != 0 && entry->probe->due_ns < next)
      next = entry->probe->due_ns;
  }
  if (gone)
    tally_networks_decide(roster);
  return next;
}

void tally_roster_on_exit(tally_roster_t *roster, uint64_t serial) {
  for (size_t i = 0; i < roster->count; i++) {
    tally_roster_entry_t *entry = &roster->entries[i];
    if (entry->probe == NULL || entry->probe->serial != serial)
      continue;
    if (sample(roster, entry, TALLY_SAMPLE_END) == TALLY_CGROUP_GONE)
      tally_networks_decide(roster);
    return;
  }
}

/* Opens what could not be opened when it was first seen. */
static void try_again(tally_roster_t *roster, size_t first, size_t end,
                      uint64_t now_ns) {
  bool changed = false;
  for (size_t i = first; i < end; i++)
    if (roster->entries[i].probe == NULL)
      changed |= begin_probe(roster, &roster->entries[i], now_ns);
  if (changed)
    tally_networks_decide(roster);
}

bool tally_roster_sample_some(tally_roster_t *roster, char id[65], size_t max,
                              uint64_t now_ns, tally_sampler_cost_t *cost) {
  size_t first = tally_roster_after(roster, id);
  size_t end = max < roster->count - first ? first + max : roster->count;
  try_again(roster, first, end, now_ns);

  bool changed = false;
  for (size_t i = first; i < end; i++) {
    tally_roster_entry_t *entry = &roster->entries[i];
    cost->containers += entry->wanted ? 1 : 0;
    if (entry->probe == NULL)
      continue;
    if (sample(roster, entry, TALLY_SAMPLE_VISIT) == TALLY_CGROUP_GONE) {
      changed = true;
      continue;
    }
    cost->sampled++;
    cost->failed += entry->probe->failed ? 1 : 0;
  }
  if (changed)
    tally_networks_decide(roster);
  if (end > first)
    memcpy(id, roster->entries[end - 1].container->id, 65);
  return end < roster->count;
}

void tally_roster_sample_all(tally_roster_t *roster, uint64_t now_ns,
                             tally_sampler_cost_t *cost) {
  char id[65] = "";
  while (tally_roster_sample_some(roster, id, SIZE_MAX, now_ns, cost))
    continue;
}

size_t tally_roster_after(const tally_roster_t *roster, const char *id) {
  size_t low = 0, high = roster->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(roster->entries[middle].container->id, id) > 0)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}
