/* SPDX-License-Identifier: MIT */
/* Aggregates without a map of the shards, and with one that is wrong. */
#include "config.h"

#include "kinesis_lines.h"
#include "kpl.h"

#define AGGREGATE .aggregate = true

/* ---- without a map ------------------------------------------------------- */

static void test_one_of_a_key_without_map(void **state) {
  stream_t *stream = *state;
  stream->no_list = true;
  stream_open(stream, (tally_kinesis_options_t){AGGREGATE});
  const tally_record_t *records = stream_records(stream, 1000, 10, 220);
  assert_int_equal(stream_send(stream, records, 1000), 0);
  assert_int_equal(stream_send(stream, records, 10), 0);
  assert_int_equal(stream->lists, 1); /* it is not asked each time */
  assert_int_equal(stream->taken_count, 20);
  lines_t lines = read_lines(stream, false);
  assert_int_equal(lines.count, 1010);
  free(lines.list);
  for (size_t i = 0; i < 10; i++) {
    size_t count;
    kpl_record_t *read =
        kpl_read(stream->taken[i].data, stream->taken[i].len, &count);
    assert_int_equal(count, 100);
    assert_int_equal(read[99].key_index, 0);
    assert_memory_equal(read[0].key, stream->taken[i].key, read[0].key_len);
    free(read);
  }
  tally_kinesis_stats_t stats;
  tally_kinesis_stats(&stream->destination, &stats);
  assert_int_equal(stats.shards, 0);
}

static void test_nobody_answers(void **state) {
  stream_t *stream = *state;
  harbour_answer(stream->scene->harbour, "ListShards", 1, -1, "", "");
  stream_open(stream, (tally_kinesis_options_t){AGGREGATE});
  const tally_record_t *records = stream_records(stream, 10, 10, 220);
  assert_int_equal(stream_send(stream, records, 10), -1);
  assert_int_equal(stream_count(stream, 10, TALLY_FATE_RETRY), 10);
  assert_int_equal(stream->calls, 0);
  assert_non_null(strstr(stream->err.message, "stream `x': kinesis at"));
  assert_int_equal(stream_send(stream, records, 10), 0);
  assert_int_equal(stream_count(stream, 10, TALLY_FATE_SENT), 10);
}

/* ---- shards that are split or merged ------------------------------------- */

static void split(stream_t *stream, unsigned at_call) {
  stream->split_at = at_call;
  stream->after[0] = 0;
  stream->after[1] = 90;
  stream->after[2] = 180;
  stream->after_count = 3;
  stream->after_first = 7;
}

static void test_split(void **state) {
  stream_t *stream = *state;
  split(stream, 3);
  stream_open(stream,
              (tally_kinesis_options_t){AGGREGATE, .aggregate_bytes = 10000});
  const tally_record_t *records = stream_records(stream, 1000, 20, 220);
  assert_int_equal(stream_send(stream, records, 1000), 0);
  assert_int_equal(stream->calls, 3); /* none of the old map after that */
  assert_int_equal(stream->lists, 2);
  size_t unsure = stream_count(stream, 1000, TALLY_FATE_UNSURE);
  assert_true(unsure > 0 && unsure < 50);
  tally_kinesis_stats_t stats;
  tally_kinesis_stats(&stream->destination, &stats);
  assert_int_equal(stats.rerouted, unsure);
  assert_int_equal(stats.shards, 3);
  assert_non_null(strstr(stream->err.message, "split or merged"));

  tally_record_t rest[1000];
  size_t left = 0;
  for (size_t i = 0; i < 1000; i++)
    if (stream->fates[i] != TALLY_FATE_SENT)
      rest[left++] = records[i];
  send_lines(stream, rest, left);
  check_lines(stream, 1000, true); /* for a KCL: each once, in order */
  lines_t all = read_lines(stream, false);
  assert_int_equal(all.count, 1000 + unsure);
  free(all.list);
}

/* Where all of an aggregate's keys belong to the new shard, all is well. */
static void test_merge(void **state) {
  stream_t *stream = *state;
  stream->shards_count = 2;
  stream->shards[1] = 128;
  stream->split_at = 2;
  stream->after_count = 1;
  stream->after_first = 2;
  stream_open(stream,
              (tally_kinesis_options_t){AGGREGATE, .aggregate_bytes = 10000});
  const tally_record_t *records = stream_records(stream, 1000, 20, 220);
  assert_int_equal(stream_send(stream, records, 1000), 0);
  assert_int_equal(stream_count(stream, 1000, TALLY_FATE_UNSURE), 0);
  tally_kinesis_stats_t stats;
  tally_kinesis_stats(&stream->destination, &stats);
  assert_int_equal(stats.rerouted, 0);
  assert_int_equal(stats.shards, 1);
}

/* The new map cannot be had: all of them again, one aggregate per key. */
static void test_split_without_list(void **state) {
  stream_t *stream = *state;
  split(stream, 2);
  stream_open(stream,
              (tally_kinesis_options_t){AGGREGATE, .aggregate_bytes = 10000});
  const tally_record_t *records = stream_records(stream, 200, 20, 220);
  tally_record_t one = record_of("k0", "0 of k0");
  assert_int_equal(stream_send(stream, &one, 1), 0);
  stream->no_list = true;
  assert_int_equal(stream_send(stream, records, 200), 0);
  assert_true(stream_count(stream, 200, TALLY_FATE_UNSURE) > 20);
  assert_int_equal(stream_count(stream, 200, TALLY_FATE_SENT), 0);
  tally_kinesis_stats_t stats;
  tally_kinesis_stats(&stream->destination, &stats);
  assert_int_equal(stats.shards, 0);
  assert_int_equal(stream_send(stream, records, 200), 0);
  assert_int_equal(stream_count(stream, 200, TALLY_FATE_SENT), 200);
}

/* A stream that is never the same is not asked each time. */
static void test_split_again_at_once(void **state) {
  stream_t *stream = *state;
  split(stream, 1);
  stream_open(stream, (tally_kinesis_options_t){AGGREGATE});
  const tally_record_t *records = stream_records(stream, 200, 20, 220);
  assert_int_equal(stream_send(stream, records, 200), 0);
  assert_int_equal(stream->lists, 2);
  split(stream, stream->calls + 1);
  stream->after_first = 20;
  assert_int_equal(stream_send(stream, records, 200), 0);
  assert_int_equal(stream->lists, 2);
  tally_kinesis_stats_t stats;
  tally_kinesis_stats(&stream->destination, &stats);
  assert_int_equal(stats.shards, 0);
  assert_int_equal(stream_send(stream, records, 200), 0);
  assert_int_equal(stream_count(stream, 200, TALLY_FATE_SENT), 200);
}

#define TEST(name)                                                             \
  cmocka_unit_test_setup_teardown(name, stream_setup, stream_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_one_of_a_key_without_map),
      TEST(test_nobody_answers),
      TEST(test_split),
      TEST(test_merge),
      TEST(test_split_without_list),
      TEST(test_split_again_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
