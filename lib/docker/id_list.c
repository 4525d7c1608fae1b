/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/id_list.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ID_SIZE 65

/* Where `id` is or should be inserted. */
static size_t position_of(const tally_id_list_t *list, const char *id,
                          bool *found) {
  size_t low = 0, high = list->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(id, list->items[middle]);
    if (order == 0) {
      *found = true;
      return middle;
    }
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  *found = false;
  return low;
}

void *tally_id_list_find(const tally_id_list_t *list, const char *id) {
  bool found;
  size_t i = position_of(list, id, &found);
  return found ? list->items[i] : NULL;
}

void *tally_id_list_add(tally_id_list_t *list, const char *id,
                        size_t item_size) {
  bool found;
  size_t i = position_of(list, id, &found);
  if (found)
    return list->items[i];

  if (list->count == list->size) {
    size_t size = list->size ? 2 * list->size : 64;
    void **items = realloc(list->items, size * sizeof(*items));
    if (items == NULL)
      return NULL;
    list->items = items;
    list->size = size;
  }
  char *item = calloc(1, item_size);
  if (item == NULL)
    return NULL;
  strncpy(item, id, ID_SIZE - 1);
  memmove(list->items + i + 1, list->items + i,
          (list->count - i) * sizeof(*list->items));
  list->items[i] = item;
  list->count++;
  return item;
}

void tally_id_list_remove(tally_id_list_t *list, void *item) {
  bool found;
  size_t i = position_of(list, item, &found);
  if (!found)
    return;
  list->count--;
  memmove(list->items + i, list->items + i + 1,
          (list->count - i) * sizeof(*list->items));
  free(item);
}

void tally_id_list_clear(tally_id_list_t *list) {
  for (size_t i = 0; i < list->count; i++)
    free(list->items[i]);
  free(list->items);
  *list = (tally_id_list_t){0};
}
