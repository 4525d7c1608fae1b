/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/cloudwatch_datum.h"

#include <errno.h>
#include <string.h>

#define DATUM_VERSION 1
#define FLAGS (TALLY_DATUM_FINE | TALLY_DATUM_STATISTICS | TALLY_DATUM_COUNTED)

/* ---- writing ------------------------------------------------------------- */

static int put_number(tally_buffer_t *out, uint64_t number, size_t width) {
  char bytes[8];
  for (size_t i = 0; i < width; i++)
    bytes[i] = (char)(number >> (8 * i));
  return tally_buffer_append(out, bytes, width);
}

static int put_double(tally_buffer_t *out, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return put_number(out, bits, 8);
}

static int put_text(tally_buffer_t *out, const char *text, size_t width,
                    size_t max) {
  size_t len = text != NULL ? strnlen(text, max + 1) : 0;
  if (len > max || put_number(out, len, width) != 0)
    return -1;
  return tally_buffer_append(out, text != NULL ? text : "", len);
}

int tally_datum_put_head(tally_buffer_t *out, const tally_metric_t *metric) {
  if (metric->dimensions_count > TALLY_METRIC_DIMENSIONS_MAX)
    return -1;
  unsigned flags = metric->resolution_s == 1 ? TALLY_DATUM_FINE : 0;
  if (metric->statistics)
    flags |= TALLY_DATUM_STATISTICS;
  int code = put_number(out, DATUM_VERSION, 1) | put_number(out, flags, 1);
  code |= put_text(out, metric->namespace_, 1, TALLY_METRIC_TEXT_MAX);
  code |= put_text(out, metric->name, 1, TALLY_METRIC_TEXT_MAX);
  code |= put_text(out, metric->unit, 1, TALLY_METRIC_TEXT_MAX);
  code |= put_number(out, metric->dimensions_count, 1);
  for (size_t i = 0; i < metric->dimensions_count; i++) {
    const tally_dimension_t *d = &metric->dimensions[i];
    code |= put_text(out, d->name, 1, TALLY_METRIC_TEXT_MAX);
    code |= put_text(out, d->value, 2, TALLY_METRIC_DIMENSION_VALUE_MAX);
  }
  return code;
}

static void set_flags(tally_buffer_t *out, size_t head, unsigned flags) {
  out->data[head + 1] =
      (char)((out->data[head + 1] & TALLY_DATUM_FINE) | (int)flags);
}

int tally_datum_put_values(tally_buffer_t *out, size_t head,
                           const tally_valued_t *values, size_t count) {
  bool counted = false;
  int code = put_number(out, count, 1);
  for (size_t i = 0; i < count; i++) {
    code |= put_double(out, values[i].value);
    counted |= values[i].count != 1;
  }
  for (size_t i = 0; counted && i < count; i++)
    code |= put_number(out, values[i].count, 4);
  set_flags(out, head, counted ? TALLY_DATUM_COUNTED : 0);
  return code;
}

int tally_datum_put_statistics(tally_buffer_t *out, size_t head,
                               const tally_statistics_t *statistics) {
  set_flags(out, head, TALLY_DATUM_STATISTICS);
  return put_double(out, statistics->minimum) |
         put_double(out, statistics->maximum) |
         put_double(out, statistics->sum) |
         put_number(out, statistics->samples, 8);
}

/* ---- reading ------------------------------------------------------------- */

/* What is left of the record; after a step beyond its end nothing is. */
typedef struct reader_s {
  const char *at;
  size_t left;
  bool failed;
} reader_t;

static tally_span_t take(reader_t *reader, size_t len) {
  tally_span_t span = {.text = reader->at, .len = len};
  if (len > reader->left) {
    reader->failed = true;
    return (tally_span_t){.text = "", .len = 0};
  }
  reader->at += len;
  reader->left -= len;
  return span;
}

static uint64_t take_number(reader_t *reader, size_t width) {
  uint64_t number = 0;
  tally_span_t span = take(reader, width);
  for (size_t i = 0; i < span.len; i++)
    number |= (uint64_t)(unsigned char)span.text[i] << (8 * i);
  return number;
}

static double take_double(reader_t *reader) {
  uint64_t bits = take_number(reader, 8);
  double value;
  memcpy(&value, &bits, sizeof(value));
  reader->failed |= !tally_metric_value_is_good(value);
  return value;
}

static tally_span_t take_text(reader_t *reader, size_t width,
                              bool (*is_good)(const char *, size_t)) {
  tally_span_t span = take(reader, take_number(reader, width));
  reader->failed |= !is_good(span.text, span.len);
  return span;
}

static bool is_unit(const char *text, size_t len) {
  return len == 0 || tally_metric_unit_is_good(text, len);
}

static void read_head(tally_datum_t *datum, reader_t *reader) {
  datum->namespace_ = take_text(reader, 1, tally_metric_space_is_good);
  datum->name = take_text(reader, 1, tally_metric_name_is_good);
  datum->unit = take_text(reader, 1, is_unit);
  size_t count = take_number(reader, 1);
  if (count > TALLY_METRIC_DIMENSIONS_MAX)
    reader->failed = true;
  for (size_t i = 0; i < count && !reader->failed; i++) {
    datum->dimensions[i].name =
        take_text(reader, 1, tally_metric_label_is_good);
    datum->dimensions[i].value =
        take_text(reader, 2, tally_metric_label_value_is_good);
    datum->dimensions_count = i + 1;
  }
}

static void read_values(tally_datum_t *datum, reader_t *reader) {
  size_t count = take_number(reader, 1);
  if (count == 0 || count > TALLY_DATUM_VALUES_MAX) {
    reader->failed = true;
    return;
  }
  bool counted = (datum->flags & TALLY_DATUM_COUNTED) != 0;
  for (size_t i = 0; i < count; i++) {
    datum->values[i] =
        (tally_valued_t){.value = take_double(reader), .count = 1};
    if (i > 0 && !(datum->values[i].value > datum->values[i - 1].value))
      reader->failed = true;
  }
  for (size_t i = 0; counted && i < count; i++) {
    datum->values[i].count = (uint32_t)take_number(reader, 4);
    reader->failed |= datum->values[i].count == 0;
  }
  datum->values_count = count;
}

static void read_statistics(tally_datum_t *datum, reader_t *reader) {
  tally_statistics_t *s = &datum->statistics;
  s->minimum = take_double(reader);
  s->maximum = take_double(reader);
  s->sum = take_double(reader);
  s->samples = take_number(reader, 8);
  if (s->minimum > s->maximum || s->samples == 0)
    reader->failed = true;
}

int tally_datum_parse(tally_datum_t *datum, const tally_record_t *record,
                      tally_error_t *err) {
  reader_t reader = {.at = record->data, .left = record->len};
  uint64_t version = take_number(&reader, 1);
  if (version != DATUM_VERSION)
    return tally_error_set(err, EINVAL, "datum of version %u",
                           (unsigned)version);
  datum->flags = (unsigned)take_number(&reader, 1);
  datum->time_ns = record->time_ns;
  datum->dimensions_count = datum->values_count = 0;
  read_head(datum, &reader);
  if (datum->flags & TALLY_DATUM_STATISTICS)
    read_statistics(datum, &reader);
  else
    read_values(datum, &reader);
  bool odd = (datum->flags & ~(unsigned)FLAGS) != 0 ||
             ((datum->flags & TALLY_DATUM_STATISTICS) &&
              (datum->flags & TALLY_DATUM_COUNTED));
  if (reader.failed || reader.left > 0 || odd)
    return tally_error_set(err, EINVAL, "no datum in %zu bytes", record->len);
  return 0;
}

tally_span_t tally_datum_namespace(const tally_record_t *record) {
  const char *length = record->data + TALLY_DATUM_IDENTITY;
  return (tally_span_t){.text = length + 1, .len = (unsigned char)*length};
}
