/* SPDX-License-Identifier: MIT */
/* What a daemon sends becomes lines: however it is cut, however long they are,
 * and without those that had been read. */
#include "config.h"

#include "unit.h"

#include "core/buffer.h"
#include "docker/logs_lines.h"

/* ---- a stream and what becomes of it ------------------------------------- */

typedef struct scene_s {
  tally_log_lines_t lines;
  tally_log_frames_t frames;
  tally_log_tty_t tty;
  tally_log_position_t position; /* of the last line */
  tally_buffer_t book;           /* the lines, as text */
} scene_t;

/* "o5 text;": stream, seconds and nanoseconds of 2026-01-01, text. A text of
 * one letter repeated is shortened to "x*16384". */
static int note_line(const tally_log_line_t *line, void *data) {
  scene_t *scene = data;
  tally_buffer_t *book = &scene->book;
  uint64_t ns = line->time_ns - UINT64_C(1767225600000000000);
  tally_buffer_printf(book, "%c", "oe"[line->stream]);
  if (line->time_ns != 0)
    tally_buffer_printf(book, "%u", (unsigned)(ns / 1000000000));
  if (line->time_ns != 0 && ns % 1000000000 != 0)
    tally_buffer_printf(book, ".%09u", (unsigned)(ns % 1000000000));
  if (line->part > 0)
    tally_buffer_printf(book, "#%u%s", line->part, line->last ? "" : "+");
  tally_buffer_append_str(book, " ");
  size_t same = 0;
  while (same < line->len && line->text[same] == line->text[0])
    same++;
  if (same > 20)
    tally_buffer_printf(book, "%c*%zu", line->text[0], same);
  else
    same = 0;
  for (size_t i = same; i < line->len; i++)
    tally_buffer_append(book, line->text[i] == '\0' ? "@" : &line->text[i], 1);
  tally_buffer_append_str(book, ";");
  scene->position = line->after;
  return 0;
}

static void set_up(scene_t *scene, bool tty, size_t line_max,
                   const char *from) {
  *scene = (scene_t){0};
  tally_buffer_init(&scene->book, 1 << 20);
  tally_log_position_t position = {0};
  if (from != NULL)
    assert_int_equal(tally_log_position_parse(from, &position), 0);
  tally_log_lines_init(&scene->lines, line_max, tty, &position, note_line,
                       scene);
  tally_log_frames_init(&scene->frames);
  tally_log_tty_init(&scene->tty, &scene->lines.catching_up, false);
}

static void tear_down(scene_t *scene) {
  tally_log_lines_clear(&scene->lines);
  tally_buffer_clear(&scene->book);
}

static int feed(scene_t *scene, const char *bytes, size_t len, size_t piece) {
  for (size_t i = 0; i < len; i += piece) {
    size_t n = len - i < piece ? len - i : piece;
    int status =
        scene->lines.tty
            ? tally_log_tty_feed(&scene->tty, bytes + i, n,
                                 tally_log_lines_take, &scene->lines)
            : tally_log_frames_feed(&scene->frames, bytes + i, n,
                                    tally_log_lines_take, &scene->lines, NULL);
    if (status != 0)
      return status;
  }
  return 0;
}

static void end(scene_t *scene) {
  if (scene->lines.tty)
    tally_log_tty_end(&scene->tty, tally_log_lines_take, &scene->lines);
  tally_log_lines_end(&scene->lines);
}

/*
 * How streams are written here: each piece is the stream ('o', 'e', 'd' for the
 * daemon), its seconds (with no or nine digits behind the point), a blank,
 * text. '~' in it stands for the end of a line, "x*N" (or "x*N|") for so many
 * of that letter, '@' for NUL. A piece ends with ';'. '!' instead of seconds:
 * no time stamp.
 */
static char *stream_of(const char *script, bool tty, size_t *size) {
  char *bytes;
  FILE *f = open_memstream(&bytes, size);
  const char *p = script;
  while (*p != '\0') {
    char kind = *p++, *text;
    size_t text_len;
    FILE *t = open_memstream(&text, &text_len);
    if (*p == '!') {
      p++;
    } else {
      unsigned seconds = (unsigned)strtoul(p, (char **)(uintptr_t)&p, 10);
      char fraction[10] = "000000000";
      if (*p == '.') {
        memcpy(fraction, p + 1, 9);
        p += 10;
      }
      fprintf(t, "2026-01-01T00:%02u:%02u.%sZ ", seconds / 60, seconds % 60,
              fraction);
    }
    for (p++; *p != ';'; p++) {
      if (p[1] == '*') {
        char letter = *p;
        p += 2;
        for (unsigned long n = strtoul(p, (char **)(uintptr_t)&p, 10); n > 0;
             n--)
          fputc(letter, t);
        p--;
      } else if (*p != '|') {
        fputc(*p == '~' ? '\n' : *p == '@' ? '\0' : *p, t);
      }
    }
    p++;
    fclose(t);
    if (!tty) {
      fputc(kind == 'o' ? 1 : kind == 'e' ? 2 : kind == 'i' ? 0 : 3, f);
      fwrite("\0\0\0", 1, 3, f);
      for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(text_len >> shift & 0xff), f);
    }
    fwrite(text, 1, text_len, f);
    free(text);
  }
  fclose(f);
  return bytes;
}

static const size_t piece_sizes[] = {1, 2, 7, 31, 1000, 16384, SIZE_MAX / 2};

/* ---- lines --------------------------------------------------------------- */

typedef struct case_s {
  const char *what;
  bool tty;
  bool local;      /* the driver forgets the ends of lines that it cut */
  size_t line_max; /* 0: much */
  const char *from, *script, *expected;
} case_t;

static const case_t cases[] = {
    {"nothing", .script = "", .expected = ""},
    {"two streams", .script = "o1 a~;e2 b~;o3 ~;",
     .expected = "o1 a;e2 b;o3 ;"},
    {"what was typed", .script = "i1 ls~;", .expected = "o1 ls;"},
    {"bytes", .script = "o1 \xff @\r~;", .expected = "o1 \xff @\r;"},
    {"no newline at the end", .script = "o1 a~;o2 b;",
     .expected = "o1 a;o2 b;"},
    {"and another run", .script = "o1 b;o2 c~;", .expected = "o1 b;o2 c;"},
    {"pieces of one time", .script = "o1 x*16384;o1 x*16384;o1 yz~;o2 a~;",
     .expected = "o1 x*32768yz;o2 a;"},
    {"pieces of their own times", .script = "o1 x*16384;o2 yz~;o3 a~;",
     .expected = "o1 x*16384yz;o3 a;"},
    {"both streams at once",
     .script = "o1 x*16384;e2 y*16384;e3 a~;o1 x*16384;e2 b~;o1 x*5;o4 c~;",
     .expected = "e2 y*16384a;e2 b;o1 x*32773;o4 c;"},
    {"full, and nothing more", .script = "o1 x*16384;",
     .expected = "o1 x*16384;"},
    {"full, and empty", .script = "o1 x*16384;o1 ~;o2 a~;",
     .expected = "o1 x*16384;o2 a;"},
    {"the driver local forgets newlines",
     .script = "o1 x*16384;o1 y;o2 x*16384;o2 ;o3 z~;",
     .expected = "o1 x*16384y;o2 x*16384;o3 z;"},
    {"larger pieces", .script = "o1 x*262118;o1 y~;o2 x*20000;o3 z~;",
     .expected = "o1 x*262118y;o2 x*20000;o3 z;"},
    {"several lines in a piece", .script = "o1 a~b~;o2 c~;",
     .expected = "o1 a;o1 b;o2 c;"},
    {"no time", .script = "o! a b~;o! ~;o2 b~;o! 2026-01-01T99:00:00Z x~;",
     .expected = "o a b;o ;o2 b;o 2026-01-01T99:00:00Z x;"},
    {"the daemon's words", .script = "o1 a~;d! Error grabbing logs: EOF~;",
     .expected = "o1 a;"},

    {"parts", .line_max = 4, .script = "o1 abcdefghij~;o2 abcd~;o3 abcde~;",
     .expected = "o1#1+ abcd;o1#2+ efgh;o1#3 ij;o2 abcd;o3#1+ abcd;o3#2 e;"},
    {"parts across pieces", .line_max = 20000,
     .script = "o1 x*16384;e2 a~;o1 x*16384;o1 y~;",
     .expected = "e2 a;o1#1+ x*20000;o1#2 x*12768y;"},

    {"tty", .tty = true, .script = "o1 a\r~;o2 b~;",
     .expected = "o1 a\r;o2 b;"},
    {"tty, no newline at the end", .tty = true, .script = "o1 a~;o2 b c;",
     .expected = "o1 a;o2 b c;"},
    {"tty, pieces", .tty = true,
     .script = "o1 x*16384;o1 x*16384;o1 y z~;o2 a~;",
     .expected = "o1 x*32768y z;o2 a;"},
    {"tty, full, and nothing more", .tty = true, .script = "o1 x*16384~;o2 a;",
     .expected = "o1 x*16384;o2 a;"},
    {"tty, full, and a number", .tty = true,
     .script = "o1 x*16384|2026-01-01T0020y~;o2 a~;",
     .expected = "o1 x*163842026-01-01T0020y;o2 a;"},
    {"tty, times of programs", .tty = true,
     .script = "o9 at 2026-01-01T11:11:11.111111111Z all~;o2 a~;",
     .expected = "o9 at 2026-01-01T11:11:11.111111111Z all;o2 a;"},
    {"tty, the driver local forgets newlines", .tty = true, .local = true,
     .script = "o1 x*16384;o1 y 2;o2 x*16384;o2 ;o3 ab~;o4 c~;",
     .expected = "o1 x*16384y 2;o2 x*16384;o3 ab;o4 c;"},
    {"tty, the daemon's words", .tty = true,
     .script = "o1 a~;d! Error grabbing logs: EOF~;", .expected = "o1 a;"},

    {"read before", .from = "1767225602000000000.1,1767225603000000000.2",
     .script = "o1 a~;o2 b~;e3 c~;e3 d~;o2 e~;e3 f~;o4 g~;e4 h~;",
     .expected = "o2 e;e3 f;o4 g;e4 h;"},
    {"read before, one stream only", .from = "0.0,1767225603000000000.1",
     .script = "o1 a~;e3 c~;e4 d~;", .expected = "o1 a;e4 d;"},
    {"read before, and the clock was put back afterwards",
     .from = "1767225602000000000.1,0.0", .script = "o2 a~;o3 b~;o1 c~;",
     .expected = "o3 b;o1 c;"},
    {"read before, in pieces", .from = "1767225601000000000.1,0.0",
     .script = "o1 x*16384;o1 y~;o1 z~;", .expected = "o1 z;"},
    {"read before, in pieces of their own times",
     .from = "1767225602000000000.1,0.0", .script = "o1 x*16384;o2 y~;o3 z~;",
     .expected = "o3 z;"},
    {"read before, the first pieces of it not sent again",
     .from = "1767225602000000000.1,0.0", .script = "o2 y~;o3 z~;",
     .expected = "o3 z;"},
    {"tty, read before, without a newline", .tty = true,
     .from = "1767225602000000000.1,0.0", .script = "o1 a~;o2 b;o3 c~;o4 d~;",
     .expected = "o3 c;o4 d;"},
    {"tty, begun before, without a newline", .tty = true,
     .from = "1767225601000000000.1,0.0", .script = "o1 a~;o2 b;o3 c~;o4 d~;",
     .expected = "o2 b;o3 c;o4 d;"},
};

static void check(const case_t *c, size_t piece) {
  scene_t scene;
  set_up(&scene, c->tty, c->line_max ? c->line_max : 1 << 20, c->from);
  scene.tty.scan_continued = c->local;
  size_t size;
  char *bytes = stream_of(c->script, c->tty, &size);
  assert_int_equal(feed(&scene, bytes, size, piece), 0);
  end(&scene);
  free(bytes);
  if (strcmp(scene.book.data, c->expected) != 0)
    fail_msg("%s, %zu bytes at a time:\n  %s\nexpected\n  %s", c->what, piece,
             scene.book.data, c->expected);
  tear_down(&scene);
}

static void test_lines(void **state) {
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    for (size_t p = 0; p < COUNT_OF(piece_sizes); p++)
      check(&cases[i], piece_sizes[p]);
}

static void say(scene_t *scene, const char *script) {
  size_t size;
  char *bytes = stream_of(script, scene->lines.tty, &size);
  assert_int_equal(feed(scene, bytes, size, SIZE_MAX / 2), 0);
  free(bytes);
}

static void assert_told(scene_t *scene, const char *expected) {
  assert_string_equal(scene->book.data, expected);
  tally_buffer_reset(&scene->book);
}

static void test_counts(void **state) {
  scene_t scene;
  set_up(&scene, false, 100, "1767225602000000000.1,0.0");
  say(&scene, "o1 a~;o2 b~;o3 c~;o! d~;e! ;d! Error ~;d! of mine;");
  assert_int_equal(scene.lines.skipped, 2);
  assert_int_equal(scene.lines.invalid, 2);
  assert_string_equal(scene.lines.words, "Error of mine");
  tally_log_lines_begin(&scene.lines, 0);
  assert_string_equal(scene.lines.words, "");
  tear_down(&scene);
}

/* ---- breaks -------------------------------------------------------------- */

static void assert_position(scene_t *scene, const char *expected) {
  char text[TALLY_LOG_POSITION_SIZE];
  tally_log_position_format(&scene->position, text);
  assert_string_equal(text, expected);
}

#define T(n) "17672256" n "000000000"

static void test_positions(void **state) {
  scene_t scene;
  set_up(&scene, false, 100, NULL);
  assert_int_equal(tally_log_lines_since(&scene.lines), 0);
  say(&scene, "o1 a~;");
  assert_position(&scene, T("01") ".1,0.0");
  say(&scene, "o1 a~;e1 b~;");
  assert_position(&scene, T("01") ".2," T("01") ".1");
  say(&scene, "o50 x*16384;"); /* parts of it alone move nothing */
  assert_position(&scene, T("01") ".2," T("01") ".1," T("50"));
  say(&scene, "e70 c~;");
  assert_position(&scene, T("01") ".2," T("70") ".1," T("50"));
  assert_int_equal(tally_log_lines_since(&scene.lines),
                   UINT64_C(1767225650000000000));
  say(&scene, "o50 d~;");
  assert_position(&scene, T("50") ".1," T("70") ".1");
  assert_int_equal(tally_log_lines_since(&scene.lines),
                   UINT64_C(1767225660000000000));
  tear_down(&scene);
}

static void test_cut_line(void **state) {
  scene_t scene;
  set_up(&scene, false, 1 << 20, NULL);
  say(&scene, "o1 a~;o40 x*16384;");
  assert_told(&scene, "o1 a;");
  tally_log_lines_begin(&scene.lines, 0);
  assert_int_equal(tally_log_lines_since(&scene.lines),
                   UINT64_C(1767225591000000000));
  say(&scene, "e60 b~;");
  assert_told(&scene, "e60 b;");
  /* Nothing is known of the line but that it has begun. */
  say(&scene, "o40 x*16384;e70 c~;");
  assert_position(&scene, T("01") ".1," T("70") ".1," T("40"));
  tally_log_lines_begin(&scene.lines, 0);
  assert_int_equal(tally_log_lines_since(&scene.lines),
                   UINT64_C(1767225640000000000));
  tally_buffer_reset(&scene.book);
  say(&scene, "o40 x*16384;e60 b~;e70 c~;o40 y~;");
  assert_told(&scene, "o40 x*16384y;");
  tear_down(&scene);
}

static void test_cut_parts(void **state) {
  scene_t scene;
  set_up(&scene, false, 10000, NULL);
  say(&scene, "o1 a~;o2 x*16384;o2 x*16384;");
  assert_told(&scene, "o1 a;o2#1+ x*10000;o2#2+ x*10000;o2#3+ x*10000;");
  tally_log_lines_begin(&scene.lines, 0);
  say(&scene, "o1 a~;o2 x*16384;"); /* it breaks again, and earlier */
  assert_told(&scene, "");
  tally_log_lines_begin(&scene.lines, 0);
  say(&scene, "o1 a~;o2 x*16384;o2 x*16384;o2 y~;o3 b~;");
  assert_told(&scene, "o2#4 x*2768y;o3 b;");
  tear_down(&scene);
}

/* ---- daemons that cannot be trusted -------------------------------------- */

static void test_repeats(void **state) {
  static const char script[] =
      "o1.000000001 a~;o1.000000002 b~;e1.000000003 c~;"
      /* The daemon begins the file again. */
      "o1.000000001 a~;o1.000000002 b~;e1.000000003 c~;o1.000000004 d~;"
      "o1.000000004 d~;o2.000000005 x*16384;"
      "o1.000000004 d~;o2.000000005 x*16384;o2.000000005 y~;"
      "o3 f~;o3 g~;" /* a clock that has no nanoseconds */
      "o1 h~;";      /* was put back */
  scene_t scene;
  set_up(&scene, false, 1 << 20, NULL);
  tally_log_lines_begin(&scene.lines, TALLY_LOG_REPEATS);
  say(&scene, script);
  assert_told(&scene, "o1.000000001 a;o1.000000002 b;e1.000000003 c;"
                      "o1.000000004 d;o2.000000005 x*16384y;o3 f;o3 g;o1 h;");
  tear_down(&scene);
}

/* The line that was read last, too, at the beginning of a follow. */
static void test_repeated_last_line(void **state) {
  scene_t scene;
  set_up(&scene, false, 1 << 20, "1767225601000000002.1,0.0");
  tally_log_lines_begin(&scene.lines, TALLY_LOG_GAPS | TALLY_LOG_REPEATS);
  say(&scene, "o1.000000001 a~;o1.000000002 b~;o1.000000002 b~;"
              "o1.000000003 c~;");
  assert_told(&scene, "o1.000000003 c;");
  tear_down(&scene);
}

static void test_gaps(void **state) {
  static const char from[] = "1767225601000000000.1,1767225602000000000.1";
  scene_t scene;
  set_up(&scene, false, 100, from);
  tally_log_lines_begin(&scene.lines, TALLY_LOG_GAPS);
  say(&scene, "o1 a~;e2 b~;o3 c~;");
  assert_told(&scene, "o3 c;");
  assert_false(scene.lines.gap);
  tear_down(&scene);

  set_up(&scene, false, 100, from);
  tally_log_lines_begin(&scene.lines, TALLY_LOG_GAPS);
  size_t size;
  char *bytes = stream_of("o1 a~;o3 c~;", false, &size);
  assert_int_equal(feed(&scene, bytes, size, size), -1);
  free(bytes);
  assert_told(&scene, "");
  assert_true(scene.lines.gap);
  tally_log_lines_begin(&scene.lines, 0);
  say(&scene, "o1 a~;e2 b~;o2 b~;o3 c~;");
  assert_told(&scene, "o2 b;o3 c;");
  tear_down(&scene);
}

/* ---- frames -------------------------------------------------------------- */

static void test_hostile_frames(void **state) {
  static const struct {
    const char *bytes;
    size_t len;
    const char *message;
  } hostile[] = {
      {"\x04\0\0\0\0\0\0\1a", 9, "`........' where a frame should begin"},
      {"\x01\0\0\1\0\0\0\1a", 9, "`........' where a frame should begin"},
      {"\x01\0\0\0\xff\xff\xff\xff", 8, "a frame of 4294967295 bytes"},
      {"\x01\0\0\0\x01\x00\x00\x01", 8, "a frame of 16777217 bytes"},
      {"Error running logs", 18, "`Error ru' where a frame should begin"},
      {"\x01\0\0\0\0\0\0\0HTTP/1.1", 16,
       "`HTTP/1.1' where a frame should begin"},
  };
  for (size_t i = 0; i < COUNT_OF(hostile); i++) {
    scene_t scene;
    set_up(&scene, false, 100, NULL);
    tally_error_t err = {0};
    assert_int_equal(tally_log_frames_feed(&scene.frames, hostile[i].bytes,
                                           hostile[i].len, tally_log_lines_take,
                                           &scene.lines, &err),
                     -1);
    assert_string_equal(err.message, hostile[i].message);
    tear_down(&scene);
  }
}

/* ---- positions as text --------------------------------------------------- */

static void test_position_text(void **state) {
  static const char *const good[] = {
      "0.0,0.0",
      "1700000000123456789.1,0.0",
      "1700000000123456789.1,1700000000123456789.2,1700000000000000001",
      "18446744073709551615.4294967295,18446744073709551615.4294967295,"
      "18446744073709551615",
  };
  static const char *const bad[] = {
      "",
      "0",
      "0.0",
      "0.0,0.0,",
      "0.0,0.0 ",
      "-1.0,0.0",
      "0.0,0.-1",
      "0.0;0.0",
      "0.0,0.0,x",
      " 0.0,0.0",
      "0,0.0,0",
      "0.0,0.0,0,",
      "1e3.0,0.0",
      "0..0,0.0",
      "0.4294967296,0.0",
      "18446744073709551616.0,0.0",
  };
  for (size_t i = 0; i < COUNT_OF(good); i++) {
    tally_log_position_t position;
    char text[TALLY_LOG_POSITION_SIZE];
    assert_int_equal(tally_log_position_parse(good[i], &position), 0);
    tally_log_position_format(&position, text);
    assert_string_equal(text, good[i]);
  }
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    tally_log_position_t position = {.open_ns = 7};
    if (tally_log_position_parse(bad[i], &position) == 0)
      fail_msg("`%s' should be no position", bad[i]);
    assert_int_equal(position.open_ns, 7);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lines),
      cmocka_unit_test(test_counts),
      cmocka_unit_test(test_positions),
      cmocka_unit_test(test_cut_line),
      cmocka_unit_test(test_cut_parts),
      cmocka_unit_test(test_hostile_frames),
      cmocka_unit_test(test_repeats),
      cmocka_unit_test(test_repeated_last_line),
      cmocka_unit_test(test_gaps),
      cmocka_unit_test(test_position_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
