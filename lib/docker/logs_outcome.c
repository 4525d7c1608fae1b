/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/logs_private.h"

#include <string.h>

#include "core/clock.h"
#include "core/log.h"

#define LASTING_NS (5 * TALLY_NS_PER_S) /* a stream that was a success */
/* When the daemon does not want to, and nothing changes any more. */
#define FAILURES_OF_THE_STOPPED 5
#define FAILURES_WORTH_A_WARNING 4

/* ---- what it means ------------------------------------------------------- */

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

static void fail(tally_log_followed_t *followed,
                 const tally_transfer_t *transfer, const tally_error_t *err) {
  int status = transfer->failed ? 0 : transfer->status;
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
  if (followed->request == TALLY_LOG_FOLLOW)
    tally_log_flow_lost(followed);
  else
    followed->depth = followed->asked + 1;
  tally_log_request_cancel(followed);
  followed->state = TALLY_LOG_RESTING;
  followed->act_ns = 0;
}

/* The present end of the log. */
static void turn_at_end(tally_log_followed_t *followed) {
  bool opened = followed->follow_opened;
  bool rings = followed->follow_rings;
  bool waits = followed->follow.transfer.http != NULL && !rings;
  followed->behind = fell_behind(followed);
  followed->at_end = true;
  tally_log_lines_pause(&followed->lines);
  if (waits && tally_log_plan_fits(followed)) {
    tally_log_request_take_up(followed);
    return;
  }
  if (!rings || !tally_log_flow_in_spate(followed))
    tally_log_request_cancel(followed);
  if (opened && !waits) { /* perhaps the container has ended, too */
    tally_log_followed_retry(followed, false);
    return;
  }
  followed->state = TALLY_LOG_RESTING;
  followed->act_ns = tally_log_flow_in_spate(followed) && !followed->behind
                         ? tally_log_flow_next(followed)
                         : 0;
}

static void succeed(tally_log_followed_t *followed) {
  followed->depth = TALLY_LOG_DEPTH_END;
  switch (followed->request) {
  case TALLY_LOG_FOLLOW:
    followed->ended_early = true; /* or has the container, too? */
    followed->stalls = 0;
    tally_log_followed_retry(followed, false);
    break;
  case TALLY_LOG_CATCH_UP:
    turn_at_end(followed);
    break;
  case TALLY_LOG_REST:
    conclude(followed);
    break;
  }
}

static bool is_answer(const tally_transfer_t *transfer, tally_error_t *err) {
  if (tally_transfer_check(transfer, err) != 0)
    return false;
  if (transfer->status != 200)
    tally_error_set(err, 0, "HTTP status %d", transfer->status);
  return transfer->status == 200;
}

/* A follow that is not read yet. If another request is read, its end will see
 * to it. */
static void end_waiting(tally_log_followed_t *followed,
                        tally_transfer_t *transfer) {
  tally_error_t err = {0};
  bool opening = followed->state == TALLY_LOG_OPENING;
  tally_log_request_account(followed, transfer);
  followed->follow_waits = followed->follow_rings = false;
  if (transfer->status == 200)
    followed->ended_early = true;
  if (opening && is_answer(transfer, &err))
    tally_log_followed_retry(followed, false);
  else if (opening)
    fail(followed, transfer, &err);
  tally_transfer_clear(transfer);
  if (opening)
    tally_log_reader_schedule(followed, 0);
}

void tally_log_outcome_of(tally_transfer_t *transfer) {
  tally_log_followed_t *followed = transfer->data;
  if (!tally_log_request_is_read(followed, transfer)) {
    end_waiting(followed, transfer);
    return;
  }
  tally_error_t err = {0};
  bool success = is_answer(transfer, &err);
  if (success && followed->lines.tty &&
      tally_log_tty_end(&followed->tty, tally_log_lines_take,
                        &followed->lines) != 0)
    success = false;
  tally_log_request_account(followed, transfer);
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
    tally_log_request_cancel(followed); /* the follow that waits */
    fail(followed, transfer, &err);
  }
  tally_transfer_clear(transfer);
  tally_log_reader_schedule(followed, 0);
}

/* Of the last one, now that it is known whether the container ended, too. */
void tally_log_outcome_judge(tally_log_followed_t *followed) {
  if (followed->ended_early && tally_log_followed_runs(followed) &&
      followed->run_ns == followed->container->started_ns)
    atomic_fetch_add(&followed->reader->stats.broken, 1);
  followed->ended_early = false;
}
