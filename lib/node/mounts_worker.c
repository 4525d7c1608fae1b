/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "node/mounts_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/thread.h"

/* How long the end waits for a question that is out. */
#define LAST_ANSWER_MS 200

void tally_disk_unref(tally_disk_t *disk) {
  if (--disk->references > 0)
    return;
  free(disk->path);
  free(disk->point);
  free(disk->device);
  free(disk->type);
  free(disk);
}

void tally_mounts_unref(tally_mounts_t *mounts) {
  bool last = --mounts->references == 0;
  pthread_mutex_unlock(&mounts->lock);
  if (!last)
    return;
  while (mounts->first != NULL) {
    tally_disk_t *disk = mounts->first;
    mounts->first = disk->next;
    tally_disk_unref(disk);
  }
  if (mounts->changes_fd >= 0)
    close(mounts->changes_fd);
  pthread_cond_destroy(&mounts->changed);
  pthread_mutex_destroy(&mounts->lock);
  free(mounts->rootfs);
  free(mounts);
}

/* ---- one question -------------------------------------------------------- */

static uint64_t times(uint64_t blocks, uint64_t size) {
  uint64_t bytes;
  return __builtin_mul_overflow(blocks, size, &bytes) ? TALLY_UNKNOWN : bytes;
}

static uint64_t minus(uint64_t all, uint64_t rest) {
  return all > rest ? all - rest : 0;
}

static void take_numbers(tally_disk_t *disk, const struct statvfs *v) {
  uint64_t size = v->f_frsize != 0 ? v->f_frsize : v->f_bsize;
  disk->total = times(v->f_blocks, size);
  disk->used = times(minus(v->f_blocks, v->f_bfree), size);
  disk->available = times(v->f_bavail, size);
  disk->inodes = v->f_files;
  disk->inodes_used = minus(v->f_files, v->f_ffree);
}

/* A place that we may not look at, or that something else hides, is no fault of
 * the file system's. */
static void take_answer(tally_disk_t *disk, int code, const struct statvfs *v) {
  bool answering = code == 0 || code == EACCES || code == ENOENT;
  if (answering && !disk->answering)
    tally_log(TALLY_LOG_NOTICE, "mount %s answers again", disk->point);
  if (!answering && disk->answering)
    tally_log(TALLY_LOG_WARNING, "mount %s: %s", disk->point, strerror(code));
  disk->answering = answering;
  if (code == 0)
    take_numbers(disk, v);
}

/* ---- the thread ---------------------------------------------------------- */

tally_disk_t *tally_mounts_next_due(const tally_mounts_t *mounts) {
  for (tally_disk_t *disk = mounts->first; disk != NULL; disk = disk->next)
    if (disk->due && disk->asked_by == NULL)
      return disk;
  return NULL;
}

static void ask(tally_mounts_t *mounts, tally_worker_t *worker,
                tally_disk_t *disk) {
  disk->due = false;
  disk->asked_by = worker;
  disk->references++;
  worker->asking = disk;
  worker->since_ns = tally_clock_monotonic_ns();
  pthread_cond_broadcast(&mounts->changed);
  pthread_mutex_unlock(&mounts->lock);

  struct statvfs v = {0};
  int code = mounts->statvfs(disk->path, &v) == 0 ? 0 : errno;

  pthread_mutex_lock(&mounts->lock);
  take_answer(disk, code, &v);
  disk->asked_by = NULL;
  worker->asking = NULL;
  tally_disk_unref(disk);
  pthread_cond_broadcast(&mounts->changed);
}

static void *work(void *data) {
  tally_worker_t *worker = data;
  tally_mounts_t *mounts = worker->mounts;
  pthread_mutex_lock(&mounts->lock);
  while (!mounts->stop && !worker->abandoned) {
    tally_disk_t *disk = tally_mounts_next_due(mounts);
    if (disk != NULL)
      ask(mounts, worker, disk);
    else
      pthread_cond_wait(&mounts->changed, &mounts->lock);
  }
  if (worker->abandoned) {
    mounts->stuck--;
    free(worker);
  }
  tally_mounts_unref(mounts);
  return NULL;
}

void tally_mounts_start_worker(tally_mounts_t *mounts) {
  tally_worker_t *worker = calloc(1, sizeof(*worker));
  if (worker == NULL)
    return; /* the next round tries again */
  worker->mounts = mounts;
  mounts->references++;
  if (tally_thread_start(&worker->thread, "tally-statvfs", work, worker,
                         NULL) != 0) {
    mounts->references--;
    free(worker);
    return;
  }
  mounts->worker = worker;
}

void tally_mounts_abandon_worker(tally_mounts_t *mounts) {
  tally_worker_t *worker = mounts->worker;
  mounts->worker = NULL;
  mounts->stuck++;
  worker->abandoned = true;
  pthread_detach(worker->thread);
}

void tally_mounts_end_worker(tally_mounts_t *mounts) {
  tally_worker_t *worker = mounts->worker;
  if (worker == NULL)
    return;
  struct timespec deadline = tally_deadline_after(LAST_ANSWER_MS);
  while (worker->asking != NULL &&
         pthread_cond_timedwait(&mounts->changed, &mounts->lock, &deadline) !=
             ETIMEDOUT)
    ;
  if (worker->asking != NULL) {
    tally_mounts_abandon_worker(mounts);
    return;
  }
  mounts->worker = NULL;
  pthread_mutex_unlock(&mounts->lock);
  pthread_join(worker->thread, NULL);
  free(worker);
  pthread_mutex_lock(&mounts->lock);
}
