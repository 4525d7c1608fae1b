/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "trap_objects.h"

#include <string.h>

#include "mib_private.h"

/* ---- which objects a notification carries -------------------------------- */

#define OBJECTS_OF_CONTAINER                                                   \
  {                                                                            \
    "tallyContainerName", "tallyContainerId", "tallyContainerImage",           \
        "tallyContainerState", "tallyContainerExitCode",                       \
        "tallyNotifyPreviousState", "tallyNotifySignal", "tallyNotifyText",    \
        "tallyNotifyTime"                                                      \
  }
#define OBJECTS_OF_DISK                                                        \
  {                                                                            \
    "tallyDiskMount", "tallyDiskLevel", "tallyNotifyPreviousLevel",            \
        "tallyNotifyPercent", "tallyNotifyText", "tallyNotifyTime"             \
  }
#define OBJECTS_OF_SINK                                                        \
  { "tallySinkName", "tallySinkState", "tallyNotifyText", "tallyNotifyTime" }
#define OBJECTS_OF_DOCKER                                                      \
  {                                                                            \
    "tallyDockerReachable", "tallyDockerProblem", "tallyNotifyText",           \
        "tallyNotifyTime"                                                      \
  }
#define OBJECTS_OF_ALARM                                                       \
  {                                                                            \
    "tallyNotifyObject", "tallyNotifyLevel", "tallyNotifyPreviousLevel",       \
        "tallyNotifyPercent", "tallyNotifyText", "tallyNotifyTime"             \
  }

/* In the order of the module's OBJECTS clauses. */
static const char *const names[TALLY_NOTICES][TALLY_TRAP_OBJECTS_MAX] = {
    [TALLY_NOTICE_CONTAINER_DIED] = OBJECTS_OF_CONTAINER,
    [TALLY_NOTICE_CONTAINER_OOM] = OBJECTS_OF_CONTAINER,
    [TALLY_NOTICE_CONTAINER_UNHEALTHY] = OBJECTS_OF_CONTAINER,
    [TALLY_NOTICE_CONTAINER_STATE] = OBJECTS_OF_CONTAINER,
    [TALLY_NOTICE_NODE_HEALTH] = {"tallyNodeHealth", "tallyNodeHealthReason",
                                  "tallyNotifyPreviousLevel",
                                  "tallyNotifyTime"},
    [TALLY_NOTICE_DISK_RAISED] = OBJECTS_OF_DISK,
    [TALLY_NOTICE_DISK_CLEARED] = OBJECTS_OF_DISK,
    [TALLY_NOTICE_SINK_STALLED] = OBJECTS_OF_SINK,
    [TALLY_NOTICE_SINK_RECOVERED] = OBJECTS_OF_SINK,
    [TALLY_NOTICE_DOCKER_LOST] = OBJECTS_OF_DOCKER,
    [TALLY_NOTICE_DOCKER_BACK] = OBJECTS_OF_DOCKER,
    [TALLY_NOTICE_ALARM_RAISED] = OBJECTS_OF_ALARM,
    [TALLY_NOTICE_ALARM_CLEARED] = OBJECTS_OF_ALARM,
};

/* ---- the objects that only notifications have ---------------------------- */

typedef struct {
  tally_row_t row;
  uint64_t time_ns;
  const char *text, *object;
  uint64_t previous_state, signal, level, previous_level, percent;
} notify_row_t;

static const tally_subid_t notify_base[] = {1, 7};

#define COLUMN(subid, name, syntax, member)                                    \
  TALLY_COLUMN(subid, name, syntax, notify_row_t, member)

static const tally_mib_column_t notify_columns[] = {
    COLUMN(1, "tallyNotifyTime", DATE, time_ns),
    COLUMN(2, "tallyNotifyText", TEXT, text),
    COLUMN(3, "tallyNotifyObject", TEXT, object),
    COLUMN(4, "tallyNotifyPreviousState", INTEGER, previous_state),
    COLUMN(5, "tallyNotifySignal", INTEGER, signal),
    COLUMN(6, "tallyNotifyLevel", INTEGER, level),
    COLUMN(7, "tallyNotifyPreviousLevel", INTEGER, previous_level),
    COLUMN(8, "tallyNotifyPercent", GAUGE, percent),
};

static const tally_mib_table_t notify_table =
    TALLY_TABLE_OF(TALLY_TABLES, notify_base, notify_columns);

/* ---- the notice as rows of the tables ------------------------------------ */

/* A notification always has all of its objects. */
static uint64_t or_else(uint64_t number, uint64_t otherwise) {
  return number != TALLY_UNKNOWN ? number : otherwise;
}

typedef struct {
  tally_subid_t scalar; /* the instance of what is in no table */
  tally_subid_t index[TALLY_INDEX_MAX];
  tally_node_row_t node;
  tally_disk_row_t disk;
  tally_container_row_t container;
  tally_sink_row_t sink;
  notify_row_t notify;
} rows_t;

static void fill_rows(const tally_notice_t *notice, rows_t *rows) {
  rows->scalar = 0;
  const tally_row_t scalar = {&rows->scalar, 1};
  const tally_row_t indexed = {rows->index,
                               tally_view_index(notice->object, rows->index)};
  const uint64_t state = or_else(notice->state, 1); /* unknown; ok */
  const uint64_t level = or_else(notice->level, TALLY_LEVEL_UNKNOWN);
  const bool lost = notice->kind == TALLY_NOTICE_DOCKER_LOST;
  rows->node = (tally_node_row_t){
      .row = scalar,
      .health = level,
      .health_reason = notice->text,
      .docker_reachable = lost ? TALLY_FALSE : TALLY_TRUE,
      .docker_problem = lost ? notice->text : "",
  };
  rows->disk = (tally_disk_row_t){
      .row = indexed, .mount = notice->object, .level = level};
  rows->container = (tally_container_row_t){
      .row = indexed,
      .name = notice->object,
      .id = notice->id,
      .image = notice->image,
      .state = state,
      .exit_code = or_else(notice->exit_code, 0),
  };
  rows->sink = (tally_sink_row_t){
      .row = indexed, .name = notice->object, .state = state};
  rows->notify = (notify_row_t){
      .row = scalar,
      .time_ns = notice->time_ns,
      .text = notice->text,
      .object = notice->object,
      .previous_state = or_else(notice->previous_state, 1),
      .signal = or_else(notice->signal, 0),
      .level = level,
      .previous_level = or_else(notice->previous_level, TALLY_LEVEL_UNKNOWN),
      .percent = or_else(notice->percent, 0),
  };
}

static const tally_row_t *row_of(const rows_t *rows, tally_table_t table) {
  switch (table) {
  case TALLY_TABLE_NODE:
    return &rows->node.row;
  case TALLY_TABLE_DISKS:
    return &rows->disk.row;
  case TALLY_TABLE_CONTAINERS:
    return &rows->container.row;
  case TALLY_TABLE_SINKS:
    return &rows->sink.row;
  default:
    return &rows->notify.row;
  }
}

/* ---- an object ----------------------------------------------------------- */

static const tally_mib_column_t *find_in(const tally_mib_table_t *table,
                                         const char *name) {
  for (size_t i = 0; i < table->columns_count; i++)
    if (strcmp(table->columns[i].name, name) == 0)
      return &table->columns[i];
  return NULL;
}

static const tally_mib_column_t *find(const char *name,
                                      const tally_mib_table_t **table) {
  const tally_mib_column_t *column = NULL;
  for (size_t i = 0; i < tally_mib_tables_count && column == NULL; i++) {
    *table = tally_mib_tables[i];
    column = find_in(*table, name);
  }
  if (column == NULL) {
    *table = &notify_table;
    column = find_in(*table, name);
  }
  return column;
}

static bool make_object(const char *name, const rows_t *rows,
                        tally_trap_object_t *object) {
  const tally_mib_table_t *table;
  const tally_mib_column_t *column = find(name, &table);
  if (column == NULL)
    return false;
  const tally_row_t *row = row_of(rows, table->table);
  object->name = name;
  size_t length = table->base_length;
  memcpy(object->oid, table->base, length * sizeof(*object->oid));
  object->oid[length++] = column->subid;
  memcpy(object->oid + length, row->index,
         row->index_length * sizeof(*object->oid));
  object->oid_length = length + row->index_length;
  return tally_mib_value(column, row, &object->value);
}

size_t tally_trap_objects(const tally_notice_t *notice,
                          tally_trap_object_t objects[TALLY_TRAP_OBJECTS_MAX]) {
  rows_t rows;
  fill_rows(notice, &rows);
  size_t count = 0;
  for (const char *const *name = names[notice->kind];
       count < TALLY_TRAP_OBJECTS_MAX && *name != NULL; name++)
    if (make_object(*name, &rows, &objects[count]))
      count++;
  return count;
}
