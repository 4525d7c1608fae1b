/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_CLOUDWATCH_CALL_H
#define TALLY_AWS_CLOUDWATCH_CALL_H

/* What a call of PutMetricData may hold: the same for the destination that
 * sends and for the one that only counts. */

#include "aws/cloudwatch_datum.h"

#define TALLY_CLOUDWATCH_CALL_DATA 1000
#define TALLY_CLOUDWATCH_CALL_BYTES 1000000
/* Of those, for what stands before the data. */
#define TALLY_CLOUDWATCH_CALL_BEGIN 1000

/* As tally_destination_t.size: what a record adds to a call. One that is no
 * datum adds its bytes. */
size_t tally_cloudwatch_size(void *data, const tally_record_t *record);

/* Sets batch_records, batch_bytes and record_bytes. */
void tally_cloudwatch_limit(tally_outbox_options_t *outbox);

/* The data of the batch that share a call with the first one that is not done,
 * which becomes done: those of its namespace. Returns how many; 0: all are. */
size_t tally_cloudwatch_call(const tally_record_t *records, size_t count,
                             bool *done, uint16_t *members);

#endif
