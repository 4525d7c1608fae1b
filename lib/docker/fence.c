/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/fence.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/json.h"
#include "docker/event_private.h"
#include "docker/stream.h"

#define TIMEOUT_MS 5000
#define STUCK_NS (2 * TALLY_NS_PER_S)
#define AWAITED_MAX 4096 /* many times what any daemon remembers */

static int expect(const char *text, size_t len, void *data) {
  tally_fence_t *fence = data;
  uint64_t hash = tally_event_hash(text, len);
  if (tally_seen_has(fence->seen, hash))
    return 0;
  if (fence->awaited_count == fence->awaited_size) {
    size_t size = fence->awaited_size ? 2 * fence->awaited_size : 64;
    if (size > AWAITED_MAX)
      return 1;
    uint64_t *awaited = realloc(fence->awaited, size * sizeof(*awaited));
    if (awaited == NULL)
      return 1;
    fence->awaited = awaited;
    fence->awaited_size = size;
  }
  fence->awaited[fence->awaited_count++] = hash;
  return 0;
}

static void on_done(tally_transfer_t *transfer) {
  tally_fence_t *fence = transfer->data;
  if (tally_transfer_check(transfer, NULL) == 0) {
    tally_json_framer_t *framer =
        tally_json_framer_create(TALLY_STREAM_TEXT_MAX);
    if (framer != NULL)
      tally_json_framer_feed(framer, transfer->answer.data,
                             transfer->answer.len, expect, fence, NULL);
    tally_json_framer_destroy(framer);
  }
  tally_transfer_clear(transfer);
  fence->asking = false;
  fence->answered_ns = tally_clock_monotonic_ns();
}

int tally_fence_start(tally_fence_t *fence, tally_http_t *http,
                      const tally_engine_t *engine, uint64_t since_ns,
                      uint64_t until_ns, const tally_seen_t *seen,
                      tally_error_t *err) {
  tally_fence_clear(fence);
  fence->seen = seen;
  tally_engine_events_path(engine, fence->path, since_ns, until_ns);
  fence->transfer = (tally_transfer_t){.path = fence->path,
                                       .timeout_ms = TIMEOUT_MS,
                                       .data = fence,
                                       .on_done = on_done};
  if (tally_http_start(http, &fence->transfer, err) != 0)
    return -1;
  fence->asking = true;
  return 0;
}

void tally_fence_note(tally_fence_t *fence, uint64_t hash) {
  for (size_t i = 0; i < fence->awaited_count; i++)
    if (fence->awaited[i] == hash) {
      fence->awaited[i] = fence->awaited[--fence->awaited_count];
      return;
    }
}

bool tally_fence_is_passed(const tally_fence_t *fence) {
  return !fence->asking && fence->awaited_count == 0;
}

bool tally_fence_is_stuck(const tally_fence_t *fence) {
  return !fence->asking && fence->awaited_count > 0 &&
         tally_clock_monotonic_ns() - fence->answered_ns > STUCK_NS;
}

void tally_fence_clear(tally_fence_t *fence) {
  if (fence->asking)
    tally_http_cancel(&fence->transfer);
  free(fence->awaited);
  *fence = (tally_fence_t){0};
}
