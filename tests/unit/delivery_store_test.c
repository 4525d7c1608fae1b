/* SPDX-License-Identifier: MIT */
/* Where records go, why they are refused, and what is said of it:
 * lib/delivery/store*.c, values.c. */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <math.h>

#include "core/clock.h"
#include "delivery_world.h"

static tally_outbox_stats_t stats_of(world_t *world) {
  tally_outbox_stats_t stats;
  tally_store_stats(&world->store, &stats);
  return stats;
}

static tally_loss_t put(world_t *world, size_t key_len, size_t len) {
  static char bytes[100000];
  uint32_t number = world->put++;
  memcpy(bytes, &number, sizeof(number));
  tally_record_t record = {
      .key = bytes, .key_len = key_len, .data = bytes, .len = len};
  tally_loss_t verdict;
  tally_store_put(&world->store, &record, 1, &verdict);
  return verdict;
}

static void test_refusals(void **state) {
  world_t *world = *state;
  tally_outbox_options_t options = {.memory_records = 2, .record_bytes = 1000};
  world_start(world, &options);
  assert_int_equal(put(world, 1, 1000), TALLY_LOSS_TOO_LARGE);
  assert_int_equal(put(world, TALLY_OUTBOX_KEY_MAX + 1, 10),
                   TALLY_LOSS_TOO_LARGE);
  assert_int_equal(put(world, 0, 1000), TALLY_LOSS_NONE);
  assert_int_equal(put(world, 0, 10), TALLY_LOSS_NONE);
  assert_int_equal(put(world, 0, 10), TALLY_LOSS_NO_ROOM);
  tally_store_save(&world->store);
  assert_int_equal(put(world, 0, 10), TALLY_LOSS_CLOSED);
  tally_outbox_stats_t s = stats_of(world);
  assert_int_equal(s.accepted, 2);
  assert_int_equal(s.lost[TALLY_LOSS_TOO_LARGE], 2);
  assert_int_equal(s.lost[TALLY_LOSS_NO_ROOM], 1);
  assert_int_equal(s.lost[TALLY_LOSS_CLOSED], 1);
  assert_int_equal(s.lost[TALLY_LOSS_SHUTDOWN], 2);
  assert_int_equal(tally_outbox_lost(&s), 6);
}

/* The good path touches no disk. */
static void test_memory_first(void **state) {
  world_t *world = *state;
  tally_outbox_options_t options = {.memory_records = 10,
                                    .spool = world->spool};
  world_start(world, &options);
  world_put(world, 10, 50);
  assert_int_equal(stats_of(world).spooled_bytes, 0);
  world_put(world, 5, 50);
  assert_int_equal(stats_of(world).spooled, 5);
  assert_int_equal(stats_of(world).queued, 15);
  world_drain(world);
  world_put(world, 1, 50); /* the spool is behind us */
  assert_int_equal(stats_of(world).spooled, 0);
  world_drain(world);
  assert_int_equal(world_missing(world), 0);
  assert_int_equal(world->out_of_order, 0);
}

static void test_full_disk(void **state) {
  world_t *world = *state;
  tally_outbox_options_t options = {
      .memory_records = 12, .spool = world->spool, .durable = true};
  world->disk_full = true;
  world_start(world, &options);
  world_put(world, 12, 50);
  assert_true(stats_of(world).spool_broken);
  assert_int_equal(stats_of(world).queued, 12);
  assert_int_equal(put(world, 1, 10), TALLY_LOSS_NO_ROOM);
  world->disk_full = false;
  assert_int_equal(put(world, 1, 10), TALLY_LOSS_NO_ROOM); /* not so soon */
  world->mono += 2 * TALLY_NS_PER_S;
  world_put(world, 2, 50);
  tally_outbox_stats_t s = stats_of(world);
  assert_false(s.spool_broken);
  assert_int_equal(s.spooled, 2);
  world_drain(world);
  assert_int_equal(world_missing(world), 0);
  assert_int_equal(world->out_of_order, 0);
}

/* Accepted is kept, whatever happens to the process. */
static void test_durable_survives(void **state) {
  world_t *world = *state;
  tally_outbox_options_t options = {
      .spool = world->spool, .durable = true, .batch_records = 4};
  world_start(world, &options);
  for (unsigned i = 0; i < 20; i++) {
    world_put(world, 5, 50);
    world_read(world);
    world_send(world, MOOD_GOOD, true);
    world_kill_while_sending(world);
    world->real += TALLY_NS_PER_S;
    world_start(world, &options);
  }
  world_drain(world);
  assert_int_equal(world->forgotten, 0);
  assert_int_equal(world_missing(world),
                   stats_of(world).lost[TALLY_LOSS_REFUSED] +
                       world->counted_lost);
  assert_int_equal(world->out_of_order, 0);
  world_end(world);
  assert_true(world_duplicates(world) > 0);
  assert_true(world_duplicates(world) <= world->counted_duplicates);
}

/* What memory alone has goes before what the spool has, if it is older. */
static void test_end_keeps_order(void **state) {
  world_t *world = *state;
  tally_outbox_options_t options = {.memory_records = 20,
                                    .spool = world->spool};
  world_start(world, &options);
  world_put(world, 16, 50);
  world_put(world, 16, 50);
  world_send(world, MOOD_DEAD, true);
  assert_int_equal(stats_of(world).failed, 20);
  assert_int_equal(stats_of(world).last_error, 1000 + ECONNREFUSED);
  world_end(world);
  world->real += TALLY_NS_PER_S;
  world_start(world, &options);
  assert_int_equal(stats_of(world).recovered, 32);
  world_drain(world);
  assert_int_equal(world_missing(world), 0);
  assert_int_equal(world->out_of_order, 0);
}

static void test_age(void **state) {
  world_t *world = *state;
  tally_outbox_options_t options = {.max_age_ns = 10 * TALLY_NS_PER_S,
                                    .memory_records = 4,
                                    .spool = world->spool};
  world_start(world, &options);
  world_put(world, 8, 50);
  world->mono += 5 * TALLY_NS_PER_S;
  world->real += 5 * TALLY_NS_PER_S;
  assert_int_equal(stats_of(world).oldest_age_ns, 5 * TALLY_NS_PER_S);
  world_put(world, 8, 50); /* in the segment of those before */
  world->mono += 6 * TALLY_NS_PER_S;
  world->real += 6 * TALLY_NS_PER_S;
  tally_store_tend(&world->store);
  assert_int_equal(stats_of(world).lost[TALLY_LOSS_AGE], 4);
  while (world_read(world))
    ;
  world->mono += 2 * TALLY_NS_PER_S;
  world->real += 2 * TALLY_NS_PER_S;
  tally_store_tend(&world->store);
  assert_int_equal(stats_of(world).lost[TALLY_LOSS_AGE], 8);
  world_drain(world);
  world_check(world);
}

/* A record waits for company, but not for longer because of the spool. */
static void test_linger(void **state) {
  world_t *world = *state;
  tally_outbox_options_t options = {
      .linger_ns = 1000, .batch_records = 8, .spool = world->spool};
  for (int durable = 0; durable <= 1; durable++) {
    options.durable = durable;
    world_start(world, &options);
    uint64_t begin = world->mono;
    world_put(world, 1, 50);
    assert_int_equal(tally_store_due(&world->store, false), begin + 1000);
    assert_int_equal(tally_store_due(&world->store, true), 0);
    assert_false(world_send(world, MOOD_GOOD, false));
    world_put(world, 8, 50);
    assert_int_equal(tally_store_due(&world->store, false), 0);
    world_drain(world);
    world_end(world);
    world->real += TALLY_NS_PER_S;
  }
}

/* ---- values -------------------------------------------------------------- */

/* The line of types.db and ours name the same sources in the same order. */
static void test_types(void **state) {
  const char *srcdir = getenv("TALLY_SRCDIR");
  char path[512], line[4096];
  snprintf(path, sizeof(path), "%s/types.db", srcdir != NULL ? srcdir : "..");
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  unsigned found = 0;
  while (fgets(line, sizeof(line), file) != NULL) {
    char *rest, *word = strtok_r(line, " \t\n", &rest);
    for (int set = 0; word != NULL && set < TALLY_OUTBOX_SETS; set++) {
      if (strcmp(word, tally_outbox_set_type(set)) != 0)
        continue;
      found++;
      size_t i = 0;
      while ((word = strtok_r(NULL, " \t\n,", &rest)) != NULL) {
        const char *name = tally_outbox_value_name(set, i++);
        char expected[64];
        assert_non_null(name);
        snprintf(expected, sizeof(expected), "%s:GAUGE:0:U", name);
        assert_string_equal(word, expected);
      }
      assert_null(tally_outbox_value_name(set, i));
    }
  }
  fclose(file);
  assert_int_equal(found, TALLY_OUTBOX_SETS);
}

static void test_values(void **state) {
  tally_outbox_stats_t stats = {
      .accepted = 10,
      .sent = 4,
      .queued = 3,
      .oldest_age_ns = 1500 * TALLY_NS_PER_MS,
      .last_error = 429,
      .lost = {[TALLY_LOSS_AGE] = 2, [TALLY_LOSS_NO_ROOM] = 1}};
  double values[10] = {0};
  assert_int_equal(
      tally_outbox_values(&stats, TALLY_OUTBOX_SET_MAIN, values, 10), 10);
  assert_true(values[0] == 10 && values[1] == 4 && values[4] == 3 &&
              values[5] == 3 && values[7] == 1.5 && values[8] == 429);
  values[3] = NAN;
  assert_int_equal(
      tally_outbox_values(&stats, TALLY_OUTBOX_SET_LOSSES, values, 3), 10);
  assert_true(values[1] == 1 && isnan(values[3]));
  assert_string_equal(tally_loss_name(TALLY_LOSS_NO_ROOM), "no_room");
}

#define TEST(name)                                                             \
  cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_refusals),
      TEST(test_memory_first),
      TEST(test_full_disk),
      TEST(test_durable_survives),
      TEST(test_end_keeps_order),
      TEST(test_age),
      TEST(test_linger),
      cmocka_unit_test(test_types),
      cmocka_unit_test(test_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
