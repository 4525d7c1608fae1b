/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logs_scene.h"

#include <ctype.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "unit.h"

#define EPOCH_NS UINT64_C(1767225600000000000)
#define PATIENCE_NS (60 * TALLY_NS_PER_S) /* of a machine that does more */
#define AFTERWARDS_US 100000
#define PIECES_MAX 512
#define TOLD_MAX 65536

typedef struct piece_s {
  char *bytes; /* time stamp, blank, text */
  size_t len;
  char kind;
  uint64_t ns;
  unsigned run;
  unsigned lost; /* by streams that were opened before this number */
} piece_t;

typedef struct cargo_s {
  piece_t *pieces;
  size_t count;
  size_t hidden; /* so many, from those who ask since a time */
  bool running;
  unsigned runs;
  bool tty;

  char told[TOLD_MAX];
  tally_log_position_t position;
  size_t take;
} cargo_t;

struct logs_scene_s {
  quay_t *quay;
  tally_endpoint_t endpoint;
  tally_inventory_t *inventory;
  tally_log_reader_t *reader;

  pthread_mutex_t lock; /* guards what follows */
  pthread_cond_t changed;
  bool closing;
  unsigned breaks, opened;
  logs_break_t where;
  int refusals, status;
  const char *body;
  cargo_t cargo[LOGS_CONTAINERS];
};

/* ---- the daemon ---------------------------------------------------------- */

static void send_chunk(int fd, const void *bytes, size_t len) {
  char size[32];
  int n = snprintf(size, sizeof(size), "%zx\r\n", len);
  quay_write(fd, size, (size_t)n);
  quay_write(fd, bytes, len);
  quay_write(fd, "\r\n", 2);
}

/* With its frame, unless the container has a TTY. `*len` bytes. */
static char *framed(const cargo_t *cargo, const piece_t *piece, size_t *len) {
  size_t header = cargo->tty ? 0 : 8;
  char *bytes = calloc(1, header + piece->len);
  if (header > 0) {
    bytes[0] = piece->kind == 'o' ? 1 : piece->kind == 'e' ? 2 : 3;
    for (int i = 0; i < 4; i++)
      bytes[4 + i] = (char)(piece->len >> (24 - 8 * i) & 0xff);
  }
  memcpy(bytes + header, piece->bytes, piece->len);
  *len = header + piece->len;
  return bytes;
}

static void send_broken(const logs_scene_t *scene, int fd,
                        const cargo_t *cargo) {
  static const piece_t piece = {
      .bytes = (char *)(uintptr_t) "2026-01-01T00:59:59.000000000Z broken",
      .len = 37,
      .kind = 'o'};
  size_t len;
  char *bytes = framed(cargo, &piece, &len);
  if (scene->where == LOGS_IN_HEADER)
    send_chunk(fd, bytes, 4);
  else if (scene->where == LOGS_IN_PIECE)
    send_chunk(fd, bytes, len - 3);
  free(bytes);
  shutdown(fd, SHUT_RDWR);
}

static uint64_t since_of(const char *request) {
  const char *p = strstr(request, "since=");
  if (p == NULL)
    return 0;
  char *end;
  uint64_t ns = strtoull(p + strlen("since="), &end, 10) * TALLY_NS_PER_S;
  return *end == '.' ? ns + strtoull(end + 1, NULL, 10) : ns;
}

/* With the lock held, but not while it writes. */
static void stream(logs_scene_t *scene, cargo_t *cargo, const char *request,
                   int fd) {
  static const char header[] =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  uint64_t since_ns = since_of(request);
  bool follows = strstr(request, "follow=1") != NULL && cargo->running;
  unsigned breaks = scene->breaks, number = scene->opened++, run = cargo->runs;
  size_t next = since_ns != 0 ? cargo->hidden : 0;
  quay_write(fd, header, sizeof(header) - 1);
  while (!scene->closing && scene->breaks == breaks) {
    if (next < cargo->count && !(follows && cargo->pieces[next].run > run)) {
      const piece_t *piece = &cargo->pieces[next++];
      if (piece->ns < since_ns || piece->lost > number)
        continue;
      size_t len;
      char *bytes = framed(cargo, piece, &len);
      pthread_mutex_unlock(&scene->lock);
      send_chunk(fd, bytes, len);
      pthread_mutex_lock(&scene->lock);
      free(bytes);
    } else if (!follows || !cargo->running || cargo->runs != run) {
      if (scene->body != NULL)
        send_chunk(fd, scene->body, strlen(scene->body));
      quay_write(fd, "0\r\n\r\n", 5);
      return;
    } else {
      pthread_cond_wait(&scene->changed, &scene->lock);
    }
  }
  if (!scene->closing)
    send_broken(scene, fd, cargo);
}

static bool answer_logs(quay_t *quay, const char *request, int fd, void *data) {
  logs_scene_t *scene = data;
  const char *id = strstr(request, "/containers/");
  if (id == NULL || strstr(request, "/logs?") == NULL)
    return false;
  char number[9] = "";
  memcpy(number, id + strlen("/containers/"), 8);
  cargo_t *cargo = &scene->cargo[strtoul(number, NULL, 16) - 1];

  pthread_mutex_lock(&scene->lock);
  bool refuses = scene->refusals != 0;
  if (scene->refusals > 0)
    scene->refusals--;
  if (refuses && scene->status != 0) {
    char body[256];
    snprintf(body, sizeof(body), "{\"message\":\"%s\"}", scene->body);
    quay_answer(fd, scene->status, body);
  } else {
    stream(scene, cargo, request, fd);
    if (scene->refusals == 0)
      scene->body = NULL;
  }
  pthread_mutex_unlock(&scene->lock);
  return true;
}

/* ---- logs ---------------------------------------------------------------- */

static void write_pieces(logs_scene_t *scene, unsigned n, const char *pieces,
                         bool behind) {
  cargo_t *cargo = &scene->cargo[n];
  pthread_mutex_lock(&scene->lock);
  if (cargo->pieces == NULL)
    cargo->pieces = calloc(PIECES_MAX, sizeof(*cargo->pieces));
  for (const char *p = pieces; *p != '\0'; p++) {
    assert_true(cargo->count < PIECES_MAX);
    piece_t *piece = &cargo->pieces[cargo->count++];
    *piece = (piece_t){
        .kind = *p++, .run = cargo->runs, .lost = behind ? scene->opened : 0};
    unsigned seconds = (unsigned)strtoul(p, (char **)(uintptr_t)&p, 10);
    FILE *f = open_memstream(&piece->bytes, &piece->len);
    if (piece->kind != 'd')
      fprintf(f, "2026-01-01T00:%02u:%02u.000000000Z ", seconds / 60,
              seconds % 60);
    piece->ns = EPOCH_NS + seconds * TALLY_NS_PER_S;
    if (piece->kind == 'd')
      piece->ns = UINT64_MAX;
    for (p++; *p != ';'; p++)
      fputc(*p == '~' ? '\n' : *p, f);
    fclose(f);
  }
  pthread_cond_broadcast(&scene->changed);
  pthread_mutex_unlock(&scene->lock);
}

void logs_write(logs_scene_t *scene, unsigned n, const char *pieces) {
  write_pieces(scene, n, pieces, false);
}

void logs_write_behind(logs_scene_t *scene, unsigned n, const char *pieces) {
  write_pieces(scene, n, pieces, true);
}

void logs_hide(logs_scene_t *scene, unsigned n, bool hidden) {
  pthread_mutex_lock(&scene->lock);
  scene->cargo[n].hidden = hidden ? scene->cargo[n].count : 0;
  pthread_mutex_unlock(&scene->lock);
}

void logs_break(logs_scene_t *scene, logs_break_t where) {
  pthread_mutex_lock(&scene->lock);
  scene->breaks++;
  scene->where = where;
  pthread_cond_broadcast(&scene->changed);
  pthread_mutex_unlock(&scene->lock);
}

void logs_refuse(logs_scene_t *scene, int times, int status, const char *body) {
  pthread_mutex_lock(&scene->lock);
  scene->refusals = times;
  scene->status = status;
  scene->body = body;
  pthread_mutex_unlock(&scene->lock);
}

/* ---- what the reader says ------------------------------------------------ */

static cargo_t *cargo_of(logs_scene_t *scene, const tally_container_t *c) {
  return &scene->cargo[atoi(c->name + strlen("ship"))];
}

static void tell(cargo_t *cargo, const char *text) {
  assert_true(strlen(cargo->told) + strlen(text) < TOLD_MAX);
  strcat(cargo->told, text);
}

static size_t on_lines(const tally_container_t *container,
                       const tally_log_line_t *lines, size_t count,
                       void *data) {
  logs_scene_t *scene = data;
  cargo_t *cargo = cargo_of(scene, container);
  assert_true(count > 0);
  pthread_mutex_lock(&scene->lock);
  size_t taken = 0;
  for (; taken < count && cargo->take > 0; taken++, cargo->take--) {
    const tally_log_line_t *line = &lines[taken];
    char text[512];
    snprintf(text, sizeof(text), "%c%u %.*s;", "oe"[line->stream],
             line -> time_ns == 0 ? 0
                                  : (unsigned)((line->time_ns - EPOCH_NS) /
                                               TALLY_NS_PER_S),
             (int)line -> len, line -> text);
    tell(cargo, text);
    cargo->position = line->after;
  }
  pthread_mutex_unlock(&scene->lock);
  return taken;
}

static void on_end(const tally_container_t *container, tally_log_end_t how,
                   const tally_error_t *err, void *data) {
  static const char *const names[] = {"=ended", "=gone", "=unreadable"};
  logs_scene_t *scene = data;
  cargo_t *cargo = cargo_of(scene, container);
  assert_true((err == NULL) == (how == TALLY_LOG_ENDED));
  pthread_mutex_lock(&scene->lock);
  tell(cargo, names[how]);
  if (err != NULL) {
    tell(cargo, ": ");
    tell(cargo, err->message);
  }
  pthread_mutex_unlock(&scene->lock);
}

void logs_take(logs_scene_t *scene, unsigned n, size_t lines) {
  pthread_mutex_lock(&scene->lock);
  scene->cargo[n].take = lines;
  pthread_mutex_unlock(&scene->lock);
}

static bool has_told(logs_scene_t *scene, unsigned n, const char *expected) {
  pthread_mutex_lock(&scene->lock);
  bool has = strcmp(scene->cargo[n].told, expected) == 0;
  pthread_mutex_unlock(&scene->lock);
  return has;
}

void logs_expect(logs_scene_t *scene, unsigned n, const char *expected) {
  uint64_t end_ns = tally_clock_monotonic_ns() + PATIENCE_NS;
  while (!has_told(scene, n, expected) && tally_clock_monotonic_ns() < end_ns)
    usleep(2000);
  usleep(AFTERWARDS_US);
  pthread_mutex_lock(&scene->lock);
  assert_string_equal(scene->cargo[n].told, expected);
  scene->cargo[n].told[0] = '\0';
  pthread_mutex_unlock(&scene->lock);
}

const char *logs_position(logs_scene_t *scene, unsigned n) {
  static char text[TALLY_LOG_POSITION_SIZE];
  pthread_mutex_lock(&scene->lock);
  tally_log_position_format(&scene->cargo[n].position, text);
  pthread_mutex_unlock(&scene->lock);
  return text;
}

/* ---- life ---------------------------------------------------------------- */

logs_scene_t *logs_open(void) {
  logs_scene_t *scene = calloc(1, sizeof(*scene));
  assert_non_null(scene);
  pthread_mutex_init(&scene->lock, NULL);
  pthread_cond_init(&scene->changed, NULL);
  for (unsigned n = 0; n < LOGS_CONTAINERS; n++)
    scene->cargo[n].take = SIZE_MAX;
  scene->quay = quay_open();
  quay_set_hook(scene->quay, answer_logs, scene);
  assert_int_equal(tally_endpoint_parse(&scene->endpoint,
                                        quay_endpoint(scene->quay), NULL, NULL),
                   0);
  scene->inventory = tally_inventory_acquire(&scene->endpoint, NULL);
  assert_non_null(scene->inventory);
  const tally_log_reader_options_t options = {.on_lines = on_lines,
                                              .on_end = on_end};
  scene->reader = tally_log_reader_create(scene->inventory, &options, NULL);
  assert_non_null(scene->reader);
  return scene;
}

void logs_close(logs_scene_t *scene) {
  tally_log_reader_destroy(scene->reader);
  tally_inventory_release(scene->inventory);
  pthread_mutex_lock(&scene->lock);
  scene->closing = true;
  pthread_cond_broadcast(&scene->changed);
  pthread_mutex_unlock(&scene->lock);
  quay_close(scene->quay);
  tally_endpoint_clear(&scene->endpoint);
  for (unsigned n = 0; n < LOGS_CONTAINERS; n++) {
    for (size_t i = 0; i < scene->cargo[n].count; i++)
      free(scene->cargo[n].pieces[i].bytes);
    free(scene->cargo[n].pieces);
  }
  pthread_mutex_destroy(&scene->lock);
  pthread_cond_destroy(&scene->changed);
  free(scene);
}

quay_t *logs_quay(logs_scene_t *scene) { return scene->quay; }
tally_log_reader_t *logs_reader(logs_scene_t *scene) { return scene->reader; }

const tally_container_t *logs_container(logs_scene_t *scene, unsigned n,
                                        tally_container_state_t state) {
  uint64_t end_ns = tally_clock_monotonic_ns() + PATIENCE_NS;
  while (tally_clock_monotonic_ns() < end_ns) {
    const tally_snapshot_t *snapshot =
        tally_inventory_snapshot(scene->inventory);
    const tally_container_t *c = tally_snapshot_find(snapshot, quay_id(n));
    if (c != NULL && c->state == state)
      tally_container_ref(c);
    else
      c = NULL;
    uint64_t seen = snapshot->generation;
    tally_snapshot_unref(snapshot);
    if (c != NULL)
      return c;
    tally_inventory_wait(scene->inventory, seen, 1000);
  }
  fail_msg("container %u is not %s", n, tally_container_state_name(state));
  return NULL;
}

void logs_start(logs_scene_t *scene, unsigned n) {
  cargo_t *cargo = &scene->cargo[n];
  pthread_mutex_lock(&scene->lock);
  cargo->running = true;
  bool first = cargo->runs++ == 0;
  pthread_cond_broadcast(&scene->changed);
  pthread_mutex_unlock(&scene->lock);
  if (first)
    quay_happen(scene->quay, n, "create");
  quay_happen(scene->quay, n, "start");
  tally_container_unref(logs_container(scene, n, TALLY_CONTAINER_RUNNING));
}

static void end_stream(logs_scene_t *scene, unsigned n) {
  pthread_mutex_lock(&scene->lock);
  scene->cargo[n].running = false;
  pthread_cond_broadcast(&scene->changed);
  pthread_mutex_unlock(&scene->lock);
}

void logs_die(logs_scene_t *scene, unsigned n) {
  end_stream(scene, n);
  quay_happen(scene->quay, n, "die");
}

void logs_die_known(logs_scene_t *scene, unsigned n) {
  quay_happen(scene->quay, n, "die");
  tally_container_unref(logs_container(scene, n, TALLY_CONTAINER_EXITED));
  end_stream(scene, n);
}

void logs_follow(logs_scene_t *scene, unsigned n, const char *from) {
  const tally_snapshot_t *snapshot = tally_inventory_snapshot(scene->inventory);
  const tally_container_t *container =
      tally_snapshot_find(snapshot, quay_id(n));
  assert_non_null(container);
  pthread_mutex_lock(&scene->lock);
  scene->cargo[n].tty = container->tty;
  pthread_mutex_unlock(&scene->lock);
  tally_log_position_t position;
  if (from != NULL)
    assert_int_equal(tally_log_position_parse(from, &position), 0);
  tally_error_t err = {0};
  assert_int_equal(tally_log_reader_follow(scene->reader, container,
                                           from != NULL ? &position : NULL,
                                           scene, &err),
                   0);
  tally_snapshot_unref(snapshot);
}

/* ---- waiting ------------------------------------------------------------- */

tally_log_reader_stats_t logs_stats(logs_scene_t *scene) {
  tally_log_reader_stats_t stats;
  tally_log_reader_stats(scene->reader, &stats);
  return stats;
}

void logs_await_open(logs_scene_t *scene, size_t streams) {
  uint64_t end_ns = tally_clock_monotonic_ns() + PATIENCE_NS;
  while (tally_clock_monotonic_ns() < end_ns &&
         (logs_stats(scene).open != streams ||
          logs_stats(scene).connects < streams))
    usleep(2000);
  assert_int_equal(logs_stats(scene).open, streams);
}

void logs_await_lines(logs_scene_t *scene, uint64_t lines) {
  uint64_t end_ns = tally_clock_monotonic_ns() + PATIENCE_NS;
  while (tally_clock_monotonic_ns() < end_ns && logs_stats(scene).lines < lines)
    usleep(2000);
  assert_int_equal(logs_stats(scene).lines, lines);
}

unsigned logs_requests(logs_scene_t *scene, unsigned n, const char *part) {
  char text[256];
  snprintf(text, sizeof(text), "/containers/%s/logs?%s", quay_id(n), part);
  return quay_requests(scene->quay, text);
}
