/* SPDX-License-Identifier: MIT */
/* Lines that belong together: lib/logs/join.c. */
#include "config.h"

#include "unit.h"

#include "core/clock.h"
#include "logs/join.h"

#define WAIT_MS 1000

static tally_log_join_t join;
static tally_log_join_rule_t *rule;

static void begin(const char *start, unsigned lines, size_t bytes) {
  rule = tally_log_join_rule_create(start, lines, bytes, WAIT_MS, NULL);
  assert_non_null(rule);
  tally_log_join_init(&join, rule);
}

static void end(void) {
  tally_log_join_clear(&join);
  tally_log_join_rule_destroy(rule);
}

/* Whether the line completed what was held; that is dropped then. */
static bool add(const char *line) {
  bool complete = tally_log_join_completes(&join, line, strlen(line));
  if (complete)
    tally_log_join_drop(&join);
  assert_int_equal(
      tally_log_join_add(&join, line, strlen(line), 7, TALLY_NS_PER_S), 0);
  return complete;
}

static void test_a_trace(void **state) {
  begin("^[0-9]{4}-", 10, 1000);
  assert_false(add("  without a beginning"));
  assert_true(add("2024-01-01 boom"));
  assert_false(add("  at a"));
  assert_false(add(""));
  assert_string_equal(join.text.data, "2024-01-01 boom\n  at a\n");
  assert_int_equal(join.lines, 3);
  assert_int_equal(join.time_ns, 7);
  assert_int_equal(join.due_ns, TALLY_NS_PER_S + WAIT_MS * TALLY_NS_PER_MS);
  assert_true(add("2024-01-02 next"));
  assert_string_equal(join.text.data, "2024-01-02 next");
  end();
}

static void test_bounds(void **state) {
  begin("^x", 3, 1000);
  assert_false(add("x"));
  assert_false(add("1"));
  assert_false(add("2"));
  assert_true(add("3"));
  end();

  begin("^x", 100, 8);
  assert_false(add("x23"));
  assert_false(add("5678"));
  assert_int_equal(join.text.len, 8);
  assert_true(add(""));
  end();
}

/* What is longer than a record goes alone, and leaves all as it was. */
static void test_too_long(void **state) {
  begin("^x", 10, 8);
  assert_int_equal(tally_log_join_add(&join, "123456789", 9, 1, 1), -1);
  assert_int_equal(join.lines, 0);
  assert_false(add("x"));
  assert_true(tally_log_join_completes(&join, "123456789", 9));
  assert_int_equal(tally_log_join_add(&join, "12345678", 8, 1, 1), -1);
  assert_string_equal(join.text.data, "x");
  assert_int_equal(join.lines, 1);
  end();
}

static void test_hostile_lines(void **state) {
  begin("^(a*)*b", 10, 4 << 20);
  size_t len = 1 << 20;
  char *line = malloc(len);
  memset(line, 'a', len);
  assert_false(add("x"));
  assert_false(tally_log_join_completes(&join, line, len));
  assert_false(tally_log_join_completes(&join, "a\0b", 3)); /* ends at a NUL */
  assert_true(tally_log_join_completes(&join, "ab", 2));
  assert_false(
      tally_log_join_completes(&join, "a", 1)); /* not what is behind */
  free(line);
  end();
}

static void test_bad_pattern(void **state) {
  tally_error_t err = {0};
  assert_null(tally_log_join_rule_create("a(b", 1, 1, 1, &err));
  assert_non_null(strstr(err.message, "a(b"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_trace),     cmocka_unit_test(test_bounds),
      cmocka_unit_test(test_too_long),    cmocka_unit_test(test_hostile_lines),
      cmocka_unit_test(test_bad_pattern),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
