/* SPDX-License-Identifier: MIT */
/* Every line once, though the daemon loses files of logs that it rotates. */
#include "config.h"

#include "unit.h"

#include <unistd.h>

#include "core/clock.h"
#include "docker/logs.h"
#include "logbook.h"
#include "logs_scene.h"

#define FOLLOWING "follow=1"
#define READING "follow=0"

static void await_follow(logs_scene_t *scene, unsigned count) {
  uint64_t end_ns = tally_clock_monotonic_ns() + 10 * TALLY_NS_PER_S;
  while (logs_requests(scene, 0, FOLLOWING) < count &&
         tally_clock_monotonic_ns() < end_ns)
    usleep(1000);
  assert_int_equal(logs_requests(scene, 0, FOLLOWING), count);
}

/* Container 0 has said "a", and a follow of it is open, but not read yet. */
static logs_scene_t *open_follow(void) {
  logs_scene_t *scene = logs_open();
  logs_start(scene, 0);
  logs_write(scene, 0, "o1 a~;");
  logs_follow(scene, 0, NULL);
  await_follow(scene, 1);
  return scene;
}

/* A follow that begins has lost the file in which "b" is, and goes on in the
 * next one. */
static void test_lost_while_opening(void **state) {
  logs_scene_t *scene = open_follow();
  logs_write_behind(scene, 0, "o2 b~;");
  logs_write(scene, 0, "o3 c~;");
  logs_expect(scene, 0, "o1 a;o2 b;o3 c;");
  logs_write(scene, 0, "o4 d~;");
  logs_expect(scene, 0, "o4 d;");
  assert_int_equal(logs_requests(scene, 0, FOLLOWING), 1);
  assert_int_equal(logs_stats(scene).missed, 0);
  logs_close(scene);
}

/* It has not heard of the next file, either. */
static void test_stalled_while_opening(void **state) {
  logs_scene_t *scene = open_follow();
  logs_write_behind(scene, 0, "o2 b~;");
  logs_expect(scene, 0, "o1 a;o2 b;");
  await_follow(scene, 2);
  logs_write(scene, 0, "o3 c~;");
  logs_expect(scene, 0, "o3 c;");
  logs_close(scene);
}

/* It hears of the one after that. */
static void test_gap_behind_opening(void **state) {
  logs_scene_t *scene = open_follow();
  logs_write_behind(scene, 0, "o2 b~;");
  logs_expect(scene, 0, "o1 a;o2 b;");
  logs_write_behind(scene, 0, "o3 c~;");
  logs_write(scene, 0, "o4 d~;");
  logs_expect(scene, 0, "o3 c;o4 d;");
  await_follow(scene, 2);
  logs_write(scene, 0, "o5 e~;");
  logs_expect(scene, 0, "o5 e;");
  logs_close(scene);
}

/* Files of 1000 bytes are full in no time; so it is read, not followed, until
 * it is quiet again. */
static void test_spate(void **state) {
  logs_scene_t *scene = logs_open();
  quay_set_log_max(logs_quay(scene), "1k");
  logs_start(scene, 0);
  logs_write(scene, 0, "o1 a~;");
  logs_follow(scene, 0, NULL);
  logs_expect(scene, 0, "o1 a;");
  await_follow(scene, 1);
  usleep(300 * 1000); /* it is read by now */
  char pieces[640], lines[640], text[201] = "";
  memset(text, 'x', sizeof(text) - 1);
  snprintf(pieces, sizeof(pieces), "o2 b%s~;o2 c%s~;", text, text);
  snprintf(lines, sizeof(lines), "o2 b%s;o2 c%s;", text, text);
  logs_write(scene, 0, pieces);
  logs_expect(scene, 0, lines);
  for (unsigned i = 0; i < 10; i++) {
    char piece[32], line[32];
    snprintf(piece, sizeof(piece), "o%u k~;", 5 + i);
    snprintf(line, sizeof(line), "o%u k;", 5 + i);
    logs_write_behind(scene, 0, piece);
    logs_expect(scene, 0, line);
  }
  assert_int_equal(logs_requests(scene, 0, FOLLOWING), 1);
  await_follow(scene, 2);
  usleep(300 * 1000);
  unsigned reading = logs_requests(scene, 0, READING);
  logs_write(scene, 0, "o20 l~;");
  logs_expect(scene, 0, "o20 l;");
  assert_int_equal(logs_requests(scene, 0, READING), reading);
  logs_close(scene);
}

static void test_rotated_away(void **state) {
  logbook_t *book = logbook_open();
  logs_scene_t *scene = logs_open();
  logs_start(scene, 0);
  logs_write(scene, 0, "o31 c~;o32 d~;");
  logs_die(scene, 0);
  tally_container_unref(logs_container(scene, 0, TALLY_CONTAINER_EXITED));
  logs_follow(scene, 0, "1767225630000000000.1,0.0");
  logs_expect(scene, 0, "o31 c;o32 d;=ended");
  assert_int_equal(logs_stats(scene).missed, 1);
  assert_int_equal(logbook_warnings(), 1);
  assert_non_null(strstr(logbook_last_warning(), "was rotated away"));
  /* A position that is a time only. */
  logs_follow(scene, 0, "1767225631500000000.0,1767225631500000000.0");
  logs_expect(scene, 0, "o32 d;=ended");
  assert_int_equal(logs_stats(scene).missed, 1);
  logs_close(scene);
  logbook_close(book);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lost_while_opening),
      cmocka_unit_test(test_stalled_while_opening),
      cmocka_unit_test(test_gap_behind_opening),
      cmocka_unit_test(test_spate),
      cmocka_unit_test(test_rotated_away),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
