/* SPDX-License-Identifier: MIT */
#include "config.h"

/* What is in memory alone goes into the spool: all of it at the end, and what
 * is durable as soon as the disk takes something again. */

#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "delivery/store.h"

#define RETRY_NS TALLY_NS_PER_S

static int compare(const void *a, const void *b) {
  const tally_item_t *const *x = a, *const *y = b;
  return (*x)->seq < (*y)->seq ? -1 : (*x)->seq > (*y)->seq;
}

/* The records that are in memory alone, in order: what the spool has is left to
 * it. `left` receives everything that is not in the batch. */
static size_t collect(tally_store_t *store, tally_item_t **items,
                      tally_items_t *left) {
  size_t count = 0;
  for (size_t i = 0; i < store->batch.count; i++)
    items[count++] = store->batch.items[i];
  tally_item_t *item;
  TAILQ_FOREACH(item, left, link)
  items[count++] = item;

  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (items[i]->segment == 0 || !tally_spool_unread(store->spool, items[i]))
      items[kept++] = items[i];
  if (kept > 0)
    qsort(items, kept, sizeof(tally_item_t *), compare);
  return kept;
}

/* Returns how many could not be written. Those that go on living must not push
 * others out, and learn where they are. */
static size_t write_items(tally_store_t *store, tally_item_t **items,
                          size_t count, bool go_on) {
  tally_spool_t *spool = store->spool;
  size_t written = 0, staged = 0;
  tally_spool_seal(spool);
  for (size_t i = 0; i < count; i++) {
    tally_stored_t stored = {.seq = items[i]->seq,
                             .accepted_ns = items[i]->accepted_ns,
                             .record = tally_item_record(items[i])};
    if (tally_spool_stage(spool, &stored) != 0)
      break;
    staged++;
    if (spool->staged_len < store->write_about && i + 1 < count)
      continue;
    if ((go_on && !tally_spool_has_room(spool, spool->staged_len)) ||
        tally_store_commit(store, tally_store_now(store)) != 0)
      break;
    if (go_on)
      tally_spool_adopt(spool, items + written, staged);
    written += staged;
    staged = 0;
  }
  tally_spool_discard(spool);
  tally_spool_seal(spool);
  return count - written;
}

/* ---- when the disk is well again ----------------------------------------- */

static size_t collect_alone(const tally_store_t *store, tally_item_t **items) {
  size_t count = tally_window_list(&store->window, items);
  for (size_t i = 0; i < store->batch.count; i++)
    items[count++] = store->batch.items[i];
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (items[i]->segment == 0)
      items[kept++] = items[i];
  if (kept > 0)
    qsort(items, kept, sizeof(tally_item_t *), compare);
  return kept;
}

/* Those that may have arrived. */
static void mark_tried(tally_store_t *store, tally_item_t **items,
                       size_t count) {
  for (size_t i = 0; i < count; i++)
    if (items[i]->unsure)
      tally_spool_mark(store->spool, items[i], TALLY_MARK_TRIED);
  for (size_t i = 0; i < store->batch.count; i++)
    tally_spool_mark(store->spool, store->batch.items[i], TALLY_MARK_TRIED);
  tally_spool_commit_marks(store->spool);
}

void tally_store_rescue(tally_store_t *store, uint64_t now) {
  if (!store->alone || !TAILQ_EMPTY(&store->tail) ||
      now < store->rescue_retry_ns || !tally_store_is_usable(store, now))
    return;
  store->rescue_retry_ns = now + RETRY_NS;
  tally_item_t **items =
      calloc(store->window.records + 1, sizeof(tally_item_t *));
  if (items == NULL)
    return;
  size_t count = collect_alone(store, items);
  size_t left = count > 0 ? write_items(store, items, count, true) : 0;
  mark_tried(store, items, count - left);
  free(items);
  if (left > 0 || tally_store_write_waiting(store) != 0)
    return;
  store->alone = false;
  store->rescue_retry_ns = 0;
}

/* ---- the end ------------------------------------------------------------- */

static void sync_all(tally_spool_t *spool) {
  if (spool->sync == TALLY_SYNC_NEVER)
    return;
  uint64_t id;
  off_t size;
  int fd;
  while ((fd = tally_spool_unsynced(spool, &id, &size)) >= 0) {
    (void)spool->hooks.sync(spool->hooks.data, fd);
    close(fd);
    tally_spool_synced(spool, id, size, 0); /* it was the last chance */
  }
}

bool tally_store_can_save(const tally_store_t *store) {
  /* What a record takes in memory is more than it takes in a file. */
  return store->spool != NULL && tally_store_spool_error(store) == 0 &&
         tally_spool_has_room(store->spool,
                              store->window.bytes + store->tail_bytes);
}

void tally_store_save(tally_store_t *store) {
  store->closed = true;
  size_t in_memory = store->window.records + store->tail_records;
  tally_items_t left = TAILQ_HEAD_INITIALIZER(left);
  tally_window_drain(&store->window, &left);
  TAILQ_CONCAT(&left, &store->tail, link);
  store->tail_records = store->tail_bytes = 0;
  store->saved = true;

  size_t lost = in_memory;
  tally_item_t **items = calloc(in_memory + 1, sizeof(tally_item_t *));
  if (store->spool != NULL && items != NULL) {
    lost = write_items(store, items, collect(store, items, &left), false);
    if (lost == 0)
      tally_store_write_waiting(store);
    tally_spool_commit_marks(store->spool);
    sync_all(store->spool);
  }
  store->counters.lost[TALLY_LOSS_SHUTDOWN] += lost;
  free(items);
  tally_items_clear(&left);
}
