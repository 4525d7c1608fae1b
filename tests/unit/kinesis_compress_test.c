/* SPDX-License-Identifier: MIT */
/* Compressed records and aggregates, read back. */
#include "config.h"

#include "kinesis_scene.h"

#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#define MIB ((size_t)1 << 20)

/* Static. */
static const char *unpack(const taken_t *taken, size_t *len) {
  static char out[4 << 20];
#ifdef HAVE_ZSTD
  if (taken->len >= 4 && memcmp(taken->data, "\x28\xb5\x2f\xfd", 4) == 0) {
    *len = ZSTD_decompress(out, sizeof(out), taken->data, taken->len);
    assert_false(ZSTD_isError(*len));
    return out;
  }
#endif
  z_stream z = {.next_in = taken->data,
                .avail_in = (uInt)taken->len,
                .next_out = (Bytef *)out,
                .avail_out = sizeof(out)};
  assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
  assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
  assert_int_equal(z.avail_in, 0);
  *len = z.total_out;
  inflateEnd(&z);
  return out;
}

/* Bytes that do not get smaller. */
static char *noise(size_t len) {
  char *bytes = malloc(len);
  assert_non_null(bytes);
  uint64_t x = 88172645463325252u;
  for (size_t i = 0; i < len; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    bytes[i] = (char)(x >> 32);
  }
  return bytes;
}

static void check_records(stream_t *stream, tally_compression_t compression) {
  stream_open(stream,
              (tally_kinesis_options_t){.order = TALLY_KINESIS_ORDER_NONE,
                                        .compression = compression});
  const tally_record_t *records = stream_records(stream, 300, 10, 220);
  size_t before = stream->taken_count;
  assert_int_equal(stream_send(stream, records, 300), 0);
  assert_int_equal(stream->taken_count, before + 300);
  for (size_t i = 0; i < 300; i++) {
    const taken_t *taken = &stream->taken[before + i];
    size_t len;
    const char *text = unpack(taken, &len);
    assert_int_equal(len, 220);
    assert_memory_equal(text, records[i].data, len);
    assert_int_equal(strlen(taken->key), records[i].key_len);
    assert_memory_equal(taken->key, records[i].key, records[i].key_len);
    assert_true(taken->len < 100);
  }
}

/* The longest that the outbox lets in fits, also if it cannot be compressed. */
static void check_longest(stream_t *stream) {
  size_t len = stream->outbox.record_bytes - 1;
  assert_true(len > MIB - MIB / 100);
  char *data = noise(len);
  tally_record_t record = {.key = "k", .key_len = 1, .data = data, .len = len};
  assert_int_equal(stream_send(stream, &record, 1), 0);
  assert_int_equal(stream->fates[0], TALLY_FATE_SENT);
  free(data);
}

static void test_gzip_records(void **state) {
  check_records(*state, TALLY_COMPRESSION_GZIP);
  check_longest(*state);
}

/* The data of a shard, one behind the other with the separator. */
static void check_lines(stream_t *stream, tally_compression_t compression,
                        char separator) {
  stream->shards_count = 2;
  stream->shards[1] = 128;
  stream_open(stream, (tally_kinesis_options_t){.aggregate = true,
                                                .compression = compression,
                                                .separator = separator});
  const tally_record_t *records = stream_records(stream, 10000, 20, 220);
  size_t before = stream->taken_count, found = 0;
  assert_int_equal(stream_send(stream, records, 10000), 0);
  assert_int_equal(stream_count(stream, 10000, TALLY_FATE_SENT), 10000);
  long last[20];
  memset(last, 0xff, sizeof(last));
  for (size_t i = before; i < stream->taken_count; i++) {
    const taken_t *taken = &stream->taken[i];
    size_t len;
    const char *text = unpack(taken, &len);
    assert_true(len <= MIB && len % 221 == 0);
    for (size_t at = 0; at < len; at += 221, found++) {
      long number = atol(text + at);
      assert_memory_equal(text + at, records[number].data, 220);
      assert_int_equal(text[at + 220], separator != 0 ? separator : '\n');
      assert_int_equal(
          stream_shard_of(stream, records[number].key, records[number].key_len),
          taken->shard);
      assert_true(number > last[number % 20]);
      last[number % 20] = number;
    }
  }
  assert_int_equal(found, 10000);
  tally_kinesis_stats_t stats;
  tally_kinesis_stats(&stream->destination, &stats);
  assert_int_equal(stats.bytes_in, 10000 * 220);
  assert_true(stats.bytes_out < stats.bytes_in / 10);
}

static void test_gzip_lines(void **state) {
  check_lines(*state, TALLY_COMPRESSION_GZIP, 0);
  check_longest(*state);
}

/* Lines have no keys in them, so that nothing is sent twice where the shards
 * change. */
static void test_lines_are_not_rerouted(void **state) {
  stream_t *stream = *state;
  stream->split_at = 2;
  stream->after[1] = 128;
  stream->after_count = 2;
  stream->after_first = 1;
  stream_open(stream,
              (tally_kinesis_options_t){.aggregate = true,
                                        .aggregate_bytes = 20000,
                                        .compression = TALLY_COMPRESSION_GZIP});
  const tally_record_t *records = stream_records(stream, 1000, 20, 220);
  assert_int_equal(stream_send(stream, records, 1000), 0);
  assert_int_equal(stream_count(stream, 1000, TALLY_FATE_UNSURE), 0);
  assert_int_equal(stream->lists, 2);
  assert_int_equal(stream->calls, 2);
}

static void test_zstd(void **state) {
  stream_t *stream = *state;
#ifdef HAVE_ZSTD
  check_records(stream, TALLY_COMPRESSION_ZSTD);
  check_longest(stream);
  check_lines(stream, TALLY_COMPRESSION_ZSTD, '|');
  check_longest(stream);
#else
  (void)stream;
  SKIP("there is no libzstd");
#endif
}

static void test_no_such_level(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){0});
  tally_destination_t destination;
  tally_outbox_options_t outbox = {0};
  tally_error_t err = {0};
  tally_kinesis_options_t options = {.stream = "x",
                                     .compression = TALLY_COMPRESSION_GZIP,
                                     .compression_level = 12};
  assert_int_equal(tally_kinesis_open(stream->scene->session, &options,
                                      &destination, &outbox, &err),
                   -1);
  assert_string_equal(err.message, "gzip has levels 1 to 9, not 12");
}

#define TEST(name)                                                             \
  cmocka_unit_test_setup_teardown(name, stream_setup, stream_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_gzip_records),           TEST(test_gzip_lines),
      TEST(test_lines_are_not_rerouted), TEST(test_zstd),
      TEST(test_no_such_level),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
