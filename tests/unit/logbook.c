/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logbook.h"

#include <pthread.h>
#include <time.h>

#include "core/clock.h"
#include "core/log.h"
#include "unit.h"

#define ENTRIES_MAX 8192
#define PATIENCE_MS 10000
#define AFTERWARDS_MS 100

struct logbook_s {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool held;
  size_t count;
  struct {
    char name[32], text[96];
  } entries[ENTRIES_MAX];
};

static struct {
  pthread_mutex_t lock;
  unsigned count;
  char last[512];
} warnings = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_log(tally_log_level_t level, const char *text) {
  if (level > TALLY_LOG_WARNING)
    return;
  pthread_mutex_lock(&warnings.lock);
  warnings.count++;
  snprintf(warnings.last, sizeof(warnings.last), "%s", text);
  pthread_mutex_unlock(&warnings.lock);
}

unsigned logbook_warnings(void) {
  pthread_mutex_lock(&warnings.lock);
  unsigned count = warnings.count;
  pthread_mutex_unlock(&warnings.lock);
  return count;
}

const char *logbook_last_warning(void) {
  static char text[sizeof(warnings.last)];
  pthread_mutex_lock(&warnings.lock);
  memcpy(text, warnings.last, sizeof(text));
  pthread_mutex_unlock(&warnings.lock);
  return text;
}

logbook_t *logbook_open(void) {
  logbook_t *book = calloc(1, sizeof(*book));
  assert_non_null(book);
  pthread_mutex_init(&book->lock, NULL);
  pthread_cond_init(&book->changed, NULL);
  pthread_mutex_lock(&warnings.lock);
  warnings.count = 0;
  warnings.last[0] = '\0';
  pthread_mutex_unlock(&warnings.lock);
  tally_log_set_callback(on_log);
  return book;
}

void logbook_close(logbook_t *book) {
  tally_log_set_callback(NULL);
  pthread_mutex_destroy(&book->lock);
  pthread_cond_destroy(&book->changed);
  free(book);
}

void logbook_on_event(const tally_event_t *event,
                      const tally_container_t *container, void *data) {
  logbook_t *book = data;
  char origin[32] = "", code[32] = "";
  if (event->origin == TALLY_EVENT_RECONCILED ||
      event->origin == TALLY_EVENT_SCAN)
    snprintf(origin, sizeof(origin), ":%s",
             tally_event_origin_name(event->origin));
  const char *exit_code = tally_event_attribute(event, "exitCode");
  if (exit_code != NULL)
    snprintf(code, sizeof(code), "=%s", exit_code);

  pthread_mutex_lock(&book->lock);
  while (book->held)
    pthread_cond_wait(&book->changed, &book->lock);
  if (book->count < ENTRIES_MAX) {
    snprintf(book->entries[book->count].name, sizeof(book->entries[0].name),
             "%s", event->actor_name);
    snprintf(book->entries[book->count].text, sizeof(book->entries[0].text),
             "%s%s%s %s", event->action, origin, code,
             container != NULL ? tally_container_state_name(container->state)
                               : "?");
    book->count++;
  }
  pthread_mutex_unlock(&book->lock);
}

void logbook_hold(logbook_t *book, bool hold) {
  pthread_mutex_lock(&book->lock);
  book->held = hold;
  pthread_cond_broadcast(&book->changed);
  pthread_mutex_unlock(&book->lock);
}

const char *logbook_of(logbook_t *book, const char *name) {
  static char text[65536];
  size_t len = 0;
  text[0] = '\0';
  pthread_mutex_lock(&book->lock);
  for (size_t i = 0; i < book->count && len < sizeof(text) - 256; i++)
    if (*name == '\0' || strcmp(book->entries[i].name, name) == 0)
      len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%s%s",
                              len > 0 ? ", " : "",
                              *name == '\0' ? book->entries[i].name : "",
                              *name == '\0' ? " " : "", book->entries[i].text);
  pthread_mutex_unlock(&book->lock);
  return text;
}

static void pause_ms(long ms) {
  nanosleep(
      &(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000},
      NULL);
}

void logbook_expect(logbook_t *book, const char *name, const char *entries) {
  for (int ms = 0; ms < PATIENCE_MS; ms += 5) {
    if (strcmp(logbook_of(book, name), entries) == 0)
      break;
    pause_ms(5);
  }
  pause_ms(AFTERWARDS_MS);
  assert_string_equal(logbook_of(book, name), entries);
}

size_t logbook_count(logbook_t *book) {
  pthread_mutex_lock(&book->lock);
  size_t count = book->count;
  pthread_mutex_unlock(&book->lock);
  return count;
}

void logbook_expect_count(logbook_t *book, size_t count) {
  for (int ms = 0; ms < PATIENCE_MS && logbook_count(book) < count; ms += 5)
    pause_ms(5);
  pause_ms(AFTERWARDS_MS);
  assert_int_equal(logbook_count(book), count);
}

const tally_snapshot_t *
logbook_await(tally_inventory_t *inventory,
              bool (*wanted)(const tally_snapshot_t *snapshot)) {
  uint64_t end = tally_clock_monotonic_ns() + PATIENCE_MS * TALLY_NS_PER_MS;
  for (;;) {
    const tally_snapshot_t *snapshot = tally_inventory_snapshot(inventory);
    if (wanted(snapshot))
      return snapshot;
    uint64_t generation = snapshot->generation;
    tally_snapshot_unref(snapshot);
    if (tally_clock_monotonic_ns() > end)
      fail_msg("the snapshot never became what it should");
    tally_inventory_wait(inventory, generation, 100);
  }
}
