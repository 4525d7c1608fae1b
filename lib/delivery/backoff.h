/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_BACKOFF_H
#define TALLY_DELIVERY_BACKOFF_H

/*
 * How long to wait after a failure: a random time between nothing and a limit
 * that doubles with each failure in a row up to a cap ("full jitter"), so that
 * many who failed together do not come back together; never less than the other
 * side has asked for.
 */

#include <stdint.h>

typedef struct tally_backoff_s {
  uint32_t failures; /* in a row */
} tally_backoff_t;

/* One failure more; `random` is any number. Returns the time to wait. What the
 * other side asks for (`at_least_ns`) is believed up to an hour. */
uint64_t tally_backoff_fail(tally_backoff_t *backoff, uint64_t base_ns,
                            uint64_t cap_ns, uint64_t at_least_ns,
                            uint64_t random);

static inline void tally_backoff_succeed(tally_backoff_t *backoff) {
  backoff->failures = 0;
}

#endif
