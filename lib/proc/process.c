/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "proc/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/cleanup.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434 /* the same on all architectures */
#endif

int tally_process_open(const char *proc, pid_t pid) {
  char path[PATH_MAX];
  int n = snprintf(path, sizeof(path), "%s/%d", proc, (int)pid);
  if (n < 0 || (size_t)n >= sizeof(path)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool tally_process_is_member(int process, const char *member) {
  tally_autoclose int fd = openat(process, "cgroup", O_RDONLY | O_CLOEXEC);
  char text[16384];
  size_t len = 0;
  ssize_t n = 0;
  while (fd >= 0 && len < sizeof(text) - 1 &&
         (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
    len += (size_t)n;
  text[len] = '\0';
  return strstr(text, member) != NULL;
}

static bool has_ended(int pidfd) {
  struct pollfd p = {.fd = pidfd, .events = POLLIN};
  return poll(&p, 1, 0) != 0;
}

int tally_process_watch(pid_t pid, const char *member, tally_error_t *err) {
  tally_autoclose int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0)
    return tally_error_set(err, errno, "watch process %d", (int)pid);

  /* If it is still alive after its cgroup was looked at, then the number had
   * the same owner all the time. */
  tally_autoclose int process = tally_process_open("/proc", pid);
  if (process < 0 ||
      (member != NULL && !tally_process_is_member(process, member)) ||
      has_ended(fd))
    return tally_error_set(err, ESRCH, "watch process %d", (int)pid);

  int watched = fd;
  fd = -1; /* move ownership */
  return watched;
}
