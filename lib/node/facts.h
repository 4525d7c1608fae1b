/* SPDX-License-Identifier: MIT */
#ifndef TALLY_NODE_FACTS_H
#define TALLY_NODE_FACTS_H

/*
 * How this node is: CPU, load, memory, swap, processes, since when it is up.
 *
 * Everything comes from a handful of files in /proc that any user may read,
 * read once per call: about 50 µs, and 0.5 µs more per process of the node.
 *
 * Contract: proc_stat(5), proc_meminfo(5), proc_loadavg(5).
 */

#include <stdint.h>

#include "core/error.h"
#include "core/file.h" /* TALLY_UNKNOWN */

typedef struct tally_node_facts_s {
  double cpu_percent; /* of all CPUs together since the last reading, 0…100;
                         NAN at the first one. Waiting for I/O is idling, what
                         the hypervisor gave to others (steal) is not. */
  double load[3];     /* over 1, 5 and 15 minutes; NAN: unknown */

  /* Unknown: TALLY_UNKNOWN. */
  uint64_t cpus;                                        /* online */
  uint64_t memory_total, memory_available, memory_used; /* bytes */
  uint64_t swap_total, swap_used;                       /* bytes */
  uint64_t processes; /* of the proc that is looked at */
  uint64_t boot_ns;   /* realtime */
} tally_node_facts_t;

typedef struct tally_node_reader_s tally_node_reader_t;

/* `rootfs`: prefix of /proc, "" or NULL. NULL: out of memory. */
tally_node_reader_t *tally_node_reader_create(const char *rootfs,
                                              tally_error_t *err);
void tally_node_reader_destroy(tally_node_reader_t *reader);

/* What cannot be read is unknown and costs the others nothing. `used` is what
 * is not available: total - available, where `available` is the kernel's own
 * estimate (MemAvailable, Linux 3.14) or free + buffers + page cache. One
 * thread at a time. */
void tally_node_reader_read(tally_node_reader_t *reader,
                            tally_node_facts_t *facts);

/* The node's name: that of this system, or with a prefix the one in
 * <rootfs>/etc/hostname; "" if there is none. */
void tally_node_name(const char *rootfs, char *name, size_t size);

#endif
