/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "core/clock.h"

#define CONNECTIONS_MAX 1024
#define EVENTS_AT_ONCE 64
#define LINE_MAX_BYTES 4096

struct server_s {
  int epoll, listener, signals; /* -1: none */
  unsigned port;
  SSL_CTX *tls;
  service_t *service;
  connection_t *connections[CONNECTIONS_MAX]; /* NULL: a free place */
  uint64_t refuse_until_ns;                   /* 0: it listens */
  tally_buffer_t commands;
  bool stops;
};

/* What an event is about: one of these, or the place of a connection. */
enum { ABOUT_LISTENER = CONNECTIONS_MAX, ABOUT_SIGNALS, ABOUT_STDIN };

static int watch(server_t *server, int operation, int fd, uint32_t events,
                 uint32_t about) {
  struct epoll_event event = {.events = events, .data.u32 = about};
  return epoll_ctl(server->epoll, operation, fd, &event);
}

/* ---- connections
 * ------------------------------------------------------------- */

static void end_connection(server_t *server, size_t place) {
  connection_destroy(server->connections[place]); /* epoll forgets it */
  server->connections[place] = NULL;
}

static void work(server_t *server, size_t place) {
  connection_t *connection = server->connections[place];
  if (connection_work(connection))
    watch(server, EPOLL_CTL_MOD, connection_fd(connection),
          connection_events(connection), (uint32_t)place);
  else
    end_connection(server, place);
}

static void accept_connection(server_t *server) {
  int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0)
    return;
  size_t place = 0;
  while (place < CONNECTIONS_MAX && server->connections[place] != NULL)
    place++;
  if (place == CONNECTIONS_MAX) {
    close(fd);
    return;
  }
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  server->connections[place] =
      connection_create(fd, server->tls, server->service);
  if (server->connections[place] == NULL)
    return;
  watch(server, EPOLL_CTL_ADD, fd, EPOLLIN, (uint32_t)place);
  work(server, place);
}

/* ---- time
 * -------------------------------------------------------------------- */

static void earlier(uint64_t *first, uint64_t due) {
  if (due != 0 && (*first == 0 || due < *first))
    *first = due;
}

static int listen_at(server_t *server);

/* Does what is due; returns how long epoll may wait, in milliseconds. */
static int tend(server_t *server) {
  uint64_t now = tally_clock_monotonic_ns(), next = 0;
  if (server->refuse_until_ns != 0 && server->refuse_until_ns <= now) {
    server->refuse_until_ns = 0;
    if (listen_at(server) != 0)
      server->stops = true;
  }
  earlier(&next, server->refuse_until_ns);
  for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
    if (server->connections[i] == NULL)
      continue;
    uint64_t due = connection_due_ns(server->connections[i]);
    if (due != 0 && due <= now)
      work(server, i);
    if (server->connections[i] != NULL)
      earlier(&next, connection_due_ns(server->connections[i]));
  }
  if (next == 0)
    return -1;
  return next > now ? (int)((next - now) / TALLY_NS_PER_MS + 1) : 0;
}

/* ---- life cycle
 * -------------------------------------------------------------- */

static int complain(const char *what) {
  fprintf(stderr, "lighter: %s: %s\n", what, strerror(errno));
  return -1;
}

static int listen_at(server_t *server) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)server->port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t len = sizeof(address);
  int on = 1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return complain("socket");
  server->listener = fd;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 128) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &len) != 0)
    return complain("listen");
  server->port = ntohs(address.sin_port);
  return watch(server, EPOLL_CTL_ADD, fd, EPOLLIN, ABOUT_LISTENER);
}

static int open_signals(server_t *server) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
  server->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (server->signals < 0)
    return complain("signalfd");
  return watch(server, EPOLL_CTL_ADD, server->signals, EPOLLIN, ABOUT_SIGNALS);
}

server_t *server_create(unsigned port, SSL_CTX *tls, service_t *service) {
  server_t *server = calloc(1, sizeof(*server));
  if (server == NULL)
    return NULL;
  *server = (server_t){.listener = -1,
                       .signals = -1,
                       .port = port,
                       .tls = tls,
                       .service = service,
                       .epoll = epoll_create1(EPOLL_CLOEXEC)};
  tally_buffer_init(&server->commands, LINE_MAX_BYTES);
  if (server->epoll < 0 || open_signals(server) != 0 ||
      listen_at(server) != 0 ||
      watch(server, EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, ABOUT_STDIN) != 0) {
    server_destroy(server);
    return NULL;
  }
  return server;
}

static void hang_up(server_t *server) {
  if (server->listener >= 0)
    close(server->listener);
  server->listener = -1;
  for (size_t i = 0; i < CONNECTIONS_MAX; i++)
    if (server->connections[i] != NULL)
      end_connection(server, i);
}

void server_destroy(server_t *server) {
  hang_up(server);
  if (server->signals >= 0)
    close(server->signals);
  if (server->epoll >= 0)
    close(server->epoll);
  tally_buffer_clear(&server->commands);
  free(server);
}

unsigned server_port(const server_t *server) { return server->port; }

void server_refuse(server_t *server, uint64_t ms) {
  hang_up(server);
  server->refuse_until_ns =
      tally_clock_monotonic_ns() + ms * TALLY_NS_PER_MS + 1;
}

/* ---- the loop
 * ---------------------------------------------------------------- */

static void read_commands(server_t *server,
                          void (*command)(char *line, server_t *server,
                                          service_t *service)) {
  char text[LINE_MAX_BYTES], *end;
  ssize_t n = read(STDIN_FILENO, text, sizeof(text));
  if (n <= 0 || tally_buffer_append(&server->commands, text, (size_t)n) != 0) {
    server->stops = true;
    return;
  }
  while ((end = strchr(server->commands.data, '\n')) != NULL) {
    *end = '\0';
    command(server->commands.data, server, server->service);
    tally_buffer_consume(&server->commands,
                         (size_t)(end - server->commands.data) + 1);
  }
}

void server_run(server_t *server, void (*command)(char *line, server_t *server,
                                                  service_t *service)) {
  struct epoll_event events[EVENTS_AT_ONCE];
  while (!server->stops) {
    int timeout = tend(server);
    int count = epoll_wait(server->epoll, events, EVENTS_AT_ONCE, timeout);
    /* A command may end connections that have an event of their own here, and
     * a new one then has their place: nothing happens that it cannot take. */
    for (int i = 0; i < count; i++) {
      uint32_t about = events[i].data.u32;
      if (about == ABOUT_LISTENER)
        accept_connection(server);
      else if (about == ABOUT_STDIN)
        read_commands(server, command);
      else if (about == ABOUT_SIGNALS)
        server->stops = true;
      else if (server->connections[about] != NULL)
        work(server, about);
    }
  }
}
