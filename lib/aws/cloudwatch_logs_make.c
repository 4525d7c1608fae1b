/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "aws/cloudwatch_logs_private.h"
#include "core/json.h"

#define BODY_MAX 4096 /* two names, quoted, and a number */

/* A call about the group, and a stream of it or not. What the service said is
 * in *code: "" if it was content. */
static tally_logs_end_t ask(tally_logs_t *logs, const char *operation,
                            const char *stream, unsigned days, char code[96],
                            tally_logs_failure_t *failure, tally_error_t *err) {
  tally_autobuffer tally_buffer_t body;
  tally_buffer_init(&body, BODY_MAX);
  int status = tally_buffer_append_str(&body, "{\"logGroupName\":");
  status |= tally_json_quote(&body, logs->group);
  if (stream != NULL) {
    status |= tally_buffer_append_str(&body, ",\"logStreamName\":");
    status |= tally_json_quote(&body, stream);
  }
  if (days > 0)
    status |= tally_buffer_printf(&body, ",\"retentionInDays\":%u", days);
  status |= tally_buffer_append(&body, "}", 1);
  *code = '\0';
  if (status != 0) {
    *failure = (tally_logs_failure_t){0};
    tally_error_set(err, ENOMEM, "%s, %s", logs->title, operation);
    return TALLY_LOGS_ALL;
  }
  tally_aws_answer_t answer;
  tally_logs_end_t end =
      tally_logs_call(logs, operation, &body, &answer, failure, err);
  failure->uncertain = false; /* nothing was put with it */
  memcpy(code, answer.code, sizeof(answer.code));
  tally_aws_answer_clear(&answer);
  return end;
}

static bool is_there_already(const char *code) {
  return strcmp(code, "ResourceAlreadyExistsException") == 0;
}

/* Its failure harms no data: it is said, and tried again with the next stream.
 */
static void keep_for_some_days(tally_logs_t *logs) {
  char code[96];
  tally_logs_failure_t failure;
  if (ask(logs, "PutRetentionPolicy", NULL, logs->retention_days, code,
          &failure, &logs->complaint) == TALLY_LOGS_TAKEN)
    logs->retention_owed = false;
}

static tally_logs_end_t make_group(tally_logs_t *logs,
                                   tally_logs_failure_t *failure,
                                   tally_error_t *err) {
  char code[96];
  tally_logs_end_t end =
      ask(logs, "CreateLogGroup", NULL, 0, code, failure, err);
  if (is_there_already(code))
    return TALLY_LOGS_TAKEN; /* whoever made it decides how long it keeps */
  if (end != TALLY_LOGS_TAKEN)
    return TALLY_LOGS_ALL;
  logs->retention_owed = logs->retention_days > 0;
  if (logs->retention_owed)
    keep_for_some_days(logs);
  return TALLY_LOGS_TAKEN;
}

tally_logs_end_t tally_logs_make_stream(tally_logs_t *logs, const char *stream,
                                        tally_logs_failure_t *failure,
                                        tally_error_t *err) {
  if (logs->retention_owed)
    keep_for_some_days(logs);
  char code[96];
  tally_logs_end_t end =
      ask(logs, "CreateLogStream", stream, 0, code, failure, err);
  if (strcmp(code, "ResourceNotFoundException") == 0 && logs->create_group) {
    end = make_group(logs, failure, err);
    if (end == TALLY_LOGS_TAKEN)
      end = ask(logs, "CreateLogStream", stream, 0, code, failure, err);
  }
  if (is_there_already(code))
    return TALLY_LOGS_TAKEN;
  if (end == TALLY_LOGS_TAKEN)
    logs->counters.streams_made++;
  /* The events are not to blame, and the other streams neither. */
  if (end == TALLY_LOGS_BAD_DATA || strstr(code, "AccessDenied") != NULL)
    return TALLY_LOGS_STREAM;
  return end;
}
