/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "proc/sock_diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "core/thread.h"

/* The kernel answers at once; this only keeps a fault from becoming a hang. */
#define TIMEOUT_S 2

/* What the kernel packs into one datagram at most. */
#define DATAGRAM_SIZE 32768

const char *tally_tcp_state_name(tally_tcp_state_t state) {
  static const char *const names[TALLY_TCP_STATES] = {
      [TALLY_TCP_ESTABLISHED] = "established",
      [TALLY_TCP_SYN_SENT] = "syn_sent",
      [TALLY_TCP_SYN_RECV] = "syn_recv",
      [TALLY_TCP_FIN_WAIT1] = "fin_wait1",
      [TALLY_TCP_FIN_WAIT2] = "fin_wait2",
      [TALLY_TCP_TIME_WAIT] = "time_wait",
      [TALLY_TCP_CLOSE] = "close",
      [TALLY_TCP_CLOSE_WAIT] = "close_wait",
      [TALLY_TCP_LAST_ACK] = "last_ack",
      [TALLY_TCP_LISTEN] = "listen",
      [TALLY_TCP_CLOSING] = "closing",
  };
  return (unsigned)state < TALLY_TCP_STATES && names[state] ? names[state]
                                                            : "unknown";
}

/* ---- a socket in another namespace --------------------------------------- */

typedef struct {
  int ns_fd;
  int fd;   /* the result; -1: */
  int code; /* errno */
} enter_t;

static void *enter(void *arg) {
  enter_t *e = arg;
  e->fd = -1;
  if (setns(e->ns_fd, CLONE_NEWNET) == 0)
    e->fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  e->code = errno;
  return NULL; /* the thread never comes back to our namespace: it ends */
}

int tally_sock_diag_open(int ns_fd, tally_error_t *err) {
  enter_t e = {.ns_fd = ns_fd};
  pthread_t thread;
  if (tally_thread_start(&thread, "tally-netns", enter, &e, err) != 0)
    return -1;
  pthread_join(thread, NULL);
  if (e.fd < 0)
    return tally_error_set(err, e.code, "enter a network namespace");

  struct timeval timeout = {.tv_sec = TIMEOUT_S};
  (void)setsockopt(e.fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  return e.fd;
}

/* ---- asking -------------------------------------------------------------- */

static int ask(int fd, uint8_t family) {
  struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
  } message = {
      .header =
          {
              .nlmsg_len = sizeof(message),
              .nlmsg_type = SOCK_DIAG_BY_FAMILY,
              .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
          },
      .request =
          {
              .sdiag_family = family,
              .sdiag_protocol = IPPROTO_TCP,
              .idiag_states = UINT32_MAX,
          },
  };
  ssize_t n;
  do
    n = send(fd, &message, sizeof(message), 0);
  while (n < 0 && errno == EINTR);
  return n == (ssize_t)sizeof(message) ? 0 : -1;
}

int tally_sock_diag_parse(const void *datagram, size_t len,
                          uint64_t counts[TALLY_TCP_STATES]) {
  const char *p = datagram;
  while (len >= sizeof(struct nlmsghdr)) {
    struct nlmsghdr header;
    memcpy(&header, p, sizeof(header));
    if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > len)
      return -EBADMSG;

    const char *payload = p + NLMSG_HDRLEN;
    size_t payload_len = header.nlmsg_len - NLMSG_HDRLEN;
    if (header.nlmsg_type == NLMSG_DONE)
      return 1;
    if (header.nlmsg_type == NLMSG_ERROR) {
      struct nlmsgerr error;
      if (payload_len < sizeof(error))
        return -EBADMSG;
      memcpy(&error, payload, sizeof(error));
      return error.error < 0 ? error.error : -EBADMSG;
    }
    if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY) {
      struct inet_diag_msg socket_info;
      if (payload_len < sizeof(socket_info))
        return -EBADMSG;
      memcpy(&socket_info, payload, sizeof(socket_info));
      uint8_t state = socket_info.idiag_state;
      if (state == TALLY_TCP_STATES) /* TCP_NEW_SYN_RECV: the same to users */
        state = TALLY_TCP_SYN_RECV;
      if (state < TALLY_TCP_STATES)
        counts[state]++;
    }

    size_t step = NLMSG_ALIGN(header.nlmsg_len);
    if (step > len)
      break;
    p += step;
    len -= step;
  }
  return 0;
}

static int count_family(int fd, uint8_t family,
                        uint64_t counts[TALLY_TCP_STATES]) {
  if (ask(fd, family) != 0)
    return -1;
  char datagram[DATAGRAM_SIZE];
  for (;;) {
    ssize_t n = recv(fd, datagram, sizeof(datagram), 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    int status = tally_sock_diag_parse(datagram, (size_t)n, counts);
    if (status > 0)
      return 0;
    if (status < 0) {
      errno = -status;
      return -1;
    }
  }
}

int tally_sock_diag_count(int fd, uint64_t counts[TALLY_TCP_STATES],
                          tally_error_t *err) {
  memset(counts, 0, TALLY_TCP_STATES * sizeof(counts[0]));
  if (count_family(fd, AF_INET, counts) != 0)
    return tally_error_set(err, errno, "list TCP connections");
  /* A kernel without IPv6 has no such sockets. */
  if (count_family(fd, AF_INET6, counts) != 0 && errno != ENOENT)
    return tally_error_set(err, errno, "list TCP connections of IPv6");
  return 0;
}
