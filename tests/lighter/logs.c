/* SPDX-License-Identifier: MIT */
#include "config.h"

/* CloudWatch Logs, API 2014-03-28: what a producer calls. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service.h"

#define EVENTS_MAX 10000
#define CALL_MAX 1048576
#define EVENT_OVERHEAD 26
#define SPAN_MAX_MS (24 * 3600 * INT64_C(1000))
#define AGE_MAX_MS (14 * SPAN_MAX_MS)
#define AHEAD_MAX_MS (2 * 3600 * INT64_C(1000))
#define STREAMS_LIMIT 100000

/* A group is a stream with the name "". */
struct log_stream_s {
  UT_hash_handle hh;
  char name[]; /* GROUP '\n' STREAM: neither may have a line feed in it */
};

static const char *text_of(const call_t *call, const char *name) {
  const char *text = tally_json_string(tally_json_get(call->json, name));
  return text != NULL ? text : "";
}

static log_stream_t *find(call_t *call, const char *stream) {
  tally_autobuffer tally_buffer_t name;
  tally_buffer_init(&name, 4096);
  tally_buffer_printf(&name, "%s\n%s", call->resource, stream);
  log_stream_t *found;
  HASH_FIND(hh, call->service->log_streams, name.data, name.len, found);
  return found;
}

static void create(call_t *call, const char *stream) {
  size_t size = strlen(call->resource) + strlen(stream) + 2;
  log_stream_t *made = NULL;
  if (find(call, stream) != NULL)
    answer_error(call->answer, 400, "ResourceAlreadyExistsException",
                 "The specified resource already exists");
  else if (HASH_COUNT(call->service->log_streams) == STREAMS_LIMIT ||
           (made = malloc(sizeof(*made) + size)) == NULL)
    answer_error(call->answer, 400, "LimitExceededException",
                 "Resource limit exceeded.");
  if (made == NULL)
    return;
  snprintf(made->name, size, "%s\n%s", call->resource, stream);
  HASH_ADD_KEYPTR(hh, call->service->log_streams, made->name, size - 1, made);
  tally_buffer_append_str(&call->answer->body, "{}");
}

static bool exists(call_t *call, const char *stream) {
  if (find(call, stream) != NULL)
    return true;
  answer_error(call->answer, 400, "ResourceNotFoundException",
               *stream != '\0' && find(call, "") != NULL
                   ? "The specified log stream does not exist."
                   : "The specified log group does not exist.");
  return false;
}

static void create_log_group(call_t *call) { create(call, ""); }

static void create_log_stream(call_t *call) {
  if (exists(call, ""))
    create(call, text_of(call, "logStreamName"));
}

static void put_retention_policy(call_t *call) {
  if (exists(call, ""))
    tally_buffer_append_str(&call->answer->body, "{}");
}

/* ---- PutLogEvents
 * ------------------------------------------------------------ */

typedef struct log_event_s {
  int64_t time_ms;
  const char *message;
} log_event_t;

static log_event_t event_at(const tally_json_t *events, size_t i) {
  const tally_json_t *event = tally_json_at(events, i, NULL);
  return (log_event_t){
      .time_ms = tally_json_int(tally_json_get(event, "timestamp"), -1),
      .message = tally_json_string(tally_json_get(event, "message")),
  };
}

/* What makes the service refuse the whole call; NULL. */
static const char *problem_of(const tally_json_t *events) {
  size_t count = tally_json_count(events), bytes = 0;
  if (count == 0 || count > EVENTS_MAX)
    return "Log event count has to be between 1 and 10000";
  int64_t first = event_at(events, 0).time_ms, last = first;
  for (size_t i = 0; i < count; i++) {
    log_event_t event = event_at(events, i);
    if (event.time_ms < 0 || event.message == NULL || *event.message == '\0')
      return "An event needs a timestamp and a message of one byte at least";
    if (event.time_ms < last)
      return "Log events in a single PutLogEvents request must be in "
             "chronological order.";
    last = event.time_ms;
    bytes += strlen(event.message) + EVENT_OVERHEAD;
  }
  if (last - first > SPAN_MAX_MS)
    return "The batch of log events in a single PutLogEvents request cannot "
           "span more than 24 hours.";
  return bytes > CALL_MAX ? "Upload too large: the limit is 1048576 bytes"
                          : NULL;
}

/* Events are in order, so what is too old stands in front and what is too new
 * at the end. */
static void take_events(call_t *call, const tally_json_t *events) {
  int64_t now_ms = service_now_s(call->service) * 1000;
  const char *stream = text_of(call, "logStreamName");
  size_t count = tally_json_count(events), old = 0, taken = 0;
  uint64_t number = call_number(call);
  for (size_t i = 0; i < count; i++) {
    log_event_t event = event_at(events, i);
    if (event.time_ms < now_ms - AGE_MAX_MS) {
      old++;
    } else if (event.time_ms <= now_ms + AHEAD_MAX_MS) {
      ledger_take(call->service->ledger, number, stream, strlen(stream),
                  event.message, strlen(event.message));
      taken++;
    }
  }
  tally_buffer_t *out = &call->answer->body;
  tally_buffer_append_str(out, "{\"nextSequenceToken\":\"1\"");
  if (taken < count) {
    tally_buffer_append_str(out, ",\"rejectedLogEventsInfo\":{");
    if (old > 0)
      tally_buffer_printf(out, "\"tooOldLogEventEndIndex\":%zu", old);
    if (old + taken < count)
      tally_buffer_printf(out, "%s\"tooNewLogEventStartIndex\":%zu",
                          old > 0 ? "," : "", old + taken);
    tally_buffer_append_str(out, "}");
  }
  tally_buffer_append_str(out, "}");
}

static void put_log_events(call_t *call) {
  const tally_json_t *events = tally_json_get(call->json, "logEvents");
  const char *problem = problem_of(events);
  if (problem != NULL)
    answer_error(call->answer, 400, "InvalidParameterException", problem);
  else if (exists(call, text_of(call, "logStreamName")))
    take_events(call, events);
}

operation_t logs_operation(const char *name) {
  static const struct {
    const char *name;
    operation_t operation;
  } known[] = {{"PutLogEvents", put_log_events},
               {"CreateLogStream", create_log_stream},
               {"CreateLogGroup", create_log_group},
               {"PutRetentionPolicy", put_retention_policy}};
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    if (strcmp(known[i].name, name) == 0)
      return known[i].operation;
  return NULL;
}

void logs_clear(service_t *service) {
  log_stream_t *stream, *next;
  HASH_ITER(hh, service->log_streams, stream, next) {
    HASH_DEL(service->log_streams, stream);
    free(stream);
  }
}
