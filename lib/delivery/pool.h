/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_POOL_H
#define TALLY_DELIVERY_POOL_H

/*
 * Items that are not needed any more, kept for the next records. malloc would
 * do the same, but it gives what the sender frees back to the kernel, and
 * producers fault it in again, page by page, which costs more than all else
 * that an outbox does with a small record.
 *
 * Every item is a block of malloc by itself, so those that leave early hold
 * back nothing of those that stay, and any item may go to free() instead. There
 * is a list for each size of block (item.h); the one that came last goes first,
 * because it is still in the CPU's caches. Items larger than the largest of
 * these blocks are never kept.
 *
 * No lock: the outbox's own guards that of its store. Under AddressSanitizer an
 * item that is kept is poisoned, all but its link, so it is found like freed
 * memory is.
 */

#include "delivery/item.h"

typedef struct tally_pool_s {
  size_t bytes; /* that are kept, as tally_item_cost() counts */

  /* private */
  struct {
    tally_items_t items;
    size_t count, least; /* now, and at the lowest since the last trim */
  } classes[TALLY_ITEM_CLASSES];
} tally_pool_t;

void tally_pool_init(tally_pool_t *pool);
void tally_pool_clear(tally_pool_t *pool); /* frees what is kept */

/* As tally_item_create(), of what is kept if there is one of that size. */
tally_item_t *tally_pool_create_item(tally_pool_t *pool,
                                     const tally_record_t *record);
/* Keeps the item, or frees it. NULL is allowed. */
void tally_pool_keep(tally_pool_t *pool, tally_item_t *item);

/* Frees until no more than `bytes` are kept, the largest first. */
void tally_pool_limit(tally_pool_t *pool, size_t bytes);

/* Frees what nobody needed since the last call; but no more than `most` items,
 * since somebody may be waiting for the lock. */
void tally_pool_trim(tally_pool_t *pool, size_t most);

/* All that `from` keeps; takes the same time however much that is. */
void tally_pool_move(tally_pool_t *to, tally_pool_t *from);

#endif
