/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>

#include "aws/kinesis_private.h"
#include "core/base64.h"
#include "core/json.h"

/* Text of a call beside the base64: names, and keys of which every character is
 * escaped. */
#define TEXT_PER_RECORD (64 + 6 * TALLY_OUTBOX_KEY_MAX)

typedef enum step_e {
  STEP_FAILED = -1,
  STEP_DONE,    /* into the call, or refused */
  STEP_NO_ROOM, /* in this call */
} step_t;

static size_t room(const tally_kinesis_t *kinesis) {
  return kinesis->call_bytes - kinesis->parcels_bytes;
}

/* ---- prefetching --------------------------------------------------------- */

/* The records of a lane lie apart in memory, and megabytes of others were
 * touched since; so copying one is mostly waiting for it, unless it was asked
 * for while those before it were copied. */
#define PREFETCH_AHEAD 4   /* records */
#define PREFETCH_MOST 1024 /* bytes of each; then the CPU goes on by itself */
#define CACHE_LINE 64

typedef struct prefetch_s {
  const tally_kinesis_batch_t *batch;
  uint32_t next;
} prefetch_t;

static void prefetch_one(prefetch_t *prefetch) {
  if (prefetch->next == TALLY_KINESIS_NO_RECORD)
    return;
  const tally_record_t *record = &prefetch->batch->records[prefetch->next];
  for (size_t i = 0; i < record->len && i < PREFETCH_MOST; i += CACHE_LINE)
    __builtin_prefetch(record->data + i);
  prefetch->next = prefetch->batch->kinesis->plan.next[prefetch->next];
}

static prefetch_t prefetch_lane(const tally_kinesis_batch_t *batch,
                                const tally_kinesis_lane_t *lane) {
  prefetch_t prefetch = {.batch = batch, .next = lane->first};
  for (int i = 0; i < PREFETCH_AHEAD; i++)
    prefetch_one(&prefetch);
  return prefetch;
}

/* ---- lanes --------------------------------------------------------------- */

/* Takes the first `count` records out of the lane. */
static void advance(tally_kinesis_t *kinesis, tally_kinesis_lane_t *lane,
                    size_t count) {
  while (count-- > 0)
    lane->first = kinesis->plan.next[lane->first];
}

/* ---- a record of Kinesis ------------------------------------------------- */

static int write_record(tally_buffer_t *body, const tally_kinesis_key_t *key,
                        const void *data, size_t len) {
  int code = tally_buffer_append_str(body, "{\"PartitionKey\":");
  code |= tally_json_quote_bytes(body, key->text, key->len, "?");
  code |= tally_buffer_append_str(body, ",\"Data\":\"");
  char *out = tally_buffer_extend(body, TALLY_BASE64_LEN(len));
  if (code != 0 || out == NULL)
    return -1;
  tally_buffer_grow(body, tally_base64_encode(out, data, len));
  return tally_buffer_append_str(body, "\"},");
}

/* The next parcel: the lane's first `count` records, which are taken out. The
 * call has room for its `bytes`; write_parcel() has to follow. */
static tally_kinesis_parcel_t *claim_parcel(tally_kinesis_batch_t *batch,
                                            tally_kinesis_lane_t *lane,
                                            size_t count, size_t bytes) {
  tally_kinesis_t *kinesis = batch->kinesis;
  tally_kinesis_parcel_t *parcel = &kinesis->parcels[kinesis->parcels_count++];
  *parcel = (tally_kinesis_parcel_t){
      .first = lane->first,
      .count = (uint32_t)count,
      .lane = (uint32_t)(lane - kinesis->plan.lanes),
      .bytes_out = bytes,
  };
  for (uint32_t n = 0, i = lane->first; n < count;
       n++, i = kinesis->plan.next[i])
    parcel->bytes_in += batch->records[i].len;
  kinesis->parcels_bytes += bytes;
  advance(kinesis, lane, count);
  return parcel;
}

/* In the order in which they were claimed. */
static int write_parcel(tally_kinesis_t *kinesis,
                        tally_kinesis_parcel_t *parcel,
                        const tally_kinesis_key_t *key, const void *data,
                        size_t len) {
  parcel->begin = kinesis->body.len;
  if (write_record(&kinesis->body, key, data, len) != 0)
    return -1;
  parcel->end = kinesis->body.len - 1; /* without the comma */
  return 0;
}

/* Aggregates that wait for their digests are the last parcels. */
static int write_kept(tally_kinesis_batch_t *batch) {
  tally_kinesis_t *kinesis = batch->kinesis;
  size_t count = kinesis->kept_count;
  kinesis->kept_count = 0;
  tally_kinesis_aggregates_end(kinesis->kept, count, kinesis->keys);
  tally_kinesis_parcel_t *parcel =
      &kinesis->parcels[kinesis->parcels_count - count];
  for (size_t i = 0; i < count; i++, parcel++)
    if (write_parcel(
            kinesis, parcel,
            tally_kinesis_key_of(kinesis, &batch->records[parcel->first]),
            kinesis->kept[i].bytes.data, kinesis->kept[i].bytes.len) != 0)
      return -1;
  return 0;
}

/* The lane's first `count` records are `data`, which has been looked at: it is
 * not too long for the stream. */
static step_t add_parcel(tally_kinesis_batch_t *batch,
                         tally_kinesis_lane_t *lane, size_t count,
                         const tally_kinesis_key_t *key, const void *data,
                         size_t len) {
  tally_kinesis_t *kinesis = batch->kinesis;
  if (key->len + len > room(kinesis))
    return STEP_NO_ROOM;
  tally_kinesis_parcel_t *parcel =
      claim_parcel(batch, lane, count, key->len + len);
  return write_parcel(kinesis, parcel, key, data, len) == 0 ? STEP_DONE
                                                            : STEP_FAILED;
}

static step_t refuse(tally_kinesis_batch_t *batch, tally_kinesis_lane_t *lane,
                     size_t bytes) {
  batch->fates[lane->first] = TALLY_FATE_REFUSED;
  tally_kinesis_tell(batch, 413,
                     "a record of %zu bytes: the stream takes %zu at most",
                     bytes, batch->kinesis->record_bytes);
  advance(batch->kinesis, lane, 1);
  return STEP_DONE;
}

/* ---- one of ours --------------------------------------------------------- */

static step_t pack_one(tally_kinesis_batch_t *batch,
                       tally_kinesis_lane_t *lane) {
  tally_kinesis_t *kinesis = batch->kinesis;
  const tally_record_t *record = &batch->records[lane->first];
  const tally_kinesis_key_t *key = tally_kinesis_key_of(kinesis, record);
  const void *data = record->data;
  size_t len = record->len;
  if (kinesis->compressor != NULL) {
    tally_buffer_reset(&kinesis->squeezed);
    if (tally_compressor_run(kinesis->compressor, data, len,
                             &kinesis->squeezed) != 0)
      return STEP_FAILED;
    data = kinesis->squeezed.data;
    len = kinesis->squeezed.len;
  }
  if (key->len + len > kinesis->record_bytes)
    return refuse(batch, lane, key->len + len);
  return add_parcel(batch, lane, 1, key, data, len);
}

/* ---- many ---------------------------------------------------------------- */

/* What an aggregate with such a key may have; 0: what is left of the call is
 * not worth one. */
static size_t most_together(const tally_kinesis_t *kinesis, size_t key_len) {
  size_t most = kinesis->options.aggregate_bytes;
  if (room(kinesis) < most / 4)
    return 0;
  if (most > kinesis->record_bytes - key_len)
    most = kinesis->record_bytes - key_len;
  if (most > room(kinesis) - key_len)
    most = room(kinesis) - key_len;
  return most;
}

/* Whether a record may go where the lane's first one goes. In a lane that leads
 * to a shard all may. */
static bool may_join(const tally_kinesis_t *kinesis,
                     const tally_kinesis_lane_t *lane, uint32_t i) {
  const tally_kinesis_place_t *places = kinesis->plan.places;
  return lane->shard != TALLY_KINESIS_NO_SHARD ||
         tally_kinesis_place_compare(places[i], places[lane->first]) == 0;
}

/* The aggregate is a parcel of which the body does not have the bytes yet. */
static int keep(tally_kinesis_batch_t *batch, tally_kinesis_lane_t *lane,
                size_t key_len) {
  tally_kinesis_t *kinesis = batch->kinesis;
  const tally_kinesis_aggregate_t *aggregate =
      &kinesis->kept[kinesis->kept_count++];
  tally_kinesis_parcel_t *parcel =
      claim_parcel(batch, lane, aggregate->count,
                   key_len + tally_kinesis_aggregate_len(aggregate));
  parcel->aggregated = true;
  return kinesis->kept_count < TALLY_MD5_TOGETHER ? 0 : write_kept(batch);
}

static step_t pack_aggregate(tally_kinesis_batch_t *batch,
                             tally_kinesis_lane_t *lane) {
  tally_kinesis_t *kinesis = batch->kinesis;
  tally_kinesis_aggregate_t *aggregate = &kinesis->kept[kinesis->kept_count];
  size_t key_len =
      tally_kinesis_key_of(kinesis, &batch->records[lane->first])->len;
  size_t most = most_together(kinesis, key_len);
  if (most == 0)
    return STEP_NO_ROOM;
  if (tally_kinesis_aggregate_begin(aggregate, most) != 0)
    return STEP_FAILED;
  prefetch_t prefetch = prefetch_lane(batch, lane);
  for (uint32_t i = lane->first;
       i != TALLY_KINESIS_NO_RECORD && aggregate->count < kinesis->company;
       i = kinesis->plan.next[i]) {
    prefetch_one(&prefetch);
    const tally_record_t *record = &batch->records[i];
    tally_kinesis_key_t key = {.place = kinesis->plan.places[i]};
    if (!tally_kinesis_aggregate_has(aggregate, key.place))
      key = *tally_kinesis_key_of(kinesis, record);
    if (!may_join(kinesis, lane, i) ||
        !tally_kinesis_aggregate_add(aggregate, &key, record->data, record->len,
                                     most))
      break;
  }
  if (aggregate->count > 1)
    return keep(batch, lane, key_len) == 0 ? STEP_DONE : STEP_FAILED;
  /* No company: as it is, behind those that are kept. */
  return write_kept(batch) == 0 ? pack_one(batch, lane) : STEP_FAILED;
}

/* Lines that are compressed together. */
static step_t pack_lines(tally_kinesis_batch_t *batch,
                         tally_kinesis_lane_t *lane) {
  tally_kinesis_t *kinesis = batch->kinesis;
  tally_buffer_t *lines = &kinesis->lines, *squeezed = &kinesis->squeezed;
  const tally_kinesis_key_t *first =
      tally_kinesis_key_of(kinesis, &batch->records[lane->first]);
  size_t most = kinesis->options.aggregate_bytes, count = 0;
  tally_buffer_reset(lines);
  tally_buffer_reset(squeezed);
  prefetch_t prefetch = prefetch_lane(batch, lane);
  for (uint32_t i = lane->first;
       i != TALLY_KINESIS_NO_RECORD && count < kinesis->company;
       i = kinesis->plan.next[i], count++) {
    prefetch_one(&prefetch);
    const tally_record_t *record = &batch->records[i];
    if (count > 0 &&
        (lines->len + record->len + 1 > most || !may_join(kinesis, lane, i)))
      break;
    if (tally_buffer_append(lines, record->data, record->len) != 0 ||
        tally_buffer_append(lines, &kinesis->options.separator, 1) != 0)
      return STEP_FAILED;
  }
  if (tally_compressor_run(kinesis->compressor, lines->data, lines->len,
                           squeezed) != 0)
    return STEP_FAILED;
  if (first->len + squeezed->len > kinesis->record_bytes) /* it is only one */
    return refuse(batch, lane, first->len + squeezed->len);
  return add_parcel(batch, lane, count, first, squeezed->data, squeezed->len);
}

/* ---- a call -------------------------------------------------------------- */

static step_t pack_some(tally_kinesis_batch_t *batch,
                        tally_kinesis_lane_t *lane) {
  if (!batch->kinesis->options.aggregate)
    return pack_one(batch, lane);
  if (batch->kinesis->compressor != NULL)
    return pack_lines(batch, lane);
  return pack_aggregate(batch, lane);
}

/* One parcel of each lane, from the one whose turn it is. `some`: whether there
 * was anything. */
static step_t pack_round(tally_kinesis_batch_t *batch, bool *some) {
  tally_kinesis_t *kinesis = batch->kinesis;
  tally_kinesis_plan_t *plan = &kinesis->plan;
  *some = false;
  for (size_t i = 0; i < plan->lanes_count; i++) {
    tally_kinesis_lane_t *lane = &plan->lanes[plan->turn];
    if (lane->first != TALLY_KINESIS_NO_RECORD && !lane->stopped) {
      if (kinesis->parcels_count == TALLY_KINESIS_RECORDS_MAX)
        return STEP_NO_ROOM;
      step_t step = pack_some(batch, lane);
      if (step != STEP_DONE)
        return step;
      *some = true;
    }
    plan->turn = plan->turn + 1 < plan->lanes_count ? plan->turn + 1 : 0;
  }
  return STEP_DONE;
}

int tally_kinesis_pack(tally_kinesis_batch_t *batch) {
  tally_kinesis_t *kinesis = batch->kinesis;
  tally_buffer_t *body = &kinesis->body;
  kinesis->parcels_count = kinesis->parcels_bytes = kinesis->kept_count = 0;
  tally_buffer_reset(body);
  body->cap = TALLY_BASE64_LEN(kinesis->call_bytes) +
              TALLY_KINESIS_RECORDS_MAX * TEXT_PER_RECORD;
  if (tally_buffer_append(body, kinesis->prefix, kinesis->prefix_len) != 0)
    return tally_error_set(batch->err, ENOMEM, "PutRecords");
  bool some = true;
  step_t step = STEP_DONE;
  while (step == STEP_DONE && some) {
    step = pack_round(batch, &some);
    if (kinesis->options.order == TALLY_KINESIS_ORDER_KEY &&
        kinesis->parcels_count > 0)
      break; /* one parcel of a lane is all that keeps its order */
  }
  if (step == STEP_FAILED || write_kept(batch) != 0)
    return tally_error_set(batch->err, ENOMEM, "PutRecords");
  tally_buffer_truncate(body, body->len - (kinesis->parcels_count > 0));
  return tally_buffer_append_str(body, "]}");
}
