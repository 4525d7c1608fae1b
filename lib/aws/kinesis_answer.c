/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/kinesis_answer.h"

#include <errno.h>
#include <string.h>

#define RECORD_KIB_MAX 10240 /* the service's own limit */
#define RECORD_KIB_LEAST 1024

/* ---- PutRecords ---------------------------------------------------------- */

/* A string cannot have these bytes in it, since its quotes would be escaped. */
bool tally_kinesis_answer_is_all_taken(const char *text) {
  static const char none_failed[] = "\"FailedRecordCount\":0";
  const char *found = strstr(text, none_failed);
  if (found == NULL || strstr(text, "\"ErrorCode\"") != NULL)
    return false;
  char next = found[sizeof(none_failed) - 1];
  return next == ',' || next == '}';
}

tally_json_t *tally_kinesis_answer_read(const char *text, size_t len,
                                        size_t count, tally_error_t *err) {
  tally_json_t *answer = tally_json_parse(text, len, err);
  if (answer == NULL)
    return NULL;
  size_t results = tally_json_count(tally_json_get(answer, "Records"));
  if (results == count)
    return answer;
  tally_error_set(err, 0, "%zu results for %zu records", results, count);
  tally_json_destroy(answer);
  return NULL;
}

tally_kinesis_result_t tally_kinesis_answer_result(const tally_json_t *answer,
                                                   size_t i) {
  const tally_json_t *record =
      tally_json_at(tally_json_get(answer, "Records"), i, NULL);
  tally_kinesis_result_t result = {
      .shard = tally_json_string(tally_json_get(record, "ShardId")),
      .code = tally_json_string(tally_json_get(record, "ErrorCode")),
      .words = tally_json_string(tally_json_get(record, "ErrorMessage")),
  };
  const char *number =
      tally_json_string(tally_json_get(record, "SequenceNumber"));
  result.refused = result.code != NULL;
  result.taken = !result.refused && number != NULL;
  if (result.words == NULL)
    result.words = "";
  return result;
}

/* ---- ListShards ---------------------------------------------------------- */

static int add_shard(const tally_json_t *shard,
                     tally_kinesis_shards_t *shards) {
  if (tally_json_string(tally_json_find(shard, "SequenceNumberRange",
                                        "EndingSequenceNumber", NULL)) != NULL)
    return 0; /* closed: split or merged */
  const char *id = tally_json_string(tally_json_get(shard, "ShardId"));
  const char *first = tally_json_string(
      tally_json_find(shard, "HashKeyRange", "StartingHashKey", NULL));
  const char *last = tally_json_string(
      tally_json_find(shard, "HashKeyRange", "EndingHashKey", NULL));
  if (id == NULL || first == NULL || last == NULL)
    return -1;
  return tally_kinesis_shards_add(shards, id, first, last);
}

static int ask_for_more(const char *token, tally_buffer_t *next) {
  tally_buffer_reset(next);
  if (token == NULL || *token == '\0')
    return 0;
  int code = tally_buffer_append_str(next, "{\"NextToken\":");
  code |= tally_json_quote(next, token);
  return code | tally_buffer_append_str(next, "}");
}

int tally_kinesis_answer_shards(const char *text, size_t len,
                                tally_kinesis_shards_t *shards,
                                tally_buffer_t *next, tally_error_t *err) {
  tally_json_t *answer = tally_json_parse(text, len, err);
  if (answer == NULL)
    return -1;
  const tally_json_t *list = tally_json_get(answer, "Shards");
  int code = list != NULL ? 0 : -1;
  for (size_t i = 0; i < tally_json_count(list) && code == 0; i++)
    code = add_shard(tally_json_at(list, i, NULL), shards);
  if (code == 0)
    code = ask_for_more(tally_json_string(tally_json_get(answer, "NextToken")),
                        next);
  tally_json_destroy(answer);
  return code == 0 ? 0 : tally_error_set(err, 0, "no list of shards");
}

/* ---- DescribeStreamSummary ----------------------------------------------- */

size_t tally_kinesis_answer_record_bytes(const char *text, size_t len) {
  tally_json_t *answer = tally_json_parse(text, len, NULL);
  int64_t kib =
      tally_json_int(tally_json_find(answer, "StreamDescriptionSummary",
                                     "MaxRecordSizeInKiB", NULL),
                     0);
  tally_json_destroy(answer);
  /* Less than what every stream takes is nonsense. */
  return kib >= RECORD_KIB_LEAST && kib <= RECORD_KIB_MAX ? (size_t)kib * 1024
                                                          : 0;
}
