/* SPDX-License-Identifier: MIT */
/* cgroup_adjust: its configuration, and what the audit says. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include <setjmp.h>

#include <cmocka.h>

#include "cgroup_adjust_audit.h"
#include "mock.h"

#define ID "3fe1aa90bc21d8f1a5c1f0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5"

static const tally_container_t web = {
    .id = ID, .name = "shop-web", .image = "shop/web:3"};
static const tally_limit_change_t memory_change = {
    .limit = TALLY_LIMIT_MEMORY_MAX,
    .file = "memory.limit_in_bytes",
    .before = "67108864",
    .wanted = "18446744073709551615",
    .after = "9223372036854771712",
    .changed = true,
    .verified = true};

static int load(void **state) {
  mock_load();
  plugin_set_ctx((plugin_ctx_t){.interval = interval_g});
  return 0;
}

static int unload(void **state) {
  mock_assert_content();
  mock_unload();
  return 0;
}

/* ---- audit --------------------------------------------------------------- */

static const notification_t *audit(const tally_adjust_report_t *report,
                                   const char *message, int severity) {
  cgroup_adjust_audit(report, "");
  const notification_t *n = mock_notification(mock_notifications() - 1);
  assert_string_equal(n->message, message);
  assert_int_equal(n->severity, severity);
  return n;
}

#define assert_meta(n, key, value)                                             \
  assert_string_equal(mock_notification_meta(n, key), value)

static void test_change(void **state) {
  char name[] = "front";
  tally_limit_rule_t rule = {.name = name};
  tally_adjust_report_t r = {.outcome = TALLY_ADJUST_CHANGED,
                             .container = &web,
                             .reason = "",
                             .change = &memory_change,
                             .source = TALLY_LIMIT_FROM_RULE,
                             .rule = &rule};
  const notification_t *n =
      audit(&r,
            "shop-web (3fe1aa90bc21): memory.limit_in_bytes: "
            "67108864 -> 9223372036854771712",
            NOTIF_OKAY);
  assert_string_equal(n->host, "node");
  assert_string_equal(n->plugin, "cgroup_adjust");
  assert_string_equal(n->plugin_instance, "shop-web");
  assert_string_equal(n->type, "cgroup_limit");
  assert_string_equal(n->type_instance, "memory.limit_in_bytes");
  assert_meta(n, "container_id", ID);
  assert_meta(n, "limit", "memory.max");
  assert_meta(n, "before", "67108864");
  assert_meta(n, "wanted", "18446744073709551615");
  assert_meta(n, "after", "9223372036854771712");
  assert_meta(n, "source", "rule");
  assert_meta(n, "rule", "front");
  assert_meta(n, "method", "cgroup");
}

static void test_outcomes(void **state) {
  tally_limit_change_t change = memory_change;
  tally_adjust_report_t r = {.outcome = TALLY_ADJUST_WOULD_CHANGE,
                             .container = &web,
                             .reason = "",
                             .change = &change,
                             .source = TALLY_LIMIT_FROM_ENVIRONMENT};
  audit(&r,
        "shop-web (3fe1aa90bc21): would set memory.limit_in_bytes: "
        "67108864 -> 18446744073709551615",
        NOTIF_OKAY);

  r.outcome = TALLY_ADJUST_REFUSED;
  r.reason = "Device or resource busy";
  audit(&r,
        "shop-web (3fe1aa90bc21): memory.limit_in_bytes: 67108864 -> "
        "18446744073709551615 refused: Device or resource busy",
        NOTIF_WARNING);

  r.outcome = TALLY_ADJUST_DIFFERS;
  r.reason = "";
  audit(&r,
        "shop-web (3fe1aa90bc21): memory.limit_in_bytes: 67108864 -> "
        "18446744073709551615, but it reads 9223372036854771712",
        NOTIF_WARNING);

  r.outcome = TALLY_ADJUST_CHANGED;
  r.restoring = true;
  change.before[0] = '\0';
  audit(&r,
        "shop-web (3fe1aa90bc21): put back memory.limit_in_bytes: unknown -> "
        "9223372036854771712",
        NOTIF_OKAY);
}

static void test_no_change(void **state) {
  tally_adjust_report_t r = {.outcome = TALLY_ADJUST_FAILED,
                             .container = &web,
                             .reason = "it has no cgroup"};
  const notification_t *n =
      audit(&r, "shop-web (3fe1aa90bc21): limits not set: it has no cgroup",
            NOTIF_WARNING);
  assert_string_equal(n->type_instance, "");

  tally_limit_problem_t problem = {.source = TALLY_LIMIT_FROM_ENVIRONMENT,
                                   .key = "SWAP",
                                   .value = "a\nlot",
                                   .why = {0, "\"a\nlot\" is not a size"}};
  r = (tally_adjust_report_t){.outcome = TALLY_ADJUST_BAD_REQUEST,
                              .container = &web,
                              .source = problem.source,
                              .reason = problem.why.message,
                              .problem = &problem};
  n = audit(&r,
            "shop-web (3fe1aa90bc21): environment SWAP: \"a lot\" is not a "
            "size",
            NOTIF_WARNING);
  assert_string_equal(n->type_instance, "SWAP");
  assert_meta(n, "key", "SWAP");
  assert_meta(n, "value", "a\nlot");
}

/* ---- configuration ------------------------------------------------------- */

static void test_configuration_errors(void **state) {
  static const struct {
    const char *lines, *message;
  } cases[] = {
      {"Swap true", "Swap true: there is no such option"},
      {"Method \"files\"", "Method \"files\": takes cgroup or engine"},
      {"Method 1", "Method 1: takes cgroup or engine"},
      {"DryRun \"yes please\"", "DryRun \"yes please\": takes true or false"},
      {"<Rule>\n</Rule>", "Rule: takes a name"},
      {"<Rule \"a\">\n</Rule>\n<Rule \"A\">\n</Rule>",
       "Rule \"A\": there is such a rule already"},
      {"<Rule \"a\">\nMemoryMax \"64\"\n</Rule>",
       "MemoryMax \"64\": \"64\" is less than 6m"},
      {"<Rule \"a\">\nMemoryMax \"lots\"\n</Rule>",
       "MemoryMax \"lots\": \"lots\" is not a size"},
      {"<Rule \"a\">\nMemoryMax \"64m\" \"128m\"\n</Rule>",
       "MemoryMax \"64m\" \"128m\": takes one value"},
      {"<Rule \"a\">\nCpuMax 0\n</Rule>", "CpuMax 0: \"0\" is not in"},
      {"<Rule \"a\">\nCpuWeight 10001\n</Rule>", "CpuWeight 10001: "},
      {"<Rule \"a\">\nPidsMax -5\n</Rule>", "PidsMax -5: "},
      {"<Rule \"a\">\nIoWeight 1.5\n</Rule>", "IoWeight 1.5: "},
      {"<Rule \"a\">\nMemoryMin 64m\n</Rule>",
       "MemoryMin \"64m\": there is no such option"},
      {"<Rule \"a\">\nImage \"/(/\"\n</Rule>",
       "Image \"/(/\": regular expression"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    char text[256];
    snprintf(text, sizeof(text), "<Plugin cgroup_adjust>\n%s\n</Plugin>\n",
             cases[i].lines);
    assert_int_not_equal(mock_config(text), 0);
    if (mock_logged(LOG_ERR, cases[i].message) != 1)
      fail_msg("`%s' logged `%s'", cases[i].lines, mock_log_line(0));
    mock_forget();
  }
}

static void test_everything_at_once(void **state) {
  char dir[] = "/tmp/tally-adjust-XXXXXX";
  char config[1024], command[64];
  assert_non_null(mkdtemp(dir));
  snprintf(config, sizeof(config),
           "<Plugin cgroup_adjust>\n"
           "  Endpoint \"unix://%s/nonexistent\"\n"
           "  StateDir \"%s/state\"\n"
           "  Method engine\n"
           "  DryRun true\n"
           "  Restore true\n"
           "  FromEnvironment false\n"
           "  FromLabels false\n"
           "  OwnImage \"tallyman\"\n"
           "  <Rule \"front\">\n"
           "    Image \"/^shop\\//\"\n"
           "    Label \"tier=front\"\n"
           "    Container web\n"
           "    FromEnvironment true\n"
           "    MemoryMax 512m\n"
           "    MemoryHigh \"max\"\n"
           "    SwapMax 0\n"
           "    CpuWeight 200\n"
           "    CpuMax 1.5\n"
           "    PidsMax 100\n"
           "    IoWeight 50\n"
           "  </Rule>\n"
           "</Plugin>\n",
           dir, dir);
  assert_int_equal(mock_config(config), 0);
  assert_int_equal(mock_init(), 0);
  assert_int_equal(mock_read(), 0);
  assert_int_equal(
      mock_derive("node/tallyman-cgroup_adjust/tallyman_adjust", "changed"), 0);
  mock_unload();
  mock_load();
  snprintf(command, sizeof(command), "rm -r '%s'", dir);
  assert_int_equal(system(command), 0);
}

#define plugin_test(f) cmocka_unit_test_setup_teardown(f, load, unload)

int main(void) {
  const struct CMUnitTest tests[] = {
      plugin_test(test_change),
      plugin_test(test_outcomes),
      plugin_test(test_no_change),
      plugin_test(test_configuration_errors),
      plugin_test(test_everything_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
