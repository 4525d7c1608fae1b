/* SPDX-License-Identifier: MIT */
#ifndef TALLY_NODE_MOUNTS_H
#define TALLY_NODE_MOUNTS_H

/*
 * How full the node's file systems are, without ever waiting for one of them.
 *
 * statvfs(3) on a network file system whose server is away does not return, and
 * nothing can be done about it. So it is called in threads that nobody waits
 * for: "tally-disks" looks after one "tally-statvfs" thread that asks one mount
 * after the other. If one does not answer in time, that thread is left alone
 * with it and another takes over the rest. The mount is shown as not answering,
 * with the numbers it had, and is not asked again before the old question has
 * been answered: a mount never costs more than one thread.
 *
 * Shown are the mounts in which data is kept: no pseudo file systems, no memory
 * (tmpfs), no images that are full by nature (squashfs, iso9660), no overlays
 * but the root; of several mounts of one device (bind mounts) only one, the one
 * that shows the device's root at the shortest path.
 *
 * Contract: proc_pid_mountinfo(5), statvfs(3).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/file.h" /* TALLY_UNKNOWN */

struct statvfs;

typedef struct tally_mounts_options_s {
  const char *rootfs; /* where the node's root is, "" or NULL */
  double interval;    /* seconds between two questions */
  double timeout;     /* seconds until a mount counts as not answering */
  /* Whether a mount is asked and shown; NULL: all that hold data. Called in
   * "tally-disks", never after a later configure() has returned. `point` is
   * without the rootfs. */
  bool (*wanted)(const char *point, const char *type, void *data);
  void *data;
  /* For tests, which have no file system that hangs. NULL: statvfs(3), and the
   * mountinfo of the first process or our own. */
  int (*statvfs)(const char *path, struct statvfs *result);
  const char *mountinfo; /* borrowed for the life of the object */
} tally_mounts_options_t;

/* The numbers are TALLY_UNKNOWN until the mount has answered once, or where it
 * may not be looked at. */
typedef struct tally_mount_usage_s {
  const char *point;  /* without the rootfs, escapes undone */
  const char *device; /* "/dev/vda1", "server:/export" */
  const char *type;
  bool read_only;
  bool answering;
  uint64_t total, used, available; /* bytes; available: to everybody */
  uint64_t inodes, inodes_used;    /* 0: the file system does not count them */
} tally_mount_usage_t;

typedef struct tally_mounts_s tally_mounts_t;

/* The first questions are asked at once. */
tally_mounts_t *tally_mounts_create(const tally_mounts_options_t *options,
                                    tally_error_t *err);
/* Other interval, time limit and choice of mounts from now on; the rest of the
 * options stays what it was. */
void tally_mounts_configure(tally_mounts_t *mounts,
                            const tally_mounts_options_t *options);
/* Waits for no mount: a thread that hangs is left behind and ends when its
 * question is answered. */
void tally_mounts_destroy(tally_mounts_t *mounts);

/* All mounts, from any thread; never waits for a mount. The strings hold for
 * the call of `visit`, which must not call back. */
void tally_mounts_visit(tally_mounts_t *mounts,
                        void (*visit)(const tally_mount_usage_t *usage,
                                      void *data),
                        void *data);

/* How many threads hang at the moment. */
unsigned tally_mounts_stuck(tally_mounts_t *mounts);

#endif
