/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_CLOUDWATCH_H
#define TALLY_AWS_CLOUDWATCH_H

/*
 * Metrics for CloudWatch: values are gathered per metric and period, become one
 * datum each, and travel through an outbox to PutMetricData.
 *
 *   add() ─► gatherer: a row per metric and period
 *               │ period over
 *               ▼
 *            harvest: records ─► outbox ─► PutMetricData (Query protocol, gzip)
 *
 * A datum carries what CloudWatch needs for percentiles: distinct values with
 * their counts, up to 150; beyond that several data. A statistic set (minimum,
 * maximum, sum, number) where it is asked for, or where there are more than
 * TALLY_METRIC_VALUES_MAX distinct values in a period.
 *
 * CloudWatch refuses a whole call for one datum that it does not like. So what
 * it would refuse is refused here, one by one; and if it refuses a call all the
 * same, the call is halved until what it dislikes stands alone.
 *
 * A call that failed is repeated alone: others that succeeded are not sent
 * again. If the answer never came, the values may be counted twice; whether
 * then to repeat or to let go is the caller's choice (drop_unsure).
 *
 * Contract: Amazon CloudWatch API Reference 2010-08-01, PutMetricData and
 * MetricDatum; quotas of the User Guide: 1 000 data and 1 MB a call, 30
 * dimensions, 150 values. Whether the 1 MB are meant before or after gzip is
 * not said; here they are kept before it.
 */

#include "aws/aws.h"
#include "delivery/delivery.h"

#define TALLY_METRIC_DIMENSIONS_MAX 30
#define TALLY_METRIC_VALUES_MAX 1500 /* distinct ones in a period */

/* ---- a value, and whether CloudWatch takes it ---------------------------- */

/* Names and values are printable ASCII, not blanks alone. */
typedef struct tally_dimension_s {
  const char *name;  /* 1 to 255 characters, not beginning with ':' */
  const char *value; /* 1 to 1024 */
} tally_dimension_t;

/* One value of one metric. Borrowed. */
typedef struct tally_metric_s {
  const char *namespace_; /* 1 to 255 of [A-Za-z0-9 ._/#:-], not beginning with
                             ':' or "AWS/" */
  const char *name;       /* 1 to 255 */
  const tally_dimension_t *dimensions; /* no name twice */
  size_t dimensions_count;
  const char *unit;      /* "Bytes", "Count/Second", …; NULL: none */
  unsigned resolution_s; /* storage resolution: 1 or 60 */
  bool statistics;       /* a statistic set and not the values */
  uint64_t time_ns;
  double value; /* nearer to 0 than 2^-360: taken as 0 */
} tally_metric_t;

/* Why a value is not sent. */
typedef enum tally_metric_verdict_e {
  TALLY_METRIC_TAKEN = 0,
  TALLY_METRIC_NOT_A_NUMBER, /* NaN, infinite */
  TALLY_METRIC_OUT_OF_RANGE, /* beyond 2^360, or the sum of the period is */
  TALLY_METRIC_BAD_NAME,     /* of metric, dimension, namespace, unit */
  TALLY_METRIC_TOO_OLD,      /* more than two weeks */
  TALLY_METRIC_TOO_NEW,      /* more than two hours ahead */
  TALLY_METRIC_NO_ROOM,      /* too many metrics at a time, no memory */
  TALLY_METRIC_VERDICTS
} tally_metric_verdict_t;

/* "not_a_number", …: one word, static. */
const char *tally_metric_verdict_name(tally_metric_verdict_t verdict);

/* As tally_gatherer_add() judges it; *err says what is wrong. */
tally_metric_verdict_t tally_metric_check(const tally_metric_t *metric,
                                          uint64_t now_ns, tally_error_t *err);
bool tally_metric_unit_is_known(const char *unit);
bool tally_metric_namespace_is_good(const char *text);
bool tally_metric_dimension_is_good(const char *name);

/* ---- gathering ----------------------------------------------------------- */

typedef struct tally_gatherer_options_s {
  unsigned period_s; /* one datum per metric and this long; 0: 60. Metrics of
                        resolution 1 have periods of a second */
  size_t rows_max;   /* metrics times periods at a time; 0: 100 000 */
} tally_gatherer_options_t;

/* No lock: whoever uses it from several threads has one. */
typedef struct tally_gatherer_s tally_gatherer_t;

tally_gatherer_t *tally_gatherer_create(const tally_gatherer_options_t *options,
                                        tally_error_t *err);
void tally_gatherer_destroy(tally_gatherer_t *gatherer); /* with all it has */

/* `now_ns`: real time. *err says why a value is not taken. A value of a period
 * that was harvested already begins a new row: CloudWatch joins the two. */
tally_metric_verdict_t tally_gatherer_add(tally_gatherer_t *gatherer,
                                          const tally_metric_t *metric,
                                          uint64_t now_ns, tally_error_t *err);
size_t tally_gatherer_rows(const tally_gatherer_t *gatherer);

/*
 * Takes out the rows whose period ended at `end_ns` or before (UINT64_MAX:
 * all); whoever waits for late values asks for an earlier time. Quick: the
 * records are made by tally_harvest_next(), which needs no lock, as a harvest
 * is its own. NULL: there is nothing to take.
 */
typedef struct tally_harvest_s tally_harvest_t;
tally_harvest_t *tally_gatherer_harvest(tally_gatherer_t *gatherer,
                                        uint64_t end_ns);

/*
 * The next record for the outbox, good until the next call. false: that was
 * all. Its key tells metrics apart (a hash of namespace, name, dimensions and
 * unit), its time is the beginning of the period, its data are a datum in a
 * form of ours.
 */
bool tally_harvest_next(tally_harvest_t *harvest, tally_record_t *datum);
void tally_harvest_destroy(tally_harvest_t *harvest); /* NULL is allowed */

/* ---- sending ------------------------------------------------------------- */

typedef struct tally_cloudwatch_options_s {
  bool drop_unsure; /* a call whose answer never came counts as taken: rather
                       values that are missing than values that came twice */
  bool plain;       /* no gzip */
} tally_cloudwatch_options_t;

/*
 * The destination for what a harvest gives. Of the outbox's options it sets
 * what the service's limits ask for (batch_records, batch_bytes, record_bytes).
 * Keeps the session; asks nobody yet. -1 and *err: no memory.
 *
 * What the service dislikes is refused alone. A refusal in words that are not
 * about data (an endpoint that does not understand us) counts only if other
 * data of the batch were taken; until then all are kept.
 */
int tally_cloudwatch_open(tally_aws_session_t *session,
                          const tally_cloudwatch_options_t *options,
                          tally_destination_t *destination,
                          tally_outbox_options_t *outbox, tally_error_t *err);

/* ---- what it would cost -------------------------------------------------- */

/* Appends the datum as one readable line: namespace, name, dimensions, unit,
 * values. -1: it is none, or there is no room. */
int tally_cloudwatch_describe(const tally_record_t *datum, tally_buffer_t *out);

/*
 * A destination that sends nothing and counts what it would have sent. `show`
 * (or NULL) is called, by the outbox's thread, with the first datum of every
 * metric, and again when a metric comes back that was away for a whole
 * estimate.
 */
typedef struct tally_cloudwatch_dry_s {
  void (*show)(const tally_record_t *datum, void *data);
  void *data;
  unsigned period_s; /* as the gatherer's */
} tally_cloudwatch_dry_t;

int tally_cloudwatch_open_dry(const tally_cloudwatch_dry_t *options,
                              tally_destination_t *destination,
                              tally_outbox_options_t *outbox,
                              tally_error_t *err);

typedef struct tally_cloudwatch_estimate_s {
  size_t metrics; /* distinct ones; at most TALLY_ESTIMATE_METRICS_MAX */
  uint64_t data, calls;
  double calls_a_month; /* at this pace */
  double dollars_a_month;
} tally_cloudwatch_estimate_t;
#define TALLY_ESTIMATE_METRICS_MAX 1000000

/* Of what came since the last estimate. Any thread, until release. */
void tally_cloudwatch_estimate(const tally_destination_t *destination,
                               tally_cloudwatch_estimate_t *estimate);

/* List price per month, in dollars, of us-east-1: custom metrics by tiers, and
 * calls of PutMetricData. Without the free tier. */
double tally_cloudwatch_price(size_t metrics, double calls_a_month);

#endif
