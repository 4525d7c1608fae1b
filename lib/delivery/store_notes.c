/* SPDX-License-Identifier: MIT */
#include "config.h"

/* Records and what is noted of them: one step, on disk or in memory. */

#include <stdlib.h>
#include <string.h>

#include "delivery/store.h"

typedef struct group_s {
  tally_store_t *store;
  const tally_record_t *records;
  size_t count;
  const char *name, *text;
  uint64_t now, real_now;
  size_t good; /* of the records: those that may be taken */
} group_t;

static bool is_good(const group_t *group, size_t i) {
  return tally_store_check(group->store, &group->records[i]) == TALLY_LOSS_NONE;
}

/* ---- on disk ------------------------------------------------------------- */

static size_t size_on_disk(const group_t *group) {
  size_t size = TALLY_SEGMENT_RECORD + strlen(group->name) +
                (group->text != NULL ? strlen(group->text) : 0);
  for (size_t i = 0; i < group->count; i++)
    if (is_good(group, i))
      size += tally_segment_size(&group->records[i]);
  return size;
}

static int stage(const group_t *group) {
  tally_store_t *store = group->store;
  for (size_t i = 0; i < group->count; i++) {
    tally_stored_t stored = {.seq = store->last_seq + 1,
                             .accepted_ns = group->real_now,
                             .record = group->records[i],
                             .joined = true};
    if (!is_good(group, i))
      continue;
    if (tally_spool_stage(store->spool, &stored) != 0)
      return -1;
    store->last_seq++;
  }
  return tally_spool_stage_note(store->spool, ++store->last_seq,
                                group->real_now, group->name, group->text);
}

typedef enum outcome_e { TAKEN, NO_ROOM, DISK_FAILED } outcome_t;

static outcome_t put_on_disk(const group_t *group) {
  tally_store_t *store = group->store;
  if (!TAILQ_EMPTY(&store->tail) || store->alone)
    return NO_ROOM; /* there are some in front of it */
  if (!tally_spool_has_room(store->spool, size_on_disk(group)))
    return NO_ROOM;
  if (stage(group) != 0) {
    tally_spool_discard(store->spool);
    return NO_ROOM;
  }
  return tally_store_commit(store, group->now) == 0 ? TAKEN : DISK_FAILED;
}

/* ---- in memory ----------------------------------------------------------- */

static bool fits_memory(const group_t *group) {
  size_t bytes = 0;
  for (size_t i = 0; i < group->count; i++)
    if (is_good(group, i))
      bytes += tally_item_cost(&group->records[i]);
  return tally_store_has_room(group->store, group->good, bytes);
}

static int make_items(const group_t *group, tally_items_t *items) {
  tally_store_t *store = group->store;
  for (size_t i = 0; i < group->count; i++) {
    if (!is_good(group, i))
      continue;
    tally_item_t *item =
        tally_store_make_item(store, &group->records[i], ++store->last_seq,
                              group->now, group->real_now);
    if (item == NULL)
      return -1;
    TAILQ_INSERT_TAIL(items, item, link);
  }
  return 0;
}

static outcome_t put_in_memory(const group_t *group) {
  tally_store_t *store = group->store;
  if (!fits_memory(group) ||
      HASH_COUNT(store->waiting) + HASH_COUNT(store->spool->notes) >=
          TALLY_OUTBOX_NOTES_MAX)
    return NO_ROOM;
  tally_note_t *note = tally_notes_at(&store->waiting, group->name);
  tally_items_t items = TAILQ_HEAD_INITIALIZER(items);
  if (note == NULL || make_items(group, &items) != 0) {
    if (note != NULL && note->seq == 0)
      tally_notes_remove(&store->waiting, note);
    tally_items_clear(&items);
    return NO_ROOM;
  }
  tally_item_t *item;
  while ((item = TAILQ_FIRST(&items)) != NULL) {
    TAILQ_REMOVE(&items, item, link);
    tally_store_enter_tail(store, item);
  }
  tally_note_set(note, ++store->last_seq, group->text);
  store->alone = true;
  tally_store_move_tail(store, group->now);
  return TAKEN;
}

int tally_store_write_waiting(tally_store_t *store) {
  tally_spool_t *spool = store->spool;
  if (store->waiting == NULL)
    return 0;
  uint64_t real_now = tally_store_real_now(store);
  for (const tally_note_t *note = store->waiting; note != NULL;
       note = note->hh.next) {
    const char *text = note->forgotten ? NULL : note->text;
    if (tally_spool_stage_note(spool, ++store->last_seq, real_now, note->name,
                               text) != 0) {
      tally_spool_discard(spool);
      return -1;
    }
  }
  if (!tally_spool_has_room(spool, spool->staged_len)) {
    tally_spool_discard(spool);
    return -1;
  }
  if (tally_store_commit(store, tally_store_now(store)) != 0)
    return -1;
  tally_notes_clear(&store->waiting);
  return 0;
}

/* ---- put ----------------------------------------------------------------- */

static void keep_book(const group_t *group, tally_loss_t *verdicts) {
  tally_outbox_stats_t *c = &group->store->counters;
  c->accepted += group->good;
  for (size_t i = 0; i < group->count; i++) {
    tally_loss_t verdict = tally_store_check(group->store, &group->records[i]);
    if (verdict != TALLY_LOSS_NONE)
      c->lost[verdict]++;
    if (verdicts != NULL)
      verdicts[i] = verdict;
  }
}

int tally_store_put_noted(tally_store_t *store, const tally_record_t *records,
                          size_t count, tally_loss_t *verdicts,
                          const char *name, const char *text) {
  if (store->closed || store->spool == NULL || !store->options.durable ||
      !tally_note_is_valid(name, text))
    return -1;
  group_t group = {.store = store,
                   .records = records,
                   .count = count,
                   .name = name,
                   .text = text,
                   .now = tally_store_now(store),
                   .real_now = tally_store_real_now(store)};
  for (size_t i = 0; i < group.count; i++)
    group.good += is_good(&group, i);

  tally_store_move_tail(store, group.now);
  tally_store_rescue(store, group.now);
  outcome_t outcome = DISK_FAILED;
  if (tally_store_is_usable(store, group.now))
    outcome = put_on_disk(&group);
  if (outcome == DISK_FAILED)
    outcome = put_in_memory(&group);
  if (outcome != TAKEN)
    return -1;
  keep_book(&group, verdicts);
  return 0;
}

/* ---- look ---------------------------------------------------------------- */

const char *tally_store_note(const tally_store_t *store, const char *name) {
  if (store->spool == NULL || !tally_note_is_valid(name, NULL))
    return NULL;
  const tally_note_t *note = tally_notes_find(store->waiting, name);
  if (note == NULL)
    note = tally_notes_find(store->spool->notes, name);
  return note != NULL && !note->forgotten ? note->text : NULL;
}

void tally_store_notes(const tally_store_t *store,
                       void (*each)(const char *name, const char *text,
                                    void *data),
                       void *data) {
  if (store->spool == NULL)
    return;
  for (const tally_note_t *note = store->waiting; note != NULL;
       note = note->hh.next)
    if (!note->forgotten)
      each(note->name, note->text, data);
  for (const tally_note_t *note = store->spool->notes; note != NULL;
       note = note->hh.next)
    if (note->seq != 0 && !note->forgotten &&
        tally_notes_find(store->waiting, note->name) == NULL)
      each(note->name, note->text, data);
}
