/* SPDX-License-Identifier: MIT */
/* Disks: their space, their inodes, and whether they answer and can be written
 * to. */
#include "config.h"

#include "alarms_private.h"

#include "core/buffer.h"

static const tally_alarm_measure_t space = {
    "space", "%.1f %% of the space is used", true};
static const tally_alarm_measure_t inodes = {
    "inodes", "%.1f %% of the inodes are used", true};

static const tally_disk_rule_t *rule_of(const tally_settings_t *settings,
                                        const char *mount) {
  static const tally_disk_rule_t none = {0};
  for (const tally_disk_rule_t *rule = settings->disk_rules; rule != NULL;
       rule = rule->next)
    if (tally_select_match(rule->match, mount))
      return rule;
  return &none;
}

static uint64_t
judge_share(const tally_alarm_round_t *round, const tally_alarm_subject_t *disk,
            const tally_disk_row_t *row, const tally_alarm_measure_t *measure,
            uint64_t hundredths, const tally_threshold_t *threshold) {
  if (!tally_alarms_known(hundredths) || row->read_only == TALLY_TRUE)
    return tally_alarm_unknown(round, disk, measure->cause);
  return tally_alarm_judge(round, disk, measure, (double)hundredths / 100,
                           threshold);
}

static uint64_t judge_answer(const tally_alarm_round_t *round,
                             const tally_alarm_subject_t *disk,
                             const tally_disk_row_t *row) {
  if (!tally_alarms_known(row->answering))
    return tally_alarm_unknown(round, disk, "answering");
  bool hangs = row->answering == TALLY_FALSE;
  return tally_alarm_fact(round, disk, "answering",
                          hangs ? TALLY_LEVEL_CRITICAL : TALLY_LEVEL_OK,
                          hangs ? "does not answer" : "answers");
}

/* Many are so on purpose; one that has become so has met an error. */
static uint64_t judge_writing(const tally_alarm_round_t *round,
                              const tally_alarm_subject_t *disk,
                              const tally_disk_row_t *row) {
  static const char cause[] = "read-only";
  if (row->read_only == TALLY_FALSE) {
    tally_alarm_remember(round, disk->object, cause);
    return tally_alarm_fact(round, disk, cause, TALLY_LEVEL_OK,
                            "can be written to");
  }
  if (row->read_only == TALLY_TRUE &&
      tally_alarm_remembered(round, disk->object, cause))
    return tally_alarm_fact(round, disk, cause, TALLY_LEVEL_CRITICAL,
                            "has become read-only");
  return tally_alarm_unknown(round, disk, cause);
}

static uint64_t judge(const tally_alarm_round_t *round,
                      const tally_disk_row_t *row, const char *object) {
  const tally_disk_rule_t *rule = rule_of(round->settings, row->mount);
  char shortened[TALLY_INDEX_MAX];
  tally_alarm_subject_t disk = {
      .object = object,
      .label = row->mount,
      .name = tally_alarms_name(row->mount, &row->row, shortened),
      .state = TALLY_UNKNOWN,
      .raised = TALLY_NOTICE_DISK_RAISED,
      .cleared = TALLY_NOTICE_DISK_CLEARED,
      .told_from = TALLY_LEVEL_WARNING,
  };
  const uint64_t levels[] = {
      judge_share(round, &disk, row, &space, row->percent, &rule->space),
      judge_share(round, &disk, row, &inodes, row->inodes_percent,
                  &rule->inodes),
      judge_answer(round, &disk, row),
      judge_writing(round, &disk, row),
  };
  uint64_t level = tally_alarms_worst(levels, sizeof(levels) / sizeof(*levels));
  if (level == TALLY_LEVEL_OK && !tally_alarms_known(row->percent))
    return TALLY_LEVEL_UNKNOWN;
  return level;
}

void tally_alarms_judge_disks(const tally_alarm_round_t *round,
                              const tally_view_t *view) {
  tally_autobuffer tally_buffer_t object;
  tally_buffer_init(&object, TALLY_ALARM_OBJECT_MAX);
  size_t count = tally_view_count(view, TALLY_TABLE_DISKS);
  for (size_t i = 0; i < count; i++) {
    tally_disk_row_t *row =
        (tally_disk_row_t *)tally_view_row(view, TALLY_TABLE_DISKS, i);
    tally_buffer_reset(&object);
    if (row->mount != NULL &&
        tally_buffer_printf(&object, "disk/%s", row->mount) == 0)
      row->level = judge(round, row, object.data);
  }
}
