/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_BUFFER_H
#define TALLY_CORE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A growable byte string with a cap given at birth.
 *
 * `data` is always NUL-terminated (also when empty, and after a failure), so
 * it can be used as a C string. An append that would exceed the cap, or for
 * which there is no memory, changes nothing and returns -1.
 */
typedef struct tally_buffer_s {
  char *data;
  size_t len;  /* bytes in use, without the NUL */
  size_t size; /* bytes allocated */
  size_t cap;  /* the most that `len` may ever be */
} tally_buffer_t;

void tally_buffer_init(tally_buffer_t *b, size_t cap);
void tally_buffer_clear(tally_buffer_t *b); /* gives the memory back */
void tally_buffer_reset(tally_buffer_t *b); /* empty, memory kept */

int tally_buffer_append(tally_buffer_t *b, const void *data, size_t len);
int tally_buffer_append_str(tally_buffer_t *b, const char *s);
int tally_buffer_printf(tally_buffer_t *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drops what is behind the first `len` bytes. */
void tally_buffer_truncate(tally_buffer_t *b, size_t len);

/* For those who write on their own: where `more` bytes may be written behind
 * what is there, or NULL (the cap, no memory); then how many have been. */
char *tally_buffer_extend(tally_buffer_t *b, size_t more);
void tally_buffer_grow(tally_buffer_t *b, size_t written);

/* Drops the first `len` bytes (all, if there are fewer). */
void tally_buffer_consume(tally_buffer_t *b, size_t len);

#define tally_autobuffer __attribute__((cleanup(tally_buffer_clear)))

#endif
