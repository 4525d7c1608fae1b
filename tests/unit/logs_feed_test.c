/* SPDX-License-Identifier: MIT */
/* One container into one sink: lib/logs/feed.c, lib/logs/parcel.c. */
#include "config.h"

#include "unit.h"

#include <pthread.h>
#include <unistd.h>

#include "core/buffer.h"
#include "core/clock.h"
#include "logs/feed.h"
#include "tree.h"

#define ID "3fe1aa90bc21d0e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9"
#define MIB (1024 * 1024)

static const tally_container_t container = {
    .id = ID, .name = "web", .image = "web:7"};
static const tally_log_position_t beginning;

static tree_t tree;
static char spool[128];
static tally_log_feed_common_t common;
static tally_log_sink_t sink;
static tally_log_feed_t feed;
static tally_log_route_t route;

/* ---- a destination that tells -------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tally_buffer_t sent; /* a line for each record */
static bool closed;

static int send_some(void *data, const tally_record_t *records, size_t count,
                     tally_fate_t *fates, tally_answer_t *answer,
                     tally_error_t *err) {
  pthread_mutex_lock(&lock);
  bool now = !closed;
  for (size_t i = 0; i < count; i++) {
    fates[i] = now ? TALLY_FATE_SENT : TALLY_FATE_RETRY;
    if (!now)
      continue;
    assert_memory_equal(records[i].key, ID, records[i].key_len);
    tally_buffer_append(&sent, records[i].data, records[i].len);
    tally_buffer_append(&sent, "\n", 1);
  }
  pthread_mutex_unlock(&lock);
  return now ? 0 : tally_error_set(err, 0, "closed");
}

static void open_or_close(bool close) {
  pthread_mutex_lock(&lock);
  closed = close;
  pthread_mutex_unlock(&lock);
}

static void open_outbox(uint64_t spool_bytes) {
  tally_outbox_options_t options = {.name = "test",
                                    .spool = spool,
                                    .spool_bytes = spool_bytes,
                                    .durable = true,
                                    .linger_ns = 1,
                                    .backoff_base_ns = TALLY_NS_PER_MS,
                                    .backoff_cap_ns = 10 * TALLY_NS_PER_MS,
                                    .sync = TALLY_SYNC_NEVER};
  tally_destination_t destination = {.send = send_some};
  tally_error_t err = {0};
  sink.outbox = tally_outbox_create(&options, &destination, &err);
  if (sink.outbox == NULL)
    fail_msg("%s", err.message);
}

static void assert_sent(const char *text) {
  assert_true(tally_outbox_flush(sink.outbox, 10000));
  pthread_mutex_lock(&lock);
  char *what = strdup(sent.data);
  tally_buffer_reset(&sent);
  pthread_mutex_unlock(&lock);
  assert_string_equal(what, text);
  free(what);
}

/* ---- the scene ----------------------------------------------------------- */

static void open_feed(void) {
  assert_int_equal(
      tally_log_feed_init(&feed, &common, &route, &container, NULL), 0);
  tally_log_feed_connect(&feed, &sink, &beginning);
  tally_log_feed_rewind(&feed);
}

/* As after kill -9: what was not put is gone. */
static void come_back(void) {
  tally_log_feed_clear(&feed);
  tally_outbox_destroy(sink.outbox, 1000, NULL);
  open_outbox(0);
  open_feed();
}

static int set_up(void **state) {
  tree_create(&tree);
  snprintf(spool, sizeof(spool), "%s/spool", tree.root);
  tally_buffer_init(&sent, 64 * MIB);
  common = (tally_log_feed_common_t){.host = "node"};
  sink = (tally_log_sink_t){.room = MIB};
  route = (tally_log_route_t){.target = "t",
                              .layout = TALLY_LOG_LAYOUT_RAW,
                              .streams = {true, true},
                              .lifecycle = true};
  closed = false;
  return 0;
}

static int tear_down(void **state) {
  tally_log_feed_clear(&feed);
  tally_outbox_destroy(sink.outbox, 1000, NULL);
  tally_log_parcel_pool_clear(&common.pool);
  tally_log_join_rule_destroy((tally_log_join_rule_t *)route.join);
  tally_buffer_clear(&sent);
  tree_destroy(&tree);
  return 0;
}

/* What a reader does: positions rise with each line. */
typedef struct {
  tally_log_position_t position;
  tally_log_line_t lines[64];
  size_t count;
} reader_t;

static void say_part(reader_t *r, tally_log_stream_t stream, uint64_t time_ns,
                     const char *text, size_t len, unsigned part, bool last) {
  if (last) {
    bool same = r->position.time_ns[stream] == time_ns;
    r->position.lines[stream] = same ? r->position.lines[stream] + 1 : 1;
    r->position.time_ns[stream] = time_ns;
  }
  r->lines[r->count++] = (tally_log_line_t){.text = text,
                                            .len = len,
                                            .time_ns = time_ns,
                                            .stream = stream,
                                            .part = part,
                                            .last = last,
                                            .after = r->position};
}

static void say(reader_t *r, tally_log_stream_t stream, uint64_t time_ns,
                const char *text) {
  say_part(r, stream, time_ns, text, strlen(text), 0, true);
}

#define OUT TALLY_LOG_STDOUT
#define ERR TALLY_LOG_STDERR

static size_t offer(const reader_t *r, size_t from, size_t count) {
  size_t done = tally_log_feed_offer(&feed, &r->lines[from], count);
  tally_log_feed_settle(&feed, count, done, done);
  return done;
}

/* ---- lines --------------------------------------------------------------- */

static void test_lines_once(void **state) {
  open_outbox(0);
  open_feed();
  reader_t r = {0};
  say(&r, OUT, 10, "one");
  say(&r, OUT, 10, "two");
  say(&r, ERR, 9, "three");
  say(&r, OUT, 12, "");
  assert_int_equal(offer(&r, 0, 4), 4);
  assert_sent("one\ntwo\nthree\n\n");

  come_back();
  say(&r, ERR, 9, "five");
  say(&r, OUT, 12, "six");
  assert_int_equal(offer(&r, 0, r.count), r.count);
  assert_sent("five\nsix\n");
  assert_int_equal(feed.mark.position.lines[OUT], 2);
}

static void test_one_stream(void **state) {
  route.streams[OUT] = false;
  open_outbox(0);
  open_feed();
  reader_t r = {0};
  say(&r, OUT, 10, "one");
  say(&r, ERR, 11, "two");
  say(&r, OUT, 12, "three");
  assert_int_equal(offer(&r, 0, 3), 3);
  assert_sent("two\n");
  /* what was left out counts as read */
  assert_int_equal(feed.mark.position.time_ns[OUT], 12);
  tally_log_feed_flush(&feed, true);
  come_back();
  assert_int_equal(feed.mark.position.time_ns[OUT], 12);
}

/* Another sink of the container had no room: the reader offers the rest again.
 */
static void test_what_others_did_not_take(void **state) {
  open_outbox(0);
  open_feed();
  reader_t r = {0};
  static const char *const texts[] = {"a", "b", "c", "d", "e"};
  for (size_t i = 0; i < 5; i++)
    say(&r, OUT, 7, texts[i]);
  assert_int_equal(tally_log_feed_offer(&feed, r.lines, 3), 3);
  tally_log_feed_settle(&feed, 3, 3, 1);
  assert_int_equal(feed.ahead, 2);
  assert_int_equal(tally_log_feed_offer(&feed, r.lines + 1, 1), 1);
  tally_log_feed_settle(&feed, 1, 1, 0);
  assert_int_equal(feed.ahead, 2);
  assert_int_equal(tally_log_feed_offer(&feed, r.lines + 1, 4), 4);
  tally_log_feed_settle(&feed, 4, 4, 4);
  assert_int_equal(feed.ahead, 0);
  assert_sent("a\nb\nc\nd\ne\n");
}

static void test_lines_without_time(void **state) {
  open_outbox(0);
  open_feed();
  reader_t r = {0};
  say(&r, OUT, 10, "one");
  assert_int_equal(offer(&r, 0, 1), 1);
  come_back();
  say(&r, OUT, 10, "two");
  r.lines[1].time_ns = 0;
  assert_int_equal(offer(&r, 0, 2), 2);
  assert_sent("one\ntwo\n");
}

/* ---- long lines ---------------------------------------------------------- */

static void test_long_lines_are_cut(void **state) {
  sink.room = 64 * 1024;
  open_outbox(0);
  open_feed();
  size_t len = 100000;
  char *text = malloc(len + 1), *expected = malloc(2 * len);
  memset(text, 'x', len);
  text[len] = '\0';
  reader_t r = {0};
  say(&r, OUT, 5, text);
  say(&r, OUT, 6, "short");
  assert_int_equal(offer(&r, 0, 2), 2);
  int first = 64 * 1024 - 32;
  snprintf(expected, 2 * len,
           "[part 1, more] %.*s\n[part 2, last] %.*s\nshort\n", first, text,
           (int)len - first, text);
  assert_sent(expected);
  free(text);
  free(expected);
}

/* The parts of a line that is too long for the reader go on being counted,
 * and none comes twice after a crash in their middle. */
static void test_parts(void **state) {
  open_outbox(0);
  open_feed();
  reader_t r = {0};
  say(&r, OUT, 4, "before");
  say_part(&r, OUT, 5, "AAA", 3, 1, false);
  say(&r, ERR, 5, "between");
  say_part(&r, OUT, 5, "BBB", 3, 2, false);
  say_part(&r, OUT, 5, "CCC", 3, 3, true);
  say(&r, OUT, 6, "after");
  assert_int_equal(offer(&r, 0, 4), 4);
  assert_sent("before\n[part 1, more] AAA\nbetween\n[part 2, more] BBB\n");
  come_back();
  assert_int_equal(offer(&r, 0, 6), 6);
  assert_sent("[part 3, last] CCC\nafter\n");
}

/* The longest line of the reader, in the layout that makes most of it, fits
 * into the smallest spool that docker_logs allows. */
static void test_the_worst_line(void **state) {
  route.layout = TALLY_LOG_LAYOUT_JSON;
  open_outbox(16 * MIB);
  open_feed();
  char *text = malloc(MIB + 1);
  memset(text, 1, MIB);
  text[MIB] = '\0';
  reader_t r = {0};
  say(&r, OUT, 5, text);
  say(&r, OUT, 6, text);
  for (size_t i = 0; i < 2; i++) {
    uint64_t until = tally_clock_monotonic_ns() + 10 * TALLY_NS_PER_S;
    while (offer(&r, i, 1) == 0 && tally_clock_monotonic_ns() < until)
      usleep(1000);
    while (!tally_log_feed_flush(&feed, true) &&
           tally_clock_monotonic_ns() < until)
      usleep(1000);
  }
  assert_true(tally_outbox_flush(sink.outbox, 10000));
  tally_outbox_stats_t stats;
  tally_outbox_stats(sink.outbox, &stats);
  assert_int_equal(tally_outbox_lost(&stats), 0);
  assert_in_range(stats.sent, 12, 16);
  free(text);
}

/* ---- joined lines -------------------------------------------------------- */

static void join_by(const char *start) {
  route.join = tally_log_join_rule_create(start, 500, 1000, 1000, NULL);
  assert_non_null(route.join);
}

static void test_held_back_is_not_noted(void **state) {
  join_by("^[^ ]");
  open_outbox(0);
  open_feed();
  reader_t r = {0};
  say(&r, OUT, 10, "trace");
  say(&r, OUT, 11, " at a");
  say(&r, ERR, 12, "other");
  say(&r, ERR, 13, "next");
  assert_int_equal(offer(&r, 0, 4), 4);
  assert_sent("other\n");

  come_back();
  assert_int_equal(feed.mark.position.time_ns[OUT], 0);
  assert_int_equal(feed.mark.position.time_ns[ERR], 12);
  assert_int_equal(feed.mark.position.open_ns, 10);
  say(&r, OUT, 14, " at b");
  say(&r, OUT, 15, "second");
  assert_int_equal(offer(&r, 0, r.count), r.count);
  assert_sent("trace\n at a\n at b\n");
  assert_true(tally_log_feed_flush(&feed, true));
  assert_sent("second\nnext\n");
  come_back();
  assert_int_equal(feed.mark.position.time_ns[OUT], 15);
  assert_int_equal(feed.mark.position.open_ns, 0);
}

static void test_a_join_does_not_wait_for_ever(void **state) {
  join_by("^x");
  open_outbox(0);
  open_feed();
  reader_t r = {0};
  say(&r, OUT, 10, "x");
  assert_int_equal(offer(&r, 0, 1), 1);
  tally_log_feed_flush(&feed, false);
  assert_sent("");
  feed.streams[OUT].join.due_ns = 1;
  tally_log_feed_flush(&feed, false);
  assert_sent("x\n");
}

static void test_long_and_joined(void **state) {
  join_by("^x");
  open_outbox(0);
  open_feed();
  char text[2001];
  memset(text, 'y', 2000);
  text[2000] = '\0';
  reader_t r = {0};
  say(&r, OUT, 1, "x");
  say(&r, OUT, 2, text); /* longer than a joined record may be */
  say(&r, OUT, 3, "x");
  say_part(&r, OUT, 4, "A", 1, 1, false);
  say_part(&r, OUT, 4, "B", 1, 2, true);
  assert_int_equal(offer(&r, 0, 5), 5);
  char expected[2100];
  snprintf(expected, sizeof(expected),
           "x\n%s\nx\n[part 1, more] A\n[part 2, last] B\n", text);
  assert_sent(expected);
}

/* A second reader begins, since another sink was opened. */
static void test_rewound(void **state) {
  join_by("^x");
  open_outbox(0);
  open_feed();
  reader_t r = {0};
  say(&r, OUT, 1, "x1");
  say(&r, OUT, 2, "x2");
  assert_int_equal(offer(&r, 0, 2), 2);
  tally_log_feed_rewind(&feed);
  assert_int_equal(feed.mark.position.open_ns, 2);
  assert_int_equal(offer(&r, 0, 2), 2);
  tally_log_feed_flush(&feed, true);
  assert_sent("x1\nx2\n");
}

/* ---- no room ------------------------------------------------------------- */

static void test_no_room(void **state) {
  open_or_close(true);
  open_outbox(MIB);
  open_feed();
  static char text[8001];
  memset(text, 'z', 8000);
  enum { LINES = 400 };
  size_t done = 0;
  reader_t r = {0};
  for (unsigned tries = 0; done < LINES && tries < LINES; tries++) {
    r.count = 0;
    r.position = (tally_log_position_t){.time_ns = {done}, .lines = {1}};
    say(&r, OUT, done + 1, text);
    size_t took = offer(&r, 0, 1);
    if (took == 0)
      break;
    done += took;
  }
  assert_in_range(done, 50, 200); /* and there it is full */
  assert_int_equal(offer(&r, 0, 1), 0);
  tally_outbox_stats_t stats;
  tally_outbox_stats(sink.outbox, &stats);
  assert_int_equal(tally_outbox_lost(&stats), 0);

  open_or_close(false);
  uint64_t until = tally_clock_monotonic_ns() + 10 * TALLY_NS_PER_S;
  while (offer(&r, 0, 1) == 0 && tally_clock_monotonic_ns() < until)
    usleep(1000);
  done++;
  assert_true(tally_outbox_flush(sink.outbox, 10000));
  pthread_mutex_lock(&lock);
  size_t len = sent.len;
  pthread_mutex_unlock(&lock);
  assert_int_equal(len, done * 8001);
}

/* ---- sentences ----------------------------------------------------------- */

static void test_sentences_once(void **state) {
  open_outbox(0);
  open_feed();
  tally_event_t die = {.action = "die", .time_ns = 50};
  assert_true(tally_log_feed_tell(&feed, &die, "agent:1/i Dead process x"));
  assert_true(tally_log_feed_tell(&feed, &die, "agent:1/i Dead process x"));
  assert_sent("agent:1/i Dead process x\n");
  come_back();
  assert_true(tally_log_feed_tell(&feed, &die, "agent:1/i Dead process x"));
  die.time_ns++;
  assert_true(tally_log_feed_tell(&feed, &die, "again"));
  assert_sent("again\n");
}

static void test_drained(void **state) {
  open_outbox(0);
  open_feed();
  tally_log_feed_drained(&feed, 77);
  assert_true(tally_log_feed_flush(&feed, true));
  come_back();
  assert_int_equal(feed.mark.drained_ns, 77);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_lines_once),
      TEST(test_one_stream),
      TEST(test_what_others_did_not_take),
      TEST(test_lines_without_time),
      TEST(test_long_lines_are_cut),
      TEST(test_parts),
      TEST(test_the_worst_line),
      TEST(test_held_back_is_not_noted),
      TEST(test_a_join_does_not_wait_for_ever),
      TEST(test_long_and_joined),
      TEST(test_rewound),
      TEST(test_no_room),
      TEST(test_sentences_once),
      TEST(test_drained),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
