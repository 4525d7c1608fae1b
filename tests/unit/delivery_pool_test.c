/* SPDX-License-Identifier: MIT */
/* Items that are used again, and how much memory waits for that:
 * lib/delivery/pool.c, item.c, and what the store makes of them. */
#include "config.h"

#include "unit.h"

#include "core/clock.h"
#include "delivery_world.h"

#define LARGEST ((size_t)32 * 1024)

static char bytes[LARGEST + 1];

static tally_record_t record_of(size_t len) {
  return (tally_record_t){
      .key = bytes, .key_len = 4, .data = bytes, .len = len};
}

static size_t cost_of(size_t len) {
  tally_record_t record = record_of(len);
  return tally_item_cost(&record);
}

static tally_item_t *create(tally_pool_t *pool, size_t len) {
  tally_record_t record = record_of(len);
  tally_item_t *item = tally_pool_create_item(pool, &record);
  assert_non_null(item);
  return item;
}

/* ---- sizes --------------------------------------------------------------- */

static void test_classes(void **state) {
  for (size_t len = 0; len < 2 * LARGEST; len++) {
    tally_record_t record = record_of(len);
    unsigned class = tally_item_class(&record);
    size_t need = sizeof(tally_item_t) + record.key_len + len;
    size_t cost = tally_item_cost(&record);
    if (class == TALLY_ITEM_CLASSES) {
      assert_true(need > LARGEST - 17);
      assert_int_equal(cost, need + 16);
      continue;
    }
    assert_int_equal(cost, tally_item_class_cost(class));
    assert_true(tally_item_class_bytes(class) >= need);
    assert_true(class == 0 || tally_item_class_bytes(class - 1) < need);
    assert_true(class == 0 || (cost - need - 16) * 9 <= cost);
  }
  assert_int_equal(tally_item_class_cost(0), 128);
  assert_int_equal(tally_item_class_cost(TALLY_ITEM_CLASSES - 1), LARGEST);
}

/* ---- a pool alone -------------------------------------------------------- */

static void test_used_again(void **state) {
  tally_pool_t pool;
  tally_pool_init(&pool);
  tally_item_t *a = create(&pool, 100), *b = create(&pool, 101);
  a->seq = 7;
  tally_pool_keep(&pool, a);
  tally_pool_keep(&pool, b);
  assert_int_equal(pool.bytes, 2 * cost_of(100));
  tally_item_t *large = create(&pool, 1000); /* another size */
  assert_true(large != a && large != b);
  tally_record_t record = {
      .key = "key", .key_len = 3, .data = "data", .len = 99, .time_ns = 5};
  char data[99] = "data";
  record.data = data;
  assert_ptr_equal(tally_pool_create_item(&pool, &record), b);
  assert_ptr_equal(create(&pool, 100), a);
  assert_int_equal(pool.bytes, 0);
  assert_int_equal(a->seq, 0); /* nothing of before */
  tally_record_t copy = tally_item_record(b);
  assert_int_equal(copy.time_ns, 5);
  assert_memory_equal(copy.key, "key", 3);
  assert_memory_equal(copy.data, data, sizeof(data));
  tally_pool_keep(&pool, a);
  tally_pool_keep(&pool, NULL);
  free(b); /* as good */
  free(large);
  tally_pool_clear(&pool);
  assert_int_equal(pool.bytes, 0);
}

static void test_large_ones_are_not_kept(void **state) {
  tally_pool_t pool;
  tally_pool_init(&pool);
  tally_pool_keep(&pool, create(&pool, LARGEST));
  assert_int_equal(pool.bytes, 0);
}

static void test_limit(void **state) {
  tally_pool_t pool;
  tally_pool_init(&pool);
  tally_item_t *small = create(&pool, 10), *items[8];
  for (size_t i = 0; i < COUNT_OF(items); i++)
    items[i] = create(&pool, 2000);
  tally_pool_keep(&pool, small);
  for (size_t i = 0; i < COUNT_OF(items); i++)
    tally_pool_keep(&pool, items[i]);
  tally_pool_limit(&pool, 3 * cost_of(2000));
  assert_int_equal(pool.bytes, 2 * cost_of(2000) + cost_of(10));
  tally_pool_limit(&pool, cost_of(10));
  assert_int_equal(pool.bytes, cost_of(10));
  tally_pool_clear(&pool);
}

static void keep_some(tally_pool_t *pool, size_t count, size_t len) {
  tally_item_t *items[16];
  for (size_t i = 0; i < count; i++)
    items[i] = create(pool, len);
  for (size_t i = 0; i < count; i++)
    tally_pool_keep(pool, items[i]);
}

/* What was needed since the last time stays. */
static void test_trim(void **state) {
  tally_pool_t pool;
  tally_pool_init(&pool);
  keep_some(&pool, 16, 100);
  tally_pool_trim(&pool, 100);
  assert_int_equal(pool.bytes, 16 * cost_of(100));
  keep_some(&pool, 6, 100);
  tally_pool_trim(&pool, 100);
  assert_int_equal(pool.bytes, 6 * cost_of(100));
  tally_pool_trim(&pool, 4);
  assert_int_equal(pool.bytes, 2 * cost_of(100));
  tally_pool_trim(&pool, 4);
  assert_int_equal(pool.bytes, 0);
}

static void test_move(void **state) {
  tally_pool_t one, other;
  tally_pool_init(&one);
  tally_pool_init(&other);
  keep_some(&one, 3, 100);
  keep_some(&other, 2, 100);
  keep_some(&other, 2, 1000);
  tally_pool_move(&one, &other);
  assert_int_equal(other.bytes, 0);
  assert_int_equal(one.bytes, 5 * cost_of(100) + 2 * cost_of(1000));
  keep_some(&one, 5, 100);
  keep_some(&one, 2, 1000);
  assert_int_equal(one.bytes, 5 * cost_of(100) + 2 * cost_of(1000));
  tally_pool_clear(&one);
  tally_pool_clear(&other);
}

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>

static void test_kept_is_poisoned(void **state) {
  tally_pool_t pool;
  tally_pool_init(&pool);
  tally_item_t *item = create(&pool, 100);
  tally_pool_keep(&pool, item);
  assert_true(__asan_address_is_poisoned(&item->seq));
  assert_true(__asan_address_is_poisoned(&item->bytes[103]));
  assert_ptr_equal(create(&pool, 100), item);
  assert_false(__asan_address_is_poisoned(&item->seq));
  assert_false(__asan_address_is_poisoned(&item->bytes[103]));
  free(item);
}
#else
static void test_kept_is_poisoned(void **state) { SKIP("no ASan"); }
#endif

/* ---- in an outbox -------------------------------------------------------- */

static size_t kept(const world_t *world) {
  return world->store.pool.bytes + world->store.lent.bytes;
}

static size_t in_use(const world_t *world) {
  return world->store.window.bytes + world->store.tail_bytes;
}

/* Other sizes come, and one key does not go away: what is kept makes room. */
static void test_memory_holds(void **state) {
  world_t *world = *state;
  tally_outbox_options_t options = {.memory_bytes = 20000, .batch_records = 40};
  world_start(world, &options);
  size_t most = 0;
  for (size_t longest = 16; longest < 4000; longest *= 2)
    for (unsigned i = 0; i < 8; i++) {
      world_put(world, 16, longest);
      world_send(world, i % 2 ? MOOD_GOOD : MOOD_PARTIAL, true);
      size_t taken = in_use(world) + kept(world);
      assert_true(taken <= options.memory_bytes);
      most = taken > most ? taken : most;
      world->mono += TALLY_NS_PER_S;
    }
  assert_true(most > options.memory_bytes / 2); /* it is used, too */
  world_drain(world);
  world_check(world);
}

static void test_quiet_outbox_gives_back(void **state) {
  world_t *world = *state;
  tally_outbox_options_t options = {.memory_records = 2000,
                                    .batch_records = 2000};
  world_start(world, &options);
  for (unsigned i = 0; i < 100; i++)
    world_put(world, 10, 200);
  world_drain(world);
  assert_true(kept(world) > 100000);
  for (unsigned seconds = 0; seconds < 15; seconds++) {
    world->mono += TALLY_NS_PER_S;
    tally_store_tend(&world->store);
  }
  assert_int_equal(kept(world), 0);
}

/* What is read from the spool goes around, too, and nothing stays lent. */
static void test_reading(void **state) {
  world_t *world = *state;
  tally_outbox_options_t options = {
      .spool = world->spool, .durable = true, .batch_records = 100};
  world_start(world, &options);
  for (unsigned i = 0; i < 20; i++) {
    world_put(world, 16, 40);
    world_drain(world);
    assert_int_equal(world->store.lent.bytes, 0);
    assert_true(kept(world) > 0);
    assert_true(kept(world) <= 4 * 16 * cost_of(40));
  }
}

#define TEST(name)                                                             \
  cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_classes),
      cmocka_unit_test(test_used_again),
      cmocka_unit_test(test_large_ones_are_not_kept),
      cmocka_unit_test(test_limit),
      cmocka_unit_test(test_trim),
      cmocka_unit_test(test_move),
      cmocka_unit_test(test_kept_is_poisoned),
      TEST(test_memory_holds),
      TEST(test_quiet_outbox_gives_back),
      TEST(test_reading),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
