/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "delivery/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/thread.h"

#define CANCEL_MS 1000 /* how long a cancelled call may take to come back */

/* ---- making and unmaking ------------------------------------------------- */

static void free_outbox(tally_outbox_t *outbox) {
  pthread_cond_destroy(&outbox->work);
  pthread_cond_destroy(&outbox->settled);
  pthread_cond_destroy(&outbox->tick);
  pthread_mutex_destroy(&outbox->lock);
  free(outbox->name);
  free(outbox->spool);
  free(outbox);
}

static void release(tally_outbox_t *outbox) {
  const tally_destination_t *destination = &outbox->store.destination;
  if (destination->release != NULL)
    destination->release(destination->data);
  tally_store_close(&outbox->store);
  free_outbox(outbox);
}

void tally_outbox_leave(tally_outbox_t *outbox) {
  bool last = --outbox->threads == 0 && outbox->abandoned;
  pthread_cond_broadcast(&outbox->settled);
  pthread_mutex_unlock(&outbox->lock);
  if (last)
    release(outbox);
}

static int start(tally_outbox_t *outbox, const char *name, void *(*run)(void *),
                 tally_error_t *err) {
  pthread_t thread;
  pthread_mutex_lock(&outbox->lock);
  int status = tally_thread_start(&thread, name, run, outbox, err);
  if (status == 0) {
    pthread_detach(thread); /* leave() says when it has ended */
    outbox->threads++;
  }
  pthread_mutex_unlock(&outbox->lock);
  return status;
}

/* Waits for the threads; false: not in time. Lock held. */
static bool wait_for_end(tally_outbox_t *outbox, int timeout_ms) {
  struct timespec deadline = tally_deadline_after(timeout_ms);
  while (outbox->threads > 0)
    if (pthread_cond_timedwait(&outbox->settled, &outbox->lock, &deadline) ==
        ETIMEDOUT)
      return outbox->threads == 0;
  return true;
}

static int start_threads(tally_outbox_t *outbox, tally_error_t *err) {
  if (start(outbox, "tally-outbox", tally_outbox_send, err) != 0)
    return -1;
  const tally_store_t *store = &outbox->store;
  if (store->spool == NULL || store->options.sync != TALLY_SYNC_SECOND ||
      start(outbox, "tally-sync", tally_outbox_sync, err) == 0)
    return 0;
  pthread_mutex_lock(&outbox->lock);
  outbox->stop = true;
  pthread_cond_broadcast(&outbox->work);
  while (outbox->threads > 0)
    pthread_cond_wait(&outbox->settled, &outbox->lock);
  pthread_mutex_unlock(&outbox->lock);
  return -1;
}

tally_outbox_t *tally_outbox_create_on(const tally_outbox_options_t *options,
                                       const tally_destination_t *destination,
                                       const tally_hooks_t *hooks,
                                       tally_error_t *err) {
  tally_outbox_t *outbox = calloc(1, sizeof(*outbox));
  if (outbox == NULL) {
    tally_error_set(err, ENOMEM, "outbox");
    return NULL;
  }
  pthread_mutex_init(&outbox->lock, NULL);
  tally_condition_init(&outbox->work);
  tally_condition_init(&outbox->settled);
  tally_condition_init(&outbox->tick);
  tally_outbox_options_t copy = *options;
  outbox->name = strdup(options->name != NULL ? options->name : "outbox");
  outbox->spool = options->spool != NULL ? strdup(options->spool) : NULL;
  copy.name = outbox->name;
  copy.spool = outbox->spool;
  if (outbox->name == NULL ||
      (options->spool != NULL && outbox->spool == NULL)) {
    tally_error_set(err, ENOMEM, "outbox");
  } else if (tally_store_open(&outbox->store, &copy, destination, hooks, err) ==
             0) {
    if (start_threads(outbox, err) == 0)
      return outbox;
    tally_store_close(&outbox->store);
  }
  free_outbox(outbox);
  return NULL;
}

tally_outbox_t *tally_outbox_create(const tally_outbox_options_t *options,
                                    const tally_destination_t *destination,
                                    tally_error_t *err) {
  return tally_outbox_create_on(options, destination, &tally_hooks_system, err);
}

void tally_outbox_destroy(tally_outbox_t *outbox, int timeout_ms,
                          tally_outbox_stats_t *last) {
  if (outbox == NULL)
    return;
  pthread_mutex_lock(&outbox->lock);
  outbox->store.closed = outbox->closing = true;
  outbox->sleeps_until = 0;
  pthread_cond_broadcast(&outbox->work);
  pthread_cond_broadcast(&outbox->tick);
  if (!wait_for_end(outbox, timeout_ms)) {
    outbox->stop = true;
    pthread_cond_broadcast(&outbox->work);
    const tally_destination_t *destination = &outbox->store.destination;
    if (destination->cancel != NULL) {
      pthread_mutex_unlock(&outbox->lock);
      destination->cancel(destination->data);
      pthread_mutex_lock(&outbox->lock);
    }
    wait_for_end(outbox, CANCEL_MS);
  }
  tally_store_save(&outbox->store);
  if (last != NULL)
    tally_store_stats(&outbox->store, last);
  bool ended = outbox->threads == 0;
  outbox->abandoned = !ended;
  if (!ended && outbox->store.spool != NULL && !outbox->fetching)
    tally_spool_close(outbox->store.spool); /* the next outbox may have it */
  pthread_mutex_unlock(&outbox->lock);
  if (ended)
    release(outbox);
}

/* ---- producers ----------------------------------------------------------- */

/* Waking costs more than putting, so the sender is woken only for what it would
 * sleep through. Lock held. */
static void wake(tally_outbox_t *outbox) {
  if (outbox->sleeps_until == 0 ||
      tally_store_due(&outbox->store, outbox->hurry_until > 0) >=
          outbox->sleeps_until)
    return;
  outbox->sleeps_until = 0;
  pthread_cond_signal(&outbox->work);
}

size_t tally_outbox_put_all(tally_outbox_t *outbox,
                            const tally_record_t *records, size_t count,
                            tally_loss_t *verdicts) {
  pthread_mutex_lock(&outbox->lock);
  size_t accepted = tally_store_put(&outbox->store, records, count, verdicts);
  wake(outbox);
  pthread_mutex_unlock(&outbox->lock);
  return accepted;
}

int tally_outbox_put_noted(tally_outbox_t *outbox,
                           const tally_record_t *records, size_t count,
                           tally_loss_t *verdicts, const char *name,
                           const char *text) {
  pthread_mutex_lock(&outbox->lock);
  int status = tally_store_put_noted(&outbox->store, records, count, verdicts,
                                     name, text);
  wake(outbox);
  pthread_mutex_unlock(&outbox->lock);
  return status;
}

bool tally_outbox_note(tally_outbox_t *outbox, const char *name,
                       char text[TALLY_OUTBOX_NOTE_TEXT_MAX + 1]) {
  pthread_mutex_lock(&outbox->lock);
  const char *found = tally_store_note(&outbox->store, name);
  if (found != NULL)
    snprintf(text, TALLY_OUTBOX_NOTE_TEXT_MAX + 1, "%s", found);
  pthread_mutex_unlock(&outbox->lock);
  return found != NULL;
}

void tally_outbox_notes(tally_outbox_t *outbox,
                        void (*each)(const char *name, const char *text,
                                     void *data),
                        void *data) {
  pthread_mutex_lock(&outbox->lock);
  tally_store_notes(&outbox->store, each, data);
  pthread_mutex_unlock(&outbox->lock);
}

tally_loss_t tally_outbox_put(tally_outbox_t *outbox,
                              const tally_record_t *record) {
  tally_loss_t verdict = TALLY_LOSS_NONE;
  tally_outbox_put_all(outbox, record, 1, &verdict);
  return verdict;
}

uint64_t tally_outbox_resolved(tally_outbox_t *outbox) {
  const tally_outbox_stats_t *c = &outbox->store.counters;
  return c->accepted + c->recovered - tally_store_queued(&outbox->store);
}

bool tally_outbox_flush(tally_outbox_t *outbox, int timeout_ms) {
  pthread_mutex_lock(&outbox->lock);
  const tally_outbox_stats_t *c = &outbox->store.counters;
  uint64_t target = c->accepted + c->recovered;
  if (outbox->hurry_until < target)
    outbox->hurry_until = target;
  outbox->sleeps_until = 0;
  pthread_cond_signal(&outbox->work);
  struct timespec deadline = tally_deadline_after(timeout_ms);
  while (timeout_ms > 0 && tally_outbox_resolved(outbox) < target)
    if (pthread_cond_timedwait(&outbox->settled, &outbox->lock, &deadline) ==
        ETIMEDOUT)
      break;
  bool done = tally_outbox_resolved(outbox) >= target;
  pthread_mutex_unlock(&outbox->lock);
  return done;
}

void tally_outbox_stats(tally_outbox_t *outbox, tally_outbox_stats_t *stats) {
  pthread_mutex_lock(&outbox->lock);
  tally_store_stats(&outbox->store, stats);
  pthread_mutex_unlock(&outbox->lock);
}
