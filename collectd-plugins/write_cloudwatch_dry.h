/* SPDX-License-Identifier: MIT */
#ifndef WRITE_CLOUDWATCH_DRY_H
#define WRITE_CLOUDWATCH_DRY_H

/*
 * The dry run: each metric that would be sent, once, and what all of them would
 * cost; in the log and, if wanted, in a file. Include after collectd's headers.
 */

#include "aws/cloudwatch.h"

typedef struct write_cloudwatch_dry_s {
  FILE *file;                      /* NULL: the log alone */
  cdtime_t next;                   /* estimate */
  tally_destination_t destination; /* the outbox's */
} write_cloudwatch_dry_t;

/* The destination of a dry run that writes into `path` too (NULL: the log
 * alone). -1 (logged): the file cannot be written, no memory. */
int write_cloudwatch_dry_open(write_cloudwatch_dry_t *dry, const char *path,
                              unsigned period_s,
                              tally_destination_t *destination,
                              tally_outbox_options_t *outbox);
/* Says what it costs when that is due: as soon as there are data and all of
 * them are through, then hourly. From a read callback. */
void write_cloudwatch_dry_tend(write_cloudwatch_dry_t *dry, cdtime_t now,
                               tally_outbox_t *outbox);
/* After the outbox has been destroyed. */
void write_cloudwatch_dry_close(write_cloudwatch_dry_t *dry);

#endif
