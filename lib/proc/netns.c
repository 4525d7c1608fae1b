/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "proc/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "proc/netdev.h"
#include "proc/process.h"
#include "proc/sock_diag.h"

struct tally_netns_s {
  uint64_t id; /* see namespace_of() */
  pid_t pid;
  bool keep;
  int dev_fd;  /* net/dev; -1: opened for each read */
  int diag_fd; /* sock_diag socket in the namespace; -1: not opened yet */
  char proc[]; /* the directory */
};

/*
 * The inode of net/dev: the kernel makes one such file per namespace and not
 * per process, so it tells namespaces apart as well as ns/net does. To look at
 * ns/net takes the rights of a debugger (PTRACE_MODE_READ, namespaces(7)), to
 * look at net/dev none.
 */
static uint64_t namespace_of(int process) {
  struct stat st;
  return fstatat(process, "net/dev", &st, 0) == 0 ? st.st_ino : 0;
}

uint64_t tally_netns_id_of(const char *proc, pid_t pid) {
  tally_autoclose int process = tally_process_open(proc, pid);
  return process < 0 ? 0 : namespace_of(process);
}

/* ---- making and unmaking ------------------------------------------------- */

/* "The process has gone" has several faces; give it one. */
static int gone(tally_error_t *err, int code, pid_t pid) {
  if (code == ENOENT)
    code = ESRCH;
  return tally_error_set(err, code, "network namespace of process %d",
                         (int)pid);
}

static int open_namespace(tally_netns_t *netns, const char *member,
                          tally_error_t *err) {
  tally_autoclose int process = tally_process_open(netns->proc, netns->pid);
  if (process < 0)
    return gone(err, errno, netns->pid);
  if (member != NULL && !tally_process_is_member(process, member))
    return gone(err, ESRCH, netns->pid);

  netns->id = namespace_of(process);
  if (netns->id == 0)
    return gone(err, errno, netns->pid);
  if (!netns->keep)
    return 0;
  netns->dev_fd =
      tally_file_raise(openat(process, "net/dev", O_RDONLY | O_CLOEXEC));
  return netns->dev_fd < 0 ? gone(err, errno, netns->pid) : 0;
}

tally_netns_t *tally_netns_create(const char *proc, pid_t pid,
                                  const char *member, bool keep,
                                  tally_error_t *err) {
  size_t size = strlen(proc) + 1;
  tally_netns_t *netns = calloc(1, sizeof(*netns) + size);
  if (netns == NULL) {
    tally_error_set(err, ENOMEM, "network namespace");
    return NULL;
  }
  memcpy(netns->proc, proc, size);
  netns->pid = pid;
  netns->keep = keep;
  netns->dev_fd = netns->diag_fd = -1;
  if (open_namespace(netns, member, err) != 0) {
    tally_netns_destroy(netns);
    return NULL;
  }
  return netns;
}

void tally_netns_destroy(tally_netns_t *netns) {
  if (netns == NULL)
    return;
  if (netns->dev_fd >= 0)
    close(netns->dev_fd);
  if (netns->diag_fd >= 0)
    close(netns->diag_fd);
  free(netns);
}

uint64_t tally_netns_id(const tally_netns_t *netns) { return netns->id; }

/* ---- interfaces ---------------------------------------------------------- */

/* Opens something of the process, provided that it still is in the namespace:
 * then it does not matter whose process it is by now. -1: errno. */
static int open_again(const tally_netns_t *netns, const char *name) {
  tally_autoclose int process = tally_process_open(netns->proc, netns->pid);
  if (process < 0)
    return -1;
  if (namespace_of(process) != netns->id) {
    errno = ESRCH;
    return -1;
  }
  return openat(process, name, O_RDONLY | O_CLOEXEC);
}

int tally_netns_interfaces(tally_netns_t *netns, tally_interface_t *interfaces,
                           size_t max, tally_error_t *err) {
  tally_autoclose int opened =
      netns->dev_fd < 0 ? open_again(netns, "net/dev") : -1;
  int fd = netns->dev_fd < 0 ? opened : netns->dev_fd;
  if (fd < 0)
    return gone(err, errno, netns->pid);

  char text[16384]; /* some 120 interfaces */
  size_t len = 0;
  ssize_t n;
  do {
    n = pread(fd, text + len, sizeof(text) - len, (off_t)len);
    if (n < 0 && errno != EINTR)
      return gone(err, errno, netns->pid);
    if (n > 0)
      len += (size_t)n;
    /* The kernel hands over a page at a time: less than a quarter of the
     * smallest page is the end. */
  } while ((n >= 1024 || n < 0) && len < sizeof(text));

  int count = tally_netdev_parse(text, len, interfaces, max);
  if (count < 0)
    return tally_error_set(err, EBADMSG, "net/dev of process %d",
                           (int)netns->pid);
  return count;
}

/* ---- connections --------------------------------------------------------- */

int tally_netns_tcp(tally_netns_t *netns, uint64_t counts[TALLY_TCP_STATES],
                    tally_error_t *err) {
  int fd = netns->diag_fd;
  if (fd < 0) {
    tally_autoclose int ns_fd = open_again(netns, "ns/net");
    if (ns_fd < 0)
      return gone(err, errno, netns->pid);
    fd = tally_sock_diag_open(ns_fd, err);
    if (fd < 0)
      return -1;
    if (netns->keep)
      fd = netns->diag_fd = tally_file_raise(fd);
  }

  int status = tally_sock_diag_count(fd, counts, err);
  if (status != 0 || !netns->keep) {
    close(fd); /* after a failure its answers might come at a wrong time */
    netns->diag_fd = -1;
  }
  return status;
}
