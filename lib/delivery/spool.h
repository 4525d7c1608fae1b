/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_SPOOL_H
#define TALLY_DELIVERY_SPOOL_H

/*
 * Records on disk: segments that are appended to, read once in order, and
 * removed when all their records are done. No lock and no thread; whoever uses
 * it from several holds a lock, except where a function says otherwise.
 *
 * Notes stand in the segments too. One that is the newest of its name holds its
 * segment on the disk until all notes have been written to a file of their own,
 * which happens when a segment is in the way of nothing else.
 *
 * What is lost here is counted in `lost`; nothing here logs.
 */

#include <stdbool.h>

#include "core/buffer.h"
#include "delivery/cursor.h"
#include "delivery/hooks.h"
#include "delivery/notes.h"
#include "delivery/pool.h"
#include "delivery/segment.h"

typedef struct tally_segment_s tally_segment_t;
typedef TAILQ_HEAD(tally_segments_s, tally_segment_s) tally_segments_t;

/* A note on its way to the disk. */
typedef struct tally_staged_note_s {
  STAILQ_ENTRY(tally_staged_note_s) link;
  tally_note_t *note; /* what it will be */
  uint64_t seq;
  uint32_t index; /* among what is staged */
  bool forgotten;
  char text[TALLY_OUTBOX_NOTE_TEXT_MAX + 1];
} tally_staged_note_t;
typedef STAILQ_HEAD(tally_staged_notes_s,
                    tally_staged_note_s) tally_staged_notes_t;

typedef struct tally_spool_options_s {
  const char *path;
  uint64_t bytes, segment_bytes;
  tally_sync_t sync;
} tally_spool_options_t;

typedef struct tally_spool_s {
  tally_hooks_t hooks;
  char *path;
  uint64_t bytes_max, segment_bytes;
  tally_sync_t sync;

  uint64_t unread;       /* records that are to be read */
  uint64_t unread_bytes; /* of them, about */
  uint64_t records;      /* that are not done */
  uint64_t bytes;        /* of all files */
  uint64_t lost[TALLY_LOSSES];

  /* found at the start */
  uint64_t recovered, tried_before; /* records; of them in a call before */
  uint64_t cut_bytes;               /* torn off */
  uint64_t last_seq;

  int marks_error; /* errno: what is done cannot be noted; 0: it can */
  int sync_error;  /* errno: the disk does not confirm; 0: it did */
  int notes_error; /* errno: the file of notes cannot be written; 0: it can */

  tally_notes_t notes; /* the newest of each name; to be looked at */

  /* private */
  int directory;
  bool directory_unsynced;
  tally_segments_t segments; /* in the order of their first numbers */
  tally_segment_t *current;  /* the one that grows */
  tally_segment_t *found;    /* the one that was looked for last */
  unsigned char *staged;     /* encoded, to be written */
  size_t staged_len, staged_size;
  uint32_t staged_entries, staged_records; /* all; without the notes */
  uint64_t staged_seq, staged_oldest_ns, staged_newest_ns;
  tally_staged_notes_t staged_notes;
  struct {
    uint64_t newest; /* the number of the newest note */
    uint64_t kept;   /* the file holds all up to this number */
    off_t size;      /* of the file; 0: there is none */
    int fd;          /* the next one, written but not yet in place; -1: none */
    uint64_t next_kept;
    off_t next_size;
    uint64_t next_id; /* no two have the same */
    uint64_t retry_ns;
  } file;
} tally_spool_t;

/*
 * Opens, reads and repairs. -1 and *err as tally_outbox_create() says. If the
 * directory is not there and cannot be made because the disk is full or
 * read-only, it is made by a later commit.
 */
int tally_spool_open(tally_spool_t *spool, const tally_spool_options_t *options,
                     const tally_hooks_t *hooks, tally_error_t *err);
/* Gives back memory and descriptors, and writes nothing: also what a crash
 * does. */
void tally_spool_close(tally_spool_t *spool);

/* ---- writing ------------------------------------------------------------- */

/* Puts a record behind what is to be written; its number is the highest of the
 * current segment. -1: no memory. */
int tally_spool_stage(tally_spool_t *spool, const tally_stored_t *stored);

/* The same with a valid note; `text` NULL forgets it. If records were put with
 * it they are staged before it, each joined to the next. */
int tally_spool_stage_note(tally_spool_t *spool, uint64_t seq, uint64_t now_ns,
                           const char *name, const char *text);

/* Writes what is staged, all or nothing, and drops the oldest segments if there
 * is no room. Nothing is staged afterwards. -1 and *err. */
int tally_spool_commit(tally_spool_t *spool, tally_error_t *err);
void tally_spool_discard(tally_spool_t *spool); /* forgets what is staged */

/* Whether so many bytes can be committed without dropping anything that still
 * matters. */
bool tally_spool_has_room(tally_spool_t *spool, size_t bytes);

/* `items` of memory, in the order of their numbers, have just been committed to
 * a segment that held nothing before: they are not to be read, and know where
 * they are. */
void tally_spool_adopt(tally_spool_t *spool, tally_item_t **items,
                       size_t count);

/* The next entry begins a new segment; one that is done is removed. */
void tally_spool_seal(tally_spool_t *spool);

/* Drops segments all of which was accepted before `limit`. */
void tally_spool_expire(tally_spool_t *spool, uint64_t limit);

/* ---- reading: one at a time ---------------------------------------------- */

typedef struct tally_spool_read_s {
  tally_segment_t *segment; /* kept alive until the end */
  tally_cursor_t cursor;
  uint64_t limit;     /* records from this number on come later */
  uint32_t first;     /* index of the first record */
  tally_pool_t *pool; /* what items are made of; NULL: malloc */
  tally_items_t items;
  uint32_t steps; /* entries passed */
  size_t bytes;   /* of the file */
  bool torn;
  uint64_t next_seq;
} tally_spool_read_t;

/* false: nothing to read (or it cannot be opened, which is counted). */
bool tally_spool_read_begin(tally_spool_t *spool, tally_spool_read_t *read);
/* Reads about `bytes`. Without the lock: touches nothing but `read` and its
 * pool, which whoever began may have set. */
void tally_spool_read_run(tally_spool_read_t *read, size_t bytes);
/* read->items are the caller's, in order. false: it made no progress, for want
 * of memory. */
bool tally_spool_read_end(tally_spool_t *spool, tally_spool_read_t *read);

/* A record that was read will not be looked at any more by this process; if its
 * segment is dropped it is lost. false: the segment is not there. */
bool tally_spool_unread(tally_spool_t *spool, const tally_item_t *item);

/* When the oldest unread record was accepted, or before; UINT64_MAX: none. */
uint64_t tally_spool_oldest(const tally_spool_t *spool);

/* ---- marks --------------------------------------------------------------- */

void tally_spool_mark(tally_spool_t *spool, const tally_item_t *item,
                      tally_mark_kind_t kind);
/* Writes the marks, and removes segments that are done. */
void tally_spool_commit_marks(tally_spool_t *spool);

/* ---- flushing to the disk ------------------------------------------------ */

/* A descriptor of its own that should be synced (a segment's, that of the
 * notes, the directory's), to be closed by the caller; -1: none. To be synced
 * without the lock. */
int tally_spool_unsynced(tally_spool_t *spool, uint64_t *id, off_t *size);
/* `code`: the errno of that, or 0. */
void tally_spool_synced(tally_spool_t *spool, uint64_t id, off_t size,
                        int code);

#endif
