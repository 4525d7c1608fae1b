/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CONTAINER_ORIGINALS_H
#define TALLY_CONTAINER_ORIGINALS_H

/*
 * What stood in a container's limits before they were first changed, kept on
 * disk so that it can be put back, also after a restart of this process.
 *
 * One small file per container, DIRECTORY/ID, replaced in one step. It is
 * written *before* the first change. Lines of fields between tabs:
 *
 *   tallyman-originals 1 <started_ns>
 *   file    memory.max    memory.limit_in_bytes    536870912
 *   engine  Memory        536870912
 *
 * `started_ns` names the run of the container: a new run has a new cgroup, to
 * which the values of the files mean nothing. What the Engine keeps (its
 * configuration) outlives a run.
 *
 * The files are read as hostile: what does not parse is an error, and what is
 * not the name of a file in a cgroup is not taken.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup/cgroup.h"
#include "container/engine_update.h"

typedef struct tally_originals_s {
  char id[65];
  uint64_t started_ns;
  /* Only limit, file and before count; in the order of the first writing. */
  tally_limit_change_t files[TALLY_LIMIT_CHANGES_MAX];
  size_t files_count;
  tally_engine_config_t engine; /* unset: not changed */
} tally_originals_t;

void tally_originals_init(tally_originals_t *originals, const char *id,
                          uint64_t started_ns);

/* Notes what files contained, unless they are noted already: the oldest value
 * is the original. Changes that will change nothing are left out. */
void tally_originals_add_files(tally_originals_t *originals,
                               const tally_limit_change_t *changes,
                               size_t count);
/* The same for the fields that `update` will change. */
void tally_originals_add_engine(tally_originals_t *originals,
                                const tally_engine_config_t *now,
                                const tally_engine_config_t *update);
/* A new run has begun: forgets the files, keeps what the Engine knows. */
void tally_originals_new_run(tally_originals_t *originals, uint64_t started_ns);
bool tally_originals_is_empty(const tally_originals_t *originals);

/* 1: read; 0: nothing is kept for this container; -1: *err. */
int tally_originals_load(const char *directory, const char *id,
                         tally_originals_t *originals, tally_error_t *err);
/* Makes the directory where it is missing. */
int tally_originals_save(const char *directory,
                         const tally_originals_t *originals,
                         tally_error_t *err);
/* Also if there is none. */
void tally_originals_remove(const char *directory, const char *id);

/* Calls back with the id of each container for which something is kept. */
void tally_originals_each(const char *directory,
                          void (*callback)(const char *id, void *data),
                          void *data);

#endif
