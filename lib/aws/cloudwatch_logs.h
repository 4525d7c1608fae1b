/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_CLOUDWATCH_LOGS_H
#define TALLY_AWS_CLOUDWATCH_LOGS_H

/*
 * A log group of CloudWatch Logs as the destination of an outbox.
 *
 *   outbox ─ batch ─► by stream, by time ─► PutLogEvents ─► a fate for each
 *
 * The key of a record is the name of its log stream (for a container: its full
 * id), its data are the message, its time_ns the event's time (0: when it is
 * sent). A batch of the outbox becomes one PutLogEvents per log stream, oldest
 * first, or several where the limits ask for it. Order within a stream is that
 * of the events' times, as the service wants and shows it; events of the same
 * millisecond keep the order in which they were put. Streams are made when they
 * are missing, the group too if that is wanted.
 *
 * Limits of the service that are kept here: 10 000 events and 1 048 576 bytes a
 * call (each event counts its UTF-8 bytes and 26), all within 24 hours. Events
 * older than 14 days (or the retention) or more than 2 hours ahead are refused
 * by the service one by one (rejectedLogEventsInfo), and become
 * TALLY_FATE_REFUSED with those words.
 *
 * Messages. What the service takes is text, so a byte that is not UTF-8 becomes
 * U+FFFD; or '?' where the message would get too long. An empty message, which
 * it does not take, becomes one blank. Of a key, ':', '*', control characters
 * and what is not UTF-8 become '_', and 512 bytes count; no key at all is the
 * stream "default".
 *
 * Sequence tokens: not sent at first, as the service has not asked for them
 * since 2023; if it (or an older emulator) refuses with
 * InvalidSequenceTokenException, the expected one is taken and used from then
 * on. DataAlreadyAcceptedException is success.
 *
 * Trouble. A call that is refused because of one event is halved until that one
 * is found. What concerns one stream (it is throttled, it may not be made)
 * makes that stream wait; what concerns the group, the keys or the service, or
 * throttling of a second stream, everything.
 *
 * Permissions: logs:PutLogEvents, logs:CreateLogStream; with `create_group`
 * logs:CreateLogGroup, logs:PutRetentionPolicy.
 *
 * Contract: Amazon CloudWatch Logs API Reference 2014-03-28 (PutLogEvents,
 * CreateLogStream, CreateLogGroup, PutRetentionPolicy).
 */

#include "aws/aws.h"
#include "delivery/delivery.h"

#define TALLY_CLOUDWATCH_LOGS_MESSAGE_MAX 262118 /* bytes */

typedef struct tally_cloudwatch_logs_options_s {
  const char *group;       /* [a-zA-Z0-9_/.#-]{1,512} */
  const char *title;       /* what its user calls it, for messages: "LogGroup
                              \"x\""; NULL: "log group `NAME'". Cut at 255 bytes
                              */
  bool create_group;       /* if it is missing */
  unsigned retention_days; /* of a group that is made; 0: for ever; else one of
                              the values the service knows: 1, 3, 5, 7, 14, … */
} tally_cloudwatch_logs_options_t;

/* Whether a group may be kept for so many days; 0 is allowed. */
bool tally_cloudwatch_logs_retention_is_known(unsigned days);

/*
 * Fills in the destination, and of the outbox's options what the service's
 * limits ask for (batch_records, batch_bytes, record_bytes), where they are 0
 * or larger. A message longer than TALLY_CLOUDWATCH_LOGS_MESSAGE_MAX is too
 * large for the outbox then; whoever has one splits it. Copies the options,
 * keeps the session; asks nobody yet. The destination's `release` gives
 * everything back. -1 and *err: not a group's name or not a retention (the
 * message quotes it), no memory.
 */
int tally_cloudwatch_logs_open(tally_aws_session_t *session,
                               const tally_cloudwatch_logs_options_t *options,
                               tally_destination_t *destination,
                               tally_outbox_options_t *outbox,
                               tally_error_t *err);

/* Numbers that only this destination knows; any thread, until release. */
typedef struct tally_cloudwatch_logs_stats_s {
  uint64_t calls;        /* of PutLogEvents */
  uint64_t events;       /* that the service has taken */
  uint64_t bytes;        /* of them, as the service counts */
  uint64_t throttled;    /* calls */
  uint64_t too_old;      /* events refused: 14 days, or the group's retention */
  uint64_t too_new;      /* more than two hours ahead */
  uint64_t bad;          /* events refused for what they are */
  uint64_t replaced;     /* bytes that were not UTF-8, of events taken */
  uint64_t streams_made; /* log streams */
} tally_cloudwatch_logs_stats_t;
void tally_cloudwatch_logs_stats(const tally_destination_t *destination,
                                 tally_cloudwatch_logs_stats_t *stats);

#endif
