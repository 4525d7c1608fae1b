/* SPDX-License-Identifier: MIT */
/* What a member of a row looks like in SNMP. */
#include "config.h"

#include "mib_private.h"

#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/utf8.h"

#define TEXT_MAX 255 /* octets of a SnmpAdminString */

/* TimeTicks: hundredths of a second since then, modulo 2^32. */
static uint64_t ticks_since(uint64_t then_ns) {
  uint64_t now_ns = tally_clock_realtime_ns();
  if (now_ns <= then_ns)
    return 0;
  return (now_ns - then_ns) / (TALLY_NS_PER_S / 100) & UINT32_MAX;
}

/* DateAndTime in UTC (RFC 2579). */
static void show_date(uint64_t ns, tally_mib_value_t *value) {
  time_t seconds = (time_t)(ns / TALLY_NS_PER_S);
  struct tm tm = {0};
  gmtime_r(&seconds, &tm);
  int year = tm.tm_year + 1900;
  const char octets[sizeof(value->octets)] = {
      (char)(year >> 8),
      (char)year,
      (char)(tm.tm_mon + 1),
      (char)tm.tm_mday,
      (char)tm.tm_hour,
      (char)tm.tm_min,
      (char)tm.tm_sec,
      (char)(ns % TALLY_NS_PER_S / (TALLY_NS_PER_S / 10)),
      '+',
      0,
      0,
  };
  memcpy(value->octets, octets, sizeof(octets));
  value->text = value->octets;
  value->text_length = sizeof(value->octets);
}

static void show_text(const char *text, tally_mib_value_t *value) {
  value->text = text;
  value->text_length = tally_utf8_cut(text, strlen(text), TEXT_MAX);
}

bool tally_mib_value(const tally_mib_column_t *column, const tally_row_t *row,
                     tally_mib_value_t *value) {
  const void *member = (const char *)row + column->field;
  value->syntax = column->syntax;
  if (column->syntax == TALLY_SYNTAX_TEXT) {
    const char *text = *(const char *const *)member;
    if (text == NULL)
      return false;
    show_text(text, value);
    return true;
  }
  uint64_t number = *(const uint64_t *)member;
  if (number == TALLY_UNKNOWN)
    return false;
  switch (column->syntax) {
  case TALLY_SYNTAX_GAUGE:
    value->number = number > UINT32_MAX ? UINT32_MAX : number;
    break;
  case TALLY_SYNTAX_TICKS:
    value->number = ticks_since(number);
    break;
  case TALLY_SYNTAX_DATE:
    show_date(number, value);
    break;
  default:
    value->number = number;
  }
  return true;
}
