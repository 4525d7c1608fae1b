/* SPDX-License-Identifier: MIT */
/* Order, batches and waiting, without a clock: lib/delivery/window.c,
 * backoff.c. */
#include "config.h"

#include "unit.h"

#include "delivery/window.h"

#define BASE 100
#define CAP 1000

/* "a…" and "b…" are two shards. */
static uint64_t group_by_letter(void *data, const char *key, size_t key_len) {
  return key_len > 0 ? (uint64_t)(unsigned char)key[0] : 0;
}

static const tally_destination_t by_key, by_letter = {.group = group_by_letter};

static tally_window_t make(const tally_destination_t *destination) {
  tally_window_t window = {.destination = destination,
                           .batch_records = 4,
                           .batch_bytes = 100,
                           .backoff_base_ns = BASE,
                           .backoff_cap_ns = CAP};
  return window;
}

static void add(tally_window_t *window, const char *key, const char *data) {
  tally_record_t record = {
      .key = key, .key_len = strlen(key), .data = data, .len = strlen(data)};
  tally_item_t *item = tally_item_create(&record);
  item->size = record.len;
  item->due_ns = 50;
  assert_int_equal(tally_window_add(window, item), 0);
}

/* The data of a batch, one behind the other. */
static size_t take(tally_window_t *window, uint64_t now, tally_item_t **items,
                   const char *expected) {
  size_t count = tally_window_take(window, now, items);
  char text[256] = "";
  for (size_t i = 0; i < count; i++) {
    tally_record_t record = tally_item_record(items[i]);
    strncat(text, record.data, record.len);
  }
  assert_string_equal(text, expected);
  return count;
}

/* "s" sent, "r" retry, "u" unsure, "x" refused. */
static void settle(tally_window_t *window, uint64_t now, uint64_t random,
                   tally_item_t **items, const char *fates, int status,
                   uint64_t retry_after_ns) {
  tally_fate_t list[8] = {0};
  size_t count = strlen(fates);
  for (size_t i = 0; i < count; i++)
    list[i] = fates[i] == 's'   ? TALLY_FATE_SENT
              : fates[i] == 'r' ? TALLY_FATE_RETRY
              : fates[i] == 'x' ? TALLY_FATE_REFUSED
                                : TALLY_FATE_UNSURE;
  tally_window_settle(window, now, random, items, list, count, status,
                      retry_after_ns);
  for (size_t i = 0; i < count; i++)
    free(items[i]);
}

static void test_batches(void **state) {
  tally_window_t window = make(&by_key);
  tally_window_init(&window);
  tally_item_t *items[4];
  assert_true(tally_window_due(&window, 0, true) == TALLY_NEVER);
  add(&window, "a", "1");
  assert_int_equal(tally_window_due(&window, 10, false), 50); /* lingers */
  assert_int_equal(tally_window_due(&window, 10, true), 0);
  for (const char *p = "2345"; *p != '\0'; p++)
    add(&window, "b", (char[]){*p, '\0'});
  assert_int_equal(tally_window_due(&window, 10, false), 0); /* full */
  assert_int_equal(window.records, 5);
  take(&window, 10, items, "1234");
  settle(&window, 10, 0, items, "ssxs", 0, 0);
  take(&window, 60, items, "5");
  settle(&window, 60, 0, items, "s", 0, 0);
  assert_int_equal(window.records, 0);
  assert_int_equal(window.bytes, 0);
  assert_null(window.groups);

  char big[81];
  memset(big, 'x', 80);
  big[80] = '\0';
  add(&window, "a", big);
  add(&window, "a", big); /* 160 do not fit into 100 */
  assert_int_equal(tally_window_take(&window, 0, items), 1);
  settle(&window, 0, 0, items, "s", 0, 0);
  tally_window_clear(&window);
}

/* What failed waits, with everything behind it of its key; others go on. */
static void test_failed_key_waits(void **state) {
  tally_window_t window = make(&by_key);
  tally_window_init(&window);
  tally_item_t *items[4];
  const char *keys = "abcabcab";
  for (size_t i = 0; i < 8; i++)
    add(&window, (char[]){keys[i], '\0'}, (char[]){(char)('1' + i), '\0'});
  take(&window, 0, items, "1234");
  settle(&window, 0, BASE, items, "srsr", 0, 500); /* b's 2 and a's 4 */
  take(&window, 400, items, "6");                  /* c alone */
  settle(&window, 400, 0, items, "s", 0, 0);
  take(&window, 400, items, "");
  uint64_t due = tally_window_due(&window, 400, false);
  assert_true(due >= 500 && due <= 500 + BASE);
  size_t count = tally_window_take(&window, 500 + BASE, items);
  assert_int_equal(count, 4);
  char a[8] = "", b[8] = "";
  for (size_t i = 0; i < count; i++) {
    tally_record_t record = tally_item_record(items[i]);
    strncat(record.key[0] == 'a' ? a : b, record.data, 1);
  }
  assert_string_equal(a, "4");
  assert_string_equal(b, "258");
  settle(&window, 700, 0, items, "ssss", 0, 0);
  take(&window, 700, items, "7");
  settle(&window, 700, 0, items, "s", 0, 0);
  tally_window_clear(&window);
}

static void test_shard_waits(void **state) {
  tally_window_t window = make(&by_letter);
  tally_window_init(&window);
  tally_item_t *items[4];
  add(&window, "a1", "1");
  add(&window, "a2", "2");
  add(&window, "b1", "3");
  add(&window, "a3", "4");
  add(&window, "b2", "5");
  take(&window, 0, items, "1234");
  settle(&window, 0, BASE, items, "rssr", 0, 0);
  take(&window, 0, items, "5");
  settle(&window, 0, 0, items, "s", 0, 0);
  take(&window, BASE, items, "14");
  settle(&window, BASE, 0, items, "ss", 0, 0);
  tally_window_clear(&window);
}

/* A call that failed as a whole makes everybody wait, and order stays. */
static void test_failed_call(void **state) {
  tally_window_t window = make(&by_key);
  tally_window_init(&window);
  tally_item_t *items[4];
  add(&window, "a", "1");
  add(&window, "b", "2");
  add(&window, "a", "3");
  take(&window, 0, items, "123");
  settle(&window, 0, 70, items, "usr", -1, 0);
  assert_int_equal(tally_window_due(&window, 0, true), 70);
  take(&window, 69, items, "");
  take(&window, 70, items, "13");
  settle(&window, 70, 0, items, "ss", 0, 0);
  tally_window_clear(&window);
}

static void test_expiry(void **state) {
  tally_window_t window = make(&by_key);
  tally_window_init(&window);
  tally_item_t *items[4];
  for (const char *p = "12345"; *p != '\0'; p++)
    add(&window, "a", (char[]){*p, '\0'});
  take(&window, 0, items, "1234");
  for (size_t i = 0; i < 4; i++)
    items[i]->accepted_ns = i; /* 0 1 2 3, parked; "5" has 0, ready */
  settle(&window, 0, 0, items, "rrrr", 0, 1000);
  tally_items_t expired = TAILQ_HEAD_INITIALIZER(expired);
  tally_window_expire(&window, 2, &expired);
  assert_int_equal(window.records, 2);
  assert_int_equal(tally_window_oldest(&window), 2);
  tally_items_clear(&expired);
  take(&window, 2000, items, "34");
  settle(&window, 2000, 0, items, "ss", 0, 0);
  assert_null(window.groups);
}

static void test_backoff(void **state) {
  tally_backoff_t backoff = {0};
  uint64_t limits[] = {100, 200, 400, 800, 1000, 1000};
  for (size_t i = 0; i < COUNT_OF(limits); i++) {
    tally_backoff_t same = backoff;
    assert_int_equal(tally_backoff_fail(&same, BASE, CAP, 0, limits[i]),
                     limits[i]);
    assert_int_equal(tally_backoff_fail(&backoff, BASE, CAP, 0, limits[i] + 1),
                     0); /* anything between nothing and the limit */
  }
  tally_backoff_succeed(&backoff);
  assert_int_equal(tally_backoff_fail(&backoff, BASE, CAP, 0, 100), 100);
  uint64_t wait = tally_backoff_fail(&backoff, BASE, CAP, 5000, 7);
  assert_true(wait >= 5000 && wait <= 5000 + BASE);
  wait = tally_backoff_fail(&backoff, BASE, CAP, UINT64_MAX, 7);
  assert_true(wait < UINT64_C(3700) * 1000000000); /* nobody waits for years */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_batches),
      cmocka_unit_test(test_failed_key_waits),
      cmocka_unit_test(test_shard_waits),
      cmocka_unit_test(test_failed_call),
      cmocka_unit_test(test_expiry),
      cmocka_unit_test(test_backoff),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
