/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "delivery/item.h"

#include <stdlib.h>
#include <string.h>

#define MALLOC_OVERHEAD 16

tally_item_t *tally_item_create(const tally_record_t *record) {
  tally_item_t *item = malloc(sizeof(*item) + record->key_len + record->len);
  if (item == NULL)
    return NULL;
  *item = (tally_item_t){.time_ns = record->time_ns,
                         .key_len = (uint32_t)record->key_len,
                         .len = (uint32_t)record->len};
  if (record->key_len > 0)
    memcpy(item->bytes, record->key, record->key_len);
  if (record->len > 0)
    memcpy(item->bytes + record->key_len, record->data, record->len);
  return item;
}

tally_record_t tally_item_record(const tally_item_t *item) {
  return (tally_record_t){.key = item->bytes,
                          .key_len = item->key_len,
                          .data = item->bytes + item->key_len,
                          .len = item->len,
                          .time_ns = item->time_ns};
}

size_t tally_item_cost(const tally_record_t *record) {
  return sizeof(tally_item_t) + MALLOC_OVERHEAD + record->key_len + record->len;
}

void tally_items_clear(tally_items_t *items) {
  tally_item_t *item;
  while ((item = TAILQ_FIRST(items)) != NULL) {
    TAILQ_REMOVE(items, item, link);
    free(item);
  }
}
