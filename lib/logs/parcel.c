/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logs/parcel.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A line is at most one part of the reader's (1 MiB), which JSON makes up to
 * six times as long; and a mark in front of each piece. */
#define LINE_MAX_BYTES (7 * 1024 * 1024)
#define PIECES_MAX 256
#define KEPT_MAX (1024 * 1024) /* of memory */

struct tally_log_parcel_s {
  tally_buffer_t bytes;
  size_t count;
  struct {
    size_t end;
    uint64_t time_ns;
  } records[TALLY_LOG_PARCEL_RECORDS + PIECES_MAX];
};

tally_log_parcel_t *tally_log_parcel_take(tally_log_parcel_pool_t *pool) {
  tally_log_parcel_t *parcel = atomic_exchange(&pool->spare, NULL);
  if (parcel != NULL || (parcel = malloc(sizeof(*parcel))) == NULL)
    return parcel;
  tally_buffer_init(&parcel->bytes, TALLY_LOG_PARCEL_BYTES + LINE_MAX_BYTES);
  parcel->count = 0;
  return parcel;
}

static void destroy(tally_log_parcel_t *parcel) {
  if (parcel == NULL)
    return;
  tally_buffer_clear(&parcel->bytes);
  free(parcel);
}

void tally_log_parcel_give(tally_log_parcel_pool_t *pool,
                           tally_log_parcel_t *parcel) {
  if (parcel == NULL)
    return;
  tally_log_parcel_abandon(parcel, 0);
  if (parcel->bytes.size > KEPT_MAX)
    tally_buffer_clear(&parcel->bytes);
  destroy(atomic_exchange(&pool->spare, parcel));
}

void tally_log_parcel_pool_clear(tally_log_parcel_pool_t *pool) {
  destroy(atomic_exchange(&pool->spare, NULL));
}

size_t tally_log_parcel_count(const tally_log_parcel_t *parcel) {
  return parcel != NULL ? parcel->count : 0;
}

bool tally_log_parcel_is_full(const tally_log_parcel_t *parcel) {
  return parcel->count >= TALLY_LOG_PARCEL_RECORDS ||
         parcel->bytes.len >= TALLY_LOG_PARCEL_BYTES;
}

tally_buffer_t *tally_log_parcel_begin(tally_log_parcel_t *parcel) {
  return &parcel->bytes;
}

int tally_log_parcel_end(tally_log_parcel_t *parcel, uint64_t time_ns) {
  if (parcel->count == TALLY_LOG_PARCEL_RECORDS + PIECES_MAX)
    return -1;
  parcel->records[parcel->count].end = parcel->bytes.len;
  parcel->records[parcel->count++].time_ns = time_ns;
  return 0;
}

void tally_log_parcel_abandon(tally_log_parcel_t *parcel, size_t count) {
  parcel->count = count;
  tally_buffer_truncate(&parcel->bytes,
                        count > 0 ? parcel->records[count - 1].end : 0);
}

int tally_log_parcel_put(tally_log_parcel_t *parcel, tally_outbox_t *outbox,
                         const char *id, const tally_log_mark_t *mark) {
  tally_record_t records[TALLY_LOG_PARCEL_RECORDS + PIECES_MAX];
  size_t count = tally_log_parcel_count(parcel), begin = 0;
  for (size_t i = 0; i < count; i++) {
    records[i] = (tally_record_t){.key = id,
                                  .key_len = strlen(id),
                                  .data = parcel->bytes.data + begin,
                                  .len = parcel->records[i].end - begin,
                                  .time_ns = parcel->records[i].time_ns};
    begin = parcel->records[i].end;
  }
  char text[TALLY_LOG_MARK_SIZE];
  tally_log_mark_format(mark, text);
  if (tally_outbox_put_noted(outbox, records, count, NULL, id, text) != 0)
    return -1;
  if (parcel != NULL)
    tally_log_parcel_abandon(parcel, 0);
  return 0;
}
