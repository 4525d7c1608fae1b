/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "notices.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/file.h" /* TALLY_UNKNOWN */
#include "core/hash.h"
#include "limiter.h"

struct tally_notices_s {
  void (*wake)(void *data);
  void *wake_data;

  pthread_mutex_t lock; /* guards everything below */
  bool wanted[TALLY_NOTICES];
  tally_limiter_t limiter;
  uint64_t taken, suppressed;
  size_t first, count;
  tally_notice_t ring[TALLY_NOTICES_ROOM];
};

tally_notices_t *tally_notices_create(void (*wake)(void *data), void *data,
                                      tally_error_t *err) {
  tally_notices_t *notices = calloc(1, sizeof(*notices));
  if (notices == NULL) {
    tally_error_set(err, ENOMEM, "notifications");
    return NULL;
  }
  notices->wake = wake;
  notices->wake_data = data;
  pthread_mutex_init(&notices->lock, NULL);
  for (int kind = 0; kind < TALLY_NOTICES; kind++)
    notices->wanted[kind] = true;
  tally_limiter_init(&notices->limiter, TALLY_NOTICES_PER_MINUTE,
                     TALLY_NOTICES_PER_OBJECT, tally_clock_monotonic_ns());
  return notices;
}

void tally_notice_init(tally_notice_t *notice, tally_notice_kind_t kind) {
  *notice = (tally_notice_t){.kind = kind,
                             .state = TALLY_UNKNOWN,
                             .previous_state = TALLY_UNKNOWN,
                             .exit_code = TALLY_UNKNOWN,
                             .signal = TALLY_UNKNOWN,
                             .level = TALLY_UNKNOWN,
                             .previous_level = TALLY_UNKNOWN,
                             .percent = TALLY_UNKNOWN};
}

void tally_notices_destroy(tally_notices_t *notices) {
  if (notices == NULL)
    return;
  pthread_mutex_destroy(&notices->lock);
  free(notices);
}

void tally_notices_configure(tally_notices_t *notices,
                             const tally_settings_t *settings) {
  pthread_mutex_lock(&notices->lock);
  for (int kind = 0; kind < TALLY_NOTICES; kind++)
    notices->wanted[kind] = settings->notify[kind];
  tally_limiter_set(&notices->limiter, settings->notices_per_minute,
                    tally_clock_monotonic_ns());
  pthread_mutex_unlock(&notices->lock);
}

/* Of kind and object. */
static uint64_t key_of(const tally_notice_t *notice) {
  uint64_t hash =
      tally_hash_add(TALLY_HASH_EMPTY, &notice->kind, sizeof(notice->kind));
  return tally_hash_add(hash, notice->object, strlen(notice->object));
}

/* With the lock held; whether there is something to take. */
static bool enqueue(tally_notices_t *notices, const tally_notice_t *notice,
                    uint64_t now_ns) {
  if (!notices->wanted[notice->kind])
    return false;
  if (notices->count == TALLY_NOTICES_ROOM ||
      !tally_limiter_admit(&notices->limiter, key_of(notice), now_ns)) {
    notices->suppressed++;
    return false;
  }
  size_t end = (notices->first + notices->count) % TALLY_NOTICES_ROOM;
  notices->ring[end] = *notice;
  notices->count++;
  return true;
}

void tally_notices_put_at(tally_notices_t *notices,
                          const tally_notice_t *notice, uint64_t now_ns) {
  pthread_mutex_lock(&notices->lock);
  bool put = enqueue(notices, notice, now_ns);
  pthread_mutex_unlock(&notices->lock);
  if (put && notices->wake != NULL)
    notices->wake(notices->wake_data);
}

void tally_notices_put(tally_notices_t *notices, const tally_notice_t *notice) {
  tally_notices_put_at(notices, notice, tally_clock_monotonic_ns());
}

bool tally_notices_take(tally_notices_t *notices, tally_notice_t *notice) {
  pthread_mutex_lock(&notices->lock);
  bool there = notices->count > 0;
  if (there) {
    *notice = notices->ring[notices->first];
    notices->first = (notices->first + 1) % TALLY_NOTICES_ROOM;
    notices->count--;
    notices->taken++;
  }
  pthread_mutex_unlock(&notices->lock);
  return there;
}

void tally_notices_count(tally_notices_t *notices, uint64_t *taken,
                         uint64_t *suppressed) {
  pthread_mutex_lock(&notices->lock);
  *taken = notices->taken;
  *suppressed = notices->suppressed;
  pthread_mutex_unlock(&notices->lock);
}
