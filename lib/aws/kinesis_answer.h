/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_KINESIS_ANSWER_H
#define TALLY_AWS_KINESIS_ANSWER_H

/* What Kinesis answers, as text from somebody who may be anybody. */

#include "aws/kinesis_shards.h"
#include "core/buffer.h"
#include "core/error.h"
#include "core/json.h"

/* Whether an answer to PutRecords says in few words that all was taken. false:
 * it has to be read. */
bool tally_kinesis_answer_is_all_taken(const char *text);

/* One result of PutRecords. The strings live as long as the document. */
typedef struct tally_kinesis_result_s {
  bool taken, refused; /* neither: it does not say */
  const char *shard;   /* that took it; NULL: it does not say */
  const char *code;    /* "InternalFailure"; NULL unless refused */
  const char *words;   /* "" */
} tally_kinesis_result_t;

/* NULL and *err: no answer to a call with `count` records. */
tally_json_t *tally_kinesis_answer_read(const char *text, size_t len,
                                        size_t count, tally_error_t *err);
tally_kinesis_result_t tally_kinesis_answer_result(const tally_json_t *answer,
                                                   size_t i);

/* Adds the open shards of a page of ListShards. `next` becomes the body of the
 * request for the next page, empty after the last. -1 and *err. */
int tally_kinesis_answer_shards(const char *text, size_t len,
                                tally_kinesis_shards_t *shards,
                                tally_buffer_t *next, tally_error_t *err);

/* DescribeStreamSummary: the bytes that a record may have; 0: not said. */
size_t tally_kinesis_answer_record_bytes(const char *text, size_t len);

#endif
