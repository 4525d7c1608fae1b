/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logs/file_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/file.h"
#include "logs/file_journal.h"

#define BATCH_RECORDS 1000
#define BATCH_BYTES (1024 * 1024)
#define RECORD_BYTES (2 * 1024 * 1024)
#define LINGER_NS (200 * TALLY_NS_PER_MS)
#define AT_ONCE 256 /* records of one writev() */
#define COMPARE_SIZE 4096

/* The outbox's thread has it for itself. */
typedef struct {
  char *path, *journal_path;
  uint64_t rotate_bytes;
  unsigned rotate_keep;

  tally_file_journal_t journal;
  int fd;         /* -1: not open */
  struct stat st; /* of fd, when the batch began */
  bool begun;     /* a batch is about to be compared with what is there */
} file_sink_t;

/* One batch on its way into the file. */
typedef struct {
  const tally_record_t *records;
  size_t count;
  size_t done;    /* records that are there as a whole */
  size_t partial; /* bytes of the next one that are there */
  bool broken;    /* the file ends in the middle of somebody's line */
} batch_t;

/* ---- the file ------------------------------------------------------------ */

static void close_file(file_sink_t *f) {
  if (f->fd >= 0)
    close(f->fd);
  f->fd = -1;
}

/* Whether the name still means the file that is open. */
static bool is_ours(const file_sink_t *f) {
  struct stat st;
  return fstatat(AT_FDCWD, f->path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
         st.st_dev == f->st.st_dev && st.st_ino == f->st.st_ino;
}

static int open_file(file_sink_t *f, tally_error_t *err) {
  if (f->fd >= 0 && !is_ours(f))
    close_file(f);
  if (f->fd < 0) {
    /* O_NONBLOCK: a FIFO without a reader would hold us up */
    f->fd = tally_file_raise(open(f->path,
                                  O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC |
                                      O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
                                  0640));
    if (f->fd < 0)
      return tally_error_set(err, errno, "open `%s'", f->path);
  }
  if (fstat(f->fd, &f->st) != 0)
    return tally_error_set(err, errno, "look at `%s'", f->path);
  if (S_ISREG(f->st.st_mode))
    return 0;
  close_file(f);
  return tally_error_set(err, EINVAL, "`%s' is no regular file", f->path);
}

static void rotated_name(const file_sink_t *f, unsigned number,
                         char name[PATH_MAX]) {
  snprintf(name, PATH_MAX, "%s.%u", f->path, number);
}

static int rotate(file_sink_t *f, tally_error_t *err) {
  char from[PATH_MAX], to[PATH_MAX];
  for (unsigned i = f->rotate_keep; i > 1; i--) {
    rotated_name(f, i - 1, from);
    rotated_name(f, i, to);
    rename(from, to); /* there may be none yet */
  }
  rotated_name(f, 1, to);
  if ((f->rotate_keep > 0 ? rename(f->path, to) : unlink(f->path)) != 0)
    return tally_error_set(err, errno, "rotate `%s'", f->path);
  return open_file(f, err);
}

static int rotate_if_due(file_sink_t *f, batch_t *batch, tally_error_t *err) {
  if (f->rotate_bytes == 0 || f->st.st_size == 0 || batch->partial > 0)
    return 0;
  uint64_t size = (uint64_t)f->st.st_size;
  for (size_t i = batch->done; i < batch->count; i++)
    size += batch->records[i].len + 1;
  if (size <= f->rotate_bytes)
    return 0;
  batch->broken = false;
  return rotate(f, err);
}

/* ---- what is there already ----------------------------------------------- */

/* How many of the `len` bytes at `data` stand at `offset`; fewer, if the file
 * ends or something else stands there. */
static size_t compare(int fd, off_t offset, const char *data, size_t len) {
  char there[COMPARE_SIZE];
  size_t same = 0;
  while (same < len) {
    size_t want = len - same < sizeof(there) ? len - same : sizeof(there);
    ssize_t n = pread(fd, there, want, offset + (off_t)same);
    if (n <= 0 || memcmp(there, data + same, (size_t)n) != 0)
      return same;
    same += (size_t)n;
  }
  return same;
}

static bool ends_a_line(const file_sink_t *f) {
  return f->st.st_size == 0 || compare(f->fd, f->st.st_size - 1, "\n", 1) == 1;
}

/* Finds the records of an interrupted batch that the file has. `offset` is
 * where the first one would stand; returns how far they reach. */
static off_t find(const file_sink_t *f, off_t offset, batch_t *batch) {
  while (batch->done < batch->count) {
    const tally_record_t *r = &batch->records[batch->done];
    off_t end = offset + (off_t)r->len;
    size_t same = compare(f->fd, offset, r->data, r->len);
    if (same == r->len && compare(f->fd, end, "\n", 1) == 1) {
      offset = end + 1;
      batch->done++;
      continue;
    }
    /* cut off by the end of the file, and not something else */
    if (offset + (off_t)same == f->st.st_size)
      batch->partial = same;
    break;
  }
  return offset;
}

/* The first batch of a process, and one after trouble, may be the repetition of
 * one that was written in part. */
static void resume(file_sink_t *f, batch_t *batch) {
  tally_file_journal_t *j = &f->journal;
  bool known =
      j->first != 0 && j->device == f->st.st_dev && j->inode == f->st.st_ino &&
      j->offset <= (uint64_t)f->st.st_size &&
      (f->begun || j->first == tally_file_journal_hash(&batch->records[0]));
  f->begun = known;
  if (!known) {
    batch->broken = !ends_a_line(f);
    j->first = 0;
    return;
  }
  j->offset = (uint64_t)find(f, (off_t)j->offset, batch);
  if (batch->done == batch->count)
    return; /* the next batch may be there too */
  f->begun = false;
  j->first = 0;
  batch->broken = batch->partial == 0 && !ends_a_line(f);
}

/* ---- writing ------------------------------------------------------------- */

/* The records from number `done` on, without what is there of the first. */
static int fill(const batch_t *batch, struct iovec *iov) {
  static char newline[] = "\n";
  int n = 0;
  size_t last = batch->done + AT_ONCE;
  for (size_t i = batch->done; i < batch->count && i < last; i++) {
    const tally_record_t *r = &batch->records[i];
    iov[n++] = (struct iovec){(char *)r->data, r->len};
    iov[n++] = (struct iovec){newline, 1};
  }
  iov[0].iov_base = (char *)iov[0].iov_base + batch->partial;
  iov[0].iov_len -= batch->partial;
  return n;
}

static void advance(batch_t *batch, size_t written) {
  written += batch->partial;
  batch->partial = 0;
  while (written > 0) {
    size_t len = batch->records[batch->done].len + 1;
    if (written < len)
      break;
    written -= len;
    batch->done++;
  }
  batch->partial = written;
}

static int write_records(const file_sink_t *f, batch_t *batch) {
  if (batch->broken && write(f->fd, "\n", 1) != 1)
    return -1;
  batch->broken = false;
  while (batch->done < batch->count) {
    struct iovec iov[2 * AT_ONCE];
    ssize_t n = writev(f->fd, iov, fill(batch, iov));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    advance(batch, (size_t)n);
  }
  return 0;
}

/* A line that was written in part is taken back. Where that fails, the next
 * batch is compared with what is there. */
static void take_back(file_sink_t *f, const batch_t *batch) {
  struct stat st;
  if (batch->partial == 0 || fstat(f->fd, &st) != 0)
    return;
  off_t begin = st.st_size - (off_t)batch->partial;
  if (ftruncate(f->fd, begin) == 0)
    return;
  f->journal.offset = (uint64_t)begin;
  f->journal.first = tally_file_journal_hash(&batch->records[batch->done]);
}

static int append(file_sink_t *f, batch_t *batch, tally_error_t *err) {
  off_t begin = f->st.st_size - (off_t)batch->partial + batch->broken;
  tally_file_journal_note(&f->journal, f->st.st_dev, f->st.st_ino, begin,
                          &batch->records[batch->done]);
  if (write_records(f, batch) != 0) {
    tally_error_set(err, errno, "write `%s'", f->path);
    take_back(f, batch);
    return -1;
  }
  f->journal.first = 0;
  return 0;
}

static int write_batch(file_sink_t *f, batch_t *batch, tally_error_t *err) {
  if (open_file(f, err) != 0)
    return -1;
  if (f->journal.first != 0)
    resume(f, batch);
  else
    batch->broken = !ends_a_line(f);
  if (batch->done == batch->count)
    return 0;
  if (rotate_if_due(f, batch, err) != 0)
    return -1;
  return append(f, batch, err);
}

/* ---- the destination ----------------------------------------------------- */

static int send_batch(void *data, const tally_record_t *records, size_t count,
                      tally_fate_t *fates, tally_answer_t *answer,
                      tally_error_t *err) {
  batch_t batch = {.records = records, .count = count};
  tally_error_t why = {0};
  int status = write_batch(data, &batch, &why);
  for (size_t i = 0; i < count; i++)
    fates[i] = i < batch.done ? TALLY_FATE_SENT : TALLY_FATE_RETRY;
  if (status != 0) {
    answer->status = 1000 + (unsigned)why.code;
    *err = why;
  }
  return status;
}

static uint64_t one_group(void *data, const char *key, size_t key_len) {
  return 0; /* the file has one order */
}

static void release(void *data) {
  file_sink_t *f = data;
  close_file(f);
  tally_file_journal_clear(&f->journal);
  free(f->path);
  free(f->journal_path);
  free(f);
}

static void set_limit(size_t *option, size_t limit) {
  if (*option == 0 || *option > limit)
    *option = limit;
}

int tally_file_sink_open(const tally_file_sink_options_t *options,
                         tally_destination_t *destination,
                         tally_outbox_options_t *outbox, tally_error_t *err) {
  size_t len = strlen(options->path);
  if (options->path[0] != '/' || options->path[len - 1] == '/' ||
      len + 16 > PATH_MAX)
    return tally_error_set(err, 0, "\"%s\" is no absolute path of a file",
                           options->path);
  file_sink_t *f = calloc(1, sizeof(*f));
  if (f == NULL)
    return tally_error_set(err, ENOMEM, "file `%s'", options->path);
  *f = (file_sink_t){.rotate_bytes = options->rotate_bytes,
                     .rotate_keep = options->rotate_keep,
                     .fd = -1};
  f->path = strdup(options->path);
  if (options->journal != NULL)
    f->journal_path = strdup(options->journal);
  tally_file_journal_init(&f->journal, f->journal_path);
  *destination = (tally_destination_t){
      .data = f, .send = send_batch, .group = one_group, .release = release};
  if (f->path == NULL ||
      (options->journal != NULL && f->journal_path == NULL)) {
    release(f);
    return tally_error_set(err, ENOMEM, "file `%s'", options->path);
  }
  set_limit(&outbox->record_bytes, RECORD_BYTES);
  set_limit(&outbox->batch_records, BATCH_RECORDS);
  set_limit(&outbox->batch_bytes, BATCH_BYTES);
  if (outbox->linger_ns == 0)
    outbox->linger_ns = LINGER_NS;
  return 0;
}
