/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watch_private.h"

uint64_t tally_watch_hundredths(double value) {
  if (!(value >= 0) || value > (double)(UINT64_MAX / 200))
    return TALLY_UNKNOWN;
  return (uint64_t)(value * 100 + 0.5);
}

static uint64_t whole(double value) {
  return value >= 0 && value < (double)(UINT64_MAX / 2)
             ? (uint64_t)(value + 0.5)
             : TALLY_UNKNOWN;
}

static uint64_t to_us(uint64_t ns) {
  return ns != TALLY_UNKNOWN ? ns / 1000 : TALLY_UNKNOWN;
}

static uint64_t time_or_unknown(uint64_t ns) {
  return ns != 0 ? ns : TALLY_UNKNOWN;
}

/* ---- rules --------------------------------------------------------------- */

static const tally_container_rule_t *
choose_rule(const tally_settings_t *settings,
            const tally_container_t *container) {
  for (const tally_container_rule_t *rule = settings->container_rules;
       rule != NULL; rule = rule->next) {
    if (rule->label == NULL)
      return rule;
    const char *value = tally_container_label(container, rule->label);
    if (value != NULL &&
        (rule->value == NULL || strcmp(rule->value, value) == 0))
      return rule;
  }
  return NULL;
}

/* Without memory the container is not judged by thresholds. */
static void add_rule(tally_watch_rules_t *rules,
                     const tally_container_rule_t *rule) {
  if (rules->count == rules->size) {
    size_t size = rules->size > 0 ? 2 * rules->size : 16;
    const tally_container_rule_t **grown =
        realloc(rules->of, size * sizeof(*grown));
    if (grown == NULL)
      return;
    rules->of = grown;
    rules->size = size;
  }
  rules->of[rules->count++] = rule;
}

const tally_container_rule_t *
tally_watch_rule_of(const tally_container_row_t *row, void *data) {
  tally_watch_rules_t *rules = data;
  for (size_t tried = 0; tried < rules->count; tried++) {
    size_t i = rules->next++;
    if (rules->next >= rules->count)
      rules->next = 0;
    if (tally_view_row(rules->view, TALLY_TABLE_CONTAINERS, i) == &row->row)
      return rules->of[i];
  }
  return NULL;
}

/* ---- what Docker says ---------------------------------------------------- */

static void show_description(tally_container_row_t *row, tally_view_t *view,
                             const tally_container_t *c) {
  row->id = tally_view_text(view, c->id);
  row->image = tally_view_text(view, c->image);
  row->state = (uint64_t)c->state + 1;
  row->health = (uint64_t)c->health + 1;
  row->created_ns = time_or_unknown(c->created_ns);
  row->started_ns = time_or_unknown(c->started_ns);
  row->finished_ns = time_or_unknown(c->finished_ns);
  if (c->finished_ns != 0)
    row->exit_code = (uint64_t)(c->exit_code >= 0 ? c->exit_code : 0);
  row->restarts = (uint64_t)(c->restart_count >= 0 ? c->restart_count : 0);
  row->network = TALLY_NETWORK_UNKNOWN + 1;
}

/* ---- what the kernel says ------------------------------------------------ */

static void show_cpu(tally_container_row_t *row,
                     const tally_container_sample_t *sample,
                     tally_steady_run_t *run) {
  const tally_cgroup_sample_t *cgroup = &sample->cgroup;
  uint64_t counters[] = {
      to_us(cgroup->cpu_usage_ns),  to_us(cgroup->cpu_user_ns),
      to_us(cgroup->cpu_system_ns), cgroup->cpu_periods,
      cgroup->cpu_throttled,        to_us(cgroup->cpu_throttled_ns)};
  tally_steady_part(run, TALLY_STEADY_CGROUP, "cpu", counters, 6);
  row->cpu_time_us = counters[0];
  row->cpu_user_us = counters[1];
  row->cpu_system_us = counters[2];
  row->cpu_percent = tally_watch_hundredths(sample->cpu_percent);
  row->cpu_limit = tally_watch_hundredths(sample->cpu_limit);
  row->cpu_limit_percent = tally_watch_hundredths(sample->cpu_percent_of_limit);
  if (cgroup->cpu_quota_us == TALLY_UNKNOWN ||
      cgroup->cpu_quota_us == TALLY_UNLIMITED)
    return; /* only a container with a quota can be throttled */
  row->cpu_periods = counters[3];
  row->cpu_throttled = counters[4];
  row->cpu_throttled_us = counters[5];
}

static void show_memory(tally_container_row_t *row,
                        const tally_container_sample_t *sample,
                        tally_steady_run_t *run) {
  const tally_cgroup_sample_t *cgroup = &sample->cgroup;
  uint64_t counters[] = {cgroup->memory_page_faults, cgroup->memory_limit_hits,
                         cgroup->memory_oom_kills};
  tally_steady_part(run, TALLY_STEADY_CGROUP, "memory", counters, 3);
  row->memory_used = whole(sample->memory_used);
  row->memory_working_set = whole(sample->memory_working_set);
  row->memory_limit = whole(sample->memory_limit);
  row->memory_percent = tally_watch_hundredths(sample->memory_percent);
  row->memory_swap = cgroup->memory_swap;
  row->memory_page_faults = counters[0];
  row->memory_limit_hits = counters[1];
  row->memory_oom_kills = counters[2];
}

static void show_tasks(tally_container_row_t *row,
                       const tally_cgroup_sample_t *cgroup) {
  row->threads = cgroup->threads;
  row->threads_limit = cgroup->threads_limit;
  row->processes = cgroup->processes;

  const tally_pressure_t *p = cgroup->pressure;
  row->cpu_some = tally_watch_hundredths(p[TALLY_RESOURCE_CPU].some_avg10);
  row->cpu_full = tally_watch_hundredths(p[TALLY_RESOURCE_CPU].full_avg10);
  row->memory_some =
      tally_watch_hundredths(p[TALLY_RESOURCE_MEMORY].some_avg10);
  row->memory_full =
      tally_watch_hundredths(p[TALLY_RESOURCE_MEMORY].full_avg10);
  row->io_some = tally_watch_hundredths(p[TALLY_RESOURCE_IO].some_avg10);
  row->io_full = tally_watch_hundredths(p[TALLY_RESOURCE_IO].full_avg10);
}

static void show_block_io(tally_container_row_t *row,
                          const tally_cgroup_sample_t *cgroup,
                          tally_steady_run_t *run) {
  if (!cgroup->devices_known)
    return;
  for (size_t i = 0; i < cgroup->devices_count; i++) {
    const tally_cgroup_device_t *d = &cgroup->devices[i];
    char name[TALLY_STEADY_NAME];
    snprintf(name, sizeof(name), "%u:%u", d->major & 0xfffff,
             d->minor & 0xffffff);
    uint64_t counters[] = {d->read_bytes, d->write_bytes, d->read_ops,
                           d->write_ops};
    tally_steady_part(run, TALLY_STEADY_DEVICE, name, counters, 4);
  }
  uint64_t sums[4];
  tally_steady_sum(run, TALLY_STEADY_DEVICE, sums, 4);
  row->read_bytes = sums[0];
  row->write_bytes = sums[1];
  row->read_ops = sums[2];
  row->write_ops = sums[3];
}

/* ---- interfaces ---------------------------------------------------------- */

/* The counters of a row, those that tell first (steady.h). */
#define SET_TRAFFIC(row, v)                                                    \
  ((row)->rx_bytes = (v)[0], (row)->rx_packets = (v)[1],                       \
   (row)->tx_bytes = (v)[2], (row)->tx_packets = (v)[3],                       \
   (row)->rx_errors = (v)[4], (row)->rx_dropped = (v)[5],                      \
   (row)->tx_errors = (v)[6], (row)->tx_dropped = (v)[7])

static void show_interfaces(tally_container_row_t *row, const char *container,
                            tally_view_t *view,
                            const tally_container_sample_t *sample,
                            tally_steady_run_t *run) {
  row->network = (uint64_t)sample->network + 1;
  if (sample->network != TALLY_NETWORK_OWN &&
      sample->network != TALLY_NETWORK_SHARED)
    return;
  for (size_t i = 0; i < sample->interfaces_count; i++) {
    const tally_interface_t *from = &sample->interfaces[i];
    uint64_t counters[] = {from->rx_bytes,   from->rx_packets, from->tx_bytes,
                           from->tx_packets, from->rx_errors,  from->rx_dropped,
                           from->tx_errors,  from->tx_dropped};
    tally_steady_part(run, TALLY_STEADY_INTERFACE, from->name, counters, 8);
    tally_interface_row_t *to =
        tally_view_add_interface(view, container, from->name);
    if (to != NULL)
      SET_TRAFFIC(to, counters);
  }
  uint64_t sums[8];
  tally_steady_sum(run, TALLY_STEADY_INTERFACE, sums, 8);
  SET_TRAFFIC(row, sums);
}

/* ---- one container ------------------------------------------------------- */

void tally_watch_show_container(const tally_container_sample_t *sample,
                                const tally_settings_t *settings,
                                tally_steady_t *steady,
                                tally_watch_rules_t *rules,
                                tally_view_t *view) {
  const tally_container_t *c = sample->container;
  if (sample->final)
    return;
  /* A container that Docker has not described yet has no name. */
  const char *name = c->name != NULL && c->name[0] != '\0' ? c->name : c->id;
  tally_container_row_t *row = tally_view_add_container(view, name);
  if (row == NULL)
    return;
  add_rule(rules, choose_rule(settings, c));
  show_description(row, view, c);
  if (!sample->running)
    return;

  tally_steady_run_t *run = tally_steady_run(steady, c->id, c->started_ns);
  show_cpu(row, sample, run);
  show_memory(row, sample, run);
  show_tasks(row, &sample->cgroup);
  show_block_io(row, &sample->cgroup, run);
  show_interfaces(row, name, view, sample, run);
}
