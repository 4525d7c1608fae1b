/* SPDX-License-Identifier: MIT */
/* What write_kinesis may be told, and what it refuses. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_kinesis_stream.h"

#include <setjmp.h>

#include <cmocka.h>

#include "kinesis_fake.h"
#include "mock.h"

static int load(void **state) {
  mock_load();
  return 0;
}

static int unload(void **state) {
  mock_assert_content();
  mock_unload();
  kinesis_fake_forget();
  return 0;
}

static int configure(const char *lines) {
  char text[2048];
  snprintf(text, sizeof(text), "<Plugin write_kinesis>\n%s\n</Plugin>\n",
           lines);
  return mock_config(text);
}

static void test_configuration_errors(void **state) {
  static const struct {
    const char *lines, *message;
  } cases[] = {
      {"", "write_kinesis plugin: configuration: no <Stream>"},
      {"<Stream>\n</Stream>", "Stream: takes one string"},
      {"<Stream \"a b\">\n</Stream>", "Stream \"a b\": `a b' is no name"},
      {"<Stream \"a\">\n</Stream>\n<Stream \"A\">\n</Stream>",
       "Stream \"A\": there is a <Stream> of that name; give one of them an "
       "Instance"},
      {"Instance \"i\"\n<Stream \"a\">\n</Stream>",
       "Instance \"i\": there is no such option"},
      {"<Stream \"a\">\nStream \"b\"\n</Stream>",
       "Stream \"b\": there is no such option"},
      {"<Stream \"a\">\nFormat \"xml\"\n</Stream>",
       "Format \"xml\": takes json, influx or graphite"},
      {"PartitionKey \"fixed\"\n<Stream \"a\">\n</Stream>",
       "PartitionKey \"fixed\": takes identifier, plugin or host"},
      {"<Stream \"a\">\nOrder \"all\"\n</Stream>",
       "Order \"all\": takes key or none"},
      {"<Stream \"a\">\nCompression \"lz4\"\n</Stream>",
       "Compression \"lz4\": takes none, gzip or zstd"},
      {"<Stream \"a\">\nCompressionLevel 20\n</Stream>",
       "CompressionLevel 20: takes a number from 1 to 19"},
      {"<Stream \"a\">\nAggregateSize 100\n</Stream>",
       "AggregateSize 100: takes a number from 1024 to 1048576"},
      {"<Stream \"a\">\nMetrics false\n</Stream>",
       "Stream \"a\": takes neither Metrics nor Notifications"},
      {"<Stream \"a\">\nFormat influx\nNotifications true\n</Stream>",
       "Stream \"a\": Notifications are JSON only"},
      {"<Stream \"a\">\nAccessKeyID \"x\"\n</Stream>",
       "AccessKeyID needs SecretAccessKey"},
      {"<Stream \"a\">\nRegion \"Europe\"\n</Stream>",
       "Region \"Europe\": no region"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    assert_int_not_equal(configure(cases[i].lines), 0);
    if (mock_logged(LOG_ERR, cases[i].message) != 1 ||
        mock_logged(0, NULL) != 1)
      fail_msg("`%s' logged `%s'", cases[i].lines, mock_log_line(0));
    mock_unload();
    mock_load();
  }
}

static void test_names_that_are_too_long(void **state) {
  char lines[512], name[122];
  memset(name, 'n', sizeof(name));
  name[sizeof(name) - 1] = '\0';
  snprintf(lines, sizeof(lines), "<Stream \"%s\">\n</Stream>", name);
  assert_int_not_equal(configure(lines), 0);
  assert_int_equal(mock_logged(LOG_ERR, "too long for identifiers"), 1);
  snprintf(lines, sizeof(lines), "<Stream \"%s\">\nInstance \"n\"\n</Stream>",
           name);
  assert_int_equal(configure(lines), 0);
}

static void test_options_reach_the_destination(void **state) {
  assert_int_equal(configure("Aggregate true\n"
                             "Compression zstd\n"
                             "<Stream \"a\">\n"
                             "  Order none\n"
                             "  AggregateSize 2048\n"
                             "  Compression gzip\n"
                             "  CompressionLevel 3\n"
                             "  LargeRecords true\n"
                             "</Stream>\n"),
                   0);
  assert_true(kinesis_fake.last.aggregate);
  assert_int_equal(kinesis_fake.last.order, TALLY_KINESIS_ORDER_NONE);
  assert_int_equal(kinesis_fake.last.aggregate_bytes, 2048);
  assert_int_equal(kinesis_fake.last.compression, TALLY_COMPRESSION_GZIP);
  assert_int_equal(kinesis_fake.last.compression_level, 3);
  assert_true(kinesis_fake.last.large_records);
}

static void test_what_is_slow_is_said(void **state) {
  static const char warning[] = "Stream \"a\": PartitionKey host with Order "
                                "key sends one record of a host per call";
  static const struct {
    const char *lines;
    size_t warnings;
  } cases[] = {
      {"", 1},
      {"Order none", 0},
      {"Aggregate true", 0},
      {"PartitionKey plugin", 0},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    char lines[256];
    snprintf(lines, sizeof(lines),
             "PartitionKey host\n<Stream \"a\">\n%s\n</Stream>",
             cases[i].lines);
    assert_int_equal(configure(lines), 0);
    assert_int_equal(mock_logged(LOG_WARNING, warning), cases[i].warnings);
    mock_unload();
    mock_load();
  }
}

static void test_no_plugin_block(void **state) {
  assert_int_not_equal(mock_init(), 0);
  assert_int_equal(mock_logged(LOG_ERR, "no <Stream>"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, load, unload)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_configuration_errors),
      TEST(test_names_that_are_too_long),
      TEST(test_options_reach_the_destination),
      TEST(test_what_is_slow_is_said),
      TEST(test_no_plugin_block),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
