/* SPDX-License-Identifier: MIT */
#include "config.h"

/* How records leave the spool for the window, and how they grow too old. */

#include "core/clock.h"
#include "delivery/store.h"

#define READ_ABOUT ((size_t)256 * 1024) /* bytes at once */
#define RETRY_NS TALLY_NS_PER_S
#define EXPIRY_NS TALLY_NS_PER_S
/* An outbox that has nothing to do looks this often; so memory that 100 000
 * records took is free again after two minutes, without holding the lock for
 * long. */
#define TRIM_NS (5 * TALLY_NS_PER_S)
#define TRIM_MOST 4096

/* ---- age ----------------------------------------------------------------- */

static void drop_expired(tally_store_t *store, tally_items_t *expired) {
  tally_item_t *item;
  while ((item = TAILQ_FIRST(expired)) != NULL) {
    TAILQ_REMOVE(expired, item, link);
    store->counters.lost[TALLY_LOSS_AGE]++;
    if (item->segment != 0)
      tally_spool_mark(store->spool, item, TALLY_MARK_DONE);
    tally_pool_keep(&store->pool, item);
  }
}

static void expire(tally_store_t *store) {
  uint64_t now = tally_store_real_now(store);
  uint64_t age = store->options.max_age_ns;
  if (now <= age)
    return;
  tally_items_t expired = TAILQ_HEAD_INITIALIZER(expired);
  tally_window_expire(&store->window, now - age, &expired);
  drop_expired(store, &expired);
  if (store->spool == NULL)
    return;
  tally_spool_expire(store->spool, now - age);
  tally_spool_commit_marks(store->spool);
}

void tally_store_tend(tally_store_t *store) {
  uint64_t now = tally_store_now(store);
  tally_store_move_tail(store, now);
  tally_store_rescue(store, now);
  if (now >= store->next_trim_ns) {
    store->next_trim_ns = now + TRIM_NS;
    tally_pool_trim(&store->pool, TRIM_MOST);
  }
  if (now < store->next_expiry_ns)
    return;
  store->next_expiry_ns = now + EXPIRY_NS;
  expire(store);
}

/* ---- from the spool ------------------------------------------------------ */

bool tally_store_read_begin(tally_store_t *store, tally_spool_read_t *read) {
  const tally_outbox_options_t *o = &store->options;
  if (store->spool == NULL || store->spool->unread == 0 ||
      store->window.bytes >= o->memory_bytes / 2 ||
      store->window.records >= o->memory_records / 2 + 1 ||
      tally_store_now(store) < store->read_retry_ns)
    return false;
  if (tally_spool_read_begin(store->spool, read)) {
    tally_pool_move(&store->lent, &store->pool);
    read->pool = &store->lent;
    return true;
  }
  store->read_retry_ns = tally_store_now(store) + RETRY_NS;
  return false;
}

void tally_store_read_run(tally_spool_read_t *read) {
  tally_spool_read_run(read, READ_ABOUT);
}

void tally_store_read_end(tally_store_t *store, tally_spool_read_t *read) {
  uint64_t now = tally_store_now(store);
  uint64_t real_now = tally_store_real_now(store);
  uint64_t linger = store->options.linger_ns;
  tally_pool_move(&store->pool, &store->lent);
  if (!tally_spool_read_end(store->spool, read))
    store->read_retry_ns = now + RETRY_NS;
  tally_item_t *item;
  while ((item = TAILQ_FIRST(&read->items)) != NULL) {
    TAILQ_REMOVE(&read->items, item, link);
    uint64_t age =
        real_now > item->accepted_ns ? real_now - item->accepted_ns : 0;
    item->due_ns = age >= linger ? now : now + linger - age;
    if (tally_store_enter_window(store, item) == 0)
      continue;
    store->counters.lost[TALLY_LOSS_DAMAGED]++; /* no memory even for this */
    tally_spool_mark(store->spool, item, TALLY_MARK_DONE);
    tally_pool_keep(&store->pool, item);
  }
  tally_store_limit_pool(store, 0);
}
