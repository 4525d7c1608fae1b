/* SPDX-License-Identifier: MIT */
/* The options of everything that talks to AWS. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_aws.h"

#include <setjmp.h>

#include <cmocka.h>

#include "mock.h"

typedef struct {
  int before; /* so that a wrong offset shows */
  plugin_aws_t aws;
} config_t;

static const plugin_option_t options[] = {
    PLUGIN_AWS_OPTIONS(config_t, aws),
    {NULL, NULL, 0},
};

static config_t config;

static int on_config(oconfig_item_t *block) {
  return plugin_config_block("test", block, options, &config);
}

void module_register(void) {
  plugin_register_complex_config("test", on_config);
}

static int load(void **state) {
  mock_load();
  return 0;
}

static int unload(void **state) {
  mock_assert_content();
  mock_unload();
  plugin_aws_clear(&config.aws);
  return 0;
}

static int configure(const char *lines) {
  char text[512];
  snprintf(text, sizeof(text), "<Plugin test>\n%s\n</Plugin>\n", lines);
  return mock_config(text);
}

static void test_options_reach_the_session(void **state) {
  assert_int_equal(configure("Region \"eu-west-1\"\n"
                             "Endpoint \"http://127.0.0.1:4567/\"\n"
                             "AccessKeyID \"AKIDEXAMPLE\"\n"
                             "SecretAccessKey \"first\"\n"
                             "SecretAccessKey \"wJalr\"\n"
                             "SessionToken \"tok\"\n"
                             "RoleARN \"arn:aws:iam::1:role/r\"\n"
                             "ExternalID \"x\"\n"
                             "CACert \"/dev/null\"\n"
                             "Proxy \"http://proxy:3128\"\n"
                             "Timeout 2.5\n"
                             "UseFIPS true\n"
                             "UseDualStack false"),
                   0);
  const plugin_aws_t *aws = &config.aws;
  assert_string_equal(aws->secret_key, "wJalr");
  assert_string_equal(aws->external_id, "x");
  assert_string_equal(aws->proxy, "http://proxy:3128");
  assert_true(aws->timeout == 2.5);
  assert_int_equal(aws->fips, TALLY_AWS_YES);
  assert_int_equal(aws->dualstack, TALLY_AWS_NO);

  tally_aws_session_t *session = plugin_aws_session("test", aws);
  assert_non_null(session);
  plugin_aws_clear(&config.aws); /* the session has copies */
  char region[TALLY_AWS_REGION_MAX], url[TALLY_AWS_URL_MAX];
  assert_int_equal(tally_aws_session_region(session, region, NULL), 0);
  assert_string_equal(region, "eu-west-1");
  assert_int_equal(
      tally_aws_session_endpoint(session, TALLY_AWS_KINESIS, url, NULL), 0);
  assert_string_equal(url, "http://127.0.0.1:4567");
  tally_aws_session_unref(session);
}

static void test_nothing_is_needed(void **state) {
  tally_aws_session_t *session = plugin_aws_session("test", &config.aws);
  assert_non_null(session);
  tally_aws_session_unref(session);
  assert_int_equal(mock_logged(0, NULL), 0);
}

static void test_bad_values(void **state) {
  static const struct {
    const char *line, *why;
  } cases[] = {
      {"Region \"Europe\"", "Region \"Europe\": no region"},
      {"Endpoint \"kinesis\"", "Endpoint \"kinesis\": takes http(s)://"},
      {"Endpoint \"http://u:p@h/\"", "takes http(s)://"},
      {"AccessKeyID \"A B\"", "AccessKeyID \"A B\": has blanks"},
      {"RoleARN \"role/r\"", "RoleARN \"role/r\": takes an ARN"},
      {"CACert \"/nowhere/ca.pem\"",
       "CACert \"/nowhere/ca.pem\": No such file"},
      {"Timeout 0.5", "Timeout 0.5: takes a number from 1 to 300"},
      {"UseFIPS 1", "UseFIPS 1: takes true or false"},
      {"Profile \"\"", "Profile \"\": takes one string"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    assert_int_not_equal(configure(cases[i].line), 0);
    if (mock_logged(LOG_ERR, cases[i].why) != 1 || mock_logged(0, NULL) != 1)
      fail_msg("`%s' logged `%s'", cases[i].line, mock_log_line(0));
    mock_forget();
  }
}

static void test_contradictions(void **state) {
  static const struct {
    const char *lines, *why;
  } cases[] = {
      {"AccessKeyID \"a\"", "AccessKeyID needs SecretAccessKey"},
      {"SecretAccessKey \"s\"", "SecretAccessKey needs AccessKeyID"},
      {"SessionToken \"t\"", "SessionToken needs AccessKeyID"},
      {"AccessKeyID \"a\"\nSecretAccessKey \"s\"\nProfile \"p\"",
       "AccessKeyID and Profile exclude each other"},
      {"ExternalID \"x\"", "ExternalID needs RoleARN"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    assert_int_equal(configure(cases[i].lines), 0);
    assert_null(plugin_aws_session("test", &config.aws));
    if (mock_logged(LOG_ERR, cases[i].why) != 1 || mock_logged(0, NULL) != 1)
      fail_msg("`%s' logged `%s'", cases[i].lines, mock_log_line(0));
    mock_forget();
    plugin_aws_clear(&config.aws);
  }
}

/* Whatever is wrong with them, and also if the name is. */
static void test_secrets_are_not_logged(void **state) {
  static const char *const lines[] = {
      "SecretAccessKey \"hush \"",     "SecretAccessKey \"hush\" \"hush\"",
      "SessionToken \"hush\" true",    "SecretKey \"hush\"",
      "sessiontokens \"hush\"",        "Password \"hush\"",
      "Endpoint \"http://me:hush@h\"", "Proxy \"http://me:hush@h\" 1",
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(lines); i++) {
    assert_int_not_equal(configure(lines[i]), 0);
    assert_int_equal(mock_logged(LOG_ERR, " (hidden): "), 1);
    assert_int_equal(mock_logged(0, "hush"), 0);
    mock_forget();
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, load, unload)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_options_reach_the_session),
      TEST(test_nothing_is_needed),
      TEST(test_bad_values),
      TEST(test_contradictions),
      TEST(test_secrets_are_not_logged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
