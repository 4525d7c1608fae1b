/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/cloudwatch_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aws/form.h"
#include "core/clock.h"

#define DATE_SIZE 25 /* "2016-05-01T12%3A00%3A00Z" and NUL */
/* The longest that a number, and each piece of a name, can be. */
#define NUMBER_MAX 24
#define PREFIX_MAX (sizeof("&MetricData.member.1000.") - 1)
#define FIELD_MAX (PREFIX_MAX + sizeof("StatisticValues.SampleCount=") - 1)

int tally_cloudwatch_form_begin(tally_buffer_t *form, tally_span_t namespace_) {
  return tally_buffer_append_str(
             form, "Action=PutMetricData&Version=2010-08-01&Namespace=") |
         tally_form_put(form, namespace_.text, namespace_.len);
}

size_t tally_number_format(char text[TALLY_NUMBER_SIZE], double value) {
  int digits = 15;
  do
    snprintf(text, TALLY_NUMBER_SIZE, "%.*g", digits, value);
  while (strtod(text, NULL) != value && (digits += 2) <= 17);
  char *plus = strchr(text, '+');
  if (plus != NULL)
    memmove(plus, plus + 1, strlen(plus));
  return strlen(text);
}

/* ---- fields -------------------------------------------------------------- */

/* "&MetricData.member.N.", the same for all fields of a datum. */
typedef struct writer_s {
  tally_buffer_t *form;
  char prefix[PREFIX_MAX + 8];
  int failed;
} writer_t;

static void put_name(writer_t *writer, const char *name) {
  writer->failed |= tally_buffer_append_str(writer->form, writer->prefix);
  writer->failed |= tally_buffer_append_str(writer->form, name);
}

static void put_text(writer_t *writer, const char *name, tally_span_t text) {
  put_name(writer, name);
  writer->failed |= tally_form_put(writer->form, text.text, text.len);
}

static void put_double(writer_t *writer, const char *name, double value) {
  char text[TALLY_NUMBER_SIZE];
  size_t len = tally_number_format(text, value);
  put_name(writer, name);
  writer->failed |= tally_buffer_append(writer->form, text, len);
}

/* ---- a datum ------------------------------------------------------------- */

static void put_dimensions(writer_t *writer, const tally_datum_t *datum) {
  char name[sizeof("Dimensions.member.30.Value=") + 8];
  for (size_t i = 0; i < datum->dimensions_count; i++) {
    snprintf(name, sizeof(name), "Dimensions.member.%u.Name=", (unsigned)i + 1);
    put_text(writer, name, datum->dimensions[i].name);
    snprintf(name, sizeof(name),
             "Dimensions.member.%u.Value=", (unsigned)i + 1);
    put_text(writer, name, datum->dimensions[i].value);
  }
}

static void put_time(writer_t *writer, uint64_t time_ns) {
  char text[DATE_SIZE + 8];
  struct tm tm;
  time_t time = (time_t)(time_ns / TALLY_NS_PER_S);
  strftime(text, sizeof(text), "%Y-%m-%dT%H%%3A%M%%3A%SZ",
           gmtime_r(&time, &tm));
  put_name(writer, "Timestamp=");
  writer->failed |= tally_buffer_append_str(writer->form, text);
}

/* Without Counts each value counts once, and one value needs no list. */
static void put_values(writer_t *writer, const tally_datum_t *datum) {
  bool counted = (datum->flags & TALLY_DATUM_COUNTED) != 0;
  if (datum->values_count == 1 && !counted) {
    put_double(writer, "Value=", datum->values[0].value);
    return;
  }
  char name[sizeof("Values.member.150=") + 8];
  for (size_t i = 0; i < datum->values_count; i++) {
    snprintf(name, sizeof(name), "Values.member.%u=", (unsigned)i + 1);
    put_double(writer, name, datum->values[i].value);
  }
  for (size_t i = 0; counted && i < datum->values_count; i++) {
    snprintf(name, sizeof(name), "Counts.member.%u=", (unsigned)i + 1);
    put_double(writer, name, datum->values[i].count);
  }
}

static void put_statistics(writer_t *writer, const tally_statistics_t *s) {
  put_double(writer, "StatisticValues.Minimum=", s->minimum);
  put_double(writer, "StatisticValues.Maximum=", s->maximum);
  put_double(writer, "StatisticValues.Sum=", s->sum);
  put_double(writer, "StatisticValues.SampleCount=", (double)s->samples);
}

int tally_cloudwatch_form_put(tally_buffer_t *form, unsigned number,
                              const tally_datum_t *datum) {
  writer_t writer = {.form = form};
  snprintf(writer.prefix, sizeof(writer.prefix), "&MetricData.member.%u.",
           number);
  put_text(&writer, "MetricName=", datum->name);
  put_dimensions(&writer, datum);
  put_time(&writer, datum->time_ns);
  if (datum->unit.len > 0)
    put_text(&writer, "Unit=", datum->unit);
  if (datum->flags & TALLY_DATUM_STATISTICS)
    put_statistics(&writer, &datum->statistics);
  else
    put_values(&writer, datum);
  if (datum->flags & TALLY_DATUM_FINE)
    put_double(&writer, "StorageResolution=", 1);
  return writer.failed ? -1 : 0;
}

size_t tally_cloudwatch_form_size(const tally_datum_t *datum) {
  size_t fields = 4; /* name, time, unit, resolution */
  size_t size = DATE_SIZE + 1;
  size += tally_form_size(datum->name.text, datum->name.len);
  size += tally_form_size(datum->unit.text, datum->unit.len);
  for (size_t i = 0; i < datum->dimensions_count; i++) {
    tally_span_t name = datum->dimensions[i].name;
    tally_span_t value = datum->dimensions[i].value;
    size += tally_form_size(name.text, name.len);
    size += tally_form_size(value.text, value.len);
    fields += 2;
  }
  size_t numbers = datum->values_count;
  if (datum->flags & TALLY_DATUM_STATISTICS)
    numbers = 4;
  if (datum->flags & TALLY_DATUM_COUNTED)
    numbers *= 2;
  return size + fields * FIELD_MAX +
         numbers *
             (PREFIX_MAX + sizeof("Values.member.150=") - 1 + NUMBER_MAX) +
         (datum->flags & TALLY_DATUM_STATISTICS ? 4 * FIELD_MAX : 0);
}
