/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_CURSOR_H
#define TALLY_DELIVERY_CURSOR_H

/* Reads the entries of a segment one after the other. */

#include <stdbool.h>

#include "delivery/segment.h"

typedef struct tally_cursor_s {
  int fd;        /* borrowed */
  off_t at, end; /* of the next entry; behind the last byte to read */
  uint64_t seq;  /* of the last entry: the next one has a higher one */
  bool open;     /* the last entry was joined to the next one */
  off_t whole;   /* where the last group ended, or the last entry by itself */
  unsigned char *buffer;
  size_t size, len; /* bytes allocated; read, beginning at `base` */
  off_t base;
} tally_cursor_t;

typedef enum tally_step_e {
  TALLY_STEP_END,
  TALLY_STEP_RECORD,
  TALLY_STEP_NOTE,    /* or what ends one */
  TALLY_STEP_DAMAGED, /* one entry cannot be read, but what follows it can; of
                         it only the kind is known, more or less */
  TALLY_STEP_TORN,    /* nothing can be read from here on */
} tally_step_t;

void tally_cursor_init(tally_cursor_t *cursor, int fd, off_t at, off_t end);
void tally_cursor_clear(tally_cursor_t *cursor);

/* The entry lives until the next step. */
tally_step_t tally_cursor_step(tally_cursor_t *cursor, tally_stored_t *stored);

#endif
