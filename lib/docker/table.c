/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/table.h"

#include <stdlib.h>
#include <string.h>

#include "docker/container_private.h"
#include "docker/snapshot.h"

/* Where `id` is or should be inserted. */
static size_t position_of(const tally_table_t *table, const char *id,
                          bool *found) {
  size_t low = 0, high = table->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(id, table->entries[middle]->id);
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

tally_entry_t *tally_table_find(const tally_table_t *table, const char *id) {
  bool found;
  size_t i = position_of(table, id, &found);
  return found ? table->entries[i] : NULL;
}

tally_entry_t *tally_table_add(tally_table_t *table, const char *id) {
  bool found;
  size_t i = position_of(table, id, &found);
  if (found)
    return table->entries[i];

  if (table->count == table->size) {
    size_t size = table->size ? 2 * table->size : 64;
    tally_entry_t **entries =
        realloc(table->entries, size * sizeof(*table->entries));
    if (entries == NULL)
      return NULL;
    table->entries = entries;
    table->size = size;
  }
  tally_entry_t *entry = calloc(1, sizeof(*entry));
  if (entry == NULL)
    return NULL;
  strncpy(entry->id, id, sizeof(entry->id) - 1);
  memmove(table->entries + i + 1, table->entries + i,
          (table->count - i) * sizeof(*table->entries));
  table->entries[i] = entry;
  table->count++;
  return entry;
}

void tally_table_remove(tally_table_t *table, const char *id) {
  bool found;
  size_t i = position_of(table, id, &found);
  if (!found)
    return;
  tally_entry_t *entry = table->entries[i];
  table->count--;
  memmove(table->entries + i, table->entries + i + 1,
          (table->count - i) * sizeof(*table->entries));
  if (entry->container != NULL)
    table->changes++;
  tally_container_unref(entry->container);
  free(entry);
}

void tally_table_clear(tally_table_t *table) {
  for (size_t i = 0; i < table->count; i++) {
    tally_container_unref(table->entries[i]->container);
    free(table->entries[i]);
  }
  free(table->entries);
  *table = (tally_table_t){0};
}

void tally_table_set(tally_table_t *table, tally_entry_t *entry,
                     const tally_container_t *container) {
  if (entry->container != NULL && !entry->updated &&
      tally_container_equal(entry->container, container)) {
    tally_container_unref(container);
    return;
  }
  tally_container_unref(entry->container);
  entry->container = container;
  entry->updated = false;
  table->changes++;
}

tally_snapshot_t *tally_table_snapshot(tally_table_t *table) {
  tally_snapshot_t *snapshot = tally_snapshot_create(table->count);
  if (snapshot == NULL)
    return NULL;
  for (size_t i = 0; i < table->count; i++)
    if (table->entries[i]->container != NULL)
      tally_snapshot_add(snapshot, table->entries[i]->container);
  table->changes = 0;
  return snapshot;
}
