/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "node/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/thread.h"
#include "node/mount_list.h"
#include "node/mounts_private.h"

/* More than so many may hang; then nothing is asked until one returns. */
#define STUCK_MAX 64

/* ---- which mounts there are ---------------------------------------------- */

/* Takes the mount out of the list. NULL: it is not there. */
static tally_disk_t *take_out(tally_disk_t **first,
                              const tally_mount_entry_t *entry) {
  for (tally_disk_t **p = first; *p != NULL; p = &(*p)->next) {
    tally_disk_t *disk = *p;
    if (strcmp(disk->point, entry->point) == 0 &&
        strcmp(disk->device, entry->device) == 0 &&
        strcmp(disk->type, entry->type) == 0) {
      *p = disk->next;
      return disk;
    }
  }
  return NULL;
}

/* Takes over the texts of the entry. */
static tally_disk_t *make_disk(const char *rootfs, tally_mount_entry_t *entry) {
  tally_disk_t *disk = calloc(1, sizeof(*disk));
  char *path = malloc(strlen(rootfs) + strlen(entry->point) + 1);
  if (disk == NULL || path == NULL) {
    free(disk);
    free(path);
    return NULL;
  }
  strcat(strcpy(path, rootfs), entry->point);
  *disk = (tally_disk_t){.references = 1,
                         .path = path,
                         .point = entry->point,
                         .device = entry->device,
                         .type = entry->type,
                         .answering = true,
                         .total = TALLY_UNKNOWN,
                         .used = TALLY_UNKNOWN,
                         .available = TALLY_UNKNOWN,
                         .inodes = TALLY_UNKNOWN,
                         .inodes_used = TALLY_UNKNOWN};
  entry->point = entry->device = entry->type = NULL;
  return disk;
}

/* Makes our list look like mountinfo; what is known of a mount stays. */
static void follow(tally_mounts_t *mounts, tally_mount_list_t *list) {
  tally_disk_t *old = mounts->first, **end = &mounts->first;
  mounts->first = NULL;
  for (size_t i = 0; i < list->count; i++) {
    tally_mount_entry_t *entry = &list->entries[i];
    if (mounts->wanted != NULL &&
        !mounts->wanted(entry->point, entry->type, mounts->wanted_data))
      continue;
    tally_disk_t *disk = take_out(&old, entry);
    if (disk == NULL)
      disk = make_disk(mounts->rootfs, entry);
    if (disk == NULL)
      continue; /* the next round tries again */
    disk->read_only = entry->read_only;
    disk->next = NULL;
    *end = disk;
    end = &disk->next;
  }
  while (old != NULL) {
    tally_disk_t *next = old->next;
    tally_disk_unref(old);
    old = next;
  }
}

/* Thousands of containers make a long file, so it is read only after a change,
 * of which the kernel tells (proc_pid_mounts(5)). */
static bool have_changed(tally_mounts_t *mounts) {
  struct pollfd p = {.fd = mounts->changes_fd, .events = POLLPRI};
  bool changed = p.fd < 0 || mounts->reread ||
                 (poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLPRI)));
  mounts->reread = false;
  return changed;
}

static void look_at_mounts(tally_mounts_t *mounts) {
  if (!have_changed(mounts))
    return;
  tally_error_t err = {0};
  tally_mount_list_t list = {0};
  if (tally_mount_list_read(&list, mounts->mountinfo, mounts->rootfs, &err) ==
      0) {
    follow(mounts, &list);
    mounts->complained = false;
  } else {
    mounts->reread = true;
    if (!mounts->complained)
      tally_log(TALLY_LOG_WARNING, "disks: %s", err.message);
    mounts->complained = true;
  }
  tally_mount_list_clear(&list);
}

/* ---- tally-disks --------------------------------------------------------- */

static void begin_round(tally_mounts_t *mounts, uint64_t now_ns) {
  look_at_mounts(mounts);
  for (tally_disk_t *disk = mounts->first; disk != NULL; disk = disk->next)
    disk->due = true;
  mounts->round_ns = now_ns + mounts->interval_ns;
  pthread_cond_broadcast(&mounts->changed);
}

/* Leaves a worker alone that waits too long. Returns when to look again. */
static uint64_t look_at_worker(tally_mounts_t *mounts, uint64_t now_ns) {
  tally_worker_t *worker = mounts->worker;
  if (worker == NULL || worker->asking == NULL)
    return UINT64_MAX;
  uint64_t deadline = worker->since_ns + mounts->timeout_ns;
  if (now_ns < deadline)
    return deadline;
  tally_log(TALLY_LOG_WARNING, "mount %s does not answer",
            worker->asking->point);
  worker->asking->answering = false;
  tally_mounts_abandon_worker(mounts);
  return UINT64_MAX;
}

static void *supervise(void *data) {
  tally_mounts_t *mounts = data;
  pthread_mutex_lock(&mounts->lock);
  while (!mounts->stop) {
    uint64_t now = tally_clock_monotonic_ns();
    if (now >= mounts->round_ns)
      begin_round(mounts, now);
    uint64_t until = look_at_worker(mounts, now);
    if (mounts->worker == NULL && mounts->stuck < STUCK_MAX &&
        tally_mounts_next_due(mounts) != NULL)
      tally_mounts_start_worker(mounts);
    if (until > mounts->round_ns)
      until = mounts->round_ns;
    struct timespec deadline = {.tv_sec = (time_t)(until / TALLY_NS_PER_S),
                                .tv_nsec = (long)(until % TALLY_NS_PER_S)};
    pthread_cond_timedwait(&mounts->changed, &mounts->lock, &deadline);
  }
  pthread_mutex_unlock(&mounts->lock);
  return NULL;
}

/* ---- the user's side ----------------------------------------------------- */

static void set_options(tally_mounts_t *mounts,
                        const tally_mounts_options_t *options) {
  mounts->interval_ns = (uint64_t)(options->interval * (double)TALLY_NS_PER_S);
  mounts->timeout_ns = (uint64_t)(options->timeout * (double)TALLY_NS_PER_S);
  mounts->wanted = options->wanted;
  mounts->wanted_data = options->data;
  mounts->reread = true;
  mounts->round_ns = 0;
}

/* The first process sees the node as it is; our own view may be one that the
 * init system has made read-only for us. With a prefix we live in a container,
 * and what lies below the prefix in our own view is all that we can reach. */
static const char *choose_mountinfo(const tally_mounts_options_t *options) {
  if (options->mountinfo != NULL)
    return options->mountinfo;
  static const char first[] = "/proc/1/mountinfo",
                    own[] = "/proc/self/mountinfo";
  bool prefixed = options->rootfs != NULL && options->rootfs[0] != '\0';
  return !prefixed && access(first, R_OK) == 0 ? first : own;
}

tally_mounts_t *tally_mounts_create(const tally_mounts_options_t *options,
                                    tally_error_t *err) {
  tally_mounts_t *mounts = calloc(1, sizeof(*mounts));
  if (mounts == NULL || (mounts->rootfs = strdup(
                             options->rootfs ? options->rootfs : "")) == NULL) {
    free(mounts);
    tally_error_set(err, ENOMEM, "disks");
    return NULL;
  }
  pthread_mutex_init(&mounts->lock, NULL);
  tally_condition_init(&mounts->changed);
  mounts->references = 1;
  mounts->statvfs = options->statvfs != NULL ? options->statvfs : statvfs;
  mounts->mountinfo = choose_mountinfo(options);
  mounts->changes_fd = open(mounts->mountinfo, O_RDONLY | O_CLOEXEC);
  set_options(mounts, options);
  if (tally_thread_start(&mounts->supervisor, "tally-disks", supervise, mounts,
                         err) != 0) {
    pthread_mutex_lock(&mounts->lock);
    tally_mounts_unref(mounts);
    return NULL;
  }
  return mounts;
}

void tally_mounts_configure(tally_mounts_t *mounts,
                            const tally_mounts_options_t *options) {
  pthread_mutex_lock(&mounts->lock);
  set_options(mounts, options);
  pthread_cond_broadcast(&mounts->changed);
  pthread_mutex_unlock(&mounts->lock);
}

void tally_mounts_destroy(tally_mounts_t *mounts) {
  if (mounts == NULL)
    return;
  pthread_mutex_lock(&mounts->lock);
  mounts->stop = true;
  pthread_cond_broadcast(&mounts->changed);
  pthread_mutex_unlock(&mounts->lock);
  pthread_join(mounts->supervisor, NULL);

  pthread_mutex_lock(&mounts->lock);
  tally_mounts_end_worker(mounts);
  tally_mounts_unref(mounts);
}

void tally_mounts_visit(tally_mounts_t *mounts,
                        void (*visit)(const tally_mount_usage_t *usage,
                                      void *data),
                        void *data) {
  pthread_mutex_lock(&mounts->lock);
  for (const tally_disk_t *d = mounts->first; d != NULL; d = d->next)
    visit(&(tally_mount_usage_t){.point = d->point,
                                 .device = d->device,
                                 .type = d->type,
                                 .read_only = d->read_only,
                                 .answering = d->answering,
                                 .total = d->total,
                                 .used = d->used,
                                 .available = d->available,
                                 .inodes = d->inodes,
                                 .inodes_used = d->inodes_used},
          data);
  pthread_mutex_unlock(&mounts->lock);
}

unsigned tally_mounts_stuck(tally_mounts_t *mounts) {
  pthread_mutex_lock(&mounts->lock);
  unsigned stuck = mounts->stuck;
  pthread_mutex_unlock(&mounts->lock);
  return stuck;
}
