/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_FILE_JOURNAL_H
#define TALLY_LOGS_FILE_JOURNAL_H

/*
 * Where in a file the latest batch begins, and with which record: written
 * before the batch, read after a crash.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "delivery/delivery.h"

typedef struct tally_file_journal_s {
  const char *path; /* borrowed; NULL: it is in memory alone */
  int fd;           /* -1: not open */
  /* the batch */
  uint64_t device, inode;
  uint64_t offset;
  uint64_t first; /* tally_file_journal_hash() of its first record; 0: none */
} tally_file_journal_t;

/* Reads what an earlier process left; nothing is no error. */
void tally_file_journal_init(tally_file_journal_t *journal, const char *path);
void tally_file_journal_clear(tally_file_journal_t *journal);

/* The batch that begins at `offset` of the file. Where that cannot be written
 * down it is known to this process alone: better that a crash repeats lines
 * than that none are written. */
void tally_file_journal_note(tally_file_journal_t *journal, dev_t device,
                             ino_t inode, off_t offset,
                             const tally_record_t *first);

/* Never 0. */
uint64_t tally_file_journal_hash(const tally_record_t *record);

#endif
