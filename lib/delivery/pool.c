/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "delivery/pool.h"

#include <stdlib.h>

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define POISON ASAN_POISON_MEMORY_REGION
#define UNPOISON ASAN_UNPOISON_MEMORY_REGION
#else
#define POISON(address, size) ((void)(address), (void)(size))
#define UNPOISON(address, size) ((void)(address), (void)(size))
#endif

/* The link stays readable: the list needs it, and the search for leaks. */
#define SEALED offsetof(tally_item_t, group)

static void seal(tally_item_t *item, unsigned c) {
  POISON((char *)item + SEALED, tally_item_class_bytes(c) - SEALED);
}

static void unseal(tally_item_t *item, unsigned c) {
  UNPOISON((char *)item + SEALED, tally_item_class_bytes(c) - SEALED);
}

void tally_pool_init(tally_pool_t *pool) {
  *pool = (tally_pool_t){0};
  for (unsigned c = 0; c < TALLY_ITEM_CLASSES; c++)
    TAILQ_INIT(&pool->classes[c].items);
}

void tally_pool_clear(tally_pool_t *pool) { tally_pool_limit(pool, 0); }

/* ---- in and out ---------------------------------------------------------- */

static void leave(tally_pool_t *pool, unsigned c, tally_item_t *item) {
  TAILQ_REMOVE(&pool->classes[c].items, item, link);
  size_t count = --pool->classes[c].count;
  if (pool->classes[c].least > count)
    pool->classes[c].least = count;
  pool->bytes -= tally_item_class_cost(c);
  unseal(item, c);
}

tally_item_t *tally_pool_create_item(tally_pool_t *pool,
                                     const tally_record_t *record) {
  unsigned c = tally_item_class(record);
  if (c == TALLY_ITEM_CLASSES || pool->classes[c].count == 0)
    return tally_item_create(record);
  tally_item_t *item = TAILQ_FIRST(&pool->classes[c].items);
  leave(pool, c, item);
  tally_item_fill(item, record);
  return item;
}

void tally_pool_keep(tally_pool_t *pool, tally_item_t *item) {
  if (item == NULL)
    return;
  tally_record_t record = tally_item_record(item);
  unsigned c = tally_item_class(&record);
  if (c == TALLY_ITEM_CLASSES) {
    free(item);
    return;
  }
  TAILQ_INSERT_HEAD(&pool->classes[c].items, item, link);
  pool->classes[c].count++;
  pool->bytes += tally_item_class_cost(c);
  seal(item, c);
}

/* The one that has been here for longest. */
static void drop_oldest(tally_pool_t *pool, unsigned c) {
  tally_item_t *item = TAILQ_LAST(&pool->classes[c].items, tally_items_s);
  leave(pool, c, item);
  free(item);
}

/* ---- bounds -------------------------------------------------------------- */

void tally_pool_limit(tally_pool_t *pool, size_t bytes) {
  for (unsigned c = TALLY_ITEM_CLASSES; c > 0 && pool->bytes > bytes; c--)
    while (pool->bytes > bytes && pool->classes[c - 1].count > 0)
      drop_oldest(pool, c - 1);
}

void tally_pool_trim(tally_pool_t *pool, size_t most) {
  for (unsigned c = 0; c < TALLY_ITEM_CLASSES; c++) {
    for (size_t idle = pool->classes[c].least; idle > 0 && most > 0;
         idle--, most--)
      drop_oldest(pool, c);
    pool->classes[c].least = pool->classes[c].count;
  }
}

void tally_pool_move(tally_pool_t *to, tally_pool_t *from) {
  for (unsigned c = 0; c < TALLY_ITEM_CLASSES; c++) {
    TAILQ_CONCAT(&to->classes[c].items, &from->classes[c].items, link);
    to->classes[c].count += from->classes[c].count;
    to->classes[c].least += from->classes[c].least;
    from->classes[c].count = from->classes[c].least = 0;
  }
  to->bytes += from->bytes;
  from->bytes = 0;
}
