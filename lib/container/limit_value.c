/* SPDX-License-Identifier: MIT */
/* Limits as people write them. */
#include "config.h"

#include "container/limits.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define KIB UINT64_C(1024)
#define MEMORY_MIN (6 * KIB * KIB) /* what the Engine demands, too */
#define PAGE (4 * KIB)
/* From here on the kernel's page counters mean "no limit". */
#define SIZE_BEYOND (UINT64_C(1) << 63)
#define CORES_MAX 8192       /* NR_CPUS of the largest kernels */
#define PIDS_MAX 4194304     /* PID_MAX_LIMIT */
#define WEIGHT_MAX 10000     /* CGROUP_WEIGHT_MAX */
#define CPU_MAX_MIN_MILLI 10 /* 1 ms of a 100 ms period, the least quota */

/* Digits with perhaps a fraction, as whole and parts of 10^-9; the rest of the
 * text in *end. -1: no number, or too large. */
static int parse_decimal(const char *text, uint64_t *whole, uint64_t *nano,
                         const char **end) {
  *whole = *nano = 0;
  if (!isdigit((unsigned char)*text))
    return -1;
  for (; isdigit((unsigned char)*text); text++) {
    if (*whole > (SIZE_BEYOND - 10) / 10)
      return -1;
    *whole = *whole * 10 + (uint64_t)(*text - '0');
  }
  if (*text == '.') {
    if (!isdigit((unsigned char)*++text))
      return -1;
    uint64_t unit = 100000000;
    for (; isdigit((unsigned char)*text); text++, unit /= 10)
      *nano += unit * (uint64_t)(*text - '0');
  }
  *end = text;
  return 0;
}

/* 1, 1024, … for "", "k", "KiB", …; 0: not a unit. */
static uint64_t size_unit(const char *text) {
  static const char letters[] = "kmgt";
  uint64_t unit = 1;
  if (*text != '\0') {
    const char *letter = strchr(letters, tolower((unsigned char)*text));
    if (letter != NULL) {
      for (long i = letter - letters; i >= 0; i--)
        unit *= KIB;
      text++;
    }
  }
  if (unit > 1 && tolower((unsigned char)*text) == 'i')
    text++;
  if (tolower((unsigned char)*text) == 'b')
    text++;
  return *text == '\0' ? unit : 0;
}

static int parse_size(const char *text, uint64_t *bytes, tally_error_t *err) {
  uint64_t whole, nano;
  const char *rest;
  if (parse_decimal(text, &whole, &nano, &rest) != 0)
    return tally_error_set(err, 0, "\"%s\" is not a size", text);
  uint64_t unit = size_unit(rest);
  if (unit == 0)
    return tally_error_set(
        err, 0, "\"%s\" is not a size: units are k, m, g and t", text);
  if (whole >= SIZE_BEYOND / unit)
    return tally_error_set(err, 0, "\"%s\" is too large", text);
  /* The fraction in two steps, because 10^9 times a TiB does not fit. */
  *bytes =
      whole * unit +
      (unit >= KIB ? nano * (unit / KIB) / 1000000000 * KIB +
                         nano * (unit / KIB) % 1000000000 * KIB / 1000000000
                   : 0);
  return 0;
}

static int parse_count(const char *text, uint64_t min, uint64_t max,
                       uint64_t *value, tally_error_t *err) {
  uint64_t whole, nano;
  const char *rest;
  if (parse_decimal(text, &whole, &nano, &rest) != 0 || *rest != '\0' ||
      strchr(text, '.') != NULL)
    return tally_error_set(err, 0, "\"%s\" is not a whole number", text);
  if (whole < min || whole > max)
    return tally_error_set(err, 0, "\"%s\" is not in %llu … %llu", text,
                           (unsigned long long)min, (unsigned long long)max);
  *value = whole;
  return 0;
}

static int parse_cores(const char *text, uint64_t *milli, tally_error_t *err) {
  uint64_t whole, nano;
  const char *rest;
  if (parse_decimal(text, &whole, &nano, &rest) != 0 || *rest != '\0')
    return tally_error_set(err, 0, "\"%s\" is not a number of cores", text);
  if (whole > CORES_MAX)
    return tally_error_set(err, 0, "\"%s\" is not in 0.01 … %d", text,
                           CORES_MAX);
  *milli = whole * 1000 + nano / 1000000;
  if (*milli < CPU_MAX_MIN_MILLI || *milli > CORES_MAX * UINT64_C(1000))
    return tally_error_set(err, 0, "\"%s\" is not in 0.01 … %d", text,
                           CORES_MAX);
  return 0;
}

static int parse_memory(const char *text, uint64_t *bytes, tally_error_t *err) {
  if (parse_size(text, bytes, err) != 0)
    return -1;
  if (*bytes < MEMORY_MIN)
    return tally_error_set(err, 0, "\"%s\" is less than 6m", text);
  return 0;
}

static int parse_swap(const char *text, uint64_t *bytes, tally_error_t *err) {
  if (parse_size(text, bytes, err) != 0)
    return -1;
  /* "2" is more likely a mistake than two bytes. */
  if (*bytes != 0 && *bytes < PAGE)
    return tally_error_set(
        err, 0, "\"%s\" is less than one page (sizes take k, m, g, t)", text);
  return 0;
}

int tally_limit_parse(tally_limit_t limit, const char *text, uint64_t *value,
                      tally_error_t *err) {
  bool weight =
      limit == TALLY_LIMIT_CPU_WEIGHT || limit == TALLY_LIMIT_IO_WEIGHT;
  if (!weight && strcasecmp(text, "max") == 0) {
    *value = TALLY_UNLIMITED;
    return 0;
  }
  switch (limit) {
  case TALLY_LIMIT_MEMORY_MAX:
  case TALLY_LIMIT_MEMORY_HIGH:
    return parse_memory(text, value, err);
  case TALLY_LIMIT_SWAP_MAX:
    return parse_swap(text, value, err);
  case TALLY_LIMIT_CPU_MAX:
    return parse_cores(text, value, err);
  case TALLY_LIMIT_CPU_WEIGHT:
  case TALLY_LIMIT_IO_WEIGHT:
    return parse_count(text, 1, WEIGHT_MAX, value, err);
  case TALLY_LIMIT_PIDS_MAX:
    return parse_count(text, 1, PIDS_MAX, value, err);
  case TALLY_LIMITS:
    break;
  }
  return tally_error_set(err, 0, "there is no limit number %d", (int)limit);
}
