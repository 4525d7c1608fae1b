/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/logs_private.h"

/* What a container can write between two requests, many times over. */
#define END_PIECES 5000
/* The last lines, because stdout and stderr do not wait for each other. Not
 * more, so that the socket has room for them while they wait. */
#define FOLLOW_PIECES 10
#define STALLS_MAX 3
#define API_OF_23 42

/* The beginning of a log that has none: there is nothing to pass over. */
static bool is_fresh(const tally_log_followed_t *followed) {
  return tally_log_lines_since(&followed->lines) == 0;
}

/* Some log drivers do not show the last lines to those who follow; and of
 * lines that began before, or of many of the same time, they are not enough. */
static bool can_open_first(const tally_log_followed_t *followed) {
  return followed->stalls < STALLS_MAX &&
         (tally_log_lines_have_anchor(&followed->lines)
              ? tally_log_lines_ties(&followed->lines) < FOLLOW_PIECES / 2
              : is_fresh(followed) && followed->at_end);
}

bool tally_log_plan_opens_first(const tally_log_followed_t *followed) {
  return followed->request == TALLY_LOG_FOLLOW && can_open_first(followed);
}

bool tally_log_plan_fits(const tally_log_followed_t *followed) {
  const tally_log_lines_t *lines = &followed->lines;
  return !followed->behind && !tally_log_flow_in_spate(followed) &&
         (is_fresh(followed) ||
          (tally_log_lines_have_anchor(lines) &&
           tally_log_lines_ties(lines) < FOLLOW_PIECES / 2));
}

static tally_log_request_t choose(const tally_log_followed_t *followed) {
  if (!tally_log_followed_runs(followed))
    return TALLY_LOG_REST;
  if (followed->behind || tally_log_flow_in_spate(followed))
    return TALLY_LOG_CATCH_UP;
  bool short_way =
      followed->depth == TALLY_LOG_DEPTH_END && can_open_first(followed);
  return short_way || followed->at_end ? TALLY_LOG_FOLLOW : TALLY_LOG_CATCH_UP;
}

static tally_log_depth_t depth_of(const tally_log_followed_t *followed) {
  bool needs_more =
      followed->behind || !tally_log_lines_have_anchor(&followed->lines) ||
      (followed->request == TALLY_LOG_FOLLOW && followed->stalls >= STALLS_MAX);
  return followed->depth == TALLY_LOG_DEPTH_END && needs_more
             ? TALLY_LOG_DEPTH_SINCE
             : followed->depth;
}

void tally_log_plan(tally_log_followed_t *followed) {
  if (followed->state == TALLY_LOG_OPENING)
    followed->request = TALLY_LOG_CATCH_UP;
  else
    followed->request = choose(followed);
  followed->asked = depth_of(followed);
}

void tally_log_plan_path(tally_log_followed_t *followed, char *path,
                         bool opens_first) {
  bool follows = followed->request == TALLY_LOG_FOLLOW;
  uint64_t since_ns = followed->asked == TALLY_LOG_DEPTH_ALL
                          ? 0
                          : tally_log_lines_since(&followed->lines);
  unsigned pieces = followed->asked == TALLY_LOG_DEPTH_END ? END_PIECES : 0;
  if (opens_first)
    pieces = is_fresh(followed) ? 0 : FOLLOW_PIECES;
  tally_engine_logs_path(&followed->reader->engine, path,
                         followed->container->id, since_ns, pieces, follows);
}

unsigned tally_log_plan_doubts(const tally_log_followed_t *followed) {
  bool is_old = followed->reader->engine.api_minor < API_OF_23;
  unsigned doubts = 0;
  if (followed->asked == TALLY_LOG_DEPTH_END ||
      (followed->asked == TALLY_LOG_DEPTH_SINCE && is_old &&
       followed->request != TALLY_LOG_FOLLOW))
    doubts |= TALLY_LOG_GAPS;
  if (followed->request == TALLY_LOG_FOLLOW && is_old)
    doubts |= TALLY_LOG_REPEATS;
  return doubts;
}
