/* SPDX-License-Identifier: MIT */
/* docker_stats as collectd sees it: configuration, registrations, a daemon
 * that is not there. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include <setjmp.h>

#include <cmocka.h>

#include "mock.h"

#define NOWHERE "unix:///nonexistent/docker.sock"

static int load_plugin(void **state) {
  mock_load();
  return 0;
}

static int unload_plugin(void **state) {
  mock_assert_content();
  mock_unload();
  return 0;
}

static int configure(const char *lines) {
  char text[1024];
  snprintf(text, sizeof(text), "<Plugin docker_stats>\n%s\n</Plugin>\n", lines);
  return mock_config(text);
}

static void test_every_option(void **state) {
  assert_int_equal(configure("Endpoint \"" NOWHERE "\"\n"
                             "CertDir \"/nonexistent\"\n"
                             "Instance \"far\"\n"
                             "RootFS \"/rootfs\"\n"
                             "HostFormat \"Container\"\n"
                             "Container \"web\"\n"
                             "Container \"/^db-/\"\n"
                             "Image \"redis\"\n"
                             "Label \"a=b\"\n"
                             "IgnoreSelected true\n"
                             "IgnoreSelf true\n"
                             "StoppedContainers false\n"
                             "Network false\n"
                             "BlockIO false\n"
                             "Load false\n"
                             "Pressure false\n"
                             "TcpConnections true\n"
                             "MetaLabel \"/^com/\"\n"),
                   0);
  assert_int_equal(mock_logged(0, NULL), 0);
}

/* collectd refuses to start, and says which option and which value it is. */
static void test_bad_options(void **state) {
  static const struct {
    const char *line;
    const char *why;
  } cases[] = {
      {"Endpoints \"x\"", "there is no such option"},
      {"Endpoint 12", "takes one string"},
      {"HostFormat \"name\"", "takes node, container or fingerprint"},
      {"HostFormat 1", "takes node, container or fingerprint"},
      {"HostFormat", "takes node, container or fingerprint"},
      {"Container \"/(/\"", "regular expression"},
      {"Image \"/[/\"", "regular expression"},
      {"Label \"/*/\"", "regular expression"},
      {"MetaLabel \"/a{/\"", "regular expression"},
      {"Network \"perhaps\"", "takes true or false"},
      {"TcpConnections 1", "takes true or false"},
      {"Load", "takes true or false"},
      {"Instance \"\"", "takes one string"},
      {"Instance \"a/b\"", "takes letters"},
      {"Instance \"0123456789012345678901234567890123456789012345678\"",
       "longer than 48"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    assert_int_not_equal(configure(cases[i].line), 0);
    if (mock_logged(LOG_ERR, cases[i].line) != 1 ||
        mock_logged(LOG_ERR, cases[i].why) != 1 || mock_logged(0, NULL) != 1)
      fail_msg("%s: %s", cases[i].line, mock_log_line(0));
    mock_forget();
  }
  assert_int_not_equal(configure("Endpoint \"ftp://x\""), 0);
  assert_int_equal(mock_logged(LOG_ERR, "Endpoint \"ftp://x\""), 1);
}

static void test_every_block_needs_its_instance(void **state) {
  static const struct {
    const char *first, *second;
    const char *message; /* NULL: fine */
  } cases[] = {
      {"", "Instance \"b\"", NULL},
      {"Instance \"a\"", "", NULL},
      {"Instance \"a\"", "Instance \"b\"", NULL},
      {"", "", "Instance \"\""},
      {"Instance \"a\"", "Instance \"A\"", "Instance \"A\""},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    assert_int_equal(configure(cases[i].first), 0);
    int status = configure(cases[i].second);
    assert_int_equal(status != 0, cases[i].message != NULL);
    if (cases[i].message != NULL)
      assert_int_equal(mock_logged(LOG_ERR, cases[i].message), 1);
    mock_unload();
    mock_load();
  }
}

static void test_registrations(void **state) {
  assert_int_equal(mock_registered(MOCK_CONFIG), 1);
  assert_int_equal(mock_registered(MOCK_INIT), 1);
  assert_int_equal(mock_registered(MOCK_SHUTDOWN), 1);
  assert_int_equal(mock_registered(MOCK_READ), 0);
  assert_int_equal(configure("Endpoint \"" NOWHERE "\""), 0);
  assert_int_equal(configure("Endpoint \"" NOWHERE "\"\nInstance \"b\""), 0);
  assert_int_equal(mock_init(), 0);
  assert_int_equal(mock_registered(MOCK_READ), 2);
}

/* An error from read would make collectd ask less and less often. */
static void test_docker_is_not_there(void **state) {
  assert_int_equal(configure("Endpoint \"" NOWHERE "\""), 0);
  assert_int_equal(configure("Endpoint \"" NOWHERE "2\"\nInstance \"b\""), 0);
  assert_int_equal(mock_init(), 0);
  for (int i = 0; i < 3; i++)
    assert_int_equal(mock_read(), 0);
  assert_int_equal(mock_logged(LOG_WARNING, NOWHERE ":"), 1);
  assert_int_equal(mock_logged(LOG_WARNING, NOWHERE "2:"), 1);
  assert_int_equal(mock_logged(LOG_ERR, NULL), 0);
  static const char *const selves[] = {"docker_stats", "docker_stats:b"};
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(selves); i++) {
    char name[128];
    snprintf(name, sizeof(name), "node/tallyman-%s/tallyman_daemon", selves[i]);
    assert_float_equal(mock_gauge(name, "reachable"), 0, 0);
    snprintf(name, sizeof(name), "node/tallyman-%s/tallyman_sampling",
             selves[i]);
    assert_float_equal(mock_gauge(name, "containers"), 0, 0);
  }
  /* nothing is known, so nothing is said */
  assert_int_equal(mock_count("node/docker"), 0);
}

/* Without a TypesDB line for ours the plugin tells the daemon itself. */
static void test_types_db_is_missing(void **state) {
  mock_unload();
  setenv("TALLY_TYPESDB", "/dev/null", 1);
  mock_load();
  unsetenv("TALLY_TYPESDB");
  assert_null(plugin_get_ds("container_cpu"));
  assert_int_equal(configure("Endpoint \"" NOWHERE "\""), 0);
  assert_int_equal(mock_init(), 0);
  const data_set_t *ds = plugin_get_ds("container_cpu");
  assert_non_null(ds);
  assert_int_equal(ds->ds_num, 6);
  assert_string_equal(ds->ds[3].name, "percent");
  assert_int_equal(ds->ds[3].type, DS_TYPE_GAUGE);
}

static void test_types_db_is_of_another_version(void **state) {
  mock_unload();
  setenv("TALLY_TYPESDB", "/dev/null", 1);
  mock_load();
  unsetenv("TALLY_TYPESDB");
  data_source_t source = {.name = "value", .type = DS_TYPE_GAUGE};
  plugin_register_data_set(
      &(data_set_t){.type = "container_cpu", .ds_num = 1, .ds = &source});
  assert_int_equal(configure("Endpoint \"" NOWHERE "\""), 0);
  assert_int_not_equal(mock_init(), 0);
  assert_int_equal(mock_logged(LOG_ERR, "\"container_cpu\""), 1);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, load_plugin, unload_plugin)
  const struct CMUnitTest tests[] = {
      TEST(test_every_option),
      TEST(test_bad_options),
      TEST(test_every_block_needs_its_instance),
      TEST(test_registrations),
      TEST(test_docker_is_not_there),
      TEST(test_types_db_is_missing),
      TEST(test_types_db_is_of_another_version),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
