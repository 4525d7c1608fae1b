/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/cloudwatch_logs_private.h"
#include "core/clock.h"

/* Of the outbox: a batch has events of many streams, and makes many calls. */
#define BATCH_BYTES (4 * TALLY_LOGS_CALL_BYTES)
#define RECORD_BYTES                                                           \
  (TALLY_CLOUDWATCH_LOGS_MESSAGE_MAX + TALLY_LOGS_EVENT_BYTES)
#define SEND_S 30

/* ---- the destination ----------------------------------------------------- */

static size_t record_size(void *data, const tally_record_t *record) {
  return tally_logs_record_size(record);
}

static void cancel(void *data) {
  tally_aws_client_stop(((tally_logs_t *)data)->client);
}

static void release(void *data) {
  tally_logs_t *logs = data;
  tally_aws_client_destroy(logs->client);
  tally_logs_tokens_clear(&logs->tokens);
  tally_buffer_clear(&logs->body);
  free(logs);
}

void tally_cloudwatch_logs_stats(const tally_destination_t *destination,
                                 tally_cloudwatch_logs_stats_t *stats) {
  const tally_logs_counters_t *counters =
      &((const tally_logs_t *)destination->data)->counters;
  *stats = (tally_cloudwatch_logs_stats_t){
      .calls = counters->calls,
      .events = counters->events,
      .bytes = counters->bytes,
      .throttled = counters->throttled,
      .too_old = counters->too_old,
      .too_new = counters->too_new,
      .bad = counters->bad,
      .replaced = counters->replaced,
      .streams_made = counters->streams_made,
  };
}

/* ---- opening ------------------------------------------------------------- */

bool tally_cloudwatch_logs_retention_is_known(unsigned days) {
  static const unsigned known[] = {0,    1,    3,    5,    7,    14,   30,  60,
                                   90,   120,  150,  180,  365,  400,  545, 731,
                                   1096, 1827, 2192, 2557, 2922, 3288, 3653};
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    if (days == known[i])
      return true;
  return false;
}

static int check(const tally_cloudwatch_logs_options_t *options,
                 tally_error_t *err) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_/.#-";
  const char *group = options->group != NULL ? options->group : "";
  size_t len = strlen(group);
  if (len == 0 || len > TALLY_LOGS_GROUP_MAX || strspn(group, allowed) != len)
    return tally_error_set(err, 0,
                           "log group `%.100s': not 1 to %d of letters, "
                           "digits and _/.#-",
                           group, TALLY_LOGS_GROUP_MAX);
  if (!tally_cloudwatch_logs_retention_is_known(options->retention_days))
    return tally_error_set(err, 0,
                           "retention of %u days: CloudWatch Logs knows 1, 3, "
                           "5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, "
                           "545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and "
                           "3653",
                           options->retention_days);
  return 0;
}

int tally_cloudwatch_logs_open(tally_aws_session_t *session,
                               const tally_cloudwatch_logs_options_t *options,
                               tally_destination_t *destination,
                               tally_outbox_options_t *outbox,
                               tally_error_t *err) {
  if (check(options, err) != 0)
    return -1;
  tally_logs_t *logs = calloc(1, sizeof(*logs));
  if (logs == NULL)
    return tally_error_set(err, ENOMEM, "log group `%s'", options->group);
  logs->client = tally_aws_client_create(session, TALLY_AWS_LOGS, err);
  if (logs->client == NULL) {
    free(logs);
    return -1;
  }
  snprintf(logs->group, sizeof(logs->group), "%s", options->group);
  if (options->title != NULL)
    snprintf(logs->title, sizeof(logs->title), "%s", options->title);
  else
    snprintf(logs->title, sizeof(logs->title), "log group `%.200s'",
             options->group);
  logs->create_group = options->create_group;
  logs->retention_days = options->retention_days;
  logs->send_ns = SEND_S * TALLY_NS_PER_S;
  tally_buffer_init(&logs->body, TALLY_LOGS_BODY_MAX);

  *destination = (tally_destination_t){.data = logs,
                                       .send = tally_logs_send,
                                       .size = record_size,
                                       .cancel = cancel,
                                       .release = release};
  tally_outbox_limit(&outbox->batch_records, TALLY_LOGS_EVENTS_MAX);
  tally_outbox_limit(&outbox->batch_bytes, BATCH_BYTES);
  tally_outbox_limit(&outbox->record_bytes, RECORD_BYTES);
  return 0;
}
