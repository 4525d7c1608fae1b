/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "alarms_book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"

/* ---- the book ------------------------------------------------------------ */

static void alarm_destroy(tally_alarm_t *alarm) {
  free(alarm->object);
  free(alarm);
}

void tally_alarm_book_clear(tally_alarm_book_t *book) {
  for (size_t i = 0; i < book->count; i++)
    alarm_destroy(book->alarms[i]);
  free(book->alarms);
  *book = (tally_alarm_book_t){0};
}

/* Where it is or should be inserted. */
static size_t position_of(const tally_alarm_book_t *book, const char *object,
                          const char *cause, bool *found) {
  size_t low = 0, high = book->count;
  *found = false;
  while (low < high && !*found) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(object, book->alarms[middle]->object);
    if (order == 0)
      order = strcmp(cause, book->alarms[middle]->cause);
    if (order == 0)
      *found = true;
    if (order <= 0)
      high = middle;
    else
      low = middle + 1;
  }
  return high;
}

static tally_alarm_t *find(const tally_alarm_book_t *book, const char *object,
                           const char *cause) {
  bool found;
  size_t i = position_of(book, object, cause, &found);
  return found ? book->alarms[i] : NULL;
}

static tally_alarm_t *alarm_create(const char *object, const char *cause) {
  tally_alarm_t *alarm = calloc(1, sizeof(*alarm));
  if (alarm == NULL || (alarm->object = strdup(object)) == NULL) {
    free(alarm);
    return NULL;
  }
  alarm->cause = cause;
  alarm->level = alarm->before = TALLY_LEVEL_OK;
  return alarm;
}

static tally_alarm_t *find_or_add(tally_alarm_book_t *book, const char *object,
                                  const char *cause) {
  bool found;
  size_t i = position_of(book, object, cause, &found);
  if (found)
    return book->alarms[i];

  if (book->count == book->size) {
    size_t size = book->size != 0 ? 2 * book->size : 32;
    tally_alarm_t **alarms = realloc(book->alarms, size * sizeof(*alarms));
    if (alarms == NULL)
      return NULL;
    book->alarms = alarms;
    book->size = size;
  }
  tally_alarm_t *alarm = alarm_create(object, cause);
  if (alarm == NULL)
    return NULL;
  memmove(book->alarms + i + 1, book->alarms + i,
          (book->count - i) * sizeof(*book->alarms));
  book->alarms[i] = alarm;
  book->count++;
  return alarm;
}

/* ---- an alarm ------------------------------------------------------------ */

static void describe(tally_alarm_t *alarm, const tally_alarm_subject_t *subject,
                     const char *text) {
  tally_notice_t *notice = &alarm->notice;
  tally_notice_init(notice, subject->raised);
  tally_text_copy(notice->object, sizeof(notice->object), subject->name);
  tally_text_copy(notice->id, sizeof(notice->id), subject->id);
  tally_text_copy(notice->image, sizeof(notice->image), subject->image);
  notice->state = subject->state;
  snprintf(notice->text, sizeof(notice->text), "%.120s%s%.120s", subject->label,
           subject->label[0] != '\0' ? ": " : "", text);
  tally_text_tidy(notice->text);
  alarm->raised = subject->raised;
  alarm->cleared = subject->cleared;
  alarm->told_from = subject->told_from;
}

static void set_level(const tally_alarm_round_t *round, tally_alarm_t *alarm,
                      uint64_t level) {
  alarm->level = level;
  if (level == TALLY_LEVEL_OK) {
    alarm->number = 0;
  } else if (alarm->number == 0) {
    alarm->number = ++round->book->last_number;
    alarm->since_ns = round->now_ns;
  }
}

/* ---- thresholds ---------------------------------------------------------- */

static bool reached(double value, double threshold, double factor) {
  return threshold > 0 && value >= threshold * factor;
}

/* A threshold that was reached holds on until the value is below it by the
 * hysteresis. */
static uint64_t level_of(double value, const tally_threshold_t *threshold,
                         uint64_t standing, double hysteresis) {
  double held = 1 - hysteresis / 100;
  if (reached(value, threshold->critical,
              standing == TALLY_LEVEL_CRITICAL ? held : 1))
    return TALLY_LEVEL_CRITICAL;
  if (reached(value, threshold->warning, standing > TALLY_LEVEL_OK ? held : 1))
    return TALLY_LEVEL_WARNING;
  return TALLY_LEVEL_OK;
}

static bool lasted(uint64_t *since_ns, bool is_so, uint64_t now_ns,
                   double hold) {
  if (!is_so) {
    *since_ns = 0;
    return false;
  }
  /* The clock may have been set back. */
  if (*since_ns == 0 || *since_ns > now_ns)
    *since_ns = now_ns;
  return (double)(now_ns - *since_ns) >= hold * TALLY_NS_PER_S;
}

/* Up only what has lasted, down at once. */
static uint64_t held_back(tally_alarm_t *alarm, uint64_t level, uint64_t now_ns,
                          double hold) {
  bool critical =
      lasted(&alarm->critical_ns, level >= TALLY_LEVEL_CRITICAL, now_ns, hold);
  bool warning =
      lasted(&alarm->warning_ns, level >= TALLY_LEVEL_WARNING, now_ns, hold);
  if (level <= alarm->level || critical)
    return level;
  return warning && alarm->level < TALLY_LEVEL_WARNING ? TALLY_LEVEL_WARNING
                                                       : alarm->level;
}

static const char *level_name(uint64_t level) {
  return level == TALLY_LEVEL_CRITICAL ? "critical" : "warning";
}

static void describe_measure(tally_alarm_t *alarm,
                             const tally_alarm_subject_t *subject,
                             const tally_alarm_measure_t *measure, double value,
                             const tally_threshold_t *threshold,
                             uint64_t level) {
  char now[80], text[120];
  snprintf(now, sizeof(now), measure->format, value);
  if (level == TALLY_LEVEL_OK)
    snprintf(text, sizeof(text), "%s (was %s)", now, level_name(alarm->level));
  else
    snprintf(text, sizeof(text), "%s (%s from %g)", now, level_name(level),
             level == TALLY_LEVEL_CRITICAL ? threshold->critical
                                           : threshold->warning);
  describe(alarm, subject, text);
  if (measure->percent)
    alarm->notice.percent = value > 0 ? (uint64_t)(value * 100 + 0.5) : 0;
}

/* ---- a round ------------------------------------------------------------- */

void tally_alarm_round_open(const tally_alarm_round_t *round) {
  for (size_t i = 0; i < round->book->count; i++) {
    tally_alarm_t *alarm = round->book->alarms[i];
    alarm->seen = false;
    alarm->before = alarm->level;
  }
}

uint64_t tally_alarm_fact(const tally_alarm_round_t *round,
                          const tally_alarm_subject_t *subject,
                          const char *cause, uint64_t level, const char *text) {
  tally_alarm_t *alarm = level == TALLY_LEVEL_OK
                             ? find(round->book, subject->object, cause)
                             : find_or_add(round->book, subject->object, cause);
  if (alarm == NULL)
    return TALLY_LEVEL_OK;
  alarm->seen = true;
  describe(alarm, subject, text);
  set_level(round, alarm, level);
  return alarm->level;
}

uint64_t tally_alarm_judge(const tally_alarm_round_t *round,
                           const tally_alarm_subject_t *subject,
                           const tally_alarm_measure_t *measure, double value,
                           const tally_threshold_t *threshold) {
  const char *cause = measure->cause;
  tally_alarm_t *alarm = find(round->book, subject->object, cause);
  uint64_t level =
      level_of(value, threshold, alarm != NULL ? alarm->level : TALLY_LEVEL_OK,
               round->settings->hysteresis);
  if (alarm == NULL && level > TALLY_LEVEL_OK)
    alarm = find_or_add(round->book, subject->object, cause);
  if (alarm == NULL)
    return TALLY_LEVEL_OK;
  alarm->seen = true;
  level = held_back(alarm, level, round->now_ns, round->settings->hold);
  describe_measure(alarm, subject, measure, value, threshold, level);
  set_level(round, alarm, level);
  return alarm->level;
}

uint64_t tally_alarm_unknown(const tally_alarm_round_t *round,
                             const tally_alarm_subject_t *subject,
                             const char *cause) {
  tally_alarm_t *alarm = find(round->book, subject->object, cause);
  if (alarm == NULL)
    return TALLY_LEVEL_OK;
  alarm->seen = true;
  return alarm->level;
}

void tally_alarm_unknown_all(const tally_alarm_round_t *round,
                             const char *prefix) {
  for (size_t i = 0; i < round->book->count; i++)
    if (strncmp(round->book->alarms[i]->object, prefix, strlen(prefix)) == 0)
      round->book->alarms[i]->seen = true;
}

void tally_alarm_remember(const tally_alarm_round_t *round, const char *object,
                          const char *cause) {
  tally_alarm_t *alarm = find_or_add(round->book, object, cause);
  if (alarm != NULL)
    alarm->seen = alarm->remembered = true;
}

bool tally_alarm_remembered(const tally_alarm_round_t *round,
                            const char *object, const char *cause) {
  const tally_alarm_t *alarm = find(round->book, object, cause);
  return alarm != NULL && alarm->remembered;
}

/* ---- closing it ---------------------------------------------------------- */

/* The level that a notice shows: tallyDiskLevel is that of the whole disk,
 * which space, inodes and more have a part in; neighbours in the book. */
static uint64_t level_to_say(const tally_alarm_book_t *book, size_t position) {
  const tally_alarm_t *alarm = book->alarms[position];
  uint64_t level = alarm->level;
  if (alarm->raised != TALLY_NOTICE_DISK_RAISED)
    return level;
  while (position > 0 &&
         strcmp(book->alarms[position - 1]->object, alarm->object) == 0)
    position--;
  for (; position < book->count &&
         strcmp(book->alarms[position]->object, alarm->object) == 0;
       position++)
    if (book->alarms[position]->level > level)
      level = book->alarms[position]->level;
  return level;
}

static void say(const tally_alarm_round_t *round, size_t position) {
  tally_alarm_t *alarm = round->book->alarms[position];
  bool ok = alarm->level == TALLY_LEVEL_OK, up = alarm->level > alarm->before;
  if (alarm->level == alarm->before || alarm->raised == 0)
    return;
  bool worth_it = up ? alarm->level >= alarm->told_from
                     : alarm->told && (ok || alarm->level >= alarm->told_from);
  if (!worth_it)
    return;
  alarm->told = !ok;
  alarm->notice.kind = up ? alarm->raised : alarm->cleared;
  alarm->notice.time_ns = round->now_ns;
  alarm->notice.level = level_to_say(round->book, position);
  alarm->notice.previous_level = alarm->before;
  tally_notices_put(round->notices, &alarm->notice);
}

static void clear_gone(const tally_alarm_round_t *round, tally_alarm_t *alarm) {
  char text[sizeof(alarm->notice.text)];
  snprintf(text, sizeof(text), "gone: %.240s", alarm->notice.text);
  tally_text_copy(alarm->notice.text, sizeof(alarm->notice.text), text);
  set_level(round, alarm, TALLY_LEVEL_OK);
}

void tally_alarm_round_close(const tally_alarm_round_t *round) {
  tally_alarm_book_t *book = round->book;
  for (size_t i = 0; i < book->count; i++)
    if (!book->alarms[i]->seen)
      clear_gone(round, book->alarms[i]);
  for (size_t i = 0; i < book->count; i++)
    say(round, i);

  size_t kept = 0;
  for (size_t i = 0; i < book->count; i++) {
    tally_alarm_t *alarm = book->alarms[i];
    if (alarm->seen &&
        (alarm->number != 0 || alarm->warning_ns != 0 || alarm->remembered))
      book->alarms[kept++] = alarm;
    else
      alarm_destroy(alarm);
  }
  book->count = kept;
}
