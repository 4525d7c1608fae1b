/* SPDX-License-Identifier: MIT */
/* The watcher on a scripted Engine: views, notices, other settings. */
#include "config.h"

#include "unit.h"

#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "quay.h"
#include "watch_private.h"

/* Waits until a condition holds, at most ten seconds. */
#define AWAIT(condition)                                                       \
  do {                                                                         \
    uint64_t end = tally_clock_monotonic_ns() + 10 * TALLY_NS_PER_S;           \
    while (!(condition)) {                                                     \
      assert_true(tally_clock_monotonic_ns() < end);                           \
      nanosleep(&(struct timespec){.tv_nsec = 2 * TALLY_NS_PER_MS}, NULL);     \
    }                                                                          \
  } while (0)

/* ---- the scene ----------------------------------------------------------- */

typedef struct scene_s {
  quay_t *quay;
  tally_board_t *board;
  tally_notices_t *notices;
  tally_watch_t *watch;
} scene_t;

static void wake(void *data) {}

static tally_settings_t *make_settings(const scene_t *scene) {
  tally_settings_t *settings = tally_settings_create();
  assert_non_null(settings);
  settings->interval = 0.1;
  settings->docker_endpoint = strdup(quay_endpoint(scene->quay));
  free(settings->collectd_socket);
  settings->collectd_socket = NULL;
  return settings;
}

static void open_scene(scene_t *scene) {
  scene->quay = quay_open();
  scene->board = tally_board_create();
  scene->notices = tally_notices_create(wake, NULL, NULL);
  scene->watch = NULL;
}

static void start(scene_t *scene) {
  tally_settings_t *settings = make_settings(scene);
  scene->watch =
      tally_watch_start(settings, scene->board, scene->notices, NULL);
  assert_non_null(scene->watch);
  tally_settings_unref(settings);
}

static void close_scene(scene_t *scene) {
  tally_watch_stop(scene->watch);
  tally_board_destroy(scene->board);
  tally_notices_destroy(scene->notices);
  quay_close(scene->quay);
}

/* ---- what is on the board ------------------------------------------------ */

static tally_node_row_t node_of(const scene_t *scene) {
  tally_node_row_t node = {.docker_reachable = 0};
  const tally_view_t *view = tally_board_take(scene->board);
  if (view == NULL)
    return node;
  node = *(const tally_node_row_t *)tally_view_row(view, TALLY_TABLE_NODE, 0);
  tally_view_unref(view);
  return node;
}

/* The state of a container; 0: it is not there. */
static uint64_t state_of(const scene_t *scene, const char *name) {
  uint64_t state = 0;
  const tally_view_t *view = tally_board_take(scene->board);
  size_t count =
      view != NULL ? tally_view_count(view, TALLY_TABLE_CONTAINERS) : 0;
  for (size_t i = 0; i < count; i++) {
    const tally_container_row_t *row =
        (const tally_container_row_t *)tally_view_row(
            view, TALLY_TABLE_CONTAINERS, i);
    if (strcmp(row->name, name) == 0)
      state = row->state;
  }
  tally_view_unref(view);
  return state;
}

static size_t disks_of(const scene_t *scene) {
  const tally_view_t *view = tally_board_take(scene->board);
  size_t count = view != NULL ? tally_view_count(view, TALLY_TABLE_DISKS) : 0;
  tally_view_unref(view);
  return count;
}

/* The next notice of this kind within ten seconds. */
static tally_notice_t await_notice(scene_t *scene, tally_notice_kind_t kind) {
  tally_notice_t notice;
  AWAIT(tally_notices_take(scene->notices, &notice) && notice.kind == kind);
  return notice;
}

/* ---- tests --------------------------------------------------------------- */

static void test_views(void **state) {
  scene_t scene;
  open_scene(&scene);
  quay_happen(scene.quay, 1, "create");
  quay_happen(scene.quay, 1, "start");
  quay_happen(scene.quay, 2, "create");
  start(&scene);
  AWAIT(state_of(&scene, "ship1") == TALLY_CONTAINER_RUNNING + 1);
  assert_int_equal(state_of(&scene, "ship2"), TALLY_CONTAINER_CREATED + 1);
  AWAIT(disks_of(&scene) > 0);

  tally_node_row_t node = node_of(&scene);
  assert_int_equal(node.docker_reachable, TALLY_TRUE);
  assert_int_equal(node.containers_running, 1);
  assert_int_equal(node.containers_created, 1);
  assert_int_equal(node.sinks_state, 2);
  assert_true(node.memory_total > 0 && node.memory_total != TALLY_UNKNOWN);
  assert_true(node.sample_ns <= tally_clock_realtime_ns());
  assert_true(tally_watch_last_ns(scene.watch) > 0);

  quay_happen(scene.quay, 1, "die");
  AWAIT(state_of(&scene, "ship1") == TALLY_CONTAINER_EXITED + 1);
  quay_happen(scene.quay, 1, "destroy");
  AWAIT(state_of(&scene, "ship1") == 0);
  assert_int_equal(state_of(&scene, "ship2"), TALLY_CONTAINER_CREATED + 1);
  close_scene(&scene);
}

static void test_notices(void **state) {
  scene_t scene;
  open_scene(&scene);
  quay_happen(scene.quay, 1, "create");
  quay_happen(scene.quay, 1, "start");
  start(&scene);
  AWAIT(state_of(&scene, "ship1") == TALLY_CONTAINER_RUNNING + 1);

  quay_happen(scene.quay, 1, "pause");
  tally_notice_t notice = await_notice(&scene, TALLY_NOTICE_CONTAINER_STATE);
  assert_string_equal(notice.object, "ship1");
  assert_string_equal(notice.id, quay_id(1));
  assert_int_equal(notice.previous_state, TALLY_CONTAINER_RUNNING + 1);
  assert_int_equal(notice.state, TALLY_CONTAINER_PAUSED + 1);

  quay_happen(scene.quay, 1, "die");
  notice = await_notice(&scene, TALLY_NOTICE_CONTAINER_DIED);
  assert_string_equal(notice.object, "ship1");
  assert_int_equal(notice.state, TALLY_CONTAINER_EXITED + 1);
  assert_true(notice.exit_code != TALLY_UNKNOWN);
  assert_non_null(strstr(notice.text, "Dead"));

  quay_happen(scene.quay, 1, "oom");
  (void)await_notice(&scene, TALLY_NOTICE_CONTAINER_OOM);
  quay_happen(scene.quay, 1, "health_status: unhealthy");
  (void)await_notice(&scene, TALLY_NOTICE_CONTAINER_UNHEALTHY);
  quay_happen(scene.quay, 1, "exec_start: true"); /* is no news */
  quay_happen(scene.quay, 1, "destroy");
  notice = await_notice(&scene, TALLY_NOTICE_CONTAINER_STATE);
  assert_int_equal(notice.state, TALLY_CONTAINER_REMOVING + 1);
  close_scene(&scene);
}

static void test_engine_goes_and_comes(void **state) {
  scene_t scene;
  open_scene(&scene);
  quay_happen(scene.quay, 1, "create");
  start(&scene);
  AWAIT(state_of(&scene, "ship1") != 0);
  quay_go(scene.quay);
  tally_notice_t notice = await_notice(&scene, TALLY_NOTICE_DOCKER_LOST);
  assert_true(strlen(notice.text) > strlen("Docker does not answer: "));
  AWAIT(node_of(&scene).docker_reachable == TALLY_FALSE);
  assert_int_equal(state_of(&scene, "ship1"), TALLY_CONTAINER_CREATED + 1);
  quay_return(scene.quay);
  (void)await_notice(&scene, TALLY_NOTICE_DOCKER_BACK);
  AWAIT(node_of(&scene).docker_reachable == TALLY_TRUE);
  close_scene(&scene);
}

static void test_other_settings(void **state) {
  scene_t scene, other;
  open_scene(&scene);
  open_scene(&other);
  quay_happen(scene.quay, 1, "create");
  quay_happen(scene.quay, 2, "create");
  quay_happen(other.quay, 3, "create");
  start(&scene);
  AWAIT(state_of(&scene, "ship1") != 0 && state_of(&scene, "ship2") != 0);

  tally_settings_t *settings = make_settings(&scene);
  settings->names = tally_select_create();
  assert_int_equal(tally_select_add(settings->names, "ship2", NULL), 0);
  assert_int_equal(tally_watch_configure(scene.watch, settings, NULL), 0);
  tally_settings_unref(settings);
  AWAIT(state_of(&scene, "ship1") == 0);
  assert_int_equal(state_of(&scene, "ship2"), TALLY_CONTAINER_CREATED + 1);

  /* nonsense changes nothing */
  settings = make_settings(&scene);
  free(settings->docker_endpoint);
  settings->docker_endpoint = strdup("ftp://nowhere");
  tally_error_t err = {0};
  assert_int_equal(tally_watch_configure(scene.watch, settings, &err), -1);
  assert_non_null(strstr(err.message, "ftp://nowhere"));
  tally_settings_unref(settings);

  /* another Engine */
  settings = make_settings(&other);
  assert_int_equal(tally_watch_configure(scene.watch, settings, NULL), 0);
  tally_settings_unref(settings);
  AWAIT(state_of(&scene, "ship3") != 0);
  assert_int_equal(state_of(&scene, "ship2"), 0);
  close_scene(&scene);
  close_scene(&other);
}

/* An Engine that answers nothing delays neither views nor the end. */
static bool say_nothing(quay_t *quay, const char *request, int fd, void *data) {
  char byte;
  while (read(fd, &byte, 1) > 0)
    ;
  return true;
}

static void test_silent_engine(void **state) {
  scene_t scene;
  open_scene(&scene);
  quay_set_hook(scene.quay, say_nothing, NULL);
  start(&scene);
  AWAIT(node_of(&scene).sample_ns != 0);
  uint64_t before = tally_watch_last_ns(scene.watch);
  AWAIT(tally_watch_last_ns(scene.watch) > before);
  close_scene(&scene);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_views),
      cmocka_unit_test(test_notices),
      cmocka_unit_test(test_engine_goes_and_comes),
      cmocka_unit_test(test_other_settings),
      cmocka_unit_test(test_silent_engine),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
