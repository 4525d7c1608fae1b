/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aws/cloudwatch_call.h"
#include "aws/cloudwatch_form.h"
#include "aws/form.h"
#include "aws/halving.h"
#include "core/clock.h"
#include "core/compress.h"

/* Looking for what a call was refused for costs calls. After so many refusals a
 * batch is left for another time: what was found until then is out of the way.
 */
#define REFUSALS_MAX 64
/* And no call begins later than this with the same batch. */
#define BATCH_S 30

typedef struct sender_s {
  tally_aws_client_t *client;
  tally_compressor_t *gzip; /* NULL: plain */
  bool drop_unsure;
  tally_buffer_t form, packed;
} sender_t;

/* A batch on its way. */
typedef struct job_s {
  sender_t *sender;
  const tally_record_t *records;
  tally_fate_t *fates;
  tally_answer_t *answer;
  tally_error_t *err;
  unsigned refusals;
  uint64_t until_ns; /* monotonic */
  bool taken;        /* something was */
  bool noted;        /* the trouble is in *answer and *err */
  /* Refused alone, but in words that are not about data. */
  bool suspect[TALLY_CLOUDWATCH_CALL_DATA];
  size_t suspects;
} job_t;

/* ---- one call ------------------------------------------------------------ */

static int write_form(sender_t *sender, const job_t *job,
                      const uint16_t *members, size_t count,
                      tally_error_t *err) {
  tally_buffer_t *form = &sender->form;
  tally_buffer_reset(form);
  int code = tally_cloudwatch_form_begin(
      form, tally_datum_namespace(&job->records[members[0]]));
  for (size_t i = 0; i < count && code == 0; i++) {
    tally_datum_t datum;
    if (tally_datum_parse(&datum, &job->records[members[i]], err) != 0)
      return -1;
    code = tally_cloudwatch_form_put(form, (unsigned)i + 1, &datum);
  }
  return code == 0 ? 0 : tally_error_set(err, ENOMEM, "request");
}

/* A portal or a proxy may say 200 to anything. It may have handed on what it
 * got, but that is no reason to let go of it. */
static int check_answer(const sender_t *sender, tally_aws_answer_t *answer,
                        tally_error_t *err) {
  if (strstr(answer->body.data, "PutMetricDataResponse") != NULL)
    return 0;
  answer->fault = TALLY_AWS_MISCONFIGURED;
  answer->uncertain = !sender->drop_unsure;
  tally_error_set(err, 0, "who answers there is not CloudWatch");
  return tally_aws_client_doubt(sender->client, err);
}

static int call(job_t *job, const uint16_t *members, size_t count,
                tally_aws_answer_t *answer, tally_error_t *err) {
  sender_t *sender = job->sender;
  *answer = (tally_aws_answer_t){.fault = TALLY_AWS_TEMPORARY};
  if (write_form(sender, job, members, count, err) != 0)
    return -1;
  tally_aws_request_t request = {
      .content_type = TALLY_FORM_TYPE,
      .body = sender->form.data,
      .body_len = sender->form.len,
  };
  if (sender->gzip != NULL) {
    tally_buffer_reset(&sender->packed);
    if (tally_compressor_run(sender->gzip, sender->form.data, sender->form.len,
                             &sender->packed) != 0)
      return tally_error_set(err, ENOMEM, "gzip");
    request.content_encoding = "gzip";
    request.body = sender->packed.data;
    request.body_len = sender->packed.len;
  }
  if (tally_aws_client_send(sender->client, &request, answer, err) != 0)
    return -1;
  return check_answer(sender, answer, err);
}

/* ---- what follows from it ------------------------------------------------ */

static void set_fates(job_t *job, const uint16_t *members, size_t count,
                      tally_fate_t fate) {
  for (size_t i = 0; i < count; i++)
    job->fates[members[i]] = fate;
}

/* The first trouble is what is told. */
static void note_trouble(job_t *job, const tally_aws_answer_t *answer,
                         const tally_error_t *why) {
  if (job->noted)
    return;
  job->noted = true;
  job->answer->status = (unsigned)answer->status;
  *job->err = *why;
}

static void refuse(job_t *job, uint16_t member,
                   const tally_aws_answer_t *answer) {
  if (tally_aws_answer_blames_body(answer)) {
    job->fates[member] = TALLY_FATE_REFUSED;
  } else {
    job->suspect[member] = true;
    job->suspects++;
  }
}

/* They have to wait. */
static void postpone(job_t *job, const uint16_t *members, size_t count,
                     const tally_aws_answer_t *answer) {
  if (answer->uncertain)
    set_fates(job, members, count,
              job->sender->drop_unsure ? TALLY_FATE_SENT : TALLY_FATE_UNSURE);
  job->answer->retry_after_ns =
      (uint64_t)answer->retry_after_s * TALLY_NS_PER_S;
}

/* The fault is all that is needed of the answer, once its fates are set; only
 * a single datum is refused here. */
static tally_aws_fault_t put(job_t *job, const uint16_t *members,
                             size_t count) {
  tally_aws_answer_t answer;
  tally_error_t why = {0};
  if (call(job, members, count, &answer, &why) == 0) {
    set_fates(job, members, count, TALLY_FATE_SENT);
    job->answer->repeated += answer.uncertain ? count : 0;
    job->taken = true;
  } else if (answer.fault != TALLY_AWS_PERMANENT) {
    note_trouble(job, &answer, &why);
    postpone(job, members, count, &answer);
  } else if (count == 1) {
    note_trouble(job, &answer, &why);
    refuse(job, members[0], &answer);
  }
  job->refusals += answer.fault == TALLY_AWS_PERMANENT;
  tally_aws_answer_clear(&answer);
  return answer.fault;
}

static bool has_time(job_t *job) {
  if (tally_clock_monotonic_ns() < job->until_ns)
    return true;
  if (!job->noted)
    tally_error_set(job->err, 0, "CloudWatch is slow: %d s for a batch",
                    BATCH_S);
  return false;
}

/* -1: the whole batch has to wait. */
static int put_all(job_t *job, const uint16_t *members, size_t count) {
  tally_halving_t halving = {.count = count};
  size_t n;
  while ((n = tally_halving_next(&halving)) > 0) {
    if (job->refusals >= REFUSALS_MAX || !has_time(job))
      return -1;
    tally_aws_fault_t fault = put(job, members + halving.at, n);
    if (fault == TALLY_AWS_OK)
      tally_halving_taken(&halving);
    else if (fault == TALLY_AWS_PERMANENT)
      tally_halving_refused(&halving);
    else
      return -1;
  }
  return 0;
}

/* If nothing was taken at all, the other side is to blame and not the data. */
static int judge_suspects(job_t *job, size_t count) {
  if (job->suspects == 0)
    return 0;
  for (size_t i = 0; i < count && job->taken; i++)
    if (job->suspect[i])
      job->fates[i] = TALLY_FATE_REFUSED;
  return job->taken ? 0 : -1;
}

/* ---- a batch ------------------------------------------------------------- */

/* What came back from a disk may be anything, and may be old. */
static void refuse_unfit(job_t *job, size_t count) {
  uint64_t now = tally_clock_realtime_ns();
  for (size_t i = 0; i < count; i++) {
    tally_datum_t datum;
    tally_error_t why = {0};
    job->fates[i] = TALLY_FATE_RETRY;
    if (tally_datum_parse(&datum, &job->records[i], &why) == 0 &&
        tally_metric_check_time(datum.time_ns, now, &why) !=
            TALLY_METRIC_TOO_OLD)
      continue;
    job->fates[i] = TALLY_FATE_REFUSED;
    if (job->err->message[0] == '\0')
      *job->err = why;
  }
}

static int send_batch(void *data, const tally_record_t *records, size_t count,
                      tally_fate_t *fates, tally_answer_t *answer,
                      tally_error_t *err) {
  job_t job = {.sender = data,
               .records = records,
               .fates = fates,
               .answer = answer,
               .err = err,
               .until_ns =
                   tally_clock_monotonic_ns() + BATCH_S * TALLY_NS_PER_S};
  bool done[TALLY_CLOUDWATCH_CALL_DATA];
  uint16_t members[TALLY_CLOUDWATCH_CALL_DATA];
  refuse_unfit(&job, count);
  for (size_t i = 0; i < count; i++)
    done[i] = fates[i] == TALLY_FATE_REFUSED;
  size_t found;
  while ((found = tally_cloudwatch_call(records, count, done, members)) > 0)
    if (put_all(&job, members, found) != 0) {
      judge_suspects(&job, count);
      return -1;
    }
  return judge_suspects(&job, count);
}

static void cancel(void *data) {
  const sender_t *sender = data;
  tally_aws_client_stop(sender->client);
}

static void release(void *data) {
  sender_t *sender = data;
  tally_aws_client_destroy(sender->client);
  tally_compressor_destroy(sender->gzip);
  tally_buffer_clear(&sender->form);
  tally_buffer_clear(&sender->packed);
  free(sender);
}

int tally_cloudwatch_open(tally_aws_session_t *session,
                          const tally_cloudwatch_options_t *options,
                          tally_destination_t *destination,
                          tally_outbox_options_t *outbox, tally_error_t *err) {
  sender_t *sender = calloc(1, sizeof(*sender));
  if (sender == NULL)
    return tally_error_set(err, ENOMEM, "CloudWatch");
  sender->drop_unsure = options->drop_unsure;
  tally_buffer_init(&sender->form, TALLY_CLOUDWATCH_CALL_BYTES);
  tally_buffer_init(&sender->packed, 2 * TALLY_CLOUDWATCH_CALL_BYTES);
  sender->client = tally_aws_client_create(session, TALLY_AWS_CLOUDWATCH, err);
  if (!options->plain && sender->client != NULL)
    sender->gzip = tally_compressor_create(TALLY_COMPRESSION_GZIP, 0, err);
  if (sender->client == NULL || (!options->plain && sender->gzip == NULL)) {
    release(sender);
    return -1;
  }
  *destination = (tally_destination_t){.data = sender,
                                       .send = send_batch,
                                       .size = tally_cloudwatch_size,
                                       .cancel = cancel,
                                       .release = release};
  tally_cloudwatch_limit(outbox);
  return 0;
}
