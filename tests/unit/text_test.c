/* SPDX-License-Identifier: MIT */
/* Foreign text for one line: lib/core/text.c, lib/container/signal_name.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "container/signal_name.h"
#include "core/text.h"

static void test_tidy(void **state) {
  static const struct {
    const char *text, *tidied;
  } cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"two\nlines\tand\x7f", "two lines and "},
      {"Größe €", "Größe €"},
      {"\xff\xfe", "??"},
      {"a\xc3", "a"},         /* cut after the first of two bytes */
      {"a\xe2\x82", "a"},     /* after the second of three */
      {"a\xf0\x9f\x98", "a"}, /* after the third of four */
      {"\xc3x", "?x"},        /* not cut but wrong */
      {"\xe2\x82x", "??x"},
      {"\x80", "?"}, /* a second byte without a first */
      {"\xc0\x80", "??"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char text[64];
    strcpy(text, cases[i].text);
    tally_text_tidy(text);
    assert_string_equal(text, cases[i].tidied);
  }
}

static void test_copy_is_bounded(void **state) {
  char text[5];
  assert_string_equal(tally_text_copy(text, sizeof(text), "a\nbcdef"), "a bc");
  assert_string_equal(tally_text_copy(text, sizeof(text), "abc€"), "abc");
  assert_string_equal(tally_text_copy(text, sizeof(text), NULL), "");
}

static void test_signals(void **state) {
  static const struct {
    const char *text;
    int number;
    const char *name;
  } cases[] = {
      {"15", 15, "SIGTERM"},           {"9", 9, "SIGKILL"},
      {"SIGTERM", 15, "SIGTERM"},      {"term", 15, "SIGTERM"},
      {"sigwinch", 28, "SIGWINCH"},    {"34", 34, "SIGRTMIN"},
      {"RTMIN+3", 37, "SIGRTMIN+3"},   {"SIGRTMAX-1", 63, "SIGRTMIN+29"},
      {"SIGRTMAX", 64, "SIGRTMIN+30"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char name[TALLY_SIGNAL_NAME_SIZE];
    assert_int_equal(tally_signal_number(cases[i].text), cases[i].number);
    tally_signal_name(cases[i].number, name);
    assert_string_equal(name, cases[i].name);
  }

  static const char *const bad[] = {
      "",       "0",       "-9",       "65",
      "9x",     "TERMX",   "SIG",      "RTMIN+31",
      "RTMIN+", "RTMIN-1", "RTMAX+1",  "RTMINX",
      "SIGSIG", " ",       "99999999", "SIGRTMAX-99999999999999",
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(tally_signal_number(bad[i]), 0);
  assert_int_equal(tally_signal_number(NULL), 0);

  char name[TALLY_SIGNAL_NAME_SIZE];
  tally_signal_name(INT32_MIN, name);
  assert_string_equal(name, "signal -2147483");
  tally_signal_name(33, name);
  assert_string_equal(name, "signal 33");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tidy),
      cmocka_unit_test(test_copy_is_bounded),
      cmocka_unit_test(test_signals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
