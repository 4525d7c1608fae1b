/* SPDX-License-Identifier: MIT */
/* Sinks: what the collectd beside us delivers late or not at all. */
#include "config.h"

#include "alarms_private.h"

#include <stdio.h>

#include "core/buffer.h"

static void judge(const tally_alarm_round_t *round, const tally_sink_row_t *row,
                  const char *object) {
  char shortened[TALLY_INDEX_MAX];
  tally_alarm_subject_t sink = {
      .object = object,
      .label = row->name,
      .name = tally_alarms_name(row->name, &row->row, shortened),
      .state = row->state,
      .raised = TALLY_NOTICE_SINK_STALLED,
      .cleared = TALLY_NOTICE_SINK_RECOVERED,
      .told_from = TALLY_LEVEL_CRITICAL,
  };
  double age = tally_alarms_known(row->oldest_age_ms)
                   ? (double)row->oldest_age_ms / 1000
                   : 0;
  const char *why = row->last_error_text != NULL ? row->last_error_text : "";
  uint64_t level = TALLY_LEVEL_CRITICAL;
  char text[200];
  switch (row->state) {
  case TALLY_SINK_OK:
    level = TALLY_LEVEL_OK;
    snprintf(text, sizeof(text), "delivers");
    break;
  case TALLY_SINK_DELAYED:
    level = TALLY_LEVEL_WARNING;
    snprintf(text, sizeof(text), "the oldest record waits for %.0f s %.80s",
             age, why);
    break;
  case TALLY_SINK_STALLED:
    snprintf(text, sizeof(text), "stalled for %.0f s %.80s", age, why);
    break;
  case TALLY_SINK_LOSING:
    snprintf(text, sizeof(text), "loses records %.80s", why);
    break;
  default:
    tally_alarm_unknown(round, &sink, "delivery");
    return;
  }
  tally_alarm_fact(round, &sink, "delivery", level, text);
}

void tally_alarms_judge_sinks(const tally_alarm_round_t *round,
                              tally_view_t *view) {
  tally_autobuffer tally_buffer_t object;
  tally_buffer_init(&object, TALLY_ALARM_OBJECT_MAX);
  size_t count = tally_view_count(view, TALLY_TABLE_SINKS);
  for (size_t i = 0; i < count; i++) {
    const tally_sink_row_t *row =
        (const tally_sink_row_t *)tally_view_row(view, TALLY_TABLE_SINKS, i);
    tally_buffer_reset(&object);
    if (row->name != NULL &&
        tally_buffer_printf(&object, "sink/%s", row->name) == 0)
      judge(round, row, object.data);
  }
  /* A collectd that does not answer says nothing about its outputs. */
  uint64_t state = tally_view_node(view)->sinks_state;
  if (state == TALLY_UNKNOWN || state == TALLY_SINKS_UNREACHABLE)
    tally_alarm_unknown_all(round, "sink/");
}
