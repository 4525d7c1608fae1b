/* SPDX-License-Identifier: MIT */
#ifndef WRITE_CLOUDWATCH_LOGS_H
#define WRITE_CLOUDWATCH_LOGS_H

/*
 * <LogGroup "name">: notifications as events of CloudWatch Logs. Each group has
 * an outbox of its own. Include after collectd's headers.
 */

#include "aws/aws.h"
#include "plugin_outbox.h"

typedef struct write_cloudwatch_group_s write_cloudwatch_group_t;

/* For a table of options: reads the block and appends it to the list that is
 * the target. */
int write_cloudwatch_group_add(const char *plugin, oconfig_item_t *ci,
                               void *target);
/* Makes the outboxes. -1: one cannot be made, which has been logged. */
int write_cloudwatch_groups_open(write_cloudwatch_group_t *groups,
                                 tally_aws_session_t *session,
                                 const plugin_outbox_t *outbox);
/* Takes a copy; any thread. In a dry run it is said what would be sent. */
void write_cloudwatch_groups_put(write_cloudwatch_group_t *groups,
                                 const notification_t *n, bool dry_run);
void write_cloudwatch_groups_report(write_cloudwatch_group_t *groups);
void write_cloudwatch_groups_flush(write_cloudwatch_group_t *groups);
/* Ends the outboxes, all of them in `timeout_ms`, and frees the list. */
void write_cloudwatch_groups_close(write_cloudwatch_group_t *groups,
                                   int timeout_ms);

#endif
