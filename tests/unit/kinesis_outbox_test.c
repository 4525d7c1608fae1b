/* SPDX-License-Identifier: MIT */
/* A real outbox in front of a stream that fails at random: everything comes,
 * in order, and the numbers agree. */
#include "config.h"

#include "kinesis_lines.h"

#include <pthread.h>

#include "core/clock.h"

#define COUNT 2000
#define KEYS 50
#define PATIENCE_MS 60000

typedef struct producer_s {
  tally_outbox_t *outbox;
  const tally_record_t *records;
  unsigned part;
} producer_t;

/* Half of the keys each. */
static void *produce(void *data) {
  const producer_t *producer = data;
  for (size_t i = 0; i < COUNT; i++)
    if (i % 2 == producer->part)
      assert_int_equal(
          tally_outbox_put(producer->outbox, &producer->records[i]),
          TALLY_LOSS_NONE);
  return NULL;
}

static void deliver(stream_t *stream, tally_kinesis_options_t options) {
  harbour_t *harbour = stream->scene->harbour;
  harbour_answer(harbour, "PutRecords", 2, 500, "", "");
  harbour_answer(harbour, "PutRecords", 1, 400, "",
                 "{\"__type\":\"ThrottlingException\"}");
  stream->fail_share = 5;
  stream->shards_count = 2;
  stream->shards[1] = 128;
  stream_open(stream, options);
  stream->outbox.linger_ns = TALLY_NS_PER_MS;
  stream->outbox.backoff_base_ns = TALLY_NS_PER_MS;
  stream->outbox.backoff_cap_ns = 10 * TALLY_NS_PER_MS;
  tally_outbox_t *outbox =
      tally_outbox_create(&stream->outbox, &stream->destination, &stream->err);
  assert_non_null(outbox);
  stream->destination.release = NULL; /* the outbox does it */

  const tally_record_t *records = stream_records(stream, COUNT, KEYS, 220);
  producer_t producers[2];
  pthread_t threads[2];
  for (unsigned i = 0; i < 2; i++) {
    producers[i] = (producer_t){outbox, records, i};
    pthread_create(&threads[i], NULL, produce, &producers[i]);
  }
  for (unsigned i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  assert_true(tally_outbox_flush(outbox, PATIENCE_MS));
  stream_meet(stream);
  tally_kinesis_stats_t kinesis;
  tally_kinesis_stats(&stream->destination, &kinesis);
  assert_int_equal(kinesis.user_records, COUNT);
  assert_true(kinesis.throttled > 0);
  tally_outbox_stats_t stats;
  tally_outbox_destroy(outbox, PATIENCE_MS, &stats);
  assert_int_equal(stats.accepted, COUNT);
  assert_int_equal(stats.sent, COUNT);
  assert_int_equal(stats.possible_duplicates, 0);
  assert_int_equal(tally_outbox_lost(&stats), 0);
  check_lines(stream, COUNT, false);
}

static void test_plain(void **state) {
  deliver(*state, (tally_kinesis_options_t){0});
}

static void test_aggregated(void **state) {
  deliver(*state, (tally_kinesis_options_t){.aggregate = true,
                                            .aggregate_bytes = 5000});
}

#define TEST(name)                                                             \
  cmocka_unit_test_setup_teardown(name, stream_setup, stream_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_plain),
      TEST(test_aggregated),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
