/* SPDX-License-Identifier: MIT */
/* Value lists and notifications as text. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"
#include "utils/metadata/meta_data.h"

#include "plugin_format.h"

#include <setjmp.h>

#include <cmocka.h>

#include "core/json.h"
#include "mock.h"

void module_register(void) {}

/* ---- what is formatted ----------------------------------------------------
 */

#define TIME 1600000000

static data_source_t sources[] = {
    {"rx", DS_TYPE_DERIVE, 0, NAN},
    {"tx", DS_TYPE_COUNTER, 0, NAN},
    {"level", DS_TYPE_GAUGE, NAN, NAN},
    {"taken", DS_TYPE_ABSOLUTE, 0, NAN},
};
static const data_set_t all = {"all", STATIC_ARRAY_SIZE(sources), sources};
static const data_set_t one = {"one", 1, &sources[2]};

static value_t values[] = {
    {.derive = -5}, {.counter = 42}, {.gauge = 0.25}, {.absolute = 7}};

static value_list_t value_list(const data_set_t *ds, const char *host,
                               const char *plugin, const char *plugin_instance,
                               const char *type_instance) {
  value_list_t vl = {.values = ds == &one ? &values[2] : values,
                     .values_len = ds->ds_num,
                     .time = MS_TO_CDTIME_T(TIME * UINT64_C(1000) + 250),
                     .interval = TIME_T_TO_CDTIME_T(10)};
  sstrncpy(vl.host, host, sizeof(vl.host));
  sstrncpy(vl.plugin, plugin, sizeof(vl.plugin));
  sstrncpy(vl.plugin_instance, plugin_instance, sizeof(vl.plugin_instance));
  sstrncpy(vl.type, ds->type, sizeof(vl.type));
  sstrncpy(vl.type_instance, type_instance, sizeof(vl.type_instance));
  return vl;
}

/* Checks the text, and that no smaller buffer makes it anything but -1. */
static void assert_format(const plugin_format_t *format, const data_set_t *ds,
                          const value_list_t *vl, const gauge_t *rates,
                          const char *wanted) {
  size_t cap = strlen(wanted);
  for (size_t i = 0; i <= cap; i++) {
    tally_buffer_t out;
    tally_buffer_init(&out, i < cap ? i : 65536);
    int status = format->kind == PLUGIN_FORMAT_INFLUX
                     ? plugin_format_influx(&out, ds, vl, rates)
                 : format->kind == PLUGIN_FORMAT_GRAPHITE
                     ? plugin_format_graphite(&out, ds, vl, rates, format)
                     : plugin_format_json(&out, ds, vl, rates);
    assert_int_equal(status, i < cap ? -1 : 0);
    if (i == cap)
      assert_string_equal(out.data, wanted);
    tally_buffer_clear(&out);
  }
}

static const plugin_format_t json = {.kind = PLUGIN_FORMAT_JSON};
static const plugin_format_t influx = {.kind = PLUGIN_FORMAT_INFLUX};
static const plugin_format_t graphite = {.kind = PLUGIN_FORMAT_GRAPHITE};

/* ---- JSON -----------------------------------------------------------------
 */

#define JSON_SOURCES                                                           \
  "\"dstypes\":[\"derive\",\"counter\",\"gauge\",\"absolute\"],"               \
  "\"dsnames\":[\"rx\",\"tx\",\"level\",\"taken\"],"                           \
  "\"time\":1600000000.250,\"interval\":10.000,"
#define JSON_NAMES                                                             \
  "\"host\":\"node\",\"plugin\":\"interface\",\"plugin_instance\":\"eth0\","   \
  "\"type\":\"all\",\"type_instance\":\"\"}"

static void test_json(void **state) {
  value_list_t vl = value_list(&all, "node", "interface", "eth0", "");
  assert_format(&json, &all, &vl, NULL,
                "{\"values\":[-5,42,0.25,7]," JSON_SOURCES JSON_NAMES);
  gauge_t rates[] = {1.5, NAN, 99, INFINITY};
  assert_format(&json, &all, &vl, rates,
                "{\"values\":[1.5,null,0.25,null]," JSON_SOURCES JSON_NAMES);
}

static void test_json_meta(void **state) {
  value_list_t vl = value_list(&one, "h", "p", "", "i");
  vl.meta = meta_data_create();
  assert_format(&json, &one, &vl, NULL,
                "{\"values\":[0.25],\"dstypes\":[\"gauge\"],\"dsnames\":["
                "\"level\"],\"time\":1600000000.250,\"interval\":10.000,"
                "\"host\":\"h\",\"plugin\":\"p\",\"plugin_instance\":\"\","
                "\"type\":\"one\",\"type_instance\":\"i\"}");
  meta_data_add_string(vl.meta, "te\"xt", "a\nb");
  meta_data_add_signed_int(vl.meta, "signed", INT64_MIN);
  meta_data_add_unsigned_int(vl.meta, "unsigned", UINT64_MAX);
  meta_data_add_double(vl.meta, "double", 1e300);
  meta_data_add_double(vl.meta, "nan", NAN);
  meta_data_add_boolean(vl.meta, "flag", true);
  assert_format(
      &json, &one, &vl, NULL,
      "{\"values\":[0.25],\"dstypes\":[\"gauge\"],\"dsnames\":["
      "\"level\"],\"time\":1600000000.250,\"interval\":10.000,"
      "\"host\":\"h\",\"plugin\":\"p\",\"plugin_instance\":\"\","
      "\"type\":\"one\",\"type_instance\":\"i\",\"meta\":{\"flag\":true,"
      "\"nan\":null,\"double\":1e+300,\"unsigned\":18446744073709551615,"
      "\"signed\":-9223372036854775808,\"te\\\"xt\":\"a\\u000ab\"}}");
  meta_data_destroy(vl.meta);
}

/* Whatever stands in the fields, it is JSON and says so. */
static void test_json_of_hostile_names(void **state) {
  value_list_t vl =
      value_list(&one, "\"h\\", "\x01p\x7f", "\xff\xc3", "caf\xc3\xa9");
  tally_buffer_t out;
  tally_buffer_init(&out, 4096);
  assert_int_equal(plugin_format_json(&out, &one, &vl, NULL), 0);
  tally_json_t *document = tally_json_parse(out.data, out.len, NULL);
  assert_non_null(document);
  static const char *const wanted[][2] = {
      {"host", "\"h\\"},
      {"plugin", "\x01p\x7f"},
      {"plugin_instance", "\xef\xbf\xbd\xef\xbf\xbd"},
      {"type_instance", "caf\xc3\xa9"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(wanted); i++)
    assert_string_equal(
        tally_json_string(tally_json_get(document, wanted[i][0])),
        wanted[i][1]);
  tally_json_destroy(document);
  tally_buffer_clear(&out);
}

/* ---- line protocol --------------------------------------------------------
 */

static void test_influx(void **state) {
  value_list_t vl = value_list(&all, "node", "interface", "eth0", "x");
  assert_format(&influx, &all, &vl, NULL,
                "interface,host=node,instance=eth0,type=all,type_instance=x "
                "rx=-5i,tx=42i,level=0.25,taken=7i 1600000000250000000");
  gauge_t rates[] = {1.5, NAN, 99, -INFINITY};
  assert_format(&influx, &all, &vl, rates,
                "interface,host=node,instance=eth0,type=all,type_instance=x "
                "rx=1.5,level=0.25 1600000000250000000");
}

static void test_influx_names(void **state) {
  static const struct {
    const char *plugin, *instance, *wanted;
  } cases[] = {
      {"p", "", "p,host=h,type=one"},
      {"a b,c=d", "a b,c=d",
       "a\\ b\\,c=d,host=h,instance=a\\ b\\,c\\=d,type=one"},
      {"\"quoted\"", "'", "\"quoted\",host=h,instance=',type=one"},
      {"p", "C:\\", "p,host=h,instance=C:_,type=one"},
      {"p", "a\\,b", "p,host=h,instance=a_\\,b,type=one"},
      {"p", "two\nlines", "p,host=h,instance=two\\ lines,type=one"},
      {"#p", "#i", "_#p,host=h,instance=#i,type=one"},
      {"p", "\xff", "p,host=h,instance=?,type=one"},
      {"p", "\xc3", "p,host=h,type=one"},
      {"p", "caf\xc3\xa9", "p,host=h,instance=caf\xc3\xa9,type=one"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    value_list_t vl =
        value_list(&one, "h", cases[i].plugin, cases[i].instance, "");
    char wanted[256];
    snprintf(wanted, sizeof(wanted), "%s level=0.25 1600000000250000000",
             cases[i].wanted);
    assert_format(&influx, &one, &vl, NULL, wanted);
  }
}

/* No line at all is better than one that cannot be read. */
static void test_influx_of_nothing(void **state) {
  value_t nan = {.gauge = NAN}, huge = {.counter = UINT64_MAX};
  tally_buffer_t out;
  tally_buffer_init(&out, 4096);
  tally_buffer_append_str(&out, "before");
  value_list_t vl = value_list(&one, "h", "p", "", "");
  vl.values = &nan;
  assert_int_equal(plugin_format_influx(&out, &one, &vl, NULL), 0);
  data_set_t counter = {"c", 1, &sources[1]};
  vl.values = &huge; /* no signed integer */
  assert_int_equal(plugin_format_influx(&out, &counter, &vl, NULL), 0);
  vl.values = &values[2];
  sstrncpy(vl.plugin, "\xc3", sizeof(vl.plugin));
  assert_int_equal(plugin_format_influx(&out, &one, &vl, NULL), 0);
  assert_string_equal(out.data, "before");
  tally_buffer_clear(&out);
}

/* ---- Graphite -------------------------------------------------------------
 */

static void test_graphite(void **state) {
  value_list_t vl = value_list(&all, "node.example", "interface", "eth0", "");
  assert_format(&graphite, &all, &vl, NULL,
                "node_example.interface-eth0.all.rx -5 1600000000\n"
                "node_example.interface-eth0.all.tx 42 1600000000\n"
                "node_example.interface-eth0.all.level 0.25 1600000000\n"
                "node_example.interface-eth0.all.taken 7 1600000000");
  gauge_t rates[] = {1.5, NAN, 99, 3};
  static char prefix[] = "a.b.", postfix[] = ".c";
  plugin_format_t format = {.kind = PLUGIN_FORMAT_GRAPHITE,
                            .prefix = prefix,
                            .postfix = postfix,
                            .escape = '-',
                            .separate_instances = true};
  assert_format(&format, &all, &vl, rates,
                "a.b.node-example.c.interface.eth0.all.rx 1.5 1600000000\n"
                "a.b.node-example.c.interface.eth0.all.level 0.25 1600000000\n"
                "a.b.node-example.c.interface.eth0.all.taken 3 1600000000");
}

static void test_graphite_names(void **state) {
  value_list_t vl = value_list(&one, "h", "p", "a b/c:(d)\n", "\xff!");
  assert_format(&graphite, &one, &vl, NULL,
                "h.p-a_b_c__d__.one-?_ 0.25 1600000000");
  plugin_format_t format = {.kind = PLUGIN_FORMAT_GRAPHITE,
                            .always_append_ds = true};
  assert_format(&format, &one, &vl, NULL,
                "h.p-a_b_c__d__.one-?_.level 0.25 1600000000");
  value_t nan = {.gauge = NAN};
  vl.values = &nan;
  assert_format(&graphite, &one, &vl, NULL, "");
}

/* ---- notifications --------------------------------------------------------
 */

static void assert_notification(const notification_t *n, const char *wanted) {
  tally_buffer_t out;
  tally_buffer_init(&out, 4096);
  assert_int_equal(plugin_format_notification(&out, n), 0);
  assert_string_equal(out.data, wanted);
  for (size_t cap = 0; cap < strlen(wanted); cap++) {
    tally_buffer_t small;
    tally_buffer_init(&small, cap);
    assert_int_equal(plugin_format_notification(&small, n), -1);
    tally_buffer_clear(&small);
  }
  tally_buffer_clear(&out);
}

static void test_notifications(void **state) {
  notification_t n;
  notification_init(&n, NOTIF_FAILURE, "it \"died\"\n", "node", "docker", "web",
                    "container", "die");
  n.time = MS_TO_CDTIME_T(TIME * UINT64_C(1000) + 250);
  assert_notification(
      &n, "{\"labels\":{\"alertname\":\"collectd_docker_container\","
          "\"instance\":\"node\",\"docker\":\"web\",\"type\":\"die\","
          "\"severity\":\"FAILURE\",\"service\":\"collectd\"},"
          "\"annotations\":{\"summary\":\"it \\\"died\\\"\\u000a\"},"
          "\"startsAt\":\"2020-09-13T12:26:40.250000000Z\"}");

  notification_init(&n, NOTIF_OKAY, "m", "node", "cpu", "", "cpu_load", "idle");
  n.time = TIME_T_TO_CDTIME_T(TIME);
  plugin_notification_meta_add_string(&n, "te\"xt", "\xff");
  plugin_notification_meta_add_signed_int(&n, "signed", -1);
  plugin_notification_meta_add_unsigned_int(&n, "unsigned", 2);
  plugin_notification_meta_add_double(&n, "double", 0.5);
  plugin_notification_meta_add_boolean(&n, "flag", false);
  assert_notification(
      &n, "{\"labels\":{\"alertname\":\"collectd_cpu_load\","
          "\"instance\":\"node\",\"cpu\":\"idle\",\"severity\":\"OKAY\","
          "\"service\":\"collectd\"},\"annotations\":{\"summary\":\"m\","
          "\"te\\\"xt\":\"\xef\xbf\xbd\",\"signed\":\"-1\","
          "\"unsigned\":\"2\",\"double\":\"0.5\",\"flag\":\"false\"},"
          "\"startsAt\":\"2020-09-13T12:26:40.000000000Z\"}");
  plugin_notification_meta_free(n.meta);
}

/* ---- options --------------------------------------------------------------
 */

static plugin_format_t configured;

static const plugin_option_t options[] = {
    {"Format", plugin_format_set_kind, offsetof(plugin_format_t, kind)},
    {"Prefix", plugin_format_set_affix, offsetof(plugin_format_t, prefix)},
    {"EscapeCharacter", plugin_format_set_escape,
     offsetof(plugin_format_t, escape)},
    {NULL, NULL, 0},
};

static int on_config(oconfig_item_t *block) {
  return plugin_config_block("test", block, options, &configured);
}

static int configure(const char *line) {
  char text[256];
  snprintf(text, sizeof(text), "<Plugin test>\n%s\n</Plugin>\n", line);
  return mock_config(text);
}

static void test_options(void **state) {
  mock_load();
  plugin_register_complex_config("test", on_config);
  assert_int_equal(configure("Format \"Graphite\"\nPrefix \"a.\"\n"
                             "EscapeCharacter \"-\""),
                   0);
  assert_int_equal(configured.kind, PLUGIN_FORMAT_GRAPHITE);
  assert_string_equal(configured.prefix, "a.");
  assert_int_equal(configured.escape, '-');
  static const char *const bad[][2] = {
      {"Format \"xml\"", "Format \"xml\": takes json, influx or graphite"},
      {"Format 1", "Format 1: takes json, influx or graphite"},
      {"Prefix \"a b\"", "Prefix \"a b\": has blanks"},
      {"EscapeCharacter \"--\"", "EscapeCharacter \"--\": takes one character"},
      {"EscapeCharacter \".\"", "EscapeCharacter \".\": takes one character"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(bad); i++) {
    assert_int_not_equal(configure(bad[i][0]), 0);
    assert_int_equal(mock_logged(LOG_ERR, bad[i][1]), 1);
  }
  plugin_format_clear(&configured);
  mock_unload();
}

/* Rates are the daemon's; a list of gauges needs none. */
static void test_rates(void **state) {
  mock_load();
  plugin_format_t format = {.kind = PLUGIN_FORMAT_GRAPHITE,
                            .store_rates = true};
  value_list_t vl = value_list(&all, "h", "p", "", "");
  tally_error_t err;
  tally_buffer_t out;
  tally_buffer_init(&out, 4096);
  assert_int_equal(plugin_format_values(&format, &out, &all, &vl, &err), -1);
  assert_string_equal(err.message, "the daemon knows no rates");
  vl = value_list(&one, "h", "p", "", "");
  assert_int_equal(plugin_format_values(&format, &out, &one, &vl, &err), 0);
  assert_string_equal(out.data, "h.p.one 0.25 1600000000");
  tally_buffer_clear(&out);
  mock_unload();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_json),
      cmocka_unit_test(test_json_meta),
      cmocka_unit_test(test_json_of_hostile_names),
      cmocka_unit_test(test_influx),
      cmocka_unit_test(test_influx_names),
      cmocka_unit_test(test_influx_of_nothing),
      cmocka_unit_test(test_graphite),
      cmocka_unit_test(test_graphite_names),
      cmocka_unit_test(test_notifications),
      cmocka_unit_test(test_options),
      cmocka_unit_test(test_rates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
