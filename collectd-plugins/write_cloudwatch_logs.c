/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_cloudwatch_logs.h"

#include "aws/cloudwatch_logs.h"
#include "core/clock.h"
#include "plugin_format.h"
#include "plugin_name.h"
#include "write_cloudwatch_template.h"

#define PLUGIN_NAME "write_cloudwatch"
#define MESSAGE_MAX (64 * 1024)
#define STREAM_MAX 512
#define DEFAULT_STREAM "%{host}"

struct write_cloudwatch_group_s {
  write_cloudwatch_group_t *next;
  char *name;
  write_cloudwatch_template_t stream;
  bool create;
  double retention_days;
  int format; /* of format_words */
  char label[600];
  char path[PATH_MAX];
  tally_outbox_t *outbox; /* NULL: not open */
  plugin_outbox_report_t report;
};

/* ---- configuration ------------------------------------------------------- */

enum { FORMAT_TEXT, FORMAT_JSON };
static const char *const format_words[] = {"text", "json", NULL};

static int set_format(const char *plugin, oconfig_item_t *ci, void *target) {
  return plugin_config_word(plugin, ci, format_words, target);
}

static int set_stream(const char *plugin, oconfig_item_t *ci, void *target) {
  char *text = NULL;
  tally_error_t err = {0};
  if (plugin_config_string(plugin, ci, &text) != 0)
    return -1;
  int status = write_cloudwatch_template_parse(target, text, &err);
  free(text);
  return status == 0 ? 0 : plugin_config_error(plugin, ci, "%s", err.message);
}

static int set_retention(const char *plugin, oconfig_item_t *ci, void *target) {
  if (plugin_config_number(plugin, ci, 1, 3653, target) != 0)
    return -1;
  double days = *(double *)target;
  if (!tally_cloudwatch_logs_retention_is_known((unsigned)days) ||
      days != (unsigned)days)
    return plugin_config_error(
        plugin, ci,
        "the service does not keep logs for so long (but for 1, 3, "
        "5, 7, 14, 30, 60, 90, … days)");
  return 0;
}

#define OPTION(key, set, member)                                               \
  { key, set, offsetof(write_cloudwatch_group_t, member) }

static const plugin_option_t options[] = {
    OPTION("Stream", set_stream, stream),
    OPTION("CreateGroup", plugin_config_bool, create),
    OPTION("RetentionDays", set_retention, retention_days),
    OPTION("Format", set_format, format),
    {NULL, NULL, 0},
};

static void free_group(write_cloudwatch_group_t *group) {
  free(group->name);
  write_cloudwatch_template_clear(&group->stream);
  free(group);
}

static int read_block(const char *plugin, oconfig_item_t *ci,
                      write_cloudwatch_group_t *group) {
  if (plugin_config_block(plugin, ci, options, group) != 0)
    return -1;
  if (group->retention_days > 0 && !group->create)
    return plugin_config_error(plugin, ci, "RetentionDays needs CreateGroup");
  if (group->stream.count == 0)
    return write_cloudwatch_template_parse(&group->stream, DEFAULT_STREAM,
                                           NULL);
  return 0;
}

int write_cloudwatch_group_add(const char *plugin, oconfig_item_t *ci,
                               void *target) {
  if (ci->values_num != 1 || ci->values[0].type != OCONFIG_TYPE_STRING ||
      ci->values[0].value.string[0] == '\0')
    return plugin_config_error(plugin, ci, "takes a name: <LogGroup \"name\">");
  const char *name = ci->values[0].value.string;
  write_cloudwatch_group_t **end = target;
  for (; *end != NULL; end = &(*end)->next)
    if (strcmp((*end)->name, name) == 0)
      return plugin_config_error(plugin, ci, "is there twice");
  write_cloudwatch_group_t *group = calloc(1, sizeof(*group));
  if (group == NULL)
    return plugin_config_error(plugin, ci, "out of memory");
  group->name = strdup(name);
  if (group->name == NULL || read_block(plugin, ci, group) != 0) {
    free_group(group);
    return -1;
  }
  snprintf(group->label, sizeof(group->label), PLUGIN_NAME "-%s", name);
  *end = group;
  return 0;
}

/* ---- life ---------------------------------------------------------------- */

static int open_group(write_cloudwatch_group_t *group,
                      tally_aws_session_t *session,
                      const plugin_outbox_t *settings) {
  tally_error_t err = {0};
  tally_destination_t destination;
  tally_outbox_options_t outbox = {0};
  char title[256];
  snprintf(title, sizeof(title), "LogGroup \"%.200s\"", group->name);
  tally_cloudwatch_logs_options_t logs = {
      .group = group->name,
      .title = title,
      .create_group = group->create,
      .retention_days = (unsigned)group->retention_days,
  };
  if (tally_cloudwatch_logs_open(session, &logs, &destination, &outbox, &err) !=
      0) {
    ERROR(PLUGIN_NAME " plugin: LogGroup \"%s\": %s", group->name, err.message);
    return -1;
  }
  if (plugin_outbox_apply(settings, group->label, &outbox, group->path,
                          sizeof(group->path)) == 0)
    group->outbox =
        plugin_outbox_create(PLUGIN_NAME, group->label, &outbox, &destination);
  if (group->outbox != NULL)
    return 0;
  destination.release(destination.data);
  return -1;
}

int write_cloudwatch_groups_open(write_cloudwatch_group_t *groups,
                                 tally_aws_session_t *session,
                                 const plugin_outbox_t *outbox) {
  for (write_cloudwatch_group_t *g = groups; g != NULL; g = g->next)
    if (open_group(g, session, outbox) != 0)
      return -1;
  return 0;
}

void write_cloudwatch_groups_close(write_cloudwatch_group_t *groups,
                                   int timeout_ms) {
  uint64_t begin_ns = tally_clock_monotonic_ns();
  while (groups != NULL) {
    write_cloudwatch_group_t *group = groups;
    groups = group->next;
    uint64_t gone_ms =
        (tally_clock_monotonic_ns() - begin_ns) / TALLY_NS_PER_MS;
    int left_ms =
        gone_ms < (uint64_t)timeout_ms ? timeout_ms - (int)gone_ms : 0;
    plugin_outbox_end(&group->report, PLUGIN_NAME, group->label, group->outbox,
                      left_ms);
    free_group(group);
  }
}

void write_cloudwatch_groups_report(write_cloudwatch_group_t *groups) {
  for (write_cloudwatch_group_t *g = groups; g != NULL; g = g->next)
    if (g->outbox != NULL)
      plugin_outbox_report(&g->report, PLUGIN_NAME, g->label, g->outbox);
}

void write_cloudwatch_groups_flush(write_cloudwatch_group_t *groups) {
  for (write_cloudwatch_group_t *g = groups; g != NULL; g = g->next)
    if (g->outbox != NULL)
      tally_outbox_flush(g->outbox, 0);
}

/* ---- notifications ------------------------------------------------------- */

static const char *severity_of(const notification_t *n) {
  if (n->severity == NOTIF_FAILURE)
    return "FAILURE";
  return n->severity == NOTIF_WARNING ? "WARNING" : "OKAY";
}

/* FAILURE web docker-db/container_state: died */
static int format_text(tally_buffer_t *out, const notification_t *n) {
  int status =
      tally_buffer_printf(out, "%s %s %s", severity_of(n), n->host, n->plugin);
  if (n->plugin_instance[0] != '\0')
    status |= tally_buffer_printf(out, "-%s", n->plugin_instance);
  if (n->type[0] != '\0')
    status |= tally_buffer_printf(out, "/%s", n->type);
  if (n->type_instance[0] != '\0')
    status |= tally_buffer_printf(out, "-%s", n->type_instance);
  return status | tally_buffer_printf(out, ": %s", n->message);
}

static void put(write_cloudwatch_group_t *group, const notification_t *n,
                bool dry_run) {
  const write_cloudwatch_source_t source = {
      .host = n->host,
      .plugin = n->plugin,
      .plugin_instance = n->plugin_instance,
      .type = n->type,
      .type_instance = n->type_instance,
      .severity = severity_of(n),
  };
  tally_buffer_t stream, message;
  tally_buffer_init(&stream, STREAM_MAX);
  tally_buffer_init(&message, MESSAGE_MAX);
  write_cloudwatch_template_fill(&group->stream, &source, &stream);
  int status = group->format == FORMAT_JSON
                   ? plugin_format_notification(&message, n)
                   : format_text(&message, n);
  tally_record_t record = {.key = stream.data,
                           .key_len = stream.len,
                           .data = message.data,
                           .len = message.len,
                           .time_ns = CDTIME_T_TO_NS(n->time)};
  if (status == 0 && dry_run)
    INFO(PLUGIN_NAME " plugin: dry run: would put into log group %s, stream "
                     "%s: %s",
         group->name, stream.data, message.data);
  else if (status == 0 && group->outbox != NULL)
    tally_outbox_put(group->outbox, &record);
  tally_buffer_clear(&stream);
  tally_buffer_clear(&message);
}

void write_cloudwatch_groups_put(write_cloudwatch_group_t *groups,
                                 const notification_t *n, bool dry_run) {
  for (write_cloudwatch_group_t *g = groups; g != NULL; g = g->next)
    if (!plugin_name_is_about_output(n, g->label))
      put(g, n, dry_run);
}
