/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "delivery/notes.h"

#include <stdlib.h>
#include <string.h>

tally_note_t *tally_notes_at(tally_notes_t *notes, const char *name) {
  tally_note_t *note;
  HASH_FIND_STR(*notes, name, note);
  if (note != NULL)
    return note;
  note = calloc(1, sizeof(*note));
  if (note == NULL)
    return NULL;
  strncpy(note->name, name, sizeof(note->name) - 1);
  HASH_ADD_STR(*notes, name, note);
  if (note->hh.tbl == NULL) { /* the table could not grow */
    free(note);
    return NULL;
  }
  return note;
}

tally_note_t *tally_notes_find(tally_notes_t notes, const char *name) {
  tally_note_t *note;
  HASH_FIND_STR(notes, name, note);
  return note != NULL && note->seq != 0 ? note : NULL;
}

void tally_note_set(tally_note_t *note, uint64_t seq, const char *text) {
  note->seq = seq;
  note->forgotten = text == NULL;
  memset(note->text, 0, sizeof(note->text));
  if (text != NULL)
    strncpy(note->text, text, sizeof(note->text) - 1);
}

void tally_notes_remove(tally_notes_t *notes, tally_note_t *note) {
  HASH_DEL(*notes, note);
  free(note);
}

void tally_notes_clear(tally_notes_t *notes) {
  tally_note_t *note, *next;
  HASH_ITER(hh, *notes, note, next) tally_notes_remove(notes, note);
}

bool tally_note_is_valid(const char *name, const char *text) {
  if (name == NULL || name[0] == '\0' ||
      strnlen(name, TALLY_OUTBOX_NOTE_NAME_MAX + 1) >
          TALLY_OUTBOX_NOTE_NAME_MAX)
    return false;
  return text == NULL || strnlen(text, TALLY_OUTBOX_NOTE_TEXT_MAX + 1) <=
                             TALLY_OUTBOX_NOTE_TEXT_MAX;
}
