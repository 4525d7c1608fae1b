/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit.h"

#include "delivery_world.h"

/* ---- records ------------------------------------------------------------- */

#define TOGETHER 16 /* records */

/* The next `count` of them, which live until the next call. */
static const tally_record_t *make_records(world_t *world, size_t count,
                                          size_t longest) {
  static char text[TOGETHER][4096];
  static char keys[TOGETHER][8];
  static tally_record_t records[TOGETHER];
  assert_true(count <= TOGETHER && longest + sizeof(uint32_t) <= 4096);
  for (size_t i = 0; i < count; i++) {
    uint32_t number = world->put++;
    assert_true(number < WORLD_RECORDS);
    world->key[number] = (unsigned char)world_below(world, WORLD_KEYS);
    int key_len = snprintf(keys[i], sizeof(keys[i]), "k%u", world->key[number]);
    memcpy(text[i], &number, sizeof(number));
    records[i] =
        (tally_record_t){.key = keys[i],
                         .key_len = (size_t)key_len,
                         .data = text[i],
                         .len = sizeof(number) + world_below(world, longest),
                         .time_ns = number};
  }
  return records;
}

/* Of the last `count` records. */
static void accept(world_t *world, const tally_loss_t *verdicts, size_t count) {
  for (size_t i = 0; i < count; i++) {
    bool accepted = verdicts[i] == TALLY_LOSS_NONE;
    unsigned char *is = &world->accepted[world->put - count + i];
    *is = accepted ? WORLD_ACCEPTED : WORLD_NOT_ACCEPTED;
    if (world->dead)
      *is = WORLD_PERHAPS;
  }
  world->uncertain += world->dead ? count : 0;
}

void world_put(world_t *world, size_t count, size_t longest) {
  const tally_record_t *records = make_records(world, count, longest);
  tally_loss_t verdicts[TOGETHER];
  size_t accepted = tally_store_put(&world->store, records, count, verdicts);
  for (size_t i = 0; i < count; i++)
    accepted -= verdicts[i] == TALLY_LOSS_NONE;
  assert_int_equal(accepted, 0);
  accept(world, verdicts, count);
}

/* ---- notes --------------------------------------------------------------- */

static const char *name_of(unsigned note) {
  static const char *const names[WORLD_NOTES] = {"first", "second", "third"};
  return names[note];
}

void world_put_noted(world_t *world, size_t count, size_t longest) {
  const tally_record_t *records = make_records(world, count, longest);
  unsigned note = (unsigned)world_below(world, WORLD_NOTES);
  unsigned step = ++world->notes[note].steps;
  char text[16];
  snprintf(text, sizeof(text), "%u", step);
  bool forgets =
      world->forgets && world->notes[note].says != 0 && world_chance(world, 20);
  tally_loss_t verdicts[TOGETHER];
  int status = tally_store_put_noted(&world->store, records, count, verdicts,
                                     name_of(note), forgets ? NULL : text);
  for (size_t i = 0; i < count; i++) {
    uint32_t number = world->put - (uint32_t)(count - i);
    world->note[number] = (unsigned char)(1 + note);
    world->step[number] = step;
    if (status != 0)
      verdicts[i] = TALLY_LOSS_NO_ROOM;
  }
  accept(world, verdicts, count);
  if (world->dead) {
    world->pending_note = 1 + note;
    world->pending_says = forgets ? 0 : step;
  } else if (status == 0) {
    world->notes[note].says = forgets ? 0 : step;
  }
}

void world_put_any(world_t *world, size_t longest) {
  if (world_chance(world, world->notes_percent))
    world_put_noted(world, world_below(world, 6), longest);
  else
    world_put(world, 1 + world_below(world, 5), longest);
}

/* Those that were put with the note in steps above `first`, up to `last`. */
static void set_accepted(world_t *world, unsigned note, unsigned first,
                         unsigned last, world_accepted_t accepted) {
  for (uint32_t i = 0; i < world->put; i++)
    if (world->note[i] == 1 + note && world->step[i] > first &&
        world->step[i] <= last && world->accepted[i] != WORLD_NOT_ACCEPTED)
      world->accepted[i] = (unsigned char)accepted;
}

static void check_note(world_t *world, unsigned note, world_faith_t faith) {
  const char *text = tally_store_note(&world->store, name_of(note));
  unsigned found = text != NULL ? (unsigned)strtoul(text, NULL, 10) : 0;
  unsigned steps = world->notes[note].steps, says = world->notes[note].says;
  if (world->pending_note == 1 + note) {
    /* All of the last step, or nothing. */
    bool whole = found == world->pending_says;
    set_accepted(world, note, steps - 1, steps,
                 whole ? WORLD_ACCEPTED : WORLD_NOT_ACCEPTED);
    if (whole)
      says = found;
  }
  if (faith == FAITH_EXACT)
    assert_int_equal(found, says);
  assert_true(found <= steps);
  /* What is behind it will be put again. */
  if (found != says)
    set_accepted(world, note, found, steps, WORLD_PERHAPS);
  world->notes[note].says = found;
}

void world_check_notes(world_t *world, world_faith_t faith) {
  for (unsigned i = 0; i < WORLD_NOTES; i++)
    check_note(world, i, faith);
  world->pending_note = 0;
}

uint64_t world_missing_noted(const world_t *world) {
  uint64_t missing = 0;
  for (uint32_t i = 0; i < world->put; i++)
    missing += world->note[i] != 0 && world->accepted[i] == WORLD_ACCEPTED &&
               world->received[i] == 0;
  return missing;
}
