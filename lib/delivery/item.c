/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "delivery/item.h"

#include <stdlib.h>
#include <string.h>

#define MALLOC_OVERHEAD 16

/* ---- sizes --------------------------------------------------------------- */

#define CLASS_BITS 3 /* 8 between two powers of two */
#define CLASS_MASK ((1u << CLASS_BITS) - 1)
#define CLASS_LEAST_BITS 7

static size_t need_of(const tally_record_t *record) {
  return sizeof(tally_item_t) + MALLOC_OVERHEAD + record->key_len + record->len;
}

/* As the number of a class and a size both are floating point with a mantissa
 * of 3 bits: 1.000 × 2^7, 1.001 × 2^7, … 1.000 × 2^15. */
static unsigned class_of(size_t need) {
  if (need <= (size_t)1 << CLASS_LEAST_BITS)
    return 0;
  size_t last = need - 1; /* so that a size itself is in its class */
  unsigned exponent = 63 - (unsigned)__builtin_clzll(last);
  if (exponent - CLASS_LEAST_BITS >= TALLY_ITEM_CLASSES >> CLASS_BITS)
    return TALLY_ITEM_CLASSES;
  unsigned mantissa = (unsigned)(last >> (exponent - CLASS_BITS)) & CLASS_MASK;
  return ((exponent - CLASS_LEAST_BITS) << CLASS_BITS) + mantissa + 1;
}

unsigned tally_item_class(const tally_record_t *record) {
  return class_of(need_of(record));
}

size_t tally_item_class_cost(unsigned class) {
  size_t mantissa = (1u << CLASS_BITS) | (class & CLASS_MASK);
  return mantissa << (CLASS_LEAST_BITS - CLASS_BITS + (class >> CLASS_BITS));
}

size_t tally_item_class_bytes(unsigned class) {
  return tally_item_class_cost(class) - MALLOC_OVERHEAD;
}

size_t tally_item_cost(const tally_record_t *record) {
  size_t need = need_of(record);
  unsigned class = class_of(need);
  return class < TALLY_ITEM_CLASSES ? tally_item_class_cost(class) : need;
}

/* ---- items --------------------------------------------------------------- */

void tally_item_fill(tally_item_t *item, const tally_record_t *record) {
  *item = (tally_item_t){.time_ns = record->time_ns,
                         .key_len = (uint32_t)record->key_len,
                         .len = (uint32_t)record->len};
  if (record->key_len > 0)
    memcpy(item->bytes, record->key, record->key_len);
  if (record->len > 0)
    memcpy(item->bytes + record->key_len, record->data, record->len);
}

tally_item_t *tally_item_create(const tally_record_t *record) {
  tally_item_t *item = malloc(tally_item_cost(record) - MALLOC_OVERHEAD);
  if (item != NULL)
    tally_item_fill(item, record);
  return item;
}

tally_record_t tally_item_record(const tally_item_t *item) {
  return (tally_record_t){.key = item->bytes,
                          .key_len = item->key_len,
                          .data = item->bytes + item->key_len,
                          .len = item->len,
                          .time_ns = item->time_ns};
}

void tally_items_clear(tally_items_t *items) {
  tally_item_t *item;
  while ((item = TAILQ_FIRST(items)) != NULL) {
    TAILQ_REMOVE(items, item, link);
    free(item);
  }
}
