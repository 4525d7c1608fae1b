/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/logs_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"

/* Hundreds of quiet streams have such a buffer each. */
#define BUFFER_SIZE 8192
/* What a container can write between two requests, many times over. */
#define END_PIECES 5000
#define GAPS_MAX 3
#define API_OF_23 42
#define LASTING_NS (5 * TALLY_NS_PER_S) /* a stream that was a success */
/* When the daemon does not want to, and nothing changes any more. */
#define FAILURES_OF_THE_STOPPED 5
#define FAILURES_WORTH_A_WARNING 4

/* ---- the end of a request ------------------------------------------------ */

static void account(tally_log_followed_t *followed) {
  struct tally_log_reader_s *reader = followed->reader;
  atomic_fetch_sub(&reader->stats.open, 1);
  atomic_fetch_add(&reader->stats.skipped, followed->lines.skipped);
  atomic_fetch_add(&reader->stats.invalid, followed->lines.invalid);
  followed->lines.skipped = followed->lines.invalid = 0;
  followed->paused = false;
}

/* The daemon's own words, which it puts into the stream if it must. */
static bool take_words(tally_log_followed_t *followed, tally_error_t *err) {
  if (followed->lines.words[0] == '\0')
    return false;
  tally_error_set(err, 0, "%s", followed->lines.words);
  return true;
}

/* Nothing will make it better. A version of the API that the daemon does not
 * speak is another matter: it has been replaced, and is asked again. */
static bool is_final(int status, const char *words) {
  return status == 501 || strstr(words, "support reading") != NULL ||
         (status == 400 && strstr(words, "API version") == NULL);
}

static void warn(tally_log_followed_t *followed, const tally_error_t *err) {
  if (followed->failures != FAILURES_WORTH_A_WARNING ||
      !followed->reader->reachable)
    return;
  tally_log(TALLY_LOG_WARNING,
            "Docker at %s: logs of container %.12s: %s; "
            "trying again",
            followed->reader->inventory->endpoint.name, followed->container->id,
            err->message);
}

static void fail(tally_log_followed_t *followed, const tally_error_t *err) {
  int status = followed->transfer.failed ? 0 : followed->transfer.status;
  bool refused = status >= 300 || followed->lines.words[0] != '\0';
  if (status == 404) {
    tally_log_followed_end(followed, TALLY_LOG_GONE, err);
  } else if (is_final(status, err->message) ||
             (refused && !tally_log_followed_runs(followed) &&
              followed->failures >= FAILURES_OF_THE_STOPPED)) {
    tally_log_followed_end(followed, TALLY_LOG_UNREADABLE, err);
  } else {
    warn(followed, err);
    tally_log_followed_retry(followed, true);
  }
}

/* All that there was has come, of a container that does not run. */
static void conclude(tally_log_followed_t *followed) {
  if (tally_log_followed_runs(followed)) { /* it was started meanwhile */
    followed->state = TALLY_LOG_RESTING;
    followed->act_ns = 0;
  } else if (!followed->reader->reachable) { /* perhaps not all of it */
    tally_log_followed_retry(followed, false);
  } else if (tally_log_lines_end(&followed->lines) != 0) {
    tally_log_followed_retry(followed, true);
  } else {
    tally_log_followed_end(followed, TALLY_LOG_ENDED, NULL);
  }
}

/* Whether most of the time of a long request was spent waiting for lines to be
 * taken. */
static bool fell_behind(const tally_log_followed_t *followed) {
  uint64_t lasted_ns = tally_clock_monotonic_ns() - followed->requested_ns;
  return lasted_ns > LASTING_NS && 2 * followed->window_held_ns > lasted_ns;
}

/* The last line that we have had was not there. */
static void ask_for_more(tally_log_followed_t *followed) {
  followed->depth = followed->asked + 1;
  if (followed->request == TALLY_LOG_FOLLOW)
    followed->gaps++;
  followed->state = TALLY_LOG_RESTING;
  followed->act_ns = 0;
}

static void succeed(tally_log_followed_t *followed) {
  followed->depth = TALLY_LOG_DEPTH_END;
  switch (followed->request) {
  case TALLY_LOG_FOLLOW:
    followed->ended_early = true; /* or has the container, too? */
    followed->gaps = 0;
    tally_log_followed_retry(followed, false);
    break;
  case TALLY_LOG_CATCH_UP:
    followed->behind = fell_behind(followed);
    followed->at_end = true;
    followed->state = TALLY_LOG_RESTING;
    followed->act_ns = 0;
    break;
  case TALLY_LOG_REST:
    conclude(followed);
    break;
  }
}

static void on_done(tally_transfer_t *transfer) {
  tally_log_followed_t *followed = transfer->data;
  tally_error_t err = {0};
  bool success = tally_transfer_check(transfer, &err) == 0;
  if (success && transfer->status != 200) {
    tally_error_set(&err, 0, "HTTP status %d", transfer->status);
    success = false;
  }
  if (success && followed->lines.tty &&
      tally_log_tty_end(&followed->tty, tally_log_lines_take,
                        &followed->lines) != 0)
    success = false;
  account(followed);
  if (followed->lines_read > 0 ||
      tally_clock_monotonic_ns() - followed->requested_ns > LASTING_NS)
    followed->failures = 0;

  if (followed->lines.gap) {
    ask_for_more(followed);
  } else if (success && !take_words(followed, &err)) {
    succeed(followed);
  } else {
    if (transfer->status == 200)
      followed->ended_early = true;
    fail(followed, &err);
  }
  tally_transfer_clear(transfer);
  tally_log_reader_schedule(followed, 0);
}

/* ---- its bytes ----------------------------------------------------------- */

static void on_open(tally_transfer_t *transfer) {
  tally_log_followed_t *followed = transfer->data;
  atomic_fetch_add(&followed->reader->stats.connects, 1);
}

static int feed(tally_log_followed_t *followed, const char *bytes, size_t len,
                tally_error_t *err) {
  int status =
      followed->lines.tty
          ? tally_log_tty_feed(&followed->tty, bytes, len, tally_log_lines_take,
                               &followed->lines)
          : tally_log_frames_feed(&followed->frames, bytes, len,
                                  tally_log_lines_take, &followed->lines, err);
  if (status < 0 && err->message[0] != '\0')
    followed->lines.invalid++;
  else if (status < 0)
    tally_error_set(err, followed->lines.gap ? 0 : ENOMEM, "log");
  return status;
}

static int on_data(tally_transfer_t *transfer, const char *bytes, size_t len) {
  tally_log_followed_t *followed = transfer->data;
  if (followed->held) {
    followed->paused = true;
    return TALLY_TRANSFER_PAUSE;
  }
  followed->heard_ns = tally_clock_monotonic_ns();
  int status = feed(followed, bytes, len, &transfer->error);
  if (followed->batch == NULL)
    return status;
  if (tally_log_batch_is_full(followed->batch))
    tally_log_followed_deliver(followed);
  if (followed->batch != NULL)
    tally_log_reader_schedule(followed, 0);
  return status;
}

/* ---- its beginning ------------------------------------------------------- */

/* Of the last one, now that it is known whether the container ended, too. */
static void judge_end(tally_log_followed_t *followed) {
  if (followed->ended_early && tally_log_followed_runs(followed) &&
      followed->run_ns == followed->container->started_ns)
    atomic_fetch_add(&followed->reader->stats.broken, 1);
  followed->ended_early = false;
}

/* The driver "json-file" ends all lines that it has cut; for others, see
 * logs_lines.h. */
static void reset(tally_log_followed_t *followed) {
  const tally_container_t *container = followed->container;
  bool forgetful = container->log_driver == NULL ||
                   strcmp(container->log_driver, "json-file") != 0;
  tally_log_frames_init(&followed->frames);
  tally_log_tty_init(&followed->tty, &followed->lines.catching_up, forgetful);
  followed->run_ns = container->started_ns;
  followed->requested_ns = followed->heard_ns = followed->window_ns =
      tally_clock_monotonic_ns();
  followed->window_held_ns = 0;
  followed->lines_read = 0;
}

static tally_log_request_t choose(const tally_log_followed_t *followed) {
  if (!tally_log_followed_runs(followed))
    return TALLY_LOG_REST;
  bool short_way = followed->depth == TALLY_LOG_DEPTH_END &&
                   tally_log_lines_have_anchor(&followed->lines);
  return !followed->behind && (short_way || followed->at_end)
             ? TALLY_LOG_FOLLOW
             : TALLY_LOG_CATCH_UP;
}

static tally_log_depth_t depth_of(const tally_log_followed_t *followed) {
  bool needs_more = followed->request == TALLY_LOG_CATCH_UP ||
                    !tally_log_lines_have_anchor(&followed->lines) ||
                    followed->gaps >= GAPS_MAX;
  return followed->depth == TALLY_LOG_DEPTH_END && needs_more
             ? TALLY_LOG_DEPTH_SINCE
             : followed->depth;
}

static unsigned doubts_of(const tally_log_followed_t *followed, bool is_old) {
  unsigned doubts = 0;
  if (followed->asked == TALLY_LOG_DEPTH_END ||
      (followed->asked == TALLY_LOG_DEPTH_SINCE && is_old &&
       followed->request != TALLY_LOG_FOLLOW))
    doubts |= TALLY_LOG_GAPS;
  if (followed->request == TALLY_LOG_FOLLOW && is_old)
    doubts |= TALLY_LOG_REPEATS;
  return doubts;
}

/* What to ask for, and what to think of the answer. */
static void compose(tally_log_followed_t *followed) {
  const tally_engine_t *engine = &followed->reader->engine;
  tally_log_lines_t *lines = &followed->lines;
  tally_log_lines_forget(lines);
  followed->request = choose(followed);
  followed->asked = depth_of(followed);
  bool all = followed->asked == TALLY_LOG_DEPTH_ALL;
  bool end = followed->asked == TALLY_LOG_DEPTH_END;
  tally_engine_logs_path(engine, followed->path, followed->container->id,
                         all ? 0 : tally_log_lines_since(lines),
                         end ? END_PIECES : 0,
                         followed->request == TALLY_LOG_FOLLOW);
  tally_log_lines_begin(lines,
                        doubts_of(followed, engine->api_minor < API_OF_23));
}

void tally_log_request_start(tally_log_followed_t *followed) {
  tally_log_reader_t *reader = followed->reader;
  if (reader->engine.api_version[0] == '\0') {
    followed->act_ns = TALLY_LOG_NEVER; /* the daemon's coming wakes us */
    return;
  }
  judge_end(followed);
  compose(followed);
  reset(followed);
  followed->at_end = false;
  followed->transfer = (tally_transfer_t){.path = followed->path,
                                          .buffer_size = BUFFER_SIZE,
                                          .data = followed,
                                          .on_open = on_open,
                                          .on_data = on_data,
                                          .on_done = on_done};
  tally_error_t err = {0};
  if (tally_http_start(reader->http, &followed->transfer, &err) != 0) {
    tally_log_followed_retry(followed, true);
    return;
  }
  atomic_fetch_add(&reader->stats.open, 1);
  followed->state = TALLY_LOG_READING;
  followed->act_ns = TALLY_LOG_NEVER;
}

void tally_log_request_cancel(tally_log_followed_t *followed) {
  if (followed->transfer.http == NULL)
    return;
  tally_http_cancel(&followed->transfer);
  account(followed);
}
