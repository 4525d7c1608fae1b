/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_CLOUDWATCH_DATUM_H
#define TALLY_AWS_CLOUDWATCH_DATUM_H

/*
 * A datum as a record of the outbox carries it: bytes, little endian.
 *
 *   version    1
 *   flags      1: storage resolution 1, 2: a statistic set, 4: counts follow
 *   namespace, name, unit          each a length in 1 byte, and the text
 *   dimensions                     their number in 1 byte; for each the name
 *                                  (length 1 byte), the value (length 2 bytes)
 *   values     their number in 1 byte, 8 bytes each (IEEE 754), rising;
 *              then, where flag 4 says so, 4 bytes each for the counts
 *   or, with flag 2: minimum, maximum, sum, 8 bytes each; the number in 8 bytes
 *
 * All up to the values is the *head*: from the third byte on it is the identity
 * of the metric. The time is the record's.
 */

#include "aws/cloudwatch_check.h"

#define TALLY_DATUM_VALUES_MAX 150
#define TALLY_DATUM_IDENTITY 2 /* where it begins */
/* Of a head: three names, 30 dimensions. */
#define TALLY_DATUM_HEAD_MAX                                                   \
  (2 + 3 * 256 + 1 + TALLY_METRIC_DIMENSIONS_MAX * (256 + 2 + 1024))
#define TALLY_DATUM_MAX (TALLY_DATUM_HEAD_MAX + 1 + TALLY_DATUM_VALUES_MAX * 12)

typedef enum tally_datum_flag_e {
  TALLY_DATUM_FINE = 1,
  TALLY_DATUM_STATISTICS = 2,
  TALLY_DATUM_COUNTED = 4,
} tally_datum_flag_t;

typedef struct tally_valued_s {
  double value;
  uint32_t count;
} tally_valued_t;

typedef struct tally_statistics_s {
  double minimum, maximum, sum;
  uint64_t samples;
} tally_statistics_t;

/* Points into the record. */
typedef struct tally_span_s {
  const char *text;
  size_t len;
} tally_span_t;

typedef struct tally_datum_s {
  unsigned flags;
  uint64_t time_ns;
  tally_span_t namespace_, name, unit; /* unit of length 0: none */
  size_t dimensions_count;
  struct {
    tally_span_t name, value;
  } dimensions[TALLY_METRIC_DIMENSIONS_MAX];
  tally_statistics_t statistics;
  size_t values_count; /* 0 of a statistic set */
  tally_valued_t values[TALLY_DATUM_VALUES_MAX];
} tally_datum_t;

/* Appends the head. -1: a text is longer than a head can say. */
int tally_datum_put_head(tally_buffer_t *out, const tally_metric_t *metric);
/* Append what follows a head that is at `head` in `out`, and set its flags. */
int tally_datum_put_values(tally_buffer_t *out, size_t head,
                           const tally_valued_t *values, size_t count);
int tally_datum_put_statistics(tally_buffer_t *out, size_t head,
                               const tally_statistics_t *statistics);

/* Of a hostile record: -1 and *err unless every byte of it is what it should
 * be, and CloudWatch would take it. */
int tally_datum_parse(tally_datum_t *datum, const tally_record_t *record,
                      tally_error_t *err);

/* Of a record that parses. */
tally_span_t tally_datum_namespace(const tally_record_t *record);

#endif
