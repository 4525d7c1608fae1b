/* SPDX-License-Identifier: MIT */
/* How far a container has been shipped: lib/logs/mark.c. */
#include "config.h"

#include "unit.h"

#include "logs/mark.h"

static tally_log_line_t line(tally_log_stream_t stream, uint64_t time_ns,
                             uint32_t number) {
  tally_log_line_t l = {.time_ns = time_ns, .stream = stream, .last = true};
  l.after.time_ns[stream] = time_ns;
  l.after.lines[stream] = number;
  return l;
}

/* A part of the first line of that time; only the last one moves. */
static tally_log_line_t part_of(uint64_t time_ns, unsigned part, bool last) {
  tally_log_line_t l = line(TALLY_LOG_STDOUT, time_ns, 1);
  l.part = part;
  l.last = last;
  if (!last) {
    l.after.time_ns[0] = time_ns - 1;
    l.after.lines[0] = 1;
  }
  return l;
}

/* ---- text ---------------------------------------------------------------- */

static void test_text(void **state) {
  tally_log_mark_t marks[] = {
      {.parts = {0, 0}},
      {.position = {.time_ns = {UINT64_MAX, 7},
                    .lines = {UINT32_MAX, 2},
                    .open_ns = UINT64_MAX - 1},
       .parts = {UINT32_MAX, 1},
       .drained_ns = UINT64_MAX,
       .told = {UINT32_MAX, 2, 3, 4}},
  };
  for (size_t i = 0; i < COUNT_OF(marks); i++) {
    char text[TALLY_LOG_MARK_SIZE];
    tally_log_mark_t back;
    tally_log_mark_format(&marks[i], text);
    assert_true(strlen(text) < TALLY_LOG_MARK_SIZE - 1);
    assert_int_equal(tally_log_mark_parse(text, &back), 0);
    assert_memory_equal(&back, &marks[i], sizeof(back));
  }
}

static void test_no_marks(void **state) {
  static const char *const bad[] = {
      "",
      "1.1,1.1",
      "1.1,1.1 0.0 0",
      "1.1,1.1 0.0 0 1,2,3",
      "1.1,1.1 0.0 0 1,2,3,4x",
      "1.1 0.0 0 1,2,3,4",
      "x 0.0 0 1,2,3,4",
      " 0.0 0 1,2,3,4",
      "1.1,1.1 a.0 0 1,2,3,4",
  };
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    tally_log_mark_t mark = {.drained_ns = 1};
    assert_int_equal(tally_log_mark_parse(bad[i], &mark), -1);
    assert_int_equal(mark.drained_ns, 0);
  }
}

/* ---- lines --------------------------------------------------------------- */

static void test_lines(void **state) {
  tally_log_mark_t mark = {0};
  tally_log_line_t first = line(TALLY_LOG_STDOUT, 5, 1),
                   same_time = line(TALLY_LOG_STDOUT, 5, 2),
                   later = line(TALLY_LOG_STDOUT, 6, 1),
                   other = line(TALLY_LOG_STDERR, 4, 1),
                   timeless = line(TALLY_LOG_STDOUT, 0, 0);
  assert_false(tally_log_mark_covers(&mark, &first));
  tally_log_mark_advance(&mark, &first);
  assert_true(tally_log_mark_covers(&mark, &first));
  assert_false(tally_log_mark_covers(&mark, &same_time));
  assert_false(tally_log_mark_covers(&mark, &other));
  tally_log_mark_advance(&mark, &same_time);
  assert_true(tally_log_mark_covers(&mark, &same_time));
  assert_false(tally_log_mark_covers(&mark, &later));
  assert_false(tally_log_mark_covers(&mark, &timeless));
  tally_log_mark_advance(&mark, &other);
  assert_true(tally_log_mark_covers(&mark, &other));
  assert_true(tally_log_mark_covers(&mark, &same_time));
}

static void test_parts(void **state) {
  tally_log_mark_t mark = {.position = {.time_ns = {9}, .lines = {1}}};
  tally_log_line_t one = part_of(10, 1, false), two = part_of(10, 2, false),
                   three = part_of(10, 3, true);
  assert_false(tally_log_mark_covers(&mark, &one));
  tally_log_mark_advance(&mark, &one);
  tally_log_mark_advance(&mark, &two);
  assert_true(tally_log_mark_covers(&mark, &one));
  assert_true(tally_log_mark_covers(&mark, &two));
  assert_false(tally_log_mark_covers(&mark, &three));
  assert_int_equal(mark.position.time_ns[0], 9);
  tally_log_mark_advance(&mark, &three);
  assert_true(tally_log_mark_covers(&mark, &one));
  assert_true(tally_log_mark_covers(&mark, &three));
  assert_int_equal(mark.parts[0], 0);
}

/* A reader asks for what is newer than the newest of a position. */
static void test_where_to_read_on(void **state) {
  tally_log_position_t a = {.time_ns = {10, 20}, .lines = {1, 3}},
                       b = {.time_ns = {10, 15}, .lines = {2, 1}},
                       held = {.time_ns = {10, 20},
                               .lines = {1, 3},
                               .open_ns = 12},
                       nothing = {0}, from = a;
  tally_log_position_include(&from, &b);
  assert_int_equal(from.time_ns[0], 10);
  assert_int_equal(from.lines[0], 1);
  assert_int_equal(from.time_ns[1], 15);
  assert_int_equal(from.lines[1], 1);
  assert_int_equal(from.open_ns, 15);
  tally_log_position_include(&from, &held);
  assert_int_equal(from.open_ns, 12);
  tally_log_position_include(&from, &nothing);
  assert_memory_equal(&from, &nothing, sizeof(from));
}

/* ---- events -------------------------------------------------------------- */

static void test_events(void **state) {
  tally_log_mark_t mark = {0};
  tally_event_t die = {.action = "die", .time_ns = 5},
                stop = {.action = "stop", .time_ns = 5},
                again = {.action = "die", .time_ns = 6};
  assert_false(tally_log_mark_knows(&mark, &die));
  tally_log_mark_tell(&mark, &die);
  assert_true(tally_log_mark_knows(&mark, &die));
  assert_false(tally_log_mark_knows(&mark, &stop));
  assert_false(tally_log_mark_knows(&mark, &again));
  for (int i = 0; i < TALLY_LOG_MARK_TOLD - 1; i++)
    tally_log_mark_tell(&mark, &again);
  assert_true(tally_log_mark_knows(&mark, &die));
  tally_log_mark_tell(&mark, &stop);
  assert_false(tally_log_mark_knows(&mark, &die));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text),
      cmocka_unit_test(test_no_marks),
      cmocka_unit_test(test_lines),
      cmocka_unit_test(test_parts),
      cmocka_unit_test(test_where_to_read_on),
      cmocka_unit_test(test_events),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
