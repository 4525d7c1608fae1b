/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "alarms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarms_private.h"
#include "core/text.h"

struct tally_alarms_s {
  tally_alarm_book_t book;
  uint64_t health; /* of the node, at the last view */
  uint64_t health_changed_ns;
};

tally_alarms_t *tally_alarms_create(void) {
  tally_alarms_t *alarms = calloc(1, sizeof(*alarms));
  if (alarms != NULL)
    alarms->health = TALLY_LEVEL_UNKNOWN;
  return alarms;
}

void tally_alarms_destroy(tally_alarms_t *alarms) {
  if (alarms == NULL)
    return;
  tally_alarm_book_clear(&alarms->book);
  free(alarms);
}

uint64_t tally_alarms_worst(const uint64_t *levels, size_t count) {
  uint64_t worst = TALLY_LEVEL_OK;
  for (size_t i = 0; i < count; i++)
    if (levels[i] > worst)
      worst = levels[i];
  return worst;
}

const char *tally_alarms_name(const char *name, const tally_row_t *row,
                              char shortened[TALLY_INDEX_MAX]) {
  if (strlen(name) < sizeof(((tally_notice_t *)0)->object))
    return name;
  size_t length = row->index_length - 1; /* stands in front */
  for (size_t i = 0; i < length; i++)
    shortened[i] = (char)row->index[1 + i];
  shortened[length] = '\0';
  return shortened;
}

/* ---- what became of it --------------------------------------------------- */

static void show(const tally_alarm_book_t *book, tally_view_t *view) {
  for (size_t i = 0; i < book->count; i++) {
    const tally_alarm_t *alarm = book->alarms[i];
    if (alarm->number == 0)
      continue;
    tally_alarm_row_t *row = tally_view_add_alarm(view, alarm->number);
    if (row == NULL)
      return;
    row->number = alarm->number;
    row->object = tally_view_text(view, alarm->object);
    row->cause = tally_view_text(view, alarm->cause);
    row->level = alarm->level;
    row->since_ns = alarm->since_ns;
    row->text = tally_view_text(view, alarm->notice.text);
  }
}

/* Of the worst ones that which stands for the longest; NULL: all is well. */
static const tally_alarm_t *worst(const tally_alarm_book_t *book,
                                  size_t *others) {
  const tally_alarm_t *found = NULL;
  *others = 0;
  for (size_t i = 0; i < book->count; i++) {
    const tally_alarm_t *alarm = book->alarms[i];
    if (alarm->number == 0)
      continue;
    *others += found != NULL;
    if (found == NULL || alarm->level > found->level ||
        (alarm->level == found->level && alarm->number < found->number))
      found = alarm;
  }
  return found;
}

static void say_health(const tally_alarms_t *alarms, uint64_t previous,
                       const char *reason, uint64_t now_ns,
                       tally_notices_t *notices) {
  tally_notice_t notice;
  tally_notice_init(&notice, TALLY_NOTICE_NODE_HEALTH);
  notice.time_ns = now_ns;
  notice.level = alarms->health;
  notice.previous_level = previous;
  tally_text_copy(notice.object, sizeof(notice.object), "node");
  tally_text_copy(notice.text, sizeof(notice.text), reason);
  tally_notices_put(notices, &notice);
}

static void tell_reason(char *reason, size_t size, const char *text,
                        size_t others) {
  if (others > 0)
    snprintf(reason, size, "%.220s (and %zu more)", text, others);
  else
    snprintf(reason, size, "%s", text);
  tally_text_tidy(reason);
}

static void judge_health(tally_alarms_t *alarms, tally_view_t *view,
                         uint64_t now_ns, tally_notices_t *notices) {
  tally_node_row_t *node = tally_view_node(view);
  size_t others;
  const tally_alarm_t *alarm = worst(&alarms->book, &others);
  uint64_t health = TALLY_LEVEL_OK;
  char reason[256] = "";
  if (alarm != NULL) {
    health = alarm->level;
    tell_reason(reason, sizeof(reason), alarm->notice.text, others);
  } else if (!tally_alarms_known(node->docker_reachable)) {
    health = TALLY_LEVEL_UNKNOWN;
    snprintf(reason, sizeof(reason), "Docker has not been asked yet");
  }

  uint64_t previous = alarms->health;
  if (health != previous || alarms->health_changed_ns == 0)
    alarms->health_changed_ns = now_ns;
  alarms->health = health;
  /* That a node begins well is no news. */
  bool trouble =
      health == TALLY_LEVEL_WARNING || health == TALLY_LEVEL_CRITICAL;
  if (health != previous && (trouble || previous != TALLY_LEVEL_UNKNOWN))
    say_health(alarms, previous, reason, now_ns, notices);

  node->health = health;
  node->health_reason = tally_view_text(view, reason);
  node->health_changed_ns = alarms->health_changed_ns;
}

void tally_alarms_judge(tally_alarms_t *alarms,
                        const tally_settings_t *settings, tally_view_t *view,
                        tally_rule_of_t rule_of, void *rule_data,
                        uint64_t now_ns, tally_notices_t *notices) {
  const tally_alarm_round_t round = {
      .book = &alarms->book,
      .settings = settings,
      .now_ns = now_ns,
      .notices = notices,
  };
  tally_alarm_round_open(&round);
  tally_alarms_judge_node(&round, tally_view_node(view));
  tally_alarms_judge_disks(&round, view);
  tally_alarms_judge_containers(&round, view, rule_of, rule_data);
  tally_alarms_judge_sinks(&round, view);
  tally_alarm_round_close(&round);
  show(&alarms->book, view);
  judge_health(alarms, view, now_ns, notices);
}
