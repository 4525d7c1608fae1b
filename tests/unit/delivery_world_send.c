/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit.h"

#include <errno.h>

#include "delivery_world.h"

#define REFUSED_EVERY 97 /* such records are never taken */

/* ---- receiving ----------------------------------------------------------- */

static uint32_t number_of(const tally_record_t *record) {
  uint32_t number;
  assert_true(record->len >= sizeof(number));
  memcpy(&number, record->data, sizeof(number));
  assert_true(number < WORLD_RECORDS);
  assert_int_equal(record->time_ns, number);
  return number;
}

static void receive(world_t *world, const tally_record_t *record) {
  uint32_t number = number_of(record);
  unsigned key = world->key[number];
  assert_int_not_equal(world->accepted[number], WORLD_NOT_ACCEPTED);
  if (world->received[number]++ > 0)
    return;
  world->in_order_checked++;
  if (number < world->next[key])
    world->out_of_order++;
  world->next[key] = number + 1;
}

/* ---- sending ------------------------------------------------------------- */

static bool is_refused(const tally_record_t *record) {
  return number_of(record) % REFUSED_EVERY == REFUSED_EVERY - 1;
}

/* What a destination that keeps order does: nothing of a key is taken behind
 * something of it that was not. */
static void receive_some(world_t *world, tally_batch_t *batch, unsigned percent,
                         bool answer) {
  bool stopped[WORLD_KEYS] = {false};
  for (size_t i = 0; i < batch->count; i++) {
    const tally_record_t *record = &batch->records[i];
    bool *stop = &stopped[world->key[number_of(record)]];
    tally_fate_t fate = TALLY_FATE_RETRY;
    bool taken = false;
    if (!*stop && is_refused(record)) {
      fate = TALLY_FATE_REFUSED;
    } else if (!*stop && world_chance(world, percent)) {
      taken = true;
      fate = world_chance(world, 90) ? TALLY_FATE_SENT : TALLY_FATE_UNSURE;
    }
    if (taken)
      receive(world, record);
    /* Who does not know whether it was taken sends nothing behind it. */
    *stop |= fate == TALLY_FATE_RETRY || fate == TALLY_FATE_UNSURE;
    if (answer)
      batch->fates[i] = fate;
  }
}

bool world_send(world_t *world, world_mood_t mood, bool hurry) {
  if (!tally_store_take(&world->store, hurry) || world->dead)
    return false;
  tally_batch_t *batch = &world->store.batch;
  tally_answer_t answer = {0};
  tally_error_t err = {0};
  int status = 0;
  switch (mood) {
  case MOOD_DEAD:
    for (size_t i = 0; i < batch->count; i++)
      batch->fates[i] = TALLY_FATE_RETRY;
    status = tally_error_set(&err, ECONNREFUSED, "destination");
    break;
  case MOOD_HUNG:
    receive_some(world, batch, 70, false);
    status = tally_error_set(&err, ETIMEDOUT, "destination");
    break;
  case MOOD_PARTIAL:
    receive_some(world, batch, 60, true);
    answer.status = 429;
    break;
  default:
    for (size_t i = 0; i < batch->count; i++) {
      bool refused = is_refused(&batch->records[i]);
      batch->fates[i] = refused ? TALLY_FATE_REFUSED : TALLY_FATE_SENT;
      if (!refused)
        receive(world, &batch->records[i]);
    }
  }
  tally_store_settle(&world->store, status, &answer, &err, 1);
  return true;
}

void world_kill_while_sending(world_t *world) {
  if (tally_store_take(&world->store, true) && !world->dead)
    receive_some(world, &world->store.batch, 70, false);
  world_kill(world);
}

bool world_read(world_t *world) {
  tally_spool_read_t read;
  if (!tally_store_read_begin(&world->store, &read))
    return false;
  tally_store_read_run(&read);
  if (world_chance(world, 20)) /* producers go on meanwhile */
    world_put_any(world, 40);
  tally_store_read_end(&world->store, &read);
  return true;
}

void world_drain(world_t *world) {
  world->disk_full = false;
  for (unsigned i = 0; tally_store_queued(&world->store) > 0; i++) {
    assert_true(i < 100000);
    tally_store_tend(&world->store);
    bool moved = world_read(world);
    moved |= world_send(world, MOOD_GOOD, true);
    if (!moved && tally_store_queued(&world->store) > 0) {
      uint64_t due = tally_store_due(&world->store, true);
      assert_true(due != TALLY_NEVER);
      world->mono = due > world->mono ? due : world->mono + 1;
    }
    world_check(world);
  }
}
