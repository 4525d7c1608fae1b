/* SPDX-License-Identifier: MIT */
/* The outbox with its threads: lib/delivery/outbox*.c. Meant for the thread
 * sanitizer too. */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/thread.h"
#include "delivery/delivery.h"
#include "tree.h"

#define PATIENCE_MS 20000
#define PRODUCERS 4
#define EACH 5000

/* A destination that writes down; `hold` keeps it in a call. */
typedef struct sink_s {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool hold, cancelled, in_call;
  bool deaf;           /* cancelling does nothing */
  unsigned dead_calls; /* that fail as a whole first */
  bool twice;          /* says that each call was made twice on its way */
  uint64_t received, calls;
  uint32_t next[PRODUCERS];
  unsigned out_of_order, released;
} sink_t;

static int sink_send(void *data, const tally_record_t *records, size_t count,
                     tally_fate_t *fates, tally_answer_t *answer,
                     tally_error_t *err) {
  sink_t *sink = data;
  pthread_mutex_lock(&sink->lock);
  sink->calls++;
  sink->in_call = true;
  pthread_cond_broadcast(&sink->changed);
  while (sink->hold && !sink->cancelled)
    pthread_cond_wait(&sink->changed, &sink->lock);
  sink->in_call = false;
  bool dead = sink->cancelled || sink->dead_calls > 0;
  if (!sink->cancelled && sink->dead_calls > 0)
    sink->dead_calls--;
  for (size_t i = 0; i < count && !dead; i++) {
    uint32_t number;
    memcpy(&number, records[i].data, sizeof(number));
    unsigned producer = (unsigned)(records[i].key[0] - '0');
    sink->out_of_order += number != sink->next[producer];
    sink->next[producer] = number + 1;
    sink->received++;
    fates[i] = TALLY_FATE_SENT;
  }
  if (sink->twice && !dead)
    answer->repeated = count;
  pthread_mutex_unlock(&sink->lock);
  if (!dead)
    return 0;
  answer->status = 503;
  return tally_error_set(err, 0, "Service Unavailable");
}

static void sink_cancel(void *data) {
  sink_t *sink = data;
  pthread_mutex_lock(&sink->lock);
  sink->cancelled = !sink->deaf;
  pthread_cond_broadcast(&sink->changed);
  pthread_mutex_unlock(&sink->lock);
}

static void sink_release(void *data) {
  sink_t *sink = data;
  pthread_mutex_lock(&sink->lock);
  sink->released++;
  pthread_cond_broadcast(&sink->changed);
  pthread_mutex_unlock(&sink->lock);
}

typedef struct scene_s {
  tree_t tree;
  char spool[128];
  sink_t sink;
  tally_outbox_options_t options;
} scene_t;

static int set_up(void **state) {
  scene_t *scene = calloc(1, sizeof(*scene));
  tree_create(&scene->tree);
  snprintf(scene->spool, sizeof(scene->spool), "%s/a/spool", scene->tree.root);
  pthread_mutex_init(&scene->sink.lock, NULL);
  tally_condition_init(&scene->sink.changed);
  scene->options = (tally_outbox_options_t){.name = "test",
                                            .linger_ns = TALLY_NS_PER_MS,
                                            .backoff_base_ns = 1000,
                                            .backoff_cap_ns = 1000};
  *state = scene;
  return 0;
}

static int tear_down(void **state) {
  scene_t *scene = *state;
  tree_destroy(&scene->tree);
  pthread_mutex_destroy(&scene->sink.lock);
  pthread_cond_destroy(&scene->sink.changed);
  free(scene);
  return 0;
}

static tally_outbox_t *make(scene_t *scene) {
  tally_destination_t destination = {.data = &scene->sink,
                                     .send = sink_send,
                                     .cancel = sink_cancel,
                                     .release = sink_release};
  tally_error_t err = {0};
  tally_outbox_t *outbox =
      tally_outbox_create(&scene->options, &destination, &err);
  if (outbox == NULL)
    fail_msg("%s", err.message);
  return outbox;
}

static tally_loss_t put(tally_outbox_t *outbox, unsigned producer,
                        uint32_t number) {
  char key = (char)('0' + producer), data[100] = "";
  memcpy(data, &number, sizeof(number));
  tally_record_t record = {
      .key = &key, .key_len = 1, .data = data, .len = sizeof(data)};
  return tally_outbox_put(outbox, &record);
}

typedef struct producer_s {
  pthread_t thread;
  tally_outbox_t *outbox;
  unsigned number;
  unsigned refused;
} producer_t;

static void *produce(void *data) {
  producer_t *producer = data;
  for (uint32_t i = 0; i < EACH; i++)
    producer->refused +=
        put(producer->outbox, producer->number, i) != TALLY_LOSS_NONE;
  return NULL;
}

static void note_of(unsigned producer, char name[16]) {
  snprintf(name, 16, "producer %u", producer);
}

/* Each record with a note of how many there were; waits where there is no room.
 */
static void *produce_noted(void *data) {
  producer_t *producer = data;
  char key = (char)('0' + producer->number), name[16];
  note_of(producer->number, name);
  for (uint32_t i = 0; i < EACH; i++) {
    char bytes[100] = "", text[16];
    memcpy(bytes, &i, sizeof(i));
    snprintf(text, sizeof(text), "%u", i + 1);
    tally_record_t record = {
        .key = &key, .key_len = 1, .data = bytes, .len = sizeof(bytes)};
    while (tally_outbox_put_noted(producer->outbox, &record, 1, NULL, name,
                                  text) != 0)
      usleep(1000);
  }
  return NULL;
}

static void run_producers(scene_t *scene, void *(*producing)(void *)) {
  tally_outbox_t *outbox = make(scene);
  producer_t producers[PRODUCERS];
  for (unsigned i = 0; i < PRODUCERS; i++) {
    producers[i] = (producer_t){.outbox = outbox, .number = i};
    assert_int_equal(
        pthread_create(&producers[i].thread, NULL, producing, &producers[i]),
        0);
  }
  tally_outbox_stats_t stats;
  for (unsigned i = 0; i < PRODUCERS; i++) {
    tally_outbox_stats(outbox, &stats);
    pthread_join(producers[i].thread, NULL);
    assert_int_equal(producers[i].refused, 0);
  }
  assert_true(tally_outbox_flush(outbox, PATIENCE_MS));
  tally_outbox_destroy(outbox, PATIENCE_MS, &stats);
  assert_int_equal(stats.accepted, PRODUCERS * EACH);
  assert_int_equal(stats.sent, PRODUCERS * EACH);
  assert_int_equal(stats.queued, 0);
  assert_int_equal(tally_outbox_lost(&stats), 0);
  assert_int_equal(scene->sink.received, PRODUCERS * EACH);
  assert_int_equal(scene->sink.out_of_order, 0);
  assert_int_equal(scene->sink.released, 1);
}

static void test_memory(void **state) {
  scene_t *scene = *state;
  scene->sink.dead_calls = 5;
  run_producers(scene, produce);
}

/* Little memory: most goes through the spool. */
static void test_overflow(void **state) {
  scene_t *scene = *state;
  scene->options.spool = scene->spool;
  scene->options.memory_records = 100;
  scene->options.segment_bytes = 64 * 1024;
  scene->sink.dead_calls = 5;
  run_producers(scene, produce);
}

static void test_durable(void **state) {
  scene_t *scene = *state;
  scene->options.spool = scene->spool;
  scene->options.durable = true;
  scene->options.sync = TALLY_SYNC_SECOND;
  scene->options.segment_bytes = 64 * 1024;
  run_producers(scene, produce);
}

static void count(const char *name, const char *text, void *data) {
  (*(unsigned *)data)++;
}

static void test_notes(void **state) {
  scene_t *scene = *state;
  scene->options.spool = scene->spool;
  scene->options.durable = true;
  scene->options.sync = TALLY_SYNC_SECOND;
  scene->options.spool_bytes = 1 << 20;
  scene->options.segment_bytes = 1 << 15;
  run_producers(scene, produce_noted);
  tally_outbox_t *outbox = make(scene);
  unsigned notes = 0;
  tally_outbox_notes(outbox, count, &notes);
  assert_int_equal(notes, PRODUCERS);
  for (unsigned i = 0; i < PRODUCERS; i++) {
    char name[16], text[TALLY_OUTBOX_NOTE_TEXT_MAX + 1];
    note_of(i, name);
    assert_true(tally_outbox_note(outbox, name, text));
    assert_int_equal(strtoul(text, NULL, 10), EACH);
  }
  assert_false(tally_outbox_note(outbox, "nobody", (char[257]){0}));
  tally_outbox_destroy(outbox, 0, NULL);
}

static void wait_for_call(sink_t *sink) {
  struct timespec deadline = tally_deadline_after(PATIENCE_MS);
  pthread_mutex_lock(&sink->lock);
  while (!sink->in_call)
    assert_int_equal(
        pthread_cond_timedwait(&sink->changed, &sink->lock, &deadline), 0);
  pthread_mutex_unlock(&sink->lock);
}

/* A call that hangs delays no producer and is cancelled at the end; the next
 * outbox sends what the spool has. */
static void test_shutdown_cancels(void **state) {
  scene_t *scene = *state;
  scene->options.spool = scene->spool;
  scene->options.batch_records = 3;
  scene->sink.hold = true;
  tally_outbox_t *outbox = make(scene);
  for (uint32_t i = 0; i < 100; i++)
    assert_int_equal(put(outbox, 0, i), TALLY_LOSS_NONE);
  wait_for_call(&scene->sink);
  tally_outbox_stats_t stats;
  tally_outbox_stats(outbox, &stats);
  assert_int_equal(stats.queued, 100);
  assert_false(tally_outbox_flush(outbox, 0));
  tally_outbox_destroy(outbox, 1, &stats);
  assert_int_equal(stats.queued, 100);
  assert_int_equal(stats.last_error, 503);
  assert_string_equal(stats.last_error_text, "Service Unavailable");
  assert_int_equal(tally_outbox_lost(&stats), 0);
  assert_int_equal(scene->sink.released, 1);

  scene->sink.hold = scene->sink.cancelled = false;
  outbox = make(scene);
  assert_true(tally_outbox_flush(outbox, PATIENCE_MS));
  tally_outbox_destroy(outbox, PATIENCE_MS, &stats);
  assert_int_equal(stats.recovered, 100);
  assert_int_equal(stats.sent, 100);
  assert_int_equal(scene->sink.received, 100);
  assert_int_equal(scene->sink.out_of_order, 0);
}

/* A destination that fails is not waited for when the disk can keep the rest.
 */
static void test_shutdown_gives_up(void **state) {
  scene_t *scene = *state;
  scene->options.spool = scene->spool;
  scene->sink.dead_calls = UINT_MAX;
  tally_outbox_t *outbox = make(scene);
  for (uint32_t i = 0; i < 100; i++)
    put(outbox, 0, i);
  uint64_t begin = tally_clock_monotonic_ns();
  tally_outbox_stats_t stats;
  tally_outbox_destroy(outbox, PATIENCE_MS, &stats);
  assert_true(tally_clock_monotonic_ns() - begin < PATIENCE_MS / 2 * 1000000L);
  assert_int_equal(stats.queued, 100);
  assert_int_equal(tally_outbox_lost(&stats), 0);

  scene->sink.dead_calls = 0;
  outbox = make(scene);
  assert_true(tally_outbox_flush(outbox, PATIENCE_MS));
  tally_outbox_destroy(outbox, PATIENCE_MS, &stats);
  assert_int_equal(stats.recovered, 100);
  assert_int_equal(scene->sink.received, 100);
  assert_int_equal(scene->sink.out_of_order, 0);
}

/* Without a spool it is. */
static void test_shutdown_waits(void **state) {
  scene_t *scene = *state;
  scene->sink.dead_calls = 5;
  tally_outbox_t *outbox = make(scene);
  for (uint32_t i = 0; i < 100; i++)
    put(outbox, 0, i);
  tally_outbox_stats_t stats;
  tally_outbox_destroy(outbox, PATIENCE_MS, &stats);
  assert_int_equal(stats.sent, 100);
  assert_int_equal(scene->sink.received, 100);
}

/* A call that does not even come back when cancelled holds up nobody. */
static void test_shutdown_abandons(void **state) {
  scene_t *scene = *state;
  scene->options.spool = scene->spool;
  scene->sink.hold = scene->sink.deaf = true;
  tally_outbox_t *outbox = make(scene);
  for (uint32_t i = 0; i < 10; i++)
    put(outbox, 0, i);
  wait_for_call(&scene->sink);
  tally_outbox_stats_t stats;
  tally_outbox_destroy(outbox, 1, &stats);
  assert_int_equal(stats.queued, 10);
  assert_int_equal(scene->sink.released, 0);

  scene_t next = {.options = scene->options}; /* the spool is free already */
  pthread_mutex_init(&next.sink.lock, NULL);
  tally_condition_init(&next.sink.changed);
  outbox = make(&next);
  assert_true(tally_outbox_flush(outbox, PATIENCE_MS));
  tally_outbox_destroy(outbox, PATIENCE_MS, &stats);
  assert_int_equal(next.sink.received, 10);
  pthread_mutex_destroy(&next.sink.lock);
  pthread_cond_destroy(&next.sink.changed);

  pthread_mutex_lock(&scene->sink.lock);
  scene->sink.hold = false;
  pthread_cond_broadcast(&scene->sink.changed);
  struct timespec deadline = tally_deadline_after(PATIENCE_MS);
  while (scene->sink.released == 0)
    assert_int_equal(pthread_cond_timedwait(&scene->sink.changed,
                                            &scene->sink.lock, &deadline),
                     0);
  pthread_mutex_unlock(&scene->sink.lock);
}

/* Without a spool the rest is counted. */
static void test_shutdown_counts(void **state) {
  scene_t *scene = *state;
  scene->sink.hold = true;
  scene->options.memory_records = 8;
  tally_outbox_t *outbox = make(scene);
  for (uint32_t i = 0; i < 8; i++)
    assert_int_equal(put(outbox, 0, i), TALLY_LOSS_NONE);
  assert_int_equal(put(outbox, 0, 8), TALLY_LOSS_NO_ROOM);
  tally_outbox_stats_t stats;
  tally_outbox_destroy(outbox, 1, &stats);
  assert_int_equal(stats.lost[TALLY_LOSS_SHUTDOWN], 8);
  assert_int_equal(stats.lost[TALLY_LOSS_NO_ROOM], 1);
  assert_int_equal(stats.queued, 0);
}

static void test_sent_twice_on_its_way(void **state) {
  scene_t *scene = *state;
  scene->sink.twice = true;
  tally_outbox_t *outbox = make(scene);
  for (uint32_t i = 0; i < 3; i++)
    assert_int_equal(put(outbox, 0, i), TALLY_LOSS_NONE);
  tally_outbox_stats_t stats;
  tally_outbox_destroy(outbox, PATIENCE_MS, &stats);
  assert_int_equal(stats.sent, 3);
  assert_int_equal(stats.failed, 0);
  assert_int_equal(stats.possible_duplicates, 3);
}

static void test_one_owner(void **state) {
  scene_t *scene = *state;
  scene->options.spool = scene->spool;
  tally_outbox_t *outbox = make(scene);
  tally_destination_t destination = {.data = &scene->sink, .send = sink_send};
  tally_error_t err = {0};
  assert_null(tally_outbox_create(&scene->options, &destination, &err));
  assert_int_equal(err.code, EBUSY);
  assert_non_null(strstr(err.message, scene->spool));
  tally_outbox_destroy(outbox, 0, NULL);
  tally_outbox_destroy(NULL, 0, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_memory),           TEST(test_overflow),
      TEST(test_durable),          TEST(test_notes),
      TEST(test_shutdown_cancels), TEST(test_shutdown_gives_up),
      TEST(test_shutdown_waits),   TEST(test_shutdown_abandons),
      TEST(test_shutdown_counts),  TEST(test_sent_twice_on_its_way),
      TEST(test_one_owner),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
