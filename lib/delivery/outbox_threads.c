/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/thread.h"
#include "delivery/outbox.h"

/* It looks at least this often, whatever it waits for: records grow old. */
#define SLEEP_MOST_NS (5 * TALLY_NS_PER_S)
#define SYNC_MS 1000

/* ---- what the operator should know, once --------------------------------- */

static void tell_of_start(tally_outbox_t *outbox) {
  const tally_spool_t *spool = outbox->store.spool;
  if (spool == NULL)
    return;
  if (spool->cut_bytes > 0 || spool->lost[TALLY_LOSS_DAMAGED] > 0)
    tally_log(TALLY_LOG_WARNING,
              "%s: spool `%s': cut off %llu bytes that hold no whole record, "
              "%llu records are damaged",
              outbox->name, outbox->spool, (unsigned long long)spool->cut_bytes,
              (unsigned long long)spool->lost[TALLY_LOSS_DAMAGED]);
  if (spool->recovered > 0)
    tally_log(TALLY_LOG_INFO, "%s: spool `%s': %llu records from before",
              outbox->name, outbox->spool,
              (unsigned long long)spool->recovered);
}

static void tell_of_spool(tally_outbox_t *outbox) {
  const tally_store_t *store = &outbox->store;
  if (store->spool == NULL)
    return;
  int code = tally_store_spool_error(store);
  if ((code != 0) == outbox->warned)
    return;
  outbox->warned = code != 0;
  char why[128];
  if (code != 0)
    tally_log(
        TALLY_LOG_WARNING,
        "%s: spool `%s': %s; until it recovers, records may be in memory alone",
        outbox->name, outbox->spool, strerror_r(code, why, sizeof(why)));
  else
    tally_log(TALLY_LOG_NOTICE, "%s: spool `%s': can be written again",
              outbox->name, outbox->spool);
}

/* ---- the sender ---------------------------------------------------------- */

static bool is_in_a_hurry(tally_outbox_t *outbox) {
  if (tally_outbox_resolved(outbox) >= outbox->hurry_until)
    outbox->hurry_until = 0;
  return outbox->closing || outbox->hurry_until > 0;
}

static bool fetch(tally_outbox_t *outbox) {
  tally_spool_read_t read;
  if (!tally_store_read_begin(&outbox->store, &read))
    return false;
  outbox->fetching = true;
  pthread_mutex_unlock(&outbox->lock);
  tally_store_read_run(&read);
  pthread_mutex_lock(&outbox->lock);
  outbox->fetching = false;
  tally_store_read_end(&outbox->store, &read);
  return true;
}

static void call(tally_outbox_t *outbox) {
  const tally_destination_t *destination = &outbox->store.destination;
  const tally_batch_t *batch = &outbox->store.batch;
  tally_answer_t answer = {0};
  tally_error_t err = {0};
  pthread_mutex_unlock(&outbox->lock);
  uint64_t begin = tally_clock_monotonic_ns();
  int status = destination->send(destination->data, batch->records,
                                 batch->count, batch->fates, &answer, &err);
  uint64_t ns = tally_clock_monotonic_ns() - begin;
  pthread_mutex_lock(&outbox->lock);
  if (outbox->store.saved)
    return; /* it came back too late: what it was about is in the spool */
  outbox->failing = status != 0;
  tally_store_settle(&outbox->store, status, &answer, &err, ns);
  pthread_cond_broadcast(&outbox->settled);
}

static void rest(tally_outbox_t *outbox) {
  tally_store_t *store = &outbox->store;
  uint64_t now = tally_clock_monotonic_ns();
  uint64_t due = tally_store_due(store, is_in_a_hurry(outbox));
  if (due <= now)
    return;
  if (due > now + SLEEP_MOST_NS)
    due = now + SLEEP_MOST_NS;
  struct timespec deadline = {.tv_sec = (time_t)(due / TALLY_NS_PER_S),
                              .tv_nsec = (long)(due % TALLY_NS_PER_S)};
  outbox->sleeps_until = due;
  while (outbox->sleeps_until > 0 && !outbox->stop)
    if (pthread_cond_timedwait(&outbox->work, &outbox->lock, &deadline) ==
        ETIMEDOUT)
      break;
  outbox->sleeps_until = 0;
}

/* At the end nobody waits for a destination that fails, if what it has not
 * taken is as safe on the disk. */
static bool is_in_vain(const tally_outbox_t *outbox) {
  return outbox->closing && outbox->failing &&
         tally_store_can_save(&outbox->store);
}

void *tally_outbox_send(void *data) {
  tally_outbox_t *outbox = data;
  tally_store_t *store = &outbox->store;
  pthread_mutex_lock(&outbox->lock);
  tell_of_start(outbox);
  while (!outbox->stop && !is_in_vain(outbox)) {
    tally_store_tend(store);
    tell_of_spool(outbox);
    bool fetched = fetch(outbox);
    if (!outbox->stop && tally_store_take(store, is_in_a_hurry(outbox)))
      call(outbox);
    else if (outbox->closing && tally_store_queued(store) == 0)
      break;
    else if (!fetched)
      rest(outbox);
  }
  tally_outbox_leave(outbox);
  return NULL;
}

/* ---- the disk ------------------------------------------------------------ */

static void sync_all(tally_outbox_t *outbox) {
  tally_spool_t *spool = outbox->store.spool;
  uint64_t id;
  off_t size;
  int fd;
  while (!outbox->closing &&
         (fd = tally_spool_unsynced(spool, &id, &size)) >= 0) {
    pthread_mutex_unlock(&outbox->lock);
    int status = spool->hooks.sync(spool->hooks.data, fd);
    int code = status != 0 ? errno : 0;
    close(fd);
    pthread_mutex_lock(&outbox->lock);
    tally_spool_synced(spool, id, size, code);
    if (code != 0)
      return; /* the next second is another try */
  }
}

void *tally_outbox_sync(void *data) {
  tally_outbox_t *outbox = data;
  pthread_mutex_lock(&outbox->lock);
  while (!outbox->closing && !outbox->stop) {
    struct timespec deadline = tally_deadline_after(SYNC_MS);
    while (!outbox->closing && !outbox->stop &&
           pthread_cond_timedwait(&outbox->tick, &outbox->lock, &deadline) !=
               ETIMEDOUT)
      ;
    sync_all(outbox);
  }
  tally_outbox_leave(outbox);
  return NULL;
}
