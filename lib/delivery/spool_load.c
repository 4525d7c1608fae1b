/* SPDX-License-Identifier: MIT */
#include "config.h"

/* What an earlier process left in the directory. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "delivery/spool_private.h"

#define SEGMENT_MOST ((off_t)1 << 30) /* nobody writes longer ones */
#define NAME_DIGITS 16

/* ---- one segment --------------------------------------------------------- */

/* The next entry of the segment. -1: no memory. */
static int count_entry(tally_spool_t *spool, tally_segment_t *segment,
                       tally_step_t step, const tally_stored_t *stored) {
  uint32_t index = segment->entries;
  if (tally_segment_grow_done(segment, index + 1) != 0)
    return -1;
  segment->entries++;
  if (step != TALLY_STEP_RECORD)
    tally_segment_set_done(segment, index);
  if (step == TALLY_STEP_DAMAGED)
    return 0;
  segment->newest_ns = stored->accepted_ns;
  if (step == TALLY_STEP_NOTE)
    return tally_spool_found_note(spool, segment, stored);
  if (segment->oldest_ns == 0)
    segment->oldest_ns = stored->accepted_ns;
  return 0;
}

/* What stands behind the last whole group. On a disk that cannot be written it
 * is found again. */
static void cut_end(tally_spool_t *spool, tally_segment_t *segment,
                    uint32_t entries, off_t size) {
  while (segment->entries > entries) {
    uint32_t index = --segment->entries;
    if (tally_segment_is_done(segment, index))
      segment->done_entries--;
    segment->done[index / 8] &= (unsigned char)~(1u << (index % 8));
  }
  spool->cut_bytes += (uint64_t)(segment->size - size);
  segment->size = size;
  (void)!ftruncate(segment->fd, size);
}

/* Finds its entries, and where the sound part ends. */
static int scan(tally_spool_t *spool, tally_segment_t *segment) {
  tally_cursor_t cursor;
  tally_cursor_init(&cursor, segment->fd, TALLY_SEGMENT_HEADER, segment->size);
  tally_step_t step;
  tally_stored_t stored;
  uint32_t whole = 0;
  uint64_t damaged = 0, whole_damaged = 0;
  while ((step = tally_cursor_step(&cursor, &stored)) != TALLY_STEP_END &&
         step != TALLY_STEP_TORN) {
    if (count_entry(spool, segment, step, &stored) != 0)
      break;
    damaged += step == TALLY_STEP_DAMAGED && stored.kind == TALLY_ENTRY_RECORD;
    if (cursor.open)
      continue;
    whole = segment->entries;
    whole_damaged = damaged;
  }
  tally_cursor_clear(&cursor);
  if (step != TALLY_STEP_END && step != TALLY_STEP_TORN)
    return -1; /* out of memory */
  if (cursor.seq > spool->last_seq)
    spool->last_seq = cursor.seq;
  spool->recovered += whole_damaged;
  spool->lost[TALLY_LOSS_DAMAGED] += whole_damaged;
  if (cursor.whole < segment->size)
    cut_end(spool, segment, whole, cursor.whole);
  return 0;
}

static int apply_mark(tally_segment_t *segment, unsigned char *tried,
                      const tally_mark_t *mark) {
  if (mark->first >= segment->entries ||
      mark->count > segment->entries - mark->first)
    return -1; /* of entries that were torn off */
  for (uint32_t i = mark->first; i < mark->first + mark->count; i++) {
    unsigned char bit = (unsigned char)(1u << (i % 8));
    if (mark->kind == TALLY_MARK_DONE)
      tally_segment_set_done(segment, i);
    else if (mark->kind == TALLY_MARK_TRIED)
      tried[i / 8] |= bit;
    else
      tried[i / 8] &= (unsigned char)~bit;
  }
  return 0;
}

static int load_marks(tally_spool_t *spool, tally_segment_t *segment) {
  char name[TALLY_SPOOL_NAME_LEN];
  tally_segment_name(name, segment->id, "ack");
  tally_autoclose int fd =
      openat(spool->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  tally_autofree unsigned char *tried = calloc(1, segment->entries / 8 + 1);
  if (tried == NULL)
    return -1;
  unsigned char bytes[TALLY_SEGMENT_HEADER];
  uint64_t born;
  if (fd < 0 || pread(fd, bytes, sizeof(bytes), 0) != sizeof(bytes) ||
      tally_segment_parse_header(bytes, sizeof(bytes), TALLY_ACK_MAGIC,
                                 &born) != 0 ||
      born != segment->born)
    return 0;
  segment->ack_size = sizeof(bytes);
  tally_mark_t mark;
  while (pread(fd, bytes, TALLY_ACK_MARK, segment->ack_size) ==
             TALLY_ACK_MARK &&
         tally_segment_decode_mark(bytes, &mark) == 0) {
    segment->ack_size += TALLY_ACK_MARK;
    apply_mark(segment, tried, &mark);
  }
  for (uint32_t i = 0; i < segment->entries; i++)
    spool->tried_before += (tried[i / 8] >> (i % 8) & 1) != 0 &&
                           !tally_segment_is_done(segment, i);
  return 0;
}

/* 1: it holds nothing and can go. */
static int read_segment(tally_spool_t *spool, tally_segment_t *segment,
                        const char *name, tally_error_t *err) {
  struct stat st;
  if (fstat(segment->fd, &st) != 0)
    return tally_error_set(err, errno, "`%s/%s'", spool->path, name);
  segment->size = st.st_size;
  if (st.st_size < TALLY_SEGMENT_HEADER)
    return 1; /* killed while it was made */
  unsigned char header[TALLY_SEGMENT_HEADER];
  if (pread(segment->fd, header, sizeof(header), 0) != sizeof(header))
    return tally_error_set(err, errno, "read `%s/%s'", spool->path, name);
  int status = tally_segment_parse_header(header, sizeof(header),
                                          TALLY_SEGMENT_MAGIC, &segment->born);
  if (status > 0)
    return tally_error_set(err, 0, "`%s/%s' is of another version", spool->path,
                           name);
  if (status < 0 || st.st_size > SEGMENT_MOST) {
    spool->cut_bytes += (uint64_t)st.st_size;
    return 1;
  }
  if (tally_segment_grow_done(segment, 1) != 0 || scan(spool, segment) != 0 ||
      load_marks(spool, segment) != 0)
    return tally_error_set(err, ENOMEM, "`%s/%s'", spool->path, name);
  return 0;
}

static int load(tally_spool_t *spool, uint64_t id, tally_error_t *err) {
  char name[TALLY_SPOOL_NAME_LEN];
  tally_segment_name(name, id, "seg");
  tally_segment_t *segment = tally_segment_create(id);
  if (segment == NULL)
    return tally_error_set(err, ENOMEM, "`%s/%s'", spool->path, name);
  segment->fd = openat(spool->directory, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (segment->fd < 0)
    segment->fd =
        openat(spool->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (segment->fd < 0) {
    tally_segment_free(segment);
    return tally_error_set(err, errno, "`%s/%s'", spool->path, name);
  }
  int status = read_segment(spool, segment, name, err);
  if (status == 1) {
    unlinkat(spool->directory, name, 0);
    tally_segment_name(name, id, "ack");
    unlinkat(spool->directory, name, 0);
  }
  if (status != 0) {
    tally_segment_free(segment);
    return status < 0 ? -1 : 0;
  }
  close(segment->fd); /* opened again when it is read */
  segment->fd = -1;
  segment->synced = segment->size;
  segment->unread = segment->entries - segment->done_entries;
  spool->recovered += segment->unread;
  spool->records += segment->unread;
  spool->unread += segment->unread;
  if (segment->unread > 0)
    spool->unread_bytes += (uint64_t)segment->size;
  spool->bytes += (uint64_t)(segment->size + segment->ack_size);
  TAILQ_INSERT_TAIL(&spool->segments, segment, link);
  return 0;
}

/* ---- the directory ------------------------------------------------------- */

/* The number in "0123456789abcdef.seg"; 0: it is another name. */
static uint64_t parse_name(const char *name, const char *suffix) {
  if (strspn(name, "0123456789abcdef") != NAME_DIGITS ||
      name[NAME_DIGITS] != '.' || strcmp(name + NAME_DIGITS + 1, suffix) != 0)
    return 0;
  return strtoull(name, NULL, 16);
}

static int compare(const void *a, const void *b) {
  const uint64_t *x = a, *y = b;
  return *x < *y ? -1 : *x > *y;
}

static int list(tally_spool_t *spool, uint64_t **ids, size_t *count,
                tally_error_t *err) {
  int fd = fcntl(spool->directory, F_DUPFD_CLOEXEC, 0);
  tally_autoclosedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
  if (dir == NULL)
    return tally_error_set(err, errno, "spool `%s'", spool->path);
  rewinddir(dir);
  size_t size = 0;
  const struct dirent *entry;
  while ((entry = readdir(dir)) != NULL) {
    uint64_t id = parse_name(entry->d_name, "seg");
    uint64_t marks = parse_name(entry->d_name, "ack");
    char name[TALLY_SPOOL_NAME_LEN];
    tally_segment_name(name, marks, "seg");
    if (marks != 0 && faccessat(spool->directory, name, F_OK, 0) != 0)
      unlinkat(spool->directory, entry->d_name, 0);
    if (id == 0)
      continue;
    if (*count == size) {
      size = size * 2 + 16;
      uint64_t *more = realloc(*ids, size * sizeof(**ids));
      if (more == NULL)
        return tally_error_set(err, ENOMEM, "spool `%s'", spool->path);
      *ids = more;
    }
    (*ids)[(*count)++] = id;
  }
  if (*count > 0)
    qsort(*ids, *count, sizeof(**ids), compare);
  return 0;
}

static int own(tally_spool_t *spool, tally_error_t *err) {
  struct stat st;
  if (fstat(spool->directory, &st) != 0)
    return tally_error_set(err, errno, "spool `%s'", spool->path);
  if (st.st_uid != geteuid())
    return tally_error_set(err, EPERM, "spool `%s' belongs to another user",
                           spool->path);
  if ((st.st_mode & 077) != 0 && fchmod(spool->directory, 0700) != 0)
    return tally_error_set(err, errno, "spool `%s'", spool->path);
  if (flock(spool->directory, LOCK_EX | LOCK_NB) != 0)
    return tally_error_set(err, errno == EWOULDBLOCK ? EBUSY : errno,
                           "spool `%s' is used by another output or process",
                           spool->path);
  return 0;
}

static int enter(tally_spool_t *spool, tally_error_t *err) {
  if (own(spool, err) != 0)
    return -1;
  tally_autofree uint64_t *ids = NULL;
  size_t count = 0;
  if (list(spool, &ids, &count, err) != 0)
    return -1;
  if (tally_notes_load(spool, err) != 0)
    return -1;
  for (size_t i = 0; i < count; i++)
    if (load(spool, ids[i], err) != 0)
      return -1;
  for (tally_segment_t *segment = TAILQ_FIRST(&spool->segments), *next;
       segment != NULL; segment = next) {
    next = TAILQ_NEXT(segment, link);
    if (segment->notes == 0)
      tally_spool_drop_done(spool, segment);
  }
  return 0;
}

int tally_spool_enter(tally_spool_t *spool, tally_error_t *err) {
  if (spool->directory >= 0)
    return 0;
  struct stat st;
  if (lstat(spool->path, &st) != 0 &&
      tally_file_make_directory(spool->path, 0700, err) != 0)
    return -1;
  spool->directory = tally_file_raise(
      open(spool->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (spool->directory < 0)
    return tally_error_set(err, errno, "spool `%s'", spool->path);
  if (enter(spool, err) == 0)
    return 0;
  close(spool->directory);
  spool->directory = -1;
  return -1;
}
