/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_KINESIS_H
#define TALLY_AWS_KINESIS_H

/*
 * A Kinesis data stream as the destination of an outbox.
 *
 *   outbox ─ batch ─► [ aggregates ] ─► PutRecords ─► a fate for each record
 *
 * The key of a record is its partition key. What Kinesis does not take as one
 * is replaced by its MD5 in hexadecimal: more than 256 characters, or no UTF-8;
 * an empty one by the MD5 of the data, so such records have no order. The data
 * are the bytes that a consumer gets.
 *
 * Order. PutRecords promises none within a call, and takes some records and not
 * others. So in order per key means: at most one Kinesis record per key in a
 * call, which makes one line per round trip of one that talks much; unless
 * records are aggregated, where one Kinesis record carries all of a shard. One
 * batch of the outbox may take several calls, for about fifteen seconds; after
 * a call that failed the rest waits.
 *
 * Aggregates are those of the Kinesis Producer Library, which every KCL and
 * aws-kinesis-agg take apart: one for each shard, as ListShards says; without
 * permission for that, one for each key. A record that is alone in its shard or
 * too large for company goes as it is, as the KPL does it.
 *
 * A shard that was split or merged meanwhile is noticed in the answer (ShardId)
 * and the map read anew. Records of an aggregate that came to another shard
 * than their keys belong to are left out by the KCL there; so they are sent
 * once more, to the right one, and counted (`rerouted`; they are UNSURE for the
 * outbox). Consumers that take everything see them twice.
 *
 * send() returns 0 with the fates when the stream has answered; answer->status
 * is then the number of the first failure inside a 200 (429 throttled, 500
 * otherwise), or of the refusal of a record. It returns -1 when nothing can be
 * sent at present: no answer, throttled as a whole, wrong name, keys or
 * permission. Data are kept, and *err has the stream's title, the setting that
 * may be wrong (aws.h) and the service's own words.
 *
 * A call that is refused because of what is in it is cut in halves until the
 * record is found; only that one is REFUSED, and only if the stream has taken
 * others or says that it is there.
 *
 * Contract: Kinesis Data Streams API Reference 2013-12-02 (PutRecords,
 * ListShards, DescribeStreamSummary); Amazon Kinesis Producer Library,
 * aggregation-format.md; quotas of the Developer Guide: 500 records and 10 MiB
 * (here 5 MiB unless large_records) a call, 1 MiB a record (10 MiB where the
 * stream's MaxRecordSizeInKiB says so), keys included, before base64.
 *
 * Permissions: kinesis:PutRecords; kinesis:ListShards with `aggregate`,
 * kinesis:DescribeStreamSummary with `large_records` (either may be missing).
 */

#include "aws/aws.h"
#include "core/compress.h"
#include "delivery/delivery.h"

typedef enum tally_kinesis_order_e {
  TALLY_KINESIS_ORDER_KEY = 0, /* records of a key arrive in their order */
  TALLY_KINESIS_ORDER_NONE,    /* whatever fits goes into a call; after partial
                                  failures records of a key may change places */
} tally_kinesis_order_t;

typedef struct tally_kinesis_options_s {
  const char *stream; /* its name, [a-zA-Z0-9_.-]{1,128}, or its ARN */
  const char *title;  /* what its user calls it, for messages: "Stream \"x\"";
                         NULL: "stream `NAME'". Copied, and cut at 255 bytes */
  tally_kinesis_order_t order;
  bool aggregate;
  /* Data of an aggregate, before compression; about, and never more than a
   * record may have. 0: 256 KiB, or 1 MiB if it is compressed. (The KPL's 51
   * 200 make five times the calls; much more is throttled as a whole by a shard
   * that takes 1 MiB a second.) */
  size_t aggregate_bytes;
  /* What is compressed is what a consumer gets from Kinesis: each record; or
   * the aggregate as a whole, which a KCL does not understand: then it is lines
   * (`separator` behind each record) and no KPL format. */
  tally_compression_t compression;
  int compression_level; /* 0: the library's default */
  char separator;        /* of compressed aggregates; 0: '\n' */
  bool large_records;    /* up to 10 MiB, if the stream says so */
} tally_kinesis_options_t;

/*
 * Fills in the destination, and of the outbox's options what the service's
 * limits ask for, where they are 0 or larger: batch_records, batch_bytes,
 * record_bytes; and where it is 0, memory_bytes. A batch is as much as one call
 * carries, up to 5 (10) MiB. Keeps the session; asks nobody yet. The
 * destination's `release` gives everything back.
 * -1 and *err: not a stream's name (the message quotes it), a compression that
 * this build or its level does not have, no MD5 (FIPS) but aggregates, no
 * memory.
 */
int tally_kinesis_open(tally_aws_session_t *session,
                       const tally_kinesis_options_t *options,
                       tally_destination_t *destination,
                       tally_outbox_options_t *outbox, tally_error_t *err);

/* Numbers that only this destination knows; any thread, until release. */
typedef struct tally_kinesis_stats_s {
  uint64_t calls;                 /* of PutRecords, with an answer or without */
  uint64_t records, user_records; /* taken: of Kinesis, of ours */
  uint64_t bytes_in, bytes_out;   /* of those: data of ours; Data and keys as
                                     the service counts them */
  uint64_t throttled;             /* records of Kinesis */
  uint64_t misplaced; /* records that may have changed places (ORDER_NONE) */
  uint64_t rerouted;  /* records sent again since their shard was split or
                         merged */
  unsigned shards;    /* of the map; 0: there is none */
} tally_kinesis_stats_t;
void tally_kinesis_stats(const tally_destination_t *destination,
                         tally_kinesis_stats_t *stats);

#endif
