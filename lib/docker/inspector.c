/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/inspector.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "docker/container_private.h"

#define TIMEOUT_MS 5000
#define UNDER_WAY_MAX 8
#define BACKGROUND_MAX 4 /* of them; the others are kept for events */
#define RETRY_FIRST_NS TALLY_NS_PER_S
#define RETRY_DOUBLINGS 6 /* up to 64 s */
/* One failure may be the daemon going down, of which the end of the event
 * stream tells. */
#define FAILURES_WORTH_A_WARNING 2

typedef struct tally_inspect_s {
  tally_transfer_t transfer;
  tally_inspector_t *inspector;
  tally_entry_t *entry;
  uint64_t covers; /* wishes up to this number */
  bool background;
  char path[TALLY_ENGINE_PATH_SIZE];
} tally_inspect_t;

void tally_inspector_init(tally_inspector_t *inspector, const char *daemon_name,
                          tally_http_t *http, const tally_engine_t *engine,
                          tally_table_t *table) {
  *inspector = (tally_inspector_t){.daemon_name = daemon_name,
                                   .http = http,
                                   .engine = engine,
                                   .table = table};
  TAILQ_INIT(&inspector->urgent);
  TAILQ_INIT(&inspector->background);
  TAILQ_INIT(&inspector->later);
}

/* ---- waiting ------------------------------------------------------------- */

static void unqueue(tally_entry_t *entry) {
  if (entry->queue != NULL)
    TAILQ_REMOVE(entry->queue, entry, link);
  entry->queue = NULL;
}

/* Puts it where it belongs, unless it is under way: then it is queued again
 * when it comes back. */
static void queue(tally_inspector_t *inspector, tally_entry_t *entry) {
  unqueue(entry);
  if (entry->inspect != NULL || entry->wished <= entry->answered)
    return;
  entry->queue = entry->retry_ns != 0 ? &inspector->later
                 : entry->urgent      ? &inspector->urgent
                                      : &inspector->background;
  TAILQ_INSERT_TAIL(entry->queue, entry, link);
}

uint64_t tally_inspector_wish(tally_inspector_t *inspector,
                              tally_entry_t *entry, bool urgent) {
  entry->wished = ++inspector->wishes;
  if (!urgent) { /* a census: everything has a new chance */
    entry->retry_ns = 0;
    entry->failures = 0;
  }
  if (urgent)
    entry->urgent = true;
  /* Who waits already keeps his place, if it is a good one. */
  if (entry->queue == NULL || entry->queue == &inspector->later ||
      (urgent && entry->queue == &inspector->background))
    queue(inspector, entry);
  return entry->wished;
}

bool tally_inspector_is_given_up(const tally_entry_t *entry, uint64_t wish) {
  return entry->answered < wish && entry->inspect == NULL &&
         entry->retry_ns != 0;
}

bool tally_inspector_is_idle(const tally_inspector_t *inspector) {
  return inspector->under_way == 0 && TAILQ_EMPTY(&inspector->urgent) &&
         TAILQ_EMPTY(&inspector->background);
}

/* ---- asking -------------------------------------------------------------- */

static void leave(tally_inspect_t *inspect) {
  inspect->entry->inspect = NULL;
  inspect->inspector->under_way--;
  if (inspect->background)
    inspect->inspector->under_way_background--;
  tally_transfer_clear(&inspect->transfer);
  free(inspect);
}

static void set_well(tally_inspector_t *inspector, tally_entry_t *entry) {
  entry->failures = 0;
  if (entry->troubled)
    inspector->troubled--;
  entry->troubled = false;
}

static void set_failed(tally_inspector_t *inspector, tally_entry_t *entry,
                       const tally_error_t *err) {
  inspector->errors++;
  if (entry->failures < RETRY_DOUBLINGS)
    entry->failures++;
  if (entry->failures < FAILURES_WORTH_A_WARNING || entry->troubled)
    return;
  entry->troubled = true;
  if (inspector->troubled++ == 0)
    tally_log(TALLY_LOG_WARNING,
              "Docker at %s: inspect of container %.12s: %s; trying again",
              inspector->daemon_name, entry->id, err->message);
}

/* The container that was asked for; NULL and *err if the answer shows none or
 * another. */
static const tally_container_t *parse(const tally_transfer_t *transfer,
                                      const char *id, tally_error_t *err) {
  tally_json_t *json =
      tally_json_parse(transfer->answer.data, transfer->answer.len, err);
  const tally_container_t *container =
      json != NULL ? tally_container_parse(json, err) : NULL;
  tally_json_destroy(json);
  if (container != NULL && strcmp(container->id, id) != 0) {
    tally_container_unref(container);
    tally_error_set(err, 0, "the answer is about another container");
    return NULL;
  }
  return container;
}

static void on_done(tally_transfer_t *transfer) {
  tally_inspect_t *inspect = transfer->data;
  tally_inspector_t *inspector = inspect->inspector;
  tally_entry_t *entry = inspect->entry;

  entry->answered = inspect->covers;
  entry->fresh = false;
  entry->retry_ns = 0;
  tally_error_t err = {0};
  bool gone = !transfer->failed && transfer->status == 404;
  if (tally_transfer_check(transfer, &err) == 0) {
    const tally_container_t *container = parse(transfer, entry->id, &err);
    if (container != NULL) {
      tally_table_set(inspector->table, entry, container);
      entry->fresh = true;
    }
  }
  if (entry->fresh || gone) {
    set_well(inspector, entry);
  } else {
    set_failed(inspector, entry, &err);
    entry->retry_ns =
        tally_clock_monotonic_ns() + (RETRY_FIRST_NS << (entry->failures - 1));
    if (entry->wished <= entry->answered)
      entry->wished = ++inspector->wishes;
  }
  if (entry->urgent)
    inspector->urgent_answered = true;
  if (entry->wished <= entry->answered || !entry->fresh)
    entry->urgent = false;
  leave(inspect);
  queue(inspector, entry);
}

static bool start(tally_inspector_t *inspector, tally_entry_t *entry,
                  bool background) {
  tally_inspect_t *inspect = calloc(1, sizeof(*inspect));
  if (inspect == NULL)
    return false;
  inspect->inspector = inspector;
  inspect->entry = entry;
  inspect->covers = entry->wished;
  inspect->background = background;
  inspect->transfer = (tally_transfer_t){.path = inspect->path,
                                         .timeout_ms = TIMEOUT_MS,
                                         .data = inspect,
                                         .on_done = on_done};
  tally_engine_inspect_path(inspector->engine, inspect->path, entry->id);
  if (tally_http_start(inspector->http, &inspect->transfer, NULL) != 0) {
    free(inspect);
    return false;
  }
  entry->inspect = inspect;
  inspector->under_way++;
  if (background)
    inspector->under_way_background++;
  inspector->inspects++;
  unqueue(entry);
  return true;
}

/* Who has waited long enough after a failure gets in line again. */
static int revive(tally_inspector_t *inspector) {
  uint64_t now = tally_clock_monotonic_ns(), next = UINT64_MAX;
  tally_entry_t *entry = TAILQ_FIRST(&inspector->later);
  while (entry != NULL) {
    tally_entry_t *following = TAILQ_NEXT(entry, link);
    if (entry->retry_ns <= now) {
      entry->retry_ns = 0;
      queue(inspector, entry);
    } else if (entry->retry_ns < next) {
      next = entry->retry_ns;
    }
    entry = following;
  }
  return next == UINT64_MAX ? -1 : (int)((next - now) / TALLY_NS_PER_MS) + 1;
}

int tally_inspector_pump(tally_inspector_t *inspector) {
  int wait_ms = revive(inspector);
  tally_entry_t *entry;
  while (inspector->under_way < UNDER_WAY_MAX &&
         (entry = TAILQ_FIRST(&inspector->urgent)) != NULL)
    if (!start(inspector, entry, false))
      return 1000;
  while (inspector->under_way < UNDER_WAY_MAX &&
         inspector->under_way_background < BACKGROUND_MAX &&
         (entry = TAILQ_FIRST(&inspector->background)) != NULL)
    if (!start(inspector, entry, true))
      return 1000;
  return wait_ms;
}

void tally_inspector_forget(tally_inspector_t *inspector,
                            tally_entry_t *entry) {
  unqueue(entry);
  set_well(inspector, entry);
  if (entry->inspect == NULL)
    return;
  tally_http_cancel(&entry->inspect->transfer);
  leave(entry->inspect);
}
