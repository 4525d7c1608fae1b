/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_KINESIS_PRIVATE_H
#define TALLY_AWS_KINESIS_PRIVATE_H

/*
 * What the files of the Kinesis destination share.
 *
 *   kinesis.c          made and unmade, limits, numbers
 *   kinesis_send.c     a batch: lanes, calls, what a failed call means
 *   kinesis_pack.c     the body of a call
 *   kinesis_settle.c   what the answer says of each record
 *   kinesis_stream.c   what the stream says of itself: shards, limits
 */

#include <pthread.h>
#include <stdatomic.h>

#include "aws/kinesis.h"
#include "aws/kinesis_aggregate.h"
#include "aws/kinesis_plan.h"
#include "aws/kinesis_shards.h"

#define TALLY_KINESIS_RECORDS_MAX 500 /* in a call */
#define TALLY_KINESIS_NAME_MAX 128    /* of a stream */
/* Where nobody says otherwise, and what the service can do at most. */
#define TALLY_KINESIS_RECORD_BYTES ((size_t)1024 * 1024)
#define TALLY_KINESIS_LARGE_RECORD_BYTES ((size_t)10 * 1024 * 1024)
#define TALLY_KINESIS_CALL_BYTES ((size_t)5 * 1024 * 1024)
#define TALLY_KINESIS_LARGE_CALL_BYTES ((size_t)10 * 1024 * 1024)

/* One record of Kinesis in a call: one of ours, or many. */
typedef struct tally_kinesis_parcel_s {
  uint32_t first, count; /* of ours, as they follow in their lane */
  uint32_t lane;
  bool aggregated;   /* in the KPL's format */
  bool condemned;    /* refused alone */
  bool elsewhere;    /* taken by another shard than the map says */
  size_t begin, end; /* in the body */
  size_t bytes_in, bytes_out;
} tally_kinesis_parcel_t;

typedef struct tally_kinesis_counters_s {
  atomic_uint_fast64_t calls, records, user_records, bytes_in, bytes_out,
      throttled, misplaced, rerouted;
  atomic_uint shards;
} tally_kinesis_counters_t;

typedef struct tally_kinesis_s {
  /* Set at the opening. */
  tally_kinesis_options_t options; /* `stream` is in `member`, `title` below */
  char title[256];                 /* for messages */
  char member[256];                /* "\"StreamName\":\"x\"" */
  char prefix[300]; /* of PutRecords' body: what stands before the records */
  size_t prefix_len;
  tally_aws_client_t *client;
  tally_compressor_t *compressor; /* NULL: none */
  size_t call_bytes;

  /* For group(), which comes from any thread. */
  pthread_mutex_t groups_lock; /* guards `groups` */
  tally_kinesis_keys_t *groups;

  tally_kinesis_counters_t counters;

  /* Of the thread that sends. */
  tally_kinesis_keys_t *keys;
  tally_kinesis_plan_t plan;
  /* The first `kept_count` are the last parcels and wait for each other:
   * several digests at once take less. */
  tally_kinesis_aggregate_t kept[TALLY_MD5_TOGETHER];
  size_t kept_count;
  tally_buffer_t lines, squeezed; /* what is compressed, and what that gave */
  /* The most records in an aggregate, while one is looked for that made an
   * aggregate be refused; else SIZE_MAX. What others send meanwhile says
   * nothing about it, so it does not grow with their success. */
  size_t company;
  uint64_t company_until_ns; /* monotonic: then it is given up */
  tally_buffer_t body;
  tally_kinesis_parcel_t parcels[TALLY_KINESIS_RECORDS_MAX];
  size_t parcels_count, parcels_bytes;
  bool proven; /* the stream has taken something, or says that it is there */

  /* What the stream says of itself. */
  size_t record_bytes; /* that a record may have, its key included */
  uint64_t record_bytes_due_ns;
  tally_kinesis_shards_t shards;
  uint64_t shards_due_ns;     /* monotonic: when to ask again */
  uint64_t shards_doubted_ns; /* when it was wrong; 0: never */
} tally_kinesis_t;

/* A batch of the outbox in the hands of send(). */
typedef struct tally_kinesis_batch_s {
  tally_kinesis_t *kinesis;
  const tally_record_t *records;
  size_t count;
  tally_fate_t *fates;
  tally_answer_t *answer;
  tally_error_t *err;
  uint64_t until_ns; /* monotonic: no call begins later */
  bool over;         /* no more calls with this batch */
} tally_kinesis_batch_t;

static inline const tally_kinesis_key_t *
tally_kinesis_key_of(tally_kinesis_t *kinesis, const tally_record_t *record) {
  return tally_kinesis_keys_find(kinesis->keys, record->key, record->key_len,
                                 record->data, record->len);
}

int tally_kinesis_send(void *data, const tally_record_t *records, size_t count,
                       tally_fate_t *fates, tally_answer_t *answer,
                       tally_error_t *err);

/* The next call: fills the body and `parcels`, takes their records out of their
 * lanes. What can never go is REFUSED. None left: no parcels. -1 and *err: no
 * memory. */
int tally_kinesis_pack(tally_kinesis_batch_t *batch);

/* Sets the fate of the records of `count` parcels from `at` on, and stops the
 * lanes of those that were not taken. -1 and *err: the answer cannot be read.
 */
int tally_kinesis_settle(tally_kinesis_batch_t *batch, size_t at, size_t count,
                         const tally_aws_answer_t *answer);
void tally_kinesis_set_fates(tally_kinesis_batch_t *batch,
                             const tally_kinesis_parcel_t *parcel,
                             tally_fate_t fate);
/* What the outbox is told: the first trouble of a batch stays. */
void tally_kinesis_tell(tally_kinesis_batch_t *batch, unsigned status,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Learns of shards and limits what is not known or too old. -1 and *err: nobody
 * answers, so that a call makes no sense either. */
int tally_kinesis_stream_learn(tally_kinesis_t *kinesis, tally_error_t *err);
/* The map is wrong: reads it anew, or is without one for a while. */
void tally_kinesis_stream_doubt(tally_kinesis_t *kinesis);
/* Whether the stream says that it is there. */
bool tally_kinesis_stream_is_there(tally_kinesis_t *kinesis);

#endif
