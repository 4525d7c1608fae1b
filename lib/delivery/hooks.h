/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_HOOKS_H
#define TALLY_DELIVERY_HOOKS_H

/* What the outbox wants of the machine, so that tests can be the machine. */

#include <stdint.h>
#include <sys/types.h>

typedef struct tally_hooks_s {
  void *data;
  uint64_t (*realtime_ns)(void *data);
  uint64_t (*monotonic_ns)(void *data);
  uint64_t (*random)(void *data);
  /* As the system calls: -1 and errno. `open` is for writing alone. */
  int (*open)(void *data, int directory, const char *name, int flags,
              mode_t mode);
  ssize_t (*write)(void *data, int fd, const void *bytes, size_t len,
                   off_t offset);
  int (*truncate)(void *data, int fd, off_t size);
  int (*sync)(void *data, int fd);
} tally_hooks_t;

extern const tally_hooks_t tally_hooks_system;

#endif
