/* SPDX-License-Identifier: MIT */
/* The inventory against Engines that hang, lie and talk nonsense. */
#include "config.h"

#include "unit.h"

#include <unistd.h>

#include "core/clock.h"
#include "docker/docker.h"
#include "logbook.h"
#include "quay.h"

#define ID                                                                     \
  "00000063"                                                                   \
  "00000000000000000000000000000000000000000000000000000000" /* ship 98 */

typedef struct scene_s {
  quay_t *quay;
  logbook_t *book;
  tally_endpoint_t endpoint;
  tally_inventory_t *inventory;
  tally_subscription_t *subscription;
} scene_t;

static int open_scene(void **state) {
  scene_t *scene = calloc(1, sizeof(*scene));
  scene->quay = quay_open();
  scene->book = logbook_open();
  tally_endpoint_parse(&scene->endpoint, quay_endpoint(scene->quay), NULL,
                       NULL);
  *state = scene;
  return 0;
}

static void arrive(scene_t *scene) {
  scene->inventory = tally_inventory_acquire(&scene->endpoint, NULL);
  assert_non_null(scene->inventory);
  scene->subscription = tally_inventory_subscribe(
      scene->inventory,
      &(tally_subscription_options_t){
          .name = "test", .on_event = logbook_on_event, .data = scene->book},
      NULL);
  assert_non_null(scene->subscription);
}

/* Within a second, whatever the daemon does. */
static void depart(scene_t *scene) {
  uint64_t begin_ns = tally_clock_monotonic_ns();
  tally_subscription_cancel(scene->subscription);
  tally_inventory_release(scene->inventory);
  assert_true(tally_clock_monotonic_ns() - begin_ns < TALLY_NS_PER_S);
  scene->inventory = NULL;
  scene->subscription = NULL;
}

static int close_scene(void **state) {
  scene_t *scene = *state;
  depart(scene);
  tally_endpoint_clear(&scene->endpoint);
  quay_close(scene->quay);
  logbook_close(scene->book);
  free(scene);
  return 0;
}

static bool is_listed(const tally_snapshot_t *s) {
  return s->daemon.reachable && s->daemon.listed;
}

static bool has_problem(const tally_snapshot_t *s) {
  return s->daemon.problem[0] != '\0';
}

static void await(scene_t *scene, bool (*wanted)(const tally_snapshot_t *)) {
  tally_snapshot_unref(logbook_await(scene->inventory, wanted));
}

static void await_listeners(scene_t *scene, unsigned count) {
  for (int i = 0; i < 1000 && quay_listeners(scene->quay) != count; i++)
    usleep(10000);
  assert_int_equal(quay_listeners(scene->quay), count);
}

static tally_inventory_stats_t stats_of(scene_t *scene) {
  tally_inventory_stats_t stats;
  tally_inventory_stats(scene->inventory, &stats);
  return stats;
}

/* ---- the stream ---------------------------------------------------------- */

static size_t put_event(char *text, size_t size, const char *action,
                        const char *filler) {
  uint64_t now_ns = tally_clock_realtime_ns();
  return (size_t)snprintf(
      text, size,
      "{\"Type\":\"container\",\"Action\":\"%s\",\"Actor\":{\"ID\":\"" ID
      "\",\"Attributes\":{\"name\":\"raft\",\"f\":\"%s\"}},\"timeNano\":%llu}"
      "\n",
      action, filler, (unsigned long long)now_ns);
}

static void test_pieces(void **state) {
  scene_t *scene = *state;
  arrive(scene);
  await(scene, is_listed);
  static const size_t pieces[] = {1, 7, 100, SIZE_MAX};
  char text[512];
  for (size_t i = 0; i < COUNT_OF(pieces); i++) {
    size_t len = put_event(text, sizeof(text), "top", "}{\\\"");
    quay_say(scene->quay, text, len, pieces[i]);
  }
  logbook_expect(scene->book, "raft", "top ?, top ?, top ?, top ?");
  assert_int_equal(logbook_warnings(), 0);
}

/* Thousands of events glued together, in reads of 64 KiB. */
static void test_glued(void **state) {
  scene_t *scene = *state;
  arrive(scene);
  await(scene, is_listed);
  enum { EVENTS = 3000 };
  char *text = malloc(EVENTS * 300);
  size_t len = 0;
  for (int i = 0; i < EVENTS; i++)
    len += put_event(text + len, 300, "top", "");
  quay_say(scene->quay, text, len, 65536);
  free(text);
  logbook_expect_count(scene->book, EVENTS);
  assert_int_equal(stats_of(scene).connects, 1);
}

static void test_large_event(void **state) {
  scene_t *scene = *state;
  arrive(scene);
  await(scene, is_listed);
  size_t size = 1000000;
  char *filler = malloc(size), *text = malloc(size + 512);
  memset(filler, 'x', size);
  filler[size - 1] = '\0';
  size_t len = put_event(text, size + 512, "top", filler);
  quay_say(scene->quay, text, len, 65536);
  logbook_expect(scene->book, "raft", "top ?");
  assert_int_equal(logbook_warnings(), 0);
  free(filler);
  free(text);
}

/* The connection ends in the middle of an event; it comes again. */
static void test_cut_event(void **state) {
  scene_t *scene = *state;
  arrive(scene);
  await(scene, is_listed);
  quay_say(scene->quay, "{\"Type\":\"contai", 15, SIZE_MAX);
  quay_hang_up(scene->quay);
  await_listeners(scene, 1);
  quay_happen(scene->quay, 5, "create");
  logbook_expect(scene->book, "ship5", "create created");
}

/* One warning, a new connection, and the events go on. */
static void test_foul_streams(void **state) {
  scene_t *scene = *state;
  size_t size = 3 * 1024 * 1024;
  char *endless = malloc(size);
  memset(endless, 'x', size);
  memcpy(endless, "{\"", 2);
  const struct {
    const char *bytes;
    size_t len;
    const char *warning;
  } cases[] = {
      {"<html>", 6, "should begin"},
      {"\0\0\0\0", 4, "should begin"},
      {"[]", 2, "should begin"},
      {endless, size, "longer than"},
  };
  arrive(scene);
  await(scene, is_listed);
  for (unsigned i = 0; i < COUNT_OF(cases); i++) {
    quay_say(scene->quay, cases[i].bytes, cases[i].len, 65536);
    for (int ms = 0; ms < 10000 && stats_of(scene).connects < i + 2; ms += 10)
      usleep(10000);
    assert_int_equal(stats_of(scene).connects, i + 2);
    assert_non_null(strstr(logbook_last_warning(), cases[i].warning));
    await_listeners(scene, 1);
    quay_happen(scene->quay, i, "create");
    char name[16];
    snprintf(name, sizeof(name), "ship%u", i);
    logbook_expect(scene->book, name, "create created");
  }
  assert_true(logbook_warnings() <= COUNT_OF(cases));
  free(endless);
}

/* Texts that are no events are counted, warned of once, and hurt nobody. */
static void test_no_events(void **state) {
  static const char *const texts[] = {
      "{}",
      "{\"Action\":\"die\"}",
      "{\"a\":}",
      "{\"a\":[[[[}]]]}",
      "{\"Action\":{},\"timeNano\":\"5\"}",
      "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":"
      "\"\xff\"},\"timeNano\":5}",
  };
  scene_t *scene = *state;
  arrive(scene);
  await(scene, is_listed);
  for (size_t i = 0; i < COUNT_OF(texts); i++)
    quay_say(scene->quay, texts[i], strlen(texts[i]), SIZE_MAX);
  char deep[600] = ""; /* an array of arrays of … */
  memset(deep, '[', 250);
  memcpy(deep, "{\"a\":", 5);
  memset(deep + 250, ']', 245);
  strcat(deep, "}");
  quay_say(scene->quay, deep, strlen(deep), SIZE_MAX);
  quay_happen(scene->quay, 1, "create");
  logbook_expect(scene->book, "ship1", "create created");
  assert_int_equal(stats_of(scene).events_invalid, COUNT_OF(texts) + 1);
  assert_int_equal(logbook_warnings(), 1);
  assert_int_equal(stats_of(scene).connects, 1);
}

/* Without nanoseconds equal texts may be two events, live; but not when they
 * are sent again from memory. */
static void test_old_events(void **state) {
  scene_t *scene = *state;
  arrive(scene);
  await(scene, is_listed);
  char text[256];
  int len = snprintf(
      text, sizeof(text),
      "{\"status\":\"exec_start\",\"id\":\"" ID
      "\",\"from\":\"b\",\"time\":%llu}",
      (unsigned long long)(tally_clock_realtime_ns() / TALLY_NS_PER_S + 2));
  for (int i = 0; i < 3; i++)
    quay_say(scene->quay, text, (size_t)len, SIZE_MAX);
  logbook_expect_count(scene->book, 3);
}

/* ---- answers ------------------------------------------------------------- */

typedef enum way_e { GARBAGE, NO_HTTP, ERROR, HUGE, HALF, HANG, WRONG } way_t;

typedef struct lie_s {
  char path[96]; /* requests with this part */
  way_t way;
} lie_t;

static void write_huge(int fd) {
  quay_write(fd, QUAY_STREAM_HEADER, strlen(QUAY_STREAM_HEADER));
  char block[65536];
  memset(block, ' ', sizeof(block));
  for (int i = 0; i < 17 * 16; i++)
    quay_write(fd, block, sizeof(block));
}

static bool lie(quay_t *quay, const char *request, int fd, void *data) {
  const lie_t *l = data;
  if (strstr(request, l->path) == NULL)
    return false;
  char byte;
  switch (l->way) {
  case GARBAGE:
    quay_answer(fd, 200, "}{ what?");
    break;
  case NO_HTTP:
    quay_write(fd, "SSH-2.0-quay\r\n", 14);
    return true;
  case ERROR:
    quay_answer(fd, 500, "{\"message\":\"mutiny\"}");
    break;
  case HUGE:
    write_huge(fd);
    break;
  case HALF:
    quay_write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{", 43);
    return true;
  case HANG:
    while (read(fd, &byte, 1) > 0) /* until somebody gives up */
      ;
    break;
  case WRONG:
    quay_answer(fd, 200, "{\"Id\":\"" ID "\",\"State\":{}}");
    break;
  }
  return true;
}

/* The Engine's threads may look at a lie after the next one has begun, so each
 * stays as it is. */
static void begin_lie(scene_t *scene, const char *path, way_t way) {
  static lie_t lies[64];
  static size_t count;
  assert_true(count < COUNT_OF(lies));
  lie_t *l = &lies[count++];
  snprintf(l->path, sizeof(l->path), "%s", path);
  l->way = way;
  quay_set_hook(scene->quay, lie, l);
}

/* Nobody gets further than this request; nobody is harmed. */
static void test_lies(void **state) {
  static const char *const paths[] = {"/_ping", "/version", "/events?since",
                                      "/containers/json"};
  static const way_t ways[] = {GARBAGE, NO_HTTP, ERROR, HUGE};
  scene_t *scene = *state;
  quay_happen(scene->quay, 1, "create");
  for (size_t p = 0; p < COUNT_OF(paths); p++)
    for (size_t w = 0; w < COUNT_OF(ways); w++) {
      if (strcmp(paths[p], "/_ping") == 0 && ways[w] == GARBAGE)
        continue; /* any text will do */
      if (strcmp(paths[p], "/events?since") == 0 && ways[w] == HUGE)
        continue; /* blanks between events are no crime */
      begin_lie(scene, paths[p], ways[w]);
      logbook_t *book = logbook_open();
      arrive(scene);
      for (int ms = 0; ms < 10000 && logbook_warnings() == 0; ms += 10)
        usleep(10000);
      /* the stream and the list may both have been wrong */
      assert_in_range(logbook_warnings(), 1, 2);
      assert_non_null(
          strstr(logbook_last_warning(), quay_endpoint(scene->quay)));
      if (ways[w] == ERROR)
        assert_non_null(strstr(logbook_last_warning(), "mutiny"));
      if (ways[w] == HUGE)
        assert_non_null(strstr(logbook_last_warning(), "longer than"));

      /* it comes to its senses */
      quay_set_hook(scene->quay, NULL, NULL);
      if (strcmp(paths[p], "/containers/json") != 0)
        await(scene, is_listed); /* the list is tried again much later */
      depart(scene);
      logbook_close(book);
    }
  arrive(scene);
}

/* Departure is prompt wherever the daemon hangs. */
static void test_hanging(void **state) {
  static const char *const paths[] = {"/_ping", "/version", "/events?since",
                                      "/containers/json", "/containers/0"};
  scene_t *scene = *state;
  quay_happen(scene->quay, 1, "create");
  for (size_t p = 0; p < COUNT_OF(paths); p++) {
    begin_lie(scene, paths[p], HANG);
    unsigned before = quay_requests(scene->quay, paths[p]);
    arrive(scene);
    for (int ms = 0;
         ms < 10000 && quay_requests(scene->quay, paths[p]) == before; ms += 10)
      usleep(10000);
    assert_true(quay_requests(scene->quay, paths[p]) > before);
    depart(scene);
    quay_set_hook(scene->quay, NULL, NULL);
  }
  arrive(scene);
}

/* ---- inspect ------------------------------------------------------------- */

/* Whatever inspect says, the event is told, and others are not kept waiting
 * longer than a moment. The truth follows when it can be had. */
static void test_bad_inspects(void **state) {
  static const way_t ways[] = {GARBAGE, NO_HTTP, ERROR, HUGE, HALF, WRONG};
  scene_t *scene = *state;
  arrive(scene);
  await(scene, is_listed);
  for (unsigned w = 0; w < COUNT_OF(ways); w++) {
    char path[96], name[16];
    snprintf(path, sizeof(path), "/containers/%s", quay_id(w));
    snprintf(name, sizeof(name), "ship%u", w);
    begin_lie(scene, path, ways[w]);
    quay_happen(scene->quay, w, "create");
    quay_happen(scene->quay, w + 20, "create");
    snprintf(name, sizeof(name), "ship%u", w + 20);
    logbook_expect(scene->book, name, "create created");
    snprintf(name, sizeof(name), "ship%u", w);
    logbook_expect(scene->book, name, "create ?");

    quay_set_hook(scene->quay, NULL, NULL);
    for (int ms = 0; ms < 10000; ms += 10) {
      const tally_snapshot_t *s = tally_inventory_snapshot(scene->inventory);
      const tally_container_t *c = tally_snapshot_find(s, quay_id(w));
      bool known = c != NULL && c->env_count == 1;
      tally_snapshot_unref(s);
      if (known)
        break;
      usleep(10000);
    }
    quay_happen(scene->quay, w, "start");
    logbook_expect(scene->book, name, "create ?, start running");
  }
  assert_true(stats_of(scene).inspect_errors >= COUNT_OF(ways));
}

static void test_hanging_inspect(void **state) {
  scene_t *scene = *state;
  arrive(scene);
  await(scene, is_listed);
  char path[96];
  snprintf(path, sizeof(path), "/containers/%s", quay_id(0));
  begin_lie(scene, path, HANG);
  uint64_t begin_ns = tally_clock_monotonic_ns();
  quay_happen(scene->quay, 0, "create");
  quay_happen(scene->quay, 0, "start");
  quay_happen(scene->quay, 1, "create");
  quay_happen(scene->quay, 1, "start");
  logbook_expect_count(scene->book, 4);
  assert_true(tally_clock_monotonic_ns() - begin_ns < 4 * TALLY_NS_PER_S);
  logbook_expect(scene->book, "ship0", "create ?, start ?");
  /* the one that can be asked has been published meanwhile */
  const tally_snapshot_t *s = tally_inventory_snapshot(scene->inventory);
  assert_true(tally_snapshot_find(s, quay_id(1))->pid > 0);
  tally_snapshot_unref(s);
  quay_set_hook(scene->quay, NULL, NULL);
}

/* ---- all at once --------------------------------------------------------- */

static void test_problem_and_recovery(void **state) {
  scene_t *scene = *state;
  begin_lie(scene, "/_ping", ERROR);
  arrive(scene);
  const tally_snapshot_t *s = logbook_await(scene->inventory, has_problem);
  assert_false(s->daemon.reachable);
  assert_string_equal(s->daemon.problem, "GET /_ping: mutiny");
  tally_snapshot_unref(s);
  usleep(500000); /* several attempts */
  assert_int_equal(logbook_warnings(), 1);
  quay_set_hook(scene->quay, NULL, NULL);
  await(scene, is_listed);
}

#define SCENE(test)                                                            \
  cmocka_unit_test_setup_teardown(test, open_scene, close_scene)

int main(void) {
  const struct CMUnitTest tests[] = {
      SCENE(test_pieces),          SCENE(test_glued),
      SCENE(test_large_event),     SCENE(test_cut_event),
      SCENE(test_foul_streams),    SCENE(test_no_events),
      SCENE(test_old_events),      SCENE(test_lies),
      SCENE(test_hanging),         SCENE(test_bad_inspects),
      SCENE(test_hanging_inspect), SCENE(test_problem_and_recovery),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
