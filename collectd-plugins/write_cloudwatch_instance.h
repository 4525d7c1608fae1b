/* SPDX-License-Identifier: MIT */
#ifndef WRITE_CLOUDWATCH_INSTANCE_H
#define WRITE_CLOUDWATCH_INSTANCE_H

/*
 * Which EC2 instance this is, found out by a thread of its own, so that nobody
 * waits for a metadata service that is not there. Include after collectd's
 * headers.
 */

#include "aws/aws.h"

typedef struct write_cloudwatch_instance_s {
  tally_aws_session_t *session; /* borrowed; stopped at the end */
  /* Called once, by the thread, when it is known or will not be soon (NULL). */
  void (*settled)(const tally_aws_identity_t *identity);

  pthread_t thread;
  bool thread_runs; /* of those who start and stop it */
  pthread_mutex_t lock;
  pthread_cond_t news;
  /* guarded by lock; the identity does not change once it is known */
  tally_aws_identity_t identity;
  bool known, stop;
} write_cloudwatch_instance_t;

#define WRITE_CLOUDWATCH_INSTANCE_INIT                                         \
  { .lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER }

/* -1: no thread, which has been logged. */
int write_cloudwatch_instance_start(
    write_cloudwatch_instance_t *instance, tally_aws_session_t *session,
    void (*settled)(const tally_aws_identity_t *identity));
/* NULL: not known (yet), or nobody asks. Any thread; good until the stop. */
const tally_aws_identity_t *
write_cloudwatch_instance_get(write_cloudwatch_instance_t *instance);
/* Stops the session, too. */
void write_cloudwatch_instance_stop(write_cloudwatch_instance_t *instance);

#endif
