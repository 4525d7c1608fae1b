/* SPDX-License-Identifier: MIT */
/* Signed requests: what goes out, what comes back, what is repaired. */
#include "config.h"

#include "aws_scene.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "aws/sigv4.h"
#include "core/clock.h"

/* Longer than the words that are kept of a refusal. */
#define HUNDRED                                                                \
  "abcdefghijklmnopqrstuvwxyabcdefghijklmnopqrstuvwxyabcdefghijklmnopqrstuvwx" \
  "y"                                                                          \
  "abcdefghijklmnopqrstuvwxy"
#define TOKEN "TOKENSECRET" HUNDRED HUNDRED HUNDRED

static tally_aws_client_t *client(scene_t *scene, int timeout_ms) {
  scene_session(
      scene, (tally_aws_options_t){.access_key = "AKOPT",
                                   .secret_key = "TOPSECRET",
                                   .session_token = TOKEN,
                                   .region = "eu-west-1",
                                   .endpoint_url = harbour_url(scene->harbour),
                                   .timeout_ms = timeout_ms});
  tally_error_t err = {0};
  tally_aws_client_t *made =
      tally_aws_client_create(scene->session, TALLY_AWS_KINESIS, &err);
  assert_non_null(made);
  return made;
}

static const tally_aws_request_t put = {
    .target = "Kinesis_20131202.PutRecords",
    .content_type = "application/x-amz-json-1.1",
    .body = "{\"Records\":[]}",
    .body_len = 14,
};

static int send_put(tally_aws_client_t *to, tally_aws_answer_t *answer,
                    tally_error_t *err) {
  *err = (tally_error_t){0};
  return tally_aws_client_send(to, &put, answer, err);
}

/* The value of a header as it was sent; static. */
static const char *header(const char *request, const char *name) {
  static _Thread_local char values[8][1024];
  static _Thread_local unsigned turn;
  char *value = values[turn++ % 8];
  char start[64];
  snprintf(start, sizeof(start), "\r\n%s: ", name);
  const char *p = strcasestr(request, start);
  if (p == NULL)
    fail_msg("no header %s in %s", name, request);
  p += strlen(start);
  snprintf(value, 1024, "%.*s", (int)strcspn(p, "\r"), p);
  return value;
}

/* As a service checks it: from what has arrived. */
static void check_signature(const char *request) {
  const char *body = strstr(request, "\r\n\r\n") + 4;
  char hash[TALLY_SIGV4_HEX];
  tally_sigv4_sha256(body, strlen(body), hash);
  const tally_sigv4_header_t headers[] = {
      {"content-type", header(request, "content-type")},
      {"host", header(request, "host")},
      {"x-amz-content-sha256", header(request, "x-amz-content-sha256")},
      {"x-amz-date", header(request, "x-amz-date")},
      {"x-amz-security-token", header(request, "x-amz-security-token")},
      {"x-amz-target", header(request, "x-amz-target")}};
  assert_string_equal(headers[2].value, hash);
  const tally_sigv4_request_t arrived = {.method = "POST",
                                         .path = "/",
                                         .query = "",
                                         .headers = headers,
                                         .headers_count = COUNT_OF(headers),
                                         .body_sha256 = hash,
                                         .region = "eu-west-1",
                                         .service = "kinesis",
                                         .date = headers[3].value};
  const tally_aws_keys_t keys = {.access_key = "AKOPT",
                                 .secret_key = "TOPSECRET"};
  tally_autobuffer tally_buffer_t out;
  tally_buffer_init(&out, 2048);
  assert_int_equal(tally_sigv4_sign(&arrived, &keys, &out, NULL), 0);
  assert_string_equal(header(request, "Authorization"), out.data);
}

static void a_request(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, "POST / ", -1, 200,
                 "x-amzn-RequestId: r-1\r\n", "{\"FailedRecordCount\":0}");
  tally_aws_client_t *to = client(scene, 5000);
  tally_aws_answer_t answer;
  tally_error_t err;
  for (unsigned i = 0; i < 3; i++) {
    assert_int_equal(send_put(to, &answer, &err), 0);
    assert_int_equal(answer.fault, TALLY_AWS_OK);
    assert_int_equal(answer.status, 200);
    assert_false(answer.uncertain);
    assert_string_equal(answer.request_id, "r-1");
    assert_string_equal(answer.body.data, "{\"FailedRecordCount\":0}");
    tally_aws_answer_clear(&answer);
    const char *request = harbour_request(scene->harbour, "POST / ", i);
    check_signature(request);
    assert_null(strstr(request, "Expect:"));
    assert_null(strstr(request, "TOPSECRET"));
  }
  assert_int_equal(harbour_connections(scene->harbour), 1);
  tally_aws_client_destroy(to);
}

static void refused(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, "POST", 1, 400, "",
                 "{\"__type\":\"ResourceNotFoundException\",\"message\":"
                 "\"Stream x under account 1 not found.\"}");
  harbour_answer(scene->harbour, "POST", 1, 400, "Retry-After: 7\r\n",
                 "{\"__type\":\"ThrottlingException\",\"message\":\"your "
                 "token " TOKEN "\"}");
  harbour_answer(scene->harbour, "POST", 1, 500, "", "");
  tally_aws_client_t *to = client(scene, 5000);
  tally_aws_answer_t answer;
  tally_error_t err;
  assert_int_equal(send_put(to, &answer, &err), -1);
  assert_int_equal(answer.fault, TALLY_AWS_MISCONFIGURED);
  assert_string_equal(answer.code, "ResourceNotFoundException");
  assert_non_null(strstr(err.message, "kinesis at http://127.0.0.1:"));
  assert_non_null(strstr(err.message, "Stream x under account 1 not found."));
  tally_aws_answer_clear(&answer);
  assert_int_equal(send_put(to, &answer, &err), -1);
  assert_int_equal(answer.fault, TALLY_AWS_THROTTLED);
  assert_int_equal(answer.retry_after_s, 7);
  assert_null(strstr(err.message, "TOKENSECRET"));
  tally_aws_answer_clear(&answer);
  assert_int_equal(send_put(to, &answer, &err), -1);
  assert_int_equal(answer.fault, TALLY_AWS_TEMPORARY);
  assert_non_null(strstr(err.message, ": status 500"));
  tally_aws_answer_clear(&answer);
  tally_aws_client_destroy(to);
}

static void clocks_that_differ(void **state) {
  scene_t *scene = *state;
  time_t then = time(NULL) + 7200;
  struct tm tm;
  char date[64], hour[32];
  gmtime_r(&then, &tm);
  strftime(date, sizeof(date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
  strftime(hour, sizeof(hour), "x-amz-date: %Y%m%dT%H", &tm);
  harbour_answer(scene->harbour, hour, -1, 200, date, "{}");
  harbour_answer(scene->harbour, "POST", -1, 400, date,
                 "{\"__type\":\"InvalidSignatureException\",\"message\":"
                 "\"Signature not yet current\"}");
  tally_aws_client_t *to = client(scene, 5000);
  tally_aws_answer_t answer;
  tally_error_t err;
  for (int i = 0; i < 2; i++) {
    assert_int_equal(send_put(to, &answer, &err), 0);
    assert_int_equal(answer.fault, TALLY_AWS_OK);
    assert_string_equal(answer.code, "");
    tally_aws_answer_clear(&answer);
  }
  assert_int_equal(harbour_requests(scene->harbour, "POST"), 3); /* learned */
  tally_aws_client_destroy(to);
}

/* A service that complains about a clock that is right: once is enough. */
static void clock_that_cannot_be_repaired(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, "POST", -1, 403, "",
                 "<Error><Code>RequestTimeTooSkewed</Code></Error>");
  tally_aws_client_t *to = client(scene, 5000);
  tally_aws_answer_t answer;
  tally_error_t err;
  assert_int_equal(send_put(to, &answer, &err), -1);
  assert_int_equal(answer.fault, TALLY_AWS_SKEW);
  assert_int_equal(harbour_requests(scene->harbour, "POST"), 1);
  tally_aws_answer_clear(&answer);
  tally_aws_client_destroy(to);
}

static void expired_keys(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, "Credential=AKOLD/", -1, 400, "",
                 "{\"__type\":\"ExpiredTokenException\",\"message\":\"old\"}");
  harbour_answer(scene->harbour, "Credential=AKNEW/", -1, 200, "", "{}");
  tree_write(&scene->home, "/.aws/credentials",
             "[default]\naws_access_key_id=AKOLD\naws_secret_access_key=s\n");
  scene_set("AWS_ENDPOINT_URL_KINESIS", "%s", harbour_url(scene->harbour));
  scene_session(scene, (tally_aws_options_t){.region = "eu-west-1"});
  tally_aws_client_t *to =
      tally_aws_client_create(scene->session, TALLY_AWS_KINESIS, NULL);
  tally_aws_answer_t answer;
  tally_error_t err;
  assert_int_equal(send_put(to, &answer, &err), -1); /* nothing newer there */
  assert_int_equal(answer.fault, TALLY_AWS_EXPIRED);
  assert_int_equal(harbour_requests(scene->harbour, "POST"), 1);
  tally_aws_answer_clear(&answer);
  tree_write(&scene->home, "/.aws/credentials",
             "[default]\naws_access_key_id=AKNEW\naws_secret_access_key=s\n");
  tally_aws_session_age(scene->session, 11);
  assert_int_equal(send_put(to, &answer, &err), 0);
  tally_aws_answer_clear(&answer);
  tally_aws_client_destroy(to);
}

static void no_answer(void **state) {
  scene_t *scene = *state;
  static const int said[] = {-1, 0}; /* hung up, silent */
  for (size_t i = 0; i < COUNT_OF(said); i++) {
    harbour_forget(scene->harbour);
    harbour_answer(scene->harbour, "POST", -1, said[i], "", "");
    tally_aws_client_t *to = client(scene, 300);
    tally_aws_answer_t answer;
    tally_error_t err;
    assert_int_equal(send_put(to, &answer, &err), -1);
    assert_int_equal(answer.fault, TALLY_AWS_TEMPORARY);
    assert_int_equal(answer.status, 0);
    assert_true(answer.uncertain); /* it may have been done */
    assert_non_null(strstr(err.message, "kinesis at http://"));
    tally_aws_answer_clear(&answer);
    tally_aws_client_destroy(to);
  }
  scene_session(scene,
                (tally_aws_options_t){.access_key = "A",
                                      .secret_key = "s",
                                      .region = "eu-west-1",
                                      .endpoint_url = "http://127.0.0.1:1"});
  tally_aws_client_t *to =
      tally_aws_client_create(scene->session, TALLY_AWS_KINESIS, NULL);
  tally_aws_answer_t answer;
  tally_error_t err;
  assert_int_equal(send_put(to, &answer, &err), -1);
  assert_int_equal(answer.fault, TALLY_AWS_TEMPORARY);
  assert_false(answer.uncertain);
  tally_aws_answer_clear(&answer);
  tally_aws_client_destroy(to);
}

/* A kept connection dies under the second request; libcurl begins anew. */
static void sent_twice(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, "POST", 1, 200, "", "{}");
  harbour_answer(scene->harbour, "POST", 1, -1, "", "");
  harbour_answer(scene->harbour, "POST", 1, 200, "", "{}");
  tally_aws_client_t *to = client(scene, 5000);
  tally_aws_answer_t answer;
  tally_error_t err;
  assert_int_equal(send_put(to, &answer, &err), 0);
  assert_false(answer.uncertain);
  tally_aws_answer_clear(&answer);
  send_put(to, &answer, &err);
  assert_true(answer.uncertain);
  tally_aws_answer_clear(&answer);
  tally_aws_client_destroy(to);
}

static void answer_too_long(void **state) {
  scene_t *scene = *state;
  char *large = malloc(TALLY_AWS_ANSWER_MAX + 2);
  memset(large, 'a', TALLY_AWS_ANSWER_MAX + 1);
  large[TALLY_AWS_ANSWER_MAX + 1] = '\0';
  harbour_answer(scene->harbour, "POST", -1, 200, "", large);
  free(large);
  tally_aws_client_t *to = client(scene, 5000);
  tally_aws_answer_t answer;
  tally_error_t err;
  assert_int_equal(send_put(to, &answer, &err), -1);
  assert_non_null(strstr(err.message, "longer than"));
  assert_true(answer.uncertain);
  tally_aws_answer_clear(&answer);
  tally_aws_client_destroy(to);
}

static void nothing_to_send_with(void **state) {
  scene_t *scene = *state;
  scene_session(scene, (tally_aws_options_t){.region = "eu-west-1"});
  tally_aws_client_t *to =
      tally_aws_client_create(scene->session, TALLY_AWS_KINESIS, NULL);
  tally_aws_answer_t answer;
  tally_error_t err;
  assert_int_equal(send_put(to, &answer, &err), -1);
  assert_int_equal(answer.fault, TALLY_AWS_NO_KEYS);
  assert_non_null(strstr(err.message, "no AWS credentials"));
  tally_aws_answer_clear(&answer);
  tally_aws_client_destroy(to);
}

static void configured_endpoints(void **state) {
  scene_t *scene = *state;
  tree_write(&scene->home, "/.aws/config",
             "[default]\nregion = eu-west-1\nservices = local\n"
             "endpoint_url = http://all.example/\n[services local]\n"
             "cloudwatch_logs =\n  endpoint_url = http://logs.example:1/p/\n");
  static const struct {
    const char *name, *value;
    tally_aws_service_t service;
    const char *url;
  } steps[] = {
      {"X_UNUSED", "", TALLY_AWS_LOGS, "http://logs.example:1/p"},
      {"X_UNUSED", "", TALLY_AWS_KINESIS, "http://all.example"},
      {"AWS_ENDPOINT_URL", "http://env.example", TALLY_AWS_LOGS,
       "http://env.example"},
      {"AWS_ENDPOINT_URL_CLOUDWATCH", "http://cw.example", TALLY_AWS_CLOUDWATCH,
       "http://cw.example"},
      {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", TALLY_AWS_CLOUDWATCH,
       "https://monitoring.eu-west-1.amazonaws.com"},
      {"AWS_USE_FIPS_ENDPOINT", "true", TALLY_AWS_CLOUDWATCH,
       "https://monitoring-fips.eu-west-1.amazonaws.com"},
      {"AWS_USE_DUALSTACK_ENDPOINT", "true", TALLY_AWS_CLOUDWATCH,
       "https://monitoring-fips.eu-west-1.api.aws"},
  };
  for (size_t i = 0; i < COUNT_OF(steps); i++) {
    char url[TALLY_AWS_URL_MAX];
    tally_error_t err = {0};
    scene_set(steps[i].name, "%s", steps[i].value);
    scene_session(scene, (tally_aws_options_t){0});
    if (tally_aws_session_endpoint(scene->session, steps[i].service, url,
                                   &err) != 0)
      fail_msg("%s", err.message);
    assert_string_equal(url, steps[i].url);
  }
}

typedef struct sender_s {
  tally_aws_client_t *client;
  tally_error_t err;
  int code;
} sender_t;

static void *send_in_thread(void *data) {
  sender_t *sender = data;
  tally_aws_answer_t answer;
  sender->code = send_put(sender->client, &answer, &sender->err);
  tally_aws_answer_clear(&answer);
  return NULL;
}

static void stopped(void **state) {
  scene_t *scene = *state;
  harbour_answer(scene->harbour, "POST", -1, 0, "", "");
  sender_t sender = {.client = client(scene, 60000)};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, send_in_thread, &sender), 0);
  harbour_await(scene->harbour, "POST", 1);
  uint64_t start_ns = tally_clock_monotonic_ns();
  tally_aws_client_stop(sender.client);
  pthread_join(thread, NULL);
  assert_true(tally_clock_monotonic_ns() - start_ns < 10 * TALLY_NS_PER_S);
  assert_int_equal(sender.code, -1);
  assert_int_equal(sender.err.code, ECANCELED);
  tally_aws_client_destroy(sender.client);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_request),
      TEST(refused),
      TEST(clocks_that_differ),
      TEST(clock_that_cannot_be_repaired),
      TEST(expired_keys),
      TEST(no_answer),
      TEST(sent_twice),
      TEST(answer_too_long),
      TEST(nothing_to_send_with),
      TEST(configured_endpoints),
      TEST(stopped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
