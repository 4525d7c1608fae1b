/* SPDX-License-Identifier: MIT */
#include "config.h"

/* The numbers of an outbox as lists of values. Gauges all, because the
 * subagent reads totals from collectd's unixsock, which shows a DERIVE as a
 * rate. */

#include <string.h>

#include "core/clock.h"
#include "delivery/delivery.h"

const char *tally_loss_name(tally_loss_t loss) {
  static const char *const names[TALLY_LOSSES] = {
      [TALLY_LOSS_NONE] = "accepted",
      [TALLY_LOSS_TOO_LARGE] = "too_large",
      [TALLY_LOSS_NO_ROOM] = "no_room",
      [TALLY_LOSS_CLOSED] = "closed",
      [TALLY_LOSS_SPOOL_FULL] = "spool_full",
      [TALLY_LOSS_AGE] = "age",
      [TALLY_LOSS_REFUSED] = "refused",
      [TALLY_LOSS_DAMAGED] = "damaged",
      [TALLY_LOSS_SHUTDOWN] = "shutdown",
  };
  return loss < TALLY_LOSSES ? names[loss] : "unknown";
}

uint64_t tally_outbox_lost(const tally_outbox_stats_t *stats) {
  uint64_t lost = 0;
  for (size_t i = TALLY_LOSS_NONE + 1; i < TALLY_LOSSES; i++)
    lost += stats->lost[i];
  return lost;
}

typedef struct value_s {
  const char *name;
  double value;
} value_t;

#define VALUES_MOST 10

static double seconds(uint64_t ns) {
  return (double)ns / (double)TALLY_NS_PER_S;
}

static size_t list_outbox(const tally_outbox_stats_t *s, value_t *values) {
  const value_t all[] = {
      {"accepted", (double)s->accepted},
      {"sent", (double)s->sent},
      {"failed", (double)s->failed},
      {"retried", (double)s->retried},
      {"dropped", (double)tally_outbox_lost(s)},
      {"queued", (double)s->queued},
      {"spooled_bytes", (double)s->spooled_bytes},
      {"oldest_age", seconds(s->oldest_age_ns)},
      {"last_error", (double)s->last_error},
      {"latency", seconds(s->latency_ns)},
  };
  memcpy(values, all, sizeof(all));
  return sizeof(all) / sizeof(all[0]);
}

static size_t list_losses(const tally_outbox_stats_t *s, value_t *values) {
  size_t count = 0;
  for (size_t i = TALLY_LOSS_NONE + 1; i < TALLY_LOSSES; i++)
    values[count++] = (value_t){tally_loss_name(i), (double)s->lost[i]};
  values[count++] = (value_t){"recovered", (double)s->recovered};
  values[count++] =
      (value_t){"possible_duplicates", (double)s->possible_duplicates};
  return count;
}

static size_t list(const tally_outbox_stats_t *stats, tally_outbox_set_t set,
                   value_t values[VALUES_MOST]) {
  return set == TALLY_OUTBOX_SET_MAIN ? list_outbox(stats, values)
                                      : list_losses(stats, values);
}

const char *tally_outbox_set_type(tally_outbox_set_t set) {
  return set == TALLY_OUTBOX_SET_MAIN ? "tallyman_outbox" : "tallyman_losses";
}

size_t tally_outbox_values(const tally_outbox_stats_t *stats,
                           tally_outbox_set_t set, double *values,
                           size_t size) {
  value_t all[VALUES_MOST];
  size_t count = list(stats, set, all);
  for (size_t i = 0; i < size && i < count; i++)
    values[i] = all[i].value;
  return count;
}

const char *tally_outbox_value_name(tally_outbox_set_t set, size_t i) {
  static const tally_outbox_stats_t none;
  value_t all[VALUES_MOST];
  return i < list(&none, set, all) ? all[i].name : NULL;
}
