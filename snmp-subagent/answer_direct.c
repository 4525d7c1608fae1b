/* SPDX-License-Identifier: MIT */
/*
 * Requests of the master, answered as they are read.
 *
 * net-snmp's subagent hands every request to its own agent through a pipe to
 * itself, with copies of it and two more rounds of the loop: several times what
 * the answer costs. So reading from the session's socket is ours: a Get or
 * GetNext below the root arc is answered on the spot (agentx.c), and net-snmp
 * gets to see only the rest, which are pings, SETs, contexts and whatever else
 * a master may send. Where that leads to the root arc, answer.c gives the same
 * answers.
 *
 * The master sends the next request of a walk when it has the answer to the one
 * before, so after an answer the next one is waited for in recv(2) for a moment
 * instead of going round the loop.
 */
#include "config.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/library/snmpTCPDomain.h>
#include <net-snmp/library/snmpTCPIPv6Domain.h>
#include <net-snmp/library/snmpUnixDomain.h>

#include "answer.h"
#include "answer_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "agentx.h"

/* So many requests before the loop looks at everything else again. */
#define REQUESTS_PER_TURN 100
/* How long the next request is waited for; the kernel makes a tick of it. */
#define PATIENCE_US 1000
/* A master that takes no answer for so long is lost. */
#define TAKEN_WITHIN_S 2

/* Where in a PDU the bytes end that net-snmp has been given. */
typedef struct frame_s {
  uint8_t header[TALLY_AGENTX_HEADER];
  size_t seen; /* of the PDU; 0: they end with one */
} frame_t;

static tally_board_t *board;
static frame_t frame; /* of the present session */

static void frame_follow(frame_t *f, const uint8_t *bytes, size_t count) {
  while (count > 0) {
    size_t step;
    if (f->seen < TALLY_AGENTX_HEADER) {
      step = TALLY_AGENTX_HEADER - f->seen;
      if (step > count)
        step = count;
      memcpy(f->header + f->seen, bytes, step);
    } else {
      step = tally_agentx_length(f->header, sizeof(f->header)) - f->seen;
      if (step > count)
        step = count;
    }
    f->seen += step;
    bytes += step;
    count -= step;
    if (f->seen >= TALLY_AGENTX_HEADER &&
        f->seen == tally_agentx_length(f->header, sizeof(f->header)))
      f->seen = 0;
  }
}

static bool send_all(int fd, const uint8_t *bytes, size_t count) {
  while (count > 0) {
    ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent <= 0)
      return false;
    bytes += sent;
    count -= (size_t)sent;
  }
  return true;
}

/* Answers what it can from the front. Returns how many bytes that were, -1: the
 * connection is broken. */
static ssize_t answer(int fd, const uint8_t *bytes, size_t count) {
  static uint8_t response[TALLY_AGENTX_PDU_MAX];
  size_t done = 0;
  while (done < count) {
    size_t length = tally_agentx_length(bytes + done, count - done);
    if (length == 0 || length > count - done)
      break; /* the rest is still on its way */
    const tally_view_t *view = tally_board_take(board);
    size_t answered = tally_agentx_answer(view, bytes + done, length, response,
                                          sizeof(response));
    tally_view_unref(view);
    if (answered == 0)
      break;
    if (!send_all(fd, response, answered))
      return -1;
    done += length;
  }
  return (ssize_t)done;
}

/* In place of the transport's own function; the result is for net-snmp: bytes
 * that it has to look at, or none and the flag that says so, or 0 or -1 when
 * the master has gone. */
static int receive(netsnmp_transport *transport, void *buffer, int size,
                   void **opaque, int *opaque_length) {
  *opaque = NULL;
  *opaque_length = 0;
  int flags = MSG_DONTWAIT;
  for (unsigned turn = 0; turn < REQUESTS_PER_TURN; turn++) {
    ssize_t count;
    do
      count = recv(transport->sock, buffer, (size_t)size, flags);
    while (count < 0 && errno == EINTR && flags != 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
      break;
    if (count <= 0)
      return (int)count;
    ssize_t done =
        frame.seen == 0 ? answer(transport->sock, buffer, (size_t)count) : 0;
    if (done < 0)
      return -1;
    if (done < count) {
      memmove(buffer, (char *)buffer + done, (size_t)(count - done));
      frame_follow(&frame, buffer, (size_t)(count - done));
      return (int)(count - done);
    }
    flags = 0; /* wait for the next one */
  }
  transport->flags |= NETSNMP_TRANSPORT_FLAG_EMPTY_PKT;
  return 0;
}

/* Transports that hand over what the socket does, as it is. */
static bool is_plain(const netsnmp_transport *transport) {
  return (transport->flags & NETSNMP_TRANSPORT_FLAG_STREAM) != 0 &&
         (transport->domain == netsnmp_UnixDomain ||
          transport->domain == netsnmp_snmpTCPDomain ||
          transport->domain == netsnmp_TCPIPv6Domain);
}

/* A session with a master was opened. */
static int session_opened(int major, int minor, void *session, void *data) {
  netsnmp_transport *transport =
      snmp_sess_transport(snmp_sess_pointer(session));
  /* net-snmp's debugging output is to show all that comes. */
  if (transport == NULL || !is_plain(transport) || snmp_get_do_debugging())
    return SNMPERR_SUCCESS;
  const struct timeval patience = {.tv_usec = PATIENCE_US};
  const struct timeval taken = {.tv_sec = TAKEN_WITHIN_S};
  if (setsockopt(transport->sock, SOL_SOCKET, SO_SNDTIMEO, &taken,
                 sizeof(taken)) == 0 &&
      setsockopt(transport->sock, SOL_SOCKET, SO_RCVTIMEO, &patience,
                 sizeof(patience)) == 0) {
    memset(&frame, 0, sizeof(frame));
    transport->f_recv = receive;
  }
  return SNMPERR_SUCCESS;
}

void tally_answer_direct_enable(tally_board_t *the_board) {
  board = the_board;
  snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START,
                         session_opened, NULL);
}

void tally_answer_direct_disable(void) {
  snmp_unregister_callback(SNMP_CALLBACK_APPLICATION,
                           SNMPD_CALLBACK_INDEX_START, session_opened, NULL, 1);
}
