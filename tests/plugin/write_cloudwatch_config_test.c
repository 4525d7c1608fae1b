/* SPDX-License-Identifier: MIT */
/* write_cloudwatch: each mistake in the configuration, and the one message that
 * it gets; and the parts that need no daemon. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include <setjmp.h>

#include <cmocka.h>

#include "aws/cloudwatch.h"
#include "mock.h"
#include "write_cloudwatch_drops.h"
#include "write_cloudwatch_hold.h"
#include "write_cloudwatch_units.h"

#define OPTION(text) "<Plugin write_cloudwatch>\n" text "\n</Plugin>\n"
#define RULE(text) OPTION("<Rule \"r\">\n" text "\n</Rule>")
#define GROUP(text) OPTION("<LogGroup \"g\">\n" text "\n</LogGroup>")
#define FROM "write_cloudwatch plugin: configuration: "

static const struct {
  const char *config, *message;
} mistakes[] = {
    {OPTION(""),
     "there is no <Rule>, so nothing would be sent: write one, or say SendAll "
     "true (DryRun true shows what that would cost)"},
    {OPTION("SendAll false"),
     "there is no <Rule>, so nothing would be sent: write one, or say SendAll "
     "true (DryRun true shows what that would cost)"},
    {OPTION("Sendall yes please"), "Sendall true \"please\": takes true or "
                                   "false"},
    {OPTION("Metrics 1"), "Metrics 1: there is no such option"},
    {OPTION("<Rule>\n</Rule>"), "Rule: takes a name: <Rule \"name\">"},
    {RULE("Hosts \"a\""), "Hosts \"a\": there is no such option"},
    {RULE("Plugin \"/(/\""),
     "Plugin \"/(/\": regular expression \"/(/\": Unmatched ( or \\("},
    {RULE("Type 7"), "Type 7: takes one string that is not empty"},
    {RULE("Unit \"bytes\""), "Unit \"bytes\": CloudWatch has no such unit (but "
                             "Bytes, Percent, Count/Second, …)"},
    {RULE("StorageResolution 10"), "StorageResolution 10: takes 1 or 60"},
    {RULE("StorageResolution 0"),
     "StorageResolution 0: takes a number from 1 to 60"},
    {RULE("Statistics 1"), "Statistics 1: takes true or false"},
    {RULE("MetricName \"%{pluginn}\""),
     "MetricName \"%{pluginn}\": there is no %{pluginn}"},
    {RULE("MetricName \"%{plugin\""), "MetricName \"%{plugin\": %{ without }"},
    {RULE("MetricName \"%{meta:}\""),
     "MetricName \"%{meta:}\": there is no %{meta:}"},
    {RULE("Namespace \"AWS/EC2\""),
     "Namespace \"AWS/EC2\": takes 1 to 255 letters, digits and \" ._/#:-\", "
     "not beginning with \"AWS/\" or ':'"},
    {OPTION("Namespace \"a*b\""),
     "Namespace \"a*b\": takes 1 to 255 letters, digits and \" ._/#:-\", not "
     "beginning with \"AWS/\" or ':'"},
    {RULE("Dimension \"Host\""),
     "Dimension \"Host\": takes two strings: a name and a value"},
    {RULE("Dimension \":x\" \"y\""),
     "Dimension \":x\" \"y\": the name of a dimension is 1 to 255 printable "
     "ASCII characters, the first of them not ':'"},
    {RULE("Dimension \"x\" \"1\"\nDimension \"x\" \"2\""),
     "Dimension \"x\" \"2\": is there twice"},
    {RULE("Dimension \"x\" \"%{vm}\""),
     "Dimension \"x\" \"%{vm}\": there is no %{vm}"},
    {OPTION("Period 0"), "Period 0: takes a number from 1 to 3600"},
    {OPTION("MaxMetrics 0"), "MaxMetrics 0: takes a number from 1 to 10000000"},
    {OPTION("IdentityWait 61"), "IdentityWait 61: takes a number from 0 to 60"},
    {OPTION("SendAll true\nDryRunFile \"/tmp/x\""),
     "DryRunFile needs DryRun true"},
    {OPTION("SendAll true\nAccessKeyID \"AK\""),
     "AccessKeyID needs SecretAccessKey"},
    {OPTION("Region \"?\""), "Region \"?\": no region (such as eu-west-1)"},
    {OPTION("<LogGroup>\n</LogGroup>"),
     "LogGroup: takes a name: <LogGroup \"name\">"},
    {GROUP("Format \"xml\""), "Format \"xml\": takes text or json"},
    {GROUP("Stream \"%{x}\""), "Stream \"%{x}\": there is no %{x}"},
    {GROUP("CreateGroup true\nRetentionDays 2"),
     "RetentionDays 2: the service does not keep logs for so long (but for 1, "
     "3, 5, 7, 14, 30, 60, 90, … days)"},
    {GROUP("RetentionDays 7"),
     "LogGroup \"g\": RetentionDays needs CreateGroup"},
    {OPTION("<LogGroup \"g\">\n</LogGroup>\n<LogGroup \"g\">\n</LogGroup>"),
     "LogGroup \"g\": is there twice"},
    {OPTION("SendAll true") OPTION("SendAll true"),
     "there is more than one block for this plugin"},
};

static void test_mistakes(void **state) {
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(mistakes); i++) {
    char line[1024];
    snprintf(line, sizeof(line), FROM "%s", mistakes[i].message);
    mock_load();
    assert_int_not_equal(mock_config(mistakes[i].config), 0);
    if (mock_log_line(0) == NULL)
      fail_msg("nothing was said of %s", mistakes[i].config);
    assert_string_equal(mock_log_line(0), line);
    assert_null(mock_log_line(1)); /* one message */
    mock_unload();
  }
}

/* A file that cannot be written is known before the start, too. */
static void test_dry_run_file(void **state) {
  mock_load();
  assert_int_not_equal(
      mock_config(OPTION("SendAll true\nDryRun true\nDryRunFile \"/no/file\"")),
      0);
  assert_string_equal(mock_log_line(0),
                      "write_cloudwatch plugin: DryRunFile \"/no/file\": No "
                      "such file or directory");
  mock_unload();
}

/* The daemon does not call back where there is no block at all. */
static void test_no_block(void **state) {
  mock_load();
  assert_int_not_equal(mock_init(), 0);
  assert_int_equal(mock_logged(LOG_ERR, "there is no <Rule>"), 1);
  mock_unload();
}

static void test_units(void **state) {
  static const struct {
    const char *type, *source;
    bool is_rate;
    const char *unit;
  } cases[] = {
      {"if_octets", "rx", true, "Bytes/Second"},
      {"if_octets", "rx", false, "Bytes"},
      {"if_packets", "tx", true, "Count/Second"},
      {"memory", "value", false, "Bytes"},
      {"percent", "value", false, "Percent"},
      {"percent_bytes", "value", false, "Percent"},
      {"load", "shortterm", false, NULL},
      {"cpu", "value", true, NULL},
      {"uptime", "value", false, "Seconds"},
      {"ping", "value", false, "Milliseconds"},
      {"container_cpu", "percent_of_limit", false, "Percent"},
      {"container_cpu", "usage", true, NULL},
      {"container_memory", "used", false, "Bytes"},
      {"container_memory", "major_page_faults", true, "Count/Second"},
      {"container_memory", "percent", false, "Percent"},
      {"container_pressure", "io_some_total", true, NULL},
      {"container_pressure", "io_some", false, "Percent"},
      {"tallyman_outbox", "latency", false, "Seconds"},
      {"tallyman_events", "received", true, "Count/Second"},
      {"my_own", "value", false, NULL},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    const char *unit =
        write_cloudwatch_unit(cases[i].type, cases[i].source, cases[i].is_rate);
    if (cases[i].unit == NULL)
      assert_null(unit);
    else
      assert_string_equal(unit, cases[i].unit);
  }
}

/* Whatever the table says, CloudWatch knows it; and the type of our counters
 * has the outcomes in their order. */
static void test_types(void **state) {
  static const char *const ours[] = {"unmatched", "ignored"};
  mock_load();
  const data_set_t *ds = plugin_get_ds("tallyman_metrics");
  assert_non_null(ds);
  assert_int_equal(ds->ds_num, WRITE_CLOUDWATCH_OUTCOMES);
  for (int i = 0; i < WRITE_CLOUDWATCH_OUTCOMES; i++)
    assert_string_equal(ds->ds[i].name, i < TALLY_METRIC_VERDICTS
                                            ? tally_metric_verdict_name(
                                                  (tally_metric_verdict_t)i)
                                            : ours[i - TALLY_METRIC_VERDICTS]);
  static const char *const types[] = {
      "if_octets", "ping",     "bitrate",        "df_complex",
      "percent",   "duration", "container_tcp",  "disk_ops",
      "uptime",    "records",  "tallyman_outbox"};
  for (size_t t = 0; t < STATIC_ARRAY_SIZE(types); t++) {
    ds = plugin_get_ds(types[t]);
    for (size_t i = 0; i < 2 * ds->ds_num; i++) {
      const char *unit =
          write_cloudwatch_unit(types[t], ds->ds[i / 2].name, i % 2 == 0);
      assert_true(unit == NULL || tally_metric_unit_is_known(unit));
    }
  }
  mock_unload();
}

static void test_hold_is_bounded(void **state) {
  write_cloudwatch_hold_t hold = {0};
  value_t value = {.gauge = 1};
  value_list_t vl = {.values = &value, .values_len = 1};
  for (size_t i = 0; i < WRITE_CLOUDWATCH_HOLD_MAX; i++)
    assert_true(write_cloudwatch_hold_put(&hold, &vl, NULL));
  assert_false(write_cloudwatch_hold_put(&hold, &vl, NULL));
  write_cloudwatch_held_t *held = write_cloudwatch_hold_take(&hold);
  size_t count = 0;
  for (; held != NULL; count++) {
    write_cloudwatch_held_t *next = held->next;
    write_cloudwatch_held_free(held);
    held = next;
  }
  assert_int_equal(count, WRITE_CLOUDWATCH_HOLD_MAX);
  assert_true(write_cloudwatch_hold_put(&hold, &vl, NULL));
  write_cloudwatch_held_free(write_cloudwatch_hold_take(&hold));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mistakes), cmocka_unit_test(test_dry_run_file),
      cmocka_unit_test(test_no_block), cmocka_unit_test(test_units),
      cmocka_unit_test(test_types),    cmocka_unit_test(test_hold_is_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
