/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_KINESIS_SCENE_H
#define TALLY_TESTS_KINESIS_SCENE_H

/*
 * A stream that keeps what it takes, in memory, behind a real HTTP server: the
 * service's own limits, shards by the MD5 of the key, and whatever trouble a
 * test asks for. And a destination that talks to it.
 */

#include "aws/kinesis.h"
#include "aws_scene.h"

#define STREAM_SHARDS_MAX 16

/* One record of Kinesis. */
typedef struct taken_s {
  char key[1100];
  uint8_t *data;
  size_t len;
  unsigned call; /* 1, … */
  unsigned shard;
} taken_t;

typedef struct stream_s {
  scene_t *scene;
  /* What the test says; before the calls, or between two send(). */
  size_t record_bytes, call_bytes;    /* limits */
  size_t records;                     /* of a call */
  unsigned shards[STREAM_SHARDS_MAX]; /* each takes keys whose MD5 begins with
                                         this byte or a higher one; names are
                                         first + i */
  unsigned shards_count, shards_first;
  const char *fail_key;  /* of records of Kinesis: not taken … */
  int fail_times;        /* … so often; -1: always */
  const char *fail_code; /* with this ErrorCode */
  unsigned fail_share;   /* one of so many, whatever its key */
  const char *poison;    /* a call with these bytes in a record is refused */
  bool no_list;          /* ListShards: AccessDenied */
  bool slow_list;        /* one shard a page, and closed ones among them */
  unsigned split_at;     /* the shards become `after` when this call comes */
  unsigned after[STREAM_SHARDS_MAX], after_count, after_first;

  /* What came. */
  taken_t *taken;
  size_t taken_count, taken_size;
  unsigned calls, lists, describes, seen;
  size_t worst_records, worst_bytes; /* of a call that was let in */

  /* The destination. */
  tally_destination_t destination;
  tally_outbox_options_t outbox;
  tally_fate_t *fates;
  tally_answer_t answer;
  tally_error_t err;
} stream_t;

int stream_setup(void **state);
int stream_teardown(void **state);

/* Makes the destination, instead of the last one. Zero options are those of a
 * stream `x'. Rules that are already in the harbour come first. */
void stream_open(stream_t *stream, tally_kinesis_options_t options);

/* The server's threads and the caller see what the other one has written. */
void stream_meet(stream_t *stream);

/* send(); returns its status. Fates are in stream->fates. */
int stream_send(stream_t *stream, const tally_record_t *records, size_t count);
size_t stream_count(const stream_t *stream, size_t count, tally_fate_t fate);

/* Records: `count` with keys "k0", …, "k<keys - 1>" in turn, data "NUMBER of
 * KEY" filled up with blanks to `len`. Valid until the
 * next call. */
const tally_record_t *stream_records(stream_t *stream, size_t count,
                                     unsigned keys, size_t len);
tally_record_t record_of(const char *key, const char *data);

/* The shard that a key belongs to: an index of `shards`. */
unsigned stream_shard_of(const stream_t *stream, const char *key, size_t len);

#endif
