/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_CLOUDWATCH_H
#define TALLY_AWS_CLOUDWATCH_H

/*
 * Metrics for CloudWatch: values are gathered per metric and period, become one
 * datum each, and travel through an outbox to PutMetricData.
 *
 *   add() ─► gatherer: one row per metric and period ─ period over ─► outbox
 *                                                     ─► PutMetricData (gzip)
 *
 * A datum carries what CloudWatch needs for percentiles: distinct values with
 * their counts, up to 150; beyond that several data, or a statistic set where
 * it is asked for. What CloudWatch would refuse, and the whole call with it, is
 * refused here one by one: NaN, infinite, beyond 2^360, and names that are too
 * long.
 *
 * A call that failed is repeated alone: others that succeeded are not sent
 * again. If the answer never came the values may be counted twice; whether then
 * to repeat or to drop is the caller's choice (on_unsure).
 *
 * Contract: Amazon CloudWatch API Reference 2010-08-01, PutMetricData; quotas of
 * the User Guide: 1 000 data and 1 MB a call, 30 dimensions, 150 values.
 */

#include "aws/aws.h"
#include "delivery/delivery.h"

#define TALLY_CLOUDWATCH_DIMENSIONS_MAX 30

typedef struct tally_dimension_s {
  const char *name;  /* 1 to 255 ASCII characters, not beginning with ':' */
  const char *value; /* 1 to 1024 */
} tally_dimension_t;

/* One value of one metric. Borrowed. */
typedef struct tally_metric_s {
  const char *namespace_; /* 1 to 255 characters [A-Za-z0-9 ._/#:-] */
  const char *name;       /* 1 to 255 */
  const tally_dimension_t *dimensions;
  size_t dimensions_count;
  const char *unit;       /* "Bytes", "Count/Second", …; NULL: none */
  unsigned resolution_s;  /* storage resolution: 1 or 60 */
  bool statistics;        /* a statistic set and not the values */
  uint64_t time_ns;
  double value;
} tally_metric_t;

/* Why a value is not sent. */
typedef enum tally_metric_verdict_e {
  TALLY_METRIC_TAKEN = 0,
  TALLY_METRIC_NOT_A_NUMBER, /* NaN, infinite */
  TALLY_METRIC_OUT_OF_RANGE, /* beyond 2^360 */
  TALLY_METRIC_BAD_NAME,     /* of metric, dimension, namespace, unit */
  TALLY_METRIC_TOO_OLD,      /* before the two weeks that CloudWatch takes */
  TALLY_METRIC_NO_ROOM,      /* too many metrics at a time */
  TALLY_METRIC_VERDICTS
} tally_metric_verdict_t;
const char *tally_metric_verdict_name(tally_metric_verdict_t verdict);

bool tally_cloudwatch_unit_is_known(const char *unit);

/* ---- gathering ------------------------------------------------------------ */

typedef struct tally_gatherer_options_s {
  unsigned period_s;  /* one datum per metric and this long; 0: 60. Metrics of
                         resolution 1 have periods of 1 s */
  size_t metrics_max; /* rows at a time; 0: 100 000 */
  /* A datum is complete; `bytes` are what goes into the outbox. In the thread
   * that called add, tend or flush. */
  void (*emit)(const tally_record_t *datum, void *data);
  void *data;
} tally_gatherer_options_t;

/* No lock: whoever uses it from several threads has one. */
typedef struct tally_gatherer_s tally_gatherer_t;
tally_gatherer_t *
tally_gatherer_create(const tally_gatherer_options_t *options,
                      tally_error_t *err);
void tally_gatherer_destroy(tally_gatherer_t *gatherer); /* emits nothing */

tally_metric_verdict_t tally_gatherer_add(tally_gatherer_t *gatherer,
                                          const tally_metric_t *metric);
/* Emits the periods that have been over for a while (an interval's worth of
 * late values is waited for). Call it every few seconds. */
void tally_gatherer_tend(tally_gatherer_t *gatherer, uint64_t now_ns,
                         uint64_t late_ns);
void tally_gatherer_flush(tally_gatherer_t *gatherer); /* emits everything */

/* ---- sending -------------------------------------------------------------- */

typedef struct tally_cloudwatch_options_s {
  bool drop_unsure; /* an answer that never came counts as taken */
  bool plain;       /* no gzip */
} tally_cloudwatch_options_t;

/* As tally_kinesis_open(). Takes what a gatherer emits. */
int tally_cloudwatch_open(tally_aws_session_t *session,
                          const tally_cloudwatch_options_t *options,
                          tally_destination_t *destination,
                          tally_outbox_options_t *outbox, tally_error_t *err);

/* ---- what it would cost --------------------------------------------------- */

/* What a dry run counts, from what a gatherer emits. */
typedef struct tally_cloudwatch_estimate_s {
  size_t metrics;          /* distinct ones: namespace, name, dimensions */
  double requests_a_month; /* at the pace seen so far */
  double dollars_a_month;  /* list price of us-east-1 */
} tally_cloudwatch_estimate_t;

/* Appends the datum as one readable line: namespace, name, dimensions, unit,
 * values. -1: it is none. */
int tally_cloudwatch_describe(const tally_record_t *datum, tally_buffer_t *out);
/* List price per month of `metrics` custom metrics and so many requests. */
double tally_cloudwatch_price(size_t metrics, double requests_a_month);

#endif
