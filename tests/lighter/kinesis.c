/* SPDX-License-Identifier: MIT */
#include "config.h"

/* Kinesis Data Streams, API 2013-12-02: what a producer calls. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "aggregate.h"
#include "core/cleanup.h"
#include "service.h"

#define RECORDS_MAX 500
#define KEY_MAX 256
#define RECORD_MAX (10U << 20)
#define CALL_MAX (10U << 20)

static const tally_json_t *member(const call_t *call, const char *name) {
  return tally_json_get(call->json, name);
}

static stream_t *stream_of(call_t *call) {
  stream_t *stream = NULL;
  if (*call->resource != '\0')
    stream = streams_get(&call->service->streams, call->resource);
  if (stream == NULL)
    answer_error(call->answer, 400, "ResourceNotFoundException",
                 "Stream not found");
  return stream;
}

/* ---- PutRecords
 * -------------------------------------------------------------- */

typedef struct record_s {
  const char *key; /* of the partition */
  const shard_t *shard;
  char *data;
  size_t len;
} record_t;

static char *decode_base64(const char *text, size_t *len) {
  size_t size = strlen(text);
  unsigned char *data = malloc(size / 4 * 3 + 1);
  int decoded =
      size % 4 == 0 && data != NULL
          ? EVP_DecodeBlock(data, (const unsigned char *)text, (int)size)
          : -1;
  if (decoded < 0) {
    free(data);
    return NULL;
  }
  /* It counts the padding in. */
  while (size > 0 && decoded > 0 && text[size - 1] == '=') {
    size--;
    decoded--;
  }
  *len = (size_t)decoded;
  return (char *)data;
}

/* The data are the caller's to free. NULL, or what is wrong. */
static const char *read_record(const stream_t *stream, const tally_json_t *json,
                               record_t *record) {
  record->key = tally_json_string(tally_json_get(json, "PartitionKey"));
  const char *data = tally_json_string(tally_json_get(json, "Data"));
  const char *hash_text =
      tally_json_string(tally_json_get(json, "ExplicitHashKey"));
  if (record->key == NULL || data == NULL || *record->key == '\0' ||
      strlen(record->key) > KEY_MAX * 4)
    return "Member must have PartitionKey (1 to 256 characters) and Data";
  hash_key_t hash = hash_of_key(record->key, strlen(record->key));
  if (hash_text != NULL && !hash_key_parse(hash_text, &hash))
    return "ExplicitHashKey is no number of 128 bits";
  record->shard = stream_shard(stream, hash);
  record->data = decode_base64(data, &record->len);
  if (record->data == NULL)
    return "Data are not base64";
  if (record->len + strlen(record->key) > RECORD_MAX)
    return "Member must have length less than or equal to 10485760";
  return NULL;
}

typedef struct taking_s {
  call_t *call;
  const stream_t *stream;
  const shard_t *shard;
} taking_t;

static void take_user_record(const user_record_t *record, void *context) {
  const taking_t *taking = context;
  hash_key_t hash = hash_of_key(record->key, record->key_len);
  if (hash < taking->shard->first || hash > taking->shard->last)
    taking->call->service->counts.astray++;
  ledger_take(taking->call->service->ledger, taking->call->answer->call,
              record->key, record->key_len, record->data, record->len);
}

static void take(call_t *call, const stream_t *stream, const record_t *record) {
  service_t *service = call->service;
  taking_t taking = {call, stream, record->shard};
  uint64_t number = call_number(call);
  switch (
      aggregate_read(record->data, record->len, take_user_record, &taking)) {
  case AGGREGATE_WHOLE:
    service->counts.aggregates++;
    return;
  case AGGREGATE_BROKEN:
    service->counts.broken++;
    break;
  case AGGREGATE_NONE:
    break;
  }
  ledger_take(service->ledger, number, record->key, strlen(record->key),
              record->data, record->len);
}

/* Takes a record or not, and appends its part of the answer. */
static void put_record(call_t *call, const stream_t *stream,
                       const record_t *record, size_t *failed) {
  tally_buffer_t *out = &call->answer->body;
  if (faults_of_record(&call->service->faults, call->operation, stream->name)) {
    ++*failed;
    tally_buffer_printf(
        out,
        "{\"ErrorCode\":\"ProvisionedThroughputExceededException\","
        "\"ErrorMessage\":\"Rate exceeded for shard %s in stream %s under "
        "account 123456789012.\"}",
        record->shard->id, stream->name);
    return;
  }
  take(call, stream, record);
  tally_buffer_printf(out,
                      "{\"SequenceNumber\":\"4959033827149025660855969253836157"
                      "%022" PRIu64 "\",\"ShardId\":\"%s\"}",
                      ++call->service->next_sequence, record->shard->id);
}

/* All is looked at before anything is taken. */
static const char *read_records(const stream_t *stream,
                                const tally_json_t *json, record_t *records,
                                size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++) {
    const char *problem =
        read_record(stream, tally_json_at(json, i, NULL), &records[i]);
    if (problem != NULL)
      return problem;
    bytes += records[i].len + strlen(records[i].key);
  }
  return bytes > CALL_MAX ? "Records size exceeds 10 MB limit" : NULL;
}

static void put_records(call_t *call) {
  const stream_t *stream = stream_of(call);
  if (stream == NULL)
    return;
  const tally_json_t *json = member(call, "Records");
  size_t count = tally_json_count(json);
  if (count == 0 || count > RECORDS_MAX) {
    answer_error(call->answer, 400, "ValidationException",
                 "Records must have length between 1 and 500");
    return;
  }
  tally_autofree record_t *records = calloc(count, sizeof(*records));
  const char *problem = read_records(stream, json, records, count);
  if (problem != NULL) {
    answer_error(call->answer, 400, "ValidationException", problem);
  } else {
    size_t failed = 0;
    tally_buffer_t *out = &call->answer->body;
    tally_buffer_append_str(out, "{\"Records\":[");
    for (size_t i = 0; i < count; i++) {
      if (i > 0)
        tally_buffer_append_str(out, ",");
      put_record(call, stream, &records[i], &failed);
    }
    tally_buffer_printf(out, "],\"FailedRecordCount\":%zu}", failed);
  }
  for (size_t i = 0; i < count; i++)
    free(records[i].data);
}

/* ---- shards
 * ------------------------------------------------------------------ */

static void append_shard(tally_buffer_t *out, const shard_t *shard) {
  char first[HASH_KEY_SIZE], last[HASH_KEY_SIZE];
  tally_buffer_printf(
      out,
      "{\"ShardId\":\"%s\",\"HashKeyRange\":{\"StartingHashKey\":\"%s\","
      "\"EndingHashKey\":\"%s\"},\"SequenceNumberRange\":{"
      "\"StartingSequenceNumber\":\"1\"%s}}",
      shard->id, hash_key_text(shard->first, first),
      hash_key_text(shard->last, last),
      shard->open ? "" : ",\"EndingSequenceNumber\":\"2\"");
}

/* The tokens of pages are "STREAM/NUMBER". */
static void list_shards(call_t *call) {
  char name[256] = "";
  size_t from = 0;
  const char *token = tally_json_string(member(call, "NextToken"));
  if (token != NULL) {
    sscanf(token, "%255[^/]/%zu", name, &from);
    call->resource = name;
  }
  const stream_t *stream = stream_of(call);
  if (stream == NULL)
    return;
  size_t most = (size_t)tally_json_int(member(call, "MaxResults"), SHARDS_MAX);
  const char *filter = tally_json_string(
      tally_json_find(call->json, "ShardFilter", "Type", NULL));
  bool only_open = filter != NULL && strcmp(filter, "AT_LATEST") == 0;

  tally_buffer_t *out = &call->answer->body;
  tally_buffer_append_str(out, "{\"Shards\":[");
  const char *comma = "";
  for (; from < stream->count && most > 0; from++) {
    if (only_open && !stream->shards[from].open)
      continue;
    tally_buffer_append_str(out, comma);
    append_shard(out, &stream->shards[from]);
    comma = ",";
    most--;
  }
  tally_buffer_append_str(out, "]");
  if (from < stream->count)
    tally_buffer_printf(out, ",\"NextToken\":\"%s/%zu\"", stream->name, from);
  tally_buffer_append_str(out, "}");
}

static void describe_stream_summary(call_t *call) {
  const stream_t *stream = stream_of(call);
  if (stream == NULL)
    return;
  size_t open = 0;
  for (size_t i = 0; i < stream->count; i++)
    open += stream->shards[i].open;
  tally_buffer_printf(
      &call->answer->body,
      "{\"StreamDescriptionSummary\":{\"StreamName\":\"%s\",\"StreamARN\":"
      "\"arn:aws:kinesis:us-east-1:123456789012:stream/%s\","
      "\"StreamStatus\":\"ACTIVE\",\"RetentionPeriodHours\":24,"
      "\"StreamCreationTimestamp\":1700000000,\"EnhancedMonitoring\":[],"
      "\"EncryptionType\":\"NONE\",\"OpenShardCount\":%zu,"
      "\"ConsumerCount\":0,\"MaxRecordSizeInKiB\":10240}}",
      stream->name, stream->name, open);
}

operation_t kinesis_operation(const char *name) {
  if (strcmp(name, "PutRecords") == 0)
    return put_records;
  if (strcmp(name, "ListShards") == 0)
    return list_shards;
  if (strcmp(name, "DescribeStreamSummary") == 0)
    return describe_stream_summary;
  return NULL;
}
