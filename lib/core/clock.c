/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/clock.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

static uint64_t clock_ns(clockid_t id) {
  struct timespec ts;
  if (clock_gettime(id, &ts) != 0)
    return 0;
  return (uint64_t)ts.tv_sec * TALLY_NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t tally_clock_realtime_ns(void) { return clock_ns(CLOCK_REALTIME); }

uint64_t tally_clock_monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

uint64_t tally_clock_thread_cpu_ns(void) {
  return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* Exactly `digits` decimal digits at *p, which moves behind them. */
static bool take_digits(const char **p, int digits, int *value) {
  int v = 0;
  for (int i = 0; i < digits; i++, (*p)++) {
    if (!isdigit((unsigned char)**p))
      return false;
    v = v * 10 + (**p - '0');
  }
  *value = v;
  return true;
}

static bool take_char(const char **p, char c) {
  if (**p != c)
    return false;
  (*p)++;
  return true;
}

/* "Z", "+hh:mm" or "-hh:mm", in seconds east of UTC, up to the end. */
static bool take_offset(const char **p, int *seconds) {
  if (take_char(p, 'Z') || take_char(p, 'z')) {
    *seconds = 0;
    return **p == '\0';
  }
  int sign = **p == '-' ? -1 : 1;
  if (!take_char(p, '+') && !take_char(p, '-'))
    return false;
  int hours, minutes;
  if (!take_digits(p, 2, &hours) || !take_char(p, ':') ||
      !take_digits(p, 2, &minutes) || hours > 23 || minutes > 59)
    return false;
  *seconds = sign * (hours * 3600 + minutes * 60);
  return **p == '\0';
}

int tally_clock_parse_rfc3339(const char *text, uint64_t *ns) {
  const char *p = text;
  struct tm tm = {0};
  if (!take_digits(&p, 4, &tm.tm_year) || !take_char(&p, '-') ||
      !take_digits(&p, 2, &tm.tm_mon) || !take_char(&p, '-') ||
      !take_digits(&p, 2, &tm.tm_mday) ||
      !(take_char(&p, 'T') || take_char(&p, 't')) ||
      !take_digits(&p, 2, &tm.tm_hour) || !take_char(&p, ':') ||
      !take_digits(&p, 2, &tm.tm_min) || !take_char(&p, ':') ||
      !take_digits(&p, 2, &tm.tm_sec))
    return -1;
  if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
      tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
    return -1;

  uint64_t fraction = 0;
  if (take_char(&p, '.')) {
    int digits = 0;
    for (; isdigit((unsigned char)*p); p++, digits++)
      if (digits < 9)
        fraction = fraction * 10 + (uint64_t)(*p - '0');
    if (digits == 0)
      return -1;
    for (; digits < 9; digits++)
      fraction *= 10;
  }

  int offset;
  if (!take_offset(&p, &offset))
    return -1;

  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  int64_t seconds = (int64_t)timegm(&tm) - offset;
  *ns = seconds < 0 ? 0 : (uint64_t)seconds * TALLY_NS_PER_S + fraction;
  return 0;
}
