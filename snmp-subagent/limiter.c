/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "limiter.h"

#include "core/clock.h"

static void fill(tally_bucket_t *bucket, unsigned per_minute, uint64_t now_ns) {
  if (now_ns > bucket->filled_ns) {
    bucket->tokens += (double)(now_ns - bucket->filled_ns) * per_minute /
                      (60.0 * TALLY_NS_PER_S);
    bucket->filled_ns = now_ns;
  }
  if (bucket->tokens > per_minute)
    bucket->tokens = per_minute;
}

void tally_limiter_init(tally_limiter_t *limiter, unsigned per_minute,
                        unsigned per_minute_and_key, uint64_t now_ns) {
  limiter->per_minute = per_minute;
  limiter->per_minute_and_key = per_minute_and_key;
  limiter->all = (tally_bucket_t){.tokens = per_minute, .filled_ns = now_ns};
  limiter->keys_count = 0;
}

void tally_limiter_set(tally_limiter_t *limiter, unsigned per_minute,
                       uint64_t now_ns) {
  fill(&limiter->all, limiter->per_minute, now_ns);
  if (per_minute > limiter->per_minute)
    limiter->all.tokens += per_minute - limiter->per_minute;
  limiter->per_minute = per_minute;
  fill(&limiter->all, per_minute, now_ns);
}

static tally_bucket_t *bucket_of(tally_limiter_t *limiter, uint64_t key,
                                 uint64_t now_ns) {
  tally_bucket_t *oldest = &limiter->keys[0];
  for (size_t i = 0; i < limiter->keys_count; i++) {
    tally_bucket_t *bucket = &limiter->keys[i];
    if (bucket->key == key)
      return bucket;
    if (bucket->filled_ns < oldest->filled_ns)
      oldest = bucket;
  }
  if (limiter->keys_count < TALLY_LIMITER_KEYS)
    oldest = &limiter->keys[limiter->keys_count++];
  *oldest = (tally_bucket_t){
      .key = key, .tokens = limiter->per_minute_and_key, .filled_ns = now_ns};
  return oldest;
}

bool tally_limiter_admit(tally_limiter_t *limiter, uint64_t key,
                         uint64_t now_ns) {
  tally_bucket_t *own = bucket_of(limiter, key, now_ns);
  fill(own, limiter->per_minute_and_key, now_ns);
  fill(&limiter->all, limiter->per_minute, now_ns);
  if (own->tokens < 1 || limiter->all.tokens < 1)
    return false;
  own->tokens -= 1;
  limiter->all.tokens -= 1;
  return true;
}
