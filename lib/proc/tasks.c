/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "proc/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "proc/taskstats.h"

struct tally_tasks_s {
  tally_taskstats_t taskstats; /* opened at the first v1 container */
  char proc[];
};

tally_tasks_t *tally_tasks_create(const char *proc, tally_error_t *err) {
  size_t size = strlen(proc) + 1;
  tally_tasks_t *tasks = calloc(1, sizeof(*tasks) + size);
  if (tasks == NULL) {
    tally_error_set(err, ENOMEM, "counter of tasks");
    return NULL;
  }
  memcpy(tasks->proc, proc, size);
  tasks->taskstats.fd = -1;
  return tasks;
}

void tally_tasks_destroy(tally_tasks_t *tasks) {
  if (tasks == NULL)
    return;
  tally_taskstats_close(&tasks->taskstats);
  free(tasks);
}

/* ---- v1 ------------------------------------------------------------------ */

static int active_v1(tally_tasks_t *tasks, const char *dir, uint64_t *active,
                     tally_error_t *err) {
  if (tasks->taskstats.fd < 0 &&
      tally_taskstats_open(&tasks->taskstats, err) != 0)
    return -1;
  tally_autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return tally_error_set(err, errno, "open `%s'", dir);
  return tally_taskstats_active(&tasks->taskstats, fd, active, err);
}

/* ---- v2 ------------------------------------------------------------------ */

/* Whether the thread runs or waits for a disk; false also if it has gone. */
static bool is_active(const char *proc, unsigned tid) {
  /* The long way round, because /proc/TID/stat sums up all threads of the
   * process first. */
  char path[PATH_MAX], text[512];
  int n = snprintf(path, sizeof(path), "%s/%u/task/%u/stat", proc, tid, tid);
  if (n < 0 || (size_t)n >= sizeof(path))
    return false;
  tally_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
  if (len <= 0)
    return false;
  text[len] = '\0';

  /* "42 (name) S …": the name may contain anything, so the last parenthesis
   * counts. No name is longer than what was read. */
  const char *state = strrchr(text, ')');
  return state != NULL && state[1] == ' ' &&
         (state[2] == 'R' || state[2] == 'D');
}

typedef struct {
  uint64_t seen; /* lines so far */
  uint64_t
      stride; /* every how many-th is looked at; 0: they are counted only */
  uint64_t looked_at, active;
  unsigned tid; /* digits of a line that is not over yet */
} threads_t;

static void take_threads(threads_t *t, const char *proc, const char *text,
                         size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (text[i] >= '0' && text[i] <= '9') {
      t->tid = t->tid * 10 + (unsigned)(text[i] - '0');
      continue;
    }
    if (text[i] != '\n')
      continue;
    if (t->stride > 0 && t->seen % t->stride == 0) {
      t->looked_at++;
      t->active += is_active(proc, t->tid) ? 1 : 0;
    }
    t->seen++;
    t->tid = 0;
  }
}

/* Goes through cgroup.threads once. */
static int for_threads(threads_t *t, int fd, const char *proc) {
  char text[8192];
  off_t offset = 0;
  ssize_t n;
  while ((n = pread(fd, text, sizeof(text), offset)) != 0) {
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    take_threads(t, proc, text, (size_t)n);
    offset += n;
  }
  return 0;
}

static int active_v2(const char *proc, const char *dir, uint64_t *active,
                     tally_error_t *err) {
  char path[PATH_MAX];
  int n = snprintf(path, sizeof(path), "%s/cgroup.threads", dir);
  if (n < 0 || (size_t)n >= sizeof(path))
    return tally_error_set(err, ENAMETOOLONG, "open `%s/cgroup.threads'", dir);
  tally_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return tally_error_set(err, errno, "open `%s'", path);

  threads_t count = {0};
  if (for_threads(&count, fd, proc) != 0)
    return tally_error_set(err, errno, "read `%s'", path);
  threads_t chosen = {.stride =
                          (count.seen + TALLY_TASKS_MAX - 1) / TALLY_TASKS_MAX};
  if (chosen.stride > 0 && for_threads(&chosen, fd, proc) != 0)
    return tally_error_set(err, errno, "read `%s'", path);

  *active = chosen.looked_at == 0
                ? 0
                : (chosen.active * chosen.seen + chosen.looked_at / 2) /
                      chosen.looked_at;
  return 0;
}

int tally_tasks_active(tally_tasks_t *tasks, const char *dir, int version,
                       uint64_t *active, tally_error_t *err) {
  return version == 1 ? active_v1(tasks, dir, active, err)
                      : active_v2(tasks->proc, dir, active, err);
}
