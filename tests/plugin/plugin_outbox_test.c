/* SPDX-License-Identifier: MIT */
/* What outputs share: options, values, complaints, with a real outbox and a
 * destination that does what it is told to. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_name.h"
#include "plugin_outbox.h"

#include <setjmp.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "core/clock.h"
#include "mock.h"
#include "tree.h"

#define LABEL "test-a"
#define MAIN "node/tallyman-test-a/tallyman_outbox"
#define LOSSES "node/tallyman-test-a/tallyman_losses"
#define MINUTE TIME_T_TO_CDTIME_T(60)

/* ---- the plugin ---------------------------------------------------------- */

typedef struct config_s {
  int before;
  plugin_outbox_t outbox;
} config_t;

static const plugin_option_t options[] = {
    PLUGIN_OUTBOX_OPTIONS(config_t, outbox),
    {NULL, NULL, 0},
};

static config_t config;
static plugin_outbox_report_t report;
static tally_outbox_t *outbox;

static int on_config(oconfig_item_t *block) {
  return plugin_config_block("test", block, options, &config);
}

static int on_read(user_data_t *data) {
  plugin_outbox_report(&report, "test", LABEL, outbox);
  return 0;
}

void module_register(void) {
  plugin_register_complex_config("test", on_config);
  plugin_register_complex_read(NULL, "test", on_read, 0, NULL);
}

/* ---- the destination ----------------------------------------------------- */

typedef enum mood_e { WELL, DEAD, PARTLY, REFUSING } mood_t;

static struct {
  _Atomic mood_t mood;
  _Atomic(const char *) words;
  atomic_uint calls;
} service;

static int service_send(void *data, const tally_record_t *records, size_t count,
                        tally_fate_t *fates, tally_answer_t *answer,
                        tally_error_t *err) {
  mood_t mood = service.mood;
  for (size_t i = 0; i < count; i++)
    fates[i] = mood == WELL || (mood == PARTLY && i == 0) ? TALLY_FATE_SENT
               : mood == REFUSING                         ? TALLY_FATE_REFUSED
                                                          : TALLY_FATE_RETRY;
  service.calls++;
  if (mood == WELL)
    return 0;
  answer->status = 400;
  tally_error_set(err, 0, "%s", service.words);
  return mood == DEAD ? -1 : 0;
}

static void create(tally_outbox_options_t *wanted) {
  tally_destination_t destination = {.send = service_send};
  tally_error_t err = {0};
  wanted->backoff_base_ns = wanted->backoff_cap_ns = TALLY_NS_PER_MS;
  outbox = tally_outbox_create(wanted, &destination, &err);
  if (outbox == NULL)
    fail_msg("%s", err.message);
}

static int set_up(void **state) {
  mock_load();
  assert_int_equal(plugin_outbox_register("test"), 0);
  memset(&report, 0, sizeof(report));
  service.mood = WELL;
  service.words = "";
  return 0;
}

static int tear_down(void **state) {
  plugin_outbox_end(&report, "test", LABEL, outbox, 0);
  outbox = NULL;
  plugin_outbox_clear(&config.outbox);
  mock_assert_content();
  mock_unload();
  return 0;
}

static void put(size_t count) {
  for (size_t i = 0; i < count; i++) {
    tally_record_t record = {.data = "a record", .len = 8};
    assert_int_equal(tally_outbox_put(outbox, &record), TALLY_LOSS_NONE);
  }
}

/* The service becomes so, and has been asked since. */
static void become(mood_t mood, const char *words) {
  service.words = words;
  service.mood = mood;
  unsigned calls = service.calls;
  for (int i = 0; service.calls < calls + 2 && i < 10000; i++) {
    tally_outbox_flush(outbox, 0);
    usleep(1000);
  }
  assert_true(service.calls >= calls + 2);
}

/* One notification of that kind was sent, with the same words in the log. */
static void assert_said(int severity, int level, const char *what,
                        const char *words) {
  assert_int_equal(mock_notifications(), 1);
  const notification_t *n = mock_notification(0);
  assert_int_equal(n->severity, severity);
  assert_string_equal(n->host, "node");
  assert_string_equal(n->plugin, "tallyman");
  assert_string_equal(n->plugin_instance, LABEL);
  assert_string_equal(n->type, "tallyman_outbox");
  assert_string_equal(n->type_instance, what);
  if (strncmp(n->message, LABEL ": ", strlen(LABEL ": ")) != 0 ||
      strstr(n->message, words) == NULL)
    fail_msg("`%s' does not say `%s'", n->message, words);
  char line[256];
  snprintf(line, sizeof(line), "test plugin: " LABEL ": %s", words);
  if (level != 0 && mock_logged(level, line) != 1)
    fail_msg("no line of the log says `%s'", line);
  mock_forget();
}

static void assert_silent(void) {
  assert_int_equal(mock_notifications(), 0);
  assert_int_equal(mock_logged(LOG_NOTICE, LABEL), 0);
  assert_int_equal(mock_logged(LOG_WARNING, LABEL), 0);
  assert_int_equal(mock_logged(LOG_ERR, LABEL), 0);
}

/* ---- options ------------------------------------------------------------- */

static void test_defaults(void **state) {
  assert_int_equal(mock_config("<Plugin test>\n</Plugin>\n"), 0);
  tally_outbox_options_t o = {.linger_ns = 7, .memory_records = 9};
  char path[PATH_MAX];
  assert_int_equal(
      plugin_outbox_apply(&config.outbox, "kinesis-a b", &o, path, PATH_MAX),
      0);
  assert_string_equal(o.name, "kinesis-a b");
  assert_string_equal(o.spool, TALLY_STATE_DIR "/spool/kinesis-a%20b");
  assert_int_equal(o.spool_bytes, 0);
  assert_int_equal(o.memory_bytes, 0);
  assert_int_equal(o.memory_records, 9);
  assert_int_equal(o.linger_ns, 7);
  assert_int_equal(o.sync, TALLY_SYNC_SECOND);
}

static void test_options(void **state) {
  assert_int_equal(mock_config("<Plugin test>\n"
                               "  SpoolDir \"/some/where\"\n"
                               "  SpoolLimit 2\n"
                               "  MemoryLimit 1.5\n"
                               "  MaxAge 3600\n"
                               "  Linger 0\n"
                               "  Sync \"Always\"\n"
                               "</Plugin>\n"),
                   0);
  tally_outbox_options_t o = {0};
  char path[PATH_MAX];
  assert_int_equal(plugin_outbox_apply(&config.outbox, "../\xc3\xa4_B-.9", &o,
                                       path, PATH_MAX),
                   0);
  assert_string_equal(o.spool, "/some/where/%2E.%2F%C3%A4_B-.9");
  assert_int_equal(o.spool_bytes, 2 << 20);
  assert_int_equal(o.memory_bytes, 3 << 19);
  assert_true(o.memory_records > 1000);
  assert_int_equal(o.max_age_ns, 3600 * TALLY_NS_PER_S);
  assert_int_equal(o.linger_ns, 1);
  assert_int_equal(o.sync, TALLY_SYNC_ALWAYS);
  assert_int_equal(plugin_outbox_apply(&config.outbox, "abc", &o, path, 15),
                   -1);
  assert_int_equal(plugin_outbox_apply(&config.outbox, "abc", &o, path, 16), 0);
  assert_string_equal(path, "/some/where/abc");

  assert_int_equal(mock_config("<Plugin test>\nSpoolLimit 0\n</Plugin>\n"), 0);
  assert_int_equal(plugin_outbox_apply(&config.outbox, "abc", &o, path, 16), 0);
  assert_null(o.spool);
}

static void test_wrong_options(void **state) {
  static const struct {
    const char *line, *message;
  } cases[] = {
      {"SpoolDir \"here\"", "SpoolDir \"here\": takes an absolute path"},
      {"SpoolLimit 0.5", "SpoolLimit 0.5: takes a number from 1 to 1048576"},
      {"SpoolLimit -1", "SpoolLimit -1: takes a number from 0 to 1048576"},
      {"SpoolLimit \"1\"", "SpoolLimit \"1\": takes a number"},
      {"MemoryLimit 0", "MemoryLimit 0: takes a number from 1 to 65536"},
      {"MaxAge 0", "MaxAge 0: takes a number from 1 to 31536000"},
      {"Linger 3601", "Linger 3601: takes a number from 0 to 3600"},
      {"Sync \"now\"", "Sync \"now\": takes never, second or always"},
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

/* ---- numbers ------------------------------------------------------------- */

static void test_values(void **state) {
  create(&(tally_outbox_options_t){.record_bytes = 10});
  put(3);
  tally_record_t large = {.data = "more than 10", .len = 12};
  assert_int_equal(tally_outbox_put(outbox, &large), TALLY_LOSS_TOO_LARGE);
  assert_true(tally_outbox_flush(outbox, 10000));
  mock_read();
  assert_int_equal(mock_values(), 2);
  assert_true(mock_gauge(MAIN, "accepted") == 3);
  assert_true(mock_gauge(MAIN, "sent") == 3);
  assert_true(mock_gauge(MAIN, "dropped") == 1);
  assert_true(mock_gauge(MAIN, "queued") == 0);
  assert_true(mock_gauge(LOSSES, "too_large") == 1);
  assert_true(mock_gauge(LOSSES, "possible_duplicates") == 0);
}

/* No field is longer than what the SNMP subagent can ask for. */
static void test_long_labels(void **state) {
  static const char label[] =
      "docker_logs-file-/var/lib/containers/logs/of/the/"
      "shop/front/end.log";
  char field[PLUGIN_NAME_OUTPUT_SIZE], other[PLUGIN_NAME_OUTPUT_SIZE];
  plugin_name_output(field, label);
  assert_int_equal(strlen(field), 63);
  assert_memory_equal(field, "docker_logs-file-_var_lib_containers_logs_of_",
                      45);
  assert_int_equal(field[50], '~');
  char changed[sizeof(label)];
  memcpy(changed, label, sizeof(label));
  changed[sizeof(label) - 2] = 'h';
  plugin_name_output(other, changed);
  assert_string_not_equal(field, other);
  plugin_name_output(field, "write_kinesis-orders");
  assert_string_equal(field, "write_kinesis-orders");
}

/* An output recognises itself whatever became of its label. */
static void test_about_itself(void **state) {
  static const char *const labels[] = {"write_kinesis-orders",
                                       "write_cloudwatch-/shop/late",
                                       "write_cloudwatch-a group with a name "
                                       "that no field of collectd can hold"};
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(labels); i++) {
    notification_t n = {.plugin = "tallyman"};
    plugin_name_output(n.plugin_instance, labels[i]);
    for (size_t k = 0; k < STATIC_ARRAY_SIZE(labels); k++)
      assert_int_equal(plugin_name_is_about_output(&n, labels[k]), i == k);
    sstrncpy(n.plugin, "docker", sizeof(n.plugin));
    assert_false(plugin_name_is_about_output(&n, labels[i]));
  }
}

/* ---- complaints ---------------------------------------------------------- */

static void test_failing(void **state) {
  create(&(tally_outbox_options_t){0});
  mock_read();
  assert_silent();

  service.mood = DEAD;
  put(10);
  become(DEAD, "PutRecords: stream \"a\" not found (request 17)");
  mock_read();
  assert_said(NOTIF_WARNING, LOG_WARNING, "delivery",
              "deliveries fail: PutRecords: stream \"a\" not found (request "
              "17) (10 records wait)");
  become(DEAD, "PutRecords: stream \"a\" not found (request 18)");
  report.said_at -= MINUTE;
  mock_read();
  assert_silent();

  become(DEAD, "PutRecords: access denied");
  report.said_at = cdtime();
  mock_read();
  assert_silent(); /* not so soon */
  become(DEAD, "PutRecords: access denied");
  report.said_at -= MINUTE;
  mock_read();
  assert_said(NOTIF_WARNING, LOG_WARNING, "delivery",
              "deliveries fail: PutRecords: access denied");

  become(DEAD, "PutRecords: access denied");
  service.mood = WELL;
  assert_true(tally_outbox_flush(outbox, 10000));
  mock_read(); /* the last failures and the first success */
  mock_read(); /* nothing more has to be sent for the good news */
  assert_said(NOTIF_OKAY, LOG_NOTICE, "delivery", "deliveries work again");
  put(1);
  assert_true(tally_outbox_flush(outbox, 10000));
  mock_read();
  assert_silent();
}

/* A throttled record here and there is daily life, unless it does not end. */
static void test_failing_partly(void **state) {
  create(&(tally_outbox_options_t){0});
  for (unsigned i = 0; i < 3; i++) {
    service.mood = PARTLY;
    put(100);
    become(PARTLY, "slow down");
    mock_read();
    if (i < 2)
      assert_silent();
    else
      assert_said(NOTIF_WARNING, LOG_WARNING, "delivery",
                  "some deliveries fail: slow down");
    if (i == 1)
      report.failing_since -= MINUTE;
  }
}

static void test_losses(void **state) {
  create(&(tally_outbox_options_t){0});
  service.mood = REFUSING;
  service.words = "record 3: malformed";
  put(5);
  assert_true(tally_outbox_flush(outbox, 10000));
  mock_read();
  assert_said(NOTIF_FAILURE, LOG_ERR, "loss",
              "5 records lost: 5 refused by the service: record 3: malformed");
  put(2);
  assert_true(tally_outbox_flush(outbox, 10000));
  mock_read();
  assert_silent(); /* not so soon */
  put(2);
  assert_true(tally_outbox_flush(outbox, 10000));
  report.lost_at -= MINUTE;
  mock_read();
  assert_said(NOTIF_FAILURE, LOG_ERR, "loss", "4 records lost");
}

static void test_spool(void **state) {
  tree_t tree;
  tree_create(&tree);
  char path[128];
  snprintf(path, sizeof(path), "%s/a/b/spool", tree.root);
  create(&(tally_outbox_options_t){.spool = path, .durable = true});
  service.mood = DEAD;
  put(3);
  report.spool_broken = true; /* as if it had been */
  mock_read();
  assert_int_equal(mock_notification(0)->severity, NOTIF_OKAY);
  assert_string_equal(mock_notification(0)->type_instance, "spool");
  mock_forget();
  plugin_outbox_end(&report, "test", LABEL, outbox, 0);
  outbox = NULL;
  assert_int_equal(mock_logged(LOG_INFO, "3 records wait in the spool"), 1);
  tree_destroy(&tree);
}

static void test_end(void **state) {
  create(&(tally_outbox_options_t){0});
  service.mood = DEAD;
  put(3);
  plugin_outbox_end(&report, "test", LABEL, outbox, 0);
  outbox = NULL;
  assert_int_equal(mock_logged(LOG_ERR, "3 records lost: 3 shut down with "),
                   1);
  assert_int_equal(mock_notifications(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_defaults),      TEST(test_options),
      TEST(test_wrong_options), TEST(test_values),
      TEST(test_long_labels),   TEST(test_about_itself),
      TEST(test_failing),       TEST(test_failing_partly),
      TEST(test_losses),        TEST(test_spool),
      TEST(test_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
