/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cleanup.h"

ssize_t tally_file_read(const char *path, char *text, size_t size,
                        tally_error_t *err) {
  tally_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return tally_error_set(err, errno, "open `%s'", path);

  size_t len = 0;
  while (len < size - 1) {
    ssize_t n = read(fd, text + len, size - 1 - len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return tally_error_set(err, errno, "read `%s'", path);
    if (n == 0)
      break;
    len += (size_t)n;
  }
  text[len] = '\0';
  return (ssize_t)len;
}

static int write_all(int fd, const char *data, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, data, len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    data += n;
    len -= (size_t)n;
  }
  return 0;
}

int tally_file_replace(const char *path, const void *data, size_t len,
                       mode_t mode, tally_error_t *err) {
  char temporary[PATH_MAX];
  int n = snprintf(temporary, sizeof(temporary), "%s.new", path);
  if (n < 0 || (size_t)n >= sizeof(temporary))
    return tally_error_set(err, ENAMETOOLONG, "write `%s'", path);

  /* O_EXCL would leave us locked out by the remains of a crash; O_NOFOLLOW
   * keeps a planted link from redirecting the write. */
  tally_autoclose int fd = open(
      temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0)
    return tally_error_set(err, errno, "create `%s'", temporary);
  if (write_all(fd, data, len) != 0) {
    int code = errno;
    unlink(temporary);
    return tally_error_set(err, code, "write `%s'", temporary);
  }
  if (rename(temporary, path) != 0) {
    int code = errno;
    unlink(temporary);
    return tally_error_set(err, code, "rename `%s' to `%s'", temporary, path);
  }
  return 0;
}

int tally_file_make_directory(const char *path, mode_t mode,
                              tally_error_t *err) {
  char part[PATH_MAX];
  size_t len = strlen(path);
  if (len == 0 || len >= sizeof(part))
    return tally_error_set(err, len ? ENAMETOOLONG : EINVAL, "directory `%s'",
                           path);
  memcpy(part, path, len + 1);

  for (char *p = part + 1;; p++) {
    if (*p != '/' && *p != '\0')
      continue;
    char end = *p;
    *p = '\0';
    if (mkdir(part, mode) != 0 && errno != EEXIST)
      return tally_error_set(err, errno, "create directory `%s'", part);
    if (end == '\0')
      break;
    *p = end;
  }

  struct stat st;
  if (stat(path, &st) != 0)
    return tally_error_set(err, errno, "directory `%s'", path);
  if (!S_ISDIR(st.st_mode))
    return tally_error_set(err, ENOTDIR, "directory `%s'", path);
  return 0;
}

int tally_file_raise(int fd) {
  if (fd < 0 || fd >= FD_SETSIZE)
    return fd;
  int high = fcntl(fd, F_DUPFD_CLOEXEC, FD_SETSIZE);
  if (high < 0)
    return fd;
  close(fd);
  return high;
}

int tally_file_parse_u64(const char *text, uint64_t *value) {
  while (*text == ' ' || *text == '\t')
    text++;
  if (strncmp(text, "max", 3) == 0) {
    *value = TALLY_UNLIMITED;
    return 0;
  }
  if (*text < '0' || *text > '9')
    return -1;

  uint64_t v = 0;
  for (; *text >= '0' && *text <= '9'; text++) {
    uint64_t digit = (uint64_t)(*text - '0');
    if (v > (TALLY_UNLIMITED - 1 - digit) / 10)
      return -1;
    v = v * 10 + digit;
  }
  *value = v;
  return 0;
}
