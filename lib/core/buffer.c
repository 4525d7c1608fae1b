/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an empty buffer points at, so that `data` is a string from birth. It is
 * never written: every write goes through reserve(), which allocates. */
static char empty[1];

void tally_buffer_init(tally_buffer_t *b, size_t cap) {
  *b = (tally_buffer_t){.data = empty, .cap = cap};
}

void tally_buffer_clear(tally_buffer_t *b) {
  if (b->size > 0)
    free(b->data);
  tally_buffer_init(b, b->cap);
}

void tally_buffer_reset(tally_buffer_t *b) {
  b->len = 0;
  if (b->size > 0)
    b->data[0] = '\0';
}

/* Room for `more` bytes and the NUL, or -1. */
static int reserve(tally_buffer_t *b, size_t more) {
  if (more > b->cap - b->len)
    return -1;

  size_t need = b->len + more + 1;
  if (need <= b->size)
    return 0;

  size_t size = b->size ? b->size : 64;
  while (size < need)
    size *= 2;
  if (size > b->cap + 1)
    size = b->cap + 1;

  char *data = realloc(b->size > 0 ? b->data : NULL, size);
  if (data == NULL)
    return -1;
  b->data = data;
  b->size = size;
  return 0;
}

int tally_buffer_append(tally_buffer_t *b, const void *data, size_t len) {
  if (reserve(b, len) != 0)
    return -1;
  memcpy(b->data + b->len, data, len);
  b->len += len;
  b->data[b->len] = '\0';
  return 0;
}

int tally_buffer_append_str(tally_buffer_t *b, const char *s) {
  return tally_buffer_append(b, s, strlen(s));
}

int tally_buffer_printf(tally_buffer_t *b, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  int len = vsnprintf(NULL, 0, format, ap);
  va_end(ap);
  if (len < 0 || reserve(b, (size_t)len) != 0)
    return -1;

  va_start(ap, format);
  vsnprintf(b->data + b->len, (size_t)len + 1, format, ap);
  va_end(ap);
  b->len += (size_t)len;
  return 0;
}

void tally_buffer_truncate(tally_buffer_t *b, size_t len) {
  if (len >= b->len)
    return;
  b->len = len;
  b->data[len] = '\0';
}

char *tally_buffer_extend(tally_buffer_t *b, size_t more) {
  return reserve(b, more) == 0 ? b->data + b->len : NULL;
}

void tally_buffer_grow(tally_buffer_t *b, size_t written) {
  if (b->size == 0)
    return;
  b->len += written;
  b->data[b->len] = '\0';
}

void tally_buffer_consume(tally_buffer_t *b, size_t len) {
  if (len >= b->len) {
    tally_buffer_reset(b);
    return;
  }
  memmove(b->data, b->data + len, b->len - len + 1);
  b->len -= len;
}
