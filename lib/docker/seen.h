/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_SEEN_H
#define TALLY_DOCKER_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The hashes of the latest events, to recognise what is sent again. A daemon
 * repeats at most what it remembers, and that is its latest 256 events; four
 * times as many leave room for what is published while it repeats them.
 */
#define TALLY_SEEN_MAX 1024

typedef struct tally_seen_s {
  uint64_t hashes[TALLY_SEEN_MAX]; /* 0: empty */
  size_t next;                     /* the oldest one, or the first empty one */
} tally_seen_t;

/* Looking through 8 KiB takes less time than parsing the event did. */
static inline bool tally_seen_has(const tally_seen_t *seen, uint64_t hash) {
  for (size_t i = 0; i < TALLY_SEEN_MAX; i++)
    if (seen->hashes[i] == hash)
      return true;
  return false;
}

static inline void tally_seen_add(tally_seen_t *seen, uint64_t hash) {
  seen->hashes[seen->next] = hash;
  seen->next = (seen->next + 1) % TALLY_SEEN_MAX;
}

#endif
