/* SPDX-License-Identifier: MIT */
/* Values and notifications on their way to a Kinesis that remembers. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_kinesis_stream.h"

#include <setjmp.h>

#include <cmocka.h>

#include "kinesis_fake.h"
#include "mock.h"

/* ---- scene -----------------------------------------------------------------
 */

static char spool[64];

static void remove_spool(void) {
  char command[128];
  snprintf(command, sizeof(command), "rm -rf '%s'", spool);
  assert_int_equal(system(command), 0);
}

static int load(void **state) {
  snprintf(spool, sizeof(spool), "/tmp/tally-write-kinesis.XXXXXX");
  assert_non_null(mkdtemp(spool));
  kinesis_fake_forget();
  mock_load();
  return 0;
}

static int unload(void **state) {
  mock_assert_content();
  mock_unload();
  kinesis_fake_forget();
  remove_spool();
  return 0;
}

static int configure(const char *lines) {
  char text[2048];
  snprintf(text, sizeof(text),
           "<Plugin write_kinesis>\nSpoolDir \"%s\"\nLinger 0.01\n%s\n"
           "</Plugin>\n",
           spool, lines);
  return mock_config(text);
}

static void start(const char *lines) {
  assert_int_equal(configure(lines), 0);
  assert_int_equal(mock_init(), 0);
}

static value_list_t load_of(const char *host, value_t *value) {
  value_list_t vl = {.values = value,
                     .values_len = 1,
                     .time = TIME_T_TO_CDTIME_T(1600000000),
                     .interval = TIME_T_TO_CDTIME_T(10)};
  sstrncpy(vl.host, host, sizeof(vl.host));
  sstrncpy(vl.plugin, "docker", sizeof(vl.plugin));
  sstrncpy(vl.plugin_instance, "web", sizeof(vl.plugin_instance));
  sstrncpy(vl.type, "gauge", sizeof(vl.type));
  sstrncpy(vl.type_instance, "x", sizeof(vl.type_instance));
  return vl;
}

static void write_one(double number) {
  value_t value = {.gauge = number};
  value_list_t vl = load_of("node", &value);
  assert_int_equal(mock_write(&vl), 0);
}

/* ---- values ----------------------------------------------------------------
 */

static void test_formats_and_keys(void **state) {
  start("<Stream \"j\">\n</Stream>\n"
        "<Stream \"i\">\nFormat influx\nPartitionKey plugin\n</Stream>\n"
        "<Stream \"g\">\nFormat graphite\nPartitionKey host\nOrder none\n"
        "Prefix \"p.\"\n</Stream>\n");
  write_one(0.5);
  assert_true(kinesis_fake_wait(&kinesis_fake.sent_count, 3));
  static const char *const wanted[][3] = {
      {"j", "node/docker-web/gauge-x",
       "{\"values\":[0.5],\"dstypes\":[\"gauge\"],\"dsnames\":[\"value\"],"
       "\"time\":1600000000.000,\"interval\":10.000,\"host\":\"node\","
       "\"plugin\":\"docker\",\"plugin_instance\":\"web\",\"type\":\"gauge\","
       "\"type_instance\":\"x\"}"},
      {"i", "node/docker-web",
       "docker,host=node,instance=web,type=gauge,type_instance=x value=0.5 "
       "1600000000000000000"},
      {"g", "node", "p.node.docker-web.gauge-x 0.5 1600000000"},
  };
  for (size_t i = 0; i < 3; i++)
    for (size_t k = 0; k < 3; k++)
      if (strcmp(kinesis_fake.sent[i].stream, wanted[k][0]) == 0) {
        assert_string_equal(kinesis_fake.sent[i].key, wanted[k][1]);
        assert_string_equal(kinesis_fake.sent[i].data, wanted[k][2]);
      }
  assert_int_equal(kinesis_fake_count("j") * kinesis_fake_count("i") *
                       kinesis_fake_count("g"),
                   1);
}

static void test_rates(void **state) {
  start("StoreRates true\n<Stream \"a\">\nFormat graphite\n</Stream>");
  value_t value = {.derive = 100};
  value_list_t vl = load_of("node", &value);
  sstrncpy(vl.type, "derive", sizeof(vl.type));
  assert_int_equal(mock_write(&vl), 0); /* no rate yet: nothing to say */
  value.derive = 150;
  vl.time += TIME_T_TO_CDTIME_T(10);
  assert_int_equal(mock_write(&vl), 0);
  assert_true(kinesis_fake_wait(&kinesis_fake.sent_count, 1));
  assert_string_equal(kinesis_fake.sent[0].data,
                      "node.docker-web.derive-x 5 1600000010");
}

/* A partition key is text, whatever the host calls itself. */
static void test_keys_of_hostile_names(void **state) {
  start("<Stream \"a\">\nPartitionKey host\n</Stream>");
  value_t value = {.gauge = 1};
  value_list_t vl = load_of("\xff\n", &value);
  assert_int_equal(mock_write(&vl), 0);
  assert_true(kinesis_fake_wait(&kinesis_fake.sent_count, 1));
  assert_string_equal(kinesis_fake.sent[0].key, "? ");
}

/* ---- notifications ---------------------------------------------------------
 */

static void test_notifications(void **state) {
  start("Metrics false\nNotifications true\n"
        "<Stream \"arn:aws:kinesis:eu-west-1:123456789012:stream/a\">\n"
        "</Stream>\n"
        "<Stream \"values\">\nMetrics true\nNotifications false\n</Stream>");
  assert_int_equal(mock_registered(MOCK_WRITE), 1);
  assert_int_equal(mock_registered(MOCK_NOTIFICATION), 1);
  notification_t n;
  /* about the stream itself: not carried */
  notification_init(&n, NOTIF_WARNING, "lost", "node", "tallyman",
                    "write_kinesis-a", "tallyman_outbox", "loss");
  assert_int_equal(mock_notify(&n), 0);
  notification_init(&n, NOTIF_WARNING, "lost", "node", "tallyman",
                    "write_kinesis-b", "tallyman_outbox", "loss");
  assert_int_equal(mock_notify(&n), 0);
  assert_true(kinesis_fake_wait(&kinesis_fake.sent_count, 1));
  assert_string_equal(kinesis_fake.sent[0].key,
                      "node/tallyman-write_kinesis-b/tallyman_outbox-loss");
  assert_non_null(
      strstr(kinesis_fake.sent[0].data, "{\"labels\":{\"alertname\":"));
  assert_int_equal(mock_flush(), 0);
  assert_int_equal(kinesis_fake.sent_count, 1);
}

/* ---- threads ---------------------------------------------------------------
 */

#define THREADS 4
#define ROUNDS 250

static void *write_many(void *arg) {
  char host[16];
  snprintf(host, sizeof(host), "h%d", *(int *)arg);
  for (int i = 0; i < ROUNDS; i++) {
    value_t value = {.gauge = i};
    value_list_t vl = load_of(host, &value);
    mock_write(&vl);
    if (i % 50 == 0)
      mock_flush();
  }
  return NULL;
}

/* A stream that never answers holds up neither writers nor the other one. */
static void test_writers_beside_a_dead_stream(void **state) {
  start("Format graphite\n<Stream \"dead\">\n</Stream>\n<Stream \"a\">\n"
        "</Stream>");
  write_one(0);
  assert_true(kinesis_fake_wait(&kinesis_fake.hanging, 1));
  pthread_t threads[THREADS];
  int numbers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    numbers[i] = i;
    pthread_create(&threads[i], NULL, write_many, &numbers[i]);
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  assert_true(
      kinesis_fake_wait(&kinesis_fake.sent_count, 1 + THREADS * ROUNDS));

  int next[THREADS] = {0};
  for (size_t i = 1; i < kinesis_fake.sent_count; i++) {
    char wanted[64];
    int host = kinesis_fake.sent[i].key[1] - '0';
    snprintf(wanted, sizeof(wanted), "h%d.docker-web.gauge-x %d ", host,
             next[host]++);
    assert_memory_equal(kinesis_fake.sent[i].data, wanted, strlen(wanted));
  }
}

/* ---- the life of an outbox -------------------------------------------------
 */

static void test_flush_ends_lingering(void **state) {
  start("<Stream \"a\">\nLinger 60\n</Stream>");
  write_one(1);
  assert_int_equal(mock_flush(), 0);
  assert_true(kinesis_fake_wait(&kinesis_fake.sent_count, 1));
}

static void test_shutdown_sends_what_lingers(void **state) {
  start("<Stream \"a\">\nLinger 60\n</Stream>\n"
        "<Stream \"b\">\nLinger 60\n</Stream>");
  write_one(1);
  mock_unload();
  assert_int_equal(kinesis_fake_count("a"), 1);
  assert_int_equal(kinesis_fake_count("b"), 1);
  assert_int_equal(kinesis_fake.released, 2);
  mock_load();
}

/* What a dead stream did not take is there for the next collectd. */
static void test_restart(void **state) {
  start("<Stream \"dead\">\nInstance \"metrics\"\n</Stream>");
  write_one(1);
  write_one(2);
  assert_true(kinesis_fake_wait(&kinesis_fake.hanging, 1));
  mock_unload();
  mock_load();
  start("<Stream \"a\">\nInstance \"metrics\"\n</Stream>");
  assert_true(kinesis_fake_wait(&kinesis_fake.sent_count, 2));
  assert_non_null(strstr(kinesis_fake.sent[0].data, "[1]"));
  assert_non_null(strstr(kinesis_fake.sent[1].data, "[2]"));
}

static void test_spool_that_cannot_be_used(void **state) {
  start("SpoolDir \"/dev/null/spool\"\n<Stream \"a\">\n</Stream>");
  assert_int_equal(mock_logged(LOG_ERR, "write_kinesis-a: "), 1);
  assert_int_equal(mock_logged(LOG_ERR, "goes on without a spool"), 1);
  write_one(1);
  assert_true(kinesis_fake_wait(&kinesis_fake.sent_count, 1));
}

static void test_numbers(void **state) {
  start("<Stream \"a\">\n</Stream>\n"
        "<Stream \"missing\">\nInstance \"m\"\n</Stream>");
  write_one(1);
  assert_true(kinesis_fake_wait(&kinesis_fake.sent_count, 1));
  static const char ours[] = "node/tallyman-write_kinesis-a/tallyman_outbox";
  static const char missing[] = "node/tallyman-write_kinesis-m/tallyman_outbox";
  for (int i = 0; i < 500; i++) { /* sent, and then counted */
    mock_forget();
    assert_int_equal(mock_read(), 0);
    if (mock_gauge(ours, "sent") >= 1 && mock_gauge(missing, "failed") >= 1)
      break;
    usleep(20000);
  }
  assert_true(mock_gauge(ours, "accepted") == 1);
  assert_true(mock_gauge(ours, "sent") == 1);
  assert_true(mock_gauge(missing, "queued") == 1);
  assert_true(mock_gauge(missing, "sent") == 0);
}

/* A plugin that ends later may still have something to say. */
static void test_stream_outlives_its_outbox(void **state) {
  write_kinesis_stream_t stream = {.stream = NULL};
  pthread_rwlock_init(&stream.lock, NULL);
  write_kinesis_stream_put(&stream, &(tally_record_t){.data = "x", .len = 1});
  write_kinesis_stream_flush(&stream, 0);
  write_kinesis_stream_close(&stream, 0);
  pthread_rwlock_destroy(&stream.lock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, load, unload)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_formats_and_keys),
      TEST(test_rates),
      TEST(test_keys_of_hostile_names),
      TEST(test_notifications),
      TEST(test_writers_beside_a_dead_stream),
      TEST(test_flush_ends_lingering),
      TEST(test_shutdown_sends_what_lingers),
      TEST(test_restart),
      TEST(test_spool_that_cannot_be_used),
      TEST(test_numbers),
      TEST(test_stream_outlives_its_outbox),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
