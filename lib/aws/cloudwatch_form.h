/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_CLOUDWATCH_FORM_H
#define TALLY_AWS_CLOUDWATCH_FORM_H

/* PutMetricData as a form of the Query protocol. */

#include "aws/cloudwatch_datum.h"

int tally_cloudwatch_form_begin(tally_buffer_t *form, tally_span_t namespace_);
/* `number` is 1 for the first datum. -1: no room. */
int tally_cloudwatch_form_put(tally_buffer_t *form, unsigned number,
                              const tally_datum_t *datum);
/* The most that takes, in bytes, whatever its number is. */
size_t tally_cloudwatch_form_size(const tally_datum_t *datum);

/* The shortest decimal of 15 to 17 digits that reads back as the same value,
 * without the '+' that a form would turn into a blank. */
#define TALLY_NUMBER_SIZE 32
size_t tally_number_format(char text[TALLY_NUMBER_SIZE], double value);

#endif
