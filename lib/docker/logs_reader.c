/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/logs_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/thread.h"

#define LINE_MAX_DEFAULT (1024 * 1024)
#define WAIT_MAX_MS 60000

/* Who is followed, for those who ask by id. */
typedef struct entry_s {
  char id[65]; /* first on purpose: see id_list.h */
  tally_log_followed_t *followed;
} entry_t;

/* The reader whose thread this is; NULL in all others. */
static _Thread_local const tally_log_reader_t *own_reader;

/* ---- agenda -------------------------------------------------------------- */

void tally_log_reader_schedule(tally_log_followed_t *followed, uint64_t ns) {
  tally_log_reader_t *reader = followed->reader;
  bool was_listed = followed->due_ns != TALLY_LOG_NEVER;
  followed->due_ns = ns;
  if (was_listed && ns == TALLY_LOG_NEVER)
    TAILQ_REMOVE(&reader->agenda, followed, agenda_link);
  else if (!was_listed && ns != TALLY_LOG_NEVER)
    TAILQ_INSERT_TAIL(&reader->agenda, followed, agenda_link);
}

static void leave(tally_log_followed_t *followed) {
  tally_log_reader_schedule(followed, TALLY_LOG_NEVER);
  TAILQ_REMOVE(&followed->reader->all, followed, link);
  tally_log_followed_destroy(followed);
}

/* Does what is due; returns how long nothing else will be. */
static int turn_all(tally_log_reader_t *reader) {
  bool resumed = atomic_exchange(&reader->resumed, false);
  uint64_t now = tally_clock_monotonic_ns();
  tally_log_followed_t *followed = TAILQ_FIRST(&reader->agenda), *next;
  for (; followed != NULL; followed = next) {
    next = TAILQ_NEXT(followed, agenda_link);
    if ((followed->due_ns <= now || (resumed && followed->held)) &&
        !tally_log_followed_turn(followed))
      leave(followed);
  }
  uint64_t due_ns = TALLY_LOG_NEVER;
  TAILQ_FOREACH(followed, &reader->agenda, agenda_link)
  if (followed->due_ns < due_ns)
    due_ns = followed->due_ns;
  if (due_ns <= now)
    return 0;
  uint64_t wait_ms = (due_ns - now) / TALLY_NS_PER_MS + 1;
  return wait_ms < WAIT_MAX_MS ? (int)wait_ms : WAIT_MAX_MS;
}

/* ---- callbacks ----------------------------------------------------------- */

/* False: nobody wants to hear of it any more. */
static bool begin_call(tally_log_followed_t *followed, bool last) {
  tally_log_reader_t *reader = followed->reader;
  const char *id = followed->container->id;
  pthread_mutex_lock(&reader->lock);
  bool wanted = !atomic_load(&followed->dropped);
  if (wanted)
    memcpy(reader->calling, id, sizeof(reader->calling));
  if (wanted && last) /* so that it may be followed again */
    tally_id_list_remove(&reader->table,
                         tally_id_list_find(&reader->table, id));
  pthread_mutex_unlock(&reader->lock);
  return wanted;
}

static void end_call(tally_log_reader_t *reader) {
  pthread_mutex_lock(&reader->lock);
  reader->calling[0] = '\0';
  pthread_cond_broadcast(&reader->called);
  pthread_mutex_unlock(&reader->lock);
}

void tally_log_reader_offer(tally_log_followed_t *followed) {
  tally_log_reader_t *reader = followed->reader;
  size_t count;
  const tally_log_line_t *lines =
      tally_log_batch_lines(followed->batch, &count);
  if (count == 0)
    return;
  if (!begin_call(followed, false)) {
    tally_log_batch_take(followed->batch, count);
    return;
  }
  size_t taken = reader->options.on_lines(followed->container, lines, count,
                                          followed->data);
  end_call(reader);
  if (taken > count)
    taken = count;
  size_t bytes = tally_log_batch_take(followed->batch, taken);
  atomic_fetch_add(&reader->stats.lines, taken);
  atomic_fetch_add(&reader->stats.bytes, bytes);
}

void tally_log_reader_finish(tally_log_followed_t *followed) {
  if (!begin_call(followed, true))
    return;
  followed->reader->options.on_end(
      followed->container, followed->end,
      followed->end == TALLY_LOG_ENDED ? NULL : &followed->end_err,
      followed->data);
  end_call(followed->reader);
}

/* ---- the thread ---------------------------------------------------------- */

static void look_at(tally_log_followed_t *followed,
                    const tally_snapshot_t *snapshot, bool back) {
  tally_log_followed_see(
      followed, tally_snapshot_find(snapshot, followed->container->id),
      snapshot->daemon.listed && snapshot->daemon.reachable, back);
}

static void attend_snapshot(tally_log_reader_t *reader) {
  if (!atomic_exchange(&reader->snapshot_changed, false))
    return;
  const tally_snapshot_t *snapshot =
      tally_inventory_snapshot(reader->inventory);
  const tally_daemon_t *daemon = &snapshot->daemon;
  bool back =
      daemon->reachable &&
      (!reader->reachable || reader->reachable_since_ns != daemon->since_ns);
  reader->reachable = daemon->reachable;
  reader->reachable_since_ns = daemon->since_ns;
  if (daemon->api_version[0] != '\0')
    tally_engine_adopt_api(&reader->engine, daemon->api_version);
  tally_log_followed_t *followed;
  TAILQ_FOREACH(followed, &reader->all, link)
  look_at(followed, snapshot, back);
  tally_snapshot_unref(snapshot);
}

static void admit(tally_log_reader_t *reader) {
  struct tally_log_followed_list_s fresh = TAILQ_HEAD_INITIALIZER(fresh);
  pthread_mutex_lock(&reader->lock);
  TAILQ_CONCAT(&fresh, &reader->fresh, link);
  pthread_mutex_unlock(&reader->lock);
  if (TAILQ_EMPTY(&fresh))
    return;
  const tally_snapshot_t *snapshot =
      tally_inventory_snapshot(reader->inventory);
  tally_log_followed_t *followed;
  while ((followed = TAILQ_FIRST(&fresh)) != NULL) {
    TAILQ_REMOVE(&fresh, followed, link);
    TAILQ_INSERT_TAIL(&reader->all, followed, link);
    look_at(followed, snapshot, false);
    tally_log_reader_schedule(followed, 0);
  }
  tally_snapshot_unref(snapshot);
}

static void dismiss(tally_log_reader_t *reader) {
  if (!atomic_exchange(&reader->dropped_some, false))
    return;
  tally_log_followed_t *followed = TAILQ_FIRST(&reader->all), *next;
  for (; followed != NULL; followed = next) {
    next = TAILQ_NEXT(followed, link);
    if (atomic_load(&followed->dropped))
      leave(followed);
  }
}

static void *run(void *data) {
  tally_log_reader_t *reader = data;
  own_reader = reader;
  while (!atomic_load(&reader->stop)) {
    attend_snapshot(reader);
    admit(reader);
    dismiss(reader);
    tally_http_run(reader->http, turn_all(reader));
  }
  return NULL;
}

/* ---- life ---------------------------------------------------------------- */

static void on_snapshot(void *data) {
  tally_log_reader_t *reader = data;
  atomic_store(&reader->snapshot_changed, true);
  tally_http_wake(reader->http);
}

static void release(tally_log_reader_t *reader) {
  TAILQ_CONCAT(&reader->all, &reader->fresh, link);
  while (!TAILQ_EMPTY(&reader->all))
    leave(TAILQ_FIRST(&reader->all));
  tally_http_destroy(reader->http);
  tally_id_list_clear(&reader->table);
  if (reader->spare != NULL)
    tally_log_batch_clear(reader->spare);
  free(reader->spare);
  tally_inventory_release(reader->inventory);
  pthread_mutex_destroy(&reader->lock);
  pthread_cond_destroy(&reader->called);
  free(reader);
}

tally_log_reader_t *
tally_log_reader_create(tally_inventory_t *inventory,
                        const tally_log_reader_options_t *options,
                        tally_error_t *err) {
  tally_log_reader_t *reader = calloc(1, sizeof(*reader));
  if (reader == NULL) {
    tally_error_set(err, ENOMEM, "log reader");
    return NULL;
  }
  pthread_mutex_init(&reader->lock, NULL);
  pthread_cond_init(&reader->called, NULL);
  TAILQ_INIT(&reader->fresh);
  TAILQ_INIT(&reader->all);
  TAILQ_INIT(&reader->agenda);
  reader->inventory = tally_inventory_ref(inventory);
  reader->options = *options;
  if (reader->options.line_max == 0)
    reader->options.line_max = LINE_MAX_DEFAULT;
  reader->http = tally_http_create(&inventory->endpoint, err);
  if (reader->http == NULL) {
    release(reader);
    return NULL;
  }
  atomic_store(&reader->snapshot_changed, true);
  reader->watcher =
      (tally_inventory_watcher_t){.on_change = on_snapshot, .data = reader};
  tally_inventory_watch(inventory, &reader->watcher);
  if (tally_thread_start(&reader->thread, "tally-logs", run, reader, err) !=
      0) {
    tally_inventory_unwatch(inventory, &reader->watcher);
    release(reader);
    return NULL;
  }
  return reader;
}

void tally_log_reader_destroy(tally_log_reader_t *reader) {
  if (reader == NULL)
    return;
  tally_inventory_unwatch(reader->inventory, &reader->watcher);
  atomic_store(&reader->stop, true);
  tally_http_wake(reader->http);
  pthread_join(reader->thread, NULL);
  release(reader);
}

/* ---- for all threads ----------------------------------------------------- */

int tally_log_reader_follow(tally_log_reader_t *reader,
                            const tally_container_t *container,
                            const tally_log_position_t *from, void *data,
                            tally_error_t *err) {
  tally_log_followed_t *followed =
      tally_log_followed_create(reader, container, from, data);
  if (followed == NULL)
    return tally_error_set(err, ENOMEM, "log of container %.12s",
                           container->id);
  int code = 0;
  pthread_mutex_lock(&reader->lock);
  if (tally_id_list_find(&reader->table, container->id) != NULL) {
    code = EEXIST;
  } else {
    entry_t *entry =
        tally_id_list_add(&reader->table, container->id, sizeof(*entry));
    if (entry != NULL) {
      entry->followed = followed;
      TAILQ_INSERT_TAIL(&reader->fresh, followed, link);
    } else {
      code = ENOMEM;
    }
  }
  pthread_mutex_unlock(&reader->lock);
  if (code != 0) {
    tally_log_followed_destroy(followed);
    return tally_error_set(err, code, "log of container %.12s", container->id);
  }
  tally_http_wake(reader->http);
  return 0;
}

void tally_log_reader_unfollow(tally_log_reader_t *reader, const char *id) {
  pthread_mutex_lock(&reader->lock);
  entry_t *entry = tally_id_list_find(&reader->table, id);
  if (entry != NULL) {
    atomic_store(&entry->followed->dropped, true);
    atomic_store(&reader->dropped_some, true);
    tally_id_list_remove(&reader->table, entry);
  }
  while (own_reader != reader && strcmp(reader->calling, id) == 0)
    pthread_cond_wait(&reader->called, &reader->lock);
  pthread_mutex_unlock(&reader->lock);
  tally_http_wake(reader->http);
}

void tally_log_reader_resume(tally_log_reader_t *reader) {
  atomic_store(&reader->resumed, true);
  tally_http_wake(reader->http);
}

void tally_log_reader_stats(tally_log_reader_t *reader,
                            tally_log_reader_stats_t *stats) {
  pthread_mutex_lock(&reader->lock);
  size_t following = reader->table.count;
  pthread_mutex_unlock(&reader->lock);
  *stats = (tally_log_reader_stats_t){
      .lines = atomic_load(&reader->stats.lines),
      .bytes = atomic_load(&reader->stats.bytes),
      .skipped = atomic_load(&reader->stats.skipped),
      .connects = atomic_load(&reader->stats.connects),
      .broken = atomic_load(&reader->stats.broken),
      .invalid = atomic_load(&reader->stats.invalid),
      .waits = atomic_load(&reader->stats.waits),
      .missed = atomic_load(&reader->stats.missed),
      .following = following,
      .open = (size_t)atomic_load(&reader->stats.open),
  };
}
