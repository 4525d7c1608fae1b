/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_ALARMS_PRIVATE_H
#define TALLY_SNMP_ALARMS_PRIVATE_H

/* The concerns that alarms.c asks, one file each. Each judges its rows of a
 * view in a round that is open, and sets their `level`. */

#include "alarms.h"
#include "alarms_book.h"

/* tally_sink_row_t.state, tally_node_row_t.sinks_state */
enum {
  TALLY_SINK_OK = 1,
  TALLY_SINK_DELAYED = 2,
  TALLY_SINK_STALLED = 3,
  TALLY_SINK_LOSING = 4,
};
enum { TALLY_SINKS_READ = 1, TALLY_SINKS_UNREACHABLE = 3 };

/* The longest object: a path and what stands before it. */
#define TALLY_ALARM_OBJECT_MAX 8192

void tally_alarms_judge_node(const tally_alarm_round_t *round,
                             const tally_node_row_t *node);
void tally_alarms_judge_disks(const tally_alarm_round_t *round,
                              const tally_view_t *view);
void tally_alarms_judge_containers(const tally_alarm_round_t *round,
                                   tally_view_t *view, tally_rule_of_t rule_of,
                                   void *rule_data);
void tally_alarms_judge_sinks(const tally_alarm_round_t *round,
                              tally_view_t *view);

/* A number that somebody said, and not that there is none. */
static inline bool tally_alarms_known(uint64_t number) {
  return number < TALLY_UNLIMITED;
}

uint64_t tally_alarms_worst(const uint64_t *levels, size_t count);

/* How notices name a row: in full, or as its index does where that is too long
 * for them. */
const char *tally_alarms_name(const char *name, const tally_row_t *row,
                              char shortened[TALLY_INDEX_MAX]);

#endif
