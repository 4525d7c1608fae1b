/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "aws/kinesis_answer.h"
#include "aws/kinesis_private.h"
#include "core/text.h"

#define THROTTLED "ProvisionedThroughputExceededException"

/* ---- fates --------------------------------------------------------------- */

void tally_kinesis_set_fates(tally_kinesis_batch_t *batch,
                             const tally_kinesis_parcel_t *parcel,
                             tally_fate_t fate) {
  const uint32_t *next = batch->kinesis->plan.next;
  for (uint32_t n = 0, i = parcel->first; n < parcel->count; n++, i = next[i])
    batch->fates[i] = fate;
}

void tally_kinesis_tell(tally_kinesis_batch_t *batch, unsigned status,
                        const char *format, ...) {
  if (batch->err->message[0] != '\0')
    return;
  char text[400];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof(text), format, ap);
  va_end(ap);
  tally_text_tidy(text);
  batch->answer->status = status;
  tally_error_set(batch->err, 0, "%s: %s", batch->kinesis->title, text);
}

static void count(atomic_uint_fast64_t *counter, size_t by) {
  atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static void take(tally_kinesis_batch_t *batch,
                 const tally_kinesis_parcel_t *parcel) {
  tally_kinesis_counters_t *counters = &batch->kinesis->counters;
  tally_kinesis_set_fates(batch, parcel, TALLY_FATE_SENT);
  count(&counters->records, 1);
  count(&counters->user_records, parcel->count);
  count(&counters->bytes_in, parcel->bytes_in);
  count(&counters->bytes_out, parcel->bytes_out);
}

static void leave(tally_kinesis_batch_t *batch,
                  const tally_kinesis_parcel_t *parcel, tally_fate_t fate) {
  tally_kinesis_set_fates(batch, parcel, fate);
  batch->kinesis->plan.lanes[parcel->lane].stopped = true;
}

/* ---- shards that are others than they were ------------------------------- */

static bool is_elsewhere(const tally_kinesis_t *kinesis,
                         const tally_kinesis_parcel_t *parcel,
                         const tally_kinesis_result_t *result) {
  uint32_t shard = kinesis->plan.lanes[parcel->lane].shard;
  return shard != TALLY_KINESIS_NO_SHARD && result->shard != NULL &&
         strcmp(result->shard, kinesis->shards.list[shard].id) != 0;
}

/* An aggregate came to `shard`, and the map is new: those of its records that
 * belong to another are not seen by a KCL, and go once more. */
static void reroute(tally_kinesis_batch_t *batch,
                    const tally_kinesis_parcel_t *parcel, const char *shard) {
  tally_kinesis_t *kinesis = batch->kinesis;
  for (uint32_t n = 0, i = parcel->first; n < parcel->count;
       n++, i = kinesis->plan.next[i]) {
    uint32_t at =
        tally_kinesis_shards_find(&kinesis->shards, kinesis->plan.places[i]);
    if (at != TALLY_KINESIS_NO_SHARD &&
        strcmp(kinesis->shards.list[at].id, shard) == 0)
      continue;
    batch->fates[i] = TALLY_FATE_UNSURE;
    count(&kinesis->counters.rerouted, 1);
    tally_kinesis_tell(batch, 0,
                       "shards were split or merged: records of "
                       "others came to %.64s and are sent again",
                       shard);
  }
}

static void look_elsewhere(tally_kinesis_batch_t *batch, size_t at, size_t n,
                           const tally_json_t *answer) {
  tally_kinesis_t *kinesis = batch->kinesis;
  const tally_kinesis_parcel_t *parcels = kinesis->parcels + at;
  tally_kinesis_stream_doubt(kinesis);
  batch->over = true; /* its lanes lead to shards of the old map */
  for (size_t i = 0; i < n; i++)
    if (parcels[i].elsewhere && parcels[i].aggregated)
      reroute(batch, &parcels[i], tally_kinesis_answer_result(answer, i).shard);
}

/* ---- an answer ----------------------------------------------------------- */

static void settle_refused(tally_kinesis_batch_t *batch,
                           const tally_kinesis_parcel_t *parcel,
                           const tally_kinesis_result_t *result) {
  tally_kinesis_t *kinesis = batch->kinesis;
  bool throttled = strcmp(result->code, THROTTLED) == 0;
  leave(batch, parcel, TALLY_FATE_RETRY);
  if (throttled)
    count(&kinesis->counters.throttled, 1);
  if (kinesis->options.order == TALLY_KINESIS_ORDER_NONE)
    count(&kinesis->counters.misplaced, parcel->count);
  tally_kinesis_tell(batch, throttled ? 429 : 500,
                     "records were not taken: %s%s%s", result->code,
                     *result->words != '\0' ? ": " : "", result->words);
}

static void settle_each(tally_kinesis_batch_t *batch, size_t at, size_t n,
                        const tally_json_t *answer) {
  tally_kinesis_t *kinesis = batch->kinesis;
  bool elsewhere = false;
  for (size_t i = 0; i < n; i++) {
    tally_kinesis_parcel_t *parcel = &kinesis->parcels[at + i];
    tally_kinesis_result_t result = tally_kinesis_answer_result(answer, i);
    if (result.refused) {
      settle_refused(batch, parcel, &result);
    } else if (!result.taken) {
      leave(batch, parcel, TALLY_FATE_UNSURE);
    } else {
      take(batch, parcel);
      parcel->elsewhere = is_elsewhere(kinesis, parcel, &result);
      elsewhere |= parcel->elsewhere;
    }
  }
  if (elsewhere)
    look_elsewhere(batch, at, n, answer);
}

/* There was an earlier answer, which nobody has seen: it may have taken what
 * this one took, and what this one did not. */
static void doubt(tally_kinesis_batch_t *batch, size_t at, size_t n) {
  const tally_kinesis_t *kinesis = batch->kinesis;
  for (size_t p = at; p < at + n; p++) {
    const tally_kinesis_parcel_t *parcel = &kinesis->parcels[p];
    uint32_t i = parcel->first;
    for (uint32_t k = 0; k < parcel->count; k++, i = kinesis->plan.next[i])
      if (batch->fates[i] == TALLY_FATE_SENT)
        batch->answer->repeated++;
      else if (batch->fates[i] == TALLY_FATE_RETRY)
        batch->fates[i] = TALLY_FATE_UNSURE;
  }
}

static int settle(tally_kinesis_batch_t *batch, size_t at, size_t n,
                  const tally_aws_answer_t *answer) {
  tally_kinesis_t *kinesis = batch->kinesis;
  /* Only with a map it matters which shard took what. */
  if (kinesis->shards.count == 0 &&
      tally_kinesis_answer_is_all_taken(answer->body.data)) {
    for (size_t i = at; i < at + n; i++)
      take(batch, &kinesis->parcels[i]);
    return 0;
  }
  tally_json_t *json = tally_kinesis_answer_read(
      answer->body.data, answer->body.len, n, batch->err);
  if (json != NULL) {
    settle_each(batch, at, n, json);
    tally_json_destroy(json);
    return 0;
  }
  for (size_t i = at; i < at + n; i++)
    leave(batch, &kinesis->parcels[i], TALLY_FATE_UNSURE);
  tally_error_wrap(batch->err, "PutRecords' answer");
  tally_aws_client_doubt(kinesis->client, batch->err);
  return tally_error_wrap(batch->err, "%s", kinesis->title);
}

int tally_kinesis_settle(tally_kinesis_batch_t *batch, size_t at, size_t n,
                         const tally_aws_answer_t *answer) {
  int status = settle(batch, at, n, answer);
  if (answer->uncertain)
    doubt(batch, at, n);
  return status;
}
