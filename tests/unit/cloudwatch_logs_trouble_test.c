/* SPDX-License-Identifier: MIT */
/* A log group: what follows from answers that are not what was hoped for. */
#include "config.h"

#include "cloudwatch_logs_scene.h"

#include <pthread.h>

#include "core/clock.h"

/* ---- events that are refused --------------------------------------------- */

static void too_old_and_too_new(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, PUT, -1, 200, "",
                 "{\"rejectedLogEventsInfo\":{\"tooOldLogEventEndIndex\":1,"
                 "\"expiredLogEventEndIndex\":2,"
                 "\"tooNewLogEventStartIndex\":4}}");
  tally_destination_t to = open_web(scene);
  batch_t batch = {0};
  add_at(&batch, "s", "new", NOW_MS + 9);
  add_at(&batch, "s", "good", NOW_MS + 3);
  add_at(&batch, "s", "old", NOW_MS + 1);
  add_at(&batch, "s", "expired", NOW_MS + 2);
  add_at(&batch, "s", "good", NOW_MS + 4);
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "XSXXS");
  expect_words(&batch, "log group `web'");
  expect_words(&batch, "2 older than 14 days");
  expect_words(&batch, "1 more than 2 hours ahead");
  assert_int_equal(batch.answer.status, 400);
  tally_cloudwatch_logs_stats_t stats = stats_of(&to);
  assert_int_equal(stats.events, 2);
  assert_int_equal(stats.too_old, 2);
  assert_int_equal(stats.too_new, 1);
  to.release(to.data);
}

static void one_that_is_bad(void **state) {
  scene_t *scene = *state;
  refuse(scene, "\"poison\"", -1, "InvalidParameterException",
         "1 validation "
         "error");
  take(scene, PUT, -1);
  tally_destination_t to = open_web(scene);
  batch_t batch = BATCH("s 1", "s 2", "s 3", "s poison", "s 5", "s 6", "s 7",
                        "t 8", "t poison");
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "SSSXSSSSX");
  expect_words(&batch, "log group `web', PutLogEvents: ");
  expect_words(&batch, "1 validation error");
  assert_int_equal(batch.answer.status, 400);
  assert_int_equal(stats_of(&to).bad, 2);
  to.release(to.data);
}

/* What another service says is no reason to throw anything away. */
static void a_wrong_endpoint(void **state) {
  scene_t *scene = *state;
  refuse(scene, PUT, 1, "UnknownOperationException", "");
  harbour_answer(scene->harbour, PUT, 1, 200, "", "<html>Welcome!</html>");
  tally_destination_t to = open_web(scene);
  batch_t batch = BATCH("s 1", "t 2");
  assert_int_equal(send_batch(&to, &batch), -1);
  expect_fates(&batch, "RR");
  expect_words(&batch, "UnknownOperationException");
  assert_int_equal(send_batch(&to, &batch), -1);
  expect_fates(&batch, "UR");
  expect_words(&batch, "not CloudWatch Logs");
  to.release(to.data);
}

/* ---- trouble ------------------------------------------------------------- */

static void one_stream_is_throttled(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, "\"logStreamName\":\"a\"", -1, 400,
                 "Retry-After: 3\r\n", "{\"__type\":\"ThrottlingException\"}");
  take(scene, PUT, -1);
  tally_destination_t to = open_web(scene);
  batch_t batch = BATCH("a 1", "b 2", "a 3", "c 4");
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "RSRS");
  expect_words(&batch, "ThrottlingException");
  assert_int_equal(batch.answer.retry_after_ns, 3 * TALLY_NS_PER_S);
  assert_int_equal(stats_of(&to).throttled, 1);
  to.release(to.data);
}

static void the_account_is_throttled(void **state) {
  scene_t *scene = *state;
  take(scene, "\"logStreamName\":\"a\"", -1);
  refuse(scene, PUT, -1, "ThrottlingException", "Rate exceeded");
  tally_destination_t to = open_web(scene);
  batch_t batch = BATCH("a 1", "b 2", "c 3", "d 4");
  assert_int_equal(send_batch(&to, &batch), -1);
  expect_fates(&batch, "SRRR");
  assert_int_equal(harbour_requests(scene->harbour, PUT), 3);
  to.release(to.data);
}

static void a_server_in_trouble(void **state) {
  scene_t *scene = *state;
  take(scene, "\"logStreamName\":\"a\"", -1);
  harbour_answer(scene->harbour, PUT, -1, 503, "", "");
  tally_destination_t to = open_web(scene);
  batch_t batch = BATCH("a 1", "b 2", "c 3");
  assert_int_equal(send_batch(&to, &batch), -1);
  expect_fates(&batch, "SRR");
  assert_int_equal(batch.answer.status, 503);
  assert_int_equal(harbour_requests(scene->harbour, PUT), 2);
  to.release(to.data);
}

static void an_answer_that_never_comes(void **state) {
  scene_t *scene = *state;
  take(scene, "\"logStreamName\":\"a\"", -1);
  harbour_answer(scene->harbour, PUT, -1, 0, "", "");
  tally_destination_t to = open_hasty(scene);
  batch_t batch = BATCH("a 1", "b 2", "c 3");
  assert_int_equal(send_batch(&to, &batch), -1);
  expect_fates(&batch, "SUR");
  expect_words(&batch, "log group `web', PutLogEvents: ");
  to.release(to.data);
}

/* Nothing was put yet when a stream is made. */
static void a_creation_without_an_answer(void **state) {
  scene_t *scene = *state;
  refuse(scene, PUT, -1, "ResourceNotFoundException", "no stream");
  harbour_answer(scene->harbour, MAKE_STREAM, -1, 0, "", "");
  tally_destination_t to = open_hasty(scene);
  batch_t batch = BATCH("s 1");
  assert_int_equal(send_batch(&to, &batch), -1);
  expect_fates(&batch, "R");
  to.release(to.data);
}

static void a_batch_has_its_time(void **state) {
  scene_t *scene = *state;
  take(scene, PUT, -1);
  tally_destination_t to = open_web(scene);
  batch_t batch = BATCH("a 1", "b 2");
  ((tally_logs_t *)to.data)->send_ns = 0;
  assert_int_equal(send_batch(&to, &batch), 0);
  expect_fates(&batch, "RR");
  expect_words(&batch, "slow");
  assert_int_equal(harbour_requests(scene->harbour, PUT), 0);
  to.release(to.data);
}

static void *cancel(void *data) {
  scene_t *scene = ((void **)data)[0];
  tally_destination_t *to = ((void **)data)[1];
  harbour_await(scene->harbour, PUT, 1);
  to->cancel(to->data);
  return NULL;
}

static void cancelled(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, PUT, -1, 0, "", "");
  tally_destination_t to = open_web(scene);
  pthread_t thread;
  void *data[] = {scene, &to};
  assert_int_equal(pthread_create(&thread, NULL, cancel, data), 0);
  batch_t batch = BATCH("a 1", "b 2");
  uint64_t begin = tally_clock_monotonic_ns();
  assert_int_equal(send_batch(&to, &batch), -1);
  assert_true(tally_clock_monotonic_ns() - begin < 10 * TALLY_NS_PER_S);
  expect_fates(&batch, "UR");
  pthread_join(thread, NULL);
  assert_int_equal(send_batch(&to, &batch), -1); /* and for ever */
  expect_fates(&batch, "RR");
  to.release(to.data);
}

#define SCENE(test)                                                            \
  cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      SCENE(too_old_and_too_new),        SCENE(one_that_is_bad),
      SCENE(a_wrong_endpoint),           SCENE(one_stream_is_throttled),
      SCENE(the_account_is_throttled),   SCENE(a_server_in_trouble),
      SCENE(an_answer_that_never_comes), SCENE(a_creation_without_an_answer),
      SCENE(a_batch_has_its_time),       SCENE(cancelled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
