/* SPDX-License-Identifier: MIT */
/* A view: rows in one array per table, texts and indexes in chunks of memory
 * that go when the view goes. The board is in board.c. */
#include "config.h"

#include "view.h"
#include "view_private.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"

#define CHUNK_SIZE ((size_t)16 << 10)
#define ROWS_AT_FIRST 16
#define INTERFACE_TEXT_MAX 15 /* IFNAMSIZ - 1 */

/* ---- texts and indexes --------------------------------------------------- */

typedef struct chunk_s {
  struct chunk_s *next;
  size_t used, size;
  alignas(max_align_t) char data[];
} chunk_t;

typedef struct table_s {
  char *rows; /* in the order of adding */
  size_t count, room;
  const tally_row_t **sorted; /* by index; NULL before finish() */
  size_t sorted_count;
} table_t;

struct tally_view_s {
  atomic_uint references;
  bool out_of_memory;
  chunk_t *chunks; /* the one in front is being filled */
  table_t tables[TALLY_TABLES];
};

static const size_t row_sizes[TALLY_TABLES] = {
    [TALLY_TABLE_NODE] = sizeof(tally_node_row_t),
    [TALLY_TABLE_DISKS] = sizeof(tally_disk_row_t),
    [TALLY_TABLE_CONTAINERS] = sizeof(tally_container_row_t),
    [TALLY_TABLE_INTERFACES] = sizeof(tally_interface_row_t),
    [TALLY_TABLE_SINKS] = sizeof(tally_sink_row_t),
    [TALLY_TABLE_ALARMS] = sizeof(tally_alarm_row_t),
};

/* `alignment` is a power of two. */
static void *keep(tally_view_t *view, const void *data, size_t size,
                  size_t alignment) {
  chunk_t *chunk = view->chunks;
  size_t at = 0;
  if (chunk != NULL)
    at = (chunk->used + alignment - 1) & ~(alignment - 1);
  if (chunk == NULL || at > chunk->size || chunk->size - at < size) {
    size_t room = size > CHUNK_SIZE / 4 ? size : CHUNK_SIZE;
    chunk_t *fresh = malloc(sizeof(*fresh) + room);
    if (fresh == NULL) {
      view->out_of_memory = true;
      return NULL;
    }
    fresh->used = 0;
    fresh->size = room;
    /* A large one is full at once: the one before it stays in front. */
    if (room != CHUNK_SIZE && chunk != NULL) {
      fresh->next = chunk->next;
      chunk->next = fresh;
    } else {
      fresh->next = chunk;
      view->chunks = fresh;
    }
    chunk = fresh;
    at = 0;
  }
  memcpy(chunk->data + at, data, size);
  chunk->used = at + size;
  return chunk->data + at;
}

const char *tally_view_text(tally_view_t *view, const char *text) {
  return text != NULL ? keep(view, text, strlen(text) + 1, 1) : NULL;
}

/* ---- indexes ------------------------------------------------------------- */

static uint32_t fnv1a(const char *text) {
  uint32_t hash = UINT32_C(2166136261);
  for (; *text != '\0'; text++)
    hash = (hash ^ (unsigned char)*text) * UINT32_C(16777619);
  return hash;
}

/* Length and bytes; texts longer than `most` are shortened to at most that. */
static size_t text_index(const char *text, size_t most, tally_subid_t *index) {
  enum { MARK = 1 + 8 }; /* '~' and a hash */
  size_t length = strlen(text), kept = length;
  if (length > most)
    kept = tally_utf8_cut(text, length, most - MARK);
  for (size_t i = 0; i < kept; i++)
    index[1 + i] = (unsigned char)text[i];
  if (length > most) {
    char mark[MARK + 1];
    snprintf(mark, sizeof(mark), "~%08x", (unsigned)fnv1a(text));
    for (size_t i = 0; i < MARK; i++)
      index[1 + kept + i] = (unsigned char)mark[i];
    kept += MARK;
  }
  index[0] = kept;
  return 1 + kept;
}

size_t tally_view_index(const char *text,
                        tally_subid_t index[TALLY_INDEX_MAX]) {
  return text_index(text, TALLY_INDEX_TEXT_MAX, index);
}

/* As SNMP compares: number by number, the shorter one first. */
static int compare_indexes(const tally_row_t *a, const tally_row_t *b) {
  size_t common =
      a->index_length < b->index_length ? a->index_length : b->index_length;
  for (size_t i = 0; i < common; i++)
    if (a->index[i] != b->index[i])
      return a->index[i] < b->index[i] ? -1 : 1;
  return (a->index_length > b->index_length) -
         (a->index_length < b->index_length);
}

/* ---- rows ---------------------------------------------------------------- */

/* A row with nothing but its index; numbers and texts are the caller's. */
static void *add_row(tally_view_t *view, tally_table_t number,
                     const tally_subid_t *index, size_t index_length) {
  table_t *table = &view->tables[number];
  size_t size = row_sizes[number];
  if (table->count == table->room) {
    size_t room = table->room != 0             ? 2 * table->room
                  : number != TALLY_TABLE_NODE ? ROWS_AT_FIRST
                                               : 1;
    char *rows = realloc(table->rows, room * size);
    if (rows == NULL) {
      view->out_of_memory = true;
      return NULL;
    }
    table->rows = rows;
    table->room = room;
  }
  tally_subid_t *kept =
      keep(view, index, index_length * sizeof(*index), sizeof(*index));
  if (kept == NULL)
    return NULL;
  char *row = table->rows + table->count++ * size;
  /* every bit of an unknown number is set */
  memset(row, 0xff, size);
  *(tally_row_t *)row =
      (tally_row_t){.index = kept, .index_length = index_length};
  return row;
}

tally_node_row_t *tally_view_node(tally_view_t *view) {
  return (tally_node_row_t *)view->tables[TALLY_TABLE_NODE].rows;
}

tally_disk_row_t *tally_view_add_disk(tally_view_t *view, const char *mount) {
  tally_subid_t index[TALLY_INDEX_MAX];
  tally_disk_row_t *row =
      add_row(view, TALLY_TABLE_DISKS, index, tally_view_index(mount, index));
  if (row != NULL) {
    row->mount = tally_view_text(view, mount);
    row->device = row->type = NULL;
  }
  return row;
}

tally_container_row_t *tally_view_add_container(tally_view_t *view,
                                                const char *name) {
  tally_subid_t index[TALLY_INDEX_MAX];
  tally_container_row_t *row = add_row(view, TALLY_TABLE_CONTAINERS, index,
                                       tally_view_index(name, index));
  if (row != NULL) {
    row->name = tally_view_text(view, name);
    row->id = row->image = NULL;
  }
  return row;
}

tally_interface_row_t *tally_view_add_interface(tally_view_t *view,
                                                const char *container,
                                                const char *name) {
  tally_subid_t index[TALLY_INDEX_MAX + 1 + INTERFACE_TEXT_MAX];
  size_t length = tally_view_index(container, index);
  length += text_index(name, INTERFACE_TEXT_MAX, index + length);
  tally_interface_row_t *row =
      add_row(view, TALLY_TABLE_INTERFACES, index, length);
  if (row != NULL) {
    row->container = tally_view_text(view, container);
    row->name = tally_view_text(view, name);
  }
  return row;
}

tally_sink_row_t *tally_view_add_sink(tally_view_t *view, const char *name) {
  tally_subid_t index[TALLY_INDEX_MAX];
  tally_sink_row_t *row =
      add_row(view, TALLY_TABLE_SINKS, index, tally_view_index(name, index));
  if (row != NULL) {
    row->name = tally_view_text(view, name);
    row->last_error_text = NULL;
  }
  return row;
}

tally_alarm_row_t *tally_view_add_alarm(tally_view_t *view, uint64_t number) {
  tally_subid_t index = number;
  tally_alarm_row_t *row = add_row(view, TALLY_TABLE_ALARMS, &index, 1);
  if (row != NULL) {
    row->number = number;
    row->object = row->cause = row->text = NULL;
  }
  return row;
}

/* ---- the view as a whole ------------------------------------------------- */

tally_view_t *tally_view_create(void) {
  tally_view_t *view = calloc(1, sizeof(*view));
  if (view == NULL)
    return NULL;
  atomic_init(&view->references, 1);
  static const tally_subid_t scalar = 0;
  tally_node_row_t *node = add_row(view, TALLY_TABLE_NODE, &scalar, 1);
  if (node == NULL) {
    tally_view_unref(view);
    return NULL;
  }
  node->name = node->version = node->health_reason = NULL;
  node->docker_version = node->docker_api_version = NULL;
  node->docker_problem = node->sinks_problem = NULL;
  return view;
}

void tally_view_unref(const tally_view_t *view) {
  tally_view_t *mine = (tally_view_t *)view;
  if (mine == NULL || atomic_fetch_sub(&mine->references, 1) != 1)
    return;
  for (size_t i = 0; i < TALLY_TABLES; i++) {
    free(mine->tables[i].rows);
    free(mine->tables[i].sorted);
  }
  for (chunk_t *chunk = mine->chunks, *next; chunk != NULL; chunk = next) {
    next = chunk->next;
    free(chunk);
  }
  free(mine);
}

void tally_view_ref(const tally_view_t *view) {
  atomic_fetch_add(&((tally_view_t *)view)->references, 1);
}

/* Rows with the same index stay in the order of adding, which is that of their
 * addresses. */
static int compare_rows(const void *a, const void *b) {
  const tally_row_t *left = *(const tally_row_t *const *)a;
  const tally_row_t *right = *(const tally_row_t *const *)b;
  int order = compare_indexes(left, right);
  return order != 0 ? order : (left > right) - (left < right);
}

static int sort_table(table_t *table, size_t row_size) {
  if (table->count == 0)
    return 0;
  table->sorted = malloc(table->count * sizeof(*table->sorted));
  if (table->sorted == NULL)
    return -1;
  for (size_t i = 0; i < table->count; i++)
    table->sorted[i] = (const tally_row_t *)(table->rows + i * row_size);
  qsort(table->sorted, table->count, sizeof(*table->sorted), compare_rows);
  size_t kept = 1;
  for (size_t i = 1; i < table->count; i++)
    if (compare_indexes(table->sorted[i], table->sorted[kept - 1]) != 0)
      table->sorted[kept++] = table->sorted[i];
  table->sorted_count = kept;
  return 0;
}

int tally_view_finish(tally_view_t *view, tally_error_t *err) {
  for (size_t i = 0; i < TALLY_TABLES; i++)
    if (sort_table(&view->tables[i], row_sizes[i]) != 0)
      view->out_of_memory = true;
  if (view->out_of_memory)
    return tally_error_set(err, ENOMEM, "build a view");
  return 0;
}

size_t tally_view_count(const tally_view_t *view, tally_table_t table) {
  const table_t *t = &view->tables[table];
  return t->sorted != NULL ? t->sorted_count : t->count;
}

const tally_row_t *tally_view_row(const tally_view_t *view, tally_table_t table,
                                  size_t position) {
  const table_t *t = &view->tables[table];
  if (t->sorted != NULL)
    return t->sorted[position];
  return (const tally_row_t *)(t->rows + position * row_sizes[table]);
}
