/* SPDX-License-Identifier: MIT */
/* The formats of cgroup files, good and bad. */
#include "config.h"

#include "unit.h"

#include <math.h>

#include "cgroup/files.h"
#include "cgroup/parse.h"

#define U TALLY_UNKNOWN
#define MAX TALLY_UNLIMITED

static void test_numbers(void **state) {
  static const struct {
    const char *text;
    int status;
    uint64_t value;
  } cases[] = {
      {"0\n", 0, 0},
      {"42", 0, 42},
      {"75763712\n", 0, 75763712},
      {"18446744073709551613\n", 0, UINT64_MAX - 2},
      {"18446744073709551614\n", 0, U}, /* too large to be a counter */
      {"18446744073709551615\n", 0, U},
      {"99999999999999999999999999\n", 0, U},
      {"", -1, 7},
      {"\n", -1, 7},
      {"-1\n", -1, 7},
      {"max\n", -1, 7},
      {"\x80\xff\n", -1, 7},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    uint64_t v = 7;
    assert_int_equal(
        tally_parse_number(cases[i].text, strlen(cases[i].text), &v),
        cases[i].status);
    assert_int_equal(v, cases[i].value);
  }
}

static void test_limits(void **state) {
  static const struct {
    const char *text;
    int status;
    uint64_t value;
  } cases[] = {
      {"max\n", 0, MAX},
      {"max", 0, MAX},
      {"-1\n", 0, MAX},                   /* cpu.cfs_quota_us */
      {"9223372036854771712\n", 0, MAX},  /* PAGE_COUNTER_MAX, 4 KiB pages */
      {"9223372036854710272\n", 0, MAX},  /* … 64 KiB pages */
      {"9223372036854775807\n", 0, MAX},  /* RESOURCE_MAX */
      {"18446744073709551615\n", 0, MAX}, /* what Docker once wrote */
      {"104857600\n", 0, 104857600},
      {"0\n", 0, 0},
      {"ma\n", -1, 7},
      {"-2\n", -1, 7},
      {"", -1, 7},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    uint64_t v = 7;
    assert_int_equal(
        tally_parse_limit(cases[i].text, strlen(cases[i].text), &v),
        cases[i].status);
    assert_int_equal(v, cases[i].value);
  }
}

static void test_length_is_obeyed(void **state) {
  uint64_t v = 0;
  assert_int_equal(tally_parse_number("123456", 3, &v), 0);
  assert_int_equal(v, 123);
  assert_int_equal(tally_parse_number("123", 0, &v), -1);
  assert_int_equal(tally_parse_limit("max", 2, &v), -1);
}

static void test_scale(void **state) {
  assert_int_equal(tally_scale(170, 10000000), 1700000000);
  assert_int_equal(tally_scale(0, 1000), 0);
  assert_int_equal(tally_scale(U, 1000), U);
  assert_int_equal(tally_scale(MAX, 1), U);
  assert_int_equal(tally_scale(UINT64_MAX / 500, 1000), U);
}

static void test_keyed(void **state) {
  static const tally_key_t keys[] = {TALLY_KEY("user"), TALLY_KEY("system"),
                                     TALLY_KEY("system_usec")};
  static const struct {
    const char *text;
    int status;
    uint64_t v[3];
  } cases[] = {
      {"user 1\nsystem 2\nsystem_usec 3\n", 0, {1, 2, 3}},
      {"system_usec 3\nsystem 2\nuser 1\n", 0, {1, 2, 3}},
      {"user 1\nsystem 2", 0, {1, 2, U}},
      {"other 9\n\nuser 1\nusers 5\n", 0, {1, U, U}},
      {"user 1\nuser 2\n", 0, {1, U, U}}, /* the first one counts */
      {"user  1\nsystem x\n", -1, {U, U, U}},
      {"user\t1\n", -1, {U, U, U}},
      {"user", -1, {U, U, U}},
      {"user ", -1, {U, U, U}},
      {"user 18446744073709551615\n", 0, {U, U, U}},
      {"", -1, {U, U, U}},
      {"\n\n\n", -1, {U, U, U}},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    uint64_t v[3] = {7, 7, 7};
    assert_int_equal(
        tally_parse_keyed(cases[i].text, strlen(cases[i].text), keys, 3, v),
        cases[i].status);
    assert_memory_equal(v, cases[i].v, sizeof(v));
  }

  /* a NUL in the middle is a character like any other */
  static const char binary[] = "us\0er 1\nsystem 5\n";
  uint64_t v[3];
  assert_int_equal(tally_parse_keyed(binary, sizeof(binary) - 1, keys, 3, v),
                   0);
  assert_int_equal(v[0], U);
  assert_int_equal(v[1], 5);
}

static void test_cpu_list(void **state) {
  static const struct {
    const char *text;
    int status;
    uint64_t count;
  } cases[] = {
      {"0-3,8\n", 0, 5}, {"0\n", 0, 1},      {"0-1023\n", 0, 1024},
      {"\n", 0, 0},      {"", 0, 0},         {"1,3,5,7", 0, 4},
      {"3-1\n", -1, 7},  {"0-\n", -1, 7},    {"a\n", -1, 7},
      {"0--1\n", -1, 7}, {"0,,2\n", -1, 7},  {"0-99999999999\n", -1, 7},
      {",1\n", -1, 7},   {"0 - 3\n", -1, 7},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    uint64_t v = 7;
    assert_int_equal(
        tally_parse_cpu_list(cases[i].text, strlen(cases[i].text), &v),
        cases[i].status);
    assert_int_equal(v, cases[i].count);
  }
}

static void test_cpu_max(void **state) {
  static const struct {
    const char *text;
    int status;
    uint64_t quota, period;
  } cases[] = {
      {"max 100000\n", 0, MAX, 100000},
      {"50000 100000\n", 0, 50000, 100000},
      {"50000 100000", 0, 50000, 100000},
      {"50000\n", -1, 7, 7},
      {"max\n", -1, 7, 7},
      {"maximum 1\n", -1, 7, 7},
      {"", -1, 7, 7},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    uint64_t quota = 7, period = 7;
    assert_int_equal(tally_parse_cpu_max(cases[i].text, strlen(cases[i].text),
                                         &quota, &period),
                     cases[i].status);
    assert_int_equal(quota, cases[i].quota);
    assert_int_equal(period, cases[i].period);
  }
}

static tally_pressure_t no_pressure(void) {
  return (tally_pressure_t){NAN, NAN, U, U};
}

static void test_pressure(void **state) {
  static const char both[] =
      "some avg10=29.67 avg60=17.31 avg300=4.75 total=15213913\n"
      "full avg10=0.07 avg60=17.31 avg300=4.75 total=15210970\n";
  tally_pressure_t p = no_pressure();
  assert_int_equal(tally_parse_pressure(both, sizeof(both) - 1, &p), 0);
  assert_true(fabs(p.some_avg10 - 29.67) < 1e-9);
  assert_true(fabs(p.full_avg10 - 0.07) < 1e-9);
  assert_int_equal(p.some_total_us, 15213913);
  assert_int_equal(p.full_total_us, 15210970);

  /* cpu.pressure had no line "full" before 5.13 */
  static const char some[] = "some avg10=100.00 avg60=0.00 avg300=0.00 total=0";
  p = no_pressure();
  assert_int_equal(tally_parse_pressure(some, sizeof(some) - 1, &p), 0);
  assert_true(p.some_avg10 == 100);
  assert_true(isnan(p.full_avg10));
  assert_int_equal(p.full_total_us, U);

  static const char *const bad[] = {"",
                                    "\n",
                                    "some\n",
                                    "some avg10=\n",
                                    "none avg10=1.00\n",
                                    "some avg10=x\n",
                                    "avg10=1.00 total=5\n"};
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    p = no_pressure();
    assert_int_equal(tally_parse_pressure(bad[i], strlen(bad[i]), &p), -1);
    assert_true(isnan(p.some_avg10));
  }
}

static void test_every_cut(void **state) {
  /* No matter where a file is cut off: no read behind its end (the sanitizer
   * sees to that) and never more than was there. */
  static const char text[] =
      "some avg10=29.67 avg60=17.31 avg300=4.75 total=15213913\n"
      "254:0 rbytes=1 wbytes=2 rios=3 wios=4\n254:1 Read 5\n0-3,8\n"
      "total_rss 315392\n";
  for (size_t len = 0; len < sizeof(text); len++) {
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    for (int version = 1; version <= 2; version++) {
      const tally_cgroup_file_t *files =
          version == 1 ? tally_cgroup_files_v1 : tally_cgroup_files_v2;
      size_t count = version == 1 ? tally_cgroup_files_v1_count
                                  : tally_cgroup_files_v2_count;
      for (size_t i = 0; i < count; i++) {
        tally_cgroup_sample_t s;
        tally_cgroup_sample_init(&s);
        if (files[i].parse != NULL)
          (void)files[i].parse(copy, len, &s);
        assert_true(s.devices_count <= 2);
        assert_true(s.memory_anon == U || s.memory_anon <= 315392);
      }
    }
    free(copy);
  }
}

/* ---- devices ------------------------------------------------------------- */

static void test_blkio(void **state) {
  tally_cgroup_sample_t s;
  tally_cgroup_sample_init(&s);
  static const char bytes[] =
      "254:0 Read 41943040\n254:0 Write 20971520\n254:0 Sync 62914560\n"
      "254:0 Async 0\n254:0 Discard 0\n254:0 Total 62914560\n"
      "7:1 Read 5\n7:1 Write 6\nTotal 62914571\n";
  static const char ops[] =
      "254:0 Read 329\n254:0 Write 20\n254:0 Total 349\nTotal 349\n";
  assert_false(s.devices_known);
  assert_int_equal(tally_parse_blkio_bytes(bytes, sizeof(bytes) - 1, &s), 0);
  assert_int_equal(tally_parse_blkio_ops(ops, sizeof(ops) - 1, &s), 0);
  assert_true(s.devices_known);
  assert_int_equal(s.devices_count, 2);
  assert_int_equal(s.devices[0].major, 254);
  assert_int_equal(s.devices[0].minor, 0);
  assert_int_equal(s.devices[0].read_bytes, 41943040);
  assert_int_equal(s.devices[0].write_bytes, 20971520);
  assert_int_equal(s.devices[0].read_ops, 329);
  assert_int_equal(s.devices[0].write_ops, 20);
  assert_int_equal(s.devices[1].read_bytes, 5);
  assert_int_equal(s.devices[1].read_ops, U);
}

static void test_blkio_without_devices(void **state) {
  /* before the first I/O: nothing at all, or the sum of nothing */
  static const struct {
    const char *text;
    int status;
  } cases[] = {
      {"", 0},       {"Total 0\n", 0},   {"garbage\n", -1},   {"\n", -1},
      {"8:0\n", -1}, {"8:0 Read\n", -1}, {"8: Read 1\n", -1}, {"Total\n", -1}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_cgroup_sample_t s;
    tally_cgroup_sample_init(&s);
    assert_int_equal(
        tally_parse_blkio_bytes(cases[i].text, strlen(cases[i].text), &s),
        cases[i].status);
    assert_int_equal(s.devices_known, cases[i].status == 0);
    assert_int_equal(s.devices_count, 0);
  }
}

static void test_io_stat(void **state) {
  static const struct {
    const char *text;
    int status;
    size_t count;
    tally_cgroup_device_t first;
  } cases[] = {
      {"", 0, 0, {0}},
      {"254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n",
       0,
       1,
       {254, 0, 1, 2, 3, 4}},
      {"8:16 wios=4 cost.usage=12 rios=3 wbytes=2 rbytes=1",
       0,
       1,
       {8, 16, 1, 2, 3, 4}},
      /* devices without numbers, on lines of their own or in front */
      {"7:7 \n7:6 7:5 254:0 rbytes=1 wbytes=2 rios=3 wios=4\n8:0\n",
       0,
       1,
       {254, 0, 1, 2, 3, 4}},
      {"8:0 rbytes=x wbytes=\n", 0, 1, {8, 0, U, U, U, U}},
      {"8:0 rbytes=18446744073709551615\n", 0, 1, {8, 0, U, U, U, U}},
      {"nonsense\n", -1, 0, {0}},
      {"99999999999:0 rbytes=1\n", -1, 0, {0}},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_cgroup_sample_t s;
    tally_cgroup_sample_init(&s);
    assert_int_equal(
        tally_parse_io_stat(cases[i].text, strlen(cases[i].text), &s),
        cases[i].status);
    assert_int_equal(s.devices_count, cases[i].count);
    if (cases[i].count > 0)
      assert_memory_equal(&s.devices[0], &cases[i].first, sizeof(s.devices[0]));
  }
}

static void test_more_devices_than_room(void **state) {
  char v1[8192] = "", v2[8192] = "";
  for (int i = 0; i < TALLY_CGROUP_DEVICES_MAX + 3; i++) {
    char line[64];
    snprintf(line, sizeof(line), "8:%d Read 1\n8:%d Write 2\n", i, i);
    strcat(v1, line);
    snprintf(line, sizeof(line), "8:%d rbytes=1 wbytes=2\n", i);
    strcat(v2, line);
  }
  tally_cgroup_sample_t s;
  tally_cgroup_sample_init(&s);
  assert_int_equal(tally_parse_blkio_bytes(v1, strlen(v1), &s), 0);
  assert_int_equal(tally_parse_blkio_ops(v1, strlen(v1), &s), 0);
  assert_int_equal(s.devices_count, TALLY_CGROUP_DEVICES_MAX);
  assert_int_equal(s.devices_ignored, 3);

  tally_cgroup_sample_init(&s);
  assert_int_equal(tally_parse_io_stat(v2, strlen(v2), &s), 0);
  assert_int_equal(s.devices_count, TALLY_CGROUP_DEVICES_MAX);
  assert_int_equal(s.devices_ignored, 3);
}

static void test_count_lines(void **state) {
  assert_int_equal(tally_count_lines("", 0), 0);
  assert_int_equal(tally_count_lines("1\n22\n", 5), 2);
  assert_int_equal(tally_count_lines("1\n22", 4), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_length_is_obeyed),
      cmocka_unit_test(test_scale),
      cmocka_unit_test(test_keyed),
      cmocka_unit_test(test_cpu_list),
      cmocka_unit_test(test_cpu_max),
      cmocka_unit_test(test_pressure),
      cmocka_unit_test(test_every_cut),
      cmocka_unit_test(test_blkio),
      cmocka_unit_test(test_blkio_without_devices),
      cmocka_unit_test(test_io_stat),
      cmocka_unit_test(test_more_devices_than_room),
      cmocka_unit_test(test_count_lines),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
