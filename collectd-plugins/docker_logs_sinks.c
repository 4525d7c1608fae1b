/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "docker_logs_sinks.h"

#include <limits.h>

#include "core/clock.h"
#include "logs/file_sink.h"

#define MIB (1024 * 1024)
#define KEY_LEN 64 /* a container's id */
#define KINESIS_RECORD_MAX (MIB - KEY_LEN)
#define FILE_RECORD_MAX (2 * MIB)
#define ROTATE_SIZE_MAX (1024 * 1024) /* MiB */
#define ROTATE_KEEP_MAX 1000
#define ROTATE_KEEP_DEFAULT 5
/* The contract: a record is sent after 100 ms at the latest; a batch of log
 * events after 5 s, which is more than anybody wants to wait. */
#define KINESIS_LINGER_NS (100 * TALLY_NS_PER_MS)
#define CLOUDWATCH_LINGER_NS TALLY_NS_PER_S

/* ---- options ------------------------------------------------------------- */

int docker_logs_sinks_set_format(const char *plugin, oconfig_item_t *ci,
                                 void *target) {
  static const struct {
    const char *const words[5];
    tally_log_layout_t layouts[4];
  } formats = {{"kinesis", "cloudwatch", "raw", "json", NULL},
               {TALLY_LOG_LAYOUT_KINESIS, TALLY_LOG_LAYOUT_CLOUDWATCH,
                TALLY_LOG_LAYOUT_RAW, TALLY_LOG_LAYOUT_JSON}};
  int word;
  if (plugin_config_word(plugin, ci, formats.words, &word) != 0)
    return -1;
  *(tally_log_layout_t *)target = formats.layouts[word];
  return 0;
}

static int set_order(const char *plugin, oconfig_item_t *ci, void *target) {
  static const char *const orders[] = {[TALLY_KINESIS_ORDER_KEY] = "key",
                                       [TALLY_KINESIS_ORDER_NONE] = "none",
                                       NULL};
  return plugin_config_word(plugin, ci, orders, target);
}

static int set_compression(const char *plugin, oconfig_item_t *ci,
                           void *target) {
  static const char *const names[] = {[TALLY_COMPRESSION_NONE] = "none",
                                      [TALLY_COMPRESSION_GZIP] = "gzip",
                                      [TALLY_COMPRESSION_ZSTD] = "zstd",
                                      NULL};
  return plugin_config_word(plugin, ci, names, target);
}

static int set_retention(const char *plugin, oconfig_item_t *ci, void *target) {
  double days;
  if (plugin_config_number(plugin, ci, 0, 3653, &days) != 0)
    return -1;
  *(unsigned *)target = (unsigned)days;
  if (days == (unsigned)days &&
      tally_cloudwatch_logs_retention_is_known((unsigned)days))
    return 0;
  return plugin_config_error(plugin, ci,
                             "CloudWatch Logs keeps nothing for so many days, "
                             "but 0 (for ever), 1, 3, 5, 7, 14, 30, …, 3653");
}

static int set_rotate_size(const char *plugin, oconfig_item_t *ci,
                           void *target) {
  return plugin_config_number(plugin, ci, 0, ROTATE_SIZE_MAX, target);
}

static int set_rotate_keep(const char *plugin, oconfig_item_t *ci,
                           void *target) {
  return plugin_config_number(plugin, ci, 0, ROTATE_KEEP_MAX, target);
}

#define KINESIS_OPTION(key, set, member)                                       \
  { key, set, offsetof(docker_logs_kinesis_t, member) }
#define CLOUDWATCH_OPTION(key, set, member)                                    \
  { key, set, offsetof(docker_logs_cloudwatch_t, member) }
#define FILE_OPTION(key, set, member)                                          \
  { key, set, offsetof(docker_logs_file_t, member) }

static const plugin_option_t kinesis_options[] = {
    PLUGIN_AWS_OPTIONS(docker_logs_kinesis_t, aws),
    KINESIS_OPTION("Format", docker_logs_sinks_set_format, layout),
    KINESIS_OPTION("Order", set_order, order),
    KINESIS_OPTION("Aggregate", plugin_config_bool, aggregate),
    KINESIS_OPTION("Compression", set_compression, compression),
    {NULL, NULL, 0},
};

static const plugin_option_t cloudwatch_options[] = {
    PLUGIN_AWS_OPTIONS(docker_logs_cloudwatch_t, aws),
    CLOUDWATCH_OPTION("Format", docker_logs_sinks_set_format, layout),
    CLOUDWATCH_OPTION("CreateGroup", plugin_config_bool, create_group),
    CLOUDWATCH_OPTION("Retention", set_retention, retention),
    {NULL, NULL, 0},
};

static const plugin_option_t file_options[] = {
    FILE_OPTION("Format", docker_logs_sinks_set_format, layout),
    FILE_OPTION("RotateSize", set_rotate_size, rotate_size),
    FILE_OPTION("RotateKeep", set_rotate_keep, rotate_keep),
    {NULL, NULL, 0},
};

/* A second block of a kind adds to the first. */
static int make_session(const char *plugin, const plugin_aws_t *aws,
                        tally_aws_session_t **session) {
  tally_aws_session_unref(*session);
  *session = plugin_aws_session(plugin, aws);
  return *session != NULL ? 0 : -1;
}

int docker_logs_sinks_set_kinesis(const char *plugin, oconfig_item_t *ci,
                                  void *target) {
  docker_logs_kinesis_t *kinesis = &((docker_logs_sinks_t *)target)->kinesis;
  if (plugin_config_block(plugin, ci, kinesis_options, kinesis) != 0)
    return -1;
  return make_session(plugin, &kinesis->aws, &kinesis->session);
}

int docker_logs_sinks_set_cloudwatch(const char *plugin, oconfig_item_t *ci,
                                     void *target) {
  docker_logs_cloudwatch_t *cloudwatch =
      &((docker_logs_sinks_t *)target)->cloudwatch;
  if (plugin_config_block(plugin, ci, cloudwatch_options, cloudwatch) != 0)
    return -1;
  return make_session(plugin, &cloudwatch->aws, &cloudwatch->session);
}

int docker_logs_sinks_set_file(const char *plugin, oconfig_item_t *ci,
                               void *target) {
  docker_logs_file_t *file = &((docker_logs_sinks_t *)target)->file;
  file->rotate_keep = ROTATE_KEEP_DEFAULT;
  return plugin_config_block(plugin, ci, file_options, file);
}

/* ---- opening ------------------------------------------------------------- */

static void set_linger(tally_outbox_options_t *outbox, uint64_t linger_ns) {
  if (outbox->linger_ns == 0)
    outbox->linger_ns = linger_ns;
}

static int open_kinesis(void *data, const char *target,
                        tally_destination_t *destination,
                        tally_outbox_options_t *outbox, tally_error_t *err) {
  const docker_logs_sinks_t *s = data;
  const docker_logs_kinesis_t *kinesis = &s->kinesis;
  char title[DOCKER_LOGS_TITLE_SIZE];
  s->title(DOCKER_LOGS_KINESIS, target, title, s->title_data);
  tally_kinesis_options_t how = {.stream = target,
                                 .title = title,
                                 .order = kinesis->order,
                                 .aggregate = kinesis->aggregate,
                                 .compression = kinesis->compression};
  set_linger(outbox, KINESIS_LINGER_NS);
  return tally_kinesis_open(kinesis->session, &how, destination, outbox, err);
}

static int open_cloudwatch(void *data, const char *target,
                           tally_destination_t *destination,
                           tally_outbox_options_t *outbox, tally_error_t *err) {
  const docker_logs_sinks_t *s = data;
  const docker_logs_cloudwatch_t *cloudwatch = &s->cloudwatch;
  char title[DOCKER_LOGS_TITLE_SIZE];
  s->title(DOCKER_LOGS_CLOUDWATCH, target, title, s->title_data);
  tally_cloudwatch_logs_options_t how = {
      .group = target,
      .title = title,
      .create_group = cloudwatch->create_group,
      .retention_days = cloudwatch->retention};
  set_linger(outbox, CLOUDWATCH_LINGER_NS);
  return tally_cloudwatch_logs_open(cloudwatch->session, &how, destination,
                                    outbox, err);
}

static int open_file(void *data, const char *target,
                     tally_destination_t *destination,
                     tally_outbox_options_t *outbox, tally_error_t *err) {
  const docker_logs_file_t *file = &((const docker_logs_sinks_t *)data)->file;
  char journal[PATH_MAX];
  snprintf(journal, sizeof(journal), "%s.journal", outbox->spool);
  tally_file_sink_options_t how = {.path = target,
                                   .journal = journal,
                                   .rotate_bytes =
                                       (uint64_t)(file->rotate_size * MIB),
                                   .rotate_keep = (unsigned)file->rotate_keep};
  return tally_file_sink_open(&how, destination, outbox, err);
}

/* ---- the kinds ----------------------------------------------------------- */

static tally_log_layout_t layout_or(tally_log_layout_t layout,
                                    tally_log_layout_t otherwise) {
  return layout != TALLY_LOG_LAYOUT_NONE ? layout : otherwise;
}

static void make_kinds(docker_logs_sinks_t *s) {
  s->kinds[DOCKER_LOGS_KINESIS] = (tally_log_kind_t){
      .name = "kinesis",
      .variable = "KINESIS",
      .layout = layout_or(s->kinesis.layout, TALLY_LOG_LAYOUT_KINESIS),
      .record_max = KINESIS_RECORD_MAX,
      .open = open_kinesis,
      .data = s};
  s->kinds[DOCKER_LOGS_CLOUDWATCH] = (tally_log_kind_t){
      .name = "cloudwatch",
      .variable = "LOG_GROUP",
      .layout = layout_or(s->cloudwatch.layout, TALLY_LOG_LAYOUT_CLOUDWATCH),
      .record_max = TALLY_CLOUDWATCH_LOGS_MESSAGE_MAX,
      .open = open_cloudwatch,
      .data = s};
  s->kinds[DOCKER_LOGS_FILE] = (tally_log_kind_t){
      .name = "file",
      .layout = layout_or(s->file.layout, TALLY_LOG_LAYOUT_KINESIS),
      .record_max = FILE_RECORD_MAX,
      .open = open_file,
      .data = s};
  for (int i = 0; i < DOCKER_LOGS_KINDS; i++)
    s->list[i] = &s->kinds[i];
}

int docker_logs_sinks_finish(const char *plugin, docker_logs_sinks_t *s,
                             docker_logs_title_t title, const void *data) {
  s->title = title;
  s->title_data = data;
  make_kinds(s);
  if (s->kinesis.session == NULL &&
      make_session(plugin, &s->kinesis.aws, &s->kinesis.session) != 0)
    return -1;
  if (s->cloudwatch.session == NULL &&
      make_session(plugin, &s->cloudwatch.aws, &s->cloudwatch.session) != 0)
    return -1;
  plugin_aws_clear(&s->kinesis.aws);
  plugin_aws_clear(&s->cloudwatch.aws);
  return 0;
}

void docker_logs_sinks_clear(docker_logs_sinks_t *s) {
  plugin_aws_clear(&s->kinesis.aws);
  plugin_aws_clear(&s->cloudwatch.aws);
  tally_aws_session_unref(s->kinesis.session);
  tally_aws_session_unref(s->cloudwatch.session);
  s->kinesis.session = s->cloudwatch.session = NULL;
}
