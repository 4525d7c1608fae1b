/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#include "core/clock.h"

#define PIECE 65536
#define DRIP_PIECES 20
#define DRIP_PAUSE_NS (20 * TALLY_NS_PER_MS)

typedef enum state_e {
  STATE_HANDSHAKE,
  STATE_HEAD,
  STATE_BODY,
  STATE_SENDING,
  STATE_SILENT, /* until the client has had enough */
} state_t;

typedef enum progress_e { GOES_ON, WAITS, OVER } progress_t;

struct connection_s {
  int fd;
  SSL *ssl; /* NULL: plain */
  service_t *service;
  state_t state;
  state_t afterwards; /* of STATE_SENDING */
  bool last;          /* over after STATE_SENDING */
  uint32_t events;
  uint64_t due_ns;

  tally_buffer_t in;
  char *head; /* that `request` points into */
  http_request_t request;

  tally_buffer_t out;
  size_t sent, drip; /* `drip` bytes at a time; 0: all */
  uint64_t call;     /* which `out` is the answer to; 0: it took nothing */
};

connection_t *connection_create(int fd, SSL_CTX *tls, service_t *service) {
  connection_t *c = calloc(1, sizeof(*c));
  if (c == NULL || (tls != NULL && (c->ssl = SSL_new(tls)) == NULL)) {
    free(c);
    close(fd);
    return NULL;
  }
  c->fd = fd;
  c->service = service;
  c->state = c->ssl != NULL ? STATE_HANDSHAKE : STATE_HEAD;
  c->events = EPOLLIN;
  tally_buffer_init(&c->in, HTTP_HEAD_MAX + HTTP_BODY_MAX + PIECE);
  tally_buffer_init(&c->out, ANSWER_MAX + PIECE);
  if (c->ssl != NULL) {
    SSL_set_fd(c->ssl, fd);
    SSL_set_accept_state(c->ssl);
  }
  return c;
}

void connection_destroy(connection_t *c) {
  SSL_free(c->ssl);
  close(c->fd);
  free(c->head);
  tally_buffer_clear(&c->in);
  tally_buffer_clear(&c->out);
  free(c);
}

int connection_fd(const connection_t *c) { return c->fd; }
uint32_t connection_events(const connection_t *c) { return c->events; }
uint64_t connection_due_ns(const connection_t *c) { return c->due_ns; }

/* ---- bytes
 * ------------------------------------------------------------------- */

/* What to do after a call to OpenSSL that gave no bytes. */
static progress_t tls_waits(connection_t *c, int result) {
  int error = SSL_get_error(c->ssl, result);
  ERR_clear_error();
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
    return OVER;
  c->events = error == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT;
  return WAITS;
}

static progress_t socket_waits(connection_t *c, uint32_t events) {
  if (errno != EAGAIN && errno != EINTR)
    return OVER;
  c->events = events;
  return WAITS;
}

static progress_t read_more(connection_t *c) {
  static char piece[PIECE];
  ssize_t n;
  if (c->ssl != NULL) {
    n = SSL_read(c->ssl, piece, sizeof(piece));
    if (n <= 0)
      return tls_waits(c, (int)n);
  } else {
    n = recv(c->fd, piece, sizeof(piece), 0);
    if (n < 0)
      return socket_waits(c, EPOLLIN);
  }
  if (n == 0 || tally_buffer_append(&c->in, piece, (size_t)n) != 0)
    return OVER;
  return GOES_ON;
}

static progress_t write_some(connection_t *c, size_t len) {
  const char *data = c->out.data + c->sent;
  ssize_t n;
  if (c->ssl != NULL) {
    n = SSL_write(c->ssl, data, (int)len);
    if (n <= 0)
      return tls_waits(c, (int)n);
  } else {
    n = send(c->fd, data, len, MSG_NOSIGNAL);
    if (n < 0)
      return socket_waits(c, EPOLLOUT);
  }
  c->sent += (size_t)n;
  return GOES_ON;
}

/* The client is told by a reset, and what it has not read yet is gone. */
static progress_t reset(connection_t *c) {
  struct linger none = {.l_onoff = 1};
  setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
  return OVER;
}

/* ---- answers
 * ----------------------------------------------------------------- */

static const char *reason(unsigned status) {
  return status == 200 ? "OK" : status < 500 ? "Bad Request" : "Server Error";
}

static void begin_sending(connection_t *c, state_t afterwards) {
  c->sent = 0;
  c->drip = 0;
  c->due_ns = 0;
  c->state = STATE_SENDING;
  c->afterwards = afterwards;
}

static void append_answer(connection_t *c, const answer_t *answer) {
  char date[64];
  time_t now = (time_t)service_now_s(c->service);
  strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
  tally_buffer_reset(&c->out);
  tally_buffer_printf(
      &c->out,
      "HTTP/1.1 %u %s\r\nx-amzn-RequestId: lighter-%llu\r\nDate: %s\r\n"
      "Content-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
      answer->status, reason(answer->status),
      (unsigned long long)c->service->counts.requests, date,
      answer->xml ? "text/xml" : "application/x-amz-json-1.1", answer->body.len,
      c->last ? "Connection: close\r\n" : "");
  tally_buffer_append(&c->out, answer->body.data, answer->body.len);
}

static progress_t deliver(connection_t *c, const answer_t *answer) {
  c->call = answer->call;
  if (answer->how == DELIVER_RESET)
    return reset(c);
  if (answer->how == DELIVER_NOTHING) {
    c->state = STATE_SILENT;
    c->events = EPOLLRDHUP;
    return WAITS;
  }
  append_answer(c, answer);
  begin_sending(c, STATE_HEAD);
  if (answer->how == DELIVER_DRIP) {
    c->drip = c->out.len / DRIP_PIECES + 1;
  } else if (answer->how == DELIVER_HALF) {
    c->out.len -= (answer->body.len + 1) / 2;
    c->call = 0; /* nobody will have seen it */
    c->last = true;
  }
  return GOES_ON;
}

static progress_t answer_request(connection_t *c) {
  answer_t answer = {0};
  tally_buffer_init(&answer.body, ANSWER_MAX);
  service_answer(c->service, &c->request, &answer);
  progress_t progress = deliver(c, &answer);
  tally_buffer_clear(&answer.body);
  return progress;
}

static progress_t refuse(connection_t *c, unsigned status) {
  answer_t answer = {.status = status};
  tally_buffer_init(&answer.body, ANSWER_MAX);
  c->last = true;
  deliver(c, &answer);
  tally_buffer_clear(&answer.body);
  return GOES_ON;
}

/* ---- states
 * ------------------------------------------------------------------ */

static progress_t shake_hands(connection_t *c) {
  int result = SSL_do_handshake(c->ssl);
  if (result != 1)
    return tls_waits(c, result);
  c->state = STATE_HEAD;
  return GOES_ON;
}

static progress_t read_head(connection_t *c) {
  ssize_t len = http_head_length(c->in.data, c->in.len);
  if (len < 0)
    return refuse(c, 431);
  if (len == 0)
    return read_more(c);
  free(c->head);
  c->head = strndup(c->in.data, (size_t)len);
  unsigned status =
      c->head != NULL ? http_parse_head(c->head, &c->request) : 500;
  tally_buffer_consume(&c->in, (size_t)len);
  /* Whoever asks for more on this connection has read the answer before. */
  if (c->call != 0)
    ledger_seen(c->service->ledger, c->call);
  c->call = 0;
  if (status != 0)
    return refuse(c, status);
  c->last = !c->request.keep_alive;
  c->state = STATE_BODY;
  if (c->request.expects_continue) {
    tally_buffer_reset(&c->out);
    tally_buffer_append_str(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
    begin_sending(c, STATE_BODY);
  }
  return GOES_ON;
}

static progress_t read_body(connection_t *c) {
  if (c->in.len < c->request.body_len)
    return read_more(c);
  c->request.body = c->in.data;
  progress_t progress = answer_request(c);
  tally_buffer_consume(&c->in, c->request.body_len);
  return progress;
}

static progress_t send_some(connection_t *c) {
  size_t left = c->out.len - c->sent;
  if (left == 0) {
    if (c->afterwards == STATE_HEAD && c->call != 0)
      ledger_answered(c->service->ledger, c->call);
    c->state = c->afterwards;
    return c->last && c->afterwards == STATE_HEAD ? OVER : GOES_ON;
  }
  if (c->drip == 0)
    return write_some(c, left);
  uint64_t now = tally_clock_monotonic_ns();
  if (now < c->due_ns) {
    c->events = EPOLLRDHUP;
    return WAITS;
  }
  c->due_ns = now + DRIP_PAUSE_NS;
  return write_some(c, left < c->drip ? left : c->drip);
}

static progress_t advance(connection_t *c) {
  switch (c->state) {
  case STATE_HANDSHAKE:
    return shake_hands(c);
  case STATE_HEAD:
    return read_head(c);
  case STATE_BODY:
    return read_body(c);
  case STATE_SENDING:
    return send_some(c);
  case STATE_SILENT:
    break;
  }
  return OVER; /* the client has hung up */
}

bool connection_work(connection_t *c) {
  progress_t progress;
  do
    progress = advance(c);
  while (progress == GOES_ON);
  return progress == WAITS;
}
