/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aws/cloudwatch_logs_private.h"
#include "core/json.h"

/* A stream to be made, a token or two that somebody else was quicker with. */
#define ATTEMPTS_MAX 5

/* ---- any call ------------------------------------------------------------ */

static tally_logs_end_t end_of(const tally_aws_answer_t *answer) {
  switch (answer->fault) {
  case TALLY_AWS_OK:
    return TALLY_LOGS_TAKEN;
  case TALLY_AWS_THROTTLED:
    return TALLY_LOGS_THROTTLED;
  case TALLY_AWS_PERMANENT:
    /* Whatever else is refused for ever may be a wrong endpoint: nothing to
     * throw records away for. */
    return tally_aws_answer_blames_body(answer) ? TALLY_LOGS_BAD_DATA
                                                : TALLY_LOGS_ALL;
  default:
    return TALLY_LOGS_ALL;
  }
}

tally_logs_end_t tally_logs_call(tally_logs_t *logs, const char *operation,
                                 const tally_buffer_t *body,
                                 tally_aws_answer_t *answer,
                                 tally_logs_failure_t *failure,
                                 tally_error_t *err) {
  char target[64];
  snprintf(target, sizeof(target), "Logs_20140328.%s", operation);
  const tally_aws_request_t request = {
      .target = target,
      .content_type = "application/x-amz-json-1.1",
      .body = body->data,
      .body_len = body->len,
  };
  if (tally_aws_client_send(logs->client, &request, answer, err) != 0)
    tally_error_wrap(err, "%s, %s", logs->title, operation);
  *failure = (tally_logs_failure_t){.status = answer->status,
                                    .retry_after_s = answer->retry_after_s,
                                    .uncertain = answer->uncertain};
  return end_of(answer);
}

/* ---- PutLogEvents -------------------------------------------------------- */

/* What stands behind the events: the same events are put again with another
 * token. */
static int finish_body(tally_buffer_t *body, size_t events_end,
                       const char *token) {
  tally_buffer_truncate(body, events_end);
  if (*token != '\0' &&
      (tally_buffer_append_str(body, ",\"sequenceToken\":") != 0 ||
       tally_json_quote(body, token) != 0))
    return -1;
  return tally_buffer_append(body, "}", 1);
}

/* What to do after an attempt. */
typedef enum step_e {
  STEP_END,
  STEP_AGAIN, /* with the token that is known now */
  STEP_MAKE,  /* the stream is missing */
} step_t;

static step_t judge(tally_logs_t *logs, const char *stream, size_t count,
                    const tally_aws_answer_t *said, tally_logs_end_t *end,
                    tally_logs_answer_t *answer, tally_logs_failure_t *failure,
                    tally_error_t *err) {
  int understood =
      tally_logs_answer_read(answer, said->body.data, said->body.len, count);
  step_t step = STEP_END;
  if (*end == TALLY_LOGS_TAKEN && understood != 0) {
    tally_error_set(err, 0, "who answers there is not CloudWatch Logs");
    tally_aws_client_doubt(logs->client, err);
    tally_error_wrap(err, "%s, PutLogEvents", logs->title);
    failure->uncertain = true;
    *end = TALLY_LOGS_ALL;
  } else if (strcmp(said->code, "DataAlreadyAcceptedException") == 0) {
    *end = TALLY_LOGS_TAKEN;
  } else if (strcmp(said->code, "InvalidSequenceTokenException") == 0) {
    logs->tokens.wanted = true;
    *end = TALLY_LOGS_STREAM;
    step = STEP_AGAIN;
  } else if (strcmp(said->code, "ResourceNotFoundException") == 0) {
    step = STEP_MAKE;
  }
  if (*end == TALLY_LOGS_TAKEN || step == STEP_AGAIN)
    tally_logs_token_keep(&logs->tokens, stream, answer->token);
  return step;
}

static tally_logs_end_t attempt(tally_logs_t *logs, const char *stream,
                                size_t count, step_t *step,
                                tally_logs_answer_t *answer,
                                tally_logs_failure_t *failure,
                                tally_error_t *err) {
  tally_aws_answer_t said;
  tally_logs_end_t end =
      tally_logs_call(logs, "PutLogEvents", &logs->body, &said, failure, err);
  logs->counters.calls++;
  *step = judge(logs, stream, count, &said, &end, answer, failure, err);
  logs->counters.throttled += end == TALLY_LOGS_THROTTLED;
  tally_aws_answer_clear(&said);
  return end;
}

static tally_logs_end_t no_memory(const tally_logs_t *logs,
                                  tally_logs_failure_t *failure,
                                  tally_error_t *err) {
  *failure = (tally_logs_failure_t){0};
  tally_error_set(err, ENOMEM, "%s", logs->title);
  return TALLY_LOGS_ALL;
}

tally_logs_end_t tally_logs_put(tally_logs_t *logs, const char *stream,
                                const tally_logs_event_t *events, size_t count,
                                tally_logs_answer_t *answer,
                                tally_logs_failure_t *failure,
                                tally_error_t *err) {
  tally_buffer_reset(&logs->body);
  if (tally_logs_quote_events(&logs->body, logs->group, stream, events,
                              count) != 0)
    return no_memory(logs, failure, err);
  size_t events_end = logs->body.len;
  tally_logs_end_t end = TALLY_LOGS_STREAM;
  bool made = false;
  for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
    if (finish_body(&logs->body, events_end,
                    tally_logs_token(&logs->tokens, stream)) != 0)
      return no_memory(logs, failure, err);
    step_t step;
    end = attempt(logs, stream, count, &step, answer, failure, err);
    if (step == STEP_END || (step == STEP_MAKE && made))
      return end;
    if (step == STEP_MAKE) {
      end = tally_logs_make_stream(logs, stream, failure, err);
      if (end != TALLY_LOGS_TAKEN)
        return end;
      made = true;
    }
  }
  return end;
}
