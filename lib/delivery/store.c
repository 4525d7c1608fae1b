/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "delivery/store.h"

#include <errno.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/text.h"

#define DEFAULT_MEMORY ((size_t)16 * 1024 * 1024)
#define DEFAULT_SPOOL (UINT64_C(256) * 1024 * 1024)
#define DEFAULT_SEGMENT (UINT64_C(4) * 1024 * 1024)
#define WRITE_ABOUT ((size_t)256 * 1024)

uint64_t tally_store_now(const tally_store_t *store) {
  return store->hooks.monotonic_ns(store->hooks.data);
}

uint64_t tally_store_real_now(const tally_store_t *store) {
  return store->hooks.realtime_ns(store->hooks.data);
}

/* ---- making and unmaking ------------------------------------------------- */

#define DEFAULT(option, value)                                                 \
  do {                                                                         \
    if ((option) == 0)                                                         \
      (option) = (value);                                                      \
  } while (0)

static void fill_in(tally_outbox_options_t *o) {
  DEFAULT(o->memory_bytes, DEFAULT_MEMORY);
  DEFAULT(o->memory_records, 100000);
  DEFAULT(o->record_bytes, (size_t)1024 * 1024);
  DEFAULT(o->batch_records, 500);
  DEFAULT(o->batch_bytes, (size_t)4 * 1024 * 1024);
  DEFAULT(o->linger_ns, TALLY_NS_PER_S);
  DEFAULT(o->backoff_base_ns, 250 * TALLY_NS_PER_MS);
  DEFAULT(o->backoff_cap_ns, 30 * TALLY_NS_PER_S);
  DEFAULT(o->max_age_ns, 7 * 24 * 3600 * TALLY_NS_PER_S);
  DEFAULT(o->spool_bytes, DEFAULT_SPOOL);
  DEFAULT(o->segment_bytes, DEFAULT_SEGMENT);
  if (o->segment_bytes > o->spool_bytes / 8)
    o->segment_bytes = o->spool_bytes / 8;
  if (o->batch_records > o->memory_records)
    o->batch_records = o->memory_records;
}

static int make_batch(tally_batch_t *batch, size_t size) {
  batch->items = calloc(size, sizeof(*batch->items));
  batch->records = calloc(size, sizeof(*batch->records));
  batch->fates = calloc(size, sizeof(*batch->fates));
  if (batch->items != NULL && batch->records != NULL && batch->fates != NULL)
    return 0;
  return -1;
}

static int open_spool(tally_store_t *store, tally_error_t *err) {
  const tally_outbox_options_t *o = &store->options;
  if (o->spool == NULL)
    return 0;
  tally_spool_options_t options = {.path = o->spool,
                                   .bytes = o->spool_bytes,
                                   .segment_bytes = o->segment_bytes,
                                   .sync = o->sync};
  if (tally_spool_open(&store->spool_object, &options, &store->hooks, err) != 0)
    return -1;
  store->spool = &store->spool_object;
  tally_store_note_recovered(store);
  return 0;
}

void tally_store_note_recovered(tally_store_t *store) {
  const tally_spool_t *spool = store->spool;
  if (store->counters.recovered == spool->recovered)
    return;
  store->counters.recovered = spool->recovered;
  store->counters.possible_duplicates += spool->tried_before;
  if (store->last_seq < spool->last_seq)
    store->last_seq = spool->last_seq;
}

int tally_store_open(tally_store_t *store,
                     const tally_outbox_options_t *options,
                     const tally_destination_t *destination,
                     const tally_hooks_t *hooks, tally_error_t *err) {
  *store = (tally_store_t){
      .options = *options, .destination = *destination, .hooks = *hooks};
  tally_outbox_options_t *o = &store->options;
  fill_in(o);
  store->write_about = WRITE_ABOUT;
  if (store->write_about > o->segment_bytes)
    store->write_about = o->segment_bytes;
  tally_window_init(&store->window);
  store->window.destination = &store->destination;
  store->window.batch_records = o->batch_records;
  store->window.batch_bytes = o->batch_bytes;
  store->window.backoff_base_ns = o->backoff_base_ns;
  store->window.backoff_cap_ns = o->backoff_cap_ns;
  TAILQ_INIT(&store->tail);
  tally_pool_init(&store->pool);
  tally_pool_init(&store->lent);
  /* Numbers go on where an earlier process ended, also if it left nothing. */
  store->last_seq = tally_store_real_now(store);
  if (make_batch(&store->batch, o->batch_records) != 0)
    tally_error_set(err, ENOMEM, "outbox");
  else if (open_spool(store, err) == 0)
    return 0;
  tally_store_close(store);
  return -1;
}

void tally_store_close(tally_store_t *store) {
  tally_window_clear(&store->window);
  for (size_t i = 0; i < store->batch.count; i++)
    free(store->batch.items[i]);
  free(store->batch.items);
  free(store->batch.records);
  free(store->batch.fates);
  tally_items_clear(&store->tail);
  tally_pool_clear(&store->pool);
  tally_pool_clear(&store->lent);
  if (store->spool != NULL)
    tally_spool_close(store->spool);
  store->spool = NULL;
  tally_notes_clear(&store->waiting);
  store->batch = (tally_batch_t){0};
}

/* ---- batches ------------------------------------------------------------- */

bool tally_store_take(tally_store_t *store, bool hurry) {
  uint64_t now = tally_store_now(store);
  tally_batch_t *batch = &store->batch;
  if (tally_window_due(&store->window, now, hurry) > now)
    return false;
  batch->count = tally_window_take(&store->window, now, batch->items);
  for (size_t i = 0; i < batch->count; i++) {
    const tally_item_t *item = batch->items[i];
    batch->records[i] = tally_item_record(item);
    batch->fates[i] = TALLY_FATE_UNSURE;
    store->counters.retried += item->attempts > 0;
    if (item->segment != 0)
      tally_spool_mark(store->spool, item, TALLY_MARK_TRIED);
  }
  if (batch->count > 0 && store->spool != NULL)
    tally_spool_commit_marks(store->spool);
  return batch->count > 0;
}

static void count_fate(tally_store_t *store, tally_item_t *item,
                       tally_fate_t fate) {
  tally_outbox_stats_t *c = &store->counters;
  tally_mark_kind_t mark = TALLY_MARK_DONE;
  switch (fate) {
  case TALLY_FATE_SENT:
    c->sent++;
    break;
  case TALLY_FATE_REFUSED:
    c->failed++;
    c->lost[TALLY_LOSS_REFUSED]++;
    break;
  case TALLY_FATE_RETRY:
    c->failed++;
    mark = TALLY_MARK_NOT_TAKEN;
    break;
  case TALLY_FATE_UNSURE:
    c->failed++;
    c->possible_duplicates++;
    item->unsure = true;
    return;
  }
  /* That it was not taken now says nothing of the time before. */
  if (item->segment != 0 && !(mark == TALLY_MARK_NOT_TAKEN && item->unsure))
    tally_spool_mark(store->spool, item, mark);
}

/* The mean of the batch counts an eighth, so that one batch is no latency. */
static void count_latency(tally_store_t *store) {
  const tally_batch_t *batch = &store->batch;
  uint64_t now = tally_store_real_now(store), sum = 0, sent = 0;
  for (size_t i = 0; i < batch->count; i++) {
    uint64_t accepted = batch->items[i]->accepted_ns;
    if (batch->fates[i] != TALLY_FATE_SENT)
      continue;
    sent++;
    sum += accepted < now ? now - accepted : 0;
  }
  if (sent == 0)
    return;
  uint64_t *latency = &store->counters.latency_ns;
  uint64_t mean = sum / sent;
  *latency = *latency == 0 ? mean : *latency - *latency / 8 + mean / 8;
}

static void count_call(tally_store_t *store, int status,
                       const tally_answer_t *answer, const tally_error_t *err,
                       uint64_t call_ns) {
  tally_outbox_stats_t *c = &store->counters;
  c->calls++;
  c->calls_failed += status < 0;
  c->call_ns += call_ns;
  c->possible_duplicates += answer->repeated;
  c->last_call_ns = call_ns;
  if (call_ns > c->worst_call_ns)
    c->worst_call_ns = call_ns;
  if (status >= 0 && answer->status == 0 && err->message[0] == '\0')
    return;
  c->last_error = answer->status;
  if (answer->status == 0 && err->code != 0)
    c->last_error = 1000 + (unsigned)err->code;
  tally_text_copy(c->last_error_text, sizeof(c->last_error_text), err->message);
}

void tally_store_settle(tally_store_t *store, int status,
                        const tally_answer_t *answer, const tally_error_t *err,
                        uint64_t call_ns) {
  tally_batch_t *batch = &store->batch;
  count_call(store, status, answer, err, call_ns);
  count_latency(store);
  for (size_t i = 0; i < batch->count; i++)
    count_fate(store, batch->items[i], batch->fates[i]);
  tally_window_settle(&store->window, tally_store_now(store),
                      store->hooks.random(store->hooks.data), batch->items,
                      batch->fates, batch->count, status,
                      answer->retry_after_ns);
  for (size_t i = 0; i < batch->count; i++)
    tally_pool_keep(&store->pool, batch->items[i]);
  batch->count = 0;
  if (store->spool != NULL)
    tally_spool_commit_marks(store->spool);
}

uint64_t tally_store_due(tally_store_t *store, bool hurry) {
  uint64_t now = tally_store_now(store);
  uint64_t due = tally_window_due(&store->window, now, hurry);
  const tally_spool_t *spool = store->spool;
  const tally_outbox_options_t *o = &store->options;
  if (spool != NULL && spool->unread > 0 &&
      store->window.bytes < o->memory_bytes / 2 &&
      store->window.records < o->memory_records / 2 + 1) {
    bool full = spool->unread >= o->batch_records ||
                spool->unread_bytes >= o->batch_bytes;
    uint64_t then = hurry || full ? 0 : store->unread_since_ns + o->linger_ns;
    if (then < store->read_retry_ns)
      then = store->read_retry_ns;
    if (then < due)
      due = then;
  }
  if (!TAILQ_EMPTY(&store->tail) || store->alone) {
    uint64_t then = store->spool_retry_ns > store->rescue_retry_ns
                        ? store->spool_retry_ns
                        : store->rescue_retry_ns;
    if (then < due)
      due = then;
  }
  return due <= now ? 0 : due;
}

/* ---- numbers ------------------------------------------------------------- */

uint64_t tally_store_queued(const tally_store_t *store) {
  uint64_t unread = store->spool != NULL ? store->spool->unread : 0;
  return store->saved ? unread
                      : unread + store->window.records + store->tail_records;
}

int tally_store_spool_error(const tally_store_t *store) {
  if (store->spool_error != 0)
    return store->spool_error;
  const tally_spool_t *spool = store->spool;
  if (spool->marks_error != 0)
    return spool->marks_error;
  return spool->notes_error != 0 ? spool->notes_error : spool->sync_error;
}

static uint64_t oldest_of(const tally_store_t *store) {
  uint64_t oldest = tally_window_oldest(&store->window);
  uint64_t others[3] = {TALLY_NEVER, TALLY_NEVER, TALLY_NEVER};
  if (store->batch.count > 0)
    others[0] = store->batch.items[0]->accepted_ns;
  if (!TAILQ_EMPTY(&store->tail))
    others[1] = TAILQ_FIRST(&store->tail)->accepted_ns;
  if (store->spool != NULL)
    others[2] = tally_spool_oldest(store->spool);
  for (size_t i = 0; i < 3; i++)
    if (others[i] < oldest)
      oldest = others[i];
  return oldest;
}

void tally_store_stats(tally_store_t *store, tally_outbox_stats_t *stats) {
  *stats = store->counters;
  stats->queued = tally_store_queued(store);
  if (!store->saved)
    stats->memory_records = store->window.records + store->tail_records;
  stats->memory_bytes = store->window.bytes + store->tail_bytes;
  uint64_t now = tally_store_real_now(store), oldest = oldest_of(store);
  stats->oldest_age_ns = oldest < now ? now - oldest : 0;
  if (store->spool == NULL)
    return;
  stats->spooled = store->spool->records;
  stats->spooled_bytes = store->spool->bytes;
  stats->spool_broken = tally_store_spool_error(store) != 0;
  for (size_t i = 0; i < TALLY_LOSSES; i++)
    stats->lost[i] += store->spool->lost[i];
}
