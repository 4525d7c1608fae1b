/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/thread.h"
#include "logs/shipper_private.h"

#define DRAIN_NS (5 * TALLY_NS_PER_S) /* without a line */
#define DRAIN_MAX_NS (30 * TALLY_NS_PER_S)
/* Lines wake nobody who waits for their end. */
#define LOOK_NS (100 * TALLY_NS_PER_MS)
#define SENTENCE_SIZE 1024

/* The contract has no word for the rest. */
static bool has_sentence(const tally_event_t *event) {
  static const char *const actions[] = {"create", "kill", "stop", "oom", "die"};
  if (event->origin == TALLY_EVENT_SCAN)
    return true; /* "Starting …", of what runs at the very first start */
  for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
    if (strcmp(event->action, actions[i]) == 0)
      return true;
  return false;
}

/* ---- the instance -------------------------------------------------------- */

static void wait_until(pthread_cond_t *condition, pthread_mutex_t *lock,
                       uint64_t monotonic_ns) {
  struct timespec deadline = {.tv_sec = (time_t)(monotonic_ns / TALLY_NS_PER_S),
                              .tv_nsec = (long)(monotonic_ns % TALLY_NS_PER_S)};
  pthread_cond_timedwait(condition, lock, &deadline);
}

static const char *instance_of(tally_log_shipper_t *s) {
  pthread_mutex_lock(&s->lock);
  while (s->instance == NULL && !atomic_load(&s->stop) &&
         tally_clock_monotonic_ns() < s->instance_due_ns)
    wait_until(&s->changed, &s->lock, s->instance_due_ns);
  const char *instance = s->instance; /* set once */
  pthread_mutex_unlock(&s->lock);
  return instance != NULL ? instance : TALLY_LOG_INSTANCE_UNKNOWN;
}

/* ---- behind the last line ------------------------------------------------ */

/* The reader may not have begun yet, when all this happens within
 * milliseconds. */
static bool is_drained(const tally_log_shipment_t *shipment,
                       const tally_event_t *event, uint64_t run_ns) {
  return shipment->unreadable ||
         (!shipment->following && shipment->drained_ns >= run_ns) ||
         shipment->newest_ns > event->time_ns;
}

static bool is_listed(tally_log_shipper_t *s, const char *id) {
  const tally_snapshot_t *snapshot = tally_inventory_snapshot(s->inventory);
  bool listed = tally_snapshot_find(snapshot, id) != NULL;
  tally_snapshot_unref(snapshot);
  return listed;
}

static void wait_for_lines(tally_log_shipper_t *s,
                           tally_log_shipment_t *shipment,
                           const tally_event_t *event,
                           const tally_container_t *container) {
  bool listed = is_listed(s, shipment->id);
  uint64_t now = tally_clock_monotonic_ns(), due = now + DRAIN_NS,
           end = now + DRAIN_MAX_NS;
  pthread_mutex_lock(&shipment->lock);
  uint64_t taken = shipment->taken;
  while ((listed || shipment->following) && !atomic_load(&s->stop) &&
         !is_drained(shipment, event, container->started_ns) && now < due) {
    uint64_t look = now + LOOK_NS < due ? now + LOOK_NS : due;
    wait_until(&shipment->changed, &shipment->lock, look);
    now = tally_clock_monotonic_ns();
    if (shipment->taken == taken)
      continue;
    taken = shipment->taken;
    due = now + DRAIN_NS < end ? now + DRAIN_NS : end;
  }
  pthread_mutex_unlock(&shipment->lock);
}

/* ---- the sentence -------------------------------------------------------- */

static void tell(tally_log_shipper_t *s, tally_log_shipment_t *shipment,
                 const tally_event_t *event, const tally_container_t *container,
                 const tally_verdict_t *verdict) {
  if (strcmp(event->action, "die") == 0)
    wait_for_lines(s, shipment, event, container);
  char sentence[SENTENCE_SIZE], text[2 * SENTENCE_SIZE];
  tally_event_sentence(event, container, verdict, sentence, sizeof(sentence));
  snprintf(text, sizeof(text), "%s%s %s", s->agent, instance_of(s), sentence);
  atomic_fetch_add(&s->sentences_lost,
                   tally_log_shipment_tell(shipment, event, text));
}

/* Whether there is somebody to tell. */
static bool has_listeners(tally_log_shipment_t *shipment) {
  bool has = false;
  pthread_mutex_lock(&shipment->lock);
  for (size_t i = 0; i < shipment->count; i++)
    has |=
        shipment->feeds[i].route.lifecycle && shipment->feeds[i].sink != NULL;
  pthread_mutex_unlock(&shipment->lock);
  return has;
}

void tally_log_shipper_on_event(const tally_event_t *event,
                                const tally_container_t *container,
                                void *data) {
  tally_log_shipper_t *s = data;
  tally_verdict_t verdict;
  tally_lifecycle_judge(s->lifecycle, event, container, &verdict);
  if (container == NULL || !tally_event_of_container(event) ||
      !has_sentence(event))
    return;
  tally_log_shipment_t *shipment = tally_log_shipper_find(s, container);
  if (shipment == NULL)
    return;
  tally_log_position_t start = tally_log_shipper_start_of(s, container);
  tally_log_shipment_connect(shipment, s->sinks, &start);
  if (has_listeners(shipment))
    tell(s, shipment, event, container, &verdict);
  tally_log_shipment_unref(shipment, s->sinks);
}
