/* SPDX-License-Identifier: MIT */
/* The glue between collectd and lib/, and the mock itself. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_util.h"

#include <setjmp.h>

#include <cmocka.h>

#include "core/log.h"
#include "mock.h"

typedef struct {
  plugin_watch_t watch;
  char *text;
  bool flag;
  char **list;
} config_t;

static const plugin_option_t options[] = {
    PLUGIN_WATCH_OPTIONS(config_t, watch),
    {"Text", plugin_config_string, offsetof(config_t, text)},
    {"Flag", plugin_config_bool, offsetof(config_t, flag)},
    {"Add", plugin_config_add_string, offsetof(config_t, list)},
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
  plugin_watch_clear(&config.watch);
  free(config.text);
  for (char **s = config.list; s != NULL && *s != NULL; s++)
    free(*s);
  free(config.list);
  memset(&config, 0, sizeof(config));
  return 0;
}

static void test_options_are_read(void **state) {
  assert_int_equal(mock_config("<Plugin test>\n"
                               "  # a comment\n"
                               "  Text \"a \\\"quoted\\\" text\"\n"
                               "  text once-more\n"
                               "  Flag on\n"
                               "  Add one\n"
                               "  Add \"two\"\n"
                               "</Plugin>\n"),
                   0);
  assert_string_equal(config.text, "once-more");
  assert_true(config.flag);
  assert_string_equal(config.list[0], "one");
  assert_string_equal(config.list[1], "two");
  assert_null(config.list[2]);
}

static void test_errors_name_option_and_value(void **state) {
  static const struct {
    const char *line;
    const char *message;
  } cases[] = {
      {"Txt \"a\"", "test plugin: configuration: Txt \"a\": "
                    "there is no such option"},
      {"Text 12", "configuration: Text 12: takes one string"},
      {"Text \"\"", "configuration: Text \"\": takes one string"},
      {"Text \"a\" \"b\"", "configuration: Text \"a\" \"b\": takes one"},
      {"Text", "configuration: Text: takes one string"},
      {"Flag \"maybe\"", "configuration: Flag \"maybe\": takes true or false"},
      {"Flag 1", "configuration: Flag 1: takes true or false"},
      {"Container \"/(/\"", "configuration: Container \"/(/\": "},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    char text[256];
    snprintf(text, sizeof(text), "<Plugin test>\n%s\n</Plugin>\n",
             cases[i].line);
    assert_int_not_equal(mock_config(text), 0);
    if (mock_logged(LOG_ERR, cases[i].message) != 1)
      fail_msg("`%s' logged `%s'", cases[i].line, mock_log_line(0));
    mock_forget();
  }
}

static void test_mock_wants_a_context(void **state) {
  value_list_t vl = {.values = &(value_t){.gauge = 1}, .values_len = 1};
  sstrncpy(vl.plugin, "test", sizeof(vl.plugin));
  sstrncpy(vl.type, "gauge", sizeof(vl.type));
  plugin_dispatch_values(&vl);
  assert_non_null(strstr(mock_complaint(), "without a context"));
  mock_unload();
  mock_load();
}

static void test_mock_is_strict(void **state) {
  value_list_t vl = {.interval = interval_g};
  sstrncpy(vl.plugin, "test", sizeof(vl.plugin));
  static const struct {
    const char *type;
    size_t values;
    time_t time;
    const char *complaint;
  } cases[] = {
      {"gauge", 2, 100, "type `gauge' has 1 data sources, not 2"},
      {"no_such_type", 1, 100, "is not in types.db"},
      {"load", 3, 99, NULL},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    value_t three[3] = {{.gauge = 1}, {.gauge = 2}, {.gauge = 3}};
    vl.values = three;
    vl.values_len = cases[i].values;
    vl.time = TIME_T_TO_CDTIME_T(cases[i].time);
    sstrncpy(vl.type, cases[i].type, sizeof(vl.type));
    plugin_dispatch_values(&vl);
    if (cases[i].complaint == NULL) {
      assert_null(mock_complaint());
      assert_float_equal(mock_gauge("node/test/load", "midterm"), 2, 0);
      plugin_dispatch_values(&vl); /* the same time again */
      assert_non_null(strstr(mock_complaint(), "too old: node/test/load"));
    } else {
      assert_non_null(strstr(mock_complaint(), cases[i].complaint));
    }
    mock_unload();
    mock_load();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_options_are_read, load, unload),
      cmocka_unit_test_setup_teardown(test_errors_name_option_and_value, load,
                                      unload),
      cmocka_unit_test_setup_teardown(test_mock_wants_a_context, load, unload),
      cmocka_unit_test_setup_teardown(test_mock_is_strict, load, unload),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
