/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_JOURNAL_H
#define TALLY_DOCKER_JOURNAL_H

/*
 * A text file of lines, each with a checksum, that grows line by line and is
 * rewritten now and then. Whoever is killed in the middle of a line leaves a
 * torn last line, which is ignored; anything else that does not fit is reported
 * as corrupt.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"
#include "core/error.h"

#define TALLY_JOURNAL_MAX (64 * 1024 * 1024)

typedef struct tally_journal_s {
  char *path;
  int fd;           /* open for appending; -1: not */
  size_t size;      /* of the file */
  size_t base_size; /* when it was rewritten last */
} tally_journal_t;

/* 1: read, each line handed to `on_line` without its checksum. 0: there is no
 * such file yet. -1 and *err: it cannot be read, it is corrupt (err->code
 * EILSEQ), or on_line returned non-zero (EILSEQ too). The file is not open for
 * writing before the first rewrite. */
int tally_journal_load(tally_journal_t *journal, const char *path,
                       int (*on_line)(const char *line, size_t len, void *data),
                       void *data, tally_error_t *err);

/* Puts a line behind a buffer in the form that the file has. */
int tally_journal_format(tally_buffer_t *text, const char *line);

/* Replaces the file by formatted lines, and opens it for appending. */
int tally_journal_rewrite(tally_journal_t *journal, const tally_buffer_t *text,
                          tally_error_t *err);

/* One write(2) of formatted lines at the end. After a failure the file is
 * closed; a rewrite opens it again. */
int tally_journal_append(tally_journal_t *journal, const tally_buffer_t *text,
                         tally_error_t *err);

/* It has grown so much that a rewrite is worth it. */
bool tally_journal_is_long(const tally_journal_t *journal);

void tally_journal_close(tally_journal_t *journal);

#endif
