/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_FENCE_H
#define TALLY_DOCKER_FENCE_H

/*
 * Knows when the event stream has brought everything up to a point in time.
 *
 * The stream itself does not tell where the past ends and the present begins.
 * So the same events are asked for a second time, with an end
 * (GET /events?since=…&until=…, which the daemon answers from its memory); when
 * each of them has come through the stream, the stream is drained up to there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "docker/engine.h"
#include "docker/http.h"
#include "docker/seen.h"

typedef struct tally_fence_s {
  tally_transfer_t transfer;
  char path[TALLY_ENGINE_PATH_SIZE];
  const tally_seen_t *seen;
  bool asking;
  uint64_t *awaited; /* hashes that have not come yet */
  size_t awaited_count, awaited_size;
  uint64_t answered_ns; /* monotonic; 0: not yet */
} tally_fence_t;

/* Asks. `seen` is what has come through the stream so far; it is looked at
 * until the end. -1 and *err: it cannot be asked. */
int tally_fence_start(tally_fence_t *fence, tally_http_t *http,
                      const tally_engine_t *engine, uint64_t since_ns,
                      uint64_t until_ns, const tally_seen_t *seen,
                      tally_error_t *err);

/* An event came through the stream. */
void tally_fence_note(tally_fence_t *fence, uint64_t hash);

/* True when everything has come, or could not be asked for. */
bool tally_fence_is_passed(const tally_fence_t *fence);

/* True when something is still missing so long after the answer that it will
 * not come any more. */
bool tally_fence_is_stuck(const tally_fence_t *fence);

/* Forgets everything; what is under way is cancelled. */
void tally_fence_clear(tally_fence_t *fence);

#endif
