/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "kinesis_scene.h"

#include <openssl/evp.h>

#include "core/json.h"

/* ---- what the service does ----------------------------------------------- */

unsigned stream_shard_of(const stream_t *stream, const char *key, size_t len) {
  unsigned char md5[16];
  assert_true(EVP_Digest(key, len, md5, NULL, EVP_md5(), NULL));
  unsigned shard = 0;
  while (shard + 1 < stream->shards_count &&
         stream->shards[shard + 1] <= md5[0])
    shard++;
  return shard;
}

/* Code and words; the status of the answer. */
static int refuse(char **body, const char *code, const char *words) {
  *body = malloc(400);
  snprintf(*body, 400, "{\"__type\":\"%s\",\"message\":\"%s\"}", code, words);
  return 400;
}

static void decode(taken_t *record, const char *base64) {
  size_t len = strlen(base64);
  record->data = malloc(len / 4 * 3 + 1);
  if (len == 0)
    return;
  int n =
      EVP_DecodeBlock(record->data, (const unsigned char *)base64, (int)len);
  assert_true(n >= 0);
  record->len = (size_t)n - (base64[len - 1] == '=') - (base64[len - 2] == '=');
}

static bool fails(stream_t *stream, const taken_t *record) {
  if (stream->fail_share > 0)
    return ++stream->seen * 2654435761u / 65536 % stream->fail_share == 0;
  if (stream->fail_key == NULL || stream->fail_times == 0 ||
      strcmp(stream->fail_key, record->key) != 0)
    return false;
  if (stream->fail_times > 0)
    stream->fail_times--;
  return true;
}

static void keep(stream_t *stream, taken_t *record, tally_buffer_t *out) {
  if (fails(stream, record)) {
    tally_buffer_printf(out,
                        "{\"ErrorCode\":\"%s\",\"ErrorMessage\":\"Rate "
                        "exceeded for shard\"}",
                        stream->fail_code);
    free(record->data);
    return;
  }
  record->call = stream->calls;
  record->shard = stream_shard_of(stream, record->key, strlen(record->key));
  tally_buffer_printf(out,
                      "{\"SequenceNumber\":\"%zu\",\"ShardId\":"
                      "\"shardId-%012u\"}",
                      stream->taken_count,
                      stream->shards_first + record->shard);
  if (stream->taken_count == stream->taken_size) {
    stream->taken_size = 2 * stream->taken_size + 64;
    stream->taken =
        realloc(stream->taken, stream->taken_size * sizeof(*stream->taken));
  }
  stream->taken[stream->taken_count++] = *record;
}

static const char *check(const stream_t *stream, const taken_t *records,
                         size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++) {
    size_t one = records[i].len + strlen(records[i].key);
    bytes += one;
    if (*records[i].key == '\0' || one > stream->record_bytes)
      return "a record";
    if (stream->poison != NULL &&
        memmem(records[i].data, records[i].len, stream->poison,
               strlen(stream->poison)) != NULL)
      return "poison";
  }
  return count == 0 || count > stream->records || bytes > stream->call_bytes
             ? "the call"
             : NULL;
}

static void measure(stream_t *stream, const taken_t *records, size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++)
    bytes += records[i].len + strlen(records[i].key);
  if (bytes > stream->worst_bytes)
    stream->worst_bytes = bytes;
  if (count > stream->worst_records)
    stream->worst_records = count;
}

static int put_records(const char *request, char **body, void *data) {
  stream_t *stream = data;
  if (++stream->calls == stream->split_at) {
    memcpy(stream->shards, stream->after, sizeof(stream->after));
    stream->shards_count = stream->after_count;
    stream->shards_first = stream->after_first;
  }
  const char *text = strstr(request, "\r\n\r\n") + 4;
  tally_json_t *json = tally_json_parse(text, strlen(text), NULL);
  assert_non_null(json);
  const tally_json_t *list = tally_json_get(json, "Records");
  size_t count = tally_json_count(list);
  taken_t *records = calloc(count + 1, sizeof(*records));
  for (size_t i = 0; i < count; i++) {
    const tally_json_t *one = tally_json_at(list, i, NULL);
    snprintf(records[i].key, sizeof(records[i].key), "%s",
             tally_json_string(tally_json_get(one, "PartitionKey")));
    decode(&records[i], tally_json_string(tally_json_get(one, "Data")));
  }
  tally_json_destroy(json);

  const char *complaint = check(stream, records, count);
  if (complaint != NULL) {
    for (size_t i = 0; i < count; i++)
      free(records[i].data);
    free(records);
    return refuse(body, "ValidationException", complaint);
  }
  measure(stream, records, count);
  tally_buffer_t out;
  tally_buffer_init(&out, 1 << 20);
  size_t before = stream->taken_count;
  tally_buffer_append_str(&out, "{\"Records\":[");
  for (size_t i = 0; i < count; i++) {
    if (i > 0)
      tally_buffer_append_str(&out, ",");
    keep(stream, &records[i], &out);
  }
  tally_buffer_printf(&out, "],\"FailedRecordCount\":%zu}",
                      count - (stream->taken_count - before));
  *body = out.data;
  free(records);
  return 200;
}

/* The number whose first byte is `byte` and whose others are `rest`. */
static void decimal(char text[48], unsigned byte, unsigned rest) {
  uint8_t digits[48] = {0};
  for (int i = 0; i < 16; i++) {
    unsigned carry = i == 0 ? byte : rest;
    for (int d = 0; d < 47; d++) {
      carry += digits[d] * 256u;
      digits[d] = (uint8_t)(carry % 10);
      carry /= 10;
    }
  }
  int top = 46;
  while (top > 0 && digits[top] == 0)
    top--;
  for (int i = 0; i <= top; i++)
    text[i] = (char)('0' + digits[top - i]);
  text[top + 1] = '\0';
}

static void say_shard(const stream_t *stream, unsigned i, tally_buffer_t *out) {
  char first[48], last[48];
  decimal(first, stream->shards[i], 0);
  decimal(last, i + 1 < stream->shards_count ? stream->shards[i + 1] - 1 : 255,
          255);
  tally_buffer_printf(
      out,
      "{\"ShardId\":\"shardId-%012u\",\"HashKeyRange\":{\"StartingHashKey\":"
      "\"%s\",\"EndingHashKey\":\"%s\"},\"SequenceNumberRange\":{"
      "\"StartingSequenceNumber\":\"1\"}}",
      stream->shards_first + i, first, last);
}

static int list_shards(const char *request, char **body, void *data) {
  stream_t *stream = data;
  stream->lists++;
  if (stream->no_list)
    return refuse(body, "AccessDeniedException", "not authorized");
  unsigned begin = 0, end = stream->shards_count;
  const char *token = strstr(request, "{\"NextToken\":\"page \\\"");
  if (token != NULL)
    begin = (unsigned)atoi(token + strlen("{\"NextToken\":\"page \\\""));
  else
    assert_non_null(strstr(request, "\r\n\r\n{\"StreamName\":\"x\",\"MaxRes"));
  if (stream->slow_list)
    end = begin + 1;
  tally_buffer_t out;
  tally_buffer_init(&out, 1 << 20);
  tally_buffer_append_str(
      &out,
      "{\"Shards\":[{\"ShardId\":\"shardId-000000009999\",\"HashKeyRange\":{"
      "\"StartingHashKey\":\"0\",\"EndingHashKey\":"
      "\"340282366920938463463374607431768211455\"},\"SequenceNumberRange\":{"
      "\"StartingSequenceNumber\":\"1\",\"EndingSequenceNumber\":\"2\"}}");
  for (unsigned i = begin; i < end; i++) {
    tally_buffer_append_str(&out, ",");
    say_shard(stream, i, &out);
  }
  tally_buffer_append_str(&out, "]");
  if (end < stream->shards_count)
    tally_buffer_printf(&out, ",\"NextToken\":\"page \\\"%u\"", end);
  tally_buffer_append_str(&out, "}");
  *body = out.data;
  return 200;
}

static int describe(const char *request, char **body, void *data) {
  stream_t *stream = data;
  stream->describes++;
  *body = malloc(400);
  snprintf(*body, 400,
           "{\"StreamDescriptionSummary\":{\"StreamStatus\":\"ACTIVE\","
           "\"MaxRecordSizeInKiB\":%zu}}",
           stream->record_bytes / 1024);
  return 200;
}

/* ---- what the test does -------------------------------------------------- */

int stream_setup(void **state) {
  void *scene;
  if (scene_setup(&scene) != 0)
    return -1;
  stream_t *stream = calloc(1, sizeof(*stream));
  assert_non_null(stream);
  *stream = (stream_t){.scene = scene,
                       .record_bytes = 1 << 20,
                       .call_bytes = 5 << 20,
                       .records = 500,
                       .shards_count = 1,
                       .fail_code = "ProvisionedThroughputExceededException"};
  *state = stream;
  return 0;
}

static void release(stream_t *stream) {
  if (stream->destination.release != NULL)
    stream->destination.release(stream->destination.data);
}

int stream_teardown(void **state) {
  stream_t *stream = *state;
  release(stream);
  void *scene = stream->scene;
  scene_teardown(&scene);
  for (size_t i = 0; i < stream->taken_count; i++)
    free(stream->taken[i].data);
  free(stream->taken);
  free(stream->fates);
  free(stream);
  return 0;
}

void stream_open(stream_t *stream, tally_kinesis_options_t options) {
  release(stream);
  harbour_t *harbour = stream->scene->harbour;
  harbour_answer_by(harbour, "Kinesis_20131202.PutRecords", put_records,
                    stream);
  harbour_answer_by(harbour, "Kinesis_20131202.ListShards", list_shards,
                    stream);
  harbour_answer_by(harbour, "Kinesis_20131202.DescribeStreamSummary", describe,
                    stream);
  scene_session(stream->scene,
                (tally_aws_options_t){.access_key = "AK",
                                      .secret_key = "SK",
                                      .region = "eu-west-1",
                                      .endpoint_url = harbour_url(harbour),
                                      .timeout_ms = 5000});
  if (options.stream == NULL)
    options.stream = "x";
  stream->outbox = (tally_outbox_options_t){0};
  if (tally_kinesis_open(stream->scene->session, &options, &stream->destination,
                         &stream->outbox, &stream->err) != 0)
    fail_msg("%s", stream->err.message);
}

/* The rules are followed with the harbour's lock held. */
void stream_meet(stream_t *stream) {
  harbour_connections(stream->scene->harbour);
}

int stream_send(stream_t *stream, const tally_record_t *records, size_t count) {
  stream->fates = realloc(stream->fates, count * sizeof(*stream->fates));
  for (size_t i = 0; i < count; i++)
    stream->fates[i] = TALLY_FATE_UNSURE;
  stream->answer = (tally_answer_t){0};
  stream->err = (tally_error_t){0};
  stream_meet(stream);
  int status =
      stream->destination.send(stream->destination.data, records, count,
                               stream->fates, &stream->answer, &stream->err);
  stream_meet(stream);
  return status;
}

size_t stream_count(const stream_t *stream, size_t count, tally_fate_t fate) {
  size_t found = 0;
  for (size_t i = 0; i < count; i++)
    found += stream->fates[i] == fate;
  return found;
}

tally_record_t record_of(const char *key, const char *data) {
  return (tally_record_t){
      .key = key, .key_len = strlen(key), .data = data, .len = strlen(data)};
}

const tally_record_t *stream_records(stream_t *stream, size_t count,
                                     unsigned keys, size_t len) {
  static tally_record_t records[30000];
  static char keys_text[1000][16];
  static char *text; /* until the next ones */
  assert_true(count <= COUNT_OF(records) && keys <= COUNT_OF(keys_text));
  free(text);
  text = malloc(count * (len + 64));
  assert_non_null(text);
  for (size_t i = 0; i < count; i++) {
    char *key = keys_text[i % keys], *line = text + i * (len + 64);
    snprintf(key, sizeof(keys_text[0]), "k%zu", i % keys);
    int n = snprintf(line, 64, "%zu of %s", i, key);
    if ((size_t)n < len)
      memset(line + n, ' ', len - (size_t)n);
    records[i] = (tally_record_t){.key = key,
                                  .key_len = strlen(key),
                                  .data = line,
                                  .len = (size_t)n < len ? len : (size_t)n};
  }
  return records;
}
