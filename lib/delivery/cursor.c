/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "delivery/cursor.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK (64 * 1024)

void tally_cursor_init(tally_cursor_t *cursor, int fd, off_t at, off_t end) {
  *cursor =
      (tally_cursor_t){.fd = fd, .at = at, .end = end, .base = at, .whole = at};
}

void tally_cursor_clear(tally_cursor_t *cursor) {
  free(cursor->buffer);
  cursor->buffer = NULL;
}

/* The bytes at the given place, `*len` of them or fewer if the file ends before
 * that. NULL: they cannot be had. */
static const unsigned char *bytes_at(tally_cursor_t *cursor, off_t at,
                                     size_t *len) {
  if (cursor->end - at < (off_t)*len)
    *len = cursor->end > at ? (size_t)(cursor->end - at) : 0;
  if (at >= cursor->base &&
      at + (off_t)*len <= cursor->base + (off_t)cursor->len)
    return cursor->buffer + (at - cursor->base);

  size_t want = *len > CHUNK ? *len : CHUNK;
  if (cursor->size < want) {
    unsigned char *bigger = realloc(cursor->buffer, want);
    if (bigger == NULL)
      return NULL;
    cursor->buffer = bigger;
    cursor->size = want;
  }
  if (cursor->end - at < (off_t)want)
    want = (size_t)(cursor->end - at);
  cursor->base = at;
  cursor->len = 0;
  while (cursor->len < want) {
    ssize_t n = pread(cursor->fd, cursor->buffer + cursor->len,
                      want - cursor->len, at + (off_t)cursor->len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    cursor->len += (size_t)n;
  }
  return cursor->len >= *len ? cursor->buffer : NULL;
}

/* The length of the entry at this place; 0: there is none. */
static size_t decode(tally_cursor_t *cursor, off_t at, tally_stored_t *stored) {
  size_t len = TALLY_SEGMENT_RECORD;
  const unsigned char *bytes = bytes_at(cursor, at, &len);
  if (bytes == NULL || len < TALLY_SEGMENT_RECORD)
    return 0;
  len = tally_segment_claimed_size(bytes);
  if (len == 0 || cursor->end - at < (off_t)len)
    return 0;
  bytes = bytes_at(cursor, at, &len);
  if (bytes == NULL || tally_segment_decode(bytes, len, stored) == 0)
    return 0;
  return stored->seq > cursor->seq ? len : 0;
}

/* Where the entry behind a damaged one begins; 0: not to be found. The length
 * is believed if an entry stands behind it. */
static off_t behind(tally_cursor_t *cursor, tally_entry_t *kind) {
  size_t len = TALLY_SEGMENT_RECORD;
  const unsigned char *bytes = bytes_at(cursor, cursor->at, &len);
  if (bytes == NULL || len < TALLY_SEGMENT_RECORD)
    return 0;
  len = tally_segment_claimed_size(bytes);
  *kind = tally_segment_claimed_kind(bytes);
  tally_stored_t next;
  if (len == 0 || decode(cursor, cursor->at + (off_t)len, &next) == 0)
    return 0;
  return cursor->at + (off_t)len;
}

tally_step_t tally_cursor_step(tally_cursor_t *cursor, tally_stored_t *stored) {
  if (cursor->at >= cursor->end)
    return TALLY_STEP_END;
  size_t len = decode(cursor, cursor->at, stored);
  if (len > 0) {
    cursor->at += (off_t)len;
    cursor->seq = stored->seq;
    cursor->open = stored->joined;
    if (!cursor->open)
      cursor->whole = cursor->at;
    return stored->kind == TALLY_ENTRY_RECORD ? TALLY_STEP_RECORD
                                              : TALLY_STEP_NOTE;
  }
  *stored = (tally_stored_t){0};
  off_t next = behind(cursor, &stored->kind);
  if (next == 0)
    return TALLY_STEP_TORN;
  cursor->at = next;
  if (!cursor->open)
    cursor->whole = next;
  return TALLY_STEP_DAMAGED;
}
