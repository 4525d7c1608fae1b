/* SPDX-License-Identifier: MIT */
#ifndef TALLY_BENCH_FARM_PROCESS_H
#define TALLY_BENCH_FARM_PROCESS_H

/*
 * The one process of a container of the farm. It does once what makes the
 * kernel count something (memory, block I/O, an interface) and then sleeps.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct farm_process_options_s {
  size_t memory;      /* bytes of anonymous memory that it touches */
  bool own_network;   /* a network namespace with an interface "eth0" */
  const char *io_dir; /* writes 4 KiB past the page cache here; NULL: not */
} farm_process_options_t;

/* Starts it; it waits on *gate before it does anything. -1: errno says why. */
pid_t farm_process_start(const farm_process_options_t *options, int *gate);

/* Lets it do its work, waits until it sleeps and closes the gate. -1: it died;
 * it has said why. */
int farm_process_settle(int gate);

#endif
