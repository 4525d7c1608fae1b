/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "aws/cloudwatch_form.h"

#define VALUES_SHOWN 5

static void put_span(tally_buffer_t *out, const char *before,
                     tally_span_t span) {
  tally_buffer_printf(out, "%s%.*s", before, (int)span.len, span.text);
}

static void put_number(tally_buffer_t *out, const char *before, double value) {
  char text[TALLY_NUMBER_SIZE];
  tally_number_format(text, value);
  tally_buffer_printf(out, "%s%s", before, text);
}

static void put_values(tally_buffer_t *out, const tally_datum_t *datum) {
  for (size_t i = 0; i < datum->values_count; i++) {
    if (i == VALUES_SHOWN) {
      tally_buffer_printf(out, " and %zu more", datum->values_count - i);
      return;
    }
    put_number(out, i > 0 ? ", " : " ", datum->values[i].value);
    if (datum->values[i].count > 1)
      tally_buffer_printf(out, " (%u times)", (unsigned)datum->values[i].count);
  }
}

static void put_statistics(tally_buffer_t *out, const tally_statistics_t *s) {
  tally_buffer_printf(out, " %llu values", (unsigned long long)s->samples);
  put_number(out, " from ", s->minimum);
  put_number(out, " to ", s->maximum);
  put_number(out, ", sum ", s->sum);
}

int tally_cloudwatch_describe(const tally_record_t *record,
                              tally_buffer_t *out) {
  tally_datum_t datum;
  if (tally_datum_parse(&datum, record, NULL) != 0)
    return -1;
  put_span(out, "", datum.namespace_);
  put_span(out, " ", datum.name);
  for (size_t i = 0; i < datum.dimensions_count; i++) {
    put_span(out, i == 0 ? " [" : ", ", datum.dimensions[i].name);
    put_span(out, "=", datum.dimensions[i].value);
  }
  if (datum.dimensions_count > 0)
    tally_buffer_append_str(out, "]");
  if (datum.unit.len > 0)
    put_span(out, " ", datum.unit);
  if (datum.flags & TALLY_DATUM_FINE)
    tally_buffer_append_str(out, " (high resolution)");
  size_t before = out->len;
  tally_buffer_append_str(out, ":");
  if (datum.flags & TALLY_DATUM_STATISTICS)
    put_statistics(out, &datum.statistics);
  else
    put_values(out, &datum);
  return out->len > before ? 0 : -1;
}
