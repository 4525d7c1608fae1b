/* SPDX-License-Identifier: MIT */
/* A log group: what goes out for a batch, and to whom. */
#include "config.h"

#include "cloudwatch_logs_scene.h"

#include "core/clock.h"

/* ---- what goes out ------------------------------------------------------- */

static void streams_and_order(void **state) {
  scene_t *scene = *state;
  take(scene, PUT, -1);
  tally_destination_t to = open_web(scene);
  batch_t batch = {0};
  add_at(&batch, "b", "b1", NOW_MS + 9);
  add_at(&batch, "a", "a1", NOW_MS + 5);
  add_at(&batch, "b", "b2", NOW_MS + 3);
  add_at(&batch, "a", "a2", NOW_MS + 5);
  add_at(&batch, "b", "b3", NOW_MS + 9);
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "SSSSS");
  assert_string_equal(batch.err.message, "");
  assert_int_equal(batch.answer.status, 0);
  assert_int_equal(harbour_requests(scene->harbour, "POST"), 2);
  expect_put(scene, 0, "a", "a1,a2");
  expect_put(scene, 1, "b", "b2,b1,b3");
  const char *request = harbour_request(scene->harbour, PUT, 1);
  assert_non_null(strstr(request, "application/x-amz-json-1.1"));
  assert_non_null(strstr(request, "/eu-west-1/logs/aws4_request"));
  assert_non_null(strstr(request, "{\"timestamp\":1700000000003,\"message\""));
  tally_cloudwatch_logs_stats_t stats = stats_of(&to);
  assert_int_equal(stats.calls, 2);
  assert_int_equal(stats.events, 5);
  assert_int_equal(stats.bytes, 5 * 28);
  to.release(to.data);
}

static void odd_messages(void **state) {
  scene_t *scene = *state;
  take(scene, PUT, -1);
  tally_destination_t to = open_web(scene);
  batch_t batch = {0};
  add_at(&batch, "s:1", "", NOW_MS);
  add_at(&batch, "s:1", "a\x01\"\\\xff", NOW_MS);
  add_at(&batch, "s:1", "now", 0);
  uint64_t before_ms = tally_clock_realtime_ns() / TALLY_NS_PER_MS;
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "SSS");
  expect_put(scene, 0, "s_1", " ,a\x01\"\\\xEF\xBF\xBD");
  expect_put(scene, 1, "s_1", "now"); /* more than a day later */
  const char *last = strrchr(harbour_request(scene->harbour, PUT, 1), '{') + 1;
  assert_in_range(strtoull(strchr(last, ':') + 1, NULL, 10), before_ms,
                  before_ms + 60000);
  assert_int_equal(stats_of(&to).replaced, 1);
  to.release(to.data);
}

static void a_day_is_the_most(void **state) {
  scene_t *scene = *state;
  const uint64_t day_ms = UINT64_C(86400000);
  take(scene, PUT, -1);
  tally_destination_t to = open_web(scene);
  batch_t batch = {0};
  add_at(&batch, "s", "2", NOW_MS + day_ms);
  add_at(&batch, "s", "3", NOW_MS + day_ms + 1);
  add_at(&batch, "s", "1", NOW_MS);
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "SSS");
  expect_put(scene, 0, "s", "1,2");
  expect_put(scene, 1, "s", "3");
  to.release(to.data);
}

static void ten_thousand_are_the_most(void **state) {
  scene_t *scene = *state;
  take(scene, PUT, -1);
  tally_destination_t to = open_web(scene);
  size_t count = TALLY_LOGS_EVENTS_MAX + 1;
  tally_record_t *records = calloc(count, sizeof(*records));
  tally_fate_t *fates = calloc(count, sizeof(*fates));
  for (size_t i = 0; i < count; i++)
    records[i] = (tally_record_t){.key = "s",
                                  .key_len = 1,
                                  .data = i + 1 < count ? "x" : "last",
                                  .len = i + 1 < count ? 1 : 4,
                                  .time_ns = NOW_MS * TALLY_NS_PER_MS};
  tally_answer_t answer = {0};
  assert_int_equal(to.send(to.data, records, count, fates, &answer, NULL), 0);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(fates[i], TALLY_FATE_SENT);
  assert_int_equal(harbour_requests(scene->harbour, PUT), 2);
  expect_put(scene, 1, "s", "last");
  free(fates);
  free(records);
  to.release(to.data);
}

/* ---- what is missing ----------------------------------------------------- */

static void missing_stream(void **state) {
  scene_t *scene = *state;
  refuse(scene, PUT, 1, "ResourceNotFoundException",
         "The specified log stream does not exist.");
  take(scene, PUT, -1);
  take(scene, MAKE_STREAM, -1);
  tally_destination_t to = open_web(scene);
  batch_t batch = BATCH("s 1");
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "S");
  assert_string_equal(batch.err.message, "");
  expect_request(scene, MAKE_STREAM, 0, "s", "", "");
  expect_put(scene, 1, "s", "1");
  assert_int_equal(stats_of(&to).streams_made, 1);
  to.release(to.data);
}

static void somebody_else_was_quicker(void **state) {
  scene_t *scene = *state;
  refuse(scene, PUT, 1, "ResourceNotFoundException", "no stream");
  take(scene, PUT, -1);
  refuse(scene, MAKE_STREAM, 1, "ResourceNotFoundException", "no group");
  refuse(scene, MAKE_STREAM, 1, "ResourceAlreadyExistsException", "there");
  refuse(scene, MAKE_GROUP, 1, "ResourceAlreadyExistsException", "there");
  tally_destination_t to = open_group(
      scene, &(tally_cloudwatch_logs_options_t){
                 .group = "web", .create_group = true, .retention_days = 7});
  batch_t batch = BATCH("s 1");
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "S");
  assert_int_equal(harbour_requests(scene->harbour, RETENTION), 0);
  assert_int_equal(stats_of(&to).streams_made, 0);
  to.release(to.data);
}

static void missing_group(void **state) {
  scene_t *scene = *state;
  refuse(scene, PUT, -1, "ResourceNotFoundException",
         "The specified log group does not exist.");
  refuse(scene, MAKE_STREAM, -1, "ResourceNotFoundException",
         "The specified log group does not exist.");
  tally_destination_t to = open_web(scene);
  batch_t batch = BATCH("a 1", "b 2");
  assert_int_equal(send_batch(&to, &batch), -1);
  expect_fates(&batch, "RR");
  expect_words(&batch, "log group `web'");
  expect_words(&batch, "The specified log group does not exist.");
  assert_int_equal(batch.answer.status, 400);
  assert_int_equal(harbour_requests(scene->harbour, "POST"), 2);
  to.release(to.data);
}

static void group_that_is_wanted(void **state) {
  scene_t *scene = *state;
  refuse(scene, PUT, 1, "ResourceNotFoundException", "no group");
  take(scene, PUT, -1);
  refuse(scene, MAKE_STREAM, 1, "ResourceNotFoundException", "no group");
  take(scene, MAKE_STREAM, -1);
  take(scene, MAKE_GROUP, -1);
  take(scene, RETENTION, -1);
  tally_destination_t to = open_group(
      scene, &(tally_cloudwatch_logs_options_t){
                 .group = "web", .create_group = true, .retention_days = 14});
  batch_t batch = BATCH("s 1");
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "S");
  expect_request(scene, MAKE_GROUP, 0, "", "", "");
  assert_non_null(strstr(harbour_request(scene->harbour, RETENTION, 0),
                         "{\"logGroupName\":\"web\",\"retentionInDays\":14}"));
  assert_int_equal(harbour_requests(scene->harbour, "POST"), 6);
  to.release(to.data);
}

/* Said, tried again with the next stream, and no reason to keep events back. */
static void retention_that_is_denied(void **state) {
  scene_t *scene = *state;
  refuse(scene, PUT, 1, "ResourceNotFoundException", "no group");
  take(scene, PUT, 1);
  refuse(scene, PUT, 1, "ResourceNotFoundException", "no stream");
  take(scene, PUT, -1);
  refuse(scene, MAKE_STREAM, 1, "ResourceNotFoundException", "no group");
  take(scene, MAKE_STREAM, -1);
  take(scene, MAKE_GROUP, -1);
  refuse(scene, RETENTION, 1, "AccessDeniedException", "not you");
  take(scene, RETENTION, -1);
  tally_destination_t to = open_group(
      scene, &(tally_cloudwatch_logs_options_t){
                 .group = "web", .create_group = true, .retention_days = 14});
  batch_t batch = BATCH("s 1");
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "S");
  expect_words(&batch, "log group `web', PutRetentionPolicy: ");
  expect_words(&batch, "not you");
  batch = BATCH("t 1");
  assert_int_equal(send_batch(&to, &batch), 0);
  assert_string_equal(batch.err.message, "");
  assert_int_equal(harbour_requests(scene->harbour, RETENTION), 2);
  batch = BATCH("t 2");
  assert_int_equal(send_batch(&to, &batch), 0);
  assert_int_equal(harbour_requests(scene->harbour, RETENTION), 2);
  to.release(to.data);
}

/* Streams that are there already go on. */
static void a_stream_that_may_not_be_made(void **state) {
  scene_t *scene = *state;
  refuse(scene, "\"logStreamName\":\"b\"", -1, "ResourceNotFoundException",
         "b");
  take(scene, PUT, -1);
  refuse(scene, MAKE_STREAM, -1, "AccessDeniedException", "not you");
  harbour_forget(scene->harbour);
  refuse(scene, MAKE_STREAM, -1, "AccessDeniedException", "not you");
  refuse(scene, "\"logStreamName\":\"b\"", -1, "ResourceNotFoundException",
         "b");
  refuse(scene, "\"logStreamName\":\"c\"", -1, "ResourceNotFoundException",
         "c");
  take(scene, PUT, -1);
  tally_destination_t to = open_web(scene);
  batch_t batch = BATCH("a 1", "b 2", "c 3", "d 4");
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "SRRS");
  expect_words(&batch, "log group `web', CreateLogStream: ");
  expect_words(&batch, "not you");
  to.release(to.data);
}

/* ---- sequence tokens ----------------------------------------------------- */

static void a_service_that_wants_tokens(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, PUT, 1, 400, "",
                 "{\"__type\":\"InvalidSequenceTokenException\","
                 "\"expectedSequenceToken\":\"100\",\"message\":\"no\"}");
  harbour_answer(scene->harbour, PUT, 1, 200, "",
                 "{\"nextSequenceToken\":\"101\"}");
  harbour_answer(scene->harbour, PUT, 1, 200, "",
                 "{\"nextSequenceToken\":\"102\"}");
  refuse(scene, PUT, 1, "InvalidSequenceTokenException",
         "The given sequenceToken is invalid. The next expected sequenceToken "
         "is: 200");
  refuse(scene, PUT, 1, "DataAlreadyAcceptedException",
         "The given batch of log events has already been accepted. The next "
         "batch can be sent with sequenceToken: 201");
  take(scene, PUT, -1);
  tally_destination_t to = open_web(scene);
  batch_t batch = BATCH("s 1");
  assert_int_equal(send_batch(&to, &batch), 0);
  assert_int_equal(send_batch(&to, &batch), 0);
  batch = BATCH("s 1", "s 2");
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "SS");
  assert_int_equal(send_batch(&to, &batch), 0);
  assert_int_equal(send_batch(&to, &batch), 0);
  assert_string_equal(batch.err.message, "");
  static const char *const expected[] = {"", "100", "101", "102", "200", "201"};
  for (unsigned i = 0; i < COUNT_OF(expected); i++)
    expect_request(scene, PUT, i, "s", i < 3 ? "1" : "1,2", expected[i]);
  /* The last answer brought no token: it is not wanted any more. */
  expect_request(scene, PUT, COUNT_OF(expected), "s", "1,2", "");
  to.release(to.data);
}

static void the_first_token_of_a_stream_is_none(void **state) {
  scene_t *scene = *state;
  refuse(scene, PUT, 1, "InvalidSequenceTokenException", "is: 7");
  refuse(scene, PUT, 1, "InvalidSequenceTokenException", "is: null");
  take(scene, PUT, -1);
  tally_destination_t to = open_web(scene);
  batch_t batch = BATCH("s 1");
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "S");
  expect_request(scene, PUT, 1, "s", "1", "7");
  expect_request(scene, PUT, 2, "s", "1", "");
  to.release(to.data);
}

/* Two who write to one stream: it is tried again later, the others go on. */
static void a_token_that_is_never_right(void **state) {
  scene_t *scene = *state;
  take(scene, "\"logStreamName\":\"t\"", -1);
  refuse(scene, PUT, -1, "InvalidSequenceTokenException", "is: 7");
  tally_destination_t to = open_web(scene);
  batch_t batch = BATCH("s 1", "t 2");
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "RS");
  expect_words(&batch, "InvalidSequenceTokenException");
  assert_in_range(harbour_requests(scene->harbour, PUT), 3, 10);
  to.release(to.data);
}

/* ---- opening, and the whole ---------------------------------------------- */

static void what_cannot_be_opened(void **state) {
  scene_t *scene = *state;
  char longest[514];
  memset(longest, 'g', sizeof(longest));
  longest[513] = '\0';
  const struct {
    tally_cloudwatch_logs_options_t options;
    const char *words;
  } cases[] = {
      {{.group = NULL}, "log group `'"},
      {{.group = ""}, "log group `'"},
      {{.group = "a b"}, "log group `a b'"},
      {{.group = "a:b"}, "log group `a:b'"},
      {{.group = longest}, "log group `gggg"},
      {{.group = "web", .retention_days = 2}, "retention of 2 days"},
      {{.group = "web", .retention_days = 3654}, "retention of 3654 days"},
  };
  scene_session(scene, (tally_aws_options_t){.region = "eu-west-1"});
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_destination_t to;
    tally_outbox_options_t outbox = {0};
    tally_error_t err = {0};
    assert_int_equal(tally_cloudwatch_logs_open(
                         scene->session, &cases[i].options, &to, &outbox, &err),
                     -1);
    if (strstr(err.message, cases[i].words) == NULL)
      fail_msg("`%s' without `%s'", err.message, cases[i].words);
  }
}

static void limits_for_the_outbox(void **state) {
  scene_t *scene = *state;
  scene_session(scene, (tally_aws_options_t){.region = "eu-west-1"});
  const tally_cloudwatch_logs_options_t options = {.group = "/a_b/c.d#e-9"};
  tally_destination_t to;
  tally_outbox_options_t outbox = {.batch_records = 1000000,
                                   .record_bytes = 100};
  assert_int_equal(
      tally_cloudwatch_logs_open(scene->session, &options, &to, &outbox, NULL),
      0);
  assert_int_equal(outbox.batch_records, 10000);
  assert_int_equal(outbox.record_bytes, 100);
  assert_true(outbox.batch_bytes >= 1048576);
  to.release(to.data);
}

static void through_an_outbox(void **state) {
  scene_t *scene = *state;
  take(scene, "\"logStreamName\":\"a\"", -1);
  refuse(scene, PUT, 1, "ThrottlingException", "Rate exceeded");
  take(scene, PUT, -1);
  tally_destination_t to = open_web(scene);
  tally_outbox_options_t options = {.linger_ns = TALLY_NS_PER_MS,
                                    .backoff_base_ns = TALLY_NS_PER_MS};
  tally_outbox_t *outbox = tally_outbox_create(&options, &to, NULL);
  assert_non_null(outbox);
  for (int i = 0; i < 100; i++) {
    const tally_record_t record = {.key = i % 2 == 0 ? "a" : "b",
                                   .key_len = 1,
                                   .data = "text",
                                   .len = 4,
                                   .time_ns = NOW_MS * TALLY_NS_PER_MS};
    assert_int_equal(tally_outbox_put(outbox, &record), TALLY_LOSS_NONE);
  }
  assert_true(tally_outbox_flush(outbox, 10000));
  tally_outbox_stats_t stats;
  tally_outbox_destroy(outbox, 1000, &stats);
  assert_int_equal(stats.sent, 100);
  assert_true(stats.retried > 0);
}

#define SCENE(test)                                                            \
  cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      SCENE(streams_and_order),
      SCENE(odd_messages),
      SCENE(a_day_is_the_most),
      SCENE(ten_thousand_are_the_most),
      SCENE(missing_stream),
      SCENE(somebody_else_was_quicker),
      SCENE(missing_group),
      SCENE(group_that_is_wanted),
      SCENE(retention_that_is_denied),
      SCENE(a_stream_that_may_not_be_made),
      SCENE(a_service_that_wants_tokens),
      SCENE(the_first_token_of_a_stream_is_none),
      SCENE(a_token_that_is_never_right),
      SCENE(what_cannot_be_opened),
      SCENE(limits_for_the_outbox),
      SCENE(through_an_outbox),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
