/* SPDX-License-Identifier: MIT */
#ifndef TALLY_NODE_MOUNTS_PRIVATE_H
#define TALLY_NODE_MOUNTS_PRIVATE_H

/*
 * Who waits for whom:
 *
 *   tally-disks    (mounts.c) reads mountinfo, says which mounts are due, and
 *                  watches the worker's time; never touches a file system;
 *   tally-statvfs  (mounts_worker.c) asks one mount after the other. Abandoned,
 *                  it answers for the mount it hangs on once that returns, and
 *                  ends.
 *
 * An abandoned worker may outlive what its user has destroyed, so everything
 * that it touches is counted. The lock guards all of it and is never held
 * while a file system is asked.
 */

#include "node/mounts.h"

#include <pthread.h>

typedef struct tally_worker_s tally_worker_t;

typedef struct tally_disk_s {
  struct tally_disk_s *next;
  unsigned references; /* of the list, of a worker */
  char *path;          /* with the rootfs */
  char *point, *device, *type;
  bool read_only;
  bool answering;
  bool due;                       /* to be asked in this round */
  const tally_worker_t *asked_by; /* NULL: nobody */
  uint64_t total, used, available, inodes, inodes_used;
} tally_disk_t;

struct tally_worker_s {
  tally_mounts_t *mounts;
  pthread_t thread;
  bool abandoned;       /* detached; belongs to itself */
  tally_disk_t *asking; /* NULL: nothing at the moment */
  uint64_t since_ns;    /* monotonic */
};

struct tally_mounts_s {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned references; /* of the user, of each worker */
  bool stop;
  pthread_t supervisor;

  char *rootfs;
  int (*statvfs)(const char *path, struct statvfs *result);
  uint64_t interval_ns, timeout_ns;
  bool (*wanted)(const char *point, const char *type, void *data);
  void *wanted_data;

  const char *mountinfo;
  int changes_fd;    /* poll(2) says when mounts changed; -1: read each time */
  bool reread;       /* read mountinfo in any case */
  bool complained;   /* that it cannot be read */
  uint64_t round_ns; /* when the next round begins; monotonic */

  tally_disk_t *first;
  tally_worker_t *worker; /* NULL: none */
  unsigned stuck;         /* workers that were abandoned */
};

/* All with the lock held. */
void tally_disk_unref(tally_disk_t *disk);
tally_disk_t *tally_mounts_next_due(const tally_mounts_t *mounts);
void tally_mounts_start_worker(tally_mounts_t *mounts);
void tally_mounts_abandon_worker(tally_mounts_t *mounts);
/* Waits for the worker, but not for what it waits for. Gives the lock back for
 * a moment. */
void tally_mounts_end_worker(tally_mounts_t *mounts);
/* Gives up the lock and a reference. */
void tally_mounts_unref(tally_mounts_t *mounts);

#endif
