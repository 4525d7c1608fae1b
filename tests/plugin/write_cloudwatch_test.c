/* SPDX-License-Identifier: MIT */
/* write_cloudwatch: from value lists, as collectd hands them to a writer, to
 * what would be sent, as a dry run says it. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include <setjmp.h>

#include <cmocka.h>

#include "mock.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#define TIMEOUT_MS 10000

static char directory[PATH_MAX];
static char file[PATH_MAX + 16];
static char text[65536]; /* what the file held last */
/* Of the last value: all of a test are in one minute. */
static cdtime_t last_time;

/* ---- a plugin that writes into the file ---------------------------------- */

static int setup(void **state) {
  sstrncpy(directory, "/tmp/tally-cloudwatch-XXXXXX", sizeof(directory));
  assert_non_null(mkdtemp(directory));
  snprintf(file, sizeof(file), "%s/dry", directory);
  setenv("EC2_METADATA_ENDPOINT", "http://127.0.0.1:1/latest", 1);
  unsetenv("DEVELOPMENT");
  last_time = TIME_T_TO_CDTIME_T(time(NULL) / 60 * 60);
  mock_load();
  return 0;
}

static int teardown(void **state) {
  mock_assert_content();
  mock_unload();
  unlink(file);
  assert_int_equal(rmdir(directory), 0);
  return 0;
}

static void start(const char *more) {
  char config[8192];
  snprintf(config, sizeof(config),
           "<Plugin write_cloudwatch>\n  DryRun true\n  DryRunFile \"%s\"\n"
           "  %s\n</Plugin>\n",
           file, more);
  assert_int_equal(mock_config(config), 0);
  assert_int_equal(mock_init(), 0);
}

static void read_file(void) {
  FILE *stream = fopen(file, "r");
  size_t len = stream != NULL ? fread(text, 1, sizeof(text) - 1, stream) : 0;
  text[len] = '\0';
  if (stream != NULL)
    fclose(stream);
}

static void wait_for(const char *part) {
  for (int waited = 0; waited < TIMEOUT_MS; waited += 10) {
    read_file();
    if (strstr(text, part) != NULL)
      return;
    usleep(10000);
  }
  fail_msg("`%s' is not in:\n%s", part, text);
}

/* Everything that was written so far is in the file then: what comes last is
 * there. */
static void expect(const char *lines) {
  assert_int_equal(mock_flush(), 0);
  wait_for(lines);
  assert_string_equal(text, lines);
}

/* ---- value lists --------------------------------------------------------- */

typedef struct list_s {
  const char *host, *plugin, *plugin_instance, *type, *type_instance;
  double values[4];
  cdtime_t time;
  meta_data_t *meta;
} list_t;

static void write_list(list_t list) {
  const data_set_t *ds = plugin_get_ds(list.type);
  assert_non_null(ds);
  value_t numbers[4];
  assert_in_range(ds->ds_num, 1, 4);
  for (size_t i = 0; i < ds->ds_num; i++)
    if (ds->ds[i].type == DS_TYPE_GAUGE)
      numbers[i].gauge = list.values[i];
    else
      numbers[i].derive = (derive_t)list.values[i];
  if (list.time == 0)
    list.time = last_time += MS_TO_CDTIME_T(1);
  value_list_t vl = {.values = numbers,
                     .values_len = ds->ds_num,
                     .time = list.time,
                     .interval = interval_g,
                     .meta = list.meta};
  sstrncpy(vl.host, list.host != NULL ? list.host : "web", sizeof(vl.host));
  sstrncpy(vl.plugin, list.plugin, sizeof(vl.plugin));
  if (list.plugin_instance != NULL)
    sstrncpy(vl.plugin_instance, list.plugin_instance,
             sizeof(vl.plugin_instance));
  sstrncpy(vl.type, list.type, sizeof(vl.type));
  if (list.type_instance != NULL)
    sstrncpy(vl.type_instance, list.type_instance, sizeof(vl.type_instance));
  assert_int_equal(mock_write(&vl), 0);
}

static void write_users(double value) {
  write_list((list_t){.plugin = "users", .type = "users", .values = {value}});
}

static void write_load(const char *host) {
  write_list((list_t){
      .host = host, .plugin = "load", .type = "load", .values = {1.5, 2, 3}});
}

/* How many values had this outcome, as the read callback says. */
static derive_t outcome(const char *source) {
  assert_int_equal(mock_read(), 0);
  return mock_derive("node/tallyman-write_cloudwatch/tallyman_metrics", source);
}

/* ---- rules --------------------------------------------------------------- */

static void test_send_all(void **state) {
  start("SendAll true");
  write_users(3);
  expect("would send tallyman users [Host=web] Count: 3\n");
  write_list((list_t){.plugin = "df",
                      .plugin_instance = "root",
                      .type = "df_complex",
                      .type_instance = "free",
                      .values = {1e9}});
  write_load("db");
  expect("would send tallyman users [Host=web] Count: 3\n"
         "would send tallyman df.df_complex.free [Host=web, "
         "PluginInstance=root] Bytes: 1000000000\n"
         "would send tallyman load.shortterm [Host=db]: 1.5\n"
         "would send tallyman load.midterm [Host=db]: 2\n"
         "would send tallyman load.longterm [Host=db]: 3\n");
  assert_int_equal(outcome("taken"), 5);
}

static void test_first_rule_counts(void **state) {
  start("<Rule \"not this\">\n Host \"db\"\n Plugin \"load\"\n Ignore true\n"
        "</Rule>\n"
        "<Rule \"load\">\n Plugin \"/^lo/\"\n DataSource \"shortterm\"\n"
        " MetricName \"Load\"\n</Rule>\n"
        "<Rule \"rest\">\n Type \"load\"\n DataSource \"/^(short|mid)/\"\n"
        " MetricName \"Rest\"\n</Rule>\n");
  write_load("db");
  write_load("web");
  expect("would send tallyman Load [Host=web]: 1.5\n"
         "would send tallyman Rest [Host=web]: 2\n");
  assert_int_equal(outcome("ignored"), 3);
  assert_int_equal(outcome("unmatched"), 1);
  assert_int_equal(outcome("taken"), 2);
  assert_int_equal(mock_logged(LOG_INFO, "not sent: web/load/load (longterm): "
                                         "no rule matches"),
                   1);
}

static void test_patterns(void **state) {
  start("<Rule \"r\">\n PluginInstance \"a\"\n PluginInstance \"b\"\n"
        " TypeInstance \"/^x/\"\n MetricName \"m\"\n"
        " DefaultDimensions false\n Dimension \"P\" \"%{plugin_instance}\"\n"
        "</Rule>");
  static const char *const instances[] = {"a", "b", "c"};
  static const char *const type_instances[] = {"x1", "y"};
  for (int i = 0; i < 3; i++)
    for (int t = 0; t < 2; t++)
      write_list((list_t){.plugin = "p",
                          .plugin_instance = instances[i],
                          .type = "gauge",
                          .type_instance = type_instances[t],
                          .values = {1}});
  expect("would send tallyman m [P=a]: 1\nwould send tallyman m [P=b]: 1\n");
}

static void test_templates(void **state) {
  start("Namespace \"ours/%{plugin}\"\n"
        "<Rule \"r\">\n Plugin \"p\"\n"
        " MetricName \"%{type}:%{type_instance}:%{ds}\"\n Unit \"Seconds\"\n"
        " StorageResolution 1\n Statistics true\n"
        " Dimension \"Host\" \"%{host}\"\n"
        " Dimension \"Id\" \"c-%{meta:container_id}\"\n"
        " Dimension \"Team\" \"%{meta:label:team}\"\n"
        " Dimension \"Number\" \"%{meta:number}\"\n"
        " Dimension \"Fixed\" \"prod\"\n</Rule>\n"
        "<Rule \"other\">\n Plugin \"q\"\n Namespace \"theirs\"\n"
        " DefaultDimensions false\n</Rule>");
  meta_data_t *meta = meta_data_create();
  meta_data_add_string(meta, "container_id", "4711");
  meta_data_add_unsigned_int(meta, "number", 7);
  write_list((list_t){.plugin = "p",
                      .type = "gauge",
                      .type_instance = "t",
                      .values = {2},
                      .meta = meta});
  meta_data_destroy(meta);
  write_list((list_t){.plugin = "q", .type = "gauge", .values = {1}});
  expect("would send ours/p gauge:t:value [Host=web, Id=c-4711, Number=7, "
         "Fixed=prod] Seconds (high resolution): 1 values from 2 to 2, sum 2\n"
         "would send theirs q.gauge: 1\n");
}

static void test_rates(void **state) {
  start("SendAll true");
  cdtime_t now = cdtime();
  list_t list = {.plugin = "if",
                 .plugin_instance = "eth0",
                 .type = "if_octets",
                 .values = {1000, 50},
                 .time = now - TIME_T_TO_CDTIME_T(10)};
  write_list(list);
  assert_int_equal(outcome("taken"), 0); /* there is no rate yet */
  list.time = now;
  list.values[0] = 3000;
  write_list(list);
  expect("would send tallyman if.if_octets.rx [Host=web, PluginInstance=eth0] "
         "Bytes/Second: 200\n"
         "would send tallyman if.if_octets.tx [Host=web, PluginInstance=eth0] "
         "Bytes/Second: 0\n");
  assert_int_equal(mock_logged(LOG_INFO, "not sent"), 0);
}

static void test_no_rates(void **state) {
  start("SendAll true\nStoreRates false");
  write_list((list_t){.plugin = "if", .type = "if_octets", .values = {1e6, 5}});
  expect("would send tallyman if.if_octets.rx [Host=web] Bytes: 1000000\n"
         "would send tallyman if.if_octets.tx [Host=web] Bytes: 5\n");
}

/* ---- what is not sent ---------------------------------------------------- */

static void test_drops(void **state) {
  start("SendAll true\nMaxMetrics 2\n");
  for (int i = 0; i < 3; i++) {
    write_users(NAN);
    write_list((list_t){.plugin = "p", .type = "gauge", .values = {1e120}});
    write_list((list_t){.plugin = "caf\xc3\xa9", .type = "gauge"});
    write_list((list_t){.plugin = "old", .type = "gauge", .time = 1});
    write_list((list_t){.plugin = "new",
                        .type = "gauge",
                        .time = cdtime() + TIME_T_TO_CDTIME_T(3 * 3600)});
  }
  write_load("web"); /* three metrics */
  assert_int_equal(outcome("not_a_number"), 3);
  assert_int_equal(outcome("out_of_range"), 3);
  assert_int_equal(outcome("bad_name"), 3);
  assert_int_equal(outcome("too_old"), 3);
  assert_int_equal(outcome("too_new"), 3);
  assert_int_equal(outcome("no_room"), 1);
  assert_int_equal(outcome("taken"), 2);
  assert_int_equal(mock_logged(0, "not sent"), 6); /* once each */
  assert_int_equal(
      mock_logged(LOG_INFO, "not sent: web/users/users (value): nan is not a "
                            "number"),
      1);
  assert_int_equal(mock_logged(LOG_WARNING, "(value): 1e+120 is beyond 2^360"),
                   1);
  assert_int_equal(mock_logged(LOG_WARNING, "not 1 to 255 printable ASCII"), 1);
  assert_int_equal(mock_logged(LOG_WARNING, "more than two weeks"), 1);
  assert_int_equal(mock_logged(LOG_WARNING, "more than two hours"), 1);
  assert_int_equal(mock_logged(LOG_WARNING, "web/load/load (longterm): no room "
                                            "for more than 2 metrics"),
                   1);
}

/* ---- which instance this is ---------------------------------------------- */

#define INSTANCE_RULE                                                          \
  "<Rule \"r\">\n MetricName \"m\"\n Dimension \"Instance\" \"%{instance}\"\n" \
  " Dimension \"Zone\" \"%{az}\"\n Dimension \"Group\" \"%{asg}\"\n"           \
  " Dimension \"Host\" \"%{host}\"\n</Rule>\n"

static void test_identity(void **state) {
  setenv("DEVELOPMENT", "true", 1);
  start(INSTANCE_RULE);
  write_users(1); /* held back or not: it does not get lost */
  for (int i = 0; i < TIMEOUT_MS && mock_logged(LOG_INFO, "i-dev") == 0; i++)
    usleep(1000);
  expect("would send tallyman m [Instance=i-dev, Zone=us-dev-1b, Host=web] "
         "Count: 1\n");
}

static void test_no_identity(void **state) {
  start(INSTANCE_RULE);
  write_users(1);
  for (int i = 0;
       i < TIMEOUT_MS && mock_logged(LOG_WARNING, "not known which") == 0; i++)
    usleep(1000);
  write_users(2);
  for (int i = 0; i < TIMEOUT_MS && outcome("taken") < 2; i++)
    usleep(1000);
  expect("would send tallyman m [Host=web] Count: 1, 2\n");
}

/* A metadata service that never answers: values wait so long and no longer. */
static void test_silent_metadata(void **state) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
  assert_int_equal(listen(listener, 8), 0);
  getsockname(listener, (struct sockaddr *)&address, &len);
  char url[64];
  snprintf(url, sizeof(url), "http://127.0.0.1:%d/latest",
           ntohs(address.sin_port));
  setenv("EC2_METADATA_ENDPOINT", url, 1);
  start(INSTANCE_RULE "IdentityWait 0.5\n");
  cdtime_t begin = cdtime();
  write_users(1);
  assert_int_equal(outcome("taken"), 0);
  while (outcome("taken") == 0)
    usleep(1000);
  assert_true(cdtime() - begin >= MS_TO_CDTIME_T(400));
  expect("would send tallyman m [Host=web] Count: 1\n");
  close(listener);
}

/* ---- the dry run --------------------------------------------------------- */

static void test_estimate(void **state) {
  start("SendAll true\nPeriod 60");
  cdtime_t past = cdtime() - TIME_T_TO_CDTIME_T(120);
  write_list((list_t){.plugin = "a", .type = "gauge", .time = past});
  write_list((list_t){.plugin = "b", .type = "gauge", .time = past});
  assert_int_equal(mock_read(), 0); /* the period is over */
  wait_for("would send tallyman b.gauge [Host=web]: 0\n");
  for (int i = 0; i < TIMEOUT_MS && mock_logged(LOG_INFO, "2 metrics") == 0;
       i++) {
    assert_int_equal(mock_read(), 0);
    usleep(1000);
  }
  wait_for("\n2 metrics, 43800 calls a month: $1.04 a month at the list "
           "price\n");
  assert_int_equal(mock_logged(LOG_INFO, "dry run: 2 metrics"), 1);
  assert_int_equal(mock_count("node/tallyman-write_cloudwatch/tallyman_outbox"),
                   0);
}

static void test_notifications(void **state) {
  start("<LogGroup \"g\">\n</LogGroup>\n"
        "<LogGroup \"h\">\n Stream \"%{severity}/%{plugin}\"\n"
        " Format json\n</LogGroup>\n");
  assert_int_equal(mock_registered(MOCK_WRITE), 0); /* without a rule */
  notification_t n = {.severity = NOTIF_FAILURE,
                      .time = cdtime(),
                      .message = "gone",
                      .host = "web",
                      .plugin = "docker",
                      .plugin_instance = "db",
                      .type = "container_state",
                      .type_instance = "die"};
  assert_int_equal(mock_notify(&n), 0);
  assert_int_equal(
      mock_logged(LOG_INFO,
                  "dry run: would put into log group g, stream web: FAILURE "
                  "web docker-db/container_state-die: gone"),
      1);
  assert_int_equal(mock_logged(LOG_INFO, "log group h, stream FAILURE/docker: "
                                         "{"),
                   1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_send_all),    TEST(test_first_rule_counts),
      TEST(test_patterns),    TEST(test_templates),
      TEST(test_rates),       TEST(test_no_rates),
      TEST(test_drops),       TEST(test_identity),
      TEST(test_no_identity), TEST(test_silent_metadata),
      TEST(test_estimate),    TEST(test_notifications),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
