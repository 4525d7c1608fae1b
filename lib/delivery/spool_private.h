/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_SPOOL_PRIVATE_H
#define TALLY_DELIVERY_SPOOL_PRIVATE_H

#include "delivery/spool.h"

#define TALLY_SPOOL_NAME_LEN 32

struct tally_segment_s {
  TAILQ_ENTRY(tally_segment_s) link;
  uint64_t id; /* number of its first entry, and name */
  uint64_t born;
  int fd, ack_fd; /* -1: not open */
  off_t size, synced, ack_size;
  uint32_t entries, done_entries; /* a note is done from the beginning */
  uint32_t notes;     /* that are the newest of their names, and nowhere else */
  uint32_t unread;    /* not read and not done */
  uint64_t newest_ns; /* its last entry was accepted */
  uint64_t oldest_ns; /* of the unread ones, or before */
  off_t read_at;      /* the next entry to read */
  uint32_t read_index;  /* is this one */
  uint64_t next_seq;    /* and has this number or a higher one */
  unsigned char *done;  /* a bit per entry */
  size_t done_size;     /* bytes of it */
  tally_mark_t run;     /* marks to be written: the last of them, growing, */
  tally_buffer_t marks; /* and those before it */
  bool marks_lost;      /* write all that is done again */
  bool pinned;          /* it is being read */
  bool gone;            /* and meanwhile has been dropped */
};

void tally_segment_name(char name[TALLY_SPOOL_NAME_LEN], uint64_t id,
                        const char *suffix);

/* NULL: out of memory. Not in the list. */
tally_segment_t *tally_segment_create(uint64_t id);
void tally_segment_free(tally_segment_t *segment);
int tally_segment_grow_done(tally_segment_t *segment, uint32_t entries);

static inline bool tally_segment_is_done(const tally_segment_t *segment,
                                         uint32_t index) {
  return segment->done[index / 8] >> (index % 8) & 1;
}

static inline void tally_segment_set_done(tally_segment_t *segment,
                                          uint32_t index) {
  if (tally_segment_is_done(segment, index))
    return;
  segment->done[index / 8] |= (unsigned char)(1u << (index % 8));
  segment->done_entries++;
}

tally_segment_t *tally_spool_find(tally_spool_t *spool, uint64_t id);

/* Out of the list, off the disk, out of the numbers; what was unread is counted
 * as lost for this reason. -1: it holds notes, and these cannot be written
 * elsewhere; nothing has happened then. */
int tally_spool_drop(tally_spool_t *spool, tally_segment_t *segment,
                     tally_loss_t reason);
/* One of which nothing is needed any more. It may stay until its notes are
 * elsewhere. */
bool tally_spool_drop_done(tally_spool_t *spool, tally_segment_t *segment);

/* Writes all of it; -1 and errno. */
int tally_spool_write(tally_spool_t *spool, int fd, const void *bytes,
                      size_t len, off_t offset);

/* Opens the directory if it is not, and reads what is in it. */
int tally_spool_enter(tally_spool_t *spool, tally_error_t *err);

/* ---- notes (spool_notes.c) ----------------------------------------------- */

#define TALLY_NOTES_FILE "notes"
#define TALLY_NOTES_NEXT "notes.new"

/* What is staged has become entries of the segment, from `first` on. */
void tally_spool_enter_notes(tally_spool_t *spool, tally_segment_t *segment,
                             uint32_t first);
void tally_spool_discard_notes(tally_spool_t *spool);

/* One was found in a segment. -1: no memory. */
int tally_spool_found_note(tally_spool_t *spool, tally_segment_t *segment,
                           const tally_stored_t *stored);

/* ---- their file (spool_notes_file.c) ------------------------------------- */

/* Reads it; before the segments. -1 and *err. */
int tally_notes_load(tally_spool_t *spool, tally_error_t *err);
/* Writes it, such that no segment holds a note that is nowhere else. -1: it
 * cannot be written. */
int tally_notes_save(tally_spool_t *spool);
/* The same; but if it has to be synced first, somebody may do that without the
 * lock, and it takes until tally_notes_synced(). Not tried too often. */
void tally_notes_save_soon(tally_spool_t *spool);
void tally_notes_synced(tally_spool_t *spool, uint64_t id);

#endif
