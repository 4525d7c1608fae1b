/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_INVENTORY_PRIVATE_H
#define TALLY_DOCKER_INVENTORY_PRIVATE_H

/* What the worker and the subscriptions need of an inventory. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "docker/docker.h"
#include "docker/event_private.h"

struct tally_worker_s;

/* Somebody of the library who wants to know of each new snapshot at once, and
 * has a thread that does something else: `on_change` wakes it. It is called
 * with the inventory's lock held, so it must not ask for the snapshot. */
typedef struct tally_inventory_watcher_s {
  void (*on_change)(void *data);
  void *data;
  struct tally_inventory_watcher_s *next; /* the inventory's */
} tally_inventory_watcher_t;

struct tally_inventory_s {
  tally_endpoint_t endpoint; /* constant */
  struct tally_worker_s *worker;

  /* Guarded by the registry's lock in inventory.c. */
  unsigned refs;
  tally_inventory_t *next;

  /* Guards what follows, for a few instructions at a time. */
  pthread_mutex_t lock;
  pthread_cond_t changed; /* `current` or `wakes` */
  const tally_snapshot_t *current;
  uint64_t wakes; /* calls of tally_inventory_wake() */
  tally_subscription_t *subscriptions;
  tally_inventory_watcher_t *watchers;

  /* Counters, written by several threads. */
  struct {
    _Atomic uint64_t events, duplicate, invalid, dropped, reconciled, connects,
        inspects, inspect_errors;
  } stats;
};

/* Takes over the reference, numbers the generation, wakes the waiters. */
void tally_inventory_publish(tally_inventory_t *inventory,
                             tally_snapshot_t *snapshot);

/* The watcher is borrowed until unwatch(), after which it is not called. */
void tally_inventory_watch(tally_inventory_t *inventory,
                           tally_inventory_watcher_t *watcher);
void tally_inventory_unwatch(tally_inventory_t *inventory,
                             tally_inventory_watcher_t *watcher);

#endif
