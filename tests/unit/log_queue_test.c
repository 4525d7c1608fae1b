/* SPDX-License-Identifier: MIT */
/* What other threads say reaches the one that may write the log. */
#include "config.h"

#include "unit.h"

#include "core/thread.h"
#include "log_queue.h"

static int woken;

static void wake(void) { __atomic_add_fetch(&woken, 1, __ATOMIC_RELAXED); }

static int setup(void **state) {
  woken = 0;
  tally_log_queue_start(wake);
  return 0;
}

static int teardown(void **state) {
  tally_log_level_t level;
  char text[512];
  tally_log_set_callback(NULL);
  while (tally_log_queue_take(&level, text, sizeof(text)))
    continue;
  return 0;
}

static void test_order(void **state) {
  tally_log_level_t level;
  char text[512];
  assert_false(tally_log_queue_take(&level, text, sizeof(text)));
  tally_log(TALLY_LOG_NOTICE, "first");
  tally_log(TALLY_LOG_ERROR, "sec%s", "ond");
  assert_int_equal(woken, 2);
  assert_true(tally_log_queue_take(&level, text, sizeof(text)));
  assert_int_equal(level, TALLY_LOG_NOTICE);
  assert_string_equal(text, "first");
  assert_true(tally_log_queue_take(&level, text, sizeof(text)));
  assert_int_equal(level, TALLY_LOG_ERROR);
  assert_string_equal(text, "second");
  assert_false(tally_log_queue_take(&level, text, sizeof(text)));
}

static void test_overflow(void **state) {
  enum { SAID = 1000 };
  for (int i = 0; i < SAID; i++)
    tally_log(TALLY_LOG_INFO, "line %d", i);
  tally_log_level_t level;
  char text[512], expected[32];
  int taken = 0;
  unsigned lost = 0;
  while (tally_log_queue_take(&level, text, sizeof(text))) {
    snprintf(expected, sizeof(expected), "line %d", taken);
    if (sscanf(text, "%u lines of the log were lost", &lost) == 1)
      break;
    assert_string_equal(text, expected);
    taken++;
  }
  assert_in_range(taken, 10, SAID - 1);
  assert_int_equal(taken + (int)lost, SAID);
  assert_false(tally_log_queue_take(&level, text, sizeof(text)));
}

static void test_long_lines(void **state) {
  char longer[4096], text[16];
  memset(longer, 'x', sizeof(longer) - 1);
  longer[sizeof(longer) - 1] = '\0';
  tally_log(TALLY_LOG_INFO, "%s", longer);
  tally_log_level_t level;
  assert_true(tally_log_queue_take(&level, text, sizeof(text)));
  assert_int_equal(strlen(text), sizeof(text) - 1);
}

static void *talk(void *data) {
  for (int i = 0; i < 200; i++)
    tally_log(TALLY_LOG_INFO, "%s", (const char *)data);
  return NULL;
}

/* For the sanitizer of threads. */
static void test_threads(void **state) {
  pthread_t threads[2];
  static char names[][2] = {"a", "b"};
  for (size_t i = 0; i < COUNT_OF(threads); i++)
    assert_int_equal(
        tally_thread_start(&threads[i], "talk", talk, names[i], NULL), 0);
  tally_log_level_t level;
  char text[512];
  for (int i = 0; i < 1000; i++)
    tally_log_queue_take(&level, text, sizeof(text));
  for (size_t i = 0; i < COUNT_OF(threads); i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(woken, 400);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_order, setup, teardown),
      cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
      cmocka_unit_test_setup_teardown(test_long_lines, setup, teardown),
      cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
