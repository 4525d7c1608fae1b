/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/logs_private.h"

#include <stdlib.h>

#include "core/clock.h"
#include "docker/retry.h"

#define OFFER_AGAIN_NS (100 * TALLY_NS_PER_MS)
/* A follow that waits for us for most of this time is let go: a daemon that
 * cannot send does not notice when its log is rotated, and goes on in the
 * newest file. Asked again it begins with the oldest. */
#define FOLLOW_PATIENCE_NS TALLY_NS_PER_S
/* Other requests read files that are open: nothing is lost, but the daemon
 * keeps them. */
#define READ_PATIENCE_NS (30 * TALLY_NS_PER_S)
/* A follow of a container that has ended ends itself; if not, something is
 * wrong in the daemon. */
#define LAST_WORDS_NS (10 * TALLY_NS_PER_S)

/* ---- life ---------------------------------------------------------------- */

static int on_line(const tally_log_line_t *line, void *data) {
  tally_log_followed_t *followed = data;
  tally_log_reader_t *reader = followed->reader;
  if (followed->batch == NULL) {
    followed->batch = reader->spare;
    reader->spare = NULL;
  }
  if (followed->batch == NULL) {
    followed->batch = malloc(sizeof(*followed->batch));
    if (followed->batch == NULL)
      return -1;
    tally_log_batch_init(followed->batch);
  }
  followed->lines_read++;
  tally_log_flow_count(followed, line);
  return tally_log_batch_add(followed->batch, line);
}

tally_log_followed_t *
tally_log_followed_create(tally_log_reader_t *reader,
                          const tally_container_t *container,
                          const tally_log_position_t *from, void *data) {
  tally_log_followed_t *followed = calloc(1, sizeof(*followed));
  if (followed == NULL)
    return NULL;
  followed->reader = reader;
  followed->container = tally_container_ref(container);
  followed->data = data;
  followed->due_ns = TALLY_LOG_NEVER;
  tally_log_lines_init(&followed->lines, reader->options.line_max,
                       container->tty, from, on_line, followed);
  return followed;
}

static void give_back(tally_log_reader_t *reader, tally_log_batch_t *batch) {
  if (reader->spare == NULL) {
    reader->spare = batch;
  } else {
    tally_log_batch_clear(batch);
    free(batch);
  }
}

void tally_log_followed_destroy(tally_log_followed_t *followed) {
  tally_log_request_cancel(followed);
  if (followed->batch != NULL) {
    tally_log_batch_clear(followed->batch);
    free(followed->batch);
  }
  tally_log_lines_clear(&followed->lines);
  tally_container_unref(followed->container);
  free(followed);
}

/* ---- delivering ---------------------------------------------------------- */

static void note_held(tally_log_followed_t *followed, bool held) {
  uint64_t now = tally_clock_monotonic_ns();
  if (held == followed->held)
    return;
  followed->held = held;
  if (held) {
    followed->held_since_ns = now;
    atomic_fetch_add(&followed->reader->stats.waits, 1);
  } else {
    followed->window_held_ns += now - followed->held_since_ns;
    tally_log_flow_waited(followed, now - followed->held_since_ns);
  }
}

bool tally_log_followed_deliver(tally_log_followed_t *followed) {
  if (followed->batch == NULL)
    return true;
  tally_log_reader_offer(followed);
  bool all = tally_log_batch_is_empty(followed->batch);
  note_held(followed, !all);
  if (all) {
    give_back(followed->reader, followed->batch);
    followed->batch = NULL;
  }
  return all;
}

static bool is_too_slow(tally_log_followed_t *followed) {
  uint64_t now = tally_clock_monotonic_ns();
  uint64_t held_ns = now - followed->held_since_ns;
  if (followed->request != TALLY_LOG_FOLLOW)
    return held_ns > READ_PATIENCE_NS;
  uint64_t window_ns = now - followed->window_ns;
  if (window_ns < FOLLOW_PATIENCE_NS)
    return false;
  if (2 * (held_ns + followed->window_held_ns) > window_ns)
    return true;
  followed->window_ns = now;
  followed->window_held_ns = 0;
  followed->held_since_ns = now;
  return false;
}

static void let_go(tally_log_followed_t *followed) {
  tally_log_request_cancel(followed);
  followed->state = TALLY_LOG_RESTING;
  followed->act_ns = 0;
}

static void wait_for_taker(tally_log_followed_t *followed) {
  if (followed->state == TALLY_LOG_READING && is_too_slow(followed)) {
    followed->behind = true;
    let_go(followed);
  }
  tally_log_reader_schedule(followed,
                            tally_clock_monotonic_ns() + OFFER_AGAIN_NS);
}

/* ---- what is known of the container -------------------------------------- */

bool tally_log_followed_runs(const tally_log_followed_t *followed) {
  tally_container_state_t state = followed->container->state;
  return !followed->gone &&
         (state == TALLY_CONTAINER_RUNNING || state == TALLY_CONTAINER_PAUSED ||
          state == TALLY_CONTAINER_UNKNOWN);
}

void tally_log_followed_see(tally_log_followed_t *followed,
                            const tally_container_t *container, bool listed,
                            bool back) {
  bool ran = tally_log_followed_runs(followed);
  uint64_t started_ns = followed->container->started_ns;
  if (container != NULL) {
    followed->listed = true;
    followed->gone = false;
    if (container != followed->container) {
      tally_container_unref(followed->container);
      followed->container = tally_container_ref(container);
    }
  } else if (listed && followed->listed) {
    followed->gone = true;
  }

  bool runs = tally_log_followed_runs(followed);
  bool changed =
      runs != ran || followed->container->started_ns != started_ns || back;
  if (back)
    followed->failures = 0;
  if (!changed)
    return;
  uint64_t now = tally_clock_monotonic_ns();
  if (followed->state == TALLY_LOG_RESTING)
    followed->act_ns = now;
  else if (followed->state == TALLY_LOG_READING)
    followed->act_ns = !runs                     ? now + LAST_WORDS_NS
                       : followed->proof_ns != 0 ? followed->proof_ns
                                                 : TALLY_LOG_NEVER;
  tally_log_reader_schedule(followed, now);
}

/* ---- turns --------------------------------------------------------------- */

void tally_log_followed_end(tally_log_followed_t *followed, tally_log_end_t how,
                            const tally_error_t *err) {
  followed->state = TALLY_LOG_OVER;
  followed->act_ns = 0;
  followed->end = how;
  if (err != NULL)
    followed->end_err = *err;
}

void tally_log_followed_retry(tally_log_followed_t *followed, bool failed) {
  uint64_t wait_ns = tally_retry_ns(followed->failures);
  if (!followed->reader->reachable && failed)
    wait_ns = TALLY_RETRY_MAX_MS * TALLY_NS_PER_MS; /* its return wakes us */
  followed->failures++;
  followed->state = TALLY_LOG_RESTING;
  followed->act_ns = tally_clock_monotonic_ns() + wait_ns;
}

/* A follow whose container has ended, but that does not end. */
static void watch_last_words(tally_log_followed_t *followed, uint64_t now) {
  followed->act_ns = TALLY_LOG_NEVER;
  if (followed->request != TALLY_LOG_FOLLOW ||
      tally_log_followed_runs(followed))
    return;
  if (now - followed->heard_ns < LAST_WORDS_NS)
    followed->act_ns = followed->heard_ns + LAST_WORDS_NS;
  else
    let_go(followed);
}

static void act(tally_log_followed_t *followed) {
  uint64_t now = tally_clock_monotonic_ns();
  if (followed->act_ns > now)
    return;
  if (followed->state == TALLY_LOG_OPENING)
    tally_log_request_go_on(followed);
  else if (followed->state == TALLY_LOG_READING && followed->proof_ns != 0)
    followed->act_ns = tally_log_request_prove(followed, now);
  else if (followed->state == TALLY_LOG_READING)
    watch_last_words(followed, now);
  if (followed->state == TALLY_LOG_RESTING && followed->act_ns <= now)
    tally_log_request_start(followed);
}

bool tally_log_followed_turn(tally_log_followed_t *followed) {
  if (!tally_log_followed_deliver(followed)) {
    wait_for_taker(followed);
    return true;
  }
  if (followed->state == TALLY_LOG_OVER) {
    tally_log_reader_finish(followed);
    return false;
  }
  if (followed->follow_doubted) {
    followed->follow_doubted = false;
    if (followed->state == TALLY_LOG_READING)
      tally_log_request_listen(followed);
  }
  act(followed);
  tally_log_reader_schedule(followed, followed->act_ns);
  tally_log_request_resume(followed);
  return true;
}
