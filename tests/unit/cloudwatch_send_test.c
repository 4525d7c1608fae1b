/* SPDX-License-Identifier: MIT */
/* PutMetricData: calls, fates, what is refused. */
#include "config.h"

#include "aws_scene.h"
#include "cloudwatch_scene.h"

#include <strings.h>
#include <zlib.h>

#include "core/clock.h"

#define REFUSAL(code)                                                          \
  "<ErrorResponse><Error><Type>Sender</Type><Code>" code                       \
  "</Code><Message>no</Message></Error></ErrorResponse>"

#define TAKEN "<PutMetricDataResponse></PutMetricDataResponse>"

static void launch(scene_t *scene, tally_cloudwatch_options_t options,
                   int timeout_ms) {
  load_ship();
  scene_session(
      scene, (tally_aws_options_t){.access_key = "AK",
                                   .secret_key = "TOPSECRET",
                                   .region = "eu-west-1",
                                   .endpoint_url = harbour_url(scene->harbour),
                                   .timeout_ms = timeout_ms});
  assert_int_equal(tally_cloudwatch_open(scene->session, &options,
                                         &ship.destination, &ship.outbox,
                                         &ship.err),
                   0);
}

/* ---- calls --------------------------------------------------------------- */

static void one_call(void **state) {
  scene_t *scene = *state;
  launch(scene, (tally_cloudwatch_options_t){.plain = true}, 0);
  assert_int_equal(ship.outbox.batch_records, 1000);
  assert_true(ship.outbox.batch_bytes < 1000000);
  harbour_answer(scene->harbour, "POST / HTTP", -1, 200, "", TAKEN);
  take("my space", "a", 1);
  take("my space", "b", 2);
  assert_int_equal(send_all(), 0);
  expect_fates("ss");
  const char *request = harbour_request(scene->harbour, "POST", 0);
  assert_non_null(strcasestr(
      request,
      "content-type: application/x-www-form-urlencoded; charset=utf-8"));
  assert_non_null(strstr(request, "/eu-west-1/monitoring/aws4_request"));
  assert_null(strcasestr(request, "content-encoding"));
  const char *body = strstr(request, "\r\n\r\n") + 4;
  static const char begin[] =
      "Action=PutMetricData&Version=2010-08-01&Namespace=my%20space"
      "&MetricData.member.1.MetricName=a&MetricData.member.1.Timestamp=";
  assert_int_equal(strncmp(body, begin, strlen(begin)), 0);
  assert_non_null(strstr(body, "&MetricData.member.1.Value=1"
                               "&MetricData.member.2.MetricName=b"));
  sink();
}

/* Read back by zlib's own reader of files. */
static void compressed(void **state) {
  scene_t *scene = *state;
  launch(scene, (tally_cloudwatch_options_t){0}, 0);
  harbour_answer(scene->harbour, "POST", -1, 200, "", TAKEN);
  for (unsigned i = 0; i < DATA_MAX; i++) {
    char name[32];
    snprintf(name, sizeof(name), "metric-%u", i);
    take("n", name, i);
  }
  assert_int_equal(send_all(), 0);
  const char *request = harbour_request(scene->harbour, "POST", 0);
  assert_non_null(strcasestr(request, "content-encoding: gzip"));
  const char *body = strstr(request, "\r\n\r\n") + 4;
  size_t len = strtoul(strcasestr(request, "content-length:") +
                           strlen("content-length:"),
                       NULL, 10);
  FILE *file = fopen(scene_path(scene, "/body.gz"), "w");
  assert_int_equal(fwrite(body, 1, len, file), len);
  fclose(file);
  gzFile unpacked = gzopen(scene_path(scene, "/body.gz"), "r");
  static char text[1000000];
  int text_len = gzread(unpacked, text, sizeof(text) - 1);
  assert_int_equal(gzclose(unpacked), Z_OK);
  assert_true(text_len > 0 && (size_t)text_len > 5 * len);
  text[text_len] = '\0';
  assert_non_null(
      strstr(text, "&MetricData.member.1000.MetricName=metric-999"));
  sink();
}

static void namespaces(void **state) {
  scene_t *scene = *state;
  launch(scene, (tally_cloudwatch_options_t){.plain = true}, 0);
  harbour_answer(scene->harbour, "POST", -1, 200, "", TAKEN);
  take("x", "a", 1);
  take("y", "b", 1);
  take("x", "c", 1);
  take("xx", "d", 1);
  assert_int_equal(send_all(), 0);
  expect_fates("ssss");
  assert_int_equal(harbour_requests(scene->harbour, "POST"), 3);
  const char *request = harbour_request(scene->harbour, "Namespace=x&", 0);
  assert_non_null(strstr(request, "member.2.MetricName=c"));
  sink();
}

/* What is taken is no search for what is bad, however many calls it needs. */
static void many_namespaces(void **state) {
  scene_t *scene = *state;
  launch(scene, (tally_cloudwatch_options_t){.plain = true}, 0);
  harbour_answer(scene->harbour, "POST", -1, 200, "", TAKEN);
  for (unsigned i = 0; i < 100; i++) {
    char space[32];
    snprintf(space, sizeof(space), "space%u", i);
    take(space, "a", 1);
  }
  assert_int_equal(send_all(), 0);
  for (size_t i = 0; i < ship.count; i++)
    assert_int_equal(ship.fates[i], TALLY_FATE_SENT);
  assert_string_equal(ship.err.message, "");
  sink();
}

/* ---- failures ------------------------------------------------------------ */

/* What succeeded before is not sent again. */
static void failure_in_mid_batch(void **state) {
  scene_t *scene = *state;
  launch(scene, (tally_cloudwatch_options_t){.plain = true}, 0);
  harbour_answer(scene->harbour, "Namespace=y&", 1, 503, "Retry-After: 7\r\n",
                 "");
  harbour_answer(scene->harbour, "POST", -1, 200, "", TAKEN);
  take("x", "a", 1);
  take("y", "b", 1);
  take("z", "c", 1);
  take("x", "d", 1);
  assert_int_equal(send_all(), -1);
  expect_fates("srrs");
  assert_int_equal(ship.answer.status, 503);
  assert_int_equal(ship.answer.retry_after_ns, 7 * TALLY_NS_PER_S);
  assert_non_null(strstr(ship.err.message, "monitoring"));
  assert_int_equal(harbour_requests(scene->harbour, "Namespace=z&"), 0);
  sink();
}

static void no_answer(void **state) {
  scene_t *scene = *state;
  for (int drop = 0; drop <= 1; drop++) {
    launch(scene,
           (tally_cloudwatch_options_t){.plain = true, .drop_unsure = drop},
           1000);
    harbour_forget(scene->harbour);
    harbour_answer(scene->harbour, "Namespace=y&", 1, 0, "", "");
    harbour_answer(scene->harbour, "POST", -1, 200, "", TAKEN);
    take("x", "a", 1);
    take("y", "b", 1);
    take("z", "c", 1);
    assert_int_equal(send_all(), -1);
    expect_fates(drop ? "ssr" : "sur");
    sink();
  }
}

/* ---- refusals ------------------------------------------------------------ */

static void halving(void **state) {
  scene_t *scene = *state;
  launch(scene, (tally_cloudwatch_options_t){.plain = true}, 0);
  harbour_answer(scene->harbour, "Value=666", -1, 400, "",
                 REFUSAL("InvalidParameterValue"));
  harbour_answer(scene->harbour, "POST", -1, 200, "", TAKEN);
  for (int i = 0; i < 16; i++) {
    char name[8];
    snprintf(name, sizeof(name), "m%d", i);
    take("n", name, i == 11 ? 666 : 1);
  }
  assert_int_equal(send_all(), 0);
  expect_fates("sssssssssssxssss");
  assert_int_equal(harbour_requests(scene->harbour, "POST"), 7);
  assert_int_equal(ship.answer.status, 400);
  assert_non_null(strstr(ship.err.message, "InvalidParameterValue: no"));
  /* Each good one was taken once. */
  for (int i = 0; i < 16; i++) {
    char part[32];
    unsigned taken = 0;
    snprintf(part, sizeof(part), "MetricName=m%d&", i);
    for (unsigned r = 0; r < harbour_requests(scene->harbour, part); r++)
      taken +=
          strstr(harbour_request(scene->harbour, part, r), "Value=666") == NULL;
    assert_int_equal(taken, i == 11 ? 0 : 1);
  }
  sink();
}

static void halving_meets_trouble(void **state) {
  scene_t *scene = *state;
  launch(scene, (tally_cloudwatch_options_t){.plain = true}, 0);
  harbour_answer(scene->harbour, "MetricName=m0&", 1, 413, "", "");
  harbour_answer(scene->harbour, "MetricName=m2&", 1, 400, "",
                 REFUSAL("Throttling"));
  harbour_answer(scene->harbour, "POST", -1, 200, "", TAKEN);
  take("n", "m0", 1);
  take("n", "m1", 1);
  take("n", "m2", 1);
  take("n", "m3", 1);
  assert_int_equal(send_all(), -1);
  expect_fates("ssrr");
  assert_int_equal(ship.answer.status, 400);
  assert_non_null(strstr(ship.err.message, "Throttling"));
  sink();
}

/* With nothing but bad data there is an end to the calls. */
static void bounded_search(void **state) {
  scene_t *scene = *state;
  launch(scene, (tally_cloudwatch_options_t){.plain = true}, 0);
  harbour_answer(scene->harbour, "POST", -1, 400, "",
                 REFUSAL("ValidationError"));
  for (unsigned i = 0; i < 100; i++) {
    char name[32];
    snprintf(name, sizeof(name), "m%u", i);
    take("n", name, 1);
  }
  assert_int_equal(send_all(), -1);
  assert_int_equal(harbour_requests(scene->harbour, "POST"), 64);
  size_t refused = 0;
  for (size_t i = 0; i < ship.count; i++)
    refused += ship.fates[i] == TALLY_FATE_REFUSED;
  assert_in_range(refused, 7, 10); /* each takes log2(100) calls */
  assert_int_equal(ship.fates[0], TALLY_FATE_REFUSED);
  assert_int_equal(ship.fates[99], TALLY_FATE_RETRY);
  sink();
}

/* Somebody who does not understand us at all gets us to keep what we have. */
static void strange_refusals(void **state) {
  scene_t *scene = *state;
  launch(scene, (tally_cloudwatch_options_t){.plain = true}, 0);
  harbour_answer(scene->harbour, "POST", -1, 400, "", "what?");
  take("n", "a", 666);
  take("n", "b", 1);
  assert_int_equal(send_all(), -1);
  expect_fates("rr");
  assert_non_null(strstr(ship.err.message, "what?"));
  harbour_forget(scene->harbour);
  harbour_answer(scene->harbour, "Value=666", -1, 400, "", "what?");
  harbour_answer(scene->harbour, "POST", -1, 200, "", TAKEN);
  assert_int_equal(send_all(), 0);
  expect_fates("xs");
  sink();
}

/* And somebody who says yes to everything is not believed. */
static void strange_consent(void **state) {
  scene_t *scene = *state;
  launch(scene, (tally_cloudwatch_options_t){.plain = true}, 0);
  harbour_answer(scene->harbour, "POST", 1, 200, "", "<html>Welcome!</html>");
  harbour_answer(scene->harbour, "POST", 1, 200, "", "");
  harbour_answer(scene->harbour, "POST", 1, 200, "", TAKEN);
  take("n", "a", 1);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(send_all(), -1);
    expect_fates("u");
    assert_int_equal(strncmp(ship.err.message, "endpoint http://127.0.0.1:",
                             strlen("endpoint http://127.0.0.1:")),
                     0);
    assert_non_null(strstr(ship.err.message, "is not CloudWatch"));
  }
  assert_int_equal(send_all(), 0);
  expect_fates("s");
  sink();
}

static void foreign_records(void **state) {
  scene_t *scene = *state;
  launch(scene, (tally_cloudwatch_options_t){.plain = true}, 0);
  harbour_answer(scene->harbour, "POST", -1, 200, "", TAKEN);
  take("n", "a", 1);
  take("n", "b", 1);
  take("n", "c", 1);
  ((char *)ship.records[1].data)[0] = 9;
  ship.records[2].time_ns -= 15 * 24 * 3600 * TALLY_NS_PER_S;
  assert_int_equal(send_all(), 0);
  expect_fates("sxx");
  assert_non_null(strstr(ship.err.message, "datum of version 9"));
  assert_int_equal(harbour_requests(scene->harbour, "MetricName=c"), 0);
  sink();
}

static void cancelled(void **state) {
  scene_t *scene = *state;
  launch(scene, (tally_cloudwatch_options_t){.plain = true}, 0);
  take("n", "a", 1);
  ship.destination.cancel(ship.destination.data);
  assert_int_equal(send_all(), -1);
  expect_fates("r");
  sink();
}

int main(void) {
#define TEST(name)                                                             \
  cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
  const struct CMUnitTest tests[] = {
      TEST(one_call),
      TEST(compressed),
      TEST(namespaces),
      TEST(many_namespaces),
      TEST(failure_in_mid_batch),
      TEST(no_answer),
      TEST(halving),
      TEST(halving_meets_trouble),
      TEST(bounded_search),
      TEST(strange_refusals),
      TEST(strange_consent),
      TEST(foreign_records),
      TEST(cancelled),

  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
