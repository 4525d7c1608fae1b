/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>

#include "core/clock.h"
#include "core/thread.h"
#include "watch_private.h"

/* Views that Docker's news bring are at least so far apart. */
#define NEWS_NS TALLY_NS_PER_S
/* How long the first view waits for the first list of containers. */
#define FIRST_LIST_NS (2 * TALLY_NS_PER_S)
/* The longest wait, for a call that came a moment too early to end it. */
#define WAIT_MS 5000

void tally_watch_call(tally_watch_t *w) {
  pthread_cond_broadcast(&w->changed);
  if (w->docker != NULL)
    tally_inventory_wake(tally_watch_docker_inventory(w->docker));
}

/* Whether there is something better to do than to wait. */
static bool is_called(tally_watch_t *w) {
  pthread_mutex_lock(&w->lock);
  bool called = w->stop || w->pending != NULL;
  pthread_mutex_unlock(&w->lock);
  return called;
}

static int ms_until(uint64_t then_ns, uint64_t now_ns) {
  uint64_t ms = then_ns > now_ns ? (then_ns - now_ns) / TALLY_NS_PER_MS + 1 : 0;
  return ms < WAIT_MS ? (int)ms : WAIT_MS;
}

/* Whatever Docker says. */
static void rest_until(tally_watch_t *w, uint64_t then_ns) {
  struct timespec deadline =
      tally_deadline_after(ms_until(then_ns, tally_clock_monotonic_ns()));
  pthread_mutex_lock(&w->lock);
  while (!w->stop && w->pending == NULL &&
         pthread_cond_timedwait(&w->changed, &w->lock, &deadline) != ETIMEDOUT)
    ;
  pthread_mutex_unlock(&w->lock);
}

void tally_watch_wait_for_view(tally_watch_t *w, uint64_t last_ns) {
  uint64_t due =
      last_ns + (uint64_t)(w->settings->interval * (double)TALLY_NS_PER_S);
  uint64_t news = last_ns + NEWS_NS < due ? last_ns + NEWS_NS : due;
  tally_inventory_t *inventory = tally_watch_docker_inventory(w->docker);
  while (!is_called(w)) {
    uint64_t now = tally_clock_monotonic_ns();
    if (now >= due)
      return;
    if (tally_inventory_wait(inventory, w->generation, ms_until(due, now))) {
      rest_until(w, news);
      return;
    }
  }
}

void tally_watch_wait_for_list(tally_watch_t *w) {
  uint64_t patience = (uint64_t)(w->settings->interval / 2 * TALLY_NS_PER_S);
  uint64_t end = tally_clock_monotonic_ns() +
                 (patience < FIRST_LIST_NS ? patience : FIRST_LIST_NS);
  tally_inventory_t *inventory = tally_watch_docker_inventory(w->docker);
  for (bool ready = false; !ready && !is_called(w);) {
    uint64_t now = tally_clock_monotonic_ns();
    const tally_snapshot_t *snapshot = tally_inventory_snapshot(inventory);
    uint64_t generation = snapshot->generation;
    ready = snapshot->daemon.listed || snapshot->daemon.problem[0] != '\0' ||
            now >= end;
    tally_snapshot_unref(snapshot);
    if (!ready)
      (void)tally_inventory_wait(inventory, generation,
                                 (int)((end - now) / TALLY_NS_PER_MS) + 1);
  }
}
