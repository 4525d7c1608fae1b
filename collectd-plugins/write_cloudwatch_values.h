/* SPDX-License-Identifier: MIT */
#ifndef WRITE_CLOUDWATCH_VALUES_H
#define WRITE_CLOUDWATCH_VALUES_H

/*
 * The way of a value: held back while it is not known which instance this is,
 * a rule, the gatherer; and what became of it. One lock for all of that, held
 * for no longer than it takes to add a number. There is one of this per
 * process. Include after collectd's headers.
 */

#include "write_cloudwatch_rules.h"

typedef struct write_cloudwatch_settings_s {
  write_cloudwatch_rule_t *rules;
  write_cloudwatch_template_t namespace_; /* of rules without one */
  double period;                          /* seconds; 0: 60 */
  double metrics_max;                     /* 0: the gatherer's default */
  bool store_rates;
} write_cloudwatch_settings_t;

bool write_cloudwatch_settings_ask_identity(
    const write_cloudwatch_settings_t *settings);
void write_cloudwatch_settings_clear(write_cloudwatch_settings_t *settings);

/* Borrows the settings. Values wait for the instance until `hold_until`. With
 * `tell_unmatched`, values that no rule matches are told of, too. -1: logged.
 */
int write_cloudwatch_values_start(const write_cloudwatch_settings_t *settings,
                                  bool tell_unmatched, cdtime_t hold_until);
void write_cloudwatch_values_stop(void);

/* Takes the rates (NULL: values as they are); `identity` NULL: not known. */
void write_cloudwatch_values_put(const data_set_t *ds, const value_list_t *vl,
                                 gauge_t *rates,
                                 const tally_aws_identity_t *identity);
/* No more waiting for the instance. */
void write_cloudwatch_values_release(const tally_aws_identity_t *identity);
/* Does that when it is time. */
void write_cloudwatch_values_tend(cdtime_t now,
                                  const tally_aws_identity_t *identity);

/* As tally_gatherer_harvest(). */
tally_harvest_t *write_cloudwatch_values_harvest(uint64_t end_ns);
/* Dispatches what became of the values. */
void write_cloudwatch_values_report(void);

#endif
