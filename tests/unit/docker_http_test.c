/* SPDX-License-Identifier: MIT */
/* HTTP transfers on one thread: many at a time, paused and resumed. */
#include "config.h"

#include "unit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "docker/http.h"
#include "quay.h"

#define PATIENCE_NS (10 * TALLY_NS_PER_S)

typedef struct scene_s {
  quay_t *quay;
  tally_endpoint_t endpoint;
  tally_http_t *http;
} scene_t;

static void set_up(scene_t *scene, quay_hook_t hook) {
  scene->quay = quay_open();
  quay_set_hook(scene->quay, hook, NULL);
  assert_int_equal(tally_endpoint_parse(&scene->endpoint,
                                        quay_endpoint(scene->quay), NULL, NULL),
                   0);
  scene->http = tally_http_create(&scene->endpoint, NULL);
  assert_non_null(scene->http);
}

static void tear_down(scene_t *scene) {
  tally_http_destroy(scene->http);
  tally_endpoint_clear(&scene->endpoint);
  quay_close(scene->quay);
}

static bool run_until(scene_t *scene, const size_t *count, size_t wanted) {
  uint64_t end_ns = tally_clock_monotonic_ns() + PATIENCE_NS;
  while (*count < wanted && tally_clock_monotonic_ns() < end_ns)
    tally_http_run(scene->http, 100);
  return *count == wanted;
}

/* ---- many ---------------------------------------------------------------- */

#define MANY 300

static bool greet(quay_t *quay, const char *request, int fd, void *data) {
  quay_write(fd, QUAY_STREAM_HEADER "hello",
             strlen(QUAY_STREAM_HEADER "hello"));
  return true;
}

static int count_bytes(tally_transfer_t *transfer, const char *bytes,
                       size_t len) {
  *(size_t *)transfer->data += len;
  return 0;
}

static void test_many_streams(void **state) {
  scene_t scene;
  set_up(&scene, greet);
  static tally_transfer_t transfers[MANY];
  size_t received = 0;
  for (unsigned i = 0; i < MANY; i++) {
    transfers[i] = (tally_transfer_t){.path = "/stream",
                                      .data = &received,
                                      .buffer_size = 1024,
                                      .on_data = count_bytes};
    assert_int_equal(tally_http_start(scene.http, &transfers[i], NULL), 0);
    /* No more at a time than may wait for the server to accept them. */
    if (i % 50 == 49)
      assert_true(run_until(&scene, &received, 5 * (i + 1)));
  }

  /* A short request goes on beside them. */
  tally_transfer_t other = {.path = "/other", .timeout_ms = 200};
  assert_int_equal(tally_http_perform(scene.http, &other, NULL), -1);
  assert_true(other.failed);
  tally_transfer_clear(&other);

  /* They are quiet, and so are we. */
  uint64_t before_ns = tally_clock_monotonic_ns();
  uint64_t cpu_ns = tally_clock_thread_cpu_ns();
  for (int i = 0; i < 3; i++)
    tally_http_run(scene.http, 100);
  assert_true(tally_clock_monotonic_ns() - before_ns >= 200 * TALLY_NS_PER_MS);
  assert_true(tally_clock_thread_cpu_ns() - cpu_ns < 50 * TALLY_NS_PER_MS);
  tear_down(&scene);
}

/* ---- pause --------------------------------------------------------------- */

#define LONG (300 * 1024)

static bool tell_much(quay_t *quay, const char *request, int fd, void *data) {
  quay_write(fd, QUAY_STREAM_HEADER, strlen(QUAY_STREAM_HEADER));
  for (unsigned i = 0; i < LONG / sizeof(i); i++)
    quay_write(fd, &i, sizeof(i));
  shutdown(fd, SHUT_WR);
  return true;
}

typedef struct listener_s {
  bool refuses;
  int verdict; /* once it does not refuse */
  size_t asked, len, done;
  char bytes[LONG];
} listener_t;

static int listen_to(tally_transfer_t *transfer, const char *bytes,
                     size_t len) {
  listener_t *listener = transfer->data;
  listener->asked++;
  if (listener->refuses)
    return TALLY_TRANSFER_PAUSE;
  assert_true(listener->len + len <= LONG);
  memcpy(listener->bytes + listener->len, bytes, len);
  listener->len += len;
  return listener->verdict;
}

static void note_done(tally_transfer_t *transfer) {
  listener_t *listener = transfer->data;
  listener->done++;
}

static tally_transfer_t listening(listener_t *listener) {
  *listener = (listener_t){.refuses = true};
  return (tally_transfer_t){.path = "/stream",
                            .data = listener,
                            .on_data = listen_to,
                            .on_done = note_done};
}

static void test_pause_and_resume(void **state) {
  scene_t scene;
  set_up(&scene, tell_much);
  static listener_t listener;
  tally_transfer_t transfer = listening(&listener);
  assert_int_equal(tally_http_start(scene.http, &transfer, NULL), 0);
  assert_true(run_until(&scene, &listener.asked, 1));

  /* Refused bytes are not offered again, and nobody spins meanwhile. */
  uint64_t cpu_ns = tally_clock_thread_cpu_ns();
  uint64_t end_ns = tally_clock_monotonic_ns() + 300 * TALLY_NS_PER_MS;
  while (tally_clock_monotonic_ns() < end_ns)
    tally_http_run(scene.http, 50);
  assert_int_equal(listener.asked, 1);
  assert_true(tally_clock_thread_cpu_ns() - cpu_ns < 50 * TALLY_NS_PER_MS);

  tally_transfer_resume(&transfer); /* and refused again */
  assert_int_equal(listener.len, 0);
  listener.refuses = false;
  tally_transfer_resume(&transfer);
  assert_true(run_until(&scene, &listener.done, 1));
  assert_false(transfer.failed);
  assert_int_equal(listener.len, LONG);
  for (unsigned i = 0; i < LONG / sizeof(i); i++)
    assert_memory_equal(listener.bytes + i * sizeof(i), &i, sizeof(i));
  tally_transfer_resume(&transfer); /* it is over */
  tally_transfer_clear(&transfer);
  tear_down(&scene);
}

static void test_end_at_resume(void **state) {
  scene_t scene;
  set_up(&scene, tell_much);
  static listener_t listener;
  tally_transfer_t transfer = listening(&listener);
  assert_int_equal(tally_http_start(scene.http, &transfer, NULL), 0);
  assert_true(run_until(&scene, &listener.asked, 1));
  listener.refuses = false;
  listener.verdict = -1;
  tally_transfer_resume(&transfer);
  assert_true(run_until(&scene, &listener.done, 1));
  assert_true(transfer.failed);
  tally_transfer_clear(&transfer);

  transfer = listening(&listener); /* paused until it is cancelled */
  assert_int_equal(tally_http_start(scene.http, &transfer, NULL), 0);
  assert_true(run_until(&scene, &listener.asked, 1));
  tally_http_cancel(&transfer);
  assert_int_equal(listener.done, 0);
  tear_down(&scene);
}

/* ---- wake ---------------------------------------------------------------- */

static void *wake_later(void *data) {
  usleep(50 * 1000);
  tally_http_wake(data);
  return NULL;
}

static void test_wake(void **state) {
  scene_t scene;
  set_up(&scene, NULL);
  pthread_t thread;
  pthread_create(&thread, NULL, wake_later, scene.http);
  uint64_t before_ns = tally_clock_monotonic_ns();
  tally_http_run(scene.http, 10000);
  assert_true(tally_clock_monotonic_ns() - before_ns < 5 * TALLY_NS_PER_S);
  pthread_join(thread, NULL);

  tally_http_wake(scene.http); /* counts also if nobody waits yet */
  tally_http_wake(scene.http);
  before_ns = tally_clock_monotonic_ns();
  tally_http_run(scene.http, 10000);
  assert_true(tally_clock_monotonic_ns() - before_ns < 5 * TALLY_NS_PER_S);
  tear_down(&scene);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_many_streams),
      cmocka_unit_test(test_pause_and_resume),
      cmocka_unit_test(test_end_at_resume),
      cmocka_unit_test(test_wake),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
