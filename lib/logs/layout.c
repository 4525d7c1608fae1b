/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logs/layout.h"

#include <string.h>

#include "core/clock.h"
#include "core/utf8.h"
#include "logs/layout_private.h"

#define MARK_MAX 32 /* "[part 4294967295, more] " */

/* ---- time ---------------------------------------------------------------- */

static char *put_digits(char *p, uint64_t number, int digits) {
  for (int i = digits - 1; i >= 0; i--, number /= 10)
    p[i] = (char)('0' + number % 10);
  return p + digits;
}

/* Days since 1970 as a date of the Gregorian calendar. Years that begin in
 * March have their leap day at the end; 400 of them have 146 097 days. A line
 * has a time, and gmtime_r() costs more than all else that is done with it. */
static char *put_date(char *p, uint64_t days) {
  days += 719468; /* from 0000-03-01 */
  uint64_t era = days / 146097, day = days % 146097;
  uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  day -= 365 * year + year / 4 - year / 100;
  uint64_t month = (5 * day + 2) / 153; /* from March */
  day -= (153 * month + 2) / 5;
  month = month < 10 ? month + 3 : month - 9;
  p = put_digits(p, 400 * era + year + (month <= 2), 4);
  *p++ = '-';
  p = put_digits(p, month, 2);
  *p++ = '-';
  return put_digits(p, day + 1, 2);
}

void tally_log_format_seconds(uint64_t time_ns, char between,
                              char text[TALLY_LOG_SECONDS_LEN]) {
  uint64_t seconds = time_ns / TALLY_NS_PER_S;
  char *p = put_date(text, seconds / 86400);
  seconds %= 86400;
  *p++ = between;
  p = put_digits(p, seconds / 3600, 2);
  *p++ = ':';
  p = put_digits(p, seconds / 60 % 60, 2);
  *p++ = ':';
  put_digits(p, seconds % 60, 2);
}

/* ---- texts --------------------------------------------------------------- */

static const char *tag_of(tally_log_layout_t layout,
                          const tally_log_speaker_t *speaker,
                          const tally_log_text_t *text) {
  bool has =
      layout != TALLY_LOG_LAYOUT_RAW && text->voice != TALLY_LOG_VOICE_AGENT;
  return has ? speaker->tag : "";
}

static size_t text_fit(tally_log_layout_t layout,
                       const tally_log_speaker_t *speaker,
                       const tally_log_text_t *text, size_t room) {
  size_t used = strlen(tag_of(layout, speaker, text));
  if (layout == TALLY_LOG_LAYOUT_KINESIS)
    used += TALLY_LOG_SECONDS_LEN + 1;
  if (text->part > 0)
    used += MARK_MAX;
  return tally_utf8_cut(text->text, text->len, used < room ? room - used : 0);
}

size_t tally_log_layout_fit(tally_log_layout_t layout,
                            const tally_log_speaker_t *speaker,
                            const tally_log_text_t *text, size_t room) {
  size_t len = layout == TALLY_LOG_LAYOUT_JSON
                   ? tally_log_json_fit(speaker, text, room)
                   : text_fit(layout, speaker, text, room);
  return len == 0 && text->len > 0 ? 1 : len;
}

int tally_log_layout_write(tally_log_layout_t layout,
                           const tally_log_speaker_t *speaker,
                           const tally_log_text_t *text, tally_buffer_t *out) {
  if (layout == TALLY_LOG_LAYOUT_JSON)
    return tally_log_json_write(speaker, text, out);
  if (layout == TALLY_LOG_LAYOUT_KINESIS) {
    char time[TALLY_LOG_SECONDS_LEN + 1];
    tally_log_format_seconds(text->time_ns, ' ', time);
    time[TALLY_LOG_SECONDS_LEN] = ' ';
    if (tally_buffer_append(out, time, sizeof(time)) != 0)
      return -1;
  }
  if (tally_buffer_append_str(out, tag_of(layout, speaker, text)) != 0)
    return -1;
  if (text->part > 0 && tally_buffer_printf(out, "[part %u, %s] ", text->part,
                                            text->last ? "last" : "more") != 0)
    return -1;
  return tally_buffer_append(out, text->text, text->len);
}
