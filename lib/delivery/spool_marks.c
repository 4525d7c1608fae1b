/* SPDX-License-Identifier: MIT */
#include "config.h"

/* What became of records, beside their segments; and syncing of both. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "delivery/spool_private.h"

#define GAP_MOST 8 /* entries */

/* ---- collecting ---------------------------------------------------------- */

/* Puts the growing run behind the others. */
static void end_run(tally_segment_t *segment) {
  if (segment->run.count == 0)
    return;
  unsigned char bytes[TALLY_ACK_MARK];
  tally_segment_encode_mark(bytes, &segment->run);
  if (tally_buffer_append(&segment->marks, bytes, sizeof(bytes)) != 0)
    segment->marks_lost = true;
  segment->run.count = 0;
}

/* Whether the run may go on to this entry: a mark means nothing to those
 * between that are done already, such as notes. */
static bool reaches(const tally_segment_t *segment, uint32_t index) {
  const tally_mark_t *run = &segment->run;
  uint32_t next = run->first + run->count;
  if (run->count == 0 || index < next || index - next > GAP_MOST)
    return false;
  while (next < index && tally_segment_is_done(segment, next))
    next++;
  return next == index;
}

static void add_mark(tally_segment_t *segment, uint32_t index,
                     tally_mark_kind_t kind) {
  tally_mark_t *run = &segment->run;
  if (run->kind == kind && reaches(segment, index)) {
    run->count = index - run->first + 1;
    return;
  }
  end_run(segment);
  *run = (tally_mark_t){.first = index, .count = 1, .kind = kind};
}

void tally_spool_mark(tally_spool_t *spool, const tally_item_t *item,
                      tally_mark_kind_t kind) {
  tally_segment_t *segment = tally_spool_find(spool, item->segment);
  if (segment == NULL || tally_segment_is_done(segment, item->index))
    return;
  if (kind == TALLY_MARK_DONE) {
    tally_segment_set_done(segment, item->index);
    spool->records--;
  }
  add_mark(segment, item->index, kind);
}

/* ---- writing ------------------------------------------------------------- */

/* Marks behind a torn one would be read again as soon as it is written over. */
static void cut_marks(tally_spool_t *spool, tally_segment_t *segment) {
  (void)spool->hooks.truncate(spool->hooks.data, segment->ack_fd,
                              segment->ack_size);
}

static int open_marks(tally_spool_t *spool, tally_segment_t *segment) {
  if (segment->ack_fd >= 0)
    return 0;
  char name[TALLY_SPOOL_NAME_LEN];
  tally_segment_name(name, segment->id, "ack");
  int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  segment->ack_fd = tally_file_raise(spool->hooks.open(
      spool->hooks.data, spool->directory, name, flags, 0600));
  if (segment->ack_fd < 0)
    return -1;
  cut_marks(spool, segment);
  return 0;
}

static int write_marks(tally_spool_t *spool, tally_segment_t *segment,
                       const void *bytes, size_t len) {
  if (open_marks(spool, segment) != 0)
    return -1;
  if (segment->ack_size == 0) {
    unsigned char header[TALLY_SEGMENT_HEADER];
    tally_segment_header(header, sizeof(header), TALLY_ACK_MAGIC,
                         segment->born);
    if (tally_spool_write(spool, segment->ack_fd, header, sizeof(header), 0) !=
        0)
      return -1;
    segment->ack_size = sizeof(header);
    spool->bytes += sizeof(header);
    spool->directory_unsynced = true;
  }
  if (tally_spool_write(spool, segment->ack_fd, bytes, len,
                        segment->ack_size) != 0) {
    int code = errno;
    cut_marks(spool, segment);
    errno = code;
    return -1;
  }
  segment->ack_size += (off_t)len;
  spool->bytes += len;
  return 0;
}

/* After a failure: all that is done, once more. */
static void collect_done(tally_segment_t *segment) {
  tally_buffer_reset(&segment->marks);
  segment->run.count = 0;
  segment->marks_lost = false;
  for (uint32_t i = 0; i < segment->entries; i++)
    if (tally_segment_is_done(segment, i))
      add_mark(segment, i, TALLY_MARK_DONE);
}

static void commit_segment(tally_spool_t *spool, tally_segment_t *segment) {
  if (segment->marks_lost)
    collect_done(segment);
  end_run(segment);
  if (segment->marks.len == 0)
    return;
  if (write_marks(spool, segment, segment->marks.data, segment->marks.len) !=
      0) {
    segment->marks_lost = true;
    spool->marks_error = errno;
  } else {
    spool->marks_error = 0;
  }
  tally_buffer_reset(&segment->marks);
}

void tally_spool_commit_marks(tally_spool_t *spool) {
  for (tally_segment_t *segment = TAILQ_FIRST(&spool->segments), *next;
       segment != NULL; segment = next) {
    next = TAILQ_NEXT(segment, link);
    if (segment == spool->current || !tally_spool_drop_done(spool, segment))
      commit_segment(spool, segment);
  }
}

/* ---- syncing ------------------------------------------------------------- */

/* No segment has such numbers. */
#define DIRECTORY 0
#define NOTES UINT64_MAX

int tally_spool_unsynced(tally_spool_t *spool, uint64_t *id, off_t *size) {
  tally_segment_t *segment;
  TAILQ_FOREACH(segment, &spool->segments, link) {
    if (segment->fd < 0 || segment->synced >= segment->size)
      continue;
    *id = segment->id;
    *size = segment->size;
    return fcntl(segment->fd, F_DUPFD_CLOEXEC, 0);
  }
  if (spool->file.fd >= 0) {
    *id = NOTES;
    *size = (off_t)spool->file.next_id;
    return fcntl(spool->file.fd, F_DUPFD_CLOEXEC, 0);
  }
  if (!spool->directory_unsynced || spool->directory < 0)
    return -1;
  spool->directory_unsynced = false;
  *id = DIRECTORY;
  *size = 0;
  return fcntl(spool->directory, F_DUPFD_CLOEXEC, 0);
}

void tally_spool_synced(tally_spool_t *spool, uint64_t id, off_t size,
                        int code) {
  spool->sync_error = code;
  if (code != 0) {
    spool->directory_unsynced |= id == DIRECTORY;
    return;
  }
  if (id == NOTES)
    tally_notes_synced(spool, (uint64_t)size);
  tally_segment_t *segment =
      id != DIRECTORY && id != NOTES ? tally_spool_find(spool, id) : NULL;
  if (segment != NULL && segment->synced < size)
    segment->synced = size;
}
