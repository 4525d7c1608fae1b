/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_KINESIS_H
#define TALLY_AWS_KINESIS_H

/*
 * A Kinesis data stream as the destination of an outbox.
 *
 *   outbox ─ batch ─► [ aggregates ] ─► PutRecords ─► a fate for each record
 *
 * The key of a record is its partition key (an empty one is replaced by a hash
 * of the data, a longer one than Kinesis takes by its own hash), its data are
 * the bytes that a consumer gets.
 *
 * Order. PutRecords promises none within a call, and takes some records and not
 * others. So in order per key means: at most one Kinesis record per key in a
 * call, which makes one line per round trip of one that talks much; unless
 * records are aggregated, where one Kinesis record carries all of a shard.
 *
 * Aggregates are those of the Kinesis Producer Library, which every KCL and
 * aws-kinesis-agg take apart: one for each shard, as ListShards says; without
 * permission for that, one for each key. A shard that was split or merged
 * meanwhile is noticed in the answer (ShardId) and the map read anew.
 *
 * Contract: Kinesis Data Streams API Reference 2013-12-02 (PutRecords,
 * ListShards, DescribeStreamSummary); Amazon Kinesis Producer Library,
 * aggregation-format.md; quotas of the Developer Guide: 500 records and 10 MiB
 * (here 5 MiB unless large_records) a call, 1 MiB a record (10 MiB where the
 * stream's MaxRecordSizeInKiB says so), keys included, before base64.
 */

#include "aws/aws.h"
#include "delivery/delivery.h"

typedef enum tally_kinesis_order_e {
  TALLY_KINESIS_ORDER_KEY = 0, /* records of a key arrive in their order */
  TALLY_KINESIS_ORDER_NONE,    /* whatever fits goes into a call; after partial
                                  failures records of a key may change places */
} tally_kinesis_order_t;

typedef enum tally_compression_e {
  TALLY_COMPRESSION_NONE = 0,
  TALLY_COMPRESSION_GZIP, /* RFC 1952 */
  TALLY_COMPRESSION_ZSTD, /* RFC 8878 */
} tally_compression_t;

typedef struct tally_kinesis_options_s {
  const char *stream; /* its name or its ARN; [a-zA-Z0-9_.-]{1,128} */
  tally_kinesis_order_t order;
  bool aggregate;
  size_t aggregate_bytes; /* about; 0: 51 200 as the KPL, or 1 MiB compressed */
  /* What is compressed is what a consumer gets from Kinesis: each record; or
   * the aggregate as a whole, which a KCL does not understand: then it is lines
   * (`separator` between records) and no KPL format. */
  tally_compression_t compression;
  int compression_level; /* 0: the library's default */
  char separator;        /* of compressed aggregates; 0: '\n' */
  bool large_records;    /* up to 10 MiB, if the stream says so */
} tally_kinesis_options_t;

/*
 * Fills in the destination, and of the outbox's options what the service's
 * limits ask for (batch_records, batch_bytes, record_bytes), where they are 0 or
 * larger. Keeps the session; asks nobody yet. The destination's `release` gives
 * everything back.
 * -1 and *err: not a stream's name (the message quotes it), no memory.
 */
int tally_kinesis_open(tally_aws_session_t *session,
                       const tally_kinesis_options_t *options,
                       tally_destination_t *destination,
                       tally_outbox_options_t *outbox, tally_error_t *err);

/* Numbers that only this destination knows; any thread, until release. */
typedef struct tally_kinesis_stats_s {
  uint64_t calls, records, user_records; /* records of Kinesis, of ours */
  uint64_t bytes_in, bytes_out;          /* data taken; Data sent, no base64 */
  uint64_t throttled;                    /* records of Kinesis */
  uint64_t misplaced; /* records that may have changed places (ORDER_NONE) */
  unsigned shards;    /* of the map; 0: there is none */
} tally_kinesis_stats_t;
void tally_kinesis_stats(const tally_destination_t *destination,
                         tally_kinesis_stats_t *stats);

#endif
