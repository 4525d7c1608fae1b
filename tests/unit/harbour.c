/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "harbour.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

#define CONNECTIONS_MAX 256
#define REQUESTS_MAX 1024
#define RULES_MAX 32
#define REQUEST_SIZE (512 * 1024) /* to begin with */

typedef struct rule_s {
  char *part, *headers, *body;
  int times, status;
  harbour_say_t say; /* NULL: what stands above */
  void *data;
} rule_t;

struct harbour_s {
  char url[64];
  int socket;
  pthread_t thread;
  pthread_mutex_t lock; /* guards what follows */
  pthread_cond_t arrived;
  rule_t rules[RULES_MAX];
  unsigned rules_count;
  char *requests[REQUESTS_MAX];
  unsigned requests_count;
  struct connection_s {
    harbour_t *harbour;
    int fd;
    pthread_t thread;
  } connections[CONNECTIONS_MAX];
  unsigned connected;
};

static void send_all(int fd, const char *text, size_t len) {
  while (len > 0) {
    ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
    if (n <= 0)
      return;
    text += n;
    len -= (size_t)n;
  }
}

/* With the lock held. NULL: none fits. */
static rule_t *find_rule(harbour_t *harbour, const char *request) {
  for (unsigned i = 0; i < harbour->rules_count; i++) {
    rule_t *rule = &harbour->rules[i];
    if (rule->times != 0 && strstr(request, rule->part) != NULL) {
      if (rule->times > 0)
        rule->times--;
      return rule;
    }
  }
  return NULL;
}

/* false: hang up. */
static bool answer(harbour_t *harbour, int fd, char *request) {
  pthread_mutex_lock(&harbour->lock);
  assert_true(harbour->requests_count < REQUESTS_MAX);
  harbour->requests[harbour->requests_count++] = request;
  rule_t *rule = find_rule(harbour, request);
  int status = rule != NULL ? rule->status : 404;
  char *headers = strdup(rule != NULL ? rule->headers : "");
  char *body = strdup(rule != NULL ? rule->body : "");
  if (rule != NULL && rule->say != NULL) {
    free(body);
    body = NULL;
    status = rule->say(request, &body, rule->data);
  }
  pthread_cond_broadcast(&harbour->arrived);
  pthread_mutex_unlock(&harbour->lock);
  if (status > 0) {
    char head[1024];
    int len = snprintf(head, sizeof(head),
                       "HTTP/1.1 %d Said\r\n%sContent-Length: %zu\r\n\r\n",
                       status, headers, strlen(body));
    send_all(fd, head, (size_t)len);
    send_all(fd, body, strlen(body));
  }
  free(headers);
  free(body);
  return status >= 0;
}

/* A header and as much body as it promises; NULL: the peer has gone. */
static char *read_request(int fd) {
  size_t size = REQUEST_SIZE, len = 0, want = 0;
  char *text = calloc(1, size);
  assert_non_null(text);
  while (want == 0 || len < want) {
    if (want >= size) {
      text = realloc(text, want + 1);
      assert_non_null(text);
      memset(text + len, 0, want + 1 - len);
      size = want + 1;
    }
    ssize_t n = recv(fd, text + len, size - 1 - len, 0);
    if (n <= 0) {
      free(text);
      return NULL;
    }
    len += (size_t)n;
    char *end = strstr(text, "\r\n\r\n");
    if (want == 0 && end != NULL) {
      const char *length = strcasestr(text, "\r\nContent-Length:");
      want = (size_t)(end + 4 - text);
      if (length != NULL && length < end)
        want += strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
    }
  }
  return text;
}

static void *serve(void *data) {
  struct connection_s *connection = data;
  char *request;
  while ((request = read_request(connection->fd)) != NULL)
    if (!answer(connection->harbour, connection->fd, request)) {
      shutdown(connection->fd, SHUT_RDWR);
      break;
    }
  return NULL;
}

static void *accept_all(void *data) {
  harbour_t *harbour = data;
  int fd;
  while ((fd = accept(harbour->socket, NULL, NULL)) >= 0) {
    pthread_mutex_lock(&harbour->lock);
    assert_true(harbour->connected < CONNECTIONS_MAX);
    struct connection_s *c = &harbour->connections[harbour->connected++];
    c->harbour = harbour;
    c->fd = fd;
    /* Head and body are two writes, the second must not wait for an ACK. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    pthread_create(&c->thread, NULL, serve, c);
    pthread_mutex_unlock(&harbour->lock);
  }
  return NULL;
}

harbour_t *harbour_open(void) {
  harbour_t *harbour = calloc(1, sizeof(*harbour));
  assert_non_null(harbour);
  pthread_mutex_init(&harbour->lock, NULL);
  pthread_cond_init(&harbour->arrived, NULL);
  harbour->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  assert_int_equal(
      bind(harbour->socket, (struct sockaddr *)&address, sizeof(address)), 0);
  assert_int_equal(listen(harbour->socket, 64), 0);
  assert_int_equal(
      getsockname(harbour->socket, (struct sockaddr *)&address, &len), 0);
  snprintf(harbour->url, sizeof(harbour->url), "http://127.0.0.1:%d",
           ntohs(address.sin_port));
  assert_int_equal(pthread_create(&harbour->thread, NULL, accept_all, harbour),
                   0);
  return harbour;
}

void harbour_forget(harbour_t *harbour) {
  pthread_mutex_lock(&harbour->lock);
  for (unsigned i = 0; i < harbour->rules_count; i++) {
    free(harbour->rules[i].part);
    free(harbour->rules[i].headers);
    free(harbour->rules[i].body);
  }
  harbour->rules_count = 0;
  pthread_mutex_unlock(&harbour->lock);
}

void harbour_close(harbour_t *harbour) {
  shutdown(harbour->socket, SHUT_RDWR); /* accept() returns */
  pthread_join(harbour->thread, NULL);
  close(harbour->socket);
  for (unsigned i = 0; i < harbour->connected; i++) {
    shutdown(harbour->connections[i].fd, SHUT_RDWR);
    pthread_join(harbour->connections[i].thread, NULL);
    close(harbour->connections[i].fd);
  }
  harbour_forget(harbour);
  for (unsigned i = 0; i < harbour->requests_count; i++)
    free(harbour->requests[i]);
  pthread_cond_destroy(&harbour->arrived);
  pthread_mutex_destroy(&harbour->lock);
  free(harbour);
}

const char *harbour_url(const harbour_t *harbour) { return harbour->url; }

static void add_rule(harbour_t *harbour, rule_t rule) {
  pthread_mutex_lock(&harbour->lock);
  assert_true(harbour->rules_count < RULES_MAX);
  harbour->rules[harbour->rules_count++] = rule;
  pthread_mutex_unlock(&harbour->lock);
}

void harbour_answer(harbour_t *harbour, const char *part, int times, int status,
                    const char *headers, const char *body) {
  add_rule(harbour, (rule_t){.part = strdup(part),
                             .headers = strdup(headers),
                             .body = strdup(body),
                             .times = times,
                             .status = status});
}

void harbour_answer_by(harbour_t *harbour, const char *part, harbour_say_t say,
                       void *data) {
  add_rule(harbour, (rule_t){.part = strdup(part),
                             .headers = strdup(""),
                             .body = strdup(""),
                             .times = -1,
                             .say = say,
                             .data = data});
}

/* With the lock held. */
static unsigned count(harbour_t *harbour, const char *part) {
  unsigned found = 0;
  for (unsigned i = 0; i < harbour->requests_count; i++)
    found += strstr(harbour->requests[i], part) != NULL;
  return found;
}

unsigned harbour_requests(harbour_t *harbour, const char *part) {
  pthread_mutex_lock(&harbour->lock);
  unsigned found = count(harbour, part);
  pthread_mutex_unlock(&harbour->lock);
  return found;
}

unsigned harbour_connections(harbour_t *harbour) {
  pthread_mutex_lock(&harbour->lock);
  unsigned connected = harbour->connected;
  pthread_mutex_unlock(&harbour->lock);
  return connected;
}

const char *harbour_request(harbour_t *harbour, const char *part, unsigned i) {
  const char *found = NULL;
  pthread_mutex_lock(&harbour->lock);
  for (unsigned r = 0; r < harbour->requests_count && found == NULL; r++)
    if (strstr(harbour->requests[r], part) != NULL && i-- == 0)
      found = harbour->requests[r];
  pthread_mutex_unlock(&harbour->lock);
  return found;
}

void harbour_await(harbour_t *harbour, const char *part, unsigned wanted) {
  pthread_mutex_lock(&harbour->lock);
  while (count(harbour, part) < wanted)
    pthread_cond_wait(&harbour->arrived, &harbour->lock);
  pthread_mutex_unlock(&harbour->lock);
}
