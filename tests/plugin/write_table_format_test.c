/* SPDX-License-Identifier: MIT */
/* write_table: from rows to text. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "write_table_format.h"

#define STATIC_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIB (1024.0 * 1024)

static const write_table_row_t nothing = {"idle",
                                          TALLY_CONTAINER_RUNNING,
                                          TALLY_HEALTH_NONE,
                                          NAN,
                                          NAN,
                                          NAN,
                                          NAN,
                                          NAN,
                                          NAN,
                                          NAN,
                                          NAN,
                                          NAN,
                                          NAN};

typedef struct {
  size_t width, height;
  bool ansi;
  const char *message;
  size_t before;
} terminal_t;

static size_t count_lines(const char *text) {
  size_t lines = 0;
  for (; *text != '\0'; text++)
    lines += *text == '\n';
  return lines;
}

/* For the caller to free. */
static char *format(write_table_row_t *rows, size_t count,
                    terminal_t terminal) {
  write_table_view_t view = {
      "node1",        "12:34:56",      terminal.message, rows,           count,
      terminal.width, terminal.height, terminal.ansi,    terminal.before};
  tally_buffer_t out;
  tally_buffer_init(&out, 1 << 20);
  size_t lines = write_table_format(&view, &out);
  assert_int_equal(count_lines(out.data), lines);
  char *text = strdup(out.data);
  tally_buffer_clear(&out);
  return text;
}

/* In characters; multi-byte ones do not occur but in the last line. */
static size_t widest_line(const char *text) {
  size_t widest = 0;
  for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1)
    if ((size_t)(end - text) > widest)
      widest = (size_t)(end - text);
  return widest;
}

static void assert_text(char *text, const char *expected) {
  if (strcmp(text, expected) != 0)
    fail_msg("got:\n%s\nnot:\n%s", text, expected);
  free(text);
}

static void test_whole_table(void **state) {
  write_table_row_t rows[] = {
      nothing,
      {"web", TALLY_CONTAINER_RUNNING, TALLY_HEALTH_HEALTHY, NAN, 15126, 21,
       151.24, 300.4 * MIB, 512 * MIB, 1234, 999, 5.2 * MIB, 0},
      {"job", TALLY_CONTAINER_EXITED, TALLY_HEALTH_NONE, 137, NAN, NAN, NAN,
       NAN, NAN, NAN, NAN, NAN, NAN},
      {"db", TALLY_CONTAINER_RUNNING, TALLY_HEALTH_NONE, NAN, 42, 7, 3.02,
       1536 * MIB, 8e12, 0, 0, 0, 1e9},
  };
  assert_text(
      format(rows, STATIC_ARRAY_SIZE(rows), (terminal_t){.width = 120}),
      "node1  12:34:56  4 containers, 3 running\n"
      "CONTAINER     STATE             CPU %  MEMORY  LIMIT   RX/s   TX/s  "
      "READ/s  WRITE/s   PIDS        UP\n"
      "web           running healthy   151.2    300M   512M   1.2K    999  "
      "  5.2M        0     21     4h12m\n"
      "db            running             3.0    1.5G   7.3T      0      0  "
      "     0     954M      7       42s\n"
      "idle          running               -       -      -      -      -  "
      "     -        -      -         -\n"
      "job           exited                -       -      -      -      -  "
      "     -        -      -  exit 137\n");
}

static void test_narrow_terminals(void **state) {
  write_table_row_t row = nothing;
  snprintf(row.name, sizeof(row.name), "a-name-of-thirty-characters-or");
  static const struct {
    size_t width;
    const char *titles; /* without blanks */
  } cases[] = {
      {200, "CONTAINERSTATECPU%MEMORYLIMITRX/sTX/sREAD/sWRITE/sPIDSUP"},
      {84, "CONTAINERSTATECPU%MEMORYLIMITRX/sTX/sREAD/sWRITE/sPIDSUP"},
      {80, "CONTAINERSTATECPU%MEMORYRX/sTX/sREAD/sWRITE/sPIDSUP"},
      {70, "CONTAINERSTATECPU%MEMORYRX/sTX/sREAD/sWRITE/sPIDS"},
      {65, "CONTAINERSTATECPU%MEMORYRX/sTX/sREAD/sWRITE/s"},
      {60, "CONTAINERSTATECPU%MEMORY"},
      {36, "CONTAINERSTATECPU%MEMORY"},
      {30, "CONTAINERCPU%MEMORY"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    char *text = format(&row, 1, (terminal_t){.width = cases[i].width});
    char titles[128];
    size_t len = 0;
    for (const char *p = strchr(text, '\n') + 1; *p != '\n'; p++)
      if (*p != ' ')
        titles[len++] = *p;
    titles[len] = '\0';
    assert_string_equal(titles, cases[i].titles);
    free(text);
  }
  /* a wide one shows the whole name, a narrow one that it was cut */
  char *text = format(&row, 1, (terminal_t){.width = 200});
  assert_non_null(strstr(text, row.name));
  free(text);
  text = format(&row, 1, (terminal_t){.width = 40});
  assert_non_null(strstr(text, "\na-name-of-thirt~ running"));
  free(text);
}

static void test_health_in_a_narrow_terminal(void **state) {
  write_table_row_t row = nothing;
  row.health = TALLY_HEALTH_UNHEALTHY;
  char *text = format(&row, 1, (terminal_t){.width = 120});
  assert_non_null(strstr(text, "\nidle          running unhealthy "));
  free(text);
  text = format(&row, 1, (terminal_t){.width = 36});
  assert_non_null(strstr(text, "\nidle         unhealthy "));
  free(text);
}

static void test_no_width_is_too_small(void **state) {
  write_table_row_t rows[3] = {nothing, nothing, nothing};
  for (size_t width = 26; width < 200; width++) {
    char *text = format(rows, 3, (terminal_t){.width = width});
    assert_true(widest_line(text) <= width);
    assert_int_equal(count_lines(text), 5);
    free(text);
  }
  for (size_t width = 0; width < 26; width++)
    free(format(rows, 3, (terminal_t){.width = width}));
}

static void test_rows_end_with_the_terminal(void **state) {
  write_table_row_t rows[10];
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(rows); i++)
    rows[i] = nothing;
  static const struct {
    size_t height, lines;
    const char *last;
  } cases[] = {
      {0, 12, NULL},
      {13, 12, NULL},
      {12, 11, "… and 2 more\n"},
      {5, 4, "… and 9 more\n"},
      {4, 3, "… and 10 more\n"},
      {1, 3, "… and 10 more\n"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    char *text = format(rows, STATIC_ARRAY_SIZE(rows),
                        (terminal_t){.width = 100, .height = cases[i].height});
    assert_int_equal(count_lines(text), cases[i].lines);
    if (cases[i].last != NULL)
      assert_non_null(strstr(text, cases[i].last));
    else
      assert_null(strstr(text, "more"));
    free(text);
  }
}

static void test_order(void **state) {
  write_table_row_t rows[4] = {nothing, nothing, nothing, nothing};
  static const struct {
    const char *name;
    double cpu;
  } in[] = {{"c", 0.04}, {"z", 99}, {"a", NAN}, {"b", 0.01}};
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(in); i++) {
    snprintf(rows[i].name, sizeof(rows[i].name), "%s", in[i].name);
    rows[i].cpu_percent = in[i].cpu;
  }
  free(format(rows, 4, (terminal_t){.width = 100}));
  /* b and c both show 0.0 */
  assert_string_equal(rows[0].name, "z");
  assert_string_equal(rows[1].name, "b");
  assert_string_equal(rows[2].name, "c");
  assert_string_equal(rows[3].name, "a");
}

static void test_hostile_names(void **state) {
  static const struct {
    const char *name, *shown;
  } cases[] = {
      {"\033[2Jgone", "?[2Jgone "},
      {"a\nb\tc\rd\ae", "a?b?c?d?e "},
      {"caf\xc3\xa9", "caf? "},
      {"\xe2\x80\xae"
       "evil",
       "?evil "}, /* right-to-left override */
      {"cut \xe2\x80", "cut ? "},
      {"\x9b\x9b", "? "}, /* the C1 form of ESC [ */
      {"\x7f", "? "},
      {"", " "},
      {"%s%n", "%s%n "},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    write_table_row_t row = nothing;
    snprintf(row.name, sizeof(row.name), "%s", cases[i].name);
    char *text = format(&row, 1, (terminal_t){.width = 100});
    const char *line = strchr(strchr(text, '\n') + 1, '\n') + 1;
    if (strncmp(line, cases[i].shown, strlen(cases[i].shown)) != 0)
      fail_msg("case %zu: %s", i, line);
    assert_null(strchr(text, '\033'));
    free(text);
  }
}

static void test_message_and_escapes(void **state) {
  write_table_row_t rows[2] = {nothing, nothing};
  rows[1].health = TALLY_HEALTH_UNHEALTHY;
  assert_text(
      format(rows, 0, (terminal_t){.width = 100, .message = "no \033 Docker"}),
      "node1  12:34:56  0 containers, 0 running  no ? Docker\n"
      "CONTAINER     STATE       CPU %  MEMORY  LIMIT   RX/s   TX/s  "
      "READ/s  WRITE/s   PIDS        UP\n");
  char *text =
      format(rows, 2, (terminal_t){.width = 100, .height = 24, .ansi = true});
  assert_true(strncmp(text, "\033[K\033[1mnode1", 11) == 0);
  assert_non_null(strstr(text, "\n\033[K\033[31midle"));
  assert_string_equal(text + strlen(text) - 3, "\033[J");
  free(text);

  text = format(
      rows, 2,
      (terminal_t){.width = 100, .height = 24, .ansi = true, .before = 4});
  assert_true(strncmp(text, "\033[4A\033[K", 7) == 0);
  free(text);
}

static void test_numbers(void **state) {
  static const struct {
    double bytes;
    const char *shown;
  } cases[] = {
      {0, " 0"},          {0.4, " 0"},      {999.4, " 999"}, {999.5, " 1.0K"},
      {1024, " 1.0K"},    {10188, " 9.9K"}, {10189, " 10K"}, {1022976, " 999K"},
      {1023489, " 1.0M"}, {1e18, " 888P"},  {1e21, " 867E"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    write_table_row_t row = nothing;
    row.memory_used = cases[i].bytes;
    char *text = format(&row, 1, (terminal_t){.width = 100});
    char wanted[32];
    snprintf(wanted, sizeof(wanted), "%s      -", cases[i].shown);
    if (strstr(text, wanted) == NULL)
      fail_msg("%.0f: %s", cases[i].bytes, text);
    free(text);
  }
}

static void test_durations(void **state) {
  static const struct {
    double seconds;
    const char *shown;
  } cases[] = {
      {0, " 0s\n"},        {59.9, " 59s\n"},     {60, " 1m00s\n"},
      {3599, " 59m59s\n"}, {3600, " 1h00m\n"},   {86399, " 23h59m\n"},
      {86400, " 1d0h\n"},  {1e9, " 11574d1h\n"}, {1e300, "99999d0h\n"},
      {-1, " -\n"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    write_table_row_t row = nothing;
    row.uptime = cases[i].seconds;
    char *text = format(&row, 1, (terminal_t){.width = 100});
    if (strstr(text, cases[i].shown) == NULL)
      fail_msg("%g: %s", cases[i].seconds, text);
    free(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_whole_table),
      cmocka_unit_test(test_narrow_terminals),
      cmocka_unit_test(test_health_in_a_narrow_terminal),
      cmocka_unit_test(test_no_width_is_too_small),
      cmocka_unit_test(test_rows_end_with_the_terminal),
      cmocka_unit_test(test_order),
      cmocka_unit_test(test_hostile_names),
      cmocka_unit_test(test_message_and_escapes),
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_durations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
