/* SPDX-License-Identifier: MIT */
#ifndef LIGHTER_AGGREGATE_H
#define LIGHTER_AGGREGATE_H

/*
 * Takes an aggregate of the Kinesis Producer Library apart.
 *
 * Contract: awslabs/amazon-kinesis-producer, aggregation-format.md: four bytes
 * F3 89 9A C2, a message AggregatedRecord of proto2, the MD5 of that message.
 */

#include <stddef.h>

typedef struct user_record_s {
  const char *key, *data; /* point into the aggregate */
  size_t key_len, len;
} user_record_t;

typedef enum aggregate_e {
  AGGREGATE_NONE, /* does not begin like one */
  AGGREGATE_WHOLE,
  AGGREGATE_BROKEN, /* begins like one; a consumer takes it for one record */
} aggregate_t;

/* Calls back for each record if the aggregate is whole, otherwise never. */
aggregate_t aggregate_read(const char *data, size_t len,
                           void (*each)(const user_record_t *record,
                                        void *context),
                           void *context);

#endif
