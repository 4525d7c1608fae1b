/* SPDX-License-Identifier: MIT */
/* JSON: the tree, the framer, quoting. */
#include "config.h"

#include "unit.h"

#include "core/buffer.h"
#include "core/json.h"
#include "core/utf8.h"

static tally_json_t *parse(const char *text) {
  return tally_json_parse(text, strlen(text), NULL);
}

static void test_tree(void **state) {
  tally_json_t *doc =
      parse("{\"a\":{\"b\":[1,\"two\",true,null,2.5,{}]},\"n\":-7,"
            "\"big\":9223372036854775807,\"bigger\":9223372036854775808,"
            "\"s\":\"\\u00e4\\n\\\"\",\"e\":1e3,\"empty\":{}}");
  assert_non_null(doc);
  const tally_json_t *list = tally_json_find(doc, "a", "b", NULL);
  assert_int_equal(tally_json_count(list), 6);
  assert_int_equal(tally_json_int(tally_json_at(list, 0, NULL), 0), 1);
  assert_string_equal(tally_json_string(tally_json_at(list, 1, NULL)), "two");
  assert_true(tally_json_bool(tally_json_at(list, 2, NULL), false));
  assert_null(tally_json_string(tally_json_at(list, 3, NULL)));
  assert_int_equal(tally_json_int(tally_json_at(list, 4, NULL), -1), -1);
  assert_int_equal(tally_json_count(tally_json_at(list, 5, NULL)), 0);
  assert_null(tally_json_at(list, 6, NULL));

  assert_int_equal(tally_json_int(tally_json_get(doc, "n"), 0), -7);
  assert_true(tally_json_int(tally_json_get(doc, "big"), 0) == INT64_MAX);
  assert_int_equal(tally_json_int(tally_json_get(doc, "bigger"), -1), -1);
  assert_int_equal(tally_json_int(tally_json_get(doc, "e"), -1), -1);
  assert_string_equal(tally_json_string(tally_json_get(doc, "s")),
                      "\xC3\xA4\n\"");

  const char *key;
  assert_non_null(tally_json_at(doc, 1, &key));
  assert_string_equal(key, "n");
  tally_json_at(list, 1, &key);
  assert_null(key);
  tally_json_destroy(doc);
}

/* Look-ups can be chained through what is missing or of the wrong kind. */
static void test_nothing(void **state) {
  tally_json_t *doc = parse("{\"s\":\"x\",\"l\":[1]}");
  assert_null(tally_json_get(NULL, "s"));
  assert_null(tally_json_find(doc, "s", "deeper", NULL));
  assert_null(tally_json_find(doc, "l", "deeper", NULL));
  assert_null(tally_json_string(NULL));
  assert_int_equal(tally_json_int(tally_json_get(doc, "s"), 5), 5);
  assert_true(tally_json_bool(tally_json_get(doc, "s"), true));
  assert_int_equal(tally_json_count(tally_json_get(doc, "s")), 0);
  assert_null(tally_json_at(NULL, 0, NULL));
  tally_json_destroy(doc);
  tally_json_destroy(NULL);
}

static void test_not_json(void **state) {
  static const char *const texts[] = {
      "",          " ",     "{",    "{\"a\"}",  "{\"a\":}",   "[1,]",
      "{} {}",     "nul",   "01",   "\"\xff\"", "{\"a\":1}}", "[1 2]",
      "\"\\ud8\"", "{1:2}", "\x01", "[",        "\"",         "tru",
  };
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    tally_error_t err = {0};
    assert_null(tally_json_parse(texts[i], strlen(texts[i]), &err));
    assert_non_null(strstr(err.message, "JSON"));
  }
}

static void test_every_prefix(void **state) {
  static const char text[] =
      "{\"status\":\"die\",\"Actor\":{\"Attributes\":{\"a\":\"\\u20ac\"}},"
      "\"l\":[1,-2,true,false,null],\"time\":17}";
  for (size_t len = 0; len < sizeof(text) - 1; len++)
    assert_null(tally_json_parse(text, len, NULL));
  tally_json_t *doc = parse(text);
  assert_non_null(doc);
  tally_json_destroy(doc);
}

static void test_bounds(void **state) {
  char deep[2 * (TALLY_JSON_DEPTH_MAX + 1) + 1] = "";
  for (size_t depth = TALLY_JSON_DEPTH_MAX; depth <= TALLY_JSON_DEPTH_MAX + 1;
       depth++) {
    memset(deep, '[', depth);
    memset(deep + depth, ']', depth);
    tally_error_t err = {0};
    tally_json_t *doc = tally_json_parse(deep, 2 * depth, &err);
    assert_int_equal(doc != NULL, depth == TALLY_JSON_DEPTH_MAX);
    if (doc == NULL)
      assert_non_null(strstr(err.message, "nested"));
    tally_json_destroy(doc);
  }

  /* Two bytes of text for each value: refused rather than blown up. */
  size_t size = 4 * 1024 * 1024;
  char *text = malloc(size);
  for (size_t i = 0; i < size; i += 2)
    memcpy(text + i, "1,", 2);
  text[0] = '[';
  text[1] = '1';
  text[size - 2] = '1';
  text[size - 1] = ']';
  tally_error_t err = {0};
  assert_null(tally_json_parse(text, size, &err));
  assert_non_null(strstr(err.message, "too many"));
  free(text);
}

static void test_embedded_nul(void **state) {
  tally_json_t *doc = parse("{\"a\\u0000b\":\"x\\u0000y\"}");
  assert_string_equal(tally_json_string(tally_json_get(doc, "a")), "x");
  tally_json_destroy(doc);
}

/* ---- framer -------------------------------------------------------------- */

typedef struct frames_s {
  tally_buffer_t all; /* the texts, each followed by '|' */
  int stop_after;     /* answer 7 at that one; 0: never */
  int count;
} frames_t;

static int on_frame(const char *text, size_t len, void *data) {
  frames_t *frames = data;
  tally_buffer_append(&frames->all, text, len);
  tally_buffer_append(&frames->all, "|", 1);
  return ++frames->count == frames->stop_after ? 7 : 0;
}

static int feed(tally_json_framer_t *framer, const char *bytes, size_t len,
                size_t step, frames_t *frames, tally_error_t *err) {
  for (size_t i = 0; i < len; i += step) {
    size_t n = len - i < step ? len - i : step;
    int status =
        tally_json_framer_feed(framer, bytes + i, n, on_frame, frames, err);
    if (status != 0)
      return status;
  }
  return 0;
}

/* Glued, separated in any way, cut anywhere: the same texts come out. */
static void test_frames(void **state) {
  static const char bytes[] =
      "{\"a\":\"}{\\\"\\\\\"}{\"b\":[{\"c\":{}}]}\r\n \x1e{\"d\":\"\\\\\"}\n{}";
  static const char expected[] =
      "{\"a\":\"}{\\\"\\\\\"}|{\"b\":[{\"c\":{}}]}|{\"d\":\"\\\\\"}|{}|";
  for (size_t step = 1; step < sizeof(bytes); step++) {
    tally_json_framer_t *framer = tally_json_framer_create(100);
    frames_t frames = {0};
    tally_buffer_init(&frames.all, 1000);
    assert_int_equal(
        feed(framer, bytes, sizeof(bytes) - 1, step, &frames, NULL), 0);
    assert_string_equal(frames.all.data, expected);
    tally_buffer_clear(&frames.all);
    tally_json_framer_destroy(framer);
  }
}

static void test_frame_stop(void **state) {
  tally_json_framer_t *framer = tally_json_framer_create(100);
  frames_t frames = {.stop_after = 2};
  tally_buffer_init(&frames.all, 1000);
  assert_int_equal(feed(framer, "{}{}{}", 6, 6, &frames, NULL), 7);
  assert_int_equal(frames.count, 2);
  tally_buffer_clear(&frames.all);
  tally_json_framer_destroy(framer);
}

static void test_foul_frames(void **state) {
  static const char *const texts[] = {
      "x", "[1]", "}", "\"a\"", "{} 1", "{}\0{}", "HTTP/1.1 200 OK"};
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    tally_json_framer_t *framer = tally_json_framer_create(100);
    frames_t frames = {0};
    tally_error_t err = {0};
    tally_buffer_init(&frames.all, 1000);
    size_t len = i == 5 ? 5 : strlen(texts[i]);
    assert_int_equal(feed(framer, texts[i], len, 1, &frames, &err), -1);
    assert_non_null(strstr(err.message, "should begin"));
    tally_buffer_clear(&frames.all);
    tally_json_framer_destroy(framer);
  }
}

static void test_frame_cap(void **state) {
  for (size_t step = 1; step <= 16; step *= 2) {
    tally_json_framer_t *framer = tally_json_framer_create(10);
    frames_t frames = {0};
    tally_error_t err = {0};
    tally_buffer_init(&frames.all, 1000);
    /* exactly ten bytes are fine, eleven are not, wherever they are cut */
    assert_int_equal(feed(framer, "{\"a\":1234}", 10, step, &frames, &err), 0);
    assert_int_equal(feed(framer, "{\"a\":12345}", 11, step, &frames, &err),
                     -1);
    assert_non_null(strstr(err.message, "longer than 10"));
    /* and it is usable again */
    assert_int_equal(feed(framer, "{}", 2, step, &frames, &err), 0);
    assert_int_equal(frames.count, 2);
    tally_buffer_clear(&frames.all);
    tally_json_framer_destroy(framer);
  }
}

static void test_frame_reset(void **state) {
  tally_json_framer_t *framer = tally_json_framer_create(100);
  frames_t frames = {0};
  tally_buffer_init(&frames.all, 1000);
  assert_int_equal(feed(framer, "{\"half\":\"", 9, 9, &frames, NULL), 0);
  tally_json_framer_reset(framer);
  assert_int_equal(feed(framer, "{}", 2, 2, &frames, NULL), 0);
  assert_string_equal(frames.all.data, "{}|");
  tally_buffer_clear(&frames.all);
  tally_json_framer_destroy(framer);
}

/* ---- quoting ------------------------------------------------------------- */

static void test_quote(void **state) {
  static const struct {
    const char *plain, *quoted;
  } cases[] = {
      {"", "\"\""},
      {"a\"b\\c", "\"a\\\"b\\\\c\""},
      {"\n\x01", "\"\\u000a\\u0001\""},
      {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x90\xB3",
       "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x90\xB3\""},
      {"\xff", "\"\xEF\xBF\xBD\""},
      {"\xC3", "\"\xEF\xBF\xBD\""},                 /* cut */
      {"\xC0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""}, /* overlong */
      {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xF4\x90\x80\x80",
       "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_buffer_t out;
    tally_buffer_init(&out, 100);
    assert_int_equal(tally_json_quote(&out, cases[i].plain), 0);
    assert_string_equal(out.data, cases[i].quoted);
    tally_json_t *back = parse(out.data);
    assert_non_null(tally_json_string(back));
    tally_json_destroy(back);
    tally_buffer_clear(&out);
  }
  for (size_t cap = 0; cap < 8; cap++) {
    tally_buffer_t out;
    tally_buffer_init(&out, cap);
    assert_int_equal(tally_json_quote(&out, "\x01\""), -1);
    tally_buffer_clear(&out);
  }
}

static void test_quote_bytes(void **state) {
  tally_buffer_t out;
  tally_buffer_init(&out, 100);
  assert_int_equal(tally_json_quote_bytes(&out, "a\0b\xff\xC3", 5, "?"), 0);
  assert_string_equal(out.data, "\"a\\u0000b??\"");
  tally_buffer_reset(&out);
  /* a character of which the end is not ours */
  assert_int_equal(tally_json_quote_bytes(&out, "\xE2\x82\xAC", 2, "?"), 0);
  assert_string_equal(out.data, "\"??\"");
  tally_buffer_clear(&out);
}

/* Wherever the eight bytes at a time begin. */
static void test_count_bad(void **state) {
  char text[64];
  for (size_t len = 0; len < sizeof(text); len++)
    for (size_t at = 0; at < len; at++) {
      memset(text, 'a', sizeof(text));
      assert_int_equal(tally_utf8_count_bad(text, len), 0);
      text[at] = '\xff';
      assert_int_equal(tally_utf8_count_bad(text, len), 1);
      memcpy(text + at, "\xC3\xA4", at + 1 < sizeof(text) ? 2 : 1);
      assert_int_equal(tally_utf8_count_bad(text, len), at + 1 == len);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_quote_bytes), cmocka_unit_test(test_count_bad),
      cmocka_unit_test(test_tree),        cmocka_unit_test(test_nothing),
      cmocka_unit_test(test_not_json),    cmocka_unit_test(test_every_prefix),
      cmocka_unit_test(test_bounds),      cmocka_unit_test(test_embedded_nul),
      cmocka_unit_test(test_frames),      cmocka_unit_test(test_frame_stop),
      cmocka_unit_test(test_foul_frames), cmocka_unit_test(test_frame_cap),
      cmocka_unit_test(test_frame_reset), cmocka_unit_test(test_quote),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
