/* SPDX-License-Identifier: MIT */
#include "config.h"

/*
 * The file of notes: where those go whose segments are to be removed. It is
 * written beside the old one and takes its place when it is whole, and on the
 * disk if the spool is synced at all: a note is more precious than the second
 * of records that the end of the machine may cost, since without it everything
 * is put again.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/file.h"
#include "delivery/spool_private.h"

#define ENTRY_MOST                                                             \
  (TALLY_SEGMENT_RECORD + TALLY_OUTBOX_NOTE_NAME_MAX +                         \
   TALLY_OUTBOX_NOTE_TEXT_MAX)
#define FILE_MOST                                                              \
  (TALLY_SEGMENT_HEADER + (size_t)TALLY_OUTBOX_NOTES_MAX * ENTRY_MOST)
#define RETRY_NS TALLY_NS_PER_S

/* ---- writing ------------------------------------------------------------- */

static int encode(const tally_spool_t *spool, tally_buffer_t *bytes) {
  unsigned char entry[ENTRY_MOST] = {0};
  if (tally_buffer_append(bytes, entry, TALLY_SEGMENT_HEADER) != 0)
    return -1;
  for (const tally_note_t *note = spool->notes; note != NULL;
       note = note->hh.next) {
    if (note->seq == 0 || note->forgotten)
      continue;
    tally_stored_t stored = {.seq = note->seq,
                             .kind = TALLY_ENTRY_NOTE,
                             .record = {.key = note->name,
                                        .key_len = strlen(note->name),
                                        .data = note->text,
                                        .len = strlen(note->text)}};
    tally_segment_encode(entry, &stored);
    if (tally_buffer_append(bytes, entry, tally_segment_size(&stored.record)) !=
        0)
      return -1;
  }
  tally_segment_header((unsigned char *)bytes->data, bytes->len,
                       TALLY_NOTES_MAGIC, spool->file.newest);
  return 0;
}

static void give_up(tally_spool_t *spool) {
  if (spool->file.fd >= 0)
    close(spool->file.fd);
  spool->file.fd = -1;
}

static int failed(tally_spool_t *spool, int code) {
  give_up(spool);
  spool->notes_error = code != 0 ? code : EIO;
  spool->file.retry_ns =
      spool->hooks.monotonic_ns(spool->hooks.data) + RETRY_NS;
  return -1;
}

/* Writes the next one. */
static int write_next(tally_spool_t *spool) {
  give_up(spool);
  tally_autobuffer tally_buffer_t bytes;
  tally_buffer_init(&bytes, FILE_MOST);
  if (encode(spool, &bytes) != 0)
    return failed(spool, ENOMEM);
  spool->file.fd = tally_file_raise(spool->hooks.open(
      spool->hooks.data, spool->directory, TALLY_NOTES_NEXT,
      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (spool->file.fd < 0 ||
      tally_spool_write(spool, spool->file.fd, bytes.data, bytes.len, 0) != 0)
    return failed(spool, errno);
  spool->file.next_kept = spool->file.newest;
  spool->file.next_size = (off_t)bytes.len;
  spool->file.next_id++;
  return 0;
}

/* No segment is needed for these notes any more. */
static void release_segments(tally_spool_t *spool) {
  tally_segment_t *segment;
  TAILQ_FOREACH(segment, &spool->segments, link) segment->notes = 0;
  tally_note_t *note, *next;
  HASH_ITER(hh, spool->notes, note, next) {
    if (note->seq == 0)
      continue;
    if (note->seq > spool->file.kept) {
      segment = tally_spool_find(spool, note->segment);
      if (segment != NULL)
        segment->notes++;
    } else {
      note->segment = 0;
      if (note->forgotten && note->staged)
        note->seq = 0;
      else if (note->forgotten)
        tally_notes_remove(&spool->notes, note);
    }
  }
}

/* The next one becomes the one. */
static int replace(tally_spool_t *spool) {
  if (renameat(spool->directory, TALLY_NOTES_NEXT, spool->directory,
               TALLY_NOTES_FILE) != 0)
    return failed(spool, errno);
  give_up(spool);
  spool->bytes += (uint64_t)spool->file.next_size - (uint64_t)spool->file.size;
  spool->file.size = spool->file.next_size;
  spool->file.kept = spool->file.next_kept;
  spool->directory_unsynced = true;
  spool->notes_error = 0;
  release_segments(spool);
  return 0;
}

int tally_notes_save(tally_spool_t *spool) {
  if (write_next(spool) != 0)
    return -1;
  if (spool->sync != TALLY_SYNC_NEVER &&
      spool->hooks.sync(spool->hooks.data, spool->file.fd) != 0)
    return failed(spool, errno);
  return replace(spool);
}

void tally_notes_save_soon(tally_spool_t *spool) {
  bool is_written = spool->file.fd >= 0;
  if (is_written ||
      (spool->notes_error != 0 &&
       spool->hooks.monotonic_ns(spool->hooks.data) < spool->file.retry_ns))
    return;
  if (spool->sync == TALLY_SYNC_SECOND)
    write_next(spool);
  else
    tally_notes_save(spool);
}

void tally_notes_synced(tally_spool_t *spool, uint64_t id) {
  if (spool->file.fd >= 0 && spool->file.next_id == id)
    replace(spool);
}

/* ---- reading ------------------------------------------------------------- */

static int enter_all(tally_spool_t *spool, const unsigned char *bytes,
                     size_t len) {
  tally_stored_t stored;
  size_t size;
  for (size_t at = TALLY_SEGMENT_HEADER;
       (size = tally_segment_decode(bytes + at, len - at, &stored)) > 0;
       at += size) {
    char name[TALLY_OUTBOX_NOTE_NAME_MAX + 1] = "";
    char text[TALLY_OUTBOX_NOTE_TEXT_MAX + 1] = "";
    if (stored.kind != TALLY_ENTRY_NOTE)
      continue;
    memcpy(name, stored.record.key, stored.record.key_len);
    memcpy(text, stored.record.data, stored.record.len);
    tally_note_t *note = tally_notes_at(&spool->notes, name);
    if (note == NULL)
      return -1;
    tally_note_set(note, stored.seq, text);
  }
  return 0;
}

static int read_file(tally_spool_t *spool, int fd, size_t size,
                     tally_error_t *err) {
  tally_autofree unsigned char *bytes = malloc(size + 1);
  if (bytes == NULL)
    return tally_error_set(err, ENOMEM, "`%s/%s'", spool->path,
                           TALLY_NOTES_FILE);
  ssize_t n = pread(fd, bytes, size, 0);
  if (n < 0)
    return tally_error_set(err, errno, "read `%s/%s'", spool->path,
                           TALLY_NOTES_FILE);
  uint64_t kept;
  int status =
      tally_segment_parse_header(bytes, (size_t)n, TALLY_NOTES_MAGIC, &kept);
  if (status > 0)
    return tally_error_set(err, 0, "`%s/%s' is of another version", spool->path,
                           TALLY_NOTES_FILE);
  if (status < 0 || kept > INT64_MAX) {
    spool->cut_bytes += size;
    return 0;
  }
  if (enter_all(spool, bytes, (size_t)n) != 0)
    return tally_error_set(err, ENOMEM, "`%s/%s'", spool->path,
                           TALLY_NOTES_FILE);
  spool->file.kept = spool->file.newest = kept;
  if (spool->last_seq < kept)
    spool->last_seq = kept;
  return 0;
}

int tally_notes_load(tally_spool_t *spool, tally_error_t *err) {
  unlinkat(spool->directory, TALLY_NOTES_NEXT, 0);
  tally_autoclose int fd = openat(spool->directory, TALLY_NOTES_FILE,
                                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat st;
  if (fd < 0 && errno == ENOENT)
    return 0;
  if (fd < 0 || fstat(fd, &st) != 0)
    return tally_error_set(err, errno, "`%s/%s'", spool->path,
                           TALLY_NOTES_FILE);
  spool->file.size = st.st_size;
  spool->bytes += (uint64_t)st.st_size;
  if ((uint64_t)st.st_size <= FILE_MOST)
    return read_file(spool, fd, (size_t)st.st_size, err);
  spool->cut_bytes += (uint64_t)st.st_size;
  return 0;
}
