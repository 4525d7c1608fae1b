/* SPDX-License-Identifier: MIT */
/* Object identifiers looked up in a view. */
#include "config.h"

#include "mib.h"
#include "mib_private.h"

#include <string.h>

const tally_mib_table_t *const tally_mib_tables[] = {
    &tally_mib_node,       &tally_mib_disks, &tally_mib_containers,
    &tally_mib_interfaces, &tally_mib_sinks, &tally_mib_alarms,
};
const size_t tally_mib_tables_count =
    sizeof(tally_mib_tables) / sizeof(tally_mib_tables[0]);

int tally_mib_compare(const tally_subid_t *a, size_t a_length,
                      const tally_subid_t *b, size_t b_length) {
  size_t common = a_length < b_length ? a_length : b_length;
  for (size_t i = 0; i < common; i++)
    if (a[i] != b[i])
      return a[i] < b[i] ? -1 : 1;
  return (a_length > b_length) - (a_length < b_length);
}

static bool begins_with(const tally_subid_t *oid, size_t length,
                        const tally_subid_t *prefix, size_t prefix_length) {
  return length >= prefix_length &&
         memcmp(oid, prefix, prefix_length * sizeof(*oid)) == 0;
}

/* The first column that is not below `subid`; columns_count if all are. */
static size_t find_column(const tally_mib_table_t *table, tally_subid_t subid) {
  size_t low = 0, high = table->columns_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (table->columns[middle].subid < subid)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The first row whose index is not below this one (with `behind`: that is above
 * it); the number of rows if there is none. */
static size_t find_row(const tally_view_t *view, tally_table_t table,
                       const tally_subid_t *index, size_t length, bool behind) {
  size_t low = 0, high = tally_view_count(view, table);
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const tally_row_t *row = tally_view_row(view, table, middle);
    int order = tally_mib_compare(row->index, row->index_length, index, length);
    if (order < 0 || (behind && order == 0))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

tally_mib_status_t tally_mib_get(const tally_view_t *view,
                                 const tally_subid_t *oid, size_t length,
                                 tally_mib_value_t *value) {
  for (size_t i = 0; i < tally_mib_tables_count; i++) {
    const tally_mib_table_t *table = tally_mib_tables[i];
    size_t base = table->base_length;
    if (length <= base || !begins_with(oid, length, table->base, base))
      continue;
    size_t column = find_column(table, oid[base]);
    if (column == table->columns_count ||
        table->columns[column].subid != oid[base])
      return TALLY_MIB_NO_SUCH_OBJECT;
    if (view == NULL)
      return TALLY_MIB_NO_SUCH_INSTANCE;
    const tally_subid_t *index = oid + base + 1;
    size_t index_length = length - base - 1;
    size_t at = find_row(view, table->table, index, index_length, false);
    if (at == tally_view_count(view, table->table))
      return TALLY_MIB_NO_SUCH_INSTANCE;
    const tally_row_t *row = tally_view_row(view, table->table, at);
    if (tally_mib_compare(row->index, row->index_length, index, index_length) !=
            0 ||
        !tally_mib_value(&table->columns[column], row, value))
      return TALLY_MIB_NO_SUCH_INSTANCE;
    return TALLY_MIB_FOUND;
  }
  return TALLY_MIB_NO_SUCH_OBJECT;
}

/* Where a search in a table begins: column by column, row by row. */
typedef struct cell_s {
  size_t column, row;
} cell_t;

/* The first cell behind `oid`; false: the whole table is before it. */
static bool first_cell_behind(const tally_view_t *view,
                              const tally_mib_table_t *table,
                              const tally_subid_t *oid, size_t length,
                              cell_t *cell) {
  *cell = (cell_t){0, 0};
  size_t base = table->base_length;
  if (!begins_with(oid, length, table->base, base))
    return tally_mib_compare(oid, length, table->base, base) < 0;
  if (length == base)
    return true;
  cell->column = find_column(table, oid[base]);
  if (cell->column < table->columns_count &&
      table->columns[cell->column].subid == oid[base])
    cell->row =
        find_row(view, table->table, oid + base + 1, length - base - 1, true);
  return true;
}

bool tally_mib_next(const tally_view_t *view, const tally_subid_t *oid,
                    size_t length, tally_subid_t *next, size_t *next_length,
                    tally_mib_value_t *value) {
  if (view == NULL)
    return false;
  for (size_t i = 0; i < tally_mib_tables_count; i++) {
    const tally_mib_table_t *table = tally_mib_tables[i];
    size_t rows = tally_view_count(view, table->table);
    cell_t cell;
    if (rows == 0 || !first_cell_behind(view, table, oid, length, &cell))
      continue;
    for (; cell.column < table->columns_count; cell.column++, cell.row = 0) {
      const tally_mib_column_t *column = &table->columns[cell.column];
      for (; cell.row < rows; cell.row++) {
        const tally_row_t *row = tally_view_row(view, table->table, cell.row);
        if (!tally_mib_value(column, row, value))
          continue;
        size_t base = table->base_length;
        memcpy(next, table->base, base * sizeof(*next));
        next[base] = column->subid;
        memcpy(next + base + 1, row->index, row->index_length * sizeof(*next));
        *next_length = base + 1 + row->index_length;
        return true;
      }
    }
  }
  return false;
}
