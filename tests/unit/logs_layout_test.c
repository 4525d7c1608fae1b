/* SPDX-License-Identifier: MIT */
/* What a line looks like as a record: lib/logs/layout*.c, lib/logs/speaker.c;
 * and where texts are cut: lib/core/utf8.c. */
#include "config.h"

#include "unit.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/utf8.h"
#include "logs/layout.h"

#define ID "3fe1aa90bc21d0e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9"
#define ROOM (64 * 1024)
/* 2017-03-04 05:06:07.123456789 */
#define TIME_NS (UINT64_C(1488603967) * TALLY_NS_PER_S + 123456789)

static const tally_pair_t env[] = {
    {"PROCESS", "api"},
    {"RELEASE", "RQZXT"},
    {"KINESIS", "billing-Kinesis-9X"},
    {"LOG_GROUP", "billing-LogGroup-7Q"},
};
static const tally_pair_t labels[] = {
    {"com.x/team", "blue \"1\""}, {"other", "x"}, {"tier", "back"}};
static const tally_container_t container = {
    .id = ID,
    .name = "web",
    .image = "shop/web:7",
    .labels = labels,
    .labels_count = COUNT_OF(labels),
    .env = env,
    .env_count = COUNT_OF(env),
};
static const tally_container_t bare = {.id = ID, .name = "b", .image = "i"};

static void meet(tally_log_speaker_t *speaker, const tally_container_t *c,
                 const char *label) {
  tally_select_t *chosen = NULL;
  if (label != NULL) {
    chosen = tally_select_create();
    assert_int_equal(tally_select_add(chosen, label, NULL), 0);
  }
  assert_int_equal(tally_log_speaker_init(speaker, c, chosen, "node7", NULL),
                   0);
  tally_select_destroy(chosen);
}

static tally_log_text_t said(const char *text) {
  return (tally_log_text_t){
      .text = text, .len = strlen(text), .time_ns = TIME_NS, .last = true};
}

static void assert_record(tally_log_layout_t layout, const tally_container_t *c,
                          const tally_log_text_t *text, const char *record) {
  tally_log_speaker_t speaker;
  meet(&speaker, c, NULL);
  tally_autobuffer tally_buffer_t out;
  tally_buffer_init(&out, ROOM);
  assert_int_equal(tally_log_layout_write(layout, &speaker, text, &out), 0);
  assert_string_equal(out.data, record);
  tally_log_speaker_clear(&speaker);
}

/* ---- names --------------------------------------------------------------- */

static void test_app(void **state) {
  static const struct {
    const char *app, *group, *stream, *name;
  } cases[] = {
      {NULL, NULL, NULL, ""},
      {"shop", "a-b-c-d", NULL, "shop"},
      {"", "a-b-c-d", "x-y-z", "a-b"},
      {NULL, "", "x-y-z", "x"},
      {NULL, "a-b", "x-y-z", ""}, /* no more than two parts */
      {NULL, "a", NULL, ""},
      {NULL, "billing-LogGroup-7Q", NULL, "billing"},
      {NULL, "--", NULL, ""},
      {"two\nlines", NULL, NULL, "two lines"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_pair_t pairs[3];
    size_t count = 0;
    if (cases[i].app != NULL)
      pairs[count++] = (tally_pair_t){"APP", cases[i].app};
    if (cases[i].group != NULL)
      pairs[count++] = (tally_pair_t){"LOG_GROUP", cases[i].group};
    if (cases[i].stream != NULL)
      pairs[count++] = (tally_pair_t){"KINESIS", cases[i].stream};
    const tally_container_t c = {.env = pairs, .env_count = count};
    char name[64];
    tally_log_app_name(&c, name, sizeof(name));
    assert_string_equal(name, cases[i].name);
  }
}

/* ---- texts --------------------------------------------------------------- */

/* The example of the contract. */
static void test_contract(void **state) {
  tally_log_text_t paid = said("paid 12");
  assert_record(TALLY_LOG_LAYOUT_KINESIS, &container, &paid,
                "2017-03-04 05:06:07 api:RQZXT/3fe1aa90bc21 paid 12");
  assert_record(TALLY_LOG_LAYOUT_CLOUDWATCH, &container, &paid,
                "api:RQZXT/3fe1aa90bc21 paid 12");
  assert_record(TALLY_LOG_LAYOUT_RAW, &container, &paid, "paid 12");

  tally_log_text_t empty = said("");
  assert_record(TALLY_LOG_LAYOUT_CLOUDWATCH, &bare, &empty, ":/3fe1aa90bc21 ");
  tally_log_text_t carriage = said("x\r");
  assert_record(TALLY_LOG_LAYOUT_KINESIS, &bare, &carriage,
                "2017-03-04 05:06:07 :/3fe1aa90bc21 x\r");
}

static void test_sentence(void **state) {
  tally_log_text_t s = said("agent:1.0/i-dev Dead process 3fe1aa90bc21");
  s.voice = TALLY_LOG_VOICE_AGENT;
  assert_record(TALLY_LOG_LAYOUT_KINESIS, &container, &s,
                "2017-03-04 05:06:07 agent:1.0/i-dev Dead process "
                "3fe1aa90bc21");
  assert_record(TALLY_LOG_LAYOUT_CLOUDWATCH, &container, &s, s.text);
}

static void test_parts(void **state) {
  tally_log_text_t piece = said("abc");
  piece.part = 2;
  piece.last = false;
  assert_record(TALLY_LOG_LAYOUT_CLOUDWATCH, &bare, &piece,
                ":/3fe1aa90bc21 [part 2, more] abc");
  piece.part = 3;
  piece.last = true;
  assert_record(TALLY_LOG_LAYOUT_RAW, &bare, &piece, "[part 3, last] abc");
}

static void test_times(void **state) {
  static const struct {
    uint64_t seconds;
    const char *text;
  } cases[] = {
      {0, "1970-01-01 00:00:00"},           {951782399, "2000-02-28 23:59:59"},
      {951782400, "2000-02-29 00:00:00"},   {951868800, "2000-03-01 00:00:00"},
      {1704067199, "2023-12-31 23:59:59"},  {1709164800, "2024-02-29 00:00:00"},
      {4107542399, "2100-02-28 23:59:59"},  {4107542400, "2100-03-01 00:00:00"},
      {18446744073, "2554-07-21 23:34:33"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_log_text_t text = said("");
    text.time_ns = cases[i].seconds * TALLY_NS_PER_S;
    char record[64];
    snprintf(record, sizeof(record), "%s :/3fe1aa90bc21 ", cases[i].text);
    assert_record(TALLY_LOG_LAYOUT_KINESIS, &bare, &text, record);
  }
}

/* ---- the object ---------------------------------------------------------- */

static tally_json_t *object_of(const tally_container_t *c, const char *label,
                               const tally_log_text_t *text) {
  tally_log_speaker_t speaker;
  meet(&speaker, c, label);
  tally_autobuffer tally_buffer_t out;
  tally_buffer_init(&out, ROOM);
  assert_int_equal(
      tally_log_layout_write(TALLY_LOG_LAYOUT_JSON, &speaker, text, &out), 0);
  tally_log_speaker_clear(&speaker);
  tally_json_t *object = tally_json_parse(out.data, out.len, NULL);
  assert_non_null(object);
  return object;
}

static void assert_member(const tally_json_t *object, const char *key,
                          const char *value) {
  const char *is = tally_json_string(tally_json_get(object, key));
  if (value == NULL)
    assert_null(is);
  else
    assert_string_equal(is, value);
}

static void test_json(void **state) {
  tally_log_text_t text = said("tab\t \"q\" \\ Größe");
  text.voice = TALLY_LOG_VOICE_STDERR;
  text.instance = "i-0f00";
  tally_json_t *object = object_of(&container, "/team|tier/", &text);
  assert_member(object, "time", "2017-03-04T05:06:07.123456789Z");
  assert_member(object, "stream", "stderr");
  assert_member(object, "container_id", ID);
  assert_member(object, "container_name", "web");
  assert_member(object, "image", "shop/web:7");
  assert_member(object, "app", "billing");
  assert_member(object, "process", "api");
  assert_member(object, "release", "RQZXT");
  assert_member(object, "host", "node7");
  assert_member(object, "instance", "i-0f00");
  assert_member(object, "message", "tab\t \"q\" \\ Größe");
  assert_member(object, "message_base64", NULL);
  assert_null(tally_json_get(object, "part"));
  const tally_json_t *carried = tally_json_get(object, "labels");
  assert_int_equal(tally_json_count(carried), 2);
  assert_member(carried, "com.x/team", "blue \"1\"");
  assert_member(carried, "tier", "back");
  tally_json_destroy(object);
}

static void test_json_of_little(void **state) {
  tally_log_text_t text = said("");
  tally_json_t *object = object_of(&bare, NULL, &text);
  assert_member(object, "message", "");
  assert_member(object, "app", "");
  assert_member(object, "instance", NULL);
  assert_null(tally_json_get(object, "labels"));
  tally_json_destroy(object);

  object = object_of(&bare, "none", &text);
  assert_int_equal(tally_json_count(tally_json_get(object, "labels")), 0);
  tally_json_destroy(object);
}

static void test_json_of_bytes(void **state) {
  tally_log_text_t text = said("a\xff\x00z");
  text.len = 4;
  text.part = 2;
  text.last = false;
  tally_json_t *object = object_of(&bare, NULL, &text);
  assert_member(object, "message", NULL);
  assert_member(object, "message_base64", "Yf8Aeg==");
  assert_int_equal(tally_json_int(tally_json_get(object, "part"), 0), 2);
  assert_false(tally_json_bool(tally_json_get(object, "last"), true));
  tally_json_destroy(object);

  /* more than one step of the encoder */
  static char many[100];
  memset(many, 0xff, sizeof(many));
  text.text = many;
  text.len = sizeof(many);
  object = object_of(&bare, NULL, &text);
  const char *coded =
      tally_json_string(tally_json_get(object, "message_base64"));
  assert_int_equal(strlen(coded), 136);
  assert_int_equal(strspn(coded, "/"), 133);
  assert_string_equal(coded + 133, "w==");
  tally_json_destroy(object);
}

/* Labels are somebody else's: what does not fit is left out as a whole. */
static void test_many_labels(void **state) {
  static tally_pair_t many[400];
  static char keys[400][16], value[101];
  memset(value, 'v', 100);
  for (size_t i = 0; i < COUNT_OF(many); i++) {
    snprintf(keys[i], sizeof(keys[i]), "key%03zu", i);
    many[i] = (tally_pair_t){keys[i], value};
  }
  tally_container_t c = bare;
  c.labels = many;
  c.labels_count = COUNT_OF(many);
  tally_log_text_t text = said("x");
  tally_json_t *object = object_of(&c, "/^key/", &text);
  size_t carried = tally_json_count(tally_json_get(object, "labels"));
  assert_in_range(carried, 100, 200);
  assert_member(object, "message", "x");
  tally_json_destroy(object);
}

/* ---- room ---------------------------------------------------------------- */

static const tally_log_layout_t all[] = {
    TALLY_LOG_LAYOUT_KINESIS, TALLY_LOG_LAYOUT_CLOUDWATCH, TALLY_LOG_LAYOUT_RAW,
    TALLY_LOG_LAYOUT_JSON};

/* Cuts as a sink would; every record is within `room`, and the pieces are the
 * text. */
static unsigned cut(tally_log_layout_t layout, const char *text, size_t len,
                    size_t room, bool in_characters) {
  tally_log_speaker_t speaker;
  meet(&speaker, &container, NULL);
  tally_autobuffer tally_buffer_t out;
  tally_buffer_init(&out, room);
  unsigned part = 0;
  size_t done = 0;
  do {
    tally_log_text_t piece = said("");
    piece.text = text + done;
    piece.len = len - done;
    piece.part = ++part;
    piece.instance = "i-0123456789abcdef0";
    size_t fits = tally_log_layout_fit(layout, &speaker, &piece, room);
    assert_in_range(fits, 1, piece.len);
    piece.last = fits == piece.len;
    piece.len = fits;
    if (in_characters)
      assert_int_equal(tally_utf8_count_bad(piece.text, piece.len), 0);
    tally_buffer_reset(&out);
    assert_int_equal(tally_log_layout_write(layout, &speaker, &piece, &out), 0);
    done += fits;
  } while (done < len);
  tally_log_speaker_clear(&speaker);
  return part;
}

static void test_cutting(void **state) {
  enum { LEN = 300000, SMALL = 32 * 1024 };
  char *text = malloc(LEN);
  static const char *const units[] = {
      "a", "€", "\xf0\x9f\x98\x80", "\"", "\x01", "aé€", "\xff"};
  for (size_t u = 0; u < COUNT_OF(units); u++) {
    size_t unit = strlen(units[u]), len = LEN / unit * unit;
    for (size_t i = 0; i < len; i++)
      text[i] = units[u][i % unit];
    bool characters = tally_utf8_count_bad(units[u], unit) == 0;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
      unsigned parts = cut(all[i], text, len, SMALL, characters);
      assert_in_range(parts, 10, 65); /* full ones: \u0001 takes six bytes */
    }
  }
  free(text);
}

static void test_what_fits_is_not_cut(void **state) {
  tally_log_speaker_t speaker;
  meet(&speaker, &bare, NULL);
  char *text = malloc(ROOM);
  memset(text, 'x', ROOM);
  tally_log_text_t whole = {.text = text, .len = ROOM - 35};
  assert_int_equal(
      tally_log_layout_fit(TALLY_LOG_LAYOUT_KINESIS, &speaker, &whole, ROOM),
      ROOM - 35); /* time 20, ":/ID12 " 15 */
  whole.len++;
  assert_int_equal(
      tally_log_layout_fit(TALLY_LOG_LAYOUT_KINESIS, &speaker, &whole, ROOM),
      ROOM - 35);
  whole.len = ROOM;
  assert_int_equal(
      tally_log_layout_fit(TALLY_LOG_LAYOUT_RAW, &speaker, &whole, ROOM), ROOM);
  whole.len = 0;
  assert_int_equal(
      tally_log_layout_fit(TALLY_LOG_LAYOUT_JSON, &speaker, &whole, ROOM), 0);
  free(text);
  tally_log_speaker_clear(&speaker);
}

/* ---- UTF-8 --------------------------------------------------------------- */

static void test_utf8_cut(void **state) {
  static const struct {
    const char *text;
    size_t most, cut;
  } cuts[] = {
      {"abc", 9, 3},
      {"abc", 2, 2},
      {"a€", 4, 4},
      {"a€", 3, 1},
      {"a€", 2, 1},
      {"a€", 1, 1},
      {"\xf0\x9f\x98\x80", 3, 0},
      {"\xff\xff", 1, 1},
      {"a\x80\x80\x80\x80", 4, 4},
      {"€x", 3, 3},
      {"a\xe2x", 2, 2},
  };
  for (size_t i = 0; i < COUNT_OF(cuts); i++)
    assert_int_equal(
        tally_utf8_cut(cuts[i].text, strlen(cuts[i].text), cuts[i].most),
        cuts[i].cut);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_app),
      cmocka_unit_test(test_contract),
      cmocka_unit_test(test_sentence),
      cmocka_unit_test(test_parts),
      cmocka_unit_test(test_times),
      cmocka_unit_test(test_json),
      cmocka_unit_test(test_json_of_little),
      cmocka_unit_test(test_json_of_bytes),
      cmocka_unit_test(test_many_labels),
      cmocka_unit_test(test_cutting),
      cmocka_unit_test(test_what_fits_is_not_cut),
      cmocka_unit_test(test_utf8_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
