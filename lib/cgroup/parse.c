/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cgroup/parse.h"

#include <string.h>

/* From here on a number of the memory controller means "no limit". v1 shows
 * PAGE_COUNTER_MAX pages (0x7ffffffffffff000 with 4 KiB pages, less with
 * larger ones), kernels before 3.19 RESOURCE_MAX, and somebody may have
 * written 2^64-1. */
#define NO_LIMIT_FROM (UINT64_C(0x8000000000000000) - UINT64_C(0x100000))

bool tally_scan_u64(const char **p, const char *end, uint64_t *value) {
  const char *s = *p;
  uint64_t v = 0;
  bool fits = true;
  for (; s < end; s++) {
    unsigned digit = (unsigned char)*s - (unsigned)'0';
    if (digit > 9)
      break;
    if (v > (TALLY_UNLIMITED - 1 - digit) / 10)
      fits = false;
    else
      v = v * 10 + digit;
  }
  if (s == *p)
    return false;
  *p = s;
  *value = fits ? v : TALLY_UNLIMITED;
  return true;
}

uint64_t tally_scale(uint64_t value, uint64_t factor) {
  uint64_t product;
  if (value >= TALLY_UNLIMITED ||
      __builtin_mul_overflow(value, factor, &product) ||
      product >= TALLY_UNLIMITED)
    return TALLY_UNKNOWN;
  return product;
}

uint64_t tally_limit_of(uint64_t number) {
  if (number == TALLY_UNKNOWN)
    return TALLY_UNKNOWN;
  return number >= NO_LIMIT_FROM ? TALLY_UNLIMITED : number;
}

/* A counter that is too large to be one is not known. */
static uint64_t counter_of(uint64_t number) {
  return number < TALLY_UNLIMITED ? number : TALLY_UNKNOWN;
}

int tally_parse_number(const char *text, size_t len, uint64_t *value) {
  uint64_t v;
  if (!tally_scan_u64(&text, text + len, &v))
    return -1;
  *value = counter_of(v);
  return 0;
}

static bool starts_with(const char *text, const char *end, const char *word) {
  size_t len = strlen(word);
  return (size_t)(end - text) >= len && memcmp(text, word, len) == 0;
}

int tally_parse_limit(const char *text, size_t len, uint64_t *value) {
  const char *end = text + len;
  uint64_t v;
  if (starts_with(text, end, "max") || starts_with(text, end, "-1"))
    v = TALLY_UNLIMITED;
  else if (!tally_scan_u64(&text, end, &v))
    return -1;
  *value = tally_limit_of(v);
  return 0;
}

/* ---- names and values ---------------------------------------------------- */

static bool is_key(const tally_key_t *key, const char *line, size_t len) {
  return len > key->len && line[key->len] == ' ' && line[0] == key->name[0] &&
         memcmp(line, key->name, key->len) == 0;
}

int tally_parse_keyed(const char *text, size_t len, const tally_key_t *keys,
                      size_t count, uint64_t *values) {
  for (size_t i = 0; i < count; i++)
    values[i] = TALLY_UNKNOWN;

  const char *end = text + len;
  size_t found = 0;
  size_t expected = 0; /* the key that comes next in the kernel's order */
  while (text < end && found < count) {
    const char *eol = memchr(text, '\n', (size_t)(end - text));
    if (eol == NULL)
      eol = end;

    size_t line_len = (size_t)(eol - text);
    for (size_t i = 0; i < count; i++) {
      size_t k = expected + i < count ? expected + i : expected + i - count;
      if (!is_key(&keys[k], text, line_len))
        continue;
      const char *number = text + keys[k].len + 1;
      uint64_t v;
      if (values[k] == TALLY_UNKNOWN && tally_scan_u64(&number, eol, &v)) {
        values[k] = counter_of(v);
        found++;
        expected = k + 1 < count ? k + 1 : 0;
      }
      break;
    }
    text = eol < end ? eol + 1 : end;
  }
  return found > 0 ? 0 : -1;
}

/* ---- CPUs ---------------------------------------------------------------- */

int tally_parse_cpu_list(const char *text, size_t len, uint64_t *count) {
  const char *end = text + len;
  uint64_t total = 0;
  while (text < end && *text != '\n') {
    uint64_t first, last;
    if (!tally_scan_u64(&text, end, &first))
      return -1;
    last = first;
    if (text < end && *text == '-') {
      text++;
      if (!tally_scan_u64(&text, end, &last))
        return -1;
    }
    if (last < first || last > UINT32_MAX)
      return -1;
    total += last - first + 1;
    if (text < end && *text == ',')
      text++;
  }
  *count = total;
  return 0;
}

int tally_parse_cpu_max(const char *text, size_t len, uint64_t *quota_us,
                        uint64_t *period_us) {
  const char *end = text + len;
  uint64_t quota = TALLY_UNLIMITED, period;
  if (starts_with(text, end, "max"))
    text += 3;
  else if (!tally_scan_u64(&text, end, &quota))
    return -1;
  while (text < end && *text == ' ')
    text++;
  if (!tally_scan_u64(&text, end, &period))
    return -1;
  *quota_us = quota;
  *period_us = counter_of(period);
  return 0;
}

/* ---- pressure ------------------------------------------------------------ */

/* "12.34" with any number of decimals, without the locale of strtod(3). */
static bool scan_decimal(const char **p, const char *end, double *value) {
  uint64_t whole;
  if (!tally_scan_u64(p, end, &whole))
    return false;
  double v = (double)whole;
  if (*p < end && **p == '.') {
    double unit = 0.1;
    for ((*p)++; *p < end && **p >= '0' && **p <= '9'; (*p)++, unit /= 10)
      v += unit * (**p - '0');
  }
  *value = v;
  return true;
}

static bool take_word(const char **p, const char *end, const char *word) {
  if (!starts_with(*p, end, word))
    return false;
  *p += strlen(word);
  return true;
}

/* Moves behind the next blank of the line. */
static bool next_word(const char **p, const char *eol) {
  const char *blank = memchr(*p, ' ', (size_t)(eol - *p));
  if (blank == NULL)
    return false;
  *p = blank + 1;
  return true;
}

int tally_parse_pressure(const char *text, size_t len,
                         tally_pressure_t *pressure) {
  const char *end = text + len;
  int status = -1;
  while (text < end) {
    const char *eol = memchr(text, '\n', (size_t)(end - text));
    if (eol == NULL)
      eol = end;

    bool some = starts_with(text, eol, "some ");
    if (some || starts_with(text, eol, "full ")) {
      double *avg10 = some ? &pressure->some_avg10 : &pressure->full_avg10;
      uint64_t *total =
          some ? &pressure->some_total_us : &pressure->full_total_us;
      while (next_word(&text, eol)) {
        const char *p = text;
        uint64_t us;
        if (take_word(&p, eol, "avg10=")) {
          if (scan_decimal(&p, eol, avg10))
            status = 0;
        } else if (take_word(&p, eol, "total=")) {
          if (tally_scan_u64(&p, eol, &us))
            *total = counter_of(us);
        }
      }
    }
    text = eol < end ? eol + 1 : end;
  }
  return status;
}

uint64_t tally_count_lines(const char *text, size_t len) {
  const char *end = text + len;
  uint64_t lines = 0;
  while (text < end && (text = memchr(text, '\n', (size_t)(end - text)))) {
    lines++;
    text++;
  }
  return lines;
}
