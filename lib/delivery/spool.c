/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "delivery/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "delivery/spool_private.h"

#define STAGED_KEPT ((size_t)1024 * 1024) /* memory that is not given back */
#define MARKS_MOST ((size_t)64 * 1024)

/* ---- segments ------------------------------------------------------------ */

void tally_segment_name(char name[TALLY_SPOOL_NAME_LEN], uint64_t id,
                        const char *suffix) {
  snprintf(name, TALLY_SPOOL_NAME_LEN, "%016llx.%s", (unsigned long long)id,
           suffix);
}

tally_segment_t *tally_segment_create(uint64_t id) {
  tally_segment_t *segment = calloc(1, sizeof(*segment));
  if (segment == NULL)
    return NULL;
  segment->id = segment->next_seq = id;
  segment->fd = segment->ack_fd = -1;
  segment->read_at = TALLY_SEGMENT_HEADER;
  tally_buffer_init(&segment->marks, MARKS_MOST);
  return segment;
}

void tally_segment_free(tally_segment_t *segment) {
  if (segment == NULL)
    return;
  if (segment->fd >= 0)
    close(segment->fd);
  if (segment->ack_fd >= 0)
    close(segment->ack_fd);
  tally_buffer_clear(&segment->marks);
  free(segment->done);
  free(segment);
}

int tally_segment_grow_done(tally_segment_t *segment, uint32_t entries) {
  size_t need = (size_t)entries / 8 + 1;
  if (need <= segment->done_size)
    return 0;
  size_t size = need * 2;
  unsigned char *bigger = realloc(segment->done, size);
  if (bigger == NULL)
    return -1;
  memset(bigger + segment->done_size, 0, size - segment->done_size);
  segment->done = bigger;
  segment->done_size = size;
  return 0;
}

tally_segment_t *tally_spool_find(tally_spool_t *spool, uint64_t id) {
  tally_segment_t *segment = spool->found;
  if (segment != NULL && segment->id == id)
    return segment; /* records of a batch come from one, or two */
  TAILQ_FOREACH(segment, &spool->segments, link) {
    if (segment->id == id)
      return spool->found = segment;
  }
  return NULL;
}

int tally_spool_drop(tally_spool_t *spool, tally_segment_t *segment,
                     tally_loss_t reason) {
  if (segment->notes > 0 && tally_notes_save(spool) != 0)
    return -1;
  /* The records first: marks without records are removed at the next start,
   * records without marks would be sent again. */
  char name[TALLY_SPOOL_NAME_LEN];
  tally_segment_name(name, segment->id, "seg");
  unlinkat(spool->directory, name, 0);
  tally_segment_name(name, segment->id, "ack");
  unlinkat(spool->directory, name, 0);

  TAILQ_REMOVE(&spool->segments, segment, link);
  if (spool->current == segment)
    spool->current = NULL;
  spool->found = NULL;
  spool->bytes -= (uint64_t)(segment->size + segment->ack_size);
  spool->records -= segment->entries - segment->done_entries;
  spool->unread -= segment->unread;
  spool->lost[reason] += segment->unread;
  if (spool->unread == 0)
    spool->unread_bytes = 0;
  if (segment->pinned)
    segment->gone = true;
  else
    tally_segment_free(segment);
  return 0;
}

bool tally_spool_drop_done(tally_spool_t *spool, tally_segment_t *segment) {
  if (segment->done_entries < segment->entries)
    return false;
  if (segment->notes > 0)
    tally_notes_save_soon(spool);
  return segment->notes == 0 &&
         tally_spool_drop(spool, segment, TALLY_LOSS_NONE) == 0;
}

void tally_spool_close(tally_spool_t *spool) {
  tally_segment_t *segment;
  while ((segment = TAILQ_FIRST(&spool->segments)) != NULL) {
    TAILQ_REMOVE(&spool->segments, segment, link);
    tally_segment_free(segment);
  }
  tally_spool_discard(spool);
  free(spool->staged);
  tally_notes_clear(&spool->notes);
  if (spool->file.fd >= 0)
    close(spool->file.fd);
  if (spool->directory >= 0)
    close(spool->directory); /* ends our lock on it */
  free(spool->path);
  *spool = (tally_spool_t){.directory = -1, .file = {.fd = -1}};
  TAILQ_INIT(&spool->segments);
  STAILQ_INIT(&spool->staged_notes);
}

int tally_spool_open(tally_spool_t *spool, const tally_spool_options_t *options,
                     const tally_hooks_t *hooks, tally_error_t *err) {
  *spool = (tally_spool_t){.hooks = *hooks,
                           .path = strdup(options->path),
                           .bytes_max = options->bytes,
                           .segment_bytes = options->segment_bytes,
                           .sync = options->sync,
                           .directory = -1,
                           .file = {.fd = -1}};
  TAILQ_INIT(&spool->segments);
  STAILQ_INIT(&spool->staged_notes);
  if (spool->path == NULL)
    return tally_error_set(err, ENOMEM, "spool `%s'", options->path);
  tally_error_t why = {0};
  if (tally_spool_enter(spool, &why) == 0 || why.code == EROFS ||
      why.code == ENOSPC || why.code == EDQUOT)
    return 0;
  if (err != NULL)
    *err = why;
  tally_spool_close(spool);
  return -1;
}

/* ---- writing ------------------------------------------------------------- */

int tally_spool_write(tally_spool_t *spool, int fd, const void *bytes,
                      size_t len, off_t offset) {
  const char *p = bytes;
  while (len > 0) {
    ssize_t n = spool->hooks.write(spool->hooks.data, fd, p, len, offset);
    if (n < 0 && errno == EINTR)
      continue;
    if (n == 0)
      errno = ENOSPC;
    if (n <= 0)
      return -1;
    p += n;
    len -= (size_t)n;
    offset += n;
  }
  return 0;
}

int tally_spool_stage(tally_spool_t *spool, const tally_stored_t *stored) {
  size_t size = tally_segment_size(&stored->record);
  size_t need = spool->staged_len + size;
  if (need > spool->staged_size) {
    unsigned char *bigger = realloc(spool->staged, need * 2);
    if (bigger == NULL)
      return -1;
    spool->staged = bigger;
    spool->staged_size = need * 2;
  }
  tally_segment_encode(spool->staged + spool->staged_len, stored);
  spool->staged_records += stored->kind == TALLY_ENTRY_RECORD;
  if (spool->staged_entries++ == 0) {
    spool->staged_seq = stored->seq;
    spool->staged_oldest_ns = stored->accepted_ns;
  }
  spool->staged_newest_ns = stored->accepted_ns;
  spool->staged_len = need;
  return 0;
}

/* The next `len` bytes are too much for the current segment. */
static void seal_before(tally_spool_t *spool, size_t len) {
  if (spool->current != NULL &&
      (uint64_t)spool->current->size + len > spool->segment_bytes)
    tally_spool_seal(spool);
}

bool tally_spool_has_room(tally_spool_t *spool, size_t bytes) {
  seal_before(spool, bytes);
  return spool->bytes + bytes + TALLY_SEGMENT_HEADER <= spool->bytes_max;
}

static int make_room(tally_spool_t *spool, uint64_t need) {
  tally_segment_t *oldest;
  while (spool->bytes + need > spool->bytes_max &&
         (oldest = TAILQ_FIRST(&spool->segments)) != NULL)
    if (tally_spool_drop(spool, oldest, TALLY_LOSS_SPOOL_FULL) != 0)
      return -1;
  return 0;
}

static int begin_segment(tally_spool_t *spool, tally_error_t *err) {
  if (tally_spool_enter(spool, err) != 0)
    return -1;
  uint64_t id = spool->staged_seq;
  char name[TALLY_SPOOL_NAME_LEN];
  tally_segment_name(name, id, "seg");
  tally_segment_t *segment = tally_segment_create(id);
  if (segment == NULL)
    return tally_error_set(err, ENOMEM, "spool `%s'", spool->path);
  segment->fd = tally_file_raise(spool->hooks.open(
      spool->hooks.data, spool->directory, name,
      O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  segment->born = spool->hooks.realtime_ns(spool->hooks.data);
  unsigned char header[TALLY_SEGMENT_HEADER];
  tally_segment_header(header, sizeof(header), TALLY_SEGMENT_MAGIC,
                       segment->born);
  if (segment->fd < 0 ||
      tally_spool_write(spool, segment->fd, header, sizeof(header), 0) != 0) {
    int code = errno;
    if (segment->fd >= 0)
      unlinkat(spool->directory, name, 0);
    tally_segment_free(segment);
    return tally_error_set(err, code, "spool `%s'", spool->path);
  }
  segment->size = sizeof(header);
  spool->bytes += sizeof(header);
  spool->directory_unsynced = true;

  /* Almost always at the end. */
  tally_segment_t *before = TAILQ_LAST(&spool->segments, tally_segments_s);
  while (before != NULL && before->id > id)
    before = TAILQ_PREV(before, tally_segments_s, link);
  if (before != NULL)
    TAILQ_INSERT_AFTER(&spool->segments, before, segment, link);
  else
    TAILQ_INSERT_HEAD(&spool->segments, segment, link);
  spool->current = segment;
  return 0;
}

void tally_spool_seal(tally_spool_t *spool) {
  tally_segment_t *segment = spool->current;
  spool->current = NULL;
  if (segment != NULL)
    tally_spool_drop_done(spool, segment);
}

static int sync_now(tally_spool_t *spool) {
  if (spool->sync != TALLY_SYNC_ALWAYS)
    return 0;
  if (spool->hooks.sync(spool->hooks.data, spool->current->fd) != 0)
    return -1;
  if (spool->directory_unsynced &&
      spool->hooks.sync(spool->hooks.data, spool->directory) != 0)
    return -1;
  spool->directory_unsynced = false;
  return 0;
}

static int write_staged(tally_spool_t *spool, tally_error_t *err) {
  size_t len = spool->staged_len;
  if (len + TALLY_SEGMENT_HEADER > spool->bytes_max)
    return tally_error_set(err, EFBIG, "spool `%s'", spool->path);
  seal_before(spool, len);
  if (make_room(spool, len + TALLY_SEGMENT_HEADER) != 0)
    return tally_error_set(err, spool->notes_error, "spool `%s'", spool->path);
  if (spool->current == NULL && begin_segment(spool, err) != 0)
    return -1;

  tally_segment_t *segment = spool->current;
  uint32_t entries = segment->entries + spool->staged_entries;
  if (tally_segment_grow_done(segment, entries) != 0)
    return tally_error_set(err, ENOMEM, "spool `%s'", spool->path);
  if (tally_spool_write(spool, segment->fd, spool->staged, len,
                        segment->size) != 0 ||
      sync_now(spool) != 0) {
    int code = errno;
    /* What half stands there would be taken for a torn end; if it cannot be
     * cut off it is written over. */
    (void)spool->hooks.truncate(spool->hooks.data, segment->fd, segment->size);
    return tally_error_set(err, code, "spool `%s'", spool->path);
  }
  if (segment->unread == 0)
    segment->oldest_ns = spool->staged_oldest_ns;
  segment->newest_ns = spool->staged_newest_ns;
  segment->size += (off_t)len;
  if (spool->sync == TALLY_SYNC_ALWAYS)
    segment->synced = segment->size;
  tally_spool_enter_notes(spool, segment, segment->entries);
  segment->entries = entries;
  segment->unread += spool->staged_records;
  spool->unread += spool->staged_records;
  spool->unread_bytes += len;
  spool->records += spool->staged_records;
  spool->bytes += len;
  return 0;
}

int tally_spool_commit(tally_spool_t *spool, tally_error_t *err) {
  int status = spool->staged_entries > 0 ? write_staged(spool, err) : 0;
  tally_spool_discard(spool);
  return status;
}

void tally_spool_discard(tally_spool_t *spool) {
  tally_spool_discard_notes(spool);
  spool->staged_entries = spool->staged_records = 0;
  spool->staged_len = 0;
  if (spool->staged_size > STAGED_KEPT) {
    free(spool->staged);
    spool->staged = NULL;
    spool->staged_size = 0;
  }
}

/* ---- making room --------------------------------------------------------- */

void tally_spool_expire(tally_spool_t *spool, uint64_t limit) {
  for (tally_segment_t *segment = TAILQ_FIRST(&spool->segments), *next;
       segment != NULL; segment = next) {
    next = TAILQ_NEXT(segment, link);
    if (segment->entries > 0 && segment->newest_ns < limit)
      tally_spool_drop(spool, segment, TALLY_LOSS_AGE);
  }
}
