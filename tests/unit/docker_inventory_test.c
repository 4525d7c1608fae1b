/* SPDX-License-Identifier: MIT */
/* The inventory against an Engine that behaves: snapshots, events, restarts. */
#include "config.h"

#include "unit.h"

#include <unistd.h>

#include "core/clock.h"
#include "docker/docker.h"
#include "logbook.h"
#include "quay.h"
#include "tree.h"

typedef struct scene_s {
  quay_t *quay;
  logbook_t *book;
  tally_endpoint_t endpoint;
  tally_inventory_t *inventory;
  tally_subscription_t *subscription;
  tree_t tree; /* state directory */
} scene_t;

static int open_scene(void **state) {
  scene_t *scene = calloc(1, sizeof(*scene));
  scene->quay = quay_open();
  scene->book = logbook_open();
  tree_create(&scene->tree);
  assert_int_equal(tally_endpoint_parse(&scene->endpoint,
                                        quay_endpoint(scene->quay), NULL, NULL),
                   0);
  *state = scene;
  return 0;
}

static void arrive(scene_t *scene, bool durable) {
  tally_error_t err = {0};
  scene->inventory = tally_inventory_acquire(&scene->endpoint, &err);
  assert_non_null(scene->inventory);
  scene->subscription = tally_inventory_subscribe(
      scene->inventory,
      &(tally_subscription_options_t){.name = "test",
                                      .state_dir =
                                          durable ? scene->tree.root : NULL,
                                      .on_event = logbook_on_event,
                                      .data = scene->book},
      &err);
  assert_non_null(scene->subscription);
}

static void depart(scene_t *scene) {
  tally_subscription_cancel(scene->subscription);
  tally_inventory_release(scene->inventory);
  scene->subscription = NULL;
  scene->inventory = NULL;
}

static int close_scene(void **state) {
  scene_t *scene = *state;
  depart(scene);
  tally_endpoint_clear(&scene->endpoint);
  tree_destroy(&scene->tree);
  logbook_close(scene->book);
  quay_close(scene->quay);
  free(scene);
  return 0;
}

static bool is_listed(const tally_snapshot_t *s) {
  return s->daemon.reachable && s->daemon.listed;
}

static bool is_unreachable(const tally_snapshot_t *s) {
  return s->daemon.since_ns != 0 && !s->daemon.reachable;
}

static bool has_running(const tally_snapshot_t *s) {
  for (size_t i = 0; i < s->count; i++)
    if (s->containers[i]->pid > 0)
      return true;
  return false;
}

static void await(scene_t *scene, bool (*wanted)(const tally_snapshot_t *)) {
  tally_snapshot_unref(logbook_await(scene->inventory, wanted));
}

/* ---- snapshots ----------------------------------------------------------- */

static void test_snapshot(void **state) {
  scene_t *scene = *state;
  for (unsigned n = 0; n < 200; n++)
    quay_happen(scene->quay, n, "create");
  quay_happen(scene->quay, 7, "start");
  arrive(scene, false);
  const tally_snapshot_t *s = logbook_await(scene->inventory, is_listed);
  assert_string_equal(s->daemon.version, "99.1-quay");
  assert_string_equal(s->daemon.api_version, "1.41");
  assert_string_equal(s->daemon.problem, "");
  assert_int_equal(s->count, 200);
  for (size_t i = 1; i < s->count; i++)
    assert_true(strcmp(s->containers[i - 1]->id, s->containers[i]->id) < 0);

  const tally_container_t *c = tally_snapshot_find(s, quay_id(7));
  assert_non_null(c);
  assert_string_equal(c->name, "ship7");
  assert_string_equal(tally_container_env(c, "NUMBER"), "7");
  assert_int_equal(c->state, TALLY_CONTAINER_RUNNING);
  assert_true(c->pid > 0);
  assert_null(tally_snapshot_find(s, quay_id(200)));
  assert_null(tally_snapshot_find(s, "nonsense"));

  /* a container outlives its snapshot */
  tally_container_ref(c);
  tally_snapshot_unref(s);
  assert_string_equal(c->name, "ship7");
  tally_container_unref(c);
  assert_int_equal(quay_requests(scene->quay, "/stats"), 0);
}

/* The wait of a reader: for news, for the end of time, for a wake-up. */
static void test_wait(void **state) {
  scene_t *scene = *state;
  arrive(scene, false);
  const tally_snapshot_t *s = logbook_await(scene->inventory, is_listed);
  uint64_t generation = s->generation;
  tally_snapshot_unref(s);
  assert_false(tally_inventory_wait(scene->inventory, generation, 20));
  quay_happen(scene->quay, 1, "create");
  assert_true(tally_inventory_wait(scene->inventory, generation, 5000));
}

/* The same endpoint is the same inventory, another one is another. */
static void test_shared(void **state) {
  scene_t *scene = *state;
  arrive(scene, false);
  tally_inventory_t *second = tally_inventory_acquire(&scene->endpoint, NULL);
  assert_ptr_equal(second, scene->inventory);
  tally_endpoint_t elsewhere;
  tally_endpoint_parse(&elsewhere, "unix:///nonexistent/sock", NULL, NULL);
  tally_inventory_t *third = tally_inventory_acquire(&elsewhere, NULL);
  assert_ptr_not_equal(third, scene->inventory);
  await(scene, is_listed);
  assert_int_equal(quay_listeners(scene->quay), 1);
  const tally_snapshot_t *s = logbook_await(third, is_unreachable);
  assert_non_null(strstr(s->daemon.problem, "No such file"));
  tally_snapshot_unref(s);
  tally_inventory_release(third);
  tally_inventory_release(second);
  tally_endpoint_clear(&elsewhere);
}

/* ---- events -------------------------------------------------------------- */

static void test_live(void **state) {
  scene_t *scene = *state;
  quay_happen(scene->quay, 0, "create");
  quay_happen(scene->quay, 0, "start");
  quay_happen(scene->quay, 1, "create");
  arrive(scene, false);
  logbook_expect(scene->book, "", "ship0 start:scan running");
  quay_happen(scene->quay, 1, "start");
  logbook_expect(scene->book, "ship1", "start running");
  quay_happen(scene->quay, 1, "exec_create: ls");
  quay_happen(scene->quay, 1, "pause");
  logbook_expect(scene->book, "ship1",
                 "start running, exec_create: ls running, pause paused");
  quay_happen(scene->quay, 1, "unpause");
  quay_happen(scene->quay, 1, "die");
  quay_happen(scene->quay, 1, "destroy");
  logbook_expect_count(scene->book, 7);
  const tally_snapshot_t *s = tally_inventory_snapshot(scene->inventory);
  assert_int_equal(s->count, 1);
  tally_snapshot_unref(s);
  assert_int_equal(logbook_warnings(), 0);
}

/* Whole lives in an instant: inspect comes too late, no event is missing. */
static void test_short_lives(void **state) {
  scene_t *scene = *state;
  arrive(scene, false);
  await(scene, is_listed);
  for (unsigned n = 0; n < 300; n++) {
    quay_happen(scene->quay, n, "create");
    quay_happen(scene->quay, n, "start");
    quay_happen(scene->quay, n, "die");
    quay_happen(scene->quay, n, "destroy");
  }
  logbook_expect_count(scene->book, 1200);
  for (unsigned n = 0; n < 300; n++) {
    char name[32], actions[4][16];
    snprintf(name, sizeof(name), "ship%u", n);
    assert_int_equal(sscanf(logbook_of(scene->book, name),
                            "%15s %*[^,], %15s %*[^,], %15s %*[^,], %15s",
                            actions[0], actions[1], actions[2], actions[3]),
                     4);
    assert_string_equal(actions[0], "create");
    assert_string_equal(actions[1], "start");
    assert_string_equal(actions[2], "die=7");
    assert_string_equal(actions[3], "destroy");
  }
  tally_inventory_stats_t stats;
  tally_inventory_stats(scene->inventory, &stats);
  assert_int_equal(stats.events, 1200);
  assert_int_equal(stats.events_dropped + stats.events_reconciled, 0);
}

/* ---- interruptions ------------------------------------------------------- */

static void test_replay(void **state) {
  scene_t *scene = *state;
  arrive(scene, false);
  await(scene, is_listed);
  quay_happen(scene->quay, 0, "create");
  for (int i = 0; i < 5; i++) {
    quay_hang_up(scene->quay);
    quay_happen(scene->quay, 0, "start");
    quay_happen(scene->quay, 0, "die");
  }
  logbook_expect_count(scene->book, 11);
  tally_inventory_stats_t stats;
  tally_inventory_stats(scene->inventory, &stats);
  assert_int_equal(stats.events, 11);
  assert_int_equal(stats.events_reconciled, 0);
  assert_int_equal(logbook_warnings(), 0); /* it was back at once */
}

static void test_daemon_restarts(void **state) {
  scene_t *scene = *state;
  quay_happen(scene->quay, 0, "create");
  quay_happen(scene->quay, 0, "start");
  quay_happen(scene->quay, 1, "create");
  quay_happen(scene->quay, 1, "start");
  quay_happen(scene->quay, 2, "create");
  quay_happen(scene->quay, 2, "start");
  arrive(scene, false);
  logbook_expect_count(scene->book, 3);
  await(scene, has_running);

  quay_go(scene->quay);
  await(scene, is_unreachable);
  while (logbook_warnings() == 0) /* the second attempt fails, too */
    usleep(10000);
  quay_happen_quietly(scene->quay, 0, "die");
  quay_happen_quietly(scene->quay, 1, "die");
  quay_happen_quietly(scene->quay, 1, "start");
  quay_happen_quietly(scene->quay, 2, "destroy");
  quay_happen_quietly(scene->quay, 3, "create");
  quay_happen_quietly(scene->quay, 3, "start");
  quay_happen_quietly(scene->quay, 3, "die");
  quay_return(scene->quay);
  logbook_expect_count(scene->book, 11);
  logbook_expect(scene->book, "ship0",
                 "start:scan running, die:reconciled=7 exited");
  logbook_expect(scene->book, "ship1",
                 "start:scan running, die:reconciled running, "
                 "start:reconciled running");
  logbook_expect(scene->book, "ship2",
                 "start:scan running, die:reconciled running, "
                 "destroy:reconciled running");
  logbook_expect(scene->book, "ship3",
                 "create:reconciled exited, start:reconciled exited, "
                 "die:reconciled=7 exited");
  assert_int_equal(logbook_warnings(), 1);
  assert_non_null(strstr(logbook_last_warning(), quay_endpoint(scene->quay)));
  tally_inventory_stats_t stats;
  tally_inventory_stats(scene->inventory, &stats);
  assert_int_equal(stats.events_reconciled, 8);
}

/* The daemon remembers only so much; the rest is made up, in order. */
static void test_overflowing_memory(void **state) {
  scene_t *scene = *state;
  quay_happen(scene->quay, 300, "create");
  quay_happen(scene->quay, 300, "start");
  arrive(scene, true);
  logbook_expect(scene->book, "", "ship300 start:scan running");
  depart(scene);
  for (unsigned n = 0; n < 200; n++) {
    quay_happen(scene->quay, n, "create");
    quay_happen(scene->quay, n, "start");
    quay_happen(scene->quay, n, "die");
  }
  arrive(scene, true);
  logbook_expect_count(scene->book, 601);
  for (unsigned n = 0; n < 200; n++) {
    char name[32];
    snprintf(name, sizeof(name), "ship%u", n);
    const char *told = logbook_of(scene->book, name);
    const char *create = strstr(told, "create");
    const char *start = strstr(told, "start");
    const char *die = strstr(told, "die");
    assert_true(create == told && create < start && start < die);
  }
}

static void test_own_restart(void **state) {
  scene_t *scene = *state;
  quay_happen(scene->quay, 0, "create");
  quay_happen(scene->quay, 0, "start");
  arrive(scene, true);
  logbook_expect(scene->book, "", "ship0 start:scan running");
  quay_happen(scene->quay, 1, "create");
  logbook_expect_count(scene->book, 2);
  depart(scene);

  quay_happen(scene->quay, 1, "start");
  quay_happen(scene->quay, 0, "die");
  arrive(scene, true);
  logbook_expect(scene->book, "",
                 "ship0 start:scan running, ship1 create created, "
                 "ship1 start running, ship0 die=7 exited");
  depart(scene);

  /* both restart */
  quay_go(scene->quay);
  quay_happen_quietly(scene->quay, 1, "die");
  quay_return(scene->quay);
  arrive(scene, true);
  logbook_expect(scene->book, "ship1",
                 "create created, start running, die:reconciled=7 exited");
  logbook_expect(scene->book, "ship0", "start:scan running, die=7 exited");
}

/* A durable subscription that comes later than the connection still gets what
 * it missed; the one that was there before gets nothing twice. */
static void test_late_subscription(void **state) {
  scene_t *scene = *state;
  quay_happen(scene->quay, 9, "create");
  quay_happen(scene->quay, 9, "start");
  arrive(scene, true);
  logbook_expect(scene->book, "", "ship9 start:scan running");
  depart(scene);
  quay_happen(scene->quay, 0, "create");

  logbook_t *other = logbook_open();
  scene->inventory = tally_inventory_acquire(&scene->endpoint, NULL);
  tally_subscription_t *early = tally_inventory_subscribe(
      scene->inventory,
      &(tally_subscription_options_t){
          .name = "early", .on_event = logbook_on_event, .data = other},
      NULL);
  await(scene, is_listed);
  quay_happen(scene->quay, 0, "start");
  logbook_expect(other, "ship0", "start running");
  scene->subscription = tally_inventory_subscribe(
      scene->inventory,
      &(tally_subscription_options_t){.name = "test",
                                      .state_dir = scene->tree.root,
                                      .on_event = logbook_on_event,
                                      .data = scene->book},
      NULL);
  logbook_expect_count(scene->book, 3);
  assert_memory_equal(logbook_of(scene->book, "ship0"), "create", 6);
  quay_happen(scene->quay, 0, "die");
  logbook_expect_count(scene->book, 4);
  logbook_expect(other, "ship0", "start running, die=7 exited");
  tally_subscription_cancel(early);
  logbook_close(other);
}

/* ---- subscriptions ------------------------------------------------------- */

/* A slow consumer with a small queue: what it lost is counted, and afterwards
 * made up for. */
static void test_slow_consumer(void **state) {
  scene_t *scene = *state;
  scene->inventory = tally_inventory_acquire(&scene->endpoint, NULL);
  scene->subscription = tally_inventory_subscribe(
      scene->inventory,
      &(tally_subscription_options_t){.name = "slow",
                                      .queue_bytes = 2000,
                                      .on_event = logbook_on_event,
                                      .data = scene->book},
      NULL);
  await(scene, is_listed);
  logbook_hold(scene->book, true);
  for (unsigned n = 0; n < 50; n++) {
    quay_happen(scene->quay, n, "create");
    quay_happen(scene->quay, n, "start");
    quay_happen(scene->quay, n, "die");
  }
  tally_inventory_stats_t stats;
  do {
    usleep(10000);
    tally_inventory_stats(scene->inventory, &stats);
  } while (stats.events < 150 || stats.events_dropped < 100);
  logbook_hold(scene->book, false);
  logbook_expect_count(scene->book, 150);
}

static void test_bad_subscriptions(void **state) {
  scene_t *scene = *state;
  arrive(scene, false);
  static const char *const names[] = {NULL, "", "a/b", "a b", "\xC3\xA4"};
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    tally_error_t err = {0};
    assert_null(tally_inventory_subscribe(
        scene->inventory,
        &(tally_subscription_options_t){.name = names[i],
                                        .on_event = logbook_on_event},
        &err));
    assert_non_null(strstr(err.message, "name"));
  }
  tally_error_t err = {0};
  tree_write(&scene->tree, "/file", "");
  char path[128];
  snprintf(path, sizeof(path), "%s/file", scene->tree.root);
  assert_null(tally_inventory_subscribe(
      scene->inventory,
      &(tally_subscription_options_t){
          .name = "x", .state_dir = path, .on_event = logbook_on_event},
      &err));
  assert_non_null(strstr(err.message, path));
}

/* ---- versions and requests ----------------------------------------------- */

static void test_api_versions(void **state) {
  static const struct {
    const char *header, *version, *minimum;
    const char *spoken; /* NULL: refused */
  } cases[] = {
      {"1.41", "1.41", "1.12", "1.41"},
      {NULL, "1.19", NULL, "1.19"}, /* Docker 1.7 */
      {"1.52", "1.52", "1.44", "1.52"},
      {"1.99", "1.99", "1.44", "1.52"}, /* of the future */
      {"1.99", "1.99", "1.60", NULL},
      {NULL, "1.18", NULL, NULL},
      {NULL, "nonsense", NULL, NULL},
  };
  scene_t *scene = *state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    quay_set_api(scene->quay, cases[i].header, cases[i].version,
                 cases[i].minimum);
    tally_inventory_t *inventory =
        tally_inventory_acquire(&scene->endpoint, NULL);
    const tally_snapshot_t *s = logbook_await(
        inventory, cases[i].spoken != NULL ? is_listed : is_unreachable);
    if (cases[i].spoken != NULL) {
      assert_string_equal(s->daemon.api_version, cases[i].spoken);
      char path[64];
      snprintf(path, sizeof(path), "/v%s/containers/json", cases[i].spoken);
      assert_true(quay_requests(scene->quay, path) > 0);
    } else {
      assert_non_null(strstr(s->daemon.problem, "API"));
    }
    tally_snapshot_unref(s);
    tally_inventory_release(inventory);
  }
  /* before API 1.22 there are no fractions of seconds */
  assert_int_equal(quay_requests(scene->quay, "/v1.19/events?since=1"),
                   quay_whole_seconds(scene->quay, "/v1.19/events?"));
  assert_int_equal(quay_whole_seconds(scene->quay, "/v1.41/events?"), 0);
  arrive(scene, false);
}

static bool update_hook(quay_t *quay, const char *request, int fd, void *data) {
  if (strncmp(request, "POST ", 5) != 0)
    return false;
  const char *length = strstr(request, "Content-Length: ");
  size_t len = length != NULL ? (size_t)atoi(length + 16) : 0;
  char body[256] = "";
  for (size_t i = 0; i < len && i < sizeof(body) - 1; i++)
    assert_int_equal(read(fd, body + i, 1), 1);
  snprintf(data, 256, "%s", body);
  if (strstr(request, "/v1.41/containers/abc/update") != NULL)
    quay_answer(fd, 200, "{\"Warnings\":null}");
  else
    quay_answer(fd, 500, "{\"message\":\"the hold is full\"}\n");
  return true;
}

static void test_request(void **state) {
  scene_t *scene = *state;
  char body[256] = "";
  quay_set_hook(scene->quay, update_hook, body);
  arrive(scene, false);
  char *answer = NULL;
  int status = 0;
  tally_error_t err = {0};
  assert_int_equal(tally_inventory_request(
                       scene->inventory, "POST", "/containers/abc/update",
                       "{\"Memory\":1}", 5000, &answer, &status, &err),
                   0);
  assert_int_equal(status, 200);
  assert_string_equal(answer, "{\"Warnings\":null}");
  assert_string_equal(body, "{\"Memory\":1}");
  free(answer);

  assert_int_equal(tally_inventory_request(scene->inventory, "POST",
                                           "/containers/x/update", "{}", 5000,
                                           &answer, &status, &err),
                   -1);
  assert_null(answer);
  assert_int_equal(status, 500);
  assert_int_equal(err.code, 0);
  assert_string_equal(err.message, "the hold is full");
  quay_set_hook(scene->quay, NULL, NULL);
}

#define SCENE(test)                                                            \
  cmocka_unit_test_setup_teardown(test, open_scene, close_scene)

int main(void) {
  const struct CMUnitTest tests[] = {
      SCENE(test_snapshot),        SCENE(test_wait),
      SCENE(test_shared),          SCENE(test_live),
      SCENE(test_short_lives),     SCENE(test_replay),
      SCENE(test_daemon_restarts), SCENE(test_overflowing_memory),
      SCENE(test_own_restart),     SCENE(test_late_subscription),
      SCENE(test_slow_consumer),   SCENE(test_bad_subscriptions),
      SCENE(test_api_versions),    SCENE(test_request),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
