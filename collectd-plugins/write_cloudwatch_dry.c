/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_cloudwatch_dry.h"

#define PLUGIN_NAME "write_cloudwatch"
#define LINE_BYTES_MAX (64 * 1024)
#define HOUR TIME_T_TO_CDTIME_T_STATIC(3600)

static void say(const write_cloudwatch_dry_t *dry, const char *line) {
  INFO(PLUGIN_NAME " plugin: dry run: %s", line);
  if (dry->file == NULL)
    return;
  fprintf(dry->file, "%s\n", line);
  fflush(dry->file);
}

/* In the outbox's thread. */
static void show(const tally_record_t *datum, void *data) {
  tally_buffer_t line;
  tally_buffer_init(&line, LINE_BYTES_MAX);
  tally_buffer_append_str(&line, "would send ");
  if (tally_cloudwatch_describe(datum, &line) == 0)
    say(data, line.data);
  tally_buffer_clear(&line);
}

int write_cloudwatch_dry_open(write_cloudwatch_dry_t *dry, const char *path,
                              unsigned period_s,
                              tally_destination_t *destination,
                              tally_outbox_options_t *outbox) {
  tally_error_t err = {0};
  memset(dry, 0, sizeof(*dry));
  if (path != NULL && (dry->file = fopen(path, "we")) == NULL) {
    ERROR(PLUGIN_NAME " plugin: DryRunFile \"%s\": %s", path, STRERRNO);
    return -1;
  }
  tally_cloudwatch_dry_t options = {
      .show = show, .data = dry, .period_s = period_s};
  if (tally_cloudwatch_open_dry(&options, destination, outbox, &err) != 0) {
    ERROR(PLUGIN_NAME " plugin: %s", err.message);
    write_cloudwatch_dry_close(dry);
    return -1;
  }
  dry->destination = *destination;
  return 0;
}

void write_cloudwatch_dry_tend(write_cloudwatch_dry_t *dry, cdtime_t now,
                               tally_outbox_t *outbox) {
  tally_outbox_stats_t stats;
  tally_outbox_stats(outbox, &stats);
  if (now < dry->next || stats.sent == 0 || stats.queued > 0)
    return;
  tally_cloudwatch_estimate_t e;
  tally_cloudwatch_estimate(&dry->destination, &e);
  dry->next = now + HOUR;
  char line[256];
  snprintf(line, sizeof(line),
           "%zu metrics, %.0f calls a month: $%.2f a month at the list price",
           e.metrics, e.calls_a_month, e.dollars_a_month);
  say(dry, line);
}

void write_cloudwatch_dry_close(write_cloudwatch_dry_t *dry) {
  if (dry->file != NULL)
    fclose(dry->file);
  dry->file = NULL;
}
