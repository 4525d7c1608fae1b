/* SPDX-License-Identifier: MIT */
#ifndef DOCKER_LOGS_SINKS_H
#define DOCKER_LOGS_SINKS_H

/*
 * The kinds of sinks that docker_logs knows, with their blocks of options:
 * <Kinesis>, <CloudWatchLogs> and <File>. Include after collectd's headers.
 */

#include "aws/cloudwatch_logs.h"
#include "aws/kinesis.h"
#include "logs/sink.h"
#include "plugin_aws.h"

typedef enum docker_logs_kind_e {
  DOCKER_LOGS_KINESIS = 0,
  DOCKER_LOGS_CLOUDWATCH,
  DOCKER_LOGS_FILE,
  DOCKER_LOGS_KINDS
} docker_logs_kind_t;

typedef struct docker_logs_kinesis_s {
  plugin_aws_t aws;
  tally_aws_session_t *session;
  tally_log_layout_t layout;
  tally_kinesis_order_t order;
  tally_compression_t compression;
  bool aggregate;
} docker_logs_kinesis_t;

typedef struct docker_logs_cloudwatch_s {
  plugin_aws_t aws;
  tally_aws_session_t *session;
  tally_log_layout_t layout;
  bool create_group;
  unsigned retention; /* days */
} docker_logs_cloudwatch_t;

typedef struct docker_logs_file_s {
  tally_log_layout_t layout;
  double rotate_size; /* MiB; 0: never */
  double rotate_keep;
} docker_logs_file_t;

/* By what a user knows a target: where it is named, and its name. */
#define DOCKER_LOGS_TITLE_SIZE 256
typedef void (*docker_logs_title_t)(docker_logs_kind_t kind, const char *target,
                                    char title[DOCKER_LOGS_TITLE_SIZE],
                                    const void *data);

/* Of one endpoint; zero at first. */
typedef struct docker_logs_sinks_s {
  docker_logs_kinesis_t kinesis;
  docker_logs_cloudwatch_t cloudwatch;
  docker_logs_file_t file;
  /* from docker_logs_sinks_finish() on */
  docker_logs_title_t title;
  const void *title_data;
  tally_log_kind_t kinds[DOCKER_LOGS_KINDS];
  const tally_log_kind_t *list[DOCKER_LOGS_KINDS + 1]; /* ends with NULL */
} docker_logs_sinks_t;

/* For the plugin's table: the blocks; the target is docker_logs_sinks_t. */
int docker_logs_sinks_set_kinesis(const char *plugin, oconfig_item_t *ci,
                                  void *target);
int docker_logs_sinks_set_cloudwatch(const char *plugin, oconfig_item_t *ci,
                                     void *target);
int docker_logs_sinks_set_file(const char *plugin, oconfig_item_t *ci,
                               void *target);
/* For any table: the name of a layout, a tally_log_layout_t. */
int docker_logs_sinks_set_format(const char *plugin, oconfig_item_t *ci,
                                 void *target);

/* Before the first start: makes the kinds, with sessions where no block did.
 * `title` gives messages the words for a target; any thread calls it. -1: said
 * in the log. */
int docker_logs_sinks_finish(const char *plugin, docker_logs_sinks_t *sinks,
                             docker_logs_title_t title, const void *data);
void docker_logs_sinks_clear(docker_logs_sinks_t *sinks);

#endif
