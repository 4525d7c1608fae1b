/* SPDX-License-Identifier: MIT */
/* A datum: what CloudWatch takes, how it travels, what is written of it. */
#include "config.h"

#include "unit.h"

#include <math.h>

#include "aws/cloudwatch_call.h"
#include "aws/cloudwatch_form.h"
#include "aws/form.h"
#include "core/clock.h"

#define NOON_NS (UINT64_C(1462104000) * TALLY_NS_PER_S) /* 2016-05-01 12:00 */

static const tally_dimension_t host_and_disk[] = {{"Host", "web 1"},
                                                  {"Disk", "/srv"}};

static const tally_metric_t load = {.namespace_ = "tallyman",
                                    .name = "load",
                                    .dimensions = host_and_disk,
                                    .dimensions_count = 2,
                                    .unit = "Bytes/Second",
                                    .resolution_s = 60,
                                    .time_ns = NOON_NS,
                                    .value = 1};

/* ---- what is taken ------------------------------------------------------- */

static void values(void **state) {
  static const struct {
    double value;
    tally_metric_verdict_t verdict;
  } cases[] = {
      {0, TALLY_METRIC_TAKEN},
      {-1.5, TALLY_METRIC_TAKEN},
      {0x1p360, TALLY_METRIC_TAKEN},
      {-0x1p360, TALLY_METRIC_TAKEN},
      {0x1.0000000000001p360, TALLY_METRIC_OUT_OF_RANGE},
      {-0x1p361, TALLY_METRIC_OUT_OF_RANGE},
      {0x1p-361, TALLY_METRIC_TAKEN},
      {NAN, TALLY_METRIC_NOT_A_NUMBER},
      {INFINITY, TALLY_METRIC_NOT_A_NUMBER},
      {-INFINITY, TALLY_METRIC_NOT_A_NUMBER},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_metric_t metric = load;
    metric.value = cases[i].value;
    assert_int_equal(tally_metric_check(&metric, NOON_NS, NULL),
                     cases[i].verdict);
  }
}

static void times(void **state) {
  static const struct {
    int64_t offset_s;
    tally_metric_verdict_t verdict;
    const char *words;
  } cases[] = {
      {-14 * 24 * 3600, TALLY_METRIC_TAKEN, ""},
      {-14 * 24 * 3600 - 1, TALLY_METRIC_TOO_OLD,
       "1209601 s old, more than two weeks"},
      {2 * 3600, TALLY_METRIC_TAKEN, ""},
      {2 * 3600 + 1, TALLY_METRIC_TOO_NEW, "7201 s ahead, more than two hours"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_error_t err = {0};
    tally_metric_t metric = load;
    metric.time_ns += (uint64_t)(cases[i].offset_s * (int64_t)TALLY_NS_PER_S);
    assert_int_equal(tally_metric_check(&metric, NOON_NS, &err),
                     cases[i].verdict);
    assert_string_equal(err.message, cases[i].words);
  }
}

static char *repeat(char c, size_t len) {
  static _Thread_local char texts[4][2048];
  static _Thread_local unsigned turn;
  char *text = texts[turn++ % 4];
  memset(text, c, len);
  text[len] = '\0';
  return text;
}

static void expect_bad(const tally_metric_t *metric, const char *words) {
  tally_error_t err = {0};
  assert_int_equal(tally_metric_check(metric, NOON_NS, &err),
                   TALLY_METRIC_BAD_NAME);
  assert_string_equal(err.message, words);
}

static void names(void **state) {
  static const char *const good[] = {"a", "A z0.-_/#:", "AWS", "aws/x"};
  static const char *const bad[] = {"",     " ",    ":a",  "AWS/EC2",
                                    "a\tb", "a\"b", "a+b", "\xc3\xa4"};
  for (size_t i = 0; i < COUNT_OF(good); i++)
    assert_true(tally_metric_namespace_is_good(good[i]));
  for (size_t i = 0; i < COUNT_OF(bad); i++)
    assert_false(tally_metric_namespace_is_good(bad[i]));
  assert_true(tally_metric_namespace_is_good(repeat('n', 255)));
  assert_false(tally_metric_namespace_is_good(repeat('n', 256)));
  assert_true(tally_metric_unit_is_known("Count/Second"));
  assert_true(tally_metric_unit_is_known("None"));
  assert_false(tally_metric_unit_is_known("bytes"));
  assert_false(tally_metric_unit_is_known(""));

  tally_metric_t metric = load;
  metric.name = "caf\xc3\xa9\n";
  expect_bad(&metric,
             "metric name `caf\xc3\xa9 ': not 1 to 255 printable ASCII "
             "characters");
  metric = load;
  metric.unit = "Meters";
  expect_bad(&metric, "unit `Meters': CloudWatch has no such unit");
  metric = load;
  metric.resolution_s = 10;
  expect_bad(&metric, "storage resolution 10, neither 1 nor 60");
}

static void dimensions(void **state) {
  static tally_dimension_t many[TALLY_METRIC_DIMENSIONS_MAX + 1];
  static char texts[COUNT_OF(many)][8];
  for (size_t i = 0; i < COUNT_OF(many); i++) {
    snprintf(texts[i], sizeof(texts[i]), "d%zu", i);
    many[i] = (tally_dimension_t){texts[i], "x"};
  }
  tally_metric_t metric = load;
  metric.dimensions = many;
  metric.dimensions_count = TALLY_METRIC_DIMENSIONS_MAX;
  assert_int_equal(tally_metric_check(&metric, NOON_NS, NULL),
                   TALLY_METRIC_TAKEN);
  metric.dimensions_count++;
  expect_bad(&metric, "31 dimensions, more than 30");
  metric.dimensions_count = 2;
  many[1].name = "d0";
  expect_bad(&metric, "dimension `d0': is there twice");
  many[1] = (tally_dimension_t){":d", "x"};
  expect_bad(&metric, "dimension `:d': not 1 to 255 printable ASCII characters "
                      "that do not begin with ':'");
  many[1] = (tally_dimension_t){"d1", ""};
  expect_bad(&metric,
             "dimension value `': not 1 to 1024 printable ASCII characters");
  many[1] = (tally_dimension_t){"d1", repeat('v', 1024)};
  assert_int_equal(tally_metric_check(&metric, NOON_NS, NULL),
                   TALLY_METRIC_TAKEN);
  many[1] = (tally_dimension_t){"d1", repeat('v', 1025)};
  assert_int_equal(tally_metric_check(&metric, NOON_NS, NULL),
                   TALLY_METRIC_BAD_NAME);
}

/* ---- what is written ----------------------------------------------------- */

/* Builds a record; `out` owns its bytes. */
static tally_record_t make(tally_buffer_t *out, const tally_metric_t *metric,
                           const tally_valued_t *list, size_t count) {
  tally_buffer_init(out, TALLY_DATUM_MAX);
  assert_int_equal(tally_datum_put_head(out, metric), 0);
  assert_int_equal(tally_datum_put_values(out, 0, list, count), 0);
  return (tally_record_t){
      .data = out->data, .len = out->len, .time_ns = metric->time_ns};
}

static void expect_form(const tally_record_t *record, const char *form) {
  tally_datum_t datum;
  tally_error_t err = {0};
  if (tally_datum_parse(&datum, record, &err) != 0)
    fail_msg("%s", err.message);
  tally_autobuffer tally_buffer_t text;
  tally_buffer_init(&text, TALLY_CLOUDWATCH_CALL_BYTES);
  assert_int_equal(tally_cloudwatch_form_put(&text, 7, &datum), 0);
  assert_string_equal(text.data, form);
  assert_true(text.len <= tally_cloudwatch_form_size(&datum));
  assert_int_equal(tally_cloudwatch_size(NULL, record),
                   tally_cloudwatch_form_size(&datum));
}

static void one_value(void **state) {
  tally_autobuffer tally_buffer_t bytes;
  tally_record_t record = make(&bytes, &load, (tally_valued_t[]){{1e30, 1}}, 1);
  expect_form(&record, "&MetricData.member.7.MetricName=load"
                       "&MetricData.member.7.Dimensions.member.1.Name=Host"
                       "&MetricData.member.7.Dimensions.member.1.Value=web%201"
                       "&MetricData.member.7.Dimensions.member.2.Name=Disk"
                       "&MetricData.member.7.Dimensions.member.2.Value=%2Fsrv"
                       "&MetricData.member.7.Timestamp=2016-05-01T12%3A00%3A00Z"
                       "&MetricData.member.7.Unit=Bytes%2FSecond"
                       "&MetricData.member.7.Value=1e30");
  tally_autobuffer tally_buffer_t line;
  tally_buffer_init(&line, 4096);
  assert_int_equal(tally_cloudwatch_describe(&record, &line), 0);
  assert_string_equal(
      line.data, "tallyman load [Host=web 1, Disk=/srv] Bytes/Second: 1e30");
}

static void several_values(void **state) {
  tally_metric_t metric = load;
  metric.dimensions_count = 0;
  metric.unit = NULL;
  metric.resolution_s = 1;
  tally_autobuffer tally_buffer_t bytes, line;
  tally_valued_t list[] = {{-0.1, 1}, {1.0 / 3, 2}, {5, 1}};
  tally_record_t record = make(&bytes, &metric, list, 3);
  expect_form(&record,
              "&MetricData.member.7.MetricName=load"
              "&MetricData.member.7.Timestamp=2016-05-01T12%3A00%3A00Z"
              "&MetricData.member.7.Values.member.1=-0.1"
              "&MetricData.member.7.Values.member.2=0.33333333333333331"
              "&MetricData.member.7.Values.member.3=5"
              "&MetricData.member.7.Counts.member.1=1"
              "&MetricData.member.7.Counts.member.2=2"
              "&MetricData.member.7.Counts.member.3=1"
              "&MetricData.member.7.StorageResolution=1");
  tally_buffer_init(&line, 4096);
  assert_int_equal(tally_cloudwatch_describe(&record, &line), 0);
  assert_string_equal(
      line.data, "tallyman load (high resolution): -0.1, 0.33333333333333331 "
                 "(2 times), 5");
  tally_buffer_clear(&bytes);
  list[1].count = 1; /* counts of 1 alone are left out */
  record = make(&bytes, &metric, list, 2);
  expect_form(&record,
              "&MetricData.member.7.MetricName=load"
              "&MetricData.member.7.Timestamp=2016-05-01T12%3A00%3A00Z"
              "&MetricData.member.7.Values.member.1=-0.1"
              "&MetricData.member.7.Values.member.2=0.33333333333333331"
              "&MetricData.member.7.StorageResolution=1");
}

static void statistics(void **state) {
  tally_autobuffer tally_buffer_t bytes, line;
  tally_metric_t metric = load;
  metric.dimensions_count = 0;
  tally_buffer_init(&bytes, TALLY_DATUM_MAX);
  tally_datum_put_head(&bytes, &metric);
  const tally_statistics_t set = {
      .minimum = -2, .maximum = 3.5, .sum = 1.5, .samples = 2};
  assert_int_equal(tally_datum_put_statistics(&bytes, 0, &set), 0);
  tally_record_t record = {
      .data = bytes.data, .len = bytes.len, .time_ns = NOON_NS};
  expect_form(&record, "&MetricData.member.7.MetricName=load"
                       "&MetricData.member.7.Timestamp=2016-05-01T12%3A00%3A00Z"
                       "&MetricData.member.7.Unit=Bytes%2FSecond"
                       "&MetricData.member.7.StatisticValues.Minimum=-2"
                       "&MetricData.member.7.StatisticValues.Maximum=3.5"
                       "&MetricData.member.7.StatisticValues.Sum=1.5"
                       "&MetricData.member.7.StatisticValues.SampleCount=2");
  tally_buffer_init(&line, 4096);
  assert_int_equal(tally_cloudwatch_describe(&record, &line), 0);
  assert_string_equal(line.data, "tallyman load Bytes/Second: 2 values from -2 "
                                 "to 3.5, sum 1.5");
}

/* The largest datum that there can be fits into a call. */
static void largest(void **state) {
  static tally_dimension_t many[TALLY_METRIC_DIMENSIONS_MAX];
  static char texts[COUNT_OF(many)][256];
  tally_valued_t list[TALLY_DATUM_VALUES_MAX];
  char *value = repeat('"', 1024); /* three bytes each in a form */
  for (size_t i = 0; i < COUNT_OF(many); i++) {
    memset(texts[i], '"', 255);
    texts[i][0] = (char)('A' + i);
    many[i] = (tally_dimension_t){texts[i], value};
  }
  for (size_t i = 0; i < COUNT_OF(list); i++)
    list[i] = (tally_valued_t){-1.2345678901234567e-100 / (double)(i + 1),
                               UINT32_MAX};
  tally_metric_t metric = {.namespace_ = repeat('#', 255),
                           .name = repeat('"', 255),
                           .dimensions = many,
                           .dimensions_count = COUNT_OF(many),
                           .unit = "Kilobytes/Second",
                           .resolution_s = 1,
                           .time_ns = NOON_NS};
  tally_autobuffer tally_buffer_t bytes, form;
  tally_record_t record = make(&bytes, &metric, list, COUNT_OF(list));
  tally_datum_t datum;
  assert_int_equal(tally_datum_parse(&datum, &record, NULL), 0);
  tally_buffer_init(&form, TALLY_CLOUDWATCH_CALL_BYTES);
  assert_int_equal(
      tally_cloudwatch_form_begin(&form, tally_datum_namespace(&record)), 0);
  assert_true(form.len <= TALLY_CLOUDWATCH_CALL_BEGIN);
  size_t begin = form.len;
  assert_int_equal(tally_cloudwatch_form_put(&form, 1000, &datum), 0);
  assert_true(form.len - begin <= tally_cloudwatch_size(NULL, &record));
  assert_true(tally_cloudwatch_size(NULL, &record) <
              TALLY_CLOUDWATCH_CALL_BYTES / 4);
}

/* ---- what comes back from a disk ----------------------------------------- */

static void hostile(void **state) {
  tally_autobuffer tally_buffer_t bytes;
  tally_valued_t list[] = {{1, 1}, {2, 3}};
  tally_record_t record = make(&bytes, &load, list, 2);
  tally_datum_t datum;
  assert_int_equal(tally_datum_parse(&datum, &record, NULL), 0);
  for (size_t len = 0; len < record.len; len++) {
    tally_record_t cut = record;
    char *copy = malloc(len + 1); /* such that ASan sees a step too far */
    memcpy(copy, record.data, len);
    cut.data = copy;
    cut.len = len;
    assert_int_equal(tally_datum_parse(&datum, &cut, NULL), -1);
    free(copy);
  }
  tally_buffer_append(&bytes, "x", 1);
  tally_record_t longer = {.data = bytes.data, .len = bytes.len};
  tally_error_t err = {0};
  assert_int_equal(tally_datum_parse(&datum, &longer, &err), -1);
  bytes.data[0] = 2;
  assert_int_equal(tally_datum_parse(&datum, &longer, &err), -1);
  assert_non_null(strstr(err.message, "datum of version 2"));
  tally_buffer_reset(&bytes);
  assert_int_equal(tally_cloudwatch_describe(&longer, &bytes), -1);
}

/* Each is well formed, and says what CloudWatch would refuse. */
static void hostile_values(void **state) {
  static const tally_valued_t lists[][2] = {
      {{NAN, 1}, {1, 1}}, {{1, 1}, {INFINITY, 1}}, {{2, 1}, {1, 1}},
      {{1, 1}, {1, 1}},   {{0, 0}, {1, 1}},        {{0, 1}, {0x1p361, 1}},
  };
  tally_datum_t datum;
  for (size_t i = 0; i < COUNT_OF(lists); i++) {
    tally_autobuffer tally_buffer_t bytes;
    tally_record_t record = make(&bytes, &load, lists[i], 2);
    assert_int_equal(tally_datum_parse(&datum, &record, NULL), -1);
  }
  static const tally_statistics_t sets[] = {
      {2, 1, 3, 2}, {1, 2, 3, 0}, {1, 2, NAN, 2}, {1, INFINITY, 3, 2}};
  for (size_t i = 0; i < COUNT_OF(sets); i++) {
    tally_autobuffer tally_buffer_t bytes;
    tally_buffer_init(&bytes, TALLY_DATUM_MAX);
    tally_datum_put_head(&bytes, &load);
    tally_datum_put_statistics(&bytes, 0, &sets[i]);
    tally_record_t record = {.data = bytes.data, .len = bytes.len};
    assert_int_equal(tally_datum_parse(&datum, &record, NULL), -1);
  }
  tally_metric_t metric = load;
  metric.unit = "Meters";
  tally_autobuffer tally_buffer_t bytes;
  tally_record_t record = make(&bytes, &metric, (tally_valued_t[]){{1, 1}}, 1);
  assert_int_equal(tally_datum_parse(&datum, &record, NULL), -1);
}

static void numbers(void **state) {
  static const struct {
    double value;
    const char *text;
  } cases[] = {{0, "0"},
               {100, "100"},
               {0.1, "0.1"},
               {1e15, "1e15"},
               {-123456789012345, "-123456789012345"},
               {9007199254740993.0, "9007199254740992"},
               {1e-7, "1e-07"},
               {-0x1p360, "-2.3485425827738332e108"}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char text[TALLY_NUMBER_SIZE];
    assert_int_equal(tally_number_format(text, cases[i].value),
                     strlen(cases[i].text));
    assert_string_equal(text, cases[i].text);
  }
}

static void form_encoding(void **state) {
  static const char all[] = "aZ09-_.~ +&=%/\x01\xff";
  tally_autobuffer tally_buffer_t form;
  tally_buffer_init(&form, 100);
  assert_int_equal(tally_form_put(&form, all, sizeof(all) - 1), 0);
  assert_string_equal(form.data, "aZ09-_.~%20%2B%26%3D%25%2F%01%FF");
  assert_int_equal(tally_form_size(all, sizeof(all) - 1), form.len);
  assert_int_equal(tally_form_put(&form, repeat('%', 60), 60), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values),     cmocka_unit_test(times),
      cmocka_unit_test(names),      cmocka_unit_test(dimensions),
      cmocka_unit_test(one_value),  cmocka_unit_test(several_values),
      cmocka_unit_test(statistics), cmocka_unit_test(largest),
      cmocka_unit_test(hostile),    cmocka_unit_test(hostile_values),
      cmocka_unit_test(numbers),    cmocka_unit_test(form_encoding),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
