/* SPDX-License-Identifier: MIT */
/* docker_events: from events to notifications and counters. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include <setjmp.h>

#include <cmocka.h>

#include "docker_events_counters.h"
#include "docker_events_notify.h"
#include "mock.h"

#define ID "3fe1aa90bc21d8f1a5c1f0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5"
#define TIME_NS UINT64_C(1488603967500000000)

static const tally_pair_t labels[] = {{"secret", "x"}, {"tier", "front"}};
static const tally_pair_t env[] = {{"PROCESS", "web"}};
static const tally_container_t web = {.id = ID,
                                      .name = "shop-web",
                                      .image = "shop/web:3",
                                      .labels = labels,
                                      .labels_count = 2,
                                      .env = env,
                                      .env_count = 1};

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

/* ---- notifications ------------------------------------------------------- */

static const notification_t *notify(const tally_event_t *event,
                                    const tally_container_t *container,
                                    const char *instance,
                                    const tally_select_t *meta_labels) {
  tally_lifecycle_t *l = tally_lifecycle_create(0, NULL);
  tally_verdict_t verdict;
  tally_lifecycle_judge(l, event, container, &verdict);
  tally_lifecycle_destroy(l);
  docker_events_notify(event, container, &verdict, instance, meta_labels);
  assert_true(mock_notifications() > 0);
  return mock_notification(mock_notifications() - 1);
}

#define assert_meta(n, key, value)                                             \
  assert_string_equal(mock_notification_meta(n, key), value)

static const notification_meta_t *find_meta(const notification_t *n,
                                            const char *name) {
  const notification_meta_t *m = n->meta;
  while (m != NULL && strcmp(m->name, name) != 0)
    m = m->next;
  return m;
}

static void test_die(void **state) {
  tally_pair_t attributes[] = {{"exitCode", "137"}, {"image", "shop/web:3"}};
  tally_event_t event = {.type = "container",
                         .action = "die",
                         .actor_id = ID,
                         .actor_name = "shop-web",
                         .image = "shop/web:3",
                         .attributes = attributes,
                         .attributes_count = 2,
                         .time_ns = TIME_NS};
  tally_select_t *wanted = tally_select_create();
  assert_int_equal(tally_select_add(wanted, "/^t/", NULL), 0);
  const notification_t *n = notify(&event, &web, "", wanted);

  assert_string_equal(n->host, "node");
  assert_string_equal(n->plugin, "docker");
  assert_string_equal(n->plugin_instance, "shop-web");
  assert_string_equal(n->type, "container");
  assert_string_equal(n->type_instance, "die");
  assert_int_equal(n->severity, NOTIF_FAILURE);
  assert_true(n->time == NS_TO_CDTIME_T(TIME_NS));
  assert_string_equal(
      n->message,
      "Dead web process 3fe1aa90bc21 (exit code 137, as from SIGKILL)");

  assert_meta(n, "container_id", ID);
  assert_meta(n, "container_name", "shop-web");
  assert_meta(n, "container_image", "shop/web:3");
  assert_meta(n, "action", "die");
  assert_meta(n, "origin", "live");
  assert_meta(n, "signal", "SIGKILL");
  assert_meta(n, "label:tier", "front");
  assert_null(find_meta(n, "label:secret"));
  assert_int_equal(find_meta(n, "exit_code")->nm_value.nm_signed_int, 137);
  assert_int_equal(find_meta(n, "event_time_ns")->nm_value.nm_unsigned_int,
                   TIME_NS);
  tally_select_destroy(wanted);
}

/* Inspect came too late; the event itself says what it can. */
static void test_container_that_is_not_known(void **state) {
  tally_pair_t attributes[] = {{"exitCode", "0"}, {"tier", "back"}};
  tally_event_t event = {.type = "container",
                         .action = "die",
                         .actor_id = ID,
                         .actor_name = "",
                         .image = "busybox",
                         .attributes = attributes,
                         .attributes_count = 2,
                         .time_ns = TIME_NS,
                         .origin = TALLY_EVENT_REPLAYED};
  tally_select_t *wanted = tally_select_create();
  assert_int_equal(tally_select_add(wanted, "tier", NULL), 0);
  const notification_t *n = notify(&event, NULL, "second", wanted);
  assert_string_equal(n->plugin_instance, "second:3fe1aa90bc21");
  assert_string_equal(n->message, "Dead process 3fe1aa90bc21 (exit code 0)");
  assert_int_equal(n->severity, NOTIF_OKAY);
  assert_meta(n, "container_image", "busybox");
  assert_meta(n, "label:tier", "back");
  assert_meta(n, "origin", "replayed");
  assert_null(find_meta(n, "container_name"));
  tally_select_destroy(wanted);
}

static void test_actions_become_names(void **state) {
  tally_event_t event = {.type = "container",
                         .action = "health_status: unhealthy",
                         .actor_id = ID,
                         .actor_name = "shop-web",
                         .image = "",
                         .time_ns = TIME_NS};
  const notification_t *n = notify(&event, &web, "", NULL);
  assert_string_equal(n->type_instance, "health_status_unhealthy");
  assert_int_equal(n->severity, NOTIF_FAILURE);
  event.action = "exec_create: sh -c 'a/b'";
  n = notify(&event, &web, "", NULL);
  assert_string_equal(n->type_instance, "exec_create");
  assert_meta(n, "action", "exec_create: sh -c 'a/b'");
}

static void test_other_types(void **state) {
  tally_pair_t attributes[] = {{"container", ID}};
  tally_event_t event = {.type = "network",
                         .action = "connect",
                         .actor_id = ID,
                         .actor_name = "front/end",
                         .image = "",
                         .attributes = attributes,
                         .attributes_count = 1,
                         .time_ns = TIME_NS};
  const notification_t *n = notify(&event, NULL, "", NULL);
  assert_string_equal(n->plugin_instance, "front_end");
  assert_string_equal(n->type, "network");
  assert_string_equal(n->message,
                      "Network front/end connected to container 3fe1aa90bc21");
  assert_meta(n, "actor_name", "front/end");
  assert_meta(n, "container_id", ID);
}

static void test_everything_is_bounded(void **state) {
  char longer[4096];
  memset(longer, 'x', sizeof(longer));
  longer[sizeof(longer) - 1] = '\0';
  tally_event_t event = {.type = longer,
                         .action = longer,
                         .actor_id = longer,
                         .actor_name = longer,
                         .image = longer,
                         .time_ns = TIME_NS};
  const notification_t *n = notify(&event, NULL, "", NULL);
  assert_int_equal(strlen(n->plugin_instance), DATA_MAX_NAME_LEN - 1);
  assert_int_equal(strlen(n->message), NOTIF_MAX_MSG_LEN - 1);
}

/* ---- counters ------------------------------------------------------------ */

static void test_counters(void **state) {
  static docker_events_counters_t c;
  docker_events_counters_init(&c);
  docker_events_counters_add(&c, "container", "die");
  docker_events_counters_add(&c, "container", "die");
  docker_events_counters_add(&c, "container", "exec_create: ls");
  docker_events_counters_add(&c, "container", "exec_create: ps");
  docker_events_counters_add(&c, "image", "pull");
  docker_events_counters_dispatch(&c, "");
#define COUNT(name) mock_derive("node/docker_events-" name, "value")
  assert_int_equal(COUNT("container/total_events-die"), 2);
  assert_int_equal(COUNT("container/total_events-oom"), 0);
  assert_int_equal(COUNT("container/total_events-exec_create"), 2);
  assert_int_equal(COUNT("image/total_events-pull"), 1);
  docker_events_counters_clear(&c);

  docker_events_counters_init(&c);
  docker_events_counters_dispatch(&c, "second");
  assert_int_equal(COUNT("second:container/total_events-die"), 0);
  docker_events_counters_clear(&c);
}

static void test_counters_are_bounded(void **state) {
  static docker_events_counters_t c;
  docker_events_counters_init(&c);
  for (int i = 0; i < 1000; i++) {
    char action[200];
    snprintf(action, sizeof(action), "%d%0150d", i, 0);
    docker_events_counters_add(&c, "container", action);
    docker_events_counters_add(&c, "container", action);
  }
  docker_events_counters_dispatch(&c, "");
  assert_int_equal(mock_values(), DOCKER_EVENTS_COUNTERS_MAX);
  derive_t sum = 0;
  for (size_t i = 0; i < mock_values(); i++)
    sum += mock_value(i)->values[0].derive;
  assert_int_equal(sum, 2000);
  assert_true(COUNT("other/total_events-other") > 1000);
  docker_events_counters_clear(&c);
}

/* ---- the plugin ---------------------------------------------------------- */

static void test_configuration_errors(void **state) {
  static const struct {
    const char *lines, *message;
  } cases[] = {
      {"Endpont \"unix:///x\"", "Endpont \"unix:///x\": there is no such"},
      {"Endpoint \"ftp://x\"", "Endpoint \"ftp://x\""},
      {"Container \"/(/\"", "Container \"/(/\": regular expression"},
      {"EventType \"/[/\"", "EventType \"/[/\": regular expression"},
      {"IgnoreAction \"/*/\"", "IgnoreAction \"/*/\": regular expression"},
      {"StopWindow \"ten\"", "StopWindow \"ten\": takes a number"},
      {"StopWindow -1", "StopWindow -1: takes a number from 0 to 86400"},
      {"Instance \"a/b\"", "Instance \"a/b\": takes letters"},
      {"ReportExisting 1", "ReportExisting 1: takes true or false"},
      {"StateDir \"\"", "StateDir \"\": takes one string"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    char text[256];
    snprintf(text, sizeof(text), "<Plugin docker_events>\n%s\n</Plugin>\n",
             cases[i].lines);
    assert_int_not_equal(mock_config(text), 0);
    if (mock_logged(LOG_ERR, cases[i].message) != 1)
      fail_msg("`%s' logged `%s'", cases[i].lines, mock_log_line(0));
    mock_forget();
  }
}

static void test_two_endpoints_need_two_names(void **state) {
  static const char block[] = "<Plugin docker_events>\n"
                              "  Endpoint \"unix:///nonexistent\"\n"
                              "</Plugin>\n";
  assert_int_equal(mock_config(block), 0);
  assert_int_not_equal(mock_config(block), 0);
  assert_int_equal(mock_logged(LOG_ERR, "Instance \"\": taken"), 1);
  assert_int_equal(mock_config("<Plugin docker_events>\n"
                               "  Endpoint \"unix:///nonexistent\"\n"
                               "  Instance second\n"
                               "</Plugin>\n"),
                   0);
}

/* Without a daemon it waits, counts nothing, and ends when it is told to. */
static void test_no_daemon(void **state) {
  char dir[] = "/tmp/tally-events-XXXXXX";
  char config[256], command[64];
  assert_non_null(mkdtemp(dir));
  snprintf(config, sizeof(config),
           "<Plugin docker_events>\n"
           "  Endpoint \"unix://%s/nonexistent\"\n"
           "  StateDir \"%s/state\"\n"
           "</Plugin>\n",
           dir, dir);
  assert_int_equal(mock_config(config), 0);
  assert_int_equal(mock_init(), 0);
  assert_int_equal(mock_read(), 0);
  assert_int_equal(COUNT("container/total_events-die"), 0);
  assert_int_equal(
      mock_derive("node/tallyman-docker_events/tallyman_events", "received"),
      0);
  assert_int_equal(mock_notifications(), 0);
  mock_unload();
  mock_load();
  snprintf(command, sizeof(command), "rm -r '%s'", dir);
  assert_int_equal(system(command), 0);
}

#define plugin_test(f) cmocka_unit_test_setup_teardown(f, load, unload)

int main(void) {
  const struct CMUnitTest tests[] = {
      plugin_test(test_die),
      plugin_test(test_container_that_is_not_known),
      plugin_test(test_actions_become_names),
      plugin_test(test_other_types),
      plugin_test(test_everything_is_bounded),
      plugin_test(test_counters),
      plugin_test(test_counters_are_bounded),
      plugin_test(test_configuration_errors),
      plugin_test(test_two_endpoints_need_two_names),
      plugin_test(test_no_daemon),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
