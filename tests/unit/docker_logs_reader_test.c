/* SPDX-License-Identifier: MIT */
/* Every line once: whatever happens to the stream, the daemon, the container,
 * or to those who take the lines. */
#include "config.h"

#include "unit.h"

#include <pthread.h>
#include <unistd.h>

#include "core/clock.h"
#include "docker/logs.h"
#include "logbook.h"
#include "logs_scene.h"

#define FOLLOWING "follow=1"
#define READING "follow=0"

static void test_exited(void **state) {
  logs_scene_t *scene = logs_open();
  logs_start(scene, 0);
  logs_write(scene, 0, "o1 a~;e2 b~;o3 c;");
  logs_die(scene, 0);
  tally_container_unref(logs_container(scene, 0, TALLY_CONTAINER_EXITED));
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "o1 a;e2 b;o3 c;=ended");
  assert_int_equal(logs_requests(scene, 0, FOLLOWING), 0);
  assert_int_equal(
      logs_requests(scene, 0, READING "&stdout=1&stderr=1&timestamps=1"), 1);

  /* Once more, from where we left off. */
  logs_follow(scene, 0, logs_position(scene, 0));
  logs_expect(scene, 0, "=ended");
  logs_follow(scene, 0, "1767225601000000000.1,0.0");
  logs_expect(scene, 0, "e2 b;o3 c;=ended");
  tally_log_reader_stats_t stats = logs_stats(scene);
  assert_int_equal(stats.lines, 5);
  assert_int_equal(stats.bytes, 5);
  assert_int_equal(stats.connects, 3);
  assert_int_equal(stats.broken, 0);
  assert_int_equal(stats.following, 0);
  assert_int_equal(stats.open, 0);
  logs_close(scene);
}

static void test_running(void **state) {
  logs_scene_t *scene = logs_open();
  logs_start(scene, 0);
  logs_write(scene, 0, "o1 a~;");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "o1 a;");
  logs_write(scene, 0, "o2 b~;e3 c~;");
  logs_expect(scene, 0, "o2 b;e3 c;");
  assert_int_equal(logs_stats(scene).open, 1);
  /* Real daemons end a stream before its last lines are out. */
  logs_write_behind(scene, 0, "o4 d~;e4 e~;");
  logs_die_known(scene, 0);
  logs_expect(scene, 0, "o4 d;e4 e;=ended");
  assert_int_equal(logs_stats(scene).broken, 0);
  logs_close(scene);
}

static void test_started_again(void **state) {
  logs_scene_t *scene = logs_open();
  logs_start(scene, 0);
  logs_write(scene, 0, "o1 a~;");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "o1 a;");
  logs_write_behind(scene, 0, "o2 b~;");
  logs_die(scene, 0);
  logs_start(scene, 0); /* the reader may or may not have noticed */
  logs_write(scene, 0, "o3 c~;");
  usleep(300 * 1000);
  if (logs_stats(scene).following == 0)
    logs_follow(scene, 0, logs_position(scene, 0));
  logs_write(scene, 0, "o4 d~;");
  logs_die(scene, 0);
  usleep(300 * 1000);
  assert_int_equal(logs_stats(scene).lines, 4);
  logs_close(scene);
}

/* Nobody noticed that it had not been running for a moment. */
static void test_started_again_unnoticed(void **state) {
  logs_scene_t *scene = logs_open();
  logs_start(scene, 0);
  logs_write(scene, 0, "o1 a~;");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "o1 a;");
  logs_write_behind(scene, 0, "o2 b~;");
  quay_happen_quietly(logs_quay(scene), 0, "die");
  logs_start(scene, 0);
  logs_write(scene, 0, "o3 c~;");
  logs_expect(scene, 0, "o2 b;o3 c;");
  assert_int_equal(logs_stats(scene).broken, 0);
  logs_close(scene);
}

static void test_breaks(void **state) {
  static const logs_break_t places[] = {LOGS_BETWEEN, LOGS_IN_HEADER,
                                        LOGS_IN_PIECE};
  logs_scene_t *scene = logs_open();
  logs_start(scene, 0);
  logs_write(scene, 0, "o30 a~;e40 b~;");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "o30 a;e40 b;");
  for (unsigned i = 0; i < COUNT_OF(places); i++) {
    char pieces[64], lines[64];
    snprintf(pieces, sizeof(pieces), "o4%u c~;e4%u d~;", i, i);
    snprintf(lines, sizeof(lines), "o4%u c;e4%u d;", i, i);
    usleep(300 * 1000); /* until the follow is read */
    logs_break(scene, places[i]);
    logs_write(scene, 0, pieces);
    logs_expect(scene, 0, lines);
  }
  tally_log_reader_stats_t stats = logs_stats(scene);
  assert_int_equal(stats.broken, 3);
  assert_true(stats.skipped > 0);
  assert_int_equal(stats.open, 1);
  assert_true(logs_requests(scene, 0,
                            "follow=1&stdout=1&stderr=1&timestamps=1&"
                            "since=1767225630.000000000") > 0);
  logs_close(scene);
}

/* Old daemons leave out compressed files; then all of the log is read. */
static void test_hidden_files(void **state) {
  logs_scene_t *scene = logs_open();
  logs_start(scene, 0);
  logs_write(scene, 0, "o30 a~;");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "o30 a;");
  logs_await_open(scene, 1);
  logs_write_behind(scene, 0, "o41 b~;e42 c~;o43 d~;");
  logs_hide(scene, 0, true);
  logs_write_behind(scene, 0, "o44 e~;");
  logs_break(scene, LOGS_BETWEEN);
  logs_expect(scene, 0, "o41 b;e42 c;o43 d;o44 e;");
  logs_hide(scene, 0, false);
  logs_write(scene, 0, "o45 f~;");
  logs_expect(scene, 0, "o45 f;");

  logs_write_behind(scene, 0, "o51 g~;");
  logs_hide(scene, 0, true);
  logs_write_behind(scene, 0, "o52 h~;");
  logs_die(scene, 0);
  logs_expect(scene, 0, "o51 g;o52 h;=ended");
  logs_close(scene);
}

static void test_daemon_away(void **state) {
  logs_scene_t *scene = logs_open();
  for (unsigned n = 0; n < 3; n++) {
    logs_start(scene, n);
    logs_follow(scene, n, NULL);
  }
  logs_write(scene, 0, "o1 a~;");
  logs_expect(scene, 0, "o1 a;");
  logs_break(scene, LOGS_IN_PIECE);
  quay_go(logs_quay(scene));
  usleep(300 * 1000);
  logs_write(scene, 0, "o2 b~;");
  logs_write(scene, 1, "e2 c~;");
  quay_return(logs_quay(scene));
  logs_expect(scene, 0, "o2 b;");
  logs_expect(scene, 1, "e2 c;");
  logs_await_open(scene, 3);
  logs_close(scene);
}

/* ---- daemons that do not want to ----------------------------------------- */

static void test_refusals(void **state) {
  logbook_t *book = logbook_open();
  logs_scene_t *scene = logs_open();
  logs_start(scene, 0);
  logs_write(scene, 0, "o1 a~;");

  logs_refuse(scene, -1, 404, "No such container: x");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "=gone: No such container: x");
  logs_refuse(scene, -1, 501, "no");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "=unreadable: no");
  logs_refuse(scene, -1, 500, "logging driver does not support reading");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "=unreadable: logging driver does not support reading");
  logs_refuse(scene, -1, 400, "bad");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "=unreadable: bad");

  logs_refuse(scene, 2, 400,
              "client version 1.41 is too new. Maximum supported "
              "API version is 1.40");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "o1 a;");
  assert_int_equal(logbook_warnings(), 0);
  tally_log_reader_unfollow(logs_reader(scene), quay_id(0));

  logs_refuse(scene, -1, 500, "out of order");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "");
  logs_die(scene, 0); /* it may try for a while */
  logs_expect(scene, 0, "=unreadable: out of order");
  assert_int_equal(logbook_warnings(), 1);
  assert_non_null(strstr(logbook_last_warning(), "out of order; trying again"));
  logs_close(scene);
  logbook_close(book);
}

static void test_nonsense(void **state) {
  logs_scene_t *scene = logs_open();
  logs_start(scene, 0);
  logs_write(scene, 0, "o1 a~;");
  logs_die(scene, 0);
  tally_container_unref(logs_container(scene, 0, TALLY_CONTAINER_EXITED));

  logs_refuse(scene, 2, 0, "no frame at all");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "o1 a;=ended");
  assert_int_equal(logs_stats(scene).invalid, 2);
  logs_refuse(scene, -1, 0, "Error running logs: does not support reading");
  logs_follow(scene, 0, NULL);
  usleep(300 * 1000);
  assert_true(logs_requests(scene, 0, "") < 12); /* it does not hurry */
  tally_log_reader_unfollow(logs_reader(scene), quay_id(0));
  logs_close(scene);
}

static void test_words_of_the_daemon(void **state) {
  logs_scene_t *scene = logs_open();
  logs_start(scene, 0);
  logs_write(scene, 0, "o1 a~;d Error grabbing logs: EOF~;");
  logs_die(scene, 0);
  tally_container_unref(logs_container(scene, 0, TALLY_CONTAINER_EXITED));
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "o1 a;=unreadable: Error grabbing logs: EOF");
  logs_close(scene);
}

/* ---- TTY ----------------------------------------------------------------- */

static void test_tty(void **state) {
  logs_scene_t *scene = logs_open();
  quay_happen(logs_quay(scene), 0, "create");
  quay_set_tty(logs_quay(scene), 0);
  quay_happen(logs_quay(scene), 0, "start");
  tally_container_unref(logs_container(scene, 0, TALLY_CONTAINER_RUNNING));
  logs_die(scene, 0);
  tally_container_unref(logs_container(scene, 0, TALLY_CONTAINER_EXITED));
  logs_write(scene, 0, "o1 a\r~;o2 prompt> ;");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "o1 a\r;o2 prompt> ;=ended");

  /* The next run writes behind a line that has no end. */
  logs_write(scene, 0, "o3 b\r~;");
  logs_follow(scene, 0, logs_position(scene, 0));
  logs_expect(scene, 0, "o3 b\r;=ended");
  logs_close(scene);
}

/* ---- those who take the lines -------------------------------------------- */

static void test_not_taken(void **state) {
  logs_scene_t *scene = logs_open();
  for (unsigned n = 0; n < 2; n++)
    logs_start(scene, n);
  logs_take(scene, 0, 2);
  logs_write(scene, 0, "o1 a~;o2 b~;o3 c~;o4 d~;");
  logs_follow(scene, 0, NULL);
  logs_follow(scene, 1, NULL);
  logs_expect(scene, 0, "o1 a;o2 b;");
  logs_write(scene, 0, "o5 e~;");
  logs_write(scene, 1, "o1 other~;");
  logs_expect(scene, 1, "o1 other;"); /* does not wait for the first */
  logs_expect(scene, 0, "");
  logs_take(scene, 0, 1);
  logs_expect(scene, 0, "o3 c;");
  logs_take(scene, 0, SIZE_MAX);
  logs_expect(scene, 0, "o4 d;o5 e;");
  tally_log_reader_stats_t stats = logs_stats(scene);
  assert_true(stats.waits > 0);
  assert_int_equal(stats.broken, 0);
  assert_int_equal(logs_requests(scene, 0, FOLLOWING), 1);

  /* An end waits for its lines. */
  logs_take(scene, 0, 0);
  logs_write(scene, 0, "o6 f~;");
  logs_die(scene, 0);
  logs_expect(scene, 0, "");
  logs_take(scene, 0, SIZE_MAX);
  uint64_t before_ns = tally_clock_monotonic_ns();
  tally_log_reader_resume(logs_reader(scene));
  logs_expect(scene, 0, "o6 f;=ended");
  assert_true(tally_clock_monotonic_ns() - before_ns < 5 * TALLY_NS_PER_S);
  logs_close(scene);
}

/* A daemon that waits for long loses its place. */
static void test_let_go(void **state) {
  logs_scene_t *scene = logs_open();
  logs_start(scene, 0);
  logs_write(scene, 0, "o1 a~;");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "o1 a;");
  unsigned reading = logs_requests(scene, 0, READING);
  assert_int_equal(logs_requests(scene, 0, FOLLOWING), 1);
  logs_take(scene, 0, 0);
  logs_write(scene, 0, "o2 b~;");
  uint64_t end_ns = tally_clock_monotonic_ns() + 10 * TALLY_NS_PER_S;
  while (logs_stats(scene).open > 0 && tally_clock_monotonic_ns() < end_ns)
    usleep(10 * 1000);
  assert_int_equal(logs_stats(scene).open, 0);
  logs_write_behind(scene, 0, "o3 c~;");
  logs_take(scene, 0, SIZE_MAX);
  logs_expect(scene, 0, "o2 b;o3 c;");
  logs_await_open(scene, 1);
  assert_true(logs_requests(scene, 0, READING) > reading);
  assert_int_equal(logs_requests(scene, 0, FOLLOWING), 2);
  assert_int_equal(logs_stats(scene).broken, 0);
  logs_write(scene, 0, "o4 d~;");
  logs_expect(scene, 0, "o4 d;");
  logs_close(scene);
}

static void test_unfollow(void **state) {
  logs_scene_t *scene = logs_open();
  logs_start(scene, 0);
  logs_write(scene, 0, "o1 a~;");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "o1 a;");
  const tally_container_t *container =
      logs_container(scene, 0, TALLY_CONTAINER_RUNNING);
  tally_error_t err = {0};
  assert_int_equal(
      tally_log_reader_follow(logs_reader(scene), container, NULL, scene, &err),
      -1);
  assert_non_null(strstr(err.message, "log of container 00000001"));
  tally_container_unref(container);

  tally_log_reader_unfollow(logs_reader(scene), quay_id(0));
  tally_log_reader_unfollow(logs_reader(scene), quay_id(0));
  logs_write(scene, 0, "o2 b~;");
  logs_expect(scene, 0, "");
  logs_follow(scene, 0, logs_position(scene, 0));
  logs_expect(scene, 0, "o2 b;");
  tally_log_reader_unfollow(logs_reader(scene), quay_id(0));
  logs_follow(scene, 0, NULL);
  tally_log_reader_unfollow(logs_reader(scene), quay_id(0));
  logs_await_open(scene, 0);
  assert_int_equal(logs_stats(scene).following, 0);
  logs_close(scene);
}

static void test_unlistened(void **state) {
  logs_scene_t *scene = logs_open();
  for (unsigned n = 0; n < 5; n++) {
    logs_start(scene, n);
    logs_write(scene, n, "o1 a~;o2 b~;");
    logs_take(scene, n, 1);
    logs_follow(scene, n, NULL);
  }
  logs_close(scene); /* whatever it was doing */
}

/* ---- many ---------------------------------------------------------------- */

#define MANY 300

static uint64_t cpu_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return (uint64_t)ts.tv_sec * TALLY_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Far more than what quiet streams cost, far less than what asking each would.
 * The first moments may still belong to the beginning. */
static bool comes_to_rest(void) {
  for (int i = 0; i < 20; i++) {
    uint64_t before_ns = cpu_ns();
    usleep(300 * 1000);
    if (cpu_ns() - before_ns < 30 * TALLY_NS_PER_MS)
      return true;
  }
  return false;
}

static void test_many(void **state) {
  logs_scene_t *scene = logs_open();
  for (unsigned n = 0; n < MANY; n++) {
    logs_start(scene, n);
    logs_write(scene, n, "o1 a~;");
  }
  for (unsigned n = 0; n < MANY; n++)
    logs_follow(scene, n, NULL);
  logs_await_open(scene, MANY);
  logs_expect(scene, MANY - 1, "o1 a;");
  assert_true(comes_to_rest());

  logs_break(scene, LOGS_IN_HEADER);
  for (unsigned n = 0; n < MANY; n++)
    logs_write(scene, n, "o2 b~;");
  logs_await_lines(scene, 2 * MANY);
  for (unsigned n = 0; n < MANY - 1; n += 50)
    logs_expect(scene, n, "o1 a;o2 b;");
  logs_close(scene);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exited),
      cmocka_unit_test(test_running),
      cmocka_unit_test(test_started_again),
      cmocka_unit_test(test_started_again_unnoticed),
      cmocka_unit_test(test_breaks),
      cmocka_unit_test(test_hidden_files),
      cmocka_unit_test(test_daemon_away),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_nonsense),
      cmocka_unit_test(test_words_of_the_daemon),
      cmocka_unit_test(test_tty),
      cmocka_unit_test(test_not_taken),
      cmocka_unit_test(test_let_go),
      cmocka_unit_test(test_unfollow),
      cmocka_unit_test(test_unlistened),
      cmocka_unit_test(test_many),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
