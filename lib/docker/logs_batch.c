/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/logs_batch.h"

#include <stdlib.h>

void tally_log_batch_init(tally_log_batch_t *batch) {
  *batch = (tally_log_batch_t){0};
  tally_buffer_init(&batch->text, SIZE_MAX / 4); /* its callers see to it */
}

void tally_log_batch_clear(tally_log_batch_t *batch) {
  free(batch->lines);
  tally_buffer_clear(&batch->text);
  tally_log_batch_init(batch);
}

static int make_room(tally_log_batch_t *batch) {
  if (batch->count < batch->size)
    return 0;
  size_t size = batch->size > 0 ? 2 * batch->size : 8;
  tally_log_line_t *lines = realloc(batch->lines, size * sizeof(*lines));
  if (lines == NULL)
    return -1;
  batch->lines = lines;
  batch->size = size;
  return 0;
}

int tally_log_batch_add(tally_log_batch_t *batch,
                        const tally_log_line_t *line) {
  if (make_room(batch) != 0 ||
      tally_buffer_append(&batch->text, line->text, line->len) != 0)
    return -1;
  batch->lines[batch->count++] = *line;
  return 0;
}

bool tally_log_batch_is_empty(const tally_log_batch_t *batch) {
  return batch->first == batch->count;
}

bool tally_log_batch_is_full(const tally_log_batch_t *batch) {
  return batch->count >= TALLY_LOG_BATCH_LINES ||
         batch->text.len >= TALLY_LOG_BATCH_BYTES;
}

const tally_log_line_t *tally_log_batch_lines(tally_log_batch_t *batch,
                                              size_t *count) {
  /* The text may have moved since they were added. */
  const char *text = batch->text.data + batch->first_text;
  for (size_t i = batch->first; i < batch->count; i++) {
    batch->lines[i].text = text;
    text += batch->lines[i].len;
  }
  *count = batch->count - batch->first;
  return batch->lines + batch->first;
}

size_t tally_log_batch_take(tally_log_batch_t *batch, size_t count) {
  size_t bytes = 0;
  for (; count > 0 && batch->first < batch->count; count--)
    bytes += batch->lines[batch->first++].len;
  batch->first_text += bytes;
  if (tally_log_batch_is_empty(batch)) {
    batch->first = batch->count = batch->first_text = 0;
    tally_buffer_reset(&batch->text);
  }
  return bytes;
}
