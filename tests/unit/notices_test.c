/* SPDX-License-Identifier: MIT */
/* Notifications on their way: order, room, rates, kinds, many threads. */
#include "config.h"

#include "unit.h"

#include <pthread.h>

#include "core/clock.h"
#include "core/file.h"
#include "notices.h"

static int wakes;
static void count_wake(void *data) {
  assert_ptr_equal(data, &wakes);
  wakes++;
}

static tally_notices_t *notices;
static uint64_t start_ns; /* when every bucket is full */

static int setup(void **state) {
  wakes = 0;
  notices = tally_notices_create(count_wake, &wakes, NULL);
  start_ns = tally_clock_monotonic_ns() + 600 * TALLY_NS_PER_S;
  return notices != NULL ? 0 : -1;
}

static int teardown(void **state) {
  tally_notices_destroy(notices);
  return 0;
}

static void put(tally_notice_kind_t kind, const char *object, double second) {
  tally_notice_t notice;
  tally_notice_init(&notice, kind);
  snprintf(notice.object, sizeof(notice.object), "%s", object);
  tally_notices_put_at(notices, &notice,
                       start_ns + (uint64_t)(second * TALLY_NS_PER_S));
}

static void put_numbered(unsigned number, double second) {
  char object[16];
  snprintf(object, sizeof(object), "c%u", number);
  put(TALLY_NOTICE_CONTAINER_DIED, object, second);
}

static unsigned take_all(void) {
  tally_notice_t notice;
  unsigned count = 0;
  while (tally_notices_take(notices, &notice))
    count++;
  return count;
}

static void assert_counts(uint64_t taken, uint64_t suppressed) {
  uint64_t t, s;
  tally_notices_count(notices, &t, &s);
  assert_int_equal(t, taken);
  assert_int_equal(s, suppressed);
}

static void configure(unsigned per_minute, tally_notice_kind_t off) {
  tally_settings_t settings = {.notices_per_minute = per_minute};
  for (int kind = 0; kind < TALLY_NOTICES; kind++)
    settings.notify[kind] = kind != (int)off;
  tally_notices_configure(notices, &settings);
}

static void test_order(void **state) {
  tally_notice_t notice;
  assert_false(tally_notices_take(notices, &notice));
  put(TALLY_NOTICE_CONTAINER_DIED, "web", 0);
  put(TALLY_NOTICE_CONTAINER_OOM, "db", 0);
  assert_int_equal(wakes, 2);
  assert_true(tally_notices_take(notices, &notice));
  assert_int_equal(notice.kind, TALLY_NOTICE_CONTAINER_DIED);
  assert_string_equal(notice.object, "web");
  assert_int_equal(notice.exit_code, TALLY_UNKNOWN);
  put(TALLY_NOTICE_DOCKER_LOST, "", 0);
  assert_true(tally_notices_take(notices, &notice));
  assert_int_equal(notice.kind, TALLY_NOTICE_CONTAINER_OOM);
  assert_true(tally_notices_take(notices, &notice));
  assert_int_equal(notice.kind, TALLY_NOTICE_DOCKER_LOST);
  assert_false(tally_notices_take(notices, &notice));
  assert_counts(3, 0);
}

static void test_kinds(void **state) {
  configure(60, TALLY_NOTICE_CONTAINER_STATE);
  put(TALLY_NOTICE_CONTAINER_STATE, "web", 0);
  put(TALLY_NOTICE_CONTAINER_DIED, "web", 0);
  assert_int_equal(wakes, 1);
  assert_int_equal(take_all(), 1);
  assert_counts(1, 0); /* not wanted is not suppressed */
  configure(60, 0);
  put(TALLY_NOTICE_CONTAINER_STATE, "web", 0);
  assert_int_equal(take_all(), 1);
}

static void test_rate_of_an_object(void **state) {
  for (int i = 0; i < 20; i++)
    put(TALLY_NOTICE_CONTAINER_DIED, "crasher", 0);
  assert_int_equal(wakes, TALLY_NOTICES_PER_OBJECT);
  assert_int_equal(take_all(), TALLY_NOTICES_PER_OBJECT);
  assert_counts(TALLY_NOTICES_PER_OBJECT, 20 - TALLY_NOTICES_PER_OBJECT);

  /* another kind of it, another object */
  put(TALLY_NOTICE_CONTAINER_OOM, "crasher", 0);
  put(TALLY_NOTICE_CONTAINER_DIED, "crasher2", 0);
  assert_int_equal(take_all(), 2);

  /* six a minute is one in ten seconds */
  put(TALLY_NOTICE_CONTAINER_DIED, "crasher", 9.9);
  assert_int_equal(take_all(), 0);
  put(TALLY_NOTICE_CONTAINER_DIED, "crasher", 10.1);
  put(TALLY_NOTICE_CONTAINER_DIED, "crasher", 10.1);
  assert_int_equal(take_all(), 1);
  /* silence fills it up, but not beyond a minute's worth */
  for (int i = 0; i < 20; i++)
    put(TALLY_NOTICE_CONTAINER_DIED, "crasher", 36000);
  assert_int_equal(take_all(), TALLY_NOTICES_PER_OBJECT);
}

static void test_rate_of_all(void **state) {
  configure(30, 0);
  for (unsigned i = 0; i < 100; i++)
    put_numbered(i, 0);
  assert_int_equal(take_all(), 30);
  assert_counts(30, 70);
  put_numbered(200, 1.9);
  put_numbered(201, 2.1);
  put_numbered(202, 2.1);
  assert_int_equal(take_all(), 1);

  /* what was refused because of the others was not held against it */
  for (unsigned i = 0; i < 10; i++)
    put_numbered(202, 1000);
  assert_int_equal(take_all(), TALLY_NOTICES_PER_OBJECT);
}

static void test_other_rates(void **state) {
  for (unsigned i = 0; i < 100; i++)
    put_numbered(i, 0);
  assert_int_equal(take_all(), TALLY_NOTICES_PER_MINUTE);
  configure(10, 0);
  put_numbered(100, 1);
  assert_int_equal(take_all(), 0);
  for (unsigned i = 200; i < 300; i++)
    put_numbered(i, 600);
  assert_int_equal(take_all(), 10);
  configure(40, 0); /* thirty more at once */
  for (unsigned i = 300; i < 400; i++)
    put_numbered(i, 600);
  assert_int_equal(take_all(), 30);
  configure(0, 0);
  put_numbered(400, 6000);
  assert_int_equal(take_all(), 0);
}

static void test_room(void **state) {
  configure(100000, 0);
  for (unsigned i = 0; i < TALLY_NOTICES_ROOM + 10; i++)
    put_numbered(i, 0);
  assert_counts(0, 10);
  tally_notice_t notice;
  for (unsigned i = 0; i < TALLY_NOTICES_ROOM; i++) {
    char object[16];
    snprintf(object, sizeof(object), "c%u", i);
    assert_true(tally_notices_take(notices, &notice));
    assert_string_equal(notice.object, object);
  }
  assert_false(tally_notices_take(notices, &notice));
  put_numbered(5000, 0);
  assert_int_equal(take_all(), 1);
}

/* More objects than are remembered: the silent ones are forgotten first. */
static void test_many_objects(void **state) {
  configure(1000000, 0);
  for (unsigned i = 0; i < 1000; i++) {
    put_numbered(i, i);
    for (int k = 0; k < 10; k++)
      put(TALLY_NOTICE_CONTAINER_DIED, "crasher", i);
    unsigned came = take_all();
    if (i == 0)
      assert_int_equal(came, 1 + TALLY_NOTICES_PER_OBJECT);
    else
      assert_in_range(came, 1, 2); /* never as if it were new */
  }
}

static void test_time_stands_still_or_goes_back(void **state) {
  for (int i = 0; i < 10; i++)
    put(TALLY_NOTICE_CONTAINER_DIED, "web", 100);
  assert_int_equal(take_all(), TALLY_NOTICES_PER_OBJECT);
  put(TALLY_NOTICE_CONTAINER_DIED, "web", 0);
  assert_int_equal(take_all(), 0);
  put(TALLY_NOTICE_CONTAINER_DIED, "web", 111);
  assert_int_equal(take_all(), 1);
}

/* ---- threads ------------------------------------------------------------- */

enum { PUTTERS = 4, EACH = 5000 };

static pthread_mutex_t wake_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static bool something, over;

static void wake_taker(void *data) {
  pthread_mutex_lock(&wake_lock);
  something = true;
  pthread_cond_signal(&woken);
  pthread_mutex_unlock(&wake_lock);
}

static void *putter(void *data) {
  tally_notice_t notice;
  tally_notice_init(&notice, TALLY_NOTICE_CONTAINER_STATE);
  notice.state = (uintptr_t)data;
  for (unsigned i = 0; i < EACH; i++) {
    snprintf(notice.object, sizeof(notice.object), "c%u", i);
    notice.exit_code = i;
    tally_notices_put(notices, &notice);
  }
  return NULL;
}

/* Every one of a putter comes once and in its order, or was counted. */
static void *taker(void *data) {
  static char out_of_order[] = "out of order";
  uint64_t last[PUTTERS] = {0};
  bool stop = false;
  while (!stop) {
    pthread_mutex_lock(&wake_lock);
    while (!something && !over)
      pthread_cond_wait(&woken, &wake_lock);
    something = false;
    stop = over;
    pthread_mutex_unlock(&wake_lock);
    tally_notice_t notice;
    while (tally_notices_take(notices, &notice)) {
      if (notice.exit_code < last[notice.state])
        return out_of_order;
      last[notice.state] = notice.exit_code + 1;
    }
  }
  return NULL;
}

static void test_threads(void **state) {
  tally_notices_destroy(notices);
  notices = tally_notices_create(wake_taker, NULL, NULL);
  configure(1000000, 0);
  pthread_t putters[PUTTERS], the_taker;
  pthread_create(&the_taker, NULL, taker, NULL);
  for (uintptr_t i = 0; i < PUTTERS; i++)
    pthread_create(&putters[i], NULL, putter, (void *)i);
  for (int i = 0; i < 100; i++) {
    configure(1000000, 0);
    uint64_t taken, suppressed;
    tally_notices_count(notices, &taken, &suppressed);
    assert_true(taken + suppressed <= (uint64_t)PUTTERS * EACH);
  }
  for (int i = 0; i < PUTTERS; i++)
    pthread_join(putters[i], NULL);
  pthread_mutex_lock(&wake_lock);
  over = true;
  pthread_cond_signal(&woken);
  pthread_mutex_unlock(&wake_lock);
  void *problem;
  pthread_join(the_taker, &problem);
  assert_null(problem);
  uint64_t taken, suppressed;
  tally_notices_count(notices, &taken, &suppressed);
  assert_true(taken > 0);
  assert_int_equal(taken + suppressed, PUTTERS * EACH);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(test_order),
      CASE(test_kinds),
      CASE(test_rate_of_an_object),
      CASE(test_rate_of_all),
      CASE(test_other_rates),
      CASE(test_room),
      CASE(test_many_objects),
      CASE(test_time_stands_still_or_goes_back),
      CASE(test_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
