/* SPDX-License-Identifier: MIT */
/* The small parts of lib/core: errors, buffers, clock, files, selection. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/buffer.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/select.h"

static void test_error(void **state) {
  tally_error_t err = {0};
  assert_int_equal(tally_error_set(&err, EACCES, "open `%s'", "/x"), -1);
  assert_string_equal(err.message, "open `/x': Permission denied");
  assert_int_equal(err.code, EACCES);

  assert_int_equal(tally_error_wrap(&err, "container %s", "web"), -1);
  assert_string_equal(err.message,
                      "container web: open `/x': Permission denied");
  assert_int_equal(err.code, EACCES);

  assert_int_equal(tally_error_set(NULL, 0, "nobody listens"), -1);

  char longer[2 * sizeof(err.message)];
  memset(longer, 'x', sizeof(longer) - 1);
  longer[sizeof(longer) - 1] = '\0';
  tally_error_set(&err, EIO, "%s", longer);
  assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
}

static void test_buffer_cap(void **state) {
  tally_buffer_t b;
  tally_buffer_init(&b, 5);
  assert_string_equal(b.data, "");
  assert_int_equal(tally_buffer_append_str(&b, "abc"), 0);
  assert_int_equal(tally_buffer_append_str(&b, "def"), -1);
  assert_string_equal(b.data, "abc");
  assert_int_equal(tally_buffer_printf(&b, "%d", 42), 0);
  assert_string_equal(b.data, "abc42");
  tally_buffer_consume(&b, 4);
  assert_string_equal(b.data, "2");
  tally_buffer_consume(&b, 9);
  assert_string_equal(b.data, "");
  tally_buffer_clear(&b);
  assert_string_equal(b.data, "");
}

static void test_rfc3339(void **state) {
  static const struct {
    const char *text;
    int status;
    uint64_t ns;
  } cases[] = {
      {"1970-01-01T00:00:00Z", 0, 0},
      {"2017-03-04T05:06:07Z", 0, UINT64_C(1488603967000000000)},
      {"2017-03-04T05:06:07.123456789Z", 0, UINT64_C(1488603967123456789)},
      {"2017-03-04T05:06:07.1+02:00", 0, UINT64_C(1488596767100000000)},
      {"2017-03-04T05:06:07.1234567891Z", 0, UINT64_C(1488603967123456789)},
      {"0001-01-01T00:00:00Z", 0, 0}, /* Docker's "never" */
      {"2017-03-04 05:06:07Z", -1, 0},
      {"2017-03-04T05:06:07", -1, 0},
      {"2017-03-04T05:06:07.Z", -1, 0},
      {"2017-13-04T05:06:07Z", -1, 0},
      {"2017-03-04T05:06:07+2:00", -1, 0},
      {"2017-03-04T05:06:07Zx", -1, 0},
      {"", -1, 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint64_t ns = 0;
    assert_int_equal(tally_clock_parse_rfc3339(cases[i].text, &ns),
                     cases[i].status);
    assert_true(ns == cases[i].ns);
  }
}

static void test_parse_u64(void **state) {
  uint64_t v;
  assert_int_equal(tally_file_parse_u64(" 42\n", &v), 0);
  assert_true(v == 42);
  assert_int_equal(tally_file_parse_u64("max\n", &v), 0);
  assert_true(v == TALLY_UNLIMITED);
  assert_int_equal(tally_file_parse_u64("-1", &v), -1);
  assert_int_equal(tally_file_parse_u64("", &v), -1);
  assert_int_equal(tally_file_parse_u64("99999999999999999999", &v), -1);
  /* the two largest numbers mean something else */
  assert_int_equal(tally_file_parse_u64("18446744073709551615", &v), -1);
}

static void test_select(void **state) {
  tally_select_t *list = tally_select_create();
  assert_true(tally_select_is_empty(list));
  assert_false(tally_select_match(list, "web"));
  assert_int_equal(tally_select_add(list, "web", NULL), 0);
  assert_int_equal(tally_select_add(list, "/^db-[0-9]+$/", NULL), 0);
  assert_true(tally_select_match(list, "web"));
  assert_false(tally_select_match(list, "web2"));
  assert_true(tally_select_match(list, "db-17"));
  assert_false(tally_select_match(list, "db-x"));

  tally_error_t err = {0};
  assert_int_equal(tally_select_add(list, "/(/", &err), -1);
  assert_non_null(strstr(err.message, "\"/(/\""));
  tally_select_destroy(list);
  assert_true(tally_select_is_empty(NULL));
}

static void test_file_replace(void **state) {
  char dir[] = "/tmp/tally-core-XXXXXX";
  assert_non_null(mkdtemp(dir));
  char deep[128], path[160];
  snprintf(deep, sizeof(deep), "%s/a/b", dir);
  assert_int_equal(tally_file_make_directory(deep, 0750, NULL), 0);
  assert_int_equal(tally_file_make_directory(deep, 0750, NULL), 0);
  snprintf(path, sizeof(path), "%s/f", deep);
  assert_int_equal(tally_file_replace(path, "one", 3, 0640, NULL), 0);
  assert_int_equal(tally_file_replace(path, "two!", 4, 0640, NULL), 0);
  char text[16];
  assert_int_equal(tally_file_read(path, text, sizeof(text), NULL), 4);
  assert_string_equal(text, "two!");
  assert_int_equal(tally_file_read(path, text, 3, NULL), 2);
  assert_string_equal(text, "tw");

  tally_error_t err = {0};
  assert_int_equal(tally_file_make_directory(path, 0750, &err), -1);
  assert_int_equal(err.code, ENOTDIR);
  unlink(path);
  rmdir(deep);
  snprintf(deep, sizeof(deep), "%s/a", dir);
  rmdir(deep);
  assert_int_equal(rmdir(dir), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_error),   cmocka_unit_test(test_buffer_cap),
      cmocka_unit_test(test_rfc3339), cmocka_unit_test(test_parse_u64),
      cmocka_unit_test(test_select),  cmocka_unit_test(test_file_replace),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
