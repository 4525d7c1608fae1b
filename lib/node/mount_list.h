/* SPDX-License-Identifier: MIT */
#ifndef TALLY_NODE_MOUNT_LIST_H
#define TALLY_NODE_MOUNT_LIST_H

/* Which mounts hold data: mountinfo, read and weeded out. */

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

/* More devices than this are not looked at. */
#define TALLY_MOUNTS_MAX 1024

typedef struct tally_mount_entry_s {
  char *number; /* of the device, "254:0" */
  char *point;  /* without the rootfs */
  char *device;
  char *type;
  bool whole; /* it shows the root of the device, not a part of it */
  bool read_only;
} tally_mount_entry_t;

typedef struct tally_mount_list_s {
  tally_mount_entry_t *entries;
  size_t count, size;
} tally_mount_list_t;

/*
 * The mounts at and below `rootfs` ("" for all), each device once. `list` is
 * empty before. -1 and *err: the file cannot be read, out of memory; what was
 * read until then is in the list.
 */
int tally_mount_list_read(tally_mount_list_t *list, const char *path,
                          const char *rootfs, tally_error_t *err);
void tally_mount_list_clear(tally_mount_list_t *list);

#endif
