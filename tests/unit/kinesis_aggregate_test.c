/* SPDX-License-Identifier: MIT */
/* Aggregates: their form, how large they get, what of them fails. */
#include "config.h"

#include "kinesis_lines.h"
#include "kpl.h"

#include "aws/kinesis_aggregate.h"

#define AGGREGATE .aggregate = true
#define MIB ((size_t)1 << 20)

/* ---- form ---------------------------------------------------------------- */

/* The example of the format's text, made by hand: byte for byte. */
static void test_bytes(void **state) {
  tally_kinesis_keys_t *keys = tally_kinesis_keys_create();
  tally_kinesis_aggregate_t *a = calloc(1, sizeof(*a));
  tally_kinesis_aggregate_init(a);
  assert_int_equal(tally_kinesis_aggregate_begin(a, 1000), 0);
  static const struct {
    const char *key, *data;
  } records[] = {{"a", "one"}, {"bc", ""}, {"a", "three"}};
  for (size_t i = 0; i < COUNT_OF(records); i++)
    assert_true(tally_kinesis_aggregate_add(
        a,
        tally_kinesis_keys_find(keys, records[i].key, strlen(records[i].key),
                                "", 0),
        records[i].data, strlen(records[i].data), 1000));
  tally_kinesis_aggregate_end(a, keys);
  static const char expected[] = "\xf3\x89\x9a\xc2"
                                 "\x0a\x01"
                                 "a\x1a\x07\x08\x00\x1a\x03one"
                                 "\x0a\x02"
                                 "bc\x1a\x04\x08\x01\x1a\x00"
                                 "\x1a\x09\x08\x00\x1a\x05three";
  assert_int_equal(a->bytes.len, sizeof(expected) - 1 + 16);
  assert_memory_equal(a->bytes.data, expected, sizeof(expected) - 1);
  size_t count;
  kpl_record_t *read =
      kpl_read((const uint8_t *)a->bytes.data, a->bytes.len, &count);
  assert_int_equal(count, 3);
  free(read);
  tally_kinesis_aggregate_clear(a);
  free(a);
  tally_kinesis_keys_destroy(keys);
}

/* Every length at which the varints grow, and an aggregate that is exactly as
 * long as it may be. */
static void test_limits(void **state) {
  tally_kinesis_keys_t *keys = tally_kinesis_keys_create();
  tally_kinesis_aggregate_t *a = calloc(1, sizeof(*a));
  tally_kinesis_aggregate_init(a);
  char *data = calloc(1, 40000);
  static const size_t lengths[] = {0,   1,   122, 123,   124,   125,
                                   126, 127, 128, 16000, 16383, 16384};
  for (size_t i = 0; i < COUNT_OF(lengths); i++) {
    size_t full = 0;
    for (size_t most = 40000; most > 0; most = most == full ? full - 1 : full) {
      tally_kinesis_aggregate_begin(a, most);
      bool fits = tally_kinesis_aggregate_add(
          a, tally_kinesis_keys_find(keys, "key", 3, "", 0), data, lengths[i],
          most);
      assert_int_equal(fits, full == 0 || most == full);
      if (!fits)
        break;
      tally_kinesis_aggregate_end(a, keys);
      full = a->bytes.len;
      size_t count;
      free(kpl_read((const uint8_t *)a->bytes.data, full, &count));
    }
  }
  free(data);
  tally_kinesis_aggregate_clear(a);
  free(a);
  tally_kinesis_keys_destroy(keys);
}

/* More keys than are remembered: an aggregate ends. */
static void test_many_keys(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){AGGREGATE});
  const tally_record_t *records = stream_records(stream, 3000, 1000, 0);
  assert_int_equal(stream_send(stream, records, 3000), 0);
  assert_int_equal(stream_count(stream, 3000, TALLY_FATE_SENT), 3000);
  check_lines(stream, 3000, false);
}

/* ---- sizes and calls ----------------------------------------------------- */

static void test_one_of_a_shard_per_call(void **state) {
  stream_t *stream = *state;
  stream->shards_count = 3;
  stream->shards[1] = 100;
  stream->shards[2] = 200;
  stream->slow_list = true; /* three pages */
  stream_open(stream,
              (tally_kinesis_options_t){AGGREGATE, .aggregate_bytes = 51200});
  assert_int_equal(stream->outbox.batch_records, 20000);
  const tally_record_t *records = stream_records(stream, 5000, 50, 220);
  assert_int_equal(stream_send(stream, records, 5000), 0);
  assert_int_equal(stream_count(stream, 5000, TALLY_FATE_SENT), 5000);
  assert_int_equal(stream->lists, 3);
  check_lines(stream, 5000, false);
  for (size_t i = 0; i < stream->taken_count; i++) {
    assert_true(stream->taken[i].len <= 51200);
    for (size_t j = i + 1; j < stream->taken_count; j++)
      assert_true(stream->taken[i].call != stream->taken[j].call ||
                  stream->taken[i].shard != stream->taken[j].shard);
  }
  tally_kinesis_stats_t stats;
  tally_kinesis_stats(&stream->destination, &stats);
  assert_int_equal(stats.shards, 3);
  assert_int_equal(stats.user_records, 5000);
  assert_int_equal(stats.records, stream->taken_count);
  assert_int_equal(stats.bytes_in, 5000 * 220);
}

static void test_without_order_calls_are_filled(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){
                          AGGREGATE, .order = TALLY_KINESIS_ORDER_NONE});
  const tally_record_t *records = stream_records(stream, 20000, 50, 220);
  assert_int_equal(stream_send(stream, records, 20000), 0);
  assert_int_equal(stream_count(stream, 20000, TALLY_FATE_SENT), 20000);
  assert_int_equal(stream->calls, 1);
  check_lines(stream, 20000, false);
  for (size_t i = 0; i < stream->taken_count; i++)
    assert_true(stream->taken[i].len + strlen(stream->taken[i].key) <=
                256 * 1024);
}

/* One that fills a record of Kinesis alone goes as it is, in its place. */
static void test_large_among_small(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){AGGREGATE});
  tally_record_t records[9];
  memcpy(records, stream_records(stream, 9, 1, 100), sizeof(records));
  char *data = malloc(MIB);
  memset(data, ' ', MIB);
  memcpy(data, "4 of k0", 7);
  records[4].data = data;
  records[4].len = MIB - 2;
  assert_int_equal(stream_send(stream, records, 9), 0);
  assert_int_equal(stream_count(stream, 9, TALLY_FATE_SENT), 9);
  assert_int_equal(stream->taken_count, 3);
  check_lines(stream, 9, false);
  free(data);
}

/* A shard for which there is only one record, among others that have
 * aggregates: each goes where it belongs, in the same call. */
static void test_one_alone_among_aggregates(void **state) {
  stream_t *stream = *state;
  stream->shards_count = 7;
  for (unsigned i = 0; i < stream->shards_count; i++)
    stream->shards[i] = 36 * i;
  stream_open(stream, (tally_kinesis_options_t){AGGREGATE});
  const tally_record_t *all = stream_records(stream, 1000, 70, 100);
  tally_record_t records[1000];
  unsigned first = stream_shard_of(stream, all[0].key, all[0].key_len);
  unsigned second = first;
  size_t count = 0;
  for (size_t i = 0; i < 1000; i++) {
    unsigned shard = stream_shard_of(stream, all[i].key, all[i].key_len);
    if (second != first && shard == second)
      continue;
    if (second == first)
      second = shard;
    records[count++] = all[i];
  }
  assert_int_equal(stream_send(stream, records, count), 0);
  assert_int_equal(stream_count(stream, count, TALLY_FATE_SENT), count);
  assert_int_equal(stream->calls, 1);
  assert_int_equal(stream->taken_count, stream->shards_count);
  assert_int_equal(stream->taken[1].shard, second);
  check_lines(stream, count, false);
  lines_t lines = read_lines(stream, false);
  for (size_t i = 0; i < lines.count; i++)
    assert_int_equal(
        lines.list[i].shard,
        stream_shard_of(stream, lines.list[i].key, strlen(lines.list[i].key)));
  free(lines.list);
}

/* ---- trouble ------------------------------------------------------------- */

static void test_throttled_shard_stops_alone(void **state) {
  stream_t *stream = *state;
  stream->shards_count = 2;
  stream->shards[1] = 128;
  stream_open(stream,
              (tally_kinesis_options_t){AGGREGATE, .aggregate_bytes = 10000});
  const tally_record_t *records = stream_records(stream, 1000, 20, 220);
  stream->fail_key = "k0";
  stream->fail_times = 1;
  unsigned shard = stream_shard_of(stream, "k0", 2);
  assert_int_equal(stream_send(stream, records, 1000), 0);
  for (size_t i = 0; i < 1000; i++)
    assert_int_equal(
        stream->fates[i],
        stream_shard_of(stream, records[i].key, records[i].key_len) == shard
            ? TALLY_FATE_RETRY
            : TALLY_FATE_SENT);
  assert_int_equal(stream->answer.status, 429);
}

/* One record that the service does not take, deep in an aggregate: that one is
 * refused, and no other. */
static void test_poison_in_an_aggregate(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){AGGREGATE});
  stream->poison = "377 of";
  const tally_record_t *records = stream_records(stream, 600, 10, 0);
  send_lines(stream, records, 600);
  lines_t lines = read_lines(stream, false);
  assert_int_equal(lines.count, 599);
  free(lines.list);
  stream->poison = NULL;
  assert_int_equal(stream_send(stream, records, 600), 0);
  assert_true(stream->calls < 60);
}

/* The same while others' records are taken all the time. */
static void test_poison_beside_traffic(void **state) {
  stream_t *stream = *state;
  stream->shards[1] = 64;
  stream->shards[2] = 128;
  stream->shards[3] = 192;
  stream->shards_count = 4;
  stream_open(stream, (tally_kinesis_options_t){AGGREGATE});
  stream->poison = "37 of";
  unsigned shard = stream_shard_of(stream, "bad", 3);
  char keys[10][8];
  for (unsigned i = 0, n = 0; n < COUNT_OF(keys); i++) {
    int len = snprintf(keys[n], sizeof(keys[n]), "g%u", i);
    n += stream_shard_of(stream, keys[n], (size_t)len) != shard;
  }
  tally_record_t batch[100 + COUNT_OF(keys)];
  memcpy(batch, stream_records(stream, 100, 1, 0), 100 * sizeof(*batch));
  for (size_t i = 0; i < 100; i++)
    batch[i].key = "bad", batch[i].key_len = 3;
  size_t left = 100, refused = 0;
  for (int turn = 0; left > 0; turn++) {
    assert_true(turn < 30);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
      batch[left + i] = record_of(keys[i], "good");
    size_t count = left + COUNT_OF(keys);
    assert_int_equal(stream_send(stream, batch, count), 0);
    refused += stream_count(stream, count, TALLY_FATE_REFUSED);
    size_t kept = 0;
    for (size_t i = 0; i < left; i++)
      if (stream->fates[i] == TALLY_FATE_RETRY)
        batch[kept++] = batch[i];
    left = kept;
  }
  assert_int_equal(refused, 1);
}

#define TEST(name)                                                             \
  cmocka_unit_test_setup_teardown(name, stream_setup, stream_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bytes),
      cmocka_unit_test(test_limits),
      TEST(test_many_keys),
      TEST(test_one_of_a_shard_per_call),
      TEST(test_without_order_calls_are_filled),
      TEST(test_large_among_small),
      TEST(test_one_alone_among_aggregates),
      TEST(test_throttled_shard_stops_alone),
      TEST(test_poison_in_an_aggregate),
      TEST(test_poison_beside_traffic),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
