/* SPDX-License-Identifier: MIT */
/*
 * The promise of the outbox under everything at once: random puts, faults,
 * full disks, restarts, kills and torn files, thousands of short lives.
 *
 *   TALLY_SEED=N   one run, the one that failed
 *   TALLY_RUNS=N   so many
 */
#include "config.h"

#include "unit.h"

#include "core/clock.h"
#include "delivery_world.h"

#define RUNS 1500
#define STEPS 150

typedef struct plan_s {
  tally_outbox_options_t options;
  bool kills, cuts, full, ages, small;
} plan_t;

static plan_t make_plan(world_t *world) {
  plan_t plan = {
      .options = {.name = "test",
                  .memory_bytes = 2000 + world_below(world, 20000),
                  .memory_records = 4 + world_below(world, 60),
                  .record_bytes = 4000,
                  .batch_records = 1 + world_below(world, 20),
                  .batch_bytes = 100 + world_below(world, 2000),
                  .linger_ns = 1 + world_below(world, 3) * TALLY_NS_PER_MS,
                  .backoff_base_ns = TALLY_NS_PER_MS,
                  .backoff_cap_ns = 50 * TALLY_NS_PER_MS,
                  .max_age_ns = 1000 * TALLY_NS_PER_S,
                  .spool_bytes = UINT64_C(1) << 20,
                  .segment_bytes = 200 + world_below(world, 4000)},
      .kills = world_chance(world, 60),
      .full = world_chance(world, 40),
  };
  plan.options.spool = world_chance(world, 85) ? world->spool : NULL;
  plan.options.durable = world_chance(world, 50);
  if (plan.options.durable && plan.options.spool != NULL)
    world->notes_percent = world_chance(world, 30) ? 100 : 50;
  plan.options.sync = (tally_sync_t)world_below(world, 3);
  plan.small = world_chance(world, 30);
  if (plan.small)
    plan.options.spool_bytes = 2000 + world_below(world, 20000);
  plan.cuts = plan.kills && world_chance(world, 40);
  /* What was dropped for its age, but this could not be noted, comes back,
   * behind what came after it. */
  plan.ages = !plan.cuts && !plan.full && world_chance(world, 30);
  /* In a world that forgets, nobody knows how old the nothing is he finds. */
  world->forgets = !plan.full && !plan.cuts;
  return plan;
}

/* The next process, and what of the one before it finds. */
static void revive(world_t *world, const plan_t *plan, uint64_t on_disk) {
  world->disk_full = false;
  world->real += TALLY_NS_PER_S;
  world_start(world, &plan->options);
  uint64_t recovered = world->store.counters.recovered;
  assert_true(recovered >= on_disk || plan->cuts);
  world_check_notes(world,
                    plan->full || plan->cuts ? FAITH_OLDER : FAITH_EXACT);
}

static uint64_t records_on_disk(const world_t *world) {
  return world->store.spool != NULL ? world->store.spool->records : 0;
}

static void put(world_t *world) {
  world_put_any(world, world_chance(world, 5) ? 1500 : 60);
}

/* In the middle of something that is written. */
static void die_while_writing(world_t *world) {
  world->dies_in = 1 + (unsigned)world_below(world, 3);
  if (world_chance(world, 60)) {
    put(world);
  } else {
    tally_store_tend(&world->store);
    if (!world->dead)
      world_read(world);
    if (!world->dead)
      world_send(world, MOOD_PARTIAL, true);
  }
}

static void kill_and_revive(world_t *world, const plan_t *plan) {
  if (world_chance(world, 50))
    die_while_writing(world);
  uint64_t on_disk = records_on_disk(world);
  if (!world->dead && world_chance(world, 50)) {
    world_kill_while_sending(world);
  } else {
    world_kill(world);
  }
  if (plan->cuts)
    world_cut_files(world);
  revive(world, plan, on_disk);
}

static void restart(world_t *world, const plan_t *plan) {
  tally_store_save(&world->store);
  uint64_t on_disk = records_on_disk(world);
  world_end(world);
  revive(world, plan, on_disk);
}

static void step(world_t *world, const plan_t *plan) {
  unsigned die = (unsigned)world_below(world, 100);
  if (die < 35) {
    put(world);
  } else if (die < 65) {
    tally_store_tend(&world->store);
    world_read(world);
    world_send(world, (world_mood_t)world_below(world, MOODS),
               world_chance(world, 10));
  } else if (die < 75) {
    tally_store_tend(&world->store);
    world_send(world, MOOD_GOOD, false);
  } else if (die < 88) {
    uint64_t ns = 1 + world_below(world, 10 * TALLY_NS_PER_MS);
    if (world_chance(world, 10))
      ns += 2 * TALLY_NS_PER_S;
    if (plan->ages && world_chance(world, 5))
      ns += 999 * TALLY_NS_PER_S;
    world->mono += ns;
    world->real += ns;
  } else if (die < 93 && plan->full) {
    world->disk_full = !world->disk_full;
    world->writes_short = world_chance(world, 50);
  } else if (die < 95 && plan->kills) {
    kill_and_revive(world, plan);
  } else if (die < 97) {
    restart(world, plan);
  } else if (die < 98 && plan->options.sync == TALLY_SYNC_SECOND) {
    world_sync(world);
  }
}

static void run(world_t *world, uint64_t seed) {
  world_reset(world, seed);
  plan_t plan = make_plan(world);
  world_start(world, &plan.options);
  for (unsigned i = 0; i < STEPS; i++) {
    step(world, &plan);
    world_check(world);
  }
  world_drain(world);
  world_end(world);

  assert_int_equal(world->out_of_order, 0);
  assert_true(world_missing(world) <= world->counted_lost + world->forgotten);
  if (!plan.full && !plan.cuts)
    assert_true(world_duplicates(world) <= world->counted_duplicates);
  /* (A spool that is too small keeps nothing for those in memory.) */
  if (plan.options.durable && plan.options.spool != NULL && !plan.full &&
      !plan.cuts && !plan.small)
    assert_true(world->forgotten <= world->uncertain);
  /* Who puts notes for everything pushes nothing out, and finds again what
   * nobody has received. */
  if (!plan.cuts && (world->notes_percent == 100 || !plan.small))
    assert_true(world_missing_noted(world) <= world->counted_lost);
  if (world->notes_percent == 100 && !plan.full)
    assert_int_equal(world->counted_full, 0);
}

static uint64_t current_seed;
static bool finished;

/* A failed assertion does not come back to where the seed is known. */
static int say_seed(void **state) {
  if (!finished)
    print_message("# TALLY_SEED=%llu\n", (unsigned long long)current_seed);
  return 0;
}

static void test_promise(void **state) {
  const char *seed = getenv("TALLY_SEED"), *runs = getenv("TALLY_RUNS");
  uint64_t count = runs != NULL ? strtoull(runs, NULL, 10) : RUNS;
  world_t *world = calloc(1, sizeof(*world));
  uint64_t first = tally_clock_realtime_ns();
  if (seed != NULL) {
    first = strtoull(seed, NULL, 10);
    count = 1;
  }
  world_create(world, first);
  uint64_t in_order = 0, lost = 0, duplicates = 0, forgotten = 0;
  for (uint64_t i = 0; i < count; i++) {
    current_seed = first + i;
    run(world, current_seed);
    in_order += world->in_order_checked;
    lost += world->counted_lost;
    duplicates += world_duplicates(world);
    forgotten += world->forgotten;
  }
  print_message("# %llu records in order, %llu lost, %llu twice, %llu "
                "forgotten\n",
                (unsigned long long)in_order, (unsigned long long)lost,
                (unsigned long long)duplicates, (unsigned long long)forgotten);
  assert_true(in_order > 0);
  finished = true;
  world_destroy(world);
  free(world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_promise, say_seed)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
