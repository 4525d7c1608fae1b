/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "delivery/hooks.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/clock.h"

static uint64_t realtime_ns(void *data) { return tally_clock_realtime_ns(); }

static uint64_t monotonic_ns(void *data) { return tally_clock_monotonic_ns(); }

static uint64_t random_number(void *data) {
  uint64_t number;
  if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
    number = tally_clock_monotonic_ns() * UINT64_C(0x9e3779b97f4a7c15);
  return number;
}

static int open_file(void *data, int directory, const char *name, int flags,
                     mode_t mode) {
  return openat(directory, name, flags, mode);
}

static ssize_t write_file(void *data, int fd, const void *bytes, size_t len,
                          off_t offset) {
  return pwrite(fd, bytes, len, offset);
}

static int truncate_file(void *data, int fd, off_t size) {
  return ftruncate(fd, size);
}

static int sync_file(void *data, int fd) { return fdatasync(fd); }

const tally_hooks_t tally_hooks_system = {
    .realtime_ns = realtime_ns,
    .monotonic_ns = monotonic_ns,
    .random = random_number,
    .open = open_file,
    .write = write_file,
    .truncate = truncate_file,
    .sync = sync_file,
};
