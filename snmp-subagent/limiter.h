/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_LIMITER_H
#define TALLY_SNMP_LIMITER_H

/*
 * How many notifications may pass: token buckets, one for all of them and one
 * per key, so that a single container that keeps crashing cannot use up what is
 * there for everybody. A bucket holds what a minute allows and starts full.
 *
 * Belongs to whoever locks it. Times are monotonic ns.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys that are remembered. When there are more, the one that was silent for
 * the longest is forgotten and starts with a full bucket again. */
#define TALLY_LIMITER_KEYS 256

typedef struct tally_bucket_s {
  uint64_t key;
  double tokens;
  uint64_t filled_ns; /* up to when `tokens` is right */
} tally_bucket_t;

typedef struct tally_limiter_s {
  unsigned per_minute, per_minute_and_key;
  tally_bucket_t all;
  tally_bucket_t keys[TALLY_LIMITER_KEYS];
  size_t keys_count;
} tally_limiter_t;

void tally_limiter_init(tally_limiter_t *limiter, unsigned per_minute,
                        unsigned per_minute_and_key, uint64_t now_ns);

/* Another rate from now on; what was used up stays used up. */
void tally_limiter_set(tally_limiter_t *limiter, unsigned per_minute,
                       uint64_t now_ns);

/* Whether one more may pass. What is refused uses up nothing. */
bool tally_limiter_admit(tally_limiter_t *limiter, uint64_t key,
                         uint64_t now_ns);

#endif
