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

static void seal(tally_item_t *item, unsigned class) {
  POISON((char *)item + SEALED, tally_item_class_bytes(class) - SEALED);
}

static void unseal(tally_item_t *item, unsigned class) {
  UNPOISON((char *)item + SEALED, tally_item_class_bytes(class) - SEALED);
}

void tally_pool_init(tally_pool_t *pool) {
  *pool = (tally_pool_t){0};
  for (unsigned class = 0; class < TALLY_ITEM_CLASSES; class ++)
    TAILQ_INIT(&pool->classes[class].items);
}

void tally_pool_clear(tally_pool_t *pool) { tally_pool_limit(pool, 0); }

/* ---- in and out ---------------------------------------------------------- */

static void leave(tally_pool_t *pool, unsigned class, tally_item_t *item) {
  TAILQ_REMOVE(&pool->classes[class].items, item, link);
  size_t count = --pool->classes[class].count;
  if (pool->classes[class].least > count)
    pool->classes[class].least = count;
  pool->bytes -= tally_item_class_cost(class);
  unseal(item, class);
}

tally_item_t *tally_pool_create_item(tally_pool_t *pool,
                                     const tally_record_t *record) {
  unsigned class = tally_item_class(record);
  if (class == TALLY_ITEM_CLASSES || pool->classes[class].count == 0)
    return tally_item_create(record);
  tally_item_t *item = TAILQ_FIRST(&pool->classes[class].items);
  leave(pool, class, item);
  tally_item_fill(item, record);
  return item;
}

void tally_pool_keep(tally_pool_t *pool, tally_item_t *item) {
  if (item == NULL)
    return;
  tally_record_t record = tally_item_record(item);
  unsigned class = tally_item_class(&record);
  if (class == TALLY_ITEM_CLASSES) {
    free(item);
    return;
  }
  TAILQ_INSERT_HEAD(&pool->classes[class].items, item, link);
  pool->classes[class].count++;
  pool->bytes += tally_item_class_cost(class);
  seal(item, class);
}

/* The one that has been here for longest. */
static void drop_oldest(tally_pool_t *pool, unsigned class) {
  tally_item_t *item = TAILQ_LAST(&pool->classes[class].items, tally_items_s);
  leave(pool, class, item);
  free(item);
}

/* ---- bounds -------------------------------------------------------------- */

void tally_pool_limit(tally_pool_t *pool, size_t bytes) {
  for (unsigned class = TALLY_ITEM_CLASSES; class > 0 && pool->bytes > bytes;
       class --)
    while (pool->bytes > bytes && pool->classes[class - 1].count > 0)
      drop_oldest(pool, class - 1);
}

void tally_pool_trim(tally_pool_t *pool, size_t most) {
  for (unsigned class = 0; class < TALLY_ITEM_CLASSES; class ++) {
    for (size_t idle = pool->classes[class].least; idle > 0 && most > 0;
         idle--, most--)
      drop_oldest(pool, class);
    pool->classes[class].least = pool->classes[class].count;
  }
}

void tally_pool_move(tally_pool_t *to, tally_pool_t *from) {
  for (unsigned class = 0; class < TALLY_ITEM_CLASSES; class ++) {
    TAILQ_CONCAT(&to->classes[class].items, &from->classes[class].items, link);
    to->classes[class].count += from->classes[class].count;
    to->classes[class].least += from->classes[class].least;
    from->classes[class].count = from->classes[class].least = 0;
  }
  to->bytes += from->bytes;
  from->bytes = 0;
}
