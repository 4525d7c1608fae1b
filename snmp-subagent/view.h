/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_VIEW_H
#define TALLY_SNMP_VIEW_H

/*
 * What SNMP shows, at one moment: the node, its disks, containers, interfaces,
 * outputs (sinks) and alarms.
 *
 * The watcher's thread builds a view, finishes it (rows sorted as their indexes
 * are in the MIB) and hangs it on the *board*; from then on it is immutable.
 * The SNMP thread takes the newest one from the board for each batch of
 * requests. Nobody waits for anybody, and a walk never meets a half-built
 * table.
 *
 * A number nobody knows is TALLY_UNKNOWN, a text nobody knows is NULL; the MIB
 * shows neither (noSuchInstance). Texts and rows live as long as their view.
 *
 * The names and meanings of the fields are those of the objects of
 * TALLYMAN-MIB; what they count is said there and not again here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/file.h" /* TALLY_UNKNOWN */

typedef unsigned long tally_subid_t; /* as wide as net-snmp's oid */

/* The first member of every row. */
typedef struct tally_row_s {
  const tally_subid_t *index; /* the sub-identifiers behind the column */
  size_t index_length;
} tally_row_t;

/* The values of the MIB's enumerations. */
enum {
  TALLY_LEVEL_OK = 1,
  TALLY_LEVEL_WARNING = 2,
  TALLY_LEVEL_CRITICAL = 3,
  TALLY_LEVEL_UNKNOWN = 4,
};
enum { TALLY_TRUE = 1, TALLY_FALSE = 2 }; /* TruthValue */

/* Percentages are hundredths of a percent: 10000 is 100 %. */

typedef struct tally_node_row_s {
  tally_row_t row; /* scalars: index 0 */
  const char *name;
  const char *version; /* of the agent */
  uint64_t health;     /* TALLY_LEVEL_… */
  const char *health_reason;
  uint64_t health_changed_ns; /* realtime */
  uint64_t boot_ns;           /* realtime; shown as the uptime */
  uint64_t cpu_percent;       /* of all CPUs together: at most 10000 */
  uint64_t cpus;
  uint64_t load1, load5, load15;                        /* hundredths */
  uint64_t memory_total, memory_used, memory_available; /* bytes */
  uint64_t swap_total, swap_used;                       /* bytes */
  uint64_t processes;

  uint64_t docker_reachable; /* TruthValue */
  const char *docker_version;
  const char *docker_api_version;
  const char *docker_problem; /* empty: none */
  uint64_t docker_changed_ns; /* since when it is (not) reachable */
  uint64_t docker_images;
  uint64_t containers_running, containers_paused, containers_restarting;
  uint64_t containers_exited, containers_created, containers_dead;
  uint64_t containers_unhealthy;

  uint64_t sample_ns;      /* when the numbers were read, realtime */
  uint64_t sample_wall_us; /* what that cost */
  uint64_t sample_cpu_us;

  uint64_t sinks_state; /* 1 read, 2 switched off, 3 collectd not reachable */
  const char *sinks_problem;
  uint64_t notifications_sent, notifications_suppressed;
} tally_node_row_t;

typedef struct tally_disk_row_s {
  tally_row_t row;   /* the mount point */
  const char *mount; /* as the kernel shows it, escapes undone */
  const char *device;
  const char *type;                /* "ext4" */
  uint64_t total, used, available; /* bytes; available: to everybody */
  uint64_t percent;                /* used / (used + available), as df(1) */
  uint64_t inodes, inodes_used, inodes_percent;
  uint64_t read_only; /* TruthValue */
  uint64_t answering; /* TruthValue; false: a statvfs is still out */
  uint64_t level;     /* TALLY_LEVEL_… */
} tally_disk_row_t;

typedef struct tally_container_row_s {
  tally_row_t row;  /* the name, see tally_view_add_container() */
  const char *name; /* in full, also where the index is shortened */
  const char *id;
  const char *image;
  uint64_t state;  /* tally_container_state_t + 1 */
  uint64_t health; /* tally_health_t + 1 */
  uint64_t created_ns, started_ns, finished_ns;
  uint64_t exit_code;
  uint64_t restarts;

  uint64_t cpu_time_us, cpu_user_us, cpu_system_us;
  uint64_t cpu_percent; /* of one core */
  uint64_t cpu_limit;   /* hundredths of a core */
  uint64_t cpu_limit_percent;
  uint64_t cpu_periods, cpu_throttled, cpu_throttled_us;

  uint64_t memory_used, memory_working_set, memory_limit, memory_percent;
  uint64_t memory_swap, memory_page_faults, memory_limit_hits, memory_oom_kills;

  uint64_t network; /* tally_network_t + 1 */
  uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
  uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;

  uint64_t read_bytes, write_bytes, read_ops, write_ops;

  uint64_t threads, threads_limit, processes;

  uint64_t cpu_some, cpu_full; /* pressure, 10 s average */
  uint64_t memory_some, memory_full;
  uint64_t io_some, io_full;

  uint64_t level; /* TALLY_LEVEL_… */
} tally_container_row_t;

typedef struct tally_interface_row_s {
  tally_row_t row; /* container, interface */
  const char *container;
  const char *name;
  uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
  uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
} tally_interface_row_t;

typedef struct tally_sink_row_s {
  tally_row_t row;  /* the name */
  const char *name; /* "write_kinesis-metrics" */
  uint64_t accepted, sent, failed, retried, dropped; /* records */
  uint64_t queued;                                   /* records */
  uint64_t spooled_bytes;
  uint64_t oldest_age_ms;
  uint64_t last_error; /* HTTP status, or 1000 + errno; 0: none */
  const char *last_error_text;
  uint64_t state; /* 1 ok, 2 delayed, 3 stalled, 4 losing */
} tally_sink_row_t;

typedef struct tally_alarm_row_s {
  tally_row_t row; /* a number, given once and never again */
  uint64_t number;
  const char *object; /* "container/web", "disk//data", "node", "docker" */
  const char *cause;  /* "memory", "unhealthy", "inodes", … */
  uint64_t level;     /* warning or critical */
  uint64_t since_ns;
  const char *text;
} tally_alarm_row_t;

typedef enum tally_table_e {
  TALLY_TABLE_NODE = 0, /* one row */
  TALLY_TABLE_DISKS,
  TALLY_TABLE_CONTAINERS,
  TALLY_TABLE_INTERFACES,
  TALLY_TABLE_SINKS,
  TALLY_TABLE_ALARMS,
  TALLY_TABLES
} tally_table_t;

typedef struct tally_view_s tally_view_t;

/* ---- building: one thread ------------------------------------------------ */

/* Empty, with a node row of which nothing is known. NULL: out of memory. */
tally_view_t *tally_view_create(void);

/* A copy of `text` that lives as long as the view; NULL gives NULL. Out of
 * memory gives NULL too and is remembered: tally_view_finish() fails then. */
const char *tally_view_text(tally_view_t *view, const char *text);

tally_node_row_t *tally_view_node(tally_view_t *view);

/*
 * An object identifier has room for 128 sub-identifiers. A container name of
 * more than TALLY_INDEX_TEXT_MAX bytes, or a mount point or sink name, keeps
 * its first TALLY_INDEX_TEXT_MAX - 9 bytes in the index (without a character of
 * UTF-8 that would be cut) and goes on with "~" and eight hex digits of a hash
 * of the whole; the column has all of it.
 */
#define TALLY_INDEX_TEXT_MAX 80
#define TALLY_INDEX_MAX                                                        \
  (1 + TALLY_INDEX_TEXT_MAX) /* its length comes first                         \
                              */

/* The index that a text has in the tables of disks, containers and sinks, for
 * who needs it without a row. Returns the number of sub-identifiers. */
size_t tally_view_index(const char *text, tally_subid_t index[TALLY_INDEX_MAX]);

/* A further row, all numbers unknown, with its index and the texts that make
 * it. The pointer holds until the next row of the same table is added. NULL:
 * out of memory. */
tally_disk_row_t *tally_view_add_disk(tally_view_t *view, const char *mount);
tally_container_row_t *tally_view_add_container(tally_view_t *view,
                                                const char *name);
tally_interface_row_t *tally_view_add_interface(tally_view_t *view,
                                                const char *container,
                                                const char *name);
tally_sink_row_t *tally_view_add_sink(tally_view_t *view, const char *name);
tally_alarm_row_t *tally_view_add_alarm(tally_view_t *view, uint64_t number);

/* Sorts the rows of every table by index and drops rows whose index is there
 * already (the first one added stays). -1: memory ran out on the way. */
int tally_view_finish(tally_view_t *view, tally_error_t *err);

/* ---- reading: any thread ------------------------------------------------- */

size_t tally_view_count(const tally_view_t *view, tally_table_t table);
/* 0 <= position < count; to be cast to the table's row. Before finish() in the
 * order of adding. */
const tally_row_t *tally_view_row(const tally_view_t *view, tally_table_t table,
                                  size_t position);

void tally_view_unref(const tally_view_t *view);

/* ---- the board ------------------------------------------------------------
 */

typedef struct tally_board_s tally_board_t;

tally_board_t *tally_board_create(void);
void tally_board_destroy(tally_board_t *board);

/* Takes over the caller's reference. Wakes nobody. */
void tally_board_publish(tally_board_t *board, tally_view_t *view);
/* The newest view, with a reference for the caller; NULL before the first. */
const tally_view_t *tally_board_take(tally_board_t *board);

#endif
