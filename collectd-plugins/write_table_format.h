/* SPDX-License-Identifier: MIT */
#ifndef WRITE_TABLE_FORMAT_H
#define WRITE_TABLE_FORMAT_H

/*
 * The table of containers as text. Pure: numbers in, characters out; knows
 * neither collectd nor a terminal.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"
#include "docker/docker.h"

/* One container. Numbers are NAN where they are not known. */
typedef struct write_table_row_s {
  char name[256]; /* hostile: anything but printable ASCII becomes '?' */
  tally_container_state_t state;
  tally_health_t health;
  double exit_code; /* NAN: it has never ended */
  double uptime;    /* seconds */
  double tasks;
  double cpu_percent; /* 100 = one core */
  double memory_used, memory_limit;
  double net_rx, net_tx;        /* bytes per second, all interfaces */
  double disk_read, disk_write; /* bytes per second, all devices */
} write_table_row_t;

typedef struct write_table_view_s {
  const char *host;
  const char *time;        /* as it shall be shown */
  const char *message;     /* what is wrong with Docker; "" or NULL: nothing */
  write_table_row_t *rows; /* in any order; sorted by the call */
  size_t count;
  size_t width;  /* characters per line */
  size_t height; /* lines at most; 0: as many as there are rows */
  bool ansi;     /* escape sequences: in place, with emphasis */
  size_t before; /* lines of the table that this one takes the place of */
} write_table_view_t;

/* Appends the table: the busiest container first, then by name. What does not
 * fit into a buffer's cap is left out. Returns how many lines it has. */
size_t write_table_format(const write_table_view_t *view, tally_buffer_t *out);

#endif
