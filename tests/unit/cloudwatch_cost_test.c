/* SPDX-License-Identifier: MIT */
/* What metrics cost: list prices, and a destination that only counts. */
#include "config.h"

#include "cloudwatch_scene.h"

#include <math.h>

#include "core/clock.h"

static void prices(void **state) {
  static const struct {
    size_t metrics;
    double calls, dollars;
  } cases[] = {
      {0, 0, 0},           {1, 0, 0.30},           {10000, 0, 3000},
      {10001, 0, 3000.10}, {250000, 0, 27000},     {250001, 0, 27000.05},
      {1000000, 0, 64500}, {1000001, 0, 64500.02}, {10, 43800, 3.438},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    assert_true(fabs(tally_cloudwatch_price(cases[i].metrics, cases[i].calls) -
                     cases[i].dollars) < 1e-6);
}

static unsigned shown;

static void show(const tally_record_t *datum, void *data) {
  assert_ptr_equal(data, &shown);
  shown++;
}

static void dry_run(void **state) {
  load_ship();
  shown = 0;
  tally_cloudwatch_dry_t options = {.show = show, .data = &shown};
  assert_int_equal(tally_cloudwatch_open_dry(&options, &ship.destination,
                                             &ship.outbox, NULL),
                   0);
  assert_int_equal(ship.outbox.batch_records, 1000);
  take("x", "a", 1);
  take("x", "a", 2);
  take("y", "b", 1);
  ship.records[1].time_ns = ship.records[2].time_ns =
      ship.records[0].time_ns + 60 * TALLY_NS_PER_S;
  assert_int_equal(send_all(), 0);
  expect_fates("sss");
  assert_int_equal(shown, 2);
  tally_cloudwatch_estimate_t estimate;
  tally_cloudwatch_estimate(&ship.destination, &estimate);
  assert_int_equal(estimate.metrics, 2);
  assert_int_equal(estimate.data, 3);
  assert_int_equal(estimate.calls, 2);
  /* Two calls in two minutes, 43 800 minutes a month. */
  assert_true(fabs(estimate.calls_a_month - 43800) < 1);
  assert_true(fabs(estimate.dollars_a_month - (0.60 + 0.438)) < 1e-6);

  ship.count = 2; /* metric b is away for a turn, … */
  assert_int_equal(send_all(), 0);
  assert_int_equal(shown, 2);
  tally_cloudwatch_estimate(&ship.destination, &estimate);
  assert_int_equal(estimate.metrics, 1);
  ship.count = 3; /* … and comes back */
  assert_int_equal(send_all(), 0);
  assert_int_equal(shown, 3);
  tally_cloudwatch_estimate(&ship.destination, &estimate);
  tally_cloudwatch_estimate(&ship.destination, &estimate);
  assert_true(estimate.metrics == 0 && estimate.dollars_a_month == 0);
  ((char *)ship.records[1].data)[0] = 9;
  assert_int_equal(send_all(), 0);
  expect_fates("sxs");
  sink();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(prices),
      cmocka_unit_test(dry_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
