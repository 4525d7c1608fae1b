/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>

#include "aws/kinesis_answer.h"
#include "aws/kinesis_private.h"
#include "core/clock.h"

#define TARGET "Kinesis_20131202."
#define CONTENT_TYPE "application/x-amz-json-1.1"
#define PAGE "1000" /* shards; the answer stays below TALLY_AWS_ANSWER_MAX */
#define PAGES_MAX                                                              \
  (TALLY_KINESIS_SHARDS_MAX / 1000 * 4) /* most may be closed                  \
                                         */
#define LIST_NS (20 * TALLY_NS_PER_S)   /* all pages together */

/* When it is asked again: after an answer, which may have grown old unnoticed
 * where a stream was made anew; after a failure; after a refusal, which lasts;
 * and as soon as the map was found to be wrong, but no faster than this. */
#define MAP_AGE_NS (600 * TALLY_NS_PER_S)
#define LIMIT_AGE_NS (3600 * TALLY_NS_PER_S)
#define FAILED_NS (10 * TALLY_NS_PER_S)
#define REFUSED_NS (300 * TALLY_NS_PER_S)
#define DOUBT_NS TALLY_NS_PER_S

static int ask(tally_kinesis_t *kinesis, const char *target, const char *body,
               size_t len, tally_aws_answer_t *answer, tally_error_t *err) {
  tally_aws_request_t request = {.target = target,
                                 .content_type = CONTENT_TYPE,
                                 .body = body,
                                 .body_len = len};
  return tally_aws_client_send(kinesis->client, &request, answer, err);
}

/* A service that gave no answer gives none to PutRecords either. */
static bool is_silent(const tally_aws_answer_t *answer) {
  return answer->status == 0;
}

static uint64_t next_try_ns(const tally_aws_answer_t *answer) {
  bool lasts = answer->fault == TALLY_AWS_MISCONFIGURED ||
               answer->fault == TALLY_AWS_PERMANENT;
  return tally_clock_monotonic_ns() + (lasts ? REFUSED_NS : FAILED_NS);
}

/* ---- shards -------------------------------------------------------------- */

static void use_shards(tally_kinesis_t *kinesis,
                       tally_kinesis_shards_t *shards) {
  tally_kinesis_shards_clear(&kinesis->shards);
  kinesis->shards = *shards;
  *shards = (tally_kinesis_shards_t){0};
  tally_kinesis_shards_sort(&kinesis->shards);
  atomic_store(&kinesis->counters.shards, (unsigned)kinesis->shards.count);
}

/* All pages into `shards`; `answer` is the last one. */
static int list_shards(tally_kinesis_t *kinesis, tally_kinesis_shards_t *shards,
                       tally_aws_answer_t *answer, tally_error_t *err) {
  uint64_t until_ns = tally_clock_monotonic_ns() + LIST_NS;
  tally_autobuffer tally_buffer_t body;
  tally_buffer_init(&body, 64 * 1024);
  int code = tally_buffer_printf(&body, "{%s,\"MaxResults\":" PAGE "}",
                                 kinesis->member);
  for (int page = 0; code == 0 && body.len > 0; page++) {
    tally_aws_answer_clear(answer);
    if (page == PAGES_MAX || tally_clock_monotonic_ns() > until_ns)
      return tally_error_set(err, 0, "ListShards has no end");
    code = ask(kinesis, TARGET "ListShards", body.data, body.len, answer, err);
    if (code == 0)
      code = tally_kinesis_answer_shards(answer->body.data, answer->body.len,
                                         shards, &body, err);
  }
  return code;
}

static int learn_shards(tally_kinesis_t *kinesis, tally_error_t *err) {
  tally_aws_answer_t answer = {.status = -1};
  tally_buffer_init(&answer.body, 0);
  tally_kinesis_shards_t shards = {0};
  int code = list_shards(kinesis, &shards, &answer, err);
  bool silent = code != 0 && is_silent(&answer);
  if (code == 0)
    kinesis->proven = true;
  else
    tally_kinesis_shards_clear(&shards);
  if (!silent) { /* without shards it is one aggregate per key */
    use_shards(kinesis, &shards);
    kinesis->shards_due_ns = code == 0 ? tally_clock_monotonic_ns() + MAP_AGE_NS
                                       : next_try_ns(&answer);
  }
  tally_aws_answer_clear(&answer);
  return silent ? tally_error_wrap(err, "%s", kinesis->title) : 0;
}

void tally_kinesis_stream_doubt(tally_kinesis_t *kinesis) {
  uint64_t now_ns = tally_clock_monotonic_ns();
  bool again = kinesis->shards_doubted_ns != 0 &&
               now_ns < kinesis->shards_doubted_ns + DOUBT_NS;
  kinesis->shards_doubted_ns = now_ns;
  if (!again && learn_shards(kinesis, NULL) == 0)
    return;
  tally_kinesis_shards_t none = {0};
  use_shards(kinesis, &none);
  kinesis->shards_due_ns = now_ns + DOUBT_NS;
}

/* ---- the stream ---------------------------------------------------------- */

static int describe(tally_kinesis_t *kinesis, tally_aws_answer_t *answer,
                    tally_error_t *err) {
  char body[sizeof(kinesis->member) + 3];
  int len = snprintf(body, sizeof(body), "{%s}", kinesis->member);
  return ask(kinesis, TARGET "DescribeStreamSummary", body, (size_t)len, answer,
             err);
}

bool tally_kinesis_stream_is_there(tally_kinesis_t *kinesis) {
  tally_aws_answer_t answer;
  int code = describe(kinesis, &answer, NULL);
  tally_aws_answer_clear(&answer);
  return code == 0;
}

static int learn_record_bytes(tally_kinesis_t *kinesis, tally_error_t *err) {
  tally_aws_answer_t answer;
  int code = describe(kinesis, &answer, err);
  bool silent = code != 0 && is_silent(&answer);
  if (code == 0) {
    size_t bytes =
        tally_kinesis_answer_record_bytes(answer.body.data, answer.body.len);
    kinesis->record_bytes = bytes > 0 ? bytes : TALLY_KINESIS_RECORD_BYTES;
    kinesis->record_bytes_due_ns = tally_clock_monotonic_ns() + LIMIT_AGE_NS;
    kinesis->proven = true;
  } else if (!silent) { /* the service may decide, record by record */
    kinesis->record_bytes_due_ns = next_try_ns(&answer);
  }
  tally_aws_answer_clear(&answer);
  return silent ? tally_error_wrap(err, "%s", kinesis->title) : 0;
}

int tally_kinesis_stream_learn(tally_kinesis_t *kinesis, tally_error_t *err) {
  uint64_t now_ns = tally_clock_monotonic_ns();
  tally_error_t why = {0};
  int code = 0;
  if (kinesis->options.aggregate && now_ns >= kinesis->shards_due_ns)
    code = learn_shards(kinesis, &why);
  if (code == 0 && kinesis->options.large_records &&
      now_ns >= kinesis->record_bytes_due_ns)
    code = learn_record_bytes(kinesis, &why);
  if (code != 0 && err != NULL)
    *err = why; /* that there is no map is nothing to complain about */
  return code;
}
