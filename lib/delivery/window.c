/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "delivery/window.h"

#include <stdlib.h>

/* Running out of memory is found out by looking, not by leaving. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "core/hash.h"

struct tally_group_s {
  UT_hash_handle hh;
  TAILQ_ENTRY(tally_group_s) link; /* in `waiting` */
  uint64_t id;
  size_t records; /* in the window; the group lives as long as there are any */
  bool waits;
  bool sent, failed; /* in the batch that is being settled */
  uint64_t until;
  tally_backoff_t backoff;
  tally_items_t parked; /* older than all of the group's in `ready` */
};

void tally_window_init(tally_window_t *window) {
  TAILQ_INIT(&window->ready);
  TAILQ_INIT(&window->waiting);
}

/* ---- groups -------------------------------------------------------------- */

static uint64_t group_id(const tally_window_t *window,
                         const tally_item_t *item) {
  const tally_destination_t *destination = window->destination;
  if (destination->group != NULL)
    return destination->group(destination->data, item->bytes, item->key_len);
  /* Two keys with one hash would only wait for each other. */
  return tally_hash(item->bytes, item->key_len);
}

static tally_group_t *group_of(tally_window_t *window,
                               const tally_item_t *item) {
  uint64_t id = group_id(window, item);
  tally_group_t *group;
  HASH_FIND(hh, window->groups, &id, sizeof(id), group);
  if (group != NULL)
    return group;
  group = calloc(1, sizeof(*group));
  if (group == NULL)
    return NULL;
  group->id = id;
  TAILQ_INIT(&group->parked);
  HASH_ADD(hh, window->groups, id, sizeof(group->id), group);
  if (group->hh.tbl == NULL) { /* the table could not grow */
    free(group);
    return NULL;
  }
  return group;
}

static void go_on(tally_window_t *window, tally_group_t *group) {
  if (!group->waits)
    return;
  group->waits = false;
  TAILQ_REMOVE(&window->waiting, group, link);
}

static void leave_group(tally_window_t *window, tally_item_t *item) {
  tally_group_t *group = item->group;
  item->group = NULL;
  if (--group->records > 0)
    return;
  go_on(window, group);
  HASH_DEL(window->groups, group);
  free(group);
}

/* ---- the list ------------------------------------------------------------ */

static void enter_ready(tally_window_t *window, const tally_item_t *item) {
  window->ready_records++;
  window->ready_size += item->size;
}

static void leave_ready(tally_window_t *window, tally_item_t *item) {
  TAILQ_REMOVE(&window->ready, item, link);
  window->ready_records--;
  window->ready_size -= item->size;
}

static size_t cost_of(const tally_item_t *item) {
  tally_record_t record = tally_item_record(item);
  return tally_item_cost(&record);
}

int tally_window_add(tally_window_t *window, tally_item_t *item) {
  item->group = group_of(window, item);
  if (item->group == NULL)
    return -1;
  item->group->records++;
  TAILQ_INSERT_TAIL(&window->ready, item, link);
  enter_ready(window, item);
  window->records++;
  window->bytes += cost_of(item);
  return 0;
}

/* The item is in no list of the window any more. */
static void forget(tally_window_t *window, tally_item_t *item) {
  leave_group(window, item);
  window->records--;
  window->bytes -= cost_of(item);
}

static void park(tally_window_t *window, tally_item_t *item) {
  leave_ready(window, item);
  TAILQ_INSERT_TAIL(&item->group->parked, item, link);
}

static void unpark(tally_window_t *window, tally_group_t *group) {
  tally_item_t *item;
  TAILQ_FOREACH(item, &group->parked, link)
  enter_ready(window, item);
  TAILQ_CONCAT(&group->parked, &window->ready, link);
  TAILQ_CONCAT(&window->ready, &group->parked, link);
  go_on(window, group);
}

static void unpark_due(tally_window_t *window, uint64_t now) {
  for (tally_group_t *group = TAILQ_FIRST(&window->waiting), *next;
       group != NULL; group = next) {
    next = TAILQ_NEXT(group, link);
    if (group->until <= now)
      unpark(window, group);
  }
}

/* ---- batches ------------------------------------------------------------- */

uint64_t tally_window_due(tally_window_t *window, uint64_t now, bool hurry) {
  unpark_due(window, now);
  tally_item_t *first;
  while ((first = TAILQ_FIRST(&window->ready)) != NULL && first->group->waits)
    park(window, first);

  uint64_t due = TALLY_NEVER;
  if (first != NULL) {
    bool full = window->ready_records >= window->batch_records ||
                window->ready_size >= window->batch_bytes;
    due = hurry || full || first->attempts > 0 ? 0 : first->due_ns;
  }
  tally_group_t *group;
  TAILQ_FOREACH(group, &window->waiting, link)
  if (group->until < due)
    due = group->until;
  if (due != TALLY_NEVER && due < window->wait_until)
    due = window->wait_until;
  return due <= now ? 0 : due;
}

size_t tally_window_take(tally_window_t *window, uint64_t now,
                         tally_item_t **items) {
  if (window->wait_until > now)
    return 0;
  unpark_due(window, now);
  size_t count = 0, size = 0;
  for (tally_item_t *item = TAILQ_FIRST(&window->ready), *next;
       item != NULL && count < window->batch_records; item = next) {
    next = TAILQ_NEXT(item, link);
    if (item->group->waits) {
      park(window, item);
      continue;
    }
    if (count > 0 && size + item->size > window->batch_bytes)
      break;
    size += item->size;
    leave_ready(window, item);
    items[count++] = item;
  }
  return count;
}

static bool is_over(tally_fate_t fate) {
  return fate == TALLY_FATE_SENT || fate == TALLY_FATE_REFUSED;
}

static void note_success(tally_window_t *window, tally_item_t **items,
                         const tally_fate_t *fates, size_t count) {
  for (size_t i = 0; i < count; i++)
    items[i]->group->sent = items[i]->group->failed = false;
  for (size_t i = 0; i < count; i++)
    if (is_over(fates[i]))
      items[i]->group->sent = true;
  for (size_t i = 0; i < count; i++)
    if (items[i]->group->sent)
      tally_backoff_succeed(&items[i]->group->backoff);
}

static void make_wait(tally_window_t *window, tally_group_t *group,
                      uint64_t now, uint64_t random, uint64_t retry_after_ns) {
  if (group->failed)
    return; /* one failure per call, however many of its records */
  group->failed = true;
  group->until =
      now + tally_backoff_fail(&group->backoff, window->backoff_base_ns,
                               window->backoff_cap_ns, retry_after_ns, random);
  group->waits = true;
  TAILQ_INSERT_TAIL(&window->waiting, group, link);
}

void tally_window_settle(tally_window_t *window, uint64_t now, uint64_t random,
                         tally_item_t **items, const tally_fate_t *fates,
                         size_t count, int status, uint64_t retry_after_ns) {
  if (status < 0)
    window->wait_until =
        now + tally_backoff_fail(&window->backoff, window->backoff_base_ns,
                                 window->backoff_cap_ns, retry_after_ns,
                                 random);
  else
    tally_backoff_succeed(&window->backoff);
  note_success(window, items, fates, count);

  /* From the last to the first, so that what goes in front ends in order. */
  for (size_t i = count; i-- > 0;) {
    tally_item_t *item = items[i];
    if (is_over(fates[i])) {
      forget(window, item);
      continue;
    }
    items[i] = NULL;
    item->attempts++;
    if (status < 0) {
      TAILQ_INSERT_HEAD(&window->ready, item, link);
      enter_ready(window, item);
      continue;
    }
    /* Each group another part of the same number. */
    make_wait(window, item->group, now,
              random ^ item->group->id * UINT64_C(0x9e3779b97f4a7c15),
              retry_after_ns);
    TAILQ_INSERT_HEAD(&item->group->parked, item, link);
  }
}

/* ---- the rest ------------------------------------------------------------ */

static void expire_list(tally_window_t *window, tally_items_t *list,
                        uint64_t limit, tally_items_t *expired) {
  for (tally_item_t *item = TAILQ_FIRST(list), *next; item != NULL;
       item = next) {
    next = TAILQ_NEXT(item, link); /* what had to wait stands out of order */
    if (item->accepted_ns >= limit)
      continue;
    if (list == &window->ready)
      leave_ready(window, item);
    else
      TAILQ_REMOVE(list, item, link);
    TAILQ_INSERT_TAIL(expired, item, link);
    forget(window, item);
  }
}

void tally_window_expire(tally_window_t *window, uint64_t limit,
                         tally_items_t *expired) {
  expire_list(window, &window->ready, limit, expired);
  for (tally_group_t *group = TAILQ_FIRST(&window->waiting), *next;
       group != NULL; group = next) {
    next = TAILQ_NEXT(group, link);
    group->records++; /* keeps it alive while its list is looked at */
    expire_list(window, &group->parked, limit, expired);
    if (--group->records == 0) {
      go_on(window, group);
      HASH_DEL(window->groups, group);
      free(group);
    }
  }
}

void tally_window_drain(tally_window_t *window, tally_items_t *drained) {
  tally_group_t *group;
  while ((group = TAILQ_FIRST(&window->waiting)) != NULL)
    unpark(window, group);
  tally_item_t *item;
  while ((item = TAILQ_FIRST(&window->ready)) != NULL) {
    leave_ready(window, item);
    TAILQ_INSERT_TAIL(drained, item, link);
    forget(window, item);
  }
}

size_t tally_window_list(const tally_window_t *window, tally_item_t **items) {
  size_t count = 0;
  tally_item_t *item;
  TAILQ_FOREACH(item, &window->ready, link)
  items[count++] = item;
  const tally_group_t *group;
  TAILQ_FOREACH(group, &window->waiting, link)
  TAILQ_FOREACH(item, &group->parked, link)
  items[count++] = item;
  return count;
}

uint64_t tally_window_oldest(const tally_window_t *window) {
  uint64_t oldest = TALLY_NEVER;
  const tally_item_t *item = TAILQ_FIRST(&window->ready);
  if (item != NULL)
    oldest = item->accepted_ns;
  const tally_group_t *group;
  TAILQ_FOREACH(group, &window->waiting, link) {
    item = TAILQ_FIRST(&group->parked);
    if (item != NULL && item->accepted_ns < oldest)
      oldest = item->accepted_ns;
  }
  return oldest;
}

void tally_window_clear(tally_window_t *window) {
  tally_items_t items = TAILQ_HEAD_INITIALIZER(items);
  tally_window_drain(window, &items);
  tally_items_clear(&items);
  tally_group_t *group, *next; /* of records in a batch */
  HASH_ITER(hh, window->groups, group, next) {
    HASH_DEL(window->groups, group);
    free(group);
  }
}
