/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "logs/shipper_private.h"

#define TICK_MS 250
#define TEND_NS (10 * TALLY_NS_PER_S)
/* The end of a log that is not confirmed by the container's state. */
#define DOUBT_NS (5 * TALLY_NS_PER_S)

/* ---- what is read -------------------------------------------------------- */

static void tell_unreadable(tally_log_shipper_t *s,
                            tally_log_shipment_t *shipment,
                            const tally_container_t *c) {
  if (shipment->told_unreadable)
    return;
  shipment->told_unreadable = true;
  atomic_fetch_add(&s->unreadable, 1);
  char name[128], driver[64];
  tally_log(TALLY_LOG_WARNING,
            "%s: container %s (%.12s): its log driver \"%s\" cannot be read; "
            "what it writes is not shipped",
            s->options.name, tally_text_copy(name, sizeof(name), c->name),
            c->id, tally_text_copy(driver, sizeof(driver), c->log_driver));
}

static bool is_unreadable(tally_log_shipment_t *shipment,
                          const tally_container_t *c) {
  pthread_mutex_lock(&shipment->lock);
  shipment->unreadable |= strcmp(c->log_driver, "none") == 0;
  bool unreadable = shipment->unreadable;
  pthread_mutex_unlock(&shipment->lock);
  return unreadable;
}

static bool runs(const tally_container_t *c) {
  return c->state == TALLY_CONTAINER_RUNNING ||
         c->state == TALLY_CONTAINER_PAUSED;
}

/* Whether there is something to read, as far as the container's state tells. */
static bool is_due(tally_log_shipment_t *shipment, const tally_container_t *c) {
  if (c->started_ns == 0)
    return false;
  pthread_mutex_lock(&shipment->lock);
  bool idle = !shipment->following && !shipment->unreadable;
  bool drained = shipment->drained_ns == c->started_ns;
  uint64_t ended_ns = shipment->ended_ns;
  pthread_mutex_unlock(&shipment->lock);
  /* A snapshot may be older than the end of the log. */
  if (idle && drained && runs(c))
    return tally_clock_monotonic_ns() - ended_ns > DOUBT_NS;
  return idle && !drained;
}

static void follow(tally_log_shipper_t *s, tally_log_shipment_t *shipment,
                   const tally_container_t *c) {
  tally_log_position_t position, start = tally_log_shipper_start_of(s, c);
  tally_log_shipment_connect(shipment, s->sinks, &start);
  /* That of a running one is read whatever the marks say of it. */
  if (!tally_log_shipment_begin(shipment, c->started_ns, runs(c), &position))
    return;
  tally_error_t err = {0};
  tally_log_shipment_ref(shipment);
  if (tally_log_reader_follow(s->reader, c, &position, shipment, &err) == 0)
    return;
  tally_log(TALLY_LOG_WARNING, "%s: %s", s->options.name, err.message);
  tally_log_shipment_end(shipment, TALLY_LOG_GONE);
  tally_log_shipment_unref(shipment, s->sinks);
}

/* A sink that was opened later is behind what the reader is about to read. */
static void follow_anew(tally_log_shipper_t *s, tally_log_shipment_t *shipment,
                        const tally_container_t *c) {
  tally_log_reader_unfollow(s->reader, c->id);
  if (!tally_log_shipment_abandon(shipment))
    return; /* it had ended by itself */
  tally_log_shipment_unref(shipment, s->sinks);
  follow(s, shipment, c);
}

static void look_at(tally_log_shipper_t *s, tally_log_shipment_t *shipment) {
  const tally_container_t *c = shipment->container;
  if (shipment->count == 0 || shipment->gone_ns != 0)
    return;
  if (is_unreadable(shipment, c))
    tell_unreadable(s, shipment, c);
  else if (tally_log_shipment_is_joined(shipment))
    follow_anew(s, shipment, c);
  else if (is_due(shipment, c))
    follow(s, shipment, c);
}

/* ---- what there is ------------------------------------------------------- */

static void renew(tally_log_shipper_t *s, const tally_container_t *c) {
  tally_log_shipment_t *shipment = tally_log_shipper_find(s, c);
  if (shipment == NULL)
    return; /* no memory; the next snapshot is another try */
  tally_container_unref(shipment->container);
  shipment->container = tally_container_ref(c);
  tally_log_shipment_unref(shipment, s->sinks);
}

static void take_snapshot(tally_log_shipper_t *s,
                          const tally_snapshot_t *snapshot) {
  for (size_t i = 0; i < snapshot->count; i++)
    renew(s, snapshot->containers[i]);
  for (tally_log_shipment_t *p = tally_log_shipper_first(s); p != NULL;
       p = p->next) {
    bool known = tally_snapshot_find(snapshot, p->id) != NULL;
    if (known)
      p->gone_ns = 0;
    else if (p->gone_ns == 0)
      p->gone_ns = tally_clock_monotonic_ns();
  }
}

/* ---- the thread ---------------------------------------------------------- */

static void tick(tally_log_shipper_t *s) {
  for (tally_log_shipment_t *p = tally_log_shipper_first(s); p != NULL;
       p = p->next) {
    if (atomic_load(&s->stop))
      return;
    look_at(s, p);
    tally_log_shipment_flush(p, false);
  }
}

/* Sinks that could not be opened, or are not needed any more. */
static void tend(tally_log_shipper_t *s, const tally_snapshot_t *snapshot) {
  tally_log_sinks_tend(s->sinks);
  for (tally_log_shipment_t *p = tally_log_shipper_first(s); p != NULL;
       p = p->next) {
    if (p->gone_ns != 0 || !tally_log_shipment_lacks_sink(p))
      continue;
    tally_log_position_t start = tally_log_shipper_start_of(s, p->container);
    tally_log_shipment_connect(p, s->sinks, &start);
  }
  tally_log_shipper_sweep(s, snapshot);
}

void *tally_log_shipper_run(void *data) {
  tally_log_shipper_t *s = data;
  uint64_t seen = UINT64_MAX, tended_ns = tally_clock_monotonic_ns();
  tally_log_sinks_reopen(s->sinks);
  while (!atomic_load(&s->stop)) {
    const tally_snapshot_t *snapshot = tally_inventory_snapshot(s->inventory);
    uint64_t generation = snapshot->generation;
    if (snapshot->daemon.listed) {
      if (generation != seen)
        take_snapshot(s, snapshot);
      seen = generation;
      tick(s);
      if (tally_clock_monotonic_ns() - tended_ns > TEND_NS) {
        tend(s, snapshot);
        tended_ns = tally_clock_monotonic_ns();
      }
    }
    tally_snapshot_unref(snapshot);
    if (!atomic_load(&s->stop))
      tally_inventory_wait(s->inventory, generation, TICK_MS);
  }
  return NULL;
}
