/* SPDX-License-Identifier: MIT */
/* The plugin, with a destination that remembers in place of Kinesis. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_kinesis_stream.h"

#include <setjmp.h>

#include <cmocka.h>

#include "mock.h"

void module_register(void);

#define PATIENCE_MS 20000

/* ---- Kinesis ---------------------------------------------------------------
 */

/* A stream called "dead" never answers, one called "missing" is not there. */
typedef struct {
  char stream[64];
  tally_kinesis_options_t options;
  bool cancelled;
} fake_t;

typedef struct {
  char stream[64], key[1024], data[2048];
} sent_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* guarded by lock */
static sent_t *sent;
static size_t sent_count, sent_size;
static size_t hanging; /* calls that wait to be cancelled */
static int released;
static tally_kinesis_options_t last_options;

static void remember(const fake_t *fake, const tally_record_t *record) {
  if (sent_count == sent_size) {
    sent_size = sent_size > 0 ? 2 * sent_size : 64;
    sent = realloc(sent, sent_size * sizeof(*sent));
    assert_non_null(sent);
  }
  sent_t *s = &sent[sent_count++];
  memcpy(s->stream, fake->stream, sizeof(s->stream));
  snprintf(s->key, sizeof(s->key), "%.*s", (int)record->key_len, record->key);
  snprintf(s->data, sizeof(s->data), "%.*s", (int)record->len, record->data);
}

static int hang(fake_t *fake, tally_error_t *err) {
  hanging++;
  pthread_cond_broadcast(&changed);
  while (!fake->cancelled)
    pthread_cond_wait(&changed, &lock);
  hanging--;
  return tally_error_set(err, ECANCELED, "Kinesis");
}

static int fake_send(void *data, const tally_record_t *records, size_t count,
                     tally_fate_t *fates, tally_answer_t *answer,
                     tally_error_t *err) {
  fake_t *fake = data;
  int status = 0;
  pthread_mutex_lock(&lock);
  if (strcmp(fake->stream, "dead") == 0)
    status = hang(fake, err);
  else if (strcmp(fake->stream, "missing") == 0)
    status = tally_error_set(err, 0, "ResourceNotFoundException");
  for (size_t i = 0; status == 0 && i < count; i++) {
    remember(fake, &records[i]);
    fates[i] = TALLY_FATE_SENT;
  }
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  return status;
}

static void fake_cancel(void *data) {
  pthread_mutex_lock(&lock);
  ((fake_t *)data)->cancelled = true;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static void fake_release(void *data) {
  pthread_mutex_lock(&lock);
  released++;
  pthread_mutex_unlock(&lock);
  free(data);
}

/* In place of the library's. */
int tally_kinesis_open(tally_aws_session_t *session,
                       const tally_kinesis_options_t *options,
                       tally_destination_t *destination,
                       tally_outbox_options_t *outbox, tally_error_t *err) {
  assert_non_null(session);
  if (strchr(options->stream, ' ') != NULL)
    return tally_error_set(err, 0, "`%s' is no name", options->stream);
  fake_t *fake = calloc(1, sizeof(*fake));
  assert_non_null(fake);
  snprintf(fake->stream, sizeof(fake->stream), "%s", options->stream);
  last_options = *options;
  last_options.stream = NULL;
  *destination = (tally_destination_t){.data = fake,
                                       .send = fake_send,
                                       .cancel = fake_cancel,
                                       .release = fake_release};
  return 0;
}

static bool wait_until(const size_t *number, size_t wanted) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += PATIENCE_MS / 1000;
  pthread_mutex_lock(&lock);
  int status = 0;
  while (*number < wanted && status == 0)
    status = pthread_cond_timedwait(&changed, &lock, &until);
  bool reached = *number >= wanted;
  pthread_mutex_unlock(&lock);
  return reached;
}

static size_t count_sent(const char *stream) {
  size_t count = 0;
  for (size_t i = 0; i < sent_count; i++)
    count += strcmp(sent[i].stream, stream) == 0;
  return count;
}

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
  free(sent);
  sent = NULL;
  sent_count = sent_size = 0;
  released = 0;
  mock_load();
  return 0;
}

static int unload(void **state) {
  mock_assert_content();
  mock_unload();
  free(sent);
  sent = NULL;
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

/* ---- configuration ---------------------------------------------------------
 */

static void test_configuration_errors(void **state) {
  static const struct {
    const char *lines, *message;
  } cases[] = {
      {"", "write_kinesis plugin: configuration: no <Stream>"},
      {"<Stream>\n</Stream>", "Stream: takes one string"},
      {"<Stream \"a b\">\n</Stream>", "Stream \"a b\": `a b' is no name"},
      {"<Stream \"a\">\n</Stream>\n<Stream \"A\">\n</Stream>",
       "Stream \"A\": there is a <Stream> of that name; give one of them an "
       "Instance"},
      {"Instance \"i\"\n<Stream \"a\">\n</Stream>",
       "Instance \"i\": there is no such option"},
      {"<Stream \"a\">\nStream \"b\"\n</Stream>",
       "Stream \"b\": there is no such option"},
      {"<Stream \"a\">\nFormat \"xml\"\n</Stream>",
       "Format \"xml\": takes json, influx or graphite"},
      {"PartitionKey \"fixed\"\n<Stream \"a\">\n</Stream>",
       "PartitionKey \"fixed\": takes identifier, plugin or host"},
      {"<Stream \"a\">\nOrder \"all\"\n</Stream>",
       "Order \"all\": takes key or none"},
      {"<Stream \"a\">\nCompression \"lz4\"\n</Stream>",
       "Compression \"lz4\": takes none, gzip or zstd"},
      {"<Stream \"a\">\nCompressionLevel 20\n</Stream>",
       "CompressionLevel 20: takes a number from 1 to 19"},
      {"<Stream \"a\">\nAggregateSize 100\n</Stream>",
       "AggregateSize 100: takes a number from 1024 to 1048576"},
      {"<Stream \"a\">\nMetrics false\n</Stream>",
       "Stream \"a\": takes neither Metrics nor Notifications"},
      {"<Stream \"a\">\nFormat influx\nNotifications true\n</Stream>",
       "Stream \"a\": Notifications are JSON only"},
      {"<Stream \"a\">\nAccessKeyID \"x\"\n</Stream>",
       "AccessKeyID needs SecretAccessKey"},
      {"<Stream \"a\">\nRegion \"Europe\"\n</Stream>",
       "Region \"Europe\": no region"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    assert_int_not_equal(configure(cases[i].lines), 0);
    if (mock_logged(LOG_ERR, cases[i].message) != 1 ||
        mock_logged(0, NULL) != 1)
      fail_msg("`%s' logged `%s'", cases[i].lines, mock_log_line(0));
    mock_unload();
    mock_load();
  }
}

static void test_names_that_are_too_long(void **state) {
  char lines[512], name[122];
  memset(name, 'n', sizeof(name));
  name[sizeof(name) - 1] = '\0';
  snprintf(lines, sizeof(lines), "<Stream \"%s\">\n</Stream>", name);
  assert_int_not_equal(configure(lines), 0);
  assert_int_equal(mock_logged(LOG_ERR, "too long for identifiers"), 1);
  snprintf(lines, sizeof(lines), "<Stream \"%s\">\nInstance \"n\"\n</Stream>",
           name);
  assert_int_equal(configure(lines), 0);
}

static void test_options_reach_the_destination(void **state) {
  assert_int_equal(configure("Aggregate true\n"
                             "Compression zstd\n"
                             "<Stream \"a\">\n"
                             "  Order none\n"
                             "  AggregateSize 2048\n"
                             "  Compression gzip\n"
                             "  CompressionLevel 3\n"
                             "  LargeRecords true\n"
                             "</Stream>\n"),
                   0);
  assert_true(last_options.aggregate);
  assert_int_equal(last_options.order, TALLY_KINESIS_ORDER_NONE);
  assert_int_equal(last_options.aggregate_bytes, 2048);
  assert_int_equal(last_options.compression, TALLY_COMPRESSION_GZIP);
  assert_int_equal(last_options.compression_level, 3);
  assert_true(last_options.large_records);
}

static void test_what_is_slow_is_said(void **state) {
  static const char warning[] = "Stream \"a\": PartitionKey host with Order "
                                "key sends one record of a host per call";
  static const struct {
    const char *lines;
    size_t warnings;
  } cases[] = {
      {"", 1},
      {"Order none", 0},
      {"Aggregate true", 0},
      {"PartitionKey plugin", 0},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    char lines[256];
    snprintf(lines, sizeof(lines),
             "PartitionKey host\n<Stream \"a\">\n%s\n</Stream>",
             cases[i].lines);
    assert_int_equal(configure(lines), 0);
    assert_int_equal(mock_logged(LOG_WARNING, warning), cases[i].warnings);
    mock_unload();
    mock_load();
  }
}

/* ---- values ----------------------------------------------------------------
 */

static void test_formats_and_keys(void **state) {
  start("<Stream \"j\">\n</Stream>\n"
        "<Stream \"i\">\nFormat influx\nPartitionKey plugin\n</Stream>\n"
        "<Stream \"g\">\nFormat graphite\nPartitionKey host\nOrder none\n"
        "Prefix \"p.\"\n</Stream>\n");
  write_one(0.5);
  assert_true(wait_until(&sent_count, 3));
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
      if (strcmp(sent[i].stream, wanted[k][0]) == 0) {
        assert_string_equal(sent[i].key, wanted[k][1]);
        assert_string_equal(sent[i].data, wanted[k][2]);
      }
  assert_int_equal(count_sent("j") * count_sent("i") * count_sent("g"), 1);
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
  assert_true(wait_until(&sent_count, 1));
  assert_string_equal(sent[0].data, "node.docker-web.derive-x 5 1600000010");
}

/* A partition key is text, whatever the host calls itself. */
static void test_keys_of_hostile_names(void **state) {
  start("<Stream \"a\">\nPartitionKey host\n</Stream>");
  value_t value = {.gauge = 1};
  value_list_t vl = load_of("\xff\n", &value);
  assert_int_equal(mock_write(&vl), 0);
  assert_true(wait_until(&sent_count, 1));
  assert_string_equal(sent[0].key, "? ");
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
  assert_true(wait_until(&sent_count, 1));
  assert_string_equal(sent[0].key,
                      "node/tallyman-write_kinesis-b/tallyman_outbox-loss");
  assert_non_null(strstr(sent[0].data, "{\"labels\":{\"alertname\":"));
  assert_int_equal(mock_flush(), 0);
  assert_int_equal(sent_count, 1);
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
  assert_true(wait_until(&hanging, 1));
  pthread_t threads[THREADS];
  int numbers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    numbers[i] = i;
    pthread_create(&threads[i], NULL, write_many, &numbers[i]);
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  assert_true(wait_until(&sent_count, 1 + THREADS * ROUNDS));

  int next[THREADS] = {0};
  for (size_t i = 1; i < sent_count; i++) {
    char wanted[64];
    int host = sent[i].key[1] - '0';
    snprintf(wanted, sizeof(wanted), "h%d.docker-web.gauge-x %d ", host,
             next[host]++);
    assert_memory_equal(sent[i].data, wanted, strlen(wanted));
  }
}

/* ---- the life of an outbox -------------------------------------------------
 */

static void test_flush_ends_lingering(void **state) {
  start("<Stream \"a\">\nLinger 60\n</Stream>");
  write_one(1);
  assert_int_equal(mock_flush(), 0);
  assert_true(wait_until(&sent_count, 1));
}

static void test_shutdown_sends_what_lingers(void **state) {
  start("<Stream \"a\">\nLinger 60\n</Stream>\n"
        "<Stream \"b\">\nLinger 60\n</Stream>");
  write_one(1);
  mock_unload();
  assert_int_equal(count_sent("a"), 1);
  assert_int_equal(count_sent("b"), 1);
  assert_int_equal(released, 2);
  mock_load();
}

/* What a dead stream did not take is there for the next collectd. */
static void test_restart(void **state) {
  start("<Stream \"dead\">\nInstance \"metrics\"\n</Stream>");
  write_one(1);
  write_one(2);
  assert_true(wait_until(&hanging, 1));
  mock_unload();
  mock_load();
  start("<Stream \"a\">\nInstance \"metrics\"\n</Stream>");
  assert_true(wait_until(&sent_count, 2));
  assert_non_null(strstr(sent[0].data, "[1]"));
  assert_non_null(strstr(sent[1].data, "[2]"));
}

static void test_spool_that_cannot_be_used(void **state) {
  start("SpoolDir \"/dev/null/spool\"\n<Stream \"a\">\n</Stream>");
  assert_int_equal(mock_logged(LOG_ERR, "Stream \"a\": "), 1);
  assert_int_equal(mock_logged(LOG_ERR, "goes on without a spool"), 1);
  write_one(1);
  assert_true(wait_until(&sent_count, 1));
}

static void test_numbers(void **state) {
  start("<Stream \"a\">\n</Stream>\n"
        "<Stream \"missing\">\nInstance \"m\"\n</Stream>");
  write_one(1);
  assert_true(wait_until(&sent_count, 1));
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

static void test_no_plugin_block(void **state) {
  assert_int_not_equal(mock_init(), 0);
  assert_int_equal(mock_logged(LOG_ERR, "no <Stream>"), 1);
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
      TEST(test_configuration_errors),
      TEST(test_names_that_are_too_long),
      TEST(test_options_reach_the_destination),
      TEST(test_what_is_slow_is_said),
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
      TEST(test_no_plugin_block),
      TEST(test_stream_outlives_its_outbox),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
