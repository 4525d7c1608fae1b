/* SPDX-License-Identifier: MIT */
#include "config.h"

/* Notes on their way into segments, and found there. */

#include <stdlib.h>
#include <string.h>

#include "delivery/spool_private.h"

/* A segment that has to stay because of this note may go as far as it is
 * concerned. */
static void let_go(tally_spool_t *spool, const tally_note_t *note) {
  tally_segment_t *segment =
      note->segment != 0 ? tally_spool_find(spool, note->segment) : NULL;
  if (segment != NULL)
    segment->notes--;
}

static void enter(tally_spool_t *spool, tally_note_t *note,
                  tally_segment_t *segment, uint64_t seq, const char *text) {
  let_go(spool, note);
  tally_note_set(note, seq, text);
  note->segment = segment->id;
  segment->notes++;
  if (spool->file.newest < seq)
    spool->file.newest = seq;
}

/* ---- written ------------------------------------------------------------- */

/* Where it will stand in the table, so that this needs no memory later. */
static tally_note_t *place_for(tally_spool_t *spool, const char *name) {
  if (HASH_COUNT(spool->notes) >= TALLY_OUTBOX_NOTES_MAX &&
      tally_notes_find(spool->notes, name) == NULL)
    tally_notes_save(spool); /* the forgotten ones make place */
  if (HASH_COUNT(spool->notes) >= TALLY_OUTBOX_NOTES_MAX &&
      tally_notes_find(spool->notes, name) == NULL)
    return NULL;
  return tally_notes_at(&spool->notes, name);
}

static void take_back(tally_spool_t *spool, tally_note_t *note) {
  note->staged = false;
  if (note->seq == 0)
    tally_notes_remove(&spool->notes, note);
}

int tally_spool_stage_note(tally_spool_t *spool, uint64_t seq, uint64_t now_ns,
                           const char *name, const char *text) {
  tally_note_t *note = place_for(spool, name);
  if (note == NULL)
    return -1;
  tally_staged_note_t *staged = calloc(1, sizeof(*staged));
  tally_stored_t stored = {.seq = seq,
                           .accepted_ns = now_ns,
                           .kind = text != NULL ? TALLY_ENTRY_NOTE
                                                : TALLY_ENTRY_FORGET,
                           .record = {.key = name,
                                      .key_len = strlen(name),
                                      .data = text,
                                      .len = text != NULL ? strlen(text) : 0}};
  if (note->staged || staged == NULL ||
      tally_spool_stage(spool, &stored) != 0) {
    free(staged);
    if (!note->staged)
      take_back(spool, note);
    return -1;
  }
  note->staged = true;
  staged->note = note;
  staged->seq = seq;
  staged->index = spool->staged_entries - 1;
  staged->forgotten = text == NULL;
  if (text != NULL)
    strncpy(staged->text, text, sizeof(staged->text) - 1);
  STAILQ_INSERT_TAIL(&spool->staged_notes, staged, link);
  return 0;
}

void tally_spool_enter_notes(tally_spool_t *spool, tally_segment_t *segment,
                             uint32_t first) {
  const tally_staged_note_t *staged;
  STAILQ_FOREACH(staged, &spool->staged_notes, link) {
    tally_segment_set_done(segment, first + staged->index);
    enter(spool, staged->note, segment, staged->seq,
          staged->forgotten ? NULL : staged->text);
  }
}

void tally_spool_discard_notes(tally_spool_t *spool) {
  tally_staged_note_t *staged;
  while ((staged = STAILQ_FIRST(&spool->staged_notes)) != NULL) {
    STAILQ_REMOVE_HEAD(&spool->staged_notes, link);
    take_back(spool, staged->note);
    free(staged);
  }
}

/* ---- found --------------------------------------------------------------- */

int tally_spool_found_note(tally_spool_t *spool, tally_segment_t *segment,
                           const tally_stored_t *stored) {
  const tally_record_t *record = &stored->record;
  if (stored->seq <= spool->file.kept)
    return 0;
  char name[TALLY_OUTBOX_NOTE_NAME_MAX + 1] = "";
  char text[TALLY_OUTBOX_NOTE_TEXT_MAX + 1] = "";
  memcpy(name, record->key, record->key_len);
  memcpy(text, record->data, record->len);
  tally_note_t *note = tally_notes_at(&spool->notes, name);
  if (note == NULL)
    return -1;
  if (stored->seq > note->seq)
    enter(spool, note, segment, stored->seq,
          stored->kind == TALLY_ENTRY_NOTE ? text : NULL);
  return 0;
}
