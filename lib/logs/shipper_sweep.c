/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "core/buffer.h"
#include "core/clock.h"
#include "logs/shipper_private.h"

/* How long a container that is gone is remembered: its last events come later
 * than the snapshot without it. */
#define GONE_NS (60 * TALLY_NS_PER_S)
#define NAMES_MAX (1024 * 1024) /* bytes, of one sink at a time */

/* ---- containers ---------------------------------------------------------- */

static bool is_over(tally_log_shipment_t *p, uint64_t now) {
  if (p->gone_ns == 0 || now - p->gone_ns < GONE_NS)
    return false;
  pthread_mutex_lock(&p->lock);
  bool following = p->following;
  pthread_mutex_unlock(&p->lock);
  return !following && tally_log_shipment_flush(p, true);
}

static void forget(tally_log_shipper_t *s, tally_log_shipment_t *p) {
  pthread_mutex_lock(&s->lock);
  tally_log_shipment_t **link = &s->first;
  while (*link != p)
    link = &(*link)->next;
  *link = p->next;
  HASH_DEL(s->shipments, p);
  pthread_mutex_unlock(&s->lock);
  tally_log_shipment_unref(p, s->sinks);
}

static void forget_shipments(tally_log_shipper_t *s) {
  uint64_t now = tally_clock_monotonic_ns();
  tally_log_shipment_t *next;
  for (tally_log_shipment_t *p = tally_log_shipper_first(s); p != NULL;
       p = next) {
    next = p->next;
    if (is_over(p, now))
      forget(s, p);
  }
}

/* ---- notes --------------------------------------------------------------- */

typedef struct {
  tally_log_shipper_t *shipper;
  const tally_snapshot_t *snapshot;
  tally_buffer_t names; /* each with its NUL */
} sweep_t;

/* The outbox is locked, so nothing else may be. What does not fit waits for the
 * next time. */
static void collect(const char *name, const char *text, void *data) {
  sweep_t *sweep = data;
  tally_buffer_append(&sweep->names, name, strlen(name) + 1);
}

static bool is_known(const sweep_t *sweep, const char *id) {
  if (tally_snapshot_find(sweep->snapshot, id) != NULL)
    return true;
  tally_log_shipment_t *p;
  pthread_mutex_lock(&sweep->shipper->lock);
  HASH_FIND_STR(sweep->shipper->shipments, id, p);
  pthread_mutex_unlock(&sweep->shipper->lock);
  return p != NULL;
}

static void forget_notes(tally_log_sink_t *sink, void **slot, void *data) {
  sweep_t *sweep = data;
  tally_buffer_reset(&sweep->names);
  tally_outbox_notes(sink->outbox, collect, sweep);
  for (size_t i = 0; i < sweep->names.len;) {
    const char *name = sweep->names.data + i;
    if (!is_known(sweep, name))
      tally_outbox_put_noted(sink->outbox, NULL, 0, NULL, name, NULL);
    i += strlen(name) + 1;
  }
}

void tally_log_shipper_sweep(tally_log_shipper_t *s,
                             const tally_snapshot_t *snapshot) {
  forget_shipments(s);
  sweep_t sweep = {.shipper = s, .snapshot = snapshot};
  tally_buffer_init(&sweep.names, NAMES_MAX);
  tally_log_sinks_each(s->sinks, forget_notes, &sweep);
  tally_buffer_clear(&sweep.names);
}
