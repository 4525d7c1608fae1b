/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_KINESIS_AGGREGATE_H
#define TALLY_AWS_KINESIS_AGGREGATE_H

/*
 * Many records in one, as the Kinesis Producer Library writes them:
 *
 *   F3 89 9A C2 │ message AggregatedRecord │ MD5 of the message
 *
 *   message AggregatedRecord {
 *     repeated string partition_key_table = 1;
 *     repeated string explicit_hash_key_table = 2;  // not used here
 *     repeated Record records = 3;
 *   }
 *   message Record {
 *     required uint64 partition_key_index = 1;
 *     optional uint64 explicit_hash_key_index = 2;  // not used here
 *     required bytes data = 3;
 *     repeated Tag tags = 4;                        // not used here
 *   }
 *
 * A key stands before the first record that has it, and not all of them in
 * front, which Protocol Buffers leave to the writer; so one pass is enough.
 */

#include "aws/kinesis_key.h"
#include "aws/md5_together.h"
#include "core/buffer.h"

#define TALLY_KINESIS_AGGREGATE_SLOTS 1024

typedef struct tally_kinesis_aggregate_s {
  tally_buffer_t bytes;
  size_t count; /* of records */

  /* private */
  uint32_t keys_count, generation;
  struct {
    tally_kinesis_place_t place;
    uint32_t generation, index;
  } keys[TALLY_KINESIS_AGGREGATE_SLOTS];
} tally_kinesis_aggregate_t;

void tally_kinesis_aggregate_init(tally_kinesis_aggregate_t *aggregate);
void tally_kinesis_aggregate_clear(tally_kinesis_aggregate_t *aggregate);

/* Begins a new one that will not be longer than `most` bytes. -1: no memory. */
int tally_kinesis_aggregate_begin(tally_kinesis_aggregate_t *aggregate,
                                  size_t most);
/* Whether a record with that key is in it: then add() needs only the place. */
bool tally_kinesis_aggregate_has(const tally_kinesis_aggregate_t *aggregate,
                                 tally_kinesis_place_t place);
/* false: does not fit any more; nothing was added. */
bool tally_kinesis_aggregate_add(tally_kinesis_aggregate_t *aggregate,
                                 const tally_kinesis_key_t *key,
                                 const void *data, size_t len, size_t most);
/* What `bytes` will be long when it has ended. */
size_t tally_kinesis_aggregate_len(const tally_kinesis_aggregate_t *aggregate);
/* Afterwards `bytes` are the whole. `keys` have to know MD5. */
void tally_kinesis_aggregate_end(tally_kinesis_aggregate_t *aggregate,
                                 tally_kinesis_keys_t *keys);
/* The same for up to TALLY_MD5_TOGETHER of them, in less time. */
void tally_kinesis_aggregates_end(tally_kinesis_aggregate_t *aggregates,
                                  size_t count, tally_kinesis_keys_t *keys);

#endif
