/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cloudwatch_logs_scene.h"

#include "core/clock.h"
#include "core/json.h"

void refuse(scene_t *scene, const char *part, int times, const char *code,
            const char *words) {
  char body[512];
  snprintf(body, sizeof(body), "{\"__type\":\"%s\",\"message\":\"%s\"}", code,
           words);
  harbour_answer(scene->harbour, part, times, 400, "", body);
}

void take(scene_t *scene, const char *part, int times) {
  harbour_answer(scene->harbour, part, times, 200, "", "{}");
}

/* ---- a batch ------------------------------------------------------------- */

void add_at(batch_t *batch, const char *key, const char *text,
            uint64_t time_ms) {
  assert_true(batch->count < RECORDS_MAX);
  batch->fates[batch->count] = TALLY_FATE_UNSURE;
  batch->records[batch->count++] =
      (tally_record_t){.key = key,
                       .key_len = strlen(key),
                       .data = text,
                       .len = strlen(text),
                       .time_ns = time_ms * TALLY_NS_PER_MS};
}

batch_t batch_of(const char *const *texts, size_t count) {
  static char keys[RECORDS_MAX][32];
  batch_t batch = {0};
  for (size_t i = 0; i < count; i++) {
    snprintf(keys[i], sizeof(keys[i]), "%.*s", (int)strcspn(texts[i], " "),
             texts[i]);
    add_at(&batch, keys[i], strchr(texts[i], ' ') + 1, NOW_MS + i);
  }
  return batch;
}

int send_batch(tally_destination_t *to, batch_t *batch) {
  batch->answer = (tally_answer_t){0};
  batch->err = (tally_error_t){0};
  return to->send(to->data, batch->records, batch->count, batch->fates,
                  &batch->answer, &batch->err);
}

void expect_fates(const batch_t *batch, const char *expected) {
  char fates[RECORDS_MAX + 1] = "";
  for (size_t i = 0; i < batch->count; i++)
    fates[i] = "USRX"[batch->fates[i]];
  assert_string_equal(fates, expected);
}

void expect_words(const batch_t *batch, const char *words) {
  if (strstr(batch->err.message, words) == NULL)
    fail_msg("`%s' without `%s'", batch->err.message, words);
}

static tally_destination_t
open_with(scene_t *scene, const tally_cloudwatch_logs_options_t *options,
          int timeout_ms) {
  scene_session(
      scene, (tally_aws_options_t){.access_key = "AK",
                                   .secret_key = "TOPSECRET",
                                   .region = "eu-west-1",
                                   .endpoint_url = harbour_url(scene->harbour),
                                   .timeout_ms = timeout_ms});
  tally_destination_t to;
  tally_outbox_options_t outbox = {0};
  tally_error_t err = {0};
  if (tally_cloudwatch_logs_open(scene->session, options, &to, &outbox, &err) !=
      0)
    fail_msg("%s", err.message);
  return to;
}

#define PATIENT_MS 20000
#define HASTY_MS 1500

tally_destination_t open_group(scene_t *scene,
                               const tally_cloudwatch_logs_options_t *options) {
  return open_with(scene, options, PATIENT_MS);
}

static const tally_cloudwatch_logs_options_t web = {.group = "web"};

tally_destination_t open_web(scene_t *scene) {
  return open_with(scene, &web, PATIENT_MS);
}

tally_destination_t open_hasty(scene_t *scene) {
  return open_with(scene, &web, HASTY_MS);
}

void expect_request(scene_t *scene, const char *operation, unsigned i,
                    const char *stream, const char *messages,
                    const char *token) {
  const char *request = harbour_request(scene->harbour, operation, i);
  assert_non_null(request);
  const char *body = strstr(request, "\r\n\r\n") + 4;
  tally_json_t *json = tally_json_parse(body, strlen(body), NULL);
  assert_non_null(json);
  assert_string_equal(tally_json_string(tally_json_get(json, "logGroupName")),
                      "web");
  const char *name = tally_json_string(tally_json_get(json, "logStreamName"));
  assert_string_equal(name != NULL ? name : "", stream);
  char text[1024] = "";
  const tally_json_t *events = tally_json_get(json, "logEvents");
  for (size_t k = 0; k < tally_json_count(events); k++) {
    const char *message = tally_json_string(
        tally_json_get(tally_json_at(events, k, NULL), "message"));
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
             k > 0 ? "," : "", message);
  }
  assert_string_equal(text, messages);
  const char *sent = tally_json_string(tally_json_get(json, "sequenceToken"));
  assert_string_equal(sent != NULL ? sent : "", token);
  tally_json_destroy(json);
}

void expect_put(scene_t *scene, unsigned i, const char *stream,
                const char *messages) {
  expect_request(scene, PUT, i, stream, messages, "");
}

tally_cloudwatch_logs_stats_t stats_of(const tally_destination_t *to) {
  tally_cloudwatch_logs_stats_t stats;
  tally_cloudwatch_logs_stats(to, &stats);
  return stats;
}
