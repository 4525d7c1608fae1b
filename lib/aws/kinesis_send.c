/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "aws/halving.h"
#include "aws/kinesis_private.h"
#include "core/clock.h"

#define CONTENT_TYPE "application/x-amz-json-1.1"
/* No call begins later with the same batch: its records' fates are known to
 * nobody else before send() comes back. */
#define BATCH_NS (15 * TALLY_NS_PER_S)
/* How long aggregates stay small for the sake of a record that is looked for.
 */
#define COMPANY_NS (600 * TALLY_NS_PER_S)
/* A body that was large once is not kept for small ones. */
#define BODY_KEPT ((size_t)1024 * 1024)

/* ---- lanes --------------------------------------------------------------- */

static int plan(tally_kinesis_batch_t *batch) {
  tally_kinesis_t *kinesis = batch->kinesis;
  if (tally_kinesis_plan_begin(&kinesis->plan, batch->count) != 0)
    return tally_error_set(batch->err, ENOMEM, "PutRecords");
  bool one_lane = kinesis->options.order == TALLY_KINESIS_ORDER_NONE &&
                  !kinesis->options.aggregate;
  for (uint32_t i = 0; i < batch->count; i++) {
    tally_kinesis_place_t place = {0};
    uint64_t id = 0;
    uint32_t shard = TALLY_KINESIS_NO_SHARD;
    if (!one_lane) {
      place = tally_kinesis_key_of(kinesis, &batch->records[i])->place;
      shard = tally_kinesis_shards_find(&kinesis->shards, place);
      id = shard != TALLY_KINESIS_NO_SHARD ? shard : place.low;
    }
    tally_kinesis_plan_add(&kinesis->plan, i, place, id, shard);
  }
  return 0;
}

/* ---- a call that failed -------------------------------------------------- */

static int give_up(tally_kinesis_batch_t *batch, size_t at, size_t count,
                   const tally_aws_answer_t *answer, const tally_error_t *why) {
  tally_kinesis_t *kinesis = batch->kinesis;
  tally_fate_t fate = answer->uncertain ? TALLY_FATE_UNSURE : TALLY_FATE_RETRY;
  for (size_t i = at; i < at + count; i++)
    tally_kinesis_set_fates(batch, &kinesis->parcels[i], fate);
  /* One that is made again under the same name has other shards. */
  if (answer->fault == TALLY_AWS_MISCONFIGURED)
    kinesis->shards_due_ns = 0;
  *batch->err = *why;
  batch->answer->status = (unsigned)answer->status;
  batch->answer->retry_after_ns =
      (uint64_t)answer->retry_after_s * TALLY_NS_PER_S;
  return tally_error_wrap(batch->err, "%s", kinesis->title);
}

/* Refused although nothing else was in the call. */
static void condemn(tally_kinesis_batch_t *batch,
                    tally_kinesis_parcel_t *parcel,
                    const tally_aws_answer_t *answer,
                    const tally_error_t *why) {
  tally_kinesis_t *kinesis = batch->kinesis;
  kinesis->plan.lanes[parcel->lane].stopped = true;
  if (parcel->count > 1) { /* one of them; next time with less company */
    kinesis->company = parcel->count / 2;
    kinesis->company_until_ns = tally_clock_monotonic_ns() + COMPANY_NS;
  } else {
    parcel->condemned = true;
  }
  tally_kinesis_tell(batch, (unsigned)answer->status, "%s", why->message);
}

/* Refuses those that were condemned, if the stream is not to blame. */
static int execute(tally_kinesis_batch_t *batch) {
  tally_kinesis_t *kinesis = batch->kinesis;
  for (size_t i = 0; i < kinesis->parcels_count; i++) {
    const tally_kinesis_parcel_t *parcel = &kinesis->parcels[i];
    if (!parcel->condemned)
      continue;
    if (!kinesis->proven)
      kinesis->proven = tally_kinesis_stream_is_there(kinesis);
    if (!kinesis->proven)
      return -1;
    tally_kinesis_set_fates(batch, parcel, TALLY_FATE_REFUSED);
    kinesis->company = SIZE_MAX;
  }
  return 0;
}

/* ---- a call -------------------------------------------------------------- */

/* `count` parcels from `at` on. Those before them are done with, so the prefix
 * can be written over their end. */
static int post(tally_kinesis_t *kinesis, size_t at, size_t count,
                tally_aws_answer_t *answer, tally_error_t *err) {
  const tally_kinesis_parcel_t *first = &kinesis->parcels[at],
                               *last = &kinesis->parcels[at + count - 1];
  char *begin = kinesis->body.data + first->begin - kinesis->prefix_len;
  char *end = kinesis->body.data + last->end, saved[2];
  memcpy(begin, kinesis->prefix, kinesis->prefix_len);
  memcpy(saved, end, 2);
  memcpy(end, "]}", 2);
  tally_aws_request_t request = {
      .target = "Kinesis_20131202.PutRecords",
      .content_type = CONTENT_TYPE,
      .body = begin,
      .body_len = (size_t)(end + 2 - begin),
  };
  int code = tally_aws_client_send(kinesis->client, &request, answer, err);
  memcpy(end, saved, 2);
  atomic_fetch_add(&kinesis->counters.calls, 1);
  return code;
}

/* false: nothing more can be sent with this batch; *status is what send()
 * returns. */
static bool put_piece(tally_kinesis_batch_t *batch, tally_halving_t *halving,
                      size_t count, int *status) {
  tally_kinesis_t *kinesis = batch->kinesis;
  tally_aws_answer_t answer;
  tally_error_t why = {0};
  size_t at = halving->at;
  int code = post(kinesis, at, count, &answer, &why);
  bool go_on = true;
  if (code == 0) {
    *status = tally_kinesis_settle(batch, at, count, &answer);
    go_on = *status == 0;
    kinesis->proven |= go_on;
    tally_halving_taken(halving);
  } else if (tally_aws_answer_blames_body(&answer)) {
    if (tally_halving_refused(halving))
      condemn(batch, &kinesis->parcels[at], &answer, &why);
  } else {
    *status = give_up(batch, at, count, &answer, &why);
    go_on = false;
  }
  tally_aws_answer_clear(&answer);
  return go_on;
}

/* What was packed: in one call, or in more where one was refused. */
static int put(tally_kinesis_batch_t *batch) {
  tally_halving_t halving = {.count = batch->kinesis->parcels_count};
  int status = 0;
  size_t count;
  while ((count = tally_halving_next(&halving)) > 0 &&
         put_piece(batch, &halving, count, &status))
    if (batch->over || tally_clock_monotonic_ns() >= batch->until_ns) {
      batch->over = true;
      break;
    }
  if (status == 0)
    status = execute(batch);
  return status;
}

int tally_kinesis_send(void *data, const tally_record_t *records, size_t count,
                       tally_fate_t *fates, tally_answer_t *answer,
                       tally_error_t *err) {
  tally_kinesis_t *kinesis = data;
  tally_kinesis_batch_t batch = {
      .kinesis = kinesis,
      .records = records,
      .count = count,
      .fates = fates,
      .answer = answer,
      .err = err,
      .until_ns = tally_clock_monotonic_ns() + BATCH_NS,
  };
  for (size_t i = 0; i < count; i++)
    fates[i] = TALLY_FATE_RETRY;
  if (tally_clock_monotonic_ns() >= kinesis->company_until_ns)
    kinesis->company = SIZE_MAX;
  if (tally_kinesis_stream_learn(kinesis, err) != 0 || plan(&batch) != 0)
    return -1;
  int status = 0;
  while (status == 0 && !batch.over) {
    status = tally_kinesis_pack(&batch);
    if (status != 0 || kinesis->parcels_count == 0)
      break;
    status = put(&batch);
  }
  if (kinesis->body.size > BODY_KEPT &&
      kinesis->body.len < kinesis->body.size / 4)
    tally_buffer_clear(&kinesis->body);
  return status;
}
