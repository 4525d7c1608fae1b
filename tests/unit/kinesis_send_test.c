/* SPDX-License-Identifier: MIT */
/* PutRecords without aggregates: the request, limits, order. */
#include "config.h"

#include "kinesis_scene.h"

#define MIB ((size_t)1 << 20)
#define NONE TALLY_KINESIS_ORDER_NONE

/* ---- the request --------------------------------------------------------- */

static void test_body(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){.order = NONE});
  const tally_record_t records[] = {
      record_of("key", "data"),
      record_of("q\"\\\n\xc3\xa9", "\x01\xff"),
      {.key = "k", .key_len = 1, .data = "", .len = 0}};
  assert_int_equal(stream_send(stream, records, 3), 0);
  assert_int_equal(stream_count(stream, 3, TALLY_FATE_SENT), 3);
  const char *request =
      harbour_request(stream->scene->harbour, "PutRecords", 0);
  assert_string_equal(strstr(request, "\r\n\r\n") + 4,
                      "{\"StreamName\":\"x\",\"Records\":["
                      "{\"PartitionKey\":\"key\",\"Data\":\"ZGF0YQ==\"},"
                      "{\"PartitionKey\":\"q\\\"\\\\\\u000a\xc3\xa9\",\"Data\":"
                      "\"Af8=\"},{\"PartitionKey\":\"k\",\"Data\":\"\"}]}");
  tally_kinesis_stats_t stats;
  tally_kinesis_stats(&stream->destination, &stats);
  assert_int_equal(stats.calls, 1);
  assert_int_equal(stats.records, 3);
  assert_int_equal(stats.user_records, 3);
  assert_int_equal(stats.bytes_in, 6);
  assert_int_equal(stats.bytes_out, 6 + 3 + 6 + 1);
}

static void test_arn(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){
                          .stream = "arn:aws-us-gov:kinesis:us-gov-west-1:"
                                    "123456789012:stream/some.name"});
  tally_record_t record = record_of("key", "data");
  assert_int_equal(stream_send(stream, &record, 1), 0);
  assert_non_null(harbour_request(stream->scene->harbour,
                                  "{\"StreamARN\":\"arn:aws-us-gov:kinesis:us-"
                                  "gov-west-1:123456789012:stream/some.name\",",
                                  0));
}

static void test_names(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){0});
  static const char *const bad[] = {
      "",
      "a b",
      "a/b",
      "\xc3\xa9",
      "arn:aws:kinesis:eu-west-1:12345678901:stream/x",
      "arn:aws:kinesis:eu-west-1:123456789012:stream/",
      "arn:aws:kinesis:eu-west-1:123456789012:stream/a\"b",
      "arn:aws:firehose:eu-west-1:123456789012:stream/x",
      "arn:",
      "a23456789012345678901234567890123456789012345678901234567890123456789"
      "012345678901234567890123456789012345678901234567890123456789",
  };
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    tally_destination_t destination;
    tally_outbox_options_t outbox = {0};
    tally_error_t err = {0};
    tally_kinesis_options_t options = {.stream = bad[i]};
    assert_int_equal(tally_kinesis_open(stream->scene->session, &options,
                                        &destination, &outbox, &err),
                     -1);
    if (strstr(err.message, bad[i]) == NULL)
      fail_msg("`%s' without the name", err.message);
  }
}

static void test_keys(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){.order = NONE});
  char long_key[300], wide_key[600];
  memset(long_key, 'a', sizeof(long_key));
  for (size_t i = 0; i < sizeof(wide_key); i += 4)
    memcpy(wide_key + i, "\xf0\x9f\x98\x80", 4); /* two units each */
  const tally_record_t records[] = {
      {.key = "", .key_len = 0, .data = "hello", .len = 5},
      {.key = long_key, .key_len = 256, .data = "d", .len = 1},
      {.key = long_key, .key_len = 257, .data = "d", .len = 1},
      {.key = wide_key, .key_len = 512, .data = "d", .len = 1},
      {.key = wide_key, .key_len = 516, .data = "d", .len = 1},
      {.key = "a\xff", .key_len = 2, .data = "d", .len = 1},
  };
  assert_int_equal(stream_send(stream, records, COUNT_OF(records)), 0);
  assert_string_equal(stream->taken[0].key,
                      "5d41402abc4b2a76b9719d911017c592"); /* MD5 of hello */
  assert_int_equal(strlen(stream->taken[1].key), 256);
  assert_int_equal(strlen(stream->taken[2].key), 32);
  assert_int_equal(strlen(stream->taken[3].key), 512);
  assert_int_equal(strlen(stream->taken[4].key), 32);
  assert_int_equal(strlen(stream->taken[5].key), 32);
}

/* The part of the places that a key has, whoever asks. */
static void test_group(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){0});
  const tally_destination_t *d = &stream->destination;
  assert_int_equal(d->group(d->data, "hello", 5), 0x5d);
  assert_int_equal(d->group(d->data, "", 0), d->group(d->data, "", 0));
  char key[200] = "k"; /* too long to be remembered */
  uint64_t first = d->group(d->data, key, sizeof(key));
  assert_int_equal(d->group(d->data, "hello", 5), 0x5d);
  assert_int_equal(d->group(d->data, key, sizeof(key)), first);
}

/* ---- limits -------------------------------------------------------------- */

static void test_limits_of_a_call(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){.order = NONE});
  assert_int_equal(stream->outbox.batch_records, 500);
  assert_int_equal(stream->outbox.batch_bytes, 5 * MIB);
  assert_int_equal(stream->outbox.record_bytes, MIB);
  /* A batch that is larger than the options allow is cut. */
  const tally_record_t *records = stream_records(stream, 1201, 7, 10);
  assert_int_equal(stream_send(stream, records, 1201), 0);
  assert_int_equal(stream_count(stream, 1201, TALLY_FATE_SENT), 1201);
  assert_int_equal(stream->calls, 3);
  assert_int_equal(stream->worst_records, 500);

  /* Five of one MiB each, keys included, are a call. */
  char *data = calloc(1, MIB);
  tally_record_t large[6];
  for (int i = 0; i < 6; i++)
    large[i] = (tally_record_t){
        .key = "key", .key_len = 3, .data = data, .len = MIB - 3};
  assert_int_equal(stream_send(stream, large, 6), 0);
  assert_int_equal(stream_count(stream, 6, TALLY_FATE_SENT), 6);
  assert_int_equal(stream->calls, 5);
  assert_int_equal(stream->worst_bytes, 5 * MIB);

  /* One byte more is refused here, its neighbours are sent. */
  large[1].len++;
  assert_int_equal(stream_send(stream, large, 3), 0);
  assert_int_equal(stream->fates[0], TALLY_FATE_SENT);
  assert_int_equal(stream->fates[1], TALLY_FATE_REFUSED);
  assert_int_equal(stream->fates[2], TALLY_FATE_SENT);
  assert_int_equal(stream->answer.status, 413);
  assert_string_equal(stream->err.message,
                      "stream `x': a record of 1048577 bytes: the stream takes "
                      "1048576 at most");
  assert_int_equal(stream->destination.size(stream->destination.data, large),
                   MIB);
  free(data);
}

static void test_large_records(void **state) {
  stream_t *stream = *state;
  stream->record_bytes = 4 * MIB;
  stream->call_bytes = 10 * MIB;
  stream_open(stream,
              (tally_kinesis_options_t){.order = NONE, .large_records = true});
  assert_int_equal(stream->outbox.record_bytes, 10 * MIB);
  assert_true(stream->outbox.memory_bytes >= 20 * MIB);
  char *data = calloc(1, 5 * MIB);
  const tally_record_t records[] = {
      {.key = "a", .key_len = 1, .data = data, .len = 4 * MIB - 1},
      {.key = "b", .key_len = 1, .data = data, .len = 4 * MIB},
      {.key = "c", .key_len = 1, .data = data, .len = 4 * MIB - 1},
      {.key = "d", .key_len = 1, .data = data, .len = 2 * MIB - 1}};
  assert_int_equal(stream_send(stream, records, 4), 0);
  assert_int_equal(stream_count(stream, 4, TALLY_FATE_SENT), 3);
  assert_int_equal(stream->fates[1], TALLY_FATE_REFUSED);
  assert_int_equal(stream->worst_bytes, 10 * MIB);
  assert_int_equal(stream->describes, 1);
  assert_int_equal(stream_send(stream, records, 1), 0);
  assert_int_equal(stream->describes, 1);
  free(data);
}

/* ---- order --------------------------------------------------------------- */

/* Those of a key came in their order, whatever calls they were in. */
static void check_order(const stream_t *stream, unsigned keys) {
  long last[1000];
  memset(last, 0xff, sizeof(last));
  for (size_t i = 0; i < stream->taken_count; i++) {
    const taken_t *taken = &stream->taken[i];
    long number = atol((const char *)taken->data);
    unsigned key = (unsigned)atoi(taken->key + 1);
    assert_true(key < keys);
    if (number <= last[key])
      fail_msg("%ld of k%u after %ld", number, key, last[key]);
    last[key] = number;
  }
}

static void test_one_of_a_key_per_call(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){0});
  const tally_record_t *records = stream_records(stream, 100, 10, 0);
  assert_int_equal(stream_send(stream, records, 100), 0);
  assert_int_equal(stream_count(stream, 100, TALLY_FATE_SENT), 100);
  assert_int_equal(stream->calls, 10);
  check_order(stream, 10);
  for (size_t i = 0; i < 100; i++)
    for (size_t j = i + 1; j < 100; j++)
      assert_true(stream->taken[i].call != stream->taken[j].call ||
                  strcmp(stream->taken[i].key, stream->taken[j].key) != 0);
}

/* A key of which one was not taken waits; the others go on. */
static void test_partial_failure_keeps_order(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){0});
  stream->fail_key = "k3";
  stream->fail_times = 1;
  const tally_record_t *records = stream_records(stream, 100, 10, 0);
  assert_int_equal(stream_send(stream, records, 100), 0);
  for (size_t i = 0; i < 100; i++)
    assert_int_equal(stream->fates[i],
                     i % 10 == 3 ? TALLY_FATE_RETRY : TALLY_FATE_SENT);
  assert_int_equal(stream->answer.status, 429);
  assert_string_equal(stream->err.message,
                      "stream `x': records were not taken: "
                      "ProvisionedThroughputExceededException: Rate exceeded "
                      "for shard");
  tally_kinesis_stats_t stats;
  tally_kinesis_stats(&stream->destination, &stats);
  assert_int_equal(stats.throttled, 1);
  assert_int_equal(stats.misplaced, 0);
  check_order(stream, 10);
}

static void test_partial_failure_without_order(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){.order = NONE});
  stream->fail_key = "k3";
  stream->fail_times = 2;
  stream->fail_code = "InternalFailure";
  const tally_record_t *records = stream_records(stream, 100, 10, 0);
  assert_int_equal(stream_send(stream, records, 100), 0);
  assert_int_equal(stream->calls, 1);
  for (size_t i = 0; i < 100; i++)
    assert_int_equal(stream->fates[i],
                     i == 3 || i == 13 ? TALLY_FATE_RETRY : TALLY_FATE_SENT);
  assert_int_equal(stream->answer.status, 500);
  tally_kinesis_stats_t stats;
  tally_kinesis_stats(&stream->destination, &stats);
  assert_int_equal(stats.throttled, 0);
  assert_int_equal(stats.misplaced, 2);
}

#define TEST(name)                                                             \
  cmocka_unit_test_setup_teardown(name, stream_setup, stream_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_body),
      TEST(test_arn),
      TEST(test_names),
      TEST(test_keys),
      TEST(test_group),
      TEST(test_limits_of_a_call),
      TEST(test_large_records),
      TEST(test_one_of_a_key_per_call),
      TEST(test_partial_failure_keeps_order),
      TEST(test_partial_failure_without_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
