/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "aws/cloudwatch_call.h"
#include "core/clock.h"

#define PERIOD_S 60
#define MONTH_NS                                                               \
  (730 * UINT64_C(3600) * TALLY_NS_PER_S) /* as AWS counts it                  \
                                           */

/* A metric that was seen. */
typedef struct seen_s {
  UT_hash_handle hh;
  uint64_t key;
  unsigned turn; /* in which estimate, last */
} seen_t;

/* Used by the outbox's thread, and by whoever asks for an estimate. */
typedef struct dry_s {
  tally_cloudwatch_dry_t options;
  pthread_mutex_t lock; /* guards all below */
  seen_t *seen;
  unsigned turn;
  size_t metrics; /* of this turn, like all below */
  uint64_t data, calls;
  uint64_t oldest_ns, newest_ns; /* periods */
} dry_t;

/* ---- counting ------------------------------------------------------------ */

/* Whether it is a new one, or one that comes back. */
static bool count_metric(dry_t *dry, const tally_record_t *record) {
  uint64_t key = 0;
  memcpy(&key, record->key,
         record->key_len < sizeof(key) ? record->key_len : sizeof(key));
  seen_t *seen;
  HASH_FIND(hh, dry->seen, &key, sizeof(key), seen);
  bool is_new = seen == NULL;
  if (is_new) {
    if (HASH_COUNT(dry->seen) >= TALLY_ESTIMATE_METRICS_MAX ||
        (seen = calloc(1, sizeof(*seen))) == NULL)
      return false;
    seen->key = key;
    HASH_ADD(hh, dry->seen, key, sizeof(seen->key), seen);
  }
  if (is_new || seen->turn != dry->turn)
    dry->metrics++;
  seen->turn = dry->turn;
  return is_new;
}

static void count_time(dry_t *dry, uint64_t time_ns) {
  if (dry->data++ == 0)
    dry->oldest_ns = dry->newest_ns = time_ns;
  if (time_ns < dry->oldest_ns)
    dry->oldest_ns = time_ns;
  if (time_ns > dry->newest_ns)
    dry->newest_ns = time_ns;
}

static int take_batch(void *data, const tally_record_t *records, size_t count,
                      tally_fate_t *fates, tally_answer_t *answer,
                      tally_error_t *err) {
  dry_t *dry = data;
  bool done[TALLY_CLOUDWATCH_CALL_DATA];
  uint16_t members[TALLY_CLOUDWATCH_CALL_DATA];
  for (size_t i = 0; i < count; i++) {
    tally_datum_t datum;
    done[i] = tally_datum_parse(&datum, &records[i], err) != 0;
    fates[i] = done[i] ? TALLY_FATE_REFUSED : TALLY_FATE_SENT;
    if (done[i])
      continue;
    pthread_mutex_lock(&dry->lock);
    count_time(dry, records[i].time_ns);
    bool show = count_metric(dry, &records[i]) && dry->options.show != NULL;
    pthread_mutex_unlock(&dry->lock);
    if (show)
      dry->options.show(&records[i], dry->options.data);
  }
  pthread_mutex_lock(&dry->lock);
  while (tally_cloudwatch_call(records, count, done, members) > 0)
    dry->calls++;
  pthread_mutex_unlock(&dry->lock);
  return 0;
}

/* ---- the estimate -------------------------------------------------------- */

double tally_cloudwatch_price(size_t metrics, double calls_a_month) {
  static const struct {
    double metrics, dollars;
  } tiers[] = {{10000, 0.30}, {240000, 0.10}, {750000, 0.05}, {-1, 0.02}};
  double left = (double)metrics, dollars = calls_a_month / 1000 * 0.01;
  for (size_t i = 0; left > 0; i++) {
    bool last = i + 1 == sizeof(tiers) / sizeof(tiers[0]);
    double here = last || left < tiers[i].metrics ? left : tiers[i].metrics;
    dollars += here * tiers[i].dollars;
    left -= here;
  }
  return dollars;
}

/* Metrics that were away for a whole turn are new when they come back. */
static void begin_turn(dry_t *dry) {
  seen_t *seen, *next;
  HASH_ITER(hh, dry->seen, seen, next) {
    if (seen->turn == dry->turn)
      continue;
    HASH_DEL(dry->seen, seen);
    free(seen);
  }
  dry->turn++;
  dry->metrics = 0;
  dry->data = dry->calls = 0;
}

void tally_cloudwatch_estimate(const tally_destination_t *destination,
                               tally_cloudwatch_estimate_t *estimate) {
  dry_t *dry = destination->data;
  pthread_mutex_lock(&dry->lock);
  *estimate = (tally_cloudwatch_estimate_t){
      .metrics = dry->metrics, .data = dry->data, .calls = dry->calls};
  uint64_t period_s =
      dry->options.period_s > 0 ? dry->options.period_s : PERIOD_S;
  uint64_t span_ns =
      dry->newest_ns - dry->oldest_ns + period_s * TALLY_NS_PER_S;
  begin_turn(dry);
  pthread_mutex_unlock(&dry->lock);
  estimate->calls_a_month =
      (double)estimate->calls * ((double)MONTH_NS / (double)span_ns);
  estimate->dollars_a_month =
      tally_cloudwatch_price(estimate->metrics, estimate->calls_a_month);
}

/* ---- life ---------------------------------------------------------------- */

static void release(void *data) {
  dry_t *dry = data;
  seen_t *seen, *next;
  HASH_ITER(hh, dry->seen, seen, next) {
    HASH_DEL(dry->seen, seen);
    free(seen);
  }
  pthread_mutex_destroy(&dry->lock);
  free(dry);
}

int tally_cloudwatch_open_dry(const tally_cloudwatch_dry_t *options,
                              tally_destination_t *destination,
                              tally_outbox_options_t *outbox,
                              tally_error_t *err) {
  dry_t *dry = calloc(1, sizeof(*dry));
  if (dry == NULL)
    return tally_error_set(err, ENOMEM, "dry run");
  dry->options = *options;
  pthread_mutex_init(&dry->lock, NULL);
  *destination = (tally_destination_t){.data = dry,
                                       .send = take_batch,
                                       .size = tally_cloudwatch_size,
                                       .release = release};
  tally_cloudwatch_limit(outbox);
  return 0;
}
