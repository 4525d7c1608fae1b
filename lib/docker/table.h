/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_TABLE_H
#define TALLY_DOCKER_TABLE_H

/*
 * The worker's own list of containers: what is known of each, and what has to
 * be asked. Belongs to one thread. Sorted by id, so that a snapshot is a copy
 * of it in order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "docker/docker.h"
#include "docker/id_list.h"

typedef struct tally_entry_s {
  char id[65];
  const tally_container_t *container; /* latest known; NULL: nothing yet */
  bool updated;         /* its limits were, of which `container` says nothing */
  unsigned listed;      /* number of the census that saw it last; 0: none */
  uint64_t census_wish; /* what that census wished for; 0: nothing */

  /* Kept by the inspector. Each wish for an inspect has a number; what was
   * asked after the wish answers it, so one inspect may answer many. */
  uint64_t wished, answered;
  bool fresh;        /* `answered` by an inspect, not by a failure */
  bool urgent;       /* an event waits for it */
  unsigned failures; /* in a row */
  bool troubled;     /* more than one, counted by the inspector */
  uint64_t retry_ns; /* not before; monotonic; 0: any time */
  struct tally_inspect_s *inspect;   /* under way, or NULL */
  struct tally_entry_queue_s *queue; /* where it waits, or NULL */
  TAILQ_ENTRY(tally_entry_s) link;
} tally_entry_t;

TAILQ_HEAD(tally_entry_queue_s, tally_entry_s);
typedef struct tally_entry_queue_s tally_entry_queue_t;

typedef struct tally_table_s {
  tally_id_list_t list;
  uint64_t changes; /* of what a snapshot shows, since the last snapshot */
} tally_table_t;

tally_entry_t *tally_table_find(const tally_table_t *table, const char *id);
/* Finds or makes it. NULL: out of memory. */
tally_entry_t *tally_table_add(tally_table_t *table, const char *id);
/* The inspector must have forgotten it. */
void tally_table_remove(tally_table_t *table, tally_entry_t *entry);
void tally_table_clear(tally_table_t *table);

/* Takes over the reference `container`; keeps the old one if they are equal,
 * unless the limits were updated: whoever follows shall look again. */
void tally_table_set(tally_table_t *table, tally_entry_t *entry,
                     const tally_container_t *container);

/* All entries with something known. NULL: out of memory. */
tally_snapshot_t *tally_table_snapshot(tally_table_t *table);

#endif
