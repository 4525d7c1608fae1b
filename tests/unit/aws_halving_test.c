/* SPDX-License-Identifier: MIT */
/* A bad record among many: it alone is refused, the others arrive in order. */
#include "config.h"

#include "unit.h"

#include "aws/halving.h"

#define RECORDS_MAX 512

typedef struct service_s {
  bool bad[RECORDS_MAX];
  size_t taken[RECORDS_MAX], refused[RECORDS_MAX];
  size_t taken_count, refused_count, calls;
} service_t;

/* true: all of them were taken. */
static bool call(service_t *service, size_t at, size_t n) {
  service->calls++;
  for (size_t i = at; i < at + n; i++)
    if (service->bad[i])
      return false;
  for (size_t i = at; i < at + n; i++)
    service->taken[service->taken_count++] = i;
  return true;
}

static void send_all(service_t *service, size_t count) {
  tally_halving_t halving = {.count = count};
  size_t n;
  while ((n = tally_halving_next(&halving)) > 0) {
    size_t at = halving.at;
    assert_true(at + n <= count);
    if (call(service, at, n))
      tally_halving_taken(&halving);
    else if (tally_halving_refused(&halving))
      service->refused[service->refused_count++] = at;
  }
}

/* Every record once, on the right side, in order. */
static void check(const service_t *service, size_t count) {
  size_t taken = 0, refused = 0;
  for (size_t i = 0; i < count; i++)
    if (service->bad[i])
      assert_int_equal(service->refused[refused++], i);
    else
      assert_int_equal(service->taken[taken++], i);
  assert_int_equal(service->taken_count, taken);
  assert_int_equal(service->refused_count, refused);
}

static size_t log2_up(size_t n) {
  size_t bits = 0;
  while (((size_t)1 << bits) < n)
    bits++;
  return bits;
}

static void all_good(void **state) {
  for (size_t count = 0; count <= 3; count++) {
    service_t service = {0};
    send_all(&service, count);
    check(&service, count);
    assert_int_equal(service.calls, count > 0);
  }
}

static void one_bad(void **state) {
  for (size_t count = 1; count <= RECORDS_MAX; count = count * 3 / 2 + 1)
    for (size_t bad = 0; bad < count; bad++) {
      service_t service = {0};
      service.bad[bad] = true;
      send_all(&service, count);
      check(&service, count);
      /* the whole, the halves, it alone, and the rest */
      assert_true(service.calls <= log2_up(count) + 3);
    }
}

static void all_bad(void **state) {
  service_t service = {0};
  memset(service.bad, true, sizeof(service.bad));
  send_all(&service, RECORDS_MAX);
  check(&service, RECORDS_MAX);
}

static void some_bad(void **state) {
  uint32_t random = 1;
  for (unsigned round = 0; round < 2000; round++) {
    service_t service = {0};
    size_t count = round % 100 + 1;
    for (size_t i = 0; i < count; i++) {
      random = random * 1664525 + 1013904223;
      service.bad[i] = (random >> 16) % 8 == 0;
    }
    send_all(&service, count);
    check(&service, count);
  }
}

/* Refused together, taken one by one: nothing is refused. */
static void a_service_in_two_minds(void **state) {
  tally_halving_t halving = {.count = 8};
  size_t n, taken = 0;
  while ((n = tally_halving_next(&halving)) > 0)
    if (n > 1) {
      assert_false(tally_halving_refused(&halving));
    } else {
      tally_halving_taken(&halving);
      taken++;
    }
  assert_int_equal(taken, 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_good),
      cmocka_unit_test(one_bad),
      cmocka_unit_test(all_bad),
      cmocka_unit_test(some_bad),
      cmocka_unit_test(a_service_in_two_minds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
