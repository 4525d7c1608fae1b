/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_HASH_H
#define TALLY_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a with 64 bits: to tell things apart, not to keep people out. */
#define TALLY_HASH_EMPTY UINT64_C(0xcbf29ce484222325)

/* Goes on from `hash`, which is TALLY_HASH_EMPTY at first. */
static inline uint64_t tally_hash_add(uint64_t hash, const void *data,
                                      size_t len) {
  const unsigned char *p = data;
  for (size_t i = 0; i < len; i++)
    hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
  return hash;
}

static inline uint64_t tally_hash(const void *data, size_t len) {
  return tally_hash_add(TALLY_HASH_EMPTY, data, len);
}

#endif
