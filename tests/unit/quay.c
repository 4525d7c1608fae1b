/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "quay.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "unit.h"

#define CONTAINERS_MAX 1024
#define CONNECTIONS_MAX 2048
#define NEVER "0001-01-01T00:00:00Z"

typedef struct ship_s {
  bool exists, tty;
  const char *state;
  int pid, exit_code;
  uint64_t created_ns, started_ns, finished_ns;
} ship_t;

typedef struct connection_s {
  quay_t *quay;
  int fd;
  pthread_t thread;
  bool listens; /* to events */
} connection_t;

struct quay_s {
  char directory[64], path[96], endpoint[128];
  char header[16], version[16], minimum[16];
  int socket;
  pthread_t thread;

  pthread_mutex_t lock; /* guards what follows */
  bool closing;
  quay_hook_t hook;
  void *hook_data;
  ship_t ships[CONTAINERS_MAX];
  const char *log_max;
  struct {
    uint64_t time_ns;
    char text[768];
  } events[QUAY_REMEMBERS];
  unsigned happened; /* events so far */
  connection_t *connections[CONNECTIONS_MAX];
  unsigned connected;
  char *log; /* all requests, a line each */
  size_t log_len;
};

/* ---- answers ------------------------------------------------------------- */

void quay_write(int fd, const void *bytes, size_t len) {
  const char *p = bytes;
  while (len > 0) {
    ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
    if (n <= 0)
      return;
    p += n;
    len -= (size_t)n;
  }
}

static void answer_with(int fd, int status, const char *headers,
                        const char *body) {
  char head[256];
  snprintf(head, sizeof(head),
           "HTTP/1.1 %d Whatever\r\n%sContent-Length: %zu\r\n\r\n", status,
           headers, strlen(body));
  quay_write(fd, head, strlen(head));
  quay_write(fd, body, strlen(body));
}

void quay_answer(int fd, int status, const char *body) {
  answer_with(fd, status, "Content-Type: application/json\r\n", body);
}

const char *quay_id(unsigned n) {
  static _Thread_local char id[2][65];
  static _Thread_local int turn;
  turn = !turn;
  snprintf(id[turn], sizeof(id[turn]), "%08x%056d", n + 1, 0);
  return id[turn];
}

static const char *rfc3339(uint64_t ns, char *text, size_t size) {
  if (ns == 0)
    return NEVER;
  time_t seconds = (time_t)(ns / TALLY_NS_PER_S);
  struct tm tm;
  gmtime_r(&seconds, &tm);
  size_t len = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &tm);
  snprintf(text + len, size - len, ".%09" PRIu64 "Z", ns % TALLY_NS_PER_S);
  return text;
}

static void answer_version(quay_t *quay, int fd) {
  char body[256], minimum[64] = "";
  if (*quay->minimum != '\0')
    snprintf(minimum, sizeof(minimum), ",\"MinAPIVersion\":\"%s\"",
             quay->minimum);
  snprintf(body, sizeof(body), "{\"Version\":\"%s\",\"ApiVersion\":\"%s\"%s}",
           "99.1-quay", quay->version, minimum);
  quay_answer(fd, 200, body);
}

static void answer_ping(quay_t *quay, int fd) {
  char header[64] = "";
  if (*quay->header != '\0')
    snprintf(header, sizeof(header), "Api-Version: %s\r\n", quay->header);
  answer_with(fd, 200, header, "OK");
}

static void answer_list(quay_t *quay, int fd) {
  char *body;
  size_t size;
  FILE *f = open_memstream(&body, &size);
  const char *separator = "";
  fputs("[", f);
  pthread_mutex_lock(&quay->lock);
  for (unsigned n = 0; n < CONTAINERS_MAX; n++) {
    const ship_t *ship = &quay->ships[n];
    if (!ship->exists)
      continue;
    fprintf(f,
            "%s{\"Id\":\"%s\",\"Names\":[\"/ship%u\"],\"Image\":\"hull:1\","
            "\"State\":\"%s\",\"Created\":%" PRIu64 "}",
            separator, quay_id(n), n, ship->state,
            ship->created_ns / TALLY_NS_PER_S);
    separator = ",";
  }
  pthread_mutex_unlock(&quay->lock);
  fputs("]", f);
  fclose(f);
  quay_answer(fd, 200, body);
  free(body);
}

static void answer_inspect(quay_t *quay, int fd, const char *id) {
  unsigned n = (unsigned)strtoul((char[]){id[0], id[1], id[2], id[3], id[4],
                                          id[5], id[6], id[7], '\0'},
                                 NULL, 16) -
               1;
  pthread_mutex_lock(&quay->lock);
  ship_t ship = n < CONTAINERS_MAX ? quay->ships[n] : (ship_t){0};
  const char *log_max = quay->log_max != NULL ? quay->log_max : "";
  pthread_mutex_unlock(&quay->lock);
  if (!ship.exists) {
    quay_answer(fd, 404, "{\"message\":\"No such container\"}\n");
    return;
  }
  char body[1024], created[64], started[64], finished[64];
  snprintf(
      body, sizeof(body),
      "{\"Id\":\"%s\",\"Name\":\"/ship%u\",\"Created\":\"%s\",\"Image\":"
      "\"sha256:0\",\"State\":{\"Status\":\"%s\",\"Pid\":%d,\"ExitCode\":"
      "%d,\"StartedAt\":\"%s\",\"FinishedAt\":\"%s\"},\"Config\":{\"Tty\":%s,"
      "\"Image\":\"hull:1\",\"Env\":[\"NUMBER=%u\"],\"Labels\":{\"l\":"
      "\"v\"}},\"HostConfig\":{\"LogConfig\":{\"Type\":\"json-file\","
      "\"Config\":{\"max-size\":\"%s\",\"max-file\":\"5\"}}}}",
      quay_id(n), n, rfc3339(ship.created_ns, created, sizeof(created)),
      ship.state, ship.pid, ship.exit_code,
      rfc3339(ship.started_ns, started, sizeof(started)),
      rfc3339(ship.finished_ns, finished, sizeof(finished)),
      ship.tty ? "true" : "false", n, log_max);
  quay_answer(fd, 200, body);
}

/* ---- events -------------------------------------------------------------- */

static uint64_t parameter_ns(const char *request, const char *name) {
  const char *p = strstr(request, name);
  if (p == NULL)
    return 0;
  char *end;
  uint64_t ns = strtoull(p + strlen(name), &end, 10) * TALLY_NS_PER_S;
  if (*end == '.')
    ns += strtoull(end + 1, NULL, 10); /* always nine digits */
  return ns;
}

/* What it remembers of a time, as a real one sends it: first thing, in one
 * piece. With the lock held. */
static void recall(quay_t *quay, int fd, uint64_t since_ns, uint64_t until_ns) {
  unsigned first =
      quay->happened > QUAY_REMEMBERS ? quay->happened - QUAY_REMEMBERS : 0;
  for (unsigned i = first; i < quay->happened; i++) {
    uint64_t ns = quay->events[i % QUAY_REMEMBERS].time_ns;
    const char *text = quay->events[i % QUAY_REMEMBERS].text;
    if (ns >= since_ns && (until_ns == 0 || ns <= until_ns))
      quay_write(fd, text, strlen(text));
  }
}

static void answer_events(connection_t *connection, const char *request) {
  quay_t *quay = connection->quay;
  uint64_t since_ns = parameter_ns(request, "since=");
  uint64_t until_ns = parameter_ns(request, "until=");
  pthread_mutex_lock(&quay->lock);
  quay_write(connection->fd, QUAY_STREAM_HEADER, strlen(QUAY_STREAM_HEADER));
  recall(quay, connection->fd, since_ns, until_ns);
  connection->listens = until_ns == 0;
  pthread_mutex_unlock(&quay->lock);
  if (until_ns != 0)
    shutdown(connection->fd, SHUT_RDWR);
}

/* With the lock held. */
static void say(quay_t *quay, const char *bytes, size_t len, size_t piece) {
  for (size_t i = 0; i < len; i += piece)
    for (unsigned c = 0; c < quay->connected; c++)
      if (quay->connections[c]->listens)
        quay_write(quay->connections[c]->fd, bytes + i,
                   len - i < piece ? len - i : piece);
}

void quay_say(quay_t *quay, const void *bytes, size_t len, size_t piece) {
  pthread_mutex_lock(&quay->lock);
  say(quay, bytes, len, piece);
  pthread_mutex_unlock(&quay->lock);
}

/* ---- what happens -------------------------------------------------------- */

static void sail(ship_t *ship, const char *action, uint64_t now_ns) {
  static int pid = 1000;
  if (strcmp(action, "create") == 0) {
    *ship = (ship_t){.exists = true, .state = "created", .created_ns = now_ns};
  } else if (strcmp(action, "start") == 0) {
    ship->state = "running";
    ship->pid = ++pid;
    ship->exit_code = 0;
    ship->started_ns = now_ns;
  } else if (strcmp(action, "die") == 0) {
    ship->state = "exited";
    ship->pid = 0;
    ship->exit_code = 7;
    ship->finished_ns = now_ns;
  } else if (strcmp(action, "pause") == 0) {
    ship->state = "paused";
  } else if (strcmp(action, "unpause") == 0) {
    ship->state = "running";
  } else if (strcmp(action, "destroy") == 0) {
    ship->exists = false;
  }
}

static void happen(quay_t *quay, unsigned n, const char *action, bool quietly) {
  pthread_mutex_lock(&quay->lock);
  uint64_t now_ns = tally_clock_realtime_ns();
  sail(&quay->ships[n], action, now_ns);
  if (!quietly) {
    unsigned slot = quay->happened++ % QUAY_REMEMBERS;
    uint64_t later_ns = tally_clock_realtime_ns();
    quay->events[slot].time_ns = later_ns;
    snprintf(quay->events[slot].text, sizeof(quay->events[slot].text),
             "{\"Type\":\"container\",\"Action\":\"%s\",\"Actor\":{\"ID\":"
             "\"%s\",\"Attributes\":{%s\"image\":\"hull:1\",\"name\":\"ship%u\""
             "}},\"time\":%" PRIu64 ",\"timeNano\":%" PRIu64 "}\n",
             action, quay_id(n),
             strcmp(action, "die") == 0 ? "\"exitCode\":\"7\"," : "", n,
             later_ns / TALLY_NS_PER_S, later_ns);
    say(quay, quay->events[slot].text, strlen(quay->events[slot].text),
        SIZE_MAX);
  }
  pthread_mutex_unlock(&quay->lock);
}

void quay_set_tty(quay_t *quay, unsigned n) {
  pthread_mutex_lock(&quay->lock);
  quay->ships[n].tty = true;
  pthread_mutex_unlock(&quay->lock);
}

void quay_set_log_max(quay_t *quay, const char *size) {
  pthread_mutex_lock(&quay->lock);
  quay->log_max = size;
  pthread_mutex_unlock(&quay->lock);
}

void quay_happen(quay_t *quay, unsigned n, const char *action) {
  happen(quay, n, action, false);
}

void quay_happen_quietly(quay_t *quay, unsigned n, const char *action) {
  happen(quay, n, action, true);
}

/* ---- serving ------------------------------------------------------------- */

static void note(quay_t *quay, const char *request) {
  pthread_mutex_lock(&quay->lock);
  size_t len = strcspn(request, "\r\n");
  char *log = realloc(quay->log, quay->log_len + len + 2);
  assert_non_null(log);
  memcpy(log + quay->log_len, request, len);
  memcpy(log + quay->log_len + len, "\n", 2);
  quay->log = log;
  quay->log_len += len + 1;
  pthread_mutex_unlock(&quay->lock);
}

static void serve_request(connection_t *connection, const char *request) {
  quay_t *quay = connection->quay;
  note(quay, request);
  pthread_mutex_lock(&quay->lock);
  quay_hook_t hook = quay->hook;
  void *data = quay->hook_data;
  pthread_mutex_unlock(&quay->lock);
  if (hook != NULL && hook(quay, request, connection->fd, data))
    return;

  const char *id = strstr(request, "/containers/");
  if (strstr(request, "/_ping") != NULL)
    answer_ping(quay, connection->fd);
  else if (strstr(request, " /version") != NULL)
    answer_version(quay, connection->fd);
  else if (strstr(request, "/events?") != NULL)
    answer_events(connection, request);
  else if (id != NULL && strncmp(id, "/containers/json", 16) == 0)
    answer_list(quay, connection->fd);
  else if (id != NULL && strstr(id, "/json") != NULL)
    answer_inspect(quay, connection->fd, id + strlen("/containers/"));
  else
    quay_answer(connection->fd, 404, "{\"message\":\"page not found\"}");
}

/* Reads up to the end of a header. False: the peer has gone. */
static bool read_request(int fd, char *text, size_t size) {
  size_t len = 0;
  while (len + 1 < size) {
    ssize_t n = recv(fd, text + len, 1, 0);
    if (n <= 0)
      return false;
    text[++len] = '\0';
    if (len >= 4 && strcmp(text + len - 4, "\r\n\r\n") == 0)
      return true;
  }
  return false;
}

static void *serve(void *data) {
  connection_t *connection = data;
  char request[4096];
  while (read_request(connection->fd, request, sizeof(request)))
    serve_request(connection, request);
  pthread_mutex_lock(&connection->quay->lock);
  connection->listens = false;
  pthread_mutex_unlock(&connection->quay->lock);
  return NULL;
}

static void admit(quay_t *quay, int fd) {
  connection_t *connection = calloc(1, sizeof(*connection));
  assert_non_null(connection);
  *connection = (connection_t){.quay = quay, .fd = fd};
  pthread_mutex_lock(&quay->lock);
  assert_true(quay->connected < CONNECTIONS_MAX);
  quay->connections[quay->connected++] = connection;
  pthread_create(&connection->thread, NULL, serve, connection);
  pthread_mutex_unlock(&quay->lock);
}

static void *accept_all(void *data) {
  quay_t *quay = data;
  int fd;
  while ((fd = accept(quay->socket, NULL, NULL)) >= 0)
    admit(quay, fd);
  return NULL;
}

static void disconnect_all(quay_t *quay) {
  pthread_mutex_lock(&quay->lock);
  for (unsigned i = 0; i < quay->connected; i++)
    shutdown(quay->connections[i]->fd, SHUT_RDWR);
  pthread_mutex_unlock(&quay->lock);
  for (unsigned i = 0; i < quay->connected; i++) {
    pthread_join(quay->connections[i]->thread, NULL);
    close(quay->connections[i]->fd);
    free(quay->connections[i]);
  }
  quay->connected = 0;
}

void quay_return(quay_t *quay) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof(address.sun_path), "%s", quay->path);
  unlink(quay->path);
  quay->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(quay->socket >= 0);
  assert_int_equal(
      bind(quay->socket, (struct sockaddr *)&address, sizeof(address)), 0);
  assert_int_equal(listen(quay->socket, 64), 0);
  quay->happened = 0;
  assert_int_equal(pthread_create(&quay->thread, NULL, accept_all, quay), 0);
}

void quay_go(quay_t *quay) {
  shutdown(quay->socket, SHUT_RDWR); /* accept() returns */
  pthread_join(quay->thread, NULL);
  close(quay->socket);
  disconnect_all(quay);
}

void quay_hang_up(quay_t *quay) {
  pthread_mutex_lock(&quay->lock);
  for (unsigned i = 0; i < quay->connected; i++)
    if (quay->connections[i]->listens) {
      quay->connections[i]->listens = false;
      shutdown(quay->connections[i]->fd, SHUT_RDWR);
    }
  pthread_mutex_unlock(&quay->lock);
}

/* ---- life ---------------------------------------------------------------- */

quay_t *quay_open(void) {
  quay_t *quay = calloc(1, sizeof(*quay));
  assert_non_null(quay);
  pthread_mutex_init(&quay->lock, NULL);
  snprintf(quay->directory, sizeof(quay->directory), "/tmp/tally-quay-XXXXXX");
  assert_non_null(mkdtemp(quay->directory));
  snprintf(quay->path, sizeof(quay->path), "%s/sock", quay->directory);
  snprintf(quay->endpoint, sizeof(quay->endpoint), "unix://%s", quay->path);
  quay_set_api(quay, "1.41", "1.41", "1.12");
  quay_return(quay);
  return quay;
}

void quay_close(quay_t *quay) {
  quay_go(quay);
  unlink(quay->path);
  rmdir(quay->directory);
  pthread_mutex_destroy(&quay->lock);
  free(quay->log);
  free(quay);
}

const char *quay_endpoint(const quay_t *quay) { return quay->endpoint; }

const char *quay_directory(const quay_t *quay) { return quay->directory; }

void quay_set_api(quay_t *quay, const char *header, const char *version,
                  const char *minimum) {
  snprintf(quay->header, sizeof(quay->header), "%s", header ? header : "");
  snprintf(quay->version, sizeof(quay->version), "%s", version);
  snprintf(quay->minimum, sizeof(quay->minimum), "%s", minimum ? minimum : "");
}

void quay_set_hook(quay_t *quay, quay_hook_t hook, void *data) {
  pthread_mutex_lock(&quay->lock);
  quay->hook = hook;
  quay->hook_data = data;
  pthread_mutex_unlock(&quay->lock);
}

unsigned quay_listeners(quay_t *quay) {
  pthread_mutex_lock(&quay->lock);
  unsigned count = 0;
  for (unsigned i = 0; i < quay->connected; i++)
    count += quay->connections[i]->listens;
  pthread_mutex_unlock(&quay->lock);
  return count;
}

unsigned quay_requests(quay_t *quay, const char *part) {
  pthread_mutex_lock(&quay->lock);
  unsigned count = 0;
  for (const char *p = quay->log; p != NULL && (p = strstr(p, part)) != NULL;
       p++)
    count++;
  pthread_mutex_unlock(&quay->lock);
  return count;
}

unsigned quay_whole_seconds(quay_t *quay, const char *part) {
  pthread_mutex_lock(&quay->lock);
  unsigned count = 0;
  for (const char *p = quay->log; p != NULL && (p = strstr(p, part)) != NULL;
       p += strlen(part)) {
    const char *query = p + strlen(part);
    count += memchr(query, '.', strcspn(query, " \n")) == NULL;
  }
  pthread_mutex_unlock(&quay->lock);
  return count;
}
