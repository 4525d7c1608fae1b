/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_NOTES_H
#define TALLY_DELIVERY_NOTES_H

/* A table of notes by name. */

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "delivery/delivery.h"

/* Running out of memory is found out by looking, not by leaving. */
#ifndef HASH_NONFATAL_OOM
#define HASH_NONFATAL_OOM 1
#endif
#include <uthash.h>

typedef struct tally_note_s {
  UT_hash_handle hh;
  uint64_t seq;     /* when it was put; 0: there is room for it, and no more */
  uint64_t segment; /* the one that holds it; 0: none does */
  bool forgotten;   /* and older copies of it may still be around */
  bool staged;      /* the next text is on its way to the disk */
  char name[TALLY_OUTBOX_NOTE_NAME_MAX + 1];
  char text[TALLY_OUTBOX_NOTE_TEXT_MAX + 1];
} tally_note_t;

typedef tally_note_t *tally_notes_t; /* NULL: empty */

/* The one of that name, made (with seq 0) if there is none. NULL: no memory. */
tally_note_t *tally_notes_at(tally_notes_t *notes, const char *name);
/* NULL: none, or none that says anything. */
tally_note_t *tally_notes_find(tally_notes_t notes, const char *name);
/* `text` NULL: forgotten. Longer ones are cut. */
void tally_note_set(tally_note_t *note, uint64_t seq, const char *text);
void tally_notes_remove(tally_notes_t *notes, tally_note_t *note);
void tally_notes_clear(tally_notes_t *notes);

/* Whether `name` and `text` (or NULL) may be a note. */
bool tally_note_is_valid(const char *name, const char *text);

#endif
