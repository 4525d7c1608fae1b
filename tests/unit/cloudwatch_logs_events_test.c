/* SPDX-License-Identifier: MIT */
/* Which events make one call of PutLogEvents, and what the answer says. */
#include "config.h"

#include "unit.h"

#include "aws/cloudwatch_logs_private.h"
#include "core/clock.h"
#include "core/json.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)
#define MESSAGE_MAX TALLY_CLOUDWATCH_LOGS_MESSAGE_MAX

static tally_record_t record(const char *key, const char *text,
                             uint64_t time_ms) {
  return (tally_record_t){.key = key,
                          .key_len = strlen(key),
                          .data = text,
                          .len = strlen(text),
                          .time_ns = time_ms * TALLY_NS_PER_MS};
}

/* ---- sizes --------------------------------------------------------------- */

static size_t size_of(const char *bytes, size_t len) {
  const tally_record_t made = {.key = "s", .data = bytes, .len = len};
  return tally_logs_record_size(&made);
}

static void what_an_event_counts(void **state) {
  assert_int_equal(size_of("", 0), 1 + 26);
  assert_int_equal(size_of("abc", 3), 3 + 26);
  assert_int_equal(size_of("\xC3\xA4", 2), 2 + 26);
  assert_int_equal(size_of("\0\n", 2), 2 + 26);
  assert_int_equal(size_of("a\xff\xC3", 3), 7 + 26);
}

/* Replacing makes no message too long that was not. */
static void long_messages(void **state) {
  char *text = malloc(MESSAGE_MAX);
  memset(text, 'x', MESSAGE_MAX);
  assert_int_equal(size_of(text, MESSAGE_MAX), MESSAGE_MAX + 26);
  text[0] = '\xff';
  assert_int_equal(size_of(text, MESSAGE_MAX - 2), MESSAGE_MAX + 26);
  assert_int_equal(size_of(text, MESSAGE_MAX - 1), MESSAGE_MAX - 1 + 26);
  assert_int_equal(size_of(text, MESSAGE_MAX), MESSAGE_MAX + 26);

  for (size_t cut = 1; cut <= 2; cut++) {
    tally_record_t made = {.key = "s", .data = text, .len = MESSAGE_MAX - cut};
    tally_logs_event_t event = tally_logs_event(&made, 5 * TALLY_NS_PER_MS);
    tally_autobuffer tally_buffer_t body;
    tally_buffer_init(&body, 1 << 20);
    assert_int_equal(tally_logs_quote_events(&body, "g", "s", &event, 1), 0);
    assert_non_null(strstr(body.data, "{\"timestamp\":5,\"message\":"));
    assert_non_null(
        strstr(body.data, cut == 1 ? ":\"?xx" : ":\"\xEF\xBF\xBDx"));
  }
  free(text);
}

/* The buffer that is made for a call has room for whatever fits into one. */
static void the_longest_bodies(void **state) {
  char *text = calloc(1, MESSAGE_MAX); /* each byte is quoted with six */
  const struct {
    size_t len, count;
  } cases[] = {{MESSAGE_MAX, 4}, {78, 10000}, {1, 10000}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_record_t *records = calloc(cases[i].count, sizeof(*records));
    tally_logs_event_t *events = calloc(cases[i].count, sizeof(*events));
    for (size_t k = 0; k < cases[i].count; k++) {
      records[k] = (tally_record_t){.data = text, .len = cases[i].len};
      events[k] = tally_logs_event(&records[k], UINT64_MAX);
    }
    assert_int_equal(tally_logs_fit(events, cases[i].count), cases[i].count);
    tally_autobuffer tally_buffer_t body;
    tally_buffer_init(&body, TALLY_LOGS_BODY_MAX);
    assert_int_equal(
        tally_logs_quote_events(&body, "g", "s", events, cases[i].count), 0);
    free(events);
    free(records);
  }
  free(text);
}

/* ---- calls --------------------------------------------------------------- */

static void fits(size_t expected, const tally_logs_event_t *events,
                 size_t count) {
  assert_int_equal(tally_logs_fit(events, count), expected);
}

static void what_fits_into_a_call(void **state) {
  static tally_logs_event_t events[TALLY_LOGS_EVENTS_MAX + 1];
  for (size_t i = 0; i < COUNT_OF(events); i++)
    events[i] = (tally_logs_event_t){.time_ms = 7, .size = 27};
  fits(1, events, 1);
  fits(9999, events, 9999);
  fits(10000, events, 10000);
  fits(10000, events, 10001);

  events[0].size = 262144; /* four of them are exactly 1 048 576 */
  events[1].size = 262144;
  events[2].size = 262144;
  events[3].size = 262144 - 27;
  fits(5, events, 6);
  events[3].size++;
  fits(4, events, 6);
  events[3].size += 26;
  fits(4, events, 6);
  events[3].size++;
  fits(3, events, 6);

  for (size_t i = 0; i < 4; i++)
    events[i].size = 27;
  events[3].time_ms = 7 + DAY_MS;
  fits(4, events, 4);
  events[3].time_ms++;
  fits(3, events, 4);
}

/* ---- order --------------------------------------------------------------- */

static void by_stream_by_time_and_as_they_stood(void **state) {
  const tally_record_t records[] = {
      record("b", "0", 5), record("a", "1", 9),  record("b", "2", 4),
      record("a", "3", 9), record("b", "4", 5),  record("aa", "5", 1),
      record("a", "6", 8), record("", "7", 100),
  };
  tally_logs_event_t events[COUNT_OF(records)];
  for (size_t i = 0; i < COUNT_OF(records); i++)
    events[i] = tally_logs_event(&records[i], 0);
  tally_logs_sort(events, COUNT_OF(events));
  static const char expected[] = "76132045";
  for (size_t i = 0; i < COUNT_OF(events); i++)
    assert_int_equal(events[i].record->data[0], expected[i]);
  assert_int_equal(tally_logs_same_key(events, COUNT_OF(events)), 1);
  assert_int_equal(tally_logs_same_key(events + 1, COUNT_OF(events) - 1), 3);
  assert_int_equal(tally_logs_same_key(events + 4, COUNT_OF(events) - 4), 3);
}

/* Nanoseconds do not count: what the service is told are milliseconds. */
static void the_same_millisecond(void **state) {
  tally_record_t records[] = {record("s", "0", 5), record("s", "1", 5)};
  records[0].time_ns += 900;
  tally_logs_event_t events[] = {tally_logs_event(&records[0], 0),
                                 tally_logs_event(&records[1], 0)};
  tally_logs_sort(events, 2);
  assert_ptr_equal(events[0].record, &records[0]);
}

/* ---- names --------------------------------------------------------------- */

static void names_of_streams(void **state) {
  static const struct {
    const char *key, *name;
  } cases[] = {
      {"3fe1aa90", "3fe1aa90"},
      {"", "default"},
      {"a:b*c", "a_b_c"},
      {"a b/c", "a b/c"},
      {"t\xC3\xA4lly", "t\xC3\xA4lly"},
      {"a\n\x7f\xff\xC3", "a____"},
  };
  char name[TALLY_LOGS_STREAM_MAX + 1];
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_logs_stream_name(cases[i].key, strlen(cases[i].key), name);
    assert_string_equal(name, cases[i].name);
  }
  tally_logs_stream_name("a\0b", 3, name);
  assert_string_equal(name, "a_b");
  char key[TALLY_OUTBOX_KEY_MAX];
  memset(key, 'k', sizeof(key));
  memcpy(key + 511, "\xC3\xA4", 2); /* not cut in two */
  tally_logs_stream_name(key, sizeof(key), name);
  assert_int_equal(strlen(name), 511);
  tally_logs_stream_name(key, 511, name);
  assert_int_equal(strlen(name), 511);
}

/* ---- answers ------------------------------------------------------------- */

static void what_was_rejected(void **state) {
  static const struct {
    const char *info;
    size_t too_old, too_new; /* of ten */
  } cases[] = {
      {"{}", 0, 10},
      {"null", 0, 10},
      {"{\"tooOldLogEventEndIndex\":3}", 3, 10},
      {"{\"expiredLogEventEndIndex\":4}", 4, 10},
      {"{\"tooOldLogEventEndIndex\":3,\"expiredLogEventEndIndex\":4}", 4, 10},
      {"{\"tooOldLogEventEndIndex\":5,\"expiredLogEventEndIndex\":4}", 5, 10},
      {"{\"tooNewLogEventStartIndex\":7}", 0, 7},
      {"{\"tooNewLogEventStartIndex\":0}", 0, 0},
      {"{\"tooOldLogEventEndIndex\":10}", 10, 10},
      {"{\"tooOldLogEventEndIndex\":2,\"tooNewLogEventStartIndex\":8}", 2, 8},
      /* nonsense */
      {"{\"tooOldLogEventEndIndex\":99}", 10, 10},
      {"{\"tooOldLogEventEndIndex\":-1}", 0, 10},
      {"{\"tooNewLogEventStartIndex\":-5}", 0, 10},
      {"{\"tooNewLogEventStartIndex\":\"1\"}", 0, 10},
      {"{\"tooOldLogEventEndIndex\":8,\"tooNewLogEventStartIndex\":2}", 8, 8},
      {"[1]", 0, 10},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char body[256];
    tally_logs_answer_t answer;
    int len = snprintf(body, sizeof(body), "{\"rejectedLogEventsInfo\":%s}",
                       cases[i].info);
    assert_int_equal(tally_logs_answer_read(&answer, body, (size_t)len, 10), 0);
    assert_int_equal(answer.too_old, cases[i].too_old);
    assert_int_equal(answer.too_new, cases[i].too_new);
    assert_string_equal(answer.token, "");
  }
}

#define FIFTY "01234567890123456789012345678901234567890123456789"

static void tokens(void **state) {
  static const struct {
    const char *body, *token;
  } cases[] = {
      {"{\"nextSequenceToken\":\"495\"}", "495"},
      {"{\"expectedSequenceToken\":\"496\",\"message\":\"is: 497\"}", "496"},
      {"{\"message\":\"The next expected sequenceToken is: 497\"}", "497"},
      {"{\"Message\":\"The next expected sequenceToken is: 498\"}", "498"},
      {"{\"message\":\"The next expected sequenceToken is: null\"}", ""},
      {"{\"expectedSequenceToken\":\"null\",\"message\":\"is: 499\"}", ""},
      {"{\"expectedSequenceToken\":null,\"message\":\"is: 500\"}", "500"},
      {"{\"nextSequenceToken\":\"\"}", ""},
      {"{\"nextSequenceToken\":\"two words\"}", ""},
      {"{\"nextSequenceToken\":5}", ""},
      {"{\"message\":\"word\"}", ""},
      {"{\"nextSequenceToken\":\"" FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY "\"}",
       ""},
      {" {}", ""},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_logs_answer_t answer;
    assert_int_equal(tally_logs_answer_read(&answer, cases[i].body,
                                            strlen(cases[i].body), 1),
                     0);
    assert_string_equal(answer.token, cases[i].token);
  }
}

static void no_answers(void **state) {
  static const char *const bodies[] = {"",  "<html>", "[]",  "null",
                                       "{", "\"{\"",  "{}{}"};
  for (size_t i = 0; i < COUNT_OF(bodies); i++) {
    tally_logs_answer_t answer;
    assert_int_equal(
        tally_logs_answer_read(&answer, bodies[i], strlen(bodies[i]), 1), -1);
  }
}

/* ---- what is remembered of streams --------------------------------------- */

static void tokens_are_kept(void **state) {
  tally_logs_tokens_t tokens = {0};
  tally_logs_token_keep(&tokens, "a", "1");
  assert_string_equal(tally_logs_token(&tokens, "a"), ""); /* nobody asked */
  tokens.wanted = true;
  tally_logs_token_keep(&tokens, "a", "1");
  tally_logs_token_keep(&tokens, "b", "2");
  tally_logs_token_keep(&tokens, "a", "3");
  assert_string_equal(tally_logs_token(&tokens, "a"), "3");
  assert_string_equal(tally_logs_token(&tokens, "b"), "2");
  tally_logs_token_keep(&tokens, "a", "");
  tally_logs_token_keep(&tokens, "c", "");
  assert_string_equal(tally_logs_token(&tokens, "a"), "");
  assert_int_equal(tokens.count, 1);
  tally_logs_tokens_clear(&tokens);
}

static void but_not_without_end(void **state) {
  tally_logs_tokens_t tokens = {.wanted = true};
  char name[32];
  for (unsigned i = 0; i < TALLY_LOGS_TOKENS_MAX + 10; i++) {
    snprintf(name, sizeof(name), "%u", i);
    tally_logs_token_keep(&tokens, name, name);
  }
  assert_int_equal(tokens.count, TALLY_LOGS_TOKENS_MAX);
  assert_string_equal(tally_logs_token(&tokens, "9"), "");
  assert_string_equal(tally_logs_token(&tokens, "10"), "10");
  assert_string_equal(tally_logs_token(&tokens, name), name);
  tally_logs_tokens_clear(&tokens);
  assert_int_equal(tokens.count, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_an_event_counts),
      cmocka_unit_test(long_messages),
      cmocka_unit_test(the_longest_bodies),
      cmocka_unit_test(what_fits_into_a_call),
      cmocka_unit_test(by_stream_by_time_and_as_they_stood),
      cmocka_unit_test(the_same_millisecond),
      cmocka_unit_test(names_of_streams),
      cmocka_unit_test(what_was_rejected),
      cmocka_unit_test(tokens),
      cmocka_unit_test(no_answers),
      cmocka_unit_test(tokens_are_kept),
      cmocka_unit_test(but_not_without_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
