/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "proc/taskstats.h"

#include <errno.h>
#include <linux/cgroupstats.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/cleanup.h"

/* The kernel answers at once; this only keeps a fault from becoming a hang. */
#define TIMEOUT_S 2

/* One request with one attribute, and the room for its answer. */
typedef struct {
  struct nlmsghdr header;
  struct genlmsghdr generic;
  struct nlattr attribute;
  char value[32];
} request_t;

const void *tally_netlink_attribute(const void *list, size_t list_len,
                                    uint16_t type, size_t *len) {
  const char *p = list;
  while (list_len >= sizeof(struct nlattr)) {
    struct nlattr attribute;
    memcpy(&attribute, p, sizeof(attribute));
    if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > list_len)
      return NULL;
    if ((attribute.nla_type & NLA_TYPE_MASK) == type) {
      *len = attribute.nla_len - NLA_HDRLEN;
      return p + NLA_HDRLEN;
    }
    size_t step = NLA_ALIGN(attribute.nla_len);
    if (step > list_len)
      return NULL;
    p += step;
    list_len -= step;
  }
  return NULL;
}

static int send_request(tally_taskstats_t *t, uint16_t family, uint8_t command,
                        uint16_t type, const void *value, size_t len) {
  request_t r = {
      .header = {.nlmsg_type = family,
                 .nlmsg_flags = NLM_F_REQUEST,
                 .nlmsg_seq = ++t->sequence},
      .generic = {.cmd = command, .version = 1},
      .attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type},
  };
  memcpy(r.value, value, len);
  r.header.nlmsg_len = (uint32_t)(offsetof(request_t, value) + NLA_ALIGN(len));

  ssize_t n;
  do
    n = send(t->fd, &r, r.header.nlmsg_len, 0);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -1 : 0;
}

/* The answer to the last request: its attributes in `list`. -1: errno. */
static ssize_t receive(tally_taskstats_t *t, char *list, size_t size) {
  char datagram[4096];
  struct nlmsghdr header;
  ssize_t n;
  do {
    n = recv(t->fd, datagram, sizeof(datagram), 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    if ((size_t)n < sizeof(header)) {
      errno = EBADMSG;
      return -1;
    }
    memcpy(&header, datagram, sizeof(header));
    /* anything else is late: the answer to a request that was given up */
  } while (n < 0 || header.nlmsg_seq != t->sequence);

  if (header.nlmsg_type == NLMSG_ERROR &&
      (size_t)n >= NLMSG_HDRLEN + sizeof(struct nlmsgerr)) {
    struct nlmsgerr error;
    memcpy(&error, datagram + NLMSG_HDRLEN, sizeof(error));
    errno = error.error < 0 ? -error.error : EBADMSG;
    return -1;
  }
  size_t skip = NLMSG_HDRLEN + GENL_HDRLEN;
  if (header.nlmsg_len > (size_t)n || header.nlmsg_len < skip ||
      header.nlmsg_len - skip > size) {
    errno = EBADMSG;
    return -1;
  }
  memcpy(list, datagram + skip, header.nlmsg_len - skip);
  return (ssize_t)(header.nlmsg_len - skip);
}

static int find_family(tally_taskstats_t *t) {
  char list[4096];
  ssize_t n = -1;
  if (send_request(t, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
                   TASKSTATS_GENL_NAME, sizeof(TASKSTATS_GENL_NAME)) == 0)
    n = receive(t, list, sizeof(list));
  if (n < 0)
    return -1;

  size_t len;
  const void *id =
      tally_netlink_attribute(list, (size_t)n, CTRL_ATTR_FAMILY_ID, &len);
  if (id == NULL || len < sizeof(t->family)) {
    errno = EBADMSG;
    return -1;
  }
  memcpy(&t->family, id, sizeof(t->family));
  return 0;
}

int tally_taskstats_open(tally_taskstats_t *t, tally_error_t *err) {
  *t = (tally_taskstats_t){
      .fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_GENERIC)};
  if (t->fd < 0)
    return tally_error_set(err, errno, "generic netlink");

  struct timeval timeout = {.tv_sec = TIMEOUT_S};
  (void)setsockopt(t->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  if (find_family(t) != 0) {
    int code = errno;
    tally_taskstats_close(t);
    return tally_error_set(err, code, "netlink family %s", TASKSTATS_GENL_NAME);
  }
  return 0;
}

void tally_taskstats_close(tally_taskstats_t *t) {
  if (t->fd >= 0)
    close(t->fd);
  t->fd = -1;
}

int tally_taskstats_active(tally_taskstats_t *t, int dir_fd, uint64_t *active,
                           tally_error_t *err) {
  char list[4096];
  ssize_t n = -1;
  uint32_t value = (uint32_t)dir_fd;
  if (send_request(t, t->family, CGROUPSTATS_CMD_GET, CGROUPSTATS_CMD_ATTR_FD,
                   &value, sizeof(value)) == 0)
    n = receive(t, list, sizeof(list));
  if (n < 0)
    return tally_error_set(err, errno, "count tasks of a cgroup");

  size_t len;
  const void *found = tally_netlink_attribute(
      list, (size_t)n, CGROUPSTATS_TYPE_CGROUP_STATS, &len);
  struct cgroupstats stats;
  if (found == NULL || len < sizeof(stats))
    return tally_error_set(err, EBADMSG, "count tasks of a cgroup");
  memcpy(&stats, found, sizeof(stats));
  *active = stats.nr_running + stats.nr_uninterruptible;
  return 0;
}
