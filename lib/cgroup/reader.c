/* SPDX-License-Identifier: MIT */
/*
 * The files of one container, kept open.
 *
 * pread(2) at offset 0 of a kept descriptor makes the kernel render the file
 * anew; it costs a tenth of open, read and close. A kept descriptor does not
 * keep a removed cgroup alive: reading it gives ENODEV, which is the earliest
 * sign that the container has gone.
 */
#include "config.h"

#include "cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/epoch.h"
#include "cgroup/files.h"
#include "cgroup/parse.h"
#include "cgroup/rest.h"
#include "core/cleanup.h"
#include "core/clock.h"

/* Every file but the list of processes comes whole in one read. The longest,
 * io.stat, gets here after some 150 devices. */
#define TEXT_SIZE 16384

#define LIMITS_AGE_NS (60 * TALLY_NS_PER_S)

typedef struct {
  const tally_cgroup_file_t *file;
  int fd; /* -1: opened for each read */
} slot_t;

/* What is repeated in samples that do not read the limits. */
typedef struct {
  uint64_t cpu_quota_us, cpu_period_us, cpuset_cpus;
  uint64_t memory_limit, memory_swap_limit;
  uint64_t threads_limit;
} limits_t;

struct tally_cgroup_reader_s {
  tally_cgroup_paths_t paths;
  limits_t limits;
  uint64_t limits_due_ns; /* monotonic; 0: at the next read */
  const atomic_uint *epoch;
  unsigned limits_epoch; /* what *epoch was when they were read */
  tally_rest_t rest;
  size_t slots_count;
  slot_t slots[];
};

/* ---- making and unmaking ------------------------------------------------- */

static int open_file(const tally_cgroup_paths_t *paths,
                     const tally_cgroup_file_t *file) {
  char path[PATH_MAX];
  int n = snprintf(path, sizeof(path), "%s/%s", paths->dir[file->controller],
                   file->name);
  if (n < 0 || (size_t)n >= sizeof(path)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return open(path, O_RDONLY | O_CLOEXEC);
}

static bool has_processes(const tally_cgroup_reader_t *reader) {
  for (size_t i = 0; i < reader->slots_count; i++)
    if (reader->slots[i].file->parse == NULL)
      return true;
  return false;
}

static bool is_left_out(const tally_cgroup_file_t *file, unsigned without) {
  return ((without & TALLY_CGROUP_WITHOUT_PRESSURE) != 0 &&
          file->cadence == TALLY_CGROUP_PRESSURE) ||
         ((without & TALLY_CGROUP_WITHOUT_BLOCK_IO) != 0 &&
          file->controller == TALLY_CONTROLLER_IO);
}

/* Adds the files of one version whose controllers the container has in that
 * version. Those that do not exist get no slot. */
static void add_files(tally_cgroup_reader_t *reader, int version,
                      unsigned without, const tally_cgroup_file_t *files,
                      size_t count) {
  bool exists = false;
  for (size_t i = 0; i < count; i++) {
    const tally_cgroup_file_t *file = &files[i];
    if (is_left_out(file, without) || (file->otherwise && exists) ||
        (file->parse == NULL && has_processes(reader)))
      continue;
    exists = false;
    if (reader->paths.version[file->controller] != version ||
        reader->paths.dir[file->controller] == NULL)
      continue;

    int fd = open_file(&reader->paths, file);
    exists = fd >= 0 || errno != ENOENT;
    if (!exists)
      continue;
    if (fd >= 0) {
      if (file->cadence != TALLY_CGROUP_LIMIT && !file->reopen &&
          tally_cgroup_descriptor_take()) {
        fd = tally_file_raise(fd);
      } else {
        close(fd);
        fd = -1;
      }
    }
    reader->slots[reader->slots_count++] = (slot_t){file, fd};
  }
}

static int copy_paths(tally_cgroup_paths_t *to,
                      const tally_cgroup_paths_t *from) {
  for (size_t i = 0; i < TALLY_CONTROLLERS; i++) {
    to->version[i] = from->version[i];
    if (from->dir[i] != NULL && (to->dir[i] = strdup(from->dir[i])) == NULL)
      return -1;
  }
  return 0;
}

/* Any directory of the container, for the name in it. */
static const char *some_dir(const tally_cgroup_paths_t *paths) {
  for (size_t i = 0; i < TALLY_CONTROLLERS; i++)
    if (paths->dir[i] != NULL)
      return paths->dir[i];
  return "";
}

tally_cgroup_reader_t *
tally_cgroup_reader_create(const tally_cgroup_paths_t *paths, unsigned without,
                           tally_error_t *err) {
  size_t most = tally_cgroup_files_v1_count + tally_cgroup_files_v2_count;
  tally_cgroup_reader_t *reader =
      calloc(1, sizeof(*reader) + most * sizeof(slot_t));
  if (reader == NULL || copy_paths(&reader->paths, paths) != 0) {
    tally_cgroup_reader_destroy(reader);
    tally_error_set(err, ENOMEM, "cgroup reader");
    return NULL;
  }
  reader->epoch = tally_cgroup_epoch(some_dir(&reader->paths));
  /* On a hybrid host the list of processes is better read from v2. */
  add_files(reader, 2, without, tally_cgroup_files_v2,
            tally_cgroup_files_v2_count);
  add_files(reader, 1, without, tally_cgroup_files_v1,
            tally_cgroup_files_v1_count);

  /* The slots that were not needed. Shrinking cannot lose anything. */
  size_t size = sizeof(*reader) + reader->slots_count * sizeof(slot_t);
  tally_cgroup_reader_t *smaller = realloc(reader, size);
  return smaller != NULL ? smaller : reader;
}

static void close_slot(slot_t *slot) {
  if (slot->fd < 0)
    return;
  close(slot->fd);
  slot->fd = -1;
  tally_cgroup_descriptor_give();
}

void tally_cgroup_reader_destroy(tally_cgroup_reader_t *reader) {
  if (reader == NULL)
    return;
  for (size_t i = 0; i < reader->slots_count; i++)
    close_slot(&reader->slots[i]);
  tally_cgroup_paths_clear(&reader->paths);
  free(reader);
}

size_t tally_cgroup_reader_descriptors(const tally_cgroup_reader_t *reader,
                                       int *fds, size_t max) {
  size_t count = 0;
  for (size_t i = 0; i < reader->slots_count && count < max; i++)
    if (reader->slots[i].fd >= 0)
      fds[count++] = reader->slots[i].fd;
  return count;
}

/* ---- reading one file ---------------------------------------------------- */

static ssize_t read_at(int fd, char *text, size_t size, off_t offset) {
  ssize_t n;
  do
    n = pread(fd, text, size, offset);
  while (n < 0 && errno == EINTR);
  return n;
}

/* Counts the lines of a file that comes in pieces. -1: errno. */
static int count_processes(int fd, char *text, size_t size,
                           tally_cgroup_sample_t *sample) {
  uint64_t lines = 0;
  off_t offset = 0;
  ssize_t n;
  do {
    n = read_at(fd, text, size, offset);
    if (n < 0)
      return -1;
    lines += tally_count_lines(text, (size_t)n);
    offset += n;
    /* The kernel hands over a page at a time. Less than a quarter of the
     * smallest page is the end, and asking again would only say so. */
  } while (n >= 1024);
  sample->processes = lines;
  return 0;
}

static int read_text(int fd, const tally_cgroup_file_t *file,
                     tally_cgroup_sample_t *sample) {
  char text[TEXT_SIZE];
  if (file->parse == NULL)
    return count_processes(fd, text, sizeof(text), sample);

  ssize_t n = read_at(fd, text, sizeof(text), 0);
  if (n < 0)
    return -1;
  if ((size_t)n == sizeof(text)) /* the last line may have been cut */
    while (n > 0 && text[n - 1] != '\n')
      n--;
  if (file->parse(text, (size_t)n, sample) == 0)
    return 0;
  errno = EBADMSG;
  return -1;
}

static int read_slot(const tally_cgroup_reader_t *reader, const slot_t *slot,
                     tally_cgroup_sample_t *sample) {
  if (slot->fd >= 0)
    return read_text(slot->fd, slot->file, sample);
  tally_autoclose int fd = open_file(&reader->paths, slot->file);
  return fd < 0 ? -1 : read_text(fd, slot->file, sample);
}

/* ---- what to make of a failure ------------------------------------------- */

/*
 * A file that is no longer there: has the whole cgroup gone, or was only its
 * controller taken away, as v2 allows? If the directory is still there, the
 * list of processes tells, which every cgroup has. (The directory alone does
 * not: a restarted container gets one with the same name.)
 */
static bool is_gone(const tally_cgroup_reader_t *reader, const slot_t *slot,
                    int code) {
  tally_controller_t controller = slot->file->controller;
  if (access(reader->paths.dir[controller], F_OK) != 0 && errno == ENOENT)
    return true;
  if (reader->paths.version[controller] == 1)
    return code == ENODEV;
  for (size_t i = 0; i < reader->slots_count; i++) {
    const slot_t *procs = &reader->slots[i];
    char c;
    if (procs->file->parse == NULL && procs->fd >= 0)
      return read_at(procs->fd, &c, 1, 0) < 0 && errno == ENODEV;
  }
  return false;
}

static tally_cgroup_status_t on_failure(const tally_cgroup_reader_t *reader,
                                        slot_t *slot, tally_error_t *err,
                                        bool *failed) {
  int code = errno;
  if (code == ENODEV || code == ENOENT) {
    if (is_gone(reader, slot, code))
      return TALLY_CGROUP_GONE;
    close_slot(slot); /* from now on by name, in case it comes back */
  }
  /* Pressure where PSI is switched off, processes of a threaded cgroup: the
   * kernel has nothing to say. */
  if (code != EOPNOTSUPP && !*failed) {
    *failed = true;
    tally_error_set(err, code, "read `%s/%s'",
                    reader->paths.dir[slot->file->controller],
                    slot->file->name);
  }
  return TALLY_CGROUP_READ;
}

/* ---- limits -------------------------------------------------------------- */

static void keep_limits(limits_t *limits, const tally_cgroup_sample_t *sample) {
  limits->cpu_quota_us = sample->cpu_quota_us;
  limits->cpu_period_us = sample->cpu_period_us;
  limits->cpuset_cpus = sample->cpuset_cpus;
  limits->memory_limit = sample->memory_limit;
  limits->memory_swap_limit = sample->memory_swap_limit;
  limits->threads_limit = sample->threads_limit;
}

/* Before the files are read, so that those which tell a limit each time (v1:
 * memory.stat) have the last word. */
static void repeat_limits(tally_cgroup_sample_t *sample,
                          const limits_t *limits) {
  sample->cpu_quota_us = limits->cpu_quota_us;
  sample->cpu_period_us = limits->cpu_period_us;
  sample->cpuset_cpus = limits->cpuset_cpus;
  sample->memory_limit = limits->memory_limit;
  sample->memory_swap_limit = limits->memory_swap_limit;
  sample->threads_limit = limits->threads_limit;
}

/* Up to half the time, different from reader to reader: those that were made
 * together shall not all do what is due after `time` in the same run. */
static uint64_t spread(const tally_cgroup_reader_t *reader, uint64_t time) {
  return time / 2 * ((uintptr_t)reader / sizeof(*reader) % 64) / 64;
}

/* ---- reading at rest ----------------------------------------------------- */

static bool is_read_at_rest(const tally_cgroup_file_t *file, bool decayed) {
  switch (file->cadence) {
  case TALLY_CGROUP_EACH_TIME:
  case TALLY_CGROUP_SIGN:
    return true;
  case TALLY_CGROUP_PRESSURE:
    return !decayed;
  case TALLY_CGROUP_BY_TASKS:
  case TALLY_CGROUP_LIMIT:
    break;
  }
  return false;
}

/* Brings *fresh from `before` to now with the few files that may have changed.
 * false: it is not at rest, or something failed; *fresh is of no use then. */
static bool read_at_rest(const tally_cgroup_reader_t *reader,
                         const tally_cgroup_sample_t *before,
                         tally_cgroup_sample_t *fresh) {
  bool decayed = tally_rest_has_decayed(before);
  tally_cgroup_sample_copy(fresh, before);
  for (size_t i = 0; i < reader->slots_count; i++) {
    const slot_t *slot = &reader->slots[i];
    if (!is_read_at_rest(slot->file, decayed))
      continue;
    if (slot->file->controller == TALLY_CONTROLLER_IO)
      tally_cgroup_sample_forget_devices(fresh); /* the parser adds to them */
    if (read_slot(reader, slot, fresh) != 0 ||
        !tally_rest_is_still(before, fresh))
      return false;
  }
  return true;
}

/* ---- reading all --------------------------------------------------------- */

/* What could not be read is unknown in *fresh, and *failed is set. */
static tally_cgroup_status_t read_whole(tally_cgroup_reader_t *reader,
                                        bool with_limits,
                                        tally_cgroup_sample_t *fresh,
                                        tally_error_t *err, bool *failed) {
  tally_cgroup_sample_init(fresh);
  if (!with_limits)
    repeat_limits(fresh, &reader->limits);
  for (size_t i = 0; i < reader->slots_count; i++) {
    slot_t *slot = &reader->slots[i];
    if (slot->file->cadence == TALLY_CGROUP_LIMIT && !with_limits)
      continue;
    if (read_slot(reader, slot, fresh) != 0 &&
        on_failure(reader, slot, err, failed) == TALLY_CGROUP_GONE)
      return TALLY_CGROUP_GONE;
  }
  return TALLY_CGROUP_READ;
}

tally_cgroup_status_t tally_cgroup_reader_read(tally_cgroup_reader_t *reader,
                                               unsigned how,
                                               tally_cgroup_sample_t *sample,
                                               tally_error_t *err) {
  uint64_t now = tally_clock_monotonic_ns();
  unsigned epoch = atomic_load_explicit(reader->epoch, memory_order_acquire);
  bool with_limits = (how & TALLY_CGROUP_REFRESH) != 0 ||
                     epoch != reader->limits_epoch ||
                     now >= reader->limits_due_ns;
  const tally_cgroup_sample_t *before =
      (how & TALLY_CGROUP_CONTINUE) != 0 ? sample : NULL;

  tally_cgroup_sample_t fresh;
  if (before != NULL && now < reader->rest.until_ns && !with_limits &&
      read_at_rest(reader, before, &fresh)) {
    fresh.at_rest = true;
    tally_cgroup_sample_copy(sample, &fresh);
    return TALLY_CGROUP_READ;
  }

  bool failed = false;
  if (read_whole(reader, with_limits, &fresh, err, &failed) ==
      TALLY_CGROUP_GONE)
    return TALLY_CGROUP_GONE;
  if (with_limits) {
    keep_limits(&reader->limits, &fresh);
    reader->limits_epoch = epoch;
    reader->limits_due_ns = now + LIMITS_AGE_NS - spread(reader, LIMITS_AGE_NS);
  }
  /* Whoever is told what failed shall be told each time. */
  tally_rest_update(&reader->rest, failed ? NULL : before, &fresh, now,
                    spread(reader, TALLY_REST_LASTS_NS));
  tally_cgroup_sample_copy(sample, &fresh);
  return TALLY_CGROUP_READ;
}
