/* SPDX-License-Identifier: MIT */

/*
 * Puts what it is told to into a log group, through an outbox in memory:
 *
 *   put_logs GROUP [create [DAYS]]
 *
 *   put STREAM MILLISECONDS TEXT   TEXT may have any bytes but a line feed
 *   flush MILLISECONDS             answers with numbers, as a JSON object
 *
 * Who and where: AWS's own environment variables. Ends when stdin does.
 */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/cloudwatch_logs.h"
#include "core/buffer.h"
#include "core/clock.h"
#include "core/json.h"

#define END_MS 1000

static int fail(const char *message) {
  fprintf(stderr, "put_logs: %s\n", message);
  return 1;
}

/* `line` without its line feed. */
static bool put(tally_outbox_t *outbox, const char *line, size_t len) {
  const char *stream = line;
  const char *time = memchr(stream, ' ', len);
  if (time++ == NULL)
    return false;
  char *text;
  uint64_t time_ms = strtoull(time, &text, 10);
  if (*text++ != ' ')
    return false;
  const tally_record_t record = {
      .key = stream,
      .key_len = (size_t)(time - 1 - stream),
      .data = text,
      .len = len - (size_t)(text - line),
      .time_ns = time_ms * TALLY_NS_PER_MS,
  };
  return tally_outbox_put(outbox, &record) == TALLY_LOSS_NONE;
}

static void flush(tally_outbox_t *outbox, int timeout_ms) {
  bool done = tally_outbox_flush(outbox, timeout_ms);
  tally_outbox_stats_t stats;
  tally_outbox_stats(outbox, &stats);
  tally_autobuffer tally_buffer_t words;
  tally_buffer_init(&words, 8192);
  tally_json_quote(&words, stats.last_error_text);
  printf("{\"done\":%s,\"accepted\":%" PRIu64 ",\"sent\":%" PRIu64
         ",\"queued\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"unsure\":%" PRIu64
         ",\"lost\":%" PRIu64 ",\"status\":%u,\"words\":%s}\n",
         done ? "true" : "false", stats.accepted, stats.sent, stats.queued,
         stats.lost[TALLY_LOSS_REFUSED], stats.possible_duplicates,
         tally_outbox_lost(&stats), stats.last_error, words.data);
  fflush(stdout);
}

static bool obey(tally_outbox_t *outbox, char *line, size_t len) {
  if (len > 4 && strncmp(line, "put ", 4) == 0)
    return put(outbox, line + 4, len - 4);
  int timeout_ms;
  if (sscanf(line, "flush %d", &timeout_ms) != 1)
    return false;
  flush(outbox, timeout_ms);
  return true;
}

static int obey_all(tally_outbox_t *outbox) {
  char *line = NULL;
  size_t size = 0;
  ssize_t len;
  int status = 0;
  while (status == 0 && (len = getline(&line, &size, stdin)) > 0)
    if (line[len - 1] != '\n' || !obey(outbox, line, (size_t)len - 1))
      status = fail("not understood, or not accepted");
  free(line);
  return status;
}

static tally_outbox_t *open_outbox(const tally_cloudwatch_logs_options_t *group,
                                   tally_error_t *err) {
  const tally_aws_options_t who = {.timeout_ms = 1000};
  tally_aws_session_t *session = tally_aws_session_create(&who, err);
  if (session == NULL)
    return NULL;
  tally_destination_t destination;
  tally_outbox_options_t options = {.linger_ns = 20 * TALLY_NS_PER_MS,
                                    .backoff_base_ns = 20 * TALLY_NS_PER_MS,
                                    .backoff_cap_ns = 200 * TALLY_NS_PER_MS};
  int opened =
      tally_cloudwatch_logs_open(session, group, &destination, &options, err);
  tally_aws_session_unref(session);
  if (opened != 0)
    return NULL;
  tally_outbox_t *outbox = tally_outbox_create(&options, &destination, err);
  if (outbox == NULL)
    destination.release(destination.data);
  return outbox;
}

int main(int argc, char **argv) {
  if (argc < 2)
    return fail("usage: put_logs GROUP [create [DAYS]]");
  const tally_cloudwatch_logs_options_t group = {
      .group = argv[1],
      .create_group = argc > 2,
      .retention_days = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0,
  };
  tally_error_t err = {0};
  tally_outbox_t *outbox = open_outbox(&group, &err);
  if (outbox == NULL)
    return fail(err.message);
  int status = obey_all(outbox);
  tally_outbox_destroy(outbox, END_MS, NULL);
  return status;
}
