/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/cloudwatch_check.h"

#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"

#define VALUE_MAX 0x1p360

const char *tally_metric_verdict_name(tally_metric_verdict_t verdict) {
  static const char *const names[TALLY_METRIC_VERDICTS] = {
      [TALLY_METRIC_TAKEN] = "taken",
      [TALLY_METRIC_NOT_A_NUMBER] = "not_a_number",
      [TALLY_METRIC_OUT_OF_RANGE] = "out_of_range",
      [TALLY_METRIC_BAD_NAME] = "bad_name",
      [TALLY_METRIC_TOO_OLD] = "too_old",
      [TALLY_METRIC_TOO_NEW] = "too_new",
      [TALLY_METRIC_NO_ROOM] = "no_room",
  };
  return verdict < TALLY_METRIC_VERDICTS ? names[verdict] : "unknown";
}

/* ---- texts --------------------------------------------------------------- */

static const char *const units[] = {
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
};

bool tally_metric_unit_is_good(const char *text, size_t len) {
  for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
    if (strlen(units[i]) == len && memcmp(units[i], text, len) == 0)
      return true;
  return false;
}

bool tally_metric_unit_is_known(const char *unit) {
  return tally_metric_unit_is_good(unit, strlen(unit));
}

/* Printable ASCII, and not blanks alone. */
static bool is_text(const char *text, size_t len, size_t max) {
  bool blank = true;
  for (size_t i = 0; i < len; i++) {
    if (text[i] < ' ' || text[i] > '~')
      return false;
    blank &= text[i] == ' ';
  }
  return !blank && len <= max;
}

bool tally_metric_name_is_good(const char *text, size_t len) {
  return is_text(text, len, TALLY_METRIC_TEXT_MAX);
}

bool tally_metric_label_is_good(const char *text, size_t len) {
  return is_text(text, len, TALLY_METRIC_TEXT_MAX) && text[0] != ':';
}

bool tally_metric_label_value_is_good(const char *text, size_t len) {
  return is_text(text, len, TALLY_METRIC_DIMENSION_VALUE_MAX);
}

bool tally_metric_space_is_good(const char *text, size_t len) {
  if (!is_text(text, len, TALLY_METRIC_TEXT_MAX) || text[0] == ':' ||
      (len >= 4 && memcmp(text, "AWS/", 4) == 0))
    return false;
  for (size_t i = 0; i < len; i++) {
    char c = text[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
          (c >= '0' && c <= '9')) &&
        strchr(" ._/#:-", c) == NULL)
      return false;
  }
  return true;
}

bool tally_metric_namespace_is_good(const char *text) {
  return tally_metric_space_is_good(text, strlen(text));
}

bool tally_metric_dimension_is_good(const char *name) {
  return tally_metric_label_is_good(name, strlen(name));
}

/* ---- verdicts ------------------------------------------------------------ */

bool tally_metric_value_is_good(double value) {
  return isfinite(value) && fabs(value) <= VALUE_MAX;
}

tally_metric_verdict_t tally_metric_check_value(double value,
                                                tally_error_t *err) {
  if (tally_metric_value_is_good(value))
    return TALLY_METRIC_TAKEN;
  if (isfinite(value)) {
    tally_error_set(err, 0, "%g is beyond 2^360", value);
    return TALLY_METRIC_OUT_OF_RANGE;
  }
  tally_error_set(err, 0, "%g is not a number", value);
  return TALLY_METRIC_NOT_A_NUMBER;
}

tally_metric_verdict_t
tally_metric_check_time(uint64_t time_ns, uint64_t now_ns, tally_error_t *err) {
  if (time_ns > now_ns + TALLY_METRIC_AHEAD_MAX_S * TALLY_NS_PER_S) {
    tally_error_set(err, 0, "%llu s ahead, more than two hours",
                    (unsigned long long)((time_ns - now_ns) / TALLY_NS_PER_S));
    return TALLY_METRIC_TOO_NEW;
  }
  if (time_ns < now_ns &&
      now_ns - time_ns > TALLY_METRIC_AGE_MAX_S * TALLY_NS_PER_S) {
    tally_error_set(err, 0, "%llu s old, more than two weeks",
                    (unsigned long long)((now_ns - time_ns) / TALLY_NS_PER_S));
    return TALLY_METRIC_TOO_OLD;
  }
  return TALLY_METRIC_TAKEN;
}

/* Names may be long and foreign, messages are neither. */
static tally_metric_verdict_t bad_name(tally_error_t *err, const char *what,
                                       const char *text, const char *why) {
  char shown[64];
  tally_error_set(err, 0, "%s `%s'%s: %s", what,
                  tally_text_copy(shown, sizeof(shown), text),
                  strlen(text) >= sizeof(shown) ? "…" : "", why);
  return TALLY_METRIC_BAD_NAME;
}

static bool comes_before(const tally_metric_t *metric, size_t end) {
  for (size_t i = 0; i < end; i++)
    if (strcmp(metric->dimensions[i].name, metric->dimensions[end].name) == 0)
      return true;
  return false;
}

static tally_metric_verdict_t check_dimensions(const tally_metric_t *metric,
                                               tally_error_t *err) {
  if (metric->dimensions_count > TALLY_METRIC_DIMENSIONS_MAX) {
    tally_error_set(err, 0, "%zu dimensions, more than %d",
                    metric->dimensions_count, TALLY_METRIC_DIMENSIONS_MAX);
    return TALLY_METRIC_BAD_NAME;
  }
  for (size_t i = 0; i < metric->dimensions_count; i++) {
    const tally_dimension_t *d = &metric->dimensions[i];
    if (!tally_metric_label_is_good(d->name, strlen(d->name)))
      return bad_name(err, "dimension", d->name,
                      "not 1 to 255 printable ASCII characters that do not "
                      "begin with ':'");
    if (!tally_metric_label_value_is_good(d->value, strlen(d->value)))
      return bad_name(err, "dimension value", d->value,
                      "not 1 to 1024 printable ASCII characters");
    if (comes_before(metric, i))
      return bad_name(err, "dimension", d->name, "is there twice");
  }
  return TALLY_METRIC_TAKEN;
}

tally_metric_verdict_t tally_metric_check_names(const tally_metric_t *metric,
                                                tally_error_t *err) {
  if (!tally_metric_namespace_is_good(metric->namespace_))
    return bad_name(err, "namespace", metric->namespace_,
                    "not 1 to 255 of letters, digits and \" ._/#:-\", and no "
                    "\"AWS/\" or ':' at its beginning");
  if (!tally_metric_name_is_good(metric->name, strlen(metric->name)))
    return bad_name(err, "metric name", metric->name,
                    "not 1 to 255 printable ASCII characters");
  if (metric->unit != NULL && !tally_metric_unit_is_known(metric->unit))
    return bad_name(err, "unit", metric->unit, "CloudWatch has no such unit");
  if (metric->resolution_s != 1 && metric->resolution_s != 60) {
    tally_error_set(err, 0, "storage resolution %u, neither 1 nor 60",
                    metric->resolution_s);
    return TALLY_METRIC_BAD_NAME;
  }
  return check_dimensions(metric, err);
}

tally_metric_verdict_t tally_metric_check(const tally_metric_t *metric,
                                          uint64_t now_ns, tally_error_t *err) {
  tally_metric_verdict_t verdict = tally_metric_check_value(metric->value, err);
  if (verdict == TALLY_METRIC_TAKEN)
    verdict = tally_metric_check_time(metric->time_ns, now_ns, err);
  if (verdict == TALLY_METRIC_TAKEN)
    verdict = tally_metric_check_names(metric, err);
  return verdict;
}
