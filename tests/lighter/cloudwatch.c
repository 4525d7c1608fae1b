/* SPDX-License-Identifier: MIT */
#include "config.h"

/* CloudWatch, API 2010-08-01, the query protocol: PutMetricData. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "form.h"
#include "service.h"

#define DATA_MAX 1000
#define VALUES_MAX 150
#define VALUE_MAX 0x1p360

/* One MetricData.member.N. */
typedef struct datum_s {
  char name[256];
  double values[VALUES_MAX], counts[VALUES_MAX];
  size_t values_count, counts_count;
  double samples, sum; /* of a statistic set */
} datum_t;

typedef struct reading_s {
  datum_t *data;
  size_t count;
  bool bad; /* more than the service takes, or no number */
} reading_t;

static double number(reading_t *reading, const char *text) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end != '\0' || !isfinite(value) ||
      fabs(value) > VALUE_MAX)
    reading->bad = true;
  return value;
}

/* "Values.member.3": number 3 of a list of numbers. */
static void read_element(reading_t *reading, const char *index,
                         const char *text, double *list, size_t *count) {
  unsigned long i = strtoul(index, NULL, 10);
  if (i < 1 || i > VALUES_MAX) {
    reading->bad = true;
    return;
  }
  list[i - 1] = number(reading, text);
  if (i > *count)
    *count = i;
}

static void read_member(reading_t *reading, datum_t *datum, const char *name,
                        const char *text) {
  static const char values[] = "Values.member.", counts[] = "Counts.member.";
  if (strcmp(name, "MetricName") == 0) {
    snprintf(datum->name, sizeof(datum->name), "%s", text);
  } else if (strcmp(name, "Value") == 0) {
    datum->values[0] = number(reading, text);
    datum->values_count = 1;
  } else if (strcmp(name, "StatisticValues.SampleCount") == 0) {
    datum->samples = number(reading, text);
  } else if (strcmp(name, "StatisticValues.Sum") == 0) {
    datum->sum = number(reading, text);
  } else if (strncmp(name, values, strlen(values)) == 0) {
    read_element(reading, name + strlen(values), text, datum->values,
                 &datum->values_count);
  } else if (strncmp(name, counts, strlen(counts)) == 0) {
    read_element(reading, name + strlen(counts), text, datum->counts,
                 &datum->counts_count);
  }
}

static void read_pair(const char *name, const char *value, void *context) {
  static const char prefix[] = "MetricData.member.";
  reading_t *reading = context;
  if (strncmp(name, prefix, strlen(prefix)) != 0)
    return;
  char *rest;
  unsigned long i = strtoul(name + strlen(prefix), &rest, 10);
  if (i < 1 || i > DATA_MAX || *rest != '.') {
    reading->bad = true;
    return;
  }
  if (i > reading->count)
    reading->count = i;
  read_member(reading, &reading->data[i - 1], rest + 1, value);
}

/* A value without a count counts once. */
static bool sum_up(datum_t *datum) {
  if (*datum->name == '\0' ||
      (datum->counts_count > 0 && datum->counts_count != datum->values_count))
    return false;
  for (size_t i = 0; i < datum->values_count; i++) {
    double count = datum->counts_count > 0 ? datum->counts[i] : 1;
    datum->samples += count;
    datum->sum += count * datum->values[i];
  }
  return datum->samples > 0;
}

static void put_metric_data(call_t *call) {
  tally_autofree datum_t *data = calloc(DATA_MAX, sizeof(*data));
  reading_t reading = {.data = data, .bad = data == NULL};
  if (data != NULL)
    form_each(call->form, read_pair, &reading);
  for (size_t i = 0; i < reading.count; i++)
    reading.bad |= !sum_up(&data[i]);
  if (reading.bad || reading.count == 0 || *call->resource == '\0') {
    answer_error(call->answer, 400, "InvalidParameterValue",
                 "A member of the collection MetricData is not valid.");
    return;
  }
  for (size_t i = 0; i < reading.count; i++)
    ledger_take_datum(call->service->ledger, call_number(call), data[i].name,
                      data[i].samples, data[i].sum);
  tally_buffer_append_str(
      &call->answer->body,
      "<PutMetricDataResponse><ResponseMetadata><RequestId>lighter"
      "</RequestId></ResponseMetadata></PutMetricDataResponse>");
}

operation_t cloudwatch_operation(const char *name) {
  return strcmp(name, "PutMetricData") == 0 ? put_metric_data : NULL;
}
