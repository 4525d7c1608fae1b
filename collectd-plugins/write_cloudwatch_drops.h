/* SPDX-License-Identifier: MIT */
#ifndef WRITE_CLOUDWATCH_DROPS_H
#define WRITE_CLOUDWATCH_DROPS_H

/*
 * What became of the values that collectd handed over: how many of each, and
 * for each metric that is not sent the reason, said once. No lock of its own.
 * Include after collectd's headers.
 */

#include "aws/cloudwatch.h"

/* The verdicts of the gatherer, and then ours: the data sources of type
 * tallyman_metrics, in their order. */
typedef enum write_cloudwatch_outcome_e {
  WRITE_CLOUDWATCH_UNMATCHED = TALLY_METRIC_VERDICTS, /* no rule */
  WRITE_CLOUDWATCH_IGNORED,                           /* a rule says so */
  WRITE_CLOUDWATCH_OUTCOMES
} write_cloudwatch_outcome_t;

typedef struct write_cloudwatch_drops_s {
  uint64_t counts[WRITE_CLOUDWATCH_OUTCOMES];
  struct write_cloudwatch_said_s *said;
  bool full; /* so much has been said that no more is kept in mind */
} write_cloudwatch_drops_t;

/* Makes sure that the daemon knows the type; as plugin_counters_register(). */
int write_cloudwatch_drops_register(void);
void write_cloudwatch_drops_dispatch(
    const uint64_t counts[WRITE_CLOUDWATCH_OUTCOMES]);

/* Whether to say it: true once for each outcome and data source. */
bool write_cloudwatch_drops_is_news(write_cloudwatch_drops_t *drops,
                                    int outcome, const value_list_t *vl,
                                    const char *source);
void write_cloudwatch_drops_clear(write_cloudwatch_drops_t *drops);

#endif
