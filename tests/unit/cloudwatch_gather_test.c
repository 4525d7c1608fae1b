/* SPDX-License-Identifier: MIT */
/* The gatherer: values in, one datum per metric and period out. */
#include "config.h"

#include "unit.h"

#include <math.h>

#include "aws/cloudwatch_datum.h"
#include "core/clock.h"

#define NOON_S UINT64_C(1462104000) /* a whole minute */
#define NOON_NS (NOON_S * TALLY_NS_PER_S)

static tally_gatherer_t *gatherer(unsigned period_s, size_t rows_max) {
  tally_gatherer_options_t options = {.period_s = period_s,
                                      .rows_max = rows_max};
  tally_gatherer_t *made = tally_gatherer_create(&options, NULL);
  assert_non_null(made);
  return made;
}

/* A value `offset_s` after noon. */
static tally_metric_t metric(const char *name, double offset_s, double value) {
  return (tally_metric_t){
      .namespace_ = "n",
      .name = name,
      .resolution_s = 60,
      .time_ns = NOON_NS + (uint64_t)(offset_s * (double)TALLY_NS_PER_S),
      .value = value};
}

static void add(tally_gatherer_t *to, tally_metric_t what) {
  tally_error_t err = {0};
  if (tally_gatherer_add(to, &what, NOON_NS, &err) != TALLY_METRIC_TAKEN)
    fail_msg("%s", err.message);
}

/* Harvests what ended `end_s` after noon, as lines "offset: description". */
static void expect(tally_gatherer_t *from, unsigned end_s, const char *lines) {
  tally_autobuffer tally_buffer_t text;
  tally_buffer_init(&text, 65536);
  tally_buffer_append_str(&text, "");
  tally_harvest_t *harvest =
      tally_gatherer_harvest(from, NOON_NS + end_s * TALLY_NS_PER_S);
  tally_record_t record;
  while (harvest != NULL && tally_harvest_next(harvest, &record)) {
    tally_buffer_printf(
        &text, "%llu ",
        (unsigned long long)(record.time_ns / TALLY_NS_PER_S - NOON_S));
    assert_int_equal(tally_cloudwatch_describe(&record, &text), 0);
    tally_buffer_append_str(&text, "\n");
  }
  tally_harvest_destroy(harvest);
  assert_string_equal(text.data, lines);
}

static void periods(void **state) {
  tally_gatherer_t *g = gatherer(0, 0);
  add(g, metric("a", 0, 3));
  add(g, metric("a", 59.9, 1));
  add(g, metric("a", 60, 7));
  add(g, metric("b", 30, 2));
  assert_int_equal(tally_gatherer_rows(g), 3);
  expect(g, 59, "");
  expect(g, 60, "0 n a: 1, 3\n0 n b: 2\n");
  expect(g, 60, "");
  add(g, metric("a", 10, 9)); /* late: a datum of its own */
  expect(g, 119, "0 n a: 9\n");
  expect(g, 120, "60 n a: 7\n");
  assert_int_equal(tally_gatherer_rows(g), 0);
  tally_gatherer_destroy(g);
}

static void other_periods(void **state) {
  tally_gatherer_t *g = gatherer(300, 0);
  tally_metric_t fine = metric("fine", 0.5, 1);
  fine.resolution_s = 1;
  add(g, fine);
  fine.time_ns += TALLY_NS_PER_S;
  add(g, fine);
  add(g, metric("a", 299, 1));
  expect(g, 2,
         "0 n fine (high resolution): 1\n1 n fine (high resolution): 1\n");
  expect(g, 299, "");
  expect(g, 300, "0 n a: 1\n");
  tally_gatherer_destroy(g);
}

static void counts(void **state) {
  tally_gatherer_t *g = gatherer(60, 0);
  static const double values[] = {5, 1, 5, -0.0, 0, 0x1p-361, 5, 2.5};
  for (size_t i = 0; i < COUNT_OF(values); i++)
    add(g, metric("a", 1, values[i]));
  expect(g, 60, "0 n a: 0 (3 times), 1, 2.5, 5 (3 times)\n");
  tally_gatherer_destroy(g);
}

static void statistics(void **state) {
  tally_gatherer_t *g = gatherer(60, 0);
  static const double values[] = {5, -1, 2.5};
  for (size_t i = 0; i < COUNT_OF(values); i++) {
    tally_metric_t set = metric("a", 1, values[i]);
    set.statistics = true;
    add(g, set);
  }
  expect(g, 60, "0 n a: 3 values from -1 to 5, sum 6.5\n");
  tally_gatherer_destroy(g);
}

/* What a row gives when so many different values came: sets of up to 150. */
static void expect_split(unsigned distinct, size_t data, size_t last) {
  tally_gatherer_t *g = gatherer(60, 0);
  for (unsigned i = 0; i < distinct; i++)
    add(g, metric("a", 1, (double)(i * 7919 % distinct)));
  tally_harvest_t *harvest = tally_gatherer_harvest(g, UINT64_MAX);
  tally_record_t record;
  tally_datum_t datum;
  double next = 0;
  size_t found = 0, in_last = 0;
  uint64_t key = 0;
  while (tally_harvest_next(harvest, &record)) {
    assert_int_equal(tally_datum_parse(&datum, &record, NULL), 0);
    for (size_t i = 0; i < datum.values_count; i++)
      assert_true(datum.values[i].value == next++);
    in_last = datum.values_count;
    found++;
    assert_int_equal(record.key_len, sizeof(key));
    assert_true(found == 1 || memcmp(&key, record.key, sizeof(key)) == 0);
    memcpy(&key, record.key, sizeof(key));
  }
  assert_int_equal(found, data);
  assert_int_equal(in_last, last);
  if (last == 0) {
    assert_true(datum.statistics.samples == distinct);
    assert_true(datum.statistics.sum == (double)distinct * (distinct - 1) / 2);
  }
  tally_harvest_destroy(harvest);
  tally_gatherer_destroy(g);
}

static void many_values(void **state) {
  expect_split(150, 1, 150);
  expect_split(151, 2, 1);
  expect_split(450, 3, 150);
  expect_split(TALLY_METRIC_VALUES_MAX, TALLY_METRIC_VALUES_MAX / 150, 150);
  expect_split(TALLY_METRIC_VALUES_MAX + 1, 1, 0);
}

static void bounds(void **state) {
  tally_gatherer_t *g = gatherer(60, 2);
  add(g, metric("a", 0, 1));
  add(g, metric("b", 0, 1));
  tally_error_t err = {0};
  tally_metric_t third = metric("c", 0, 1);
  assert_int_equal(tally_gatherer_add(g, &third, NOON_NS, &err),
                   TALLY_METRIC_NO_ROOM);
  assert_string_equal(err.message, "no room for more than 2 metrics at a time");
  add(g, metric("a", 1, 2)); /* there is a row for this one */
  expect(g, 60, "0 n a: 1, 2\n0 n b: 1\n");
  add(g, third);
  tally_gatherer_destroy(g); /* with what is in it */
}

static void refused(void **state) {
  tally_gatherer_t *g = gatherer(60, 0);
  static char longer[300];
  memset(longer, 'x', sizeof(longer) - 1);
  tally_metric_t bad[] = {metric("a", 0, NAN), metric("a", 0, 0x1p361),
                          metric("", 0, 1), metric(longer, 0, 1),
                          metric("a", 8000, 1)};
  static const tally_metric_verdict_t verdicts[] = {
      TALLY_METRIC_NOT_A_NUMBER, TALLY_METRIC_OUT_OF_RANGE,
      TALLY_METRIC_BAD_NAME, TALLY_METRIC_BAD_NAME, TALLY_METRIC_TOO_NEW};
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    tally_error_t err = {0};
    assert_int_equal(tally_gatherer_add(g, &bad[i], NOON_NS, &err),
                     verdicts[i]);
    assert_true(err.message[0] != '\0');
  }
  assert_int_equal(tally_gatherer_rows(g), 0);
  /* Each is in range, together they are not. */
  add(g, metric("a", 0, 0x1p360));
  tally_metric_t more = metric("a", 1, 0x1p359);
  assert_int_equal(tally_gatherer_add(g, &more, NOON_NS, NULL),
                   TALLY_METRIC_OUT_OF_RANGE);
  expect(g, 60, "0 n a: 2.3485425827738332e108\n");
  tally_gatherer_destroy(g);
}

/* Whatever tells metrics apart for CloudWatch makes rows and keys of its own.
 */
static void identities(void **state) {
  static const tally_dimension_t one[] = {{"ab", "c"}};
  static const tally_dimension_t other[] = {{"a", "bc"}};
  tally_metric_t metrics[] = {metric("a", 0, 1), metric("a", 0, 1),
                              metric("a", 0, 1), metric("a", 0, 1),
                              metric("b", 0, 1), metric("a", 0, 1)};
  metrics[1].dimensions = one;
  metrics[2].dimensions = other;
  metrics[1].dimensions_count = metrics[2].dimensions_count = 1;
  metrics[3].unit = "Bytes";
  metrics[5].namespace_ = "m";
  tally_gatherer_t *g = gatherer(60, 0);
  for (size_t i = 0; i < COUNT_OF(metrics); i++)
    add(g, metrics[i]);
  assert_int_equal(tally_gatherer_rows(g), COUNT_OF(metrics));
  uint64_t keys[COUNT_OF(metrics)];
  tally_harvest_t *harvest = tally_gatherer_harvest(g, UINT64_MAX);
  tally_record_t record;
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    assert_true(tally_harvest_next(harvest, &record));
    memcpy(&keys[i], record.key, sizeof(keys[i]));
    for (size_t j = 0; j < i; j++)
      assert_true(keys[i] != keys[j]);
  }
  tally_harvest_destroy(harvest); /* before it is empty */
  tally_gatherer_destroy(g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(periods),     cmocka_unit_test(other_periods),
      cmocka_unit_test(counts),      cmocka_unit_test(statistics),
      cmocka_unit_test(many_values), cmocka_unit_test(bounds),
      cmocka_unit_test(refused),     cmocka_unit_test(identities),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
