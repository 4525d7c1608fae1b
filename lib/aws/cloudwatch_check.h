/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_CLOUDWATCH_CHECK_H
#define TALLY_AWS_CLOUDWATCH_CHECK_H

/* What CloudWatch takes, field by field: the same for values that come in and
 * for records that come back from a disk. */

#include "aws/cloudwatch.h"

#define TALLY_METRIC_TEXT_MAX 255             /* of all names */
#define TALLY_METRIC_DIMENSION_VALUE_MAX 1024 /* characters */
#define TALLY_METRIC_AGE_MAX_S (14 * 24 * 3600)
#define TALLY_METRIC_AHEAD_MAX_S (2 * 3600)

bool tally_metric_name_is_good(const char *text, size_t len);
bool tally_metric_label_is_good(const char *text, size_t len);
bool tally_metric_label_value_is_good(const char *text, size_t len);
bool tally_metric_space_is_good(const char *text, size_t len);
bool tally_metric_unit_is_good(const char *text, size_t len);

/* Finite, and within 2^360. */
bool tally_metric_value_is_good(double value);
tally_metric_verdict_t tally_metric_check_value(double value,
                                                tally_error_t *err);
tally_metric_verdict_t
tally_metric_check_time(uint64_t time_ns, uint64_t now_ns, tally_error_t *err);
tally_metric_verdict_t tally_metric_check_names(const tally_metric_t *metric,
                                                tally_error_t *err);

#endif
