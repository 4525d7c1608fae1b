/* SPDX-License-Identifier: MIT */
#ifndef WRITE_CLOUDWATCH_UNITS_H
#define WRITE_CLOUDWATCH_UNITS_H

#include <stdbool.h>

/* The unit of CloudWatch for a data source of a type of collectd, or of its
 * rate (per second); NULL: nothing is known, and the metric has none. */
const char *write_cloudwatch_unit(const char *type, const char *source,
                                  bool is_rate);

#endif
