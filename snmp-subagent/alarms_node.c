/* SPDX-License-Identifier: MIT */
/* The node, and the two daemons that it cannot do without. */
#include "config.h"

#include "alarms_private.h"

#include <stdio.h>

static const tally_alarm_subject_t the_node = {
    .object = "node",
    .label = "",
    .name = "node",
    .state = TALLY_UNKNOWN,
    .raised = TALLY_NOTICE_ALARM_RAISED,
    .cleared = TALLY_NOTICE_ALARM_CLEARED,
    .told_from = TALLY_LEVEL_WARNING,
};

static const tally_alarm_measure_t cpu = {"cpu", "CPU at %.1f %%", true};
static const tally_alarm_measure_t memory = {"memory", "memory at %.1f %%",
                                             true};
static const tally_alarm_measure_t swap = {"swap", "swap at %.1f %%", true};
static const tally_alarm_measure_t load = {"load", "load of %.2f per CPU",
                                           false};

/* `part` of `whole`, times `factor`. */
static void judge_share(const tally_alarm_round_t *round,
                        const tally_alarm_measure_t *measure, uint64_t part,
                        uint64_t whole, double factor,
                        const tally_threshold_t *threshold) {
  if (tally_alarms_known(part) && tally_alarms_known(whole))
    tally_alarm_judge(round, &the_node, measure,
                      whole > 0 ? factor * (double)part / (double)whole : 0,
                      threshold);
  else
    tally_alarm_unknown(round, &the_node, measure->cause);
}

/* Docker lost and Docker back are said by whoever listens to its events, at
 * once; the alarm says it only in the table. */
static void judge_docker(const tally_alarm_round_t *round,
                         const tally_node_row_t *node) {
  static const tally_alarm_subject_t docker = {
      .object = "docker",
      .label = "Docker",
      .name = "docker",
      .state = TALLY_UNKNOWN,
  };
  if (!tally_alarms_known(node->docker_reachable)) {
    tally_alarm_unknown(round, &docker, "unreachable");
    return;
  }
  bool lost = node->docker_reachable == TALLY_FALSE;
  char text[200];
  snprintf(text, sizeof(text), "cannot be reached: %.150s",
           node->docker_problem != NULL ? node->docker_problem : "");
  tally_alarm_fact(round, &docker, "unreachable",
                   lost ? TALLY_LEVEL_CRITICAL : TALLY_LEVEL_OK,
                   lost ? text : "answers");
}

/* Many nodes have no collectd: only one that has been there can be missed. */
static void judge_collectd(const tally_alarm_round_t *round,
                           const tally_node_row_t *node) {
  static const char cause[] = "collectd";
  char text[200];
  switch (node->sinks_state) {
  case TALLY_SINKS_READ:
    tally_alarm_remember(round, the_node.object, cause);
    tally_alarm_fact(round, &the_node, cause, TALLY_LEVEL_OK,
                     "collectd answers");
    break;
  case TALLY_SINKS_UNREACHABLE:
    if (!tally_alarm_remembered(round, the_node.object, cause))
      break;
    snprintf(text, sizeof(text), "collectd does not answer: %.80s",
             node->sinks_problem != NULL ? node->sinks_problem : "");
    tally_alarm_fact(round, &the_node, cause, TALLY_LEVEL_WARNING, text);
    break;
  case TALLY_UNKNOWN:
    tally_alarm_unknown(round, &the_node, cause);
    break;
  default: /* switched off: closing the round clears what stood */
    break;
  }
}

void tally_alarms_judge_node(const tally_alarm_round_t *round,
                             const tally_node_row_t *node) {
  const tally_settings_t *settings = round->settings;
  /* hundredths of a percent; hundredths of a process */
  judge_share(round, &cpu, node->cpu_percent, 100, 1, &settings->node_cpu);
  judge_share(round, &memory, node->memory_used, node->memory_total, 100,
              &settings->node_memory);
  judge_share(round, &swap, node->swap_used, node->swap_total, 100,
              &settings->node_swap);
  judge_share(round, &load, node->load1, node->cpus, 0.01,
              &settings->node_load);
  judge_docker(round, node);
  judge_collectd(round, node);
}
