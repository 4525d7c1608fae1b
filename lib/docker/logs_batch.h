/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_LOGS_BATCH_H
#define TALLY_DOCKER_LOGS_BATCH_H

/* Lines with their text, waiting to be taken: first come, first served. */

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"
#include "docker/logs.h"

/* When to stop filling it. */
#define TALLY_LOG_BATCH_LINES 512
#define TALLY_LOG_BATCH_BYTES (64 * 1024)

typedef struct tally_log_batch_s {
  tally_log_line_t *lines;
  size_t first, count, size; /* those before `first` have been taken */
  tally_buffer_t text;
  size_t first_text; /* where the text of `first` begins */
} tally_log_batch_t;

void tally_log_batch_init(tally_log_batch_t *batch);
void tally_log_batch_clear(tally_log_batch_t *batch);

/* A copy of the line. -1: out of memory. */
int tally_log_batch_add(tally_log_batch_t *batch, const tally_log_line_t *line);
bool tally_log_batch_is_empty(const tally_log_batch_t *batch);
bool tally_log_batch_is_full(const tally_log_batch_t *batch);

/* Those that wait, `*count` of them; valid until the next call. */
const tally_log_line_t *tally_log_batch_lines(tally_log_batch_t *batch,
                                              size_t *count);
/* The first so many have been taken. Returns their bytes. */
size_t tally_log_batch_take(tally_log_batch_t *batch, size_t count);

#endif
