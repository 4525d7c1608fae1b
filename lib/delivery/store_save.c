/* SPDX-License-Identifier: MIT */
#include "config.h"

/* The end: everything goes into the spool. */

#include <stdlib.h>
#include <unistd.h>

#include "delivery/store.h"

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

/* Returns how many could not be written. */
static size_t write_items(tally_store_t *store, tally_item_t **items,
                          size_t count) {
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
    if (tally_store_commit(store, tally_store_now(store)) != 0)
      break;
    written += staged;
    staged = 0;
  }
  tally_spool_discard(spool);
  tally_spool_seal(spool);
  return count - written;
}

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
    lost = write_items(store, items, collect(store, items, &left));
    tally_spool_commit_marks(store->spool);
    sync_all(store->spool);
  }
  store->counters.lost[TALLY_LOSS_SHUTDOWN] += lost;
  free(items);
  tally_items_clear(&left);
}
