/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_CLOUDWATCH_LOGS_H
#define TALLY_AWS_CLOUDWATCH_LOGS_H

/*
 * A log group of CloudWatch Logs as the destination of an outbox.
 *
 * The key of a record is the name of its log stream (for a container: its full
 * id), its data are the message, its time_ns the event's time. A batch of the
 * outbox becomes one PutLogEvents per log stream, oldest first; events of the
 * same millisecond keep their order. Streams are made when they are missing, the
 * group too if that is wanted.
 *
 * Limits of the service that are kept here: 10 000 events and 1 048 576 bytes a
 * call (each event counts its UTF-8 bytes and 26), all within 24 hours; a
 * message has 1 to 262 118 bytes. Events older than 14 days (or the retention)
 * or more than 2 hours ahead are refused by the service one by one
 * (rejectedLogEventsInfo), and become TALLY_FATE_REFUSED with those words.
 *
 * Sequence tokens: not sent at first, as the service has not asked for them
 * since 2023; if it (or an older emulator) refuses with
 * InvalidSequenceTokenException, the expected one is taken and used from then
 * on. DataAlreadyAcceptedException is success.
 *
 * Contract: Amazon CloudWatch Logs API Reference 2014-03-28 (PutLogEvents,
 * CreateLogStream, CreateLogGroup, PutRetentionPolicy).
 */

#include "aws/aws.h"
#include "delivery/delivery.h"

#define TALLY_CLOUDWATCH_LOGS_MESSAGE_MAX 262118 /* bytes */

typedef struct tally_cloudwatch_logs_options_s {
  const char *group;      /* [a-zA-Z0-9_/.#-]{1,512} */
  bool create_group;      /* if it is missing */
  unsigned retention_days; /* of a group that is made; 0: for ever; else one of
                              the values the service knows: 1, 3, 5, 7, 14, … */
} tally_cloudwatch_logs_options_t;

/* As tally_kinesis_open(). Empty messages, which the service does not take, are
 * sent as one blank. */
int tally_cloudwatch_logs_open(tally_aws_session_t *session,
                               const tally_cloudwatch_logs_options_t *options,
                               tally_destination_t *destination,
                               tally_outbox_options_t *outbox,
                               tally_error_t *err);

#endif
