/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/table.h"

#include "docker/container_private.h"
#include "docker/snapshot.h"

tally_entry_t *tally_table_find(const tally_table_t *table, const char *id) {
  return tally_id_list_find(&table->list, id);
}

tally_entry_t *tally_table_add(tally_table_t *table, const char *id) {
  return tally_id_list_add(&table->list, id, sizeof(tally_entry_t));
}

void tally_table_remove(tally_table_t *table, tally_entry_t *entry) {
  if (entry->container != NULL)
    table->changes++;
  tally_container_unref(entry->container);
  tally_id_list_remove(&table->list, entry);
}

void tally_table_clear(tally_table_t *table) {
  for (size_t i = 0; i < table->list.count; i++) {
    const tally_entry_t *entry = table->list.items[i];
    tally_container_unref(entry->container);
  }
  tally_id_list_clear(&table->list);
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
  tally_snapshot_t *snapshot = tally_snapshot_create(table->list.count);
  if (snapshot == NULL)
    return NULL;
  for (size_t i = 0; i < table->list.count; i++) {
    const tally_entry_t *entry = table->list.items[i];
    if (entry->container != NULL)
      tally_snapshot_add(snapshot, entry->container);
  }
  table->changes = 0;
  return snapshot;
}
