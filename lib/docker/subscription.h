/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_SUBSCRIPTION_H
#define TALLY_DOCKER_SUBSCRIPTION_H

/*
 * The worker's view of a subscription. All of it is called by the worker with
 * inventory->lock held; nothing of it waits.
 */

#include "docker/inventory_private.h"

tally_subscription_t *tally_subscription_next(const tally_subscription_t *s);

/* The daemon's time up to which a durable subscription has been served before;
 * 0: it begins now. */
uint64_t tally_subscription_resume_ns(const tally_subscription_t *s);

/* It takes part from the stream with this number on; what happened before
 * `begin_ns` (the daemon's clock) does not interest one that begins now.
 * Nothing if it is attached already. */
void tally_subscription_attach(tally_subscription_t *s, unsigned connection,
                               uint64_t begin_ns);
bool tally_subscription_is_attached(const tally_subscription_t *s);

/* Its queue was full and is empty again: it should get a sync. True once. */
bool tally_subscription_take_overflow(tally_subscription_t *s);

/* Takes references of its own. `connection` is that of the stream, `epoch` the
 * number of the latest census. A full queue drops the event and counts it. */
void tally_subscription_push_event(tally_subscription_t *s,
                                   tally_event_record_t *record,
                                   const tally_container_t *container,
                                   unsigned connection, unsigned epoch);

/* All events that happened before `census_ns` (the daemon's clock) have been
 * pushed; the rest of the truth up to then is in the snapshot. */
void tally_subscription_push_sync(tally_subscription_t *s,
                                  const tally_snapshot_t *snapshot,
                                  uint64_t census_ns, unsigned epoch);

#endif
