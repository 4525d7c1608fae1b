/* SPDX-License-Identifier: MIT */
#include "config.h"

/* How records come in: into the window, the spool or the tail. */

#include <errno.h>
#include <stdlib.h>

#include "core/clock.h"
#include "delivery/store.h"

#define RETRY_NS TALLY_NS_PER_S

/* ---- pieces -------------------------------------------------------------- */

bool tally_store_has_room(const tally_store_t *store, size_t records,
                          size_t bytes) {
  const tally_outbox_options_t *o = &store->options;
  return store->window.records + store->tail_records + records <=
             o->memory_records &&
         store->window.bytes + store->tail_bytes + bytes <= o->memory_bytes;
}

bool tally_store_is_usable(const tally_store_t *store, uint64_t now) {
  return store->spool != NULL &&
         (store->spool_error == 0 || now >= store->spool_retry_ns);
}

int tally_store_commit(tally_store_t *store, uint64_t now) {
  tally_error_t err = {0};
  bool was_empty = store->spool->unread == 0;
  int status = tally_spool_commit(store->spool, &err);
  tally_store_note_recovered(store);
  if (status == 0) {
    store->spool_error = 0;
    if (was_empty)
      store->unread_since_ns = now;
    return 0;
  }
  store->spool_error = err.code != 0 ? err.code : EIO;
  store->spool_retry_ns = now + RETRY_NS;
  return -1;
}

int tally_store_enter_window(tally_store_t *store, tally_item_t *item) {
  tally_record_t record = tally_item_record(item);
  const tally_destination_t *d = &store->destination;
  item->size =
      d->size != NULL ? d->size(d->data, &record) : record.key_len + record.len;
  return tally_window_add(&store->window, item);
}

static tally_stored_t stored_of(const tally_item_t *item) {
  return (tally_stored_t){.seq = item->seq,
                          .accepted_ns = item->accepted_ns,
                          .record = tally_item_record(item)};
}

void tally_store_enter_tail(tally_store_t *store, tally_item_t *item) {
  tally_record_t record = tally_item_record(item);
  TAILQ_INSERT_TAIL(&store->tail, item, link);
  store->tail_records++;
  store->tail_bytes += tally_item_cost(&record);
}

static tally_item_t *leave_tail(tally_store_t *store) {
  tally_item_t *item = TAILQ_FIRST(&store->tail);
  tally_record_t record = tally_item_record(item);
  TAILQ_REMOVE(&store->tail, item, link);
  store->tail_records--;
  store->tail_bytes -= tally_item_cost(&record);
  return item;
}

/* ---- the tail ------------------------------------------------------------ */

/* As much as fits into a write. */
static bool tail_to_spool(tally_store_t *store, uint64_t now) {
  size_t count = 0;
  const tally_item_t *item;
  /* What belongs to a note has been taken on the condition that it drops
   * nothing. */
  bool may_drop = store->waiting == NULL;
  if (!may_drop && now < store->rescue_retry_ns)
    return false;
  TAILQ_FOREACH(item, &store->tail, link) {
    tally_stored_t stored = stored_of(item);
    if (store->spool->staged_len >= store->write_about ||
        tally_spool_stage(store->spool, &stored) != 0)
      break;
    count++;
  }
  if (!may_drop &&
      !tally_spool_has_room(store->spool, store->spool->staged_len)) {
    tally_spool_discard(store->spool);
    store->rescue_retry_ns = now + RETRY_NS;
    return false;
  }
  if (tally_store_commit(store, now) != 0)
    return false;
  for (size_t i = 0; i < count; i++)
    tally_pool_keep(&store->pool, leave_tail(store));
  return count > 0;
}

static void tail_to_window(tally_store_t *store) {
  while (!TAILQ_EMPTY(&store->tail)) {
    tally_item_t *item = leave_tail(store);
    if (tally_store_enter_window(store, item) == 0)
      continue;
    TAILQ_INSERT_HEAD(&store->tail, item, link); /* no memory: later */
    tally_record_t record = tally_item_record(item);
    store->tail_records++;
    store->tail_bytes += tally_item_cost(&record);
    return;
  }
}

void tally_store_move_tail(tally_store_t *store, uint64_t now) {
  if (TAILQ_EMPTY(&store->tail))
    return;
  bool nothing_before = store->spool->unread == 0;
  if (nothing_before && !store->options.durable) {
    tail_to_window(store);
    return;
  }
  if (tally_store_is_usable(store, now) && tail_to_spool(store, now))
    return;
  if (nothing_before)
    tail_to_window(store);
}

/* ---- put ----------------------------------------------------------------- */

tally_loss_t tally_store_check(const tally_store_t *store,
                               const tally_record_t *record) {
  if (store->closed)
    return TALLY_LOSS_CLOSED;
  const tally_outbox_options_t *o = &store->options;
  if (record->key_len > TALLY_OUTBOX_KEY_MAX ||
      record->len > TALLY_SEGMENT_DATA_MAX ||
      tally_item_cost(record) > o->memory_bytes / 2 ||
      (store->spool != NULL && tally_segment_size(record) > o->spool_bytes / 4))
    return TALLY_LOSS_TOO_LARGE;
  const tally_destination_t *d = &store->destination;
  size_t size = d->size != NULL ? d->size(d->data, record)
                                : record->key_len + record->len;
  return size > o->record_bytes ? TALLY_LOSS_TOO_LARGE : TALLY_LOSS_NONE;
}

static bool is_direct(const tally_store_t *store) {
  return TAILQ_EMPTY(&store->tail) &&
         (store->spool == NULL ||
          (store->spool->unread == 0 && store->spool->staged_records == 0 &&
           !store->options.durable));
}

void tally_store_limit_pool(tally_store_t *store, size_t bytes) {
  size_t most = store->options.memory_bytes;
  bytes += store->window.bytes + store->tail_bytes;
  tally_pool_limit(&store->pool, bytes < most ? most - bytes : 0);
}

tally_item_t *tally_store_make_item(tally_store_t *store,
                                    const tally_record_t *record, uint64_t seq,
                                    uint64_t now, uint64_t real_now) {
  tally_item_t *item = tally_pool_create_item(&store->pool, record);
  if (item == NULL)
    return NULL;
  tally_store_limit_pool(store, tally_item_cost(record));
  item->seq = seq;
  item->accepted_ns = real_now;
  item->due_ns = now + store->options.linger_ns;
  return item;
}

static tally_loss_t put_in_memory(tally_store_t *store,
                                  const tally_record_t *record, uint64_t seq,
                                  uint64_t now, uint64_t real_now) {
  if (!tally_store_has_room(store, 1, tally_item_cost(record)))
    return TALLY_LOSS_NO_ROOM;
  tally_item_t *item = tally_store_make_item(store, record, seq, now, real_now);
  if (item == NULL)
    return TALLY_LOSS_NO_ROOM;
  store->alone |= store->options.durable && store->spool != NULL;
  bool nothing_before = TAILQ_EMPTY(&store->tail) &&
                        (store->spool == NULL || store->spool->unread == 0);
  if (!nothing_before) {
    tally_store_enter_tail(store, item);
    return TALLY_LOSS_NONE;
  }
  if (tally_store_enter_window(store, item) == 0)
    return TALLY_LOSS_NONE;
  tally_pool_keep(&store->pool, item);
  return TALLY_LOSS_NO_ROOM;
}

typedef struct put_s {
  tally_store_t *store;
  const tally_record_t *records;
  tally_loss_t *verdicts; /* or NULL */
  uint64_t now, real_now;
  size_t first, end; /* records that are staged, or fell through checks */
  uint64_t first_seq;
  size_t accepted;
} put_t;

static void decide(put_t *put, size_t i, tally_loss_t verdict) {
  if (verdict == TALLY_LOSS_NONE)
    put->accepted++;
  else
    put->store->counters.lost[verdict]++;
  if (put->verdicts != NULL)
    put->verdicts[i] = verdict;
}

/* What is staged becomes a part of the spool, or else of the tail. */
static void end_staging(put_t *put) {
  tally_store_t *store = put->store;
  size_t count = put->end - put->first;
  if (count == 0)
    return;
  bool written = tally_store_commit(store, put->now) == 0;
  for (size_t i = put->first; i < put->end; i++)
    decide(put, i,
           written ? TALLY_LOSS_NONE
                   : put_in_memory(store, &put->records[i],
                                   put->first_seq + (i - put->first), put->now,
                                   put->real_now));
  put->first = put->end;
}

static void put_one(put_t *put, size_t i) {
  tally_store_t *store = put->store;
  const tally_record_t *record = &put->records[i];
  tally_loss_t verdict = tally_store_check(store, record);
  if (verdict != TALLY_LOSS_NONE) {
    end_staging(put);
    decide(put, i, verdict);
    return;
  }
  uint64_t seq = ++store->last_seq;
  if (is_direct(store) &&
      (store->spool == NULL ||
       tally_store_has_room(store, 1, tally_item_cost(record)))) {
    decide(put, i, put_in_memory(store, record, seq, put->now, put->real_now));
    return;
  }
  if (TAILQ_EMPTY(&store->tail) && tally_store_is_usable(store, put->now)) {
    tally_stored_t stored = {
        .seq = seq, .accepted_ns = put->real_now, .record = *record};
    if (tally_spool_stage(store->spool, &stored) == 0) {
      if (put->first == put->end) {
        put->first = i;
        put->first_seq = seq;
      }
      put->end = i + 1;
      if (store->spool->staged_len >= store->write_about)
        end_staging(put);
      return;
    }
    end_staging(put);
  }
  decide(put, i, put_in_memory(store, record, seq, put->now, put->real_now));
}

size_t tally_store_put(tally_store_t *store, const tally_record_t *records,
                       size_t count, tally_loss_t *verdicts) {
  put_t put = {.store = store,
               .records = records,
               .verdicts = verdicts,
               .now = tally_store_now(store),
               .real_now = tally_store_real_now(store)};
  if (!store->closed)
    tally_store_move_tail(store, put.now);
  for (size_t i = 0; i < count; i++)
    put_one(&put, i);
  end_staging(&put);
  store->counters.accepted += put.accepted;
  return put.accepted;
}
