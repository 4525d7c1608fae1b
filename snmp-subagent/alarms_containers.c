/* SPDX-License-Identifier: MIT */
/* Containers: memory, CPU and threads against their limits, health, state. */
#include "config.h"

#include "alarms_private.h"

#include "core/buffer.h"
#include "docker/docker.h"

static const tally_alarm_measure_t memory = {
    "memory", "memory at %.1f %% of its limit", true};
static const tally_alarm_measure_t cpu = {"cpu", "CPU at %.1f %% of its limit",
                                          true};
static const tally_alarm_measure_t threads = {
    "threads", "threads at %.1f %% of the limit", true};

static uint64_t judge_share(const tally_alarm_round_t *round,
                            const tally_alarm_subject_t *container,
                            const tally_alarm_measure_t *measure,
                            uint64_t hundredths,
                            const tally_threshold_t *threshold) {
  if (hundredths == TALLY_UNKNOWN)
    return tally_alarm_unknown(round, container, measure->cause);
  /* Without a limit nothing comes near it. */
  double percent = hundredths == TALLY_UNLIMITED ? 0 : (double)hundredths / 100;
  return tally_alarm_judge(round, container, measure, percent, threshold);
}

/* Without a limit of its own a container has the node's, and that is watched as
 * the node's. */
static uint64_t share_of_limit(uint64_t hundredths, uint64_t limit,
                               uint64_t of_node) {
  bool own = !tally_alarms_known(limit) || !tally_alarms_known(of_node) ||
             limit < of_node;
  return own ? hundredths : TALLY_UNLIMITED;
}

static uint64_t threads_share(const tally_container_row_t *row) {
  if (row->threads_limit == TALLY_UNLIMITED)
    return TALLY_UNLIMITED;
  if (row->threads_limit == TALLY_UNKNOWN || row->threads_limit == 0 ||
      !tally_alarms_known(row->threads))
    return TALLY_UNKNOWN;
  return (uint64_t)((double)row->threads * 10000 / (double)row->threads_limit);
}

static uint64_t judge_health(const tally_alarm_round_t *round,
                             const tally_alarm_subject_t *container,
                             uint64_t health) {
  if (health == TALLY_UNKNOWN)
    return tally_alarm_unknown(round, container, "unhealthy");
  bool unhealthy = health == TALLY_HEALTH_UNHEALTHY + 1;
  return tally_alarm_fact(round, container, "unhealthy",
                          unhealthy ? TALLY_LEVEL_WARNING : TALLY_LEVEL_OK,
                          unhealthy ? "its health check fails"
                                    : "its health check fails no more");
}

static uint64_t judge_running(const tally_alarm_round_t *round,
                              const tally_alarm_subject_t *container,
                              const tally_container_row_t *row,
                              const tally_node_row_t *node,
                              const tally_container_rule_t *rule) {
  const uint64_t cpus =
      tally_alarms_known(node->cpus) ? node->cpus * 100 : TALLY_UNKNOWN;
  const uint64_t levels[] = {
      judge_share(round, container, &memory,
                  share_of_limit(row->memory_percent, row->memory_limit,
                                 node->memory_total),
                  &rule->memory),
      judge_share(round, container, &cpu,
                  share_of_limit(row->cpu_limit_percent, row->cpu_limit, cpus),
                  &rule->cpu),
      judge_share(round, container, &threads, threads_share(row),
                  &rule->threads),
      judge_health(round, container, row->health),
  };
  return tally_alarms_worst(levels, sizeof(levels) / sizeof(*levels));
}

static uint64_t judge_nothing(const tally_alarm_round_t *round,
                              const tally_alarm_subject_t *container) {
  const uint64_t levels[] = {
      tally_alarm_unknown(round, container, memory.cause),
      tally_alarm_unknown(round, container, cpu.cause),
      tally_alarm_unknown(round, container, threads.cause),
      tally_alarm_unknown(round, container, "unhealthy"),
      tally_alarm_unknown(round, container, "dead"),
  };
  return tally_alarms_worst(levels, sizeof(levels) / sizeof(*levels));
}

static uint64_t judge(const tally_alarm_round_t *round,
                      const tally_container_row_t *row,
                      const tally_node_row_t *node, const char *object,
                      const char *label, const tally_container_rule_t *rule) {
  tally_alarm_subject_t container = {
      .object = object,
      .label = label,
      .name = object,
      .id = row->id,
      .image = row->image,
      .state = row->state,
      .raised = TALLY_NOTICE_ALARM_RAISED,
      .cleared = TALLY_NOTICE_ALARM_CLEARED,
      .told_from = TALLY_LEVEL_WARNING,
  };
  switch (row->state) {
  case TALLY_CONTAINER_RUNNING + 1:
  case TALLY_CONTAINER_PAUSED + 1:
    return judge_running(round, &container, row, node, rule);
  case TALLY_CONTAINER_DEAD + 1:
    return tally_alarm_fact(round, &container, "dead", TALLY_LEVEL_WARNING,
                            "it is dead: Docker could not remove it");
  case TALLY_CONTAINER_UNKNOWN + 1:
  case TALLY_UNKNOWN:
    return judge_nothing(round, &container);
  default: /* closing the round clears what stood */
    return TALLY_LEVEL_OK;
  }
}

static const tally_container_rule_t *rule_for(const tally_container_row_t *row,
                                              tally_rule_of_t rule_of,
                                              void *rule_data) {
  static const tally_container_rule_t none = {0};
  const tally_container_rule_t *rule =
      rule_of != NULL ? rule_of(row, rule_data) : NULL;
  return rule != NULL ? rule : &none;
}

void tally_alarms_judge_containers(const tally_alarm_round_t *round,
                                   tally_view_t *view, tally_rule_of_t rule_of,
                                   void *rule_data) {
  const tally_node_row_t *node = tally_view_node(view);
  tally_autobuffer tally_buffer_t object, label;
  tally_buffer_init(&object, TALLY_ALARM_OBJECT_MAX);
  tally_buffer_init(&label, TALLY_ALARM_OBJECT_MAX);
  size_t count = tally_view_count(view, TALLY_TABLE_CONTAINERS);
  for (size_t i = 0; i < count; i++) {
    tally_container_row_t *row = (tally_container_row_t *)tally_view_row(
        view, TALLY_TABLE_CONTAINERS, i);
    tally_buffer_reset(&object);
    tally_buffer_reset(&label);
    if (row->name != NULL &&
        tally_buffer_printf(&object, "container/%s", row->name) == 0 &&
        tally_buffer_printf(&label, "container %s", row->name) == 0)
      row->level = judge(round, row, node, object.data, label.data,
                         rule_for(row, rule_of, rule_data));
  }
}
