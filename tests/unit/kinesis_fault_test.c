/* SPDX-License-Identifier: MIT */
/* PutRecords that is refused as a whole, or not answered. */
#include "config.h"

#include "kinesis_scene.h"

#include <pthread.h>

#include "core/clock.h"

#define NONE TALLY_KINESIS_ORDER_NONE

/* ---- calls that fail ----------------------------------------------------- */

static void expect_failure(stream_t *stream, tally_fate_t fate, unsigned status,
                           const char *words) {
  const tally_record_t *records = stream_records(stream, 20, 20, 0);
  assert_int_equal(stream_send(stream, records, 20), -1);
  assert_int_equal(stream_count(stream, 20, fate), 20);
  assert_int_equal(stream->answer.status, status);
  if (strstr(stream->err.message, "stream `x': ") == NULL ||
      strstr(stream->err.message, words) == NULL)
    fail_msg("`%s' without `%s'", stream->err.message, words);
}

static void test_whole_call_fails(void **state) {
  stream_t *stream = *state;
  static const struct {
    int status;
    const char *headers, *body, *words;
  } cases[] = {
      {400, "", "{\"__type\":\"ProvisionedThroughputExceededException\"}",
       "ProvisionedThroughputExceededException"},
      {500, "", "{\"__type\":\"InternalFailure\"}", "InternalFailure"},
      {503, "Retry-After: 7\r\n", "", "status 503"},
      {400, "",
       "{\"__type\":\"ResourceNotFoundException\",\"message\":\"Stream x under "
       "account 1 not found.\"}",
       "Stream x under account 1 not found."},
      {400, "", "{\"__type\":\"AccessDeniedException\",\"message\":\"no\"}",
       "AccessDeniedException: no"},
      {400, "", "{\"__type\":\"UnknownOperationException\"}",
       "UnknownOperationException"},
      {200, "", "<html>", "PutRecords' answer"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    harbour_answer(stream->scene->harbour, "PutRecords", 1, cases[i].status,
                   cases[i].headers, cases[i].body);
  stream_open(stream, (tally_kinesis_options_t){.order = NONE});
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    bool answered = cases[i].status == 200;
    expect_failure(stream, answered ? TALLY_FATE_UNSURE : TALLY_FATE_RETRY,
                   answered ? 0 : (unsigned)cases[i].status, cases[i].words);
    assert_int_equal(stream->answer.retry_after_ns,
                     i == 2 ? 7 * TALLY_NS_PER_S : 0);
  }
  assert_int_equal(stream->calls, 0);
}

static void test_answer_never_came(void **state) {
  stream_t *stream = *state;
  harbour_answer(stream->scene->harbour, "PutRecords", 1, -1, "", "");
  stream_open(stream, (tally_kinesis_options_t){.order = NONE});
  expect_failure(stream, TALLY_FATE_UNSURE, 0, "kinesis at http");
  /* The next one is another matter. */
  const tally_record_t *records = stream_records(stream, 20, 20, 0);
  assert_int_equal(stream_send(stream, records, 20), 0);
}

/* What the calls before have sent stays sent, what comes after waits. */
static void test_failure_between_calls(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){0});
  const tally_record_t *records = stream_records(stream, 30, 10, 0);
  harbour_forget(stream->scene->harbour);
  harbour_answer(stream->scene->harbour, "PutRecords", 1, 200, "",
                 "{\"FailedRecordCount\":0,\"Records\":[]}"); /* in few words */
  harbour_answer(stream->scene->harbour, "PutRecords", 1, -1, "", "");
  assert_int_equal(stream_send(stream, records, 30), -1);
  for (size_t i = 0; i < 30; i++)
    assert_int_equal(stream->fates[i], i < 10   ? TALLY_FATE_SENT
                                       : i < 20 ? TALLY_FATE_UNSURE
                                                : TALLY_FATE_RETRY);
}

static void *cancel_soon(void *data) {
  stream_t *stream = data;
  harbour_await(stream->scene->harbour, "PutRecords", 1);
  stream->destination.cancel(stream->destination.data);
  return NULL;
}

static void test_cancel(void **state) {
  stream_t *stream = *state;
  harbour_answer(stream->scene->harbour, "PutRecords", 1, 0, "", "");
  stream_open(stream, (tally_kinesis_options_t){.order = NONE});
  pthread_t thread;
  pthread_create(&thread, NULL, cancel_soon, stream);
  uint64_t begin = tally_clock_monotonic_ns();
  expect_failure(stream, TALLY_FATE_UNSURE, 0, "canceled");
  assert_true(tally_clock_monotonic_ns() - begin < 4 * TALLY_NS_PER_S);
  pthread_join(thread, NULL);
}

/* ---- one that is refused ------------------------------------------------- */

static void test_poison_is_found(void **state) {
  stream_t *stream = *state;
  stream_open(stream, (tally_kinesis_options_t){.order = NONE});
  stream->poison = "77 of";
  const tally_record_t *records = stream_records(stream, 100, 10, 0);
  assert_int_equal(stream_send(stream, records, 100), 0);
  for (size_t i = 0; i < 100; i++)
    assert_int_equal(stream->fates[i],
                     i == 77 ? TALLY_FATE_REFUSED : TALLY_FATE_SENT);
  assert_int_equal(stream->taken_count, 99);
  assert_true(stream->calls < 20);
  assert_int_equal(stream->answer.status, 400);
  assert_non_null(strstr(stream->err.message, "ValidationException: poison"));
}

/* The only record is refused: it may be the stream, unless that says that it is
 * there. */
static void test_refused_alone(void **state) {
  stream_t *stream = *state;
  stream->poison = "77";
  tally_record_t record = record_of("key", "77");
  harbour_answer(stream->scene->harbour, "DescribeStreamSummary", 1, 400, "",
                 "{\"__type\":\"AccessDeniedException\"}");
  stream_open(stream, (tally_kinesis_options_t){.order = NONE});
  assert_int_equal(stream_send(stream, &record, 1), -1);
  assert_int_equal(stream->fates[0], TALLY_FATE_RETRY);
  assert_int_equal(stream->answer.status, 400);
  assert_int_equal(stream_send(stream, &record, 1), 0);
  assert_int_equal(stream->fates[0], TALLY_FATE_REFUSED);
}

#define TEST(name)                                                             \
  cmocka_unit_test_setup_teardown(name, stream_setup, stream_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_whole_call_fails),      TEST(test_answer_never_came),
      TEST(test_failure_between_calls), TEST(test_cancel),
      TEST(test_poison_is_found),       TEST(test_refused_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
