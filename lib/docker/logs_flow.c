/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/logs_private.h"

#include "core/clock.h"

/*
 * A daemon that follows a log loses a file if the log is rotated twice before
 * it has looked. It looks often, but a program can write faster. How fast, only
 * the lines tell: a log whose files are filled within two seconds is in spate.
 */

#define WINDOW_NS TALLY_NS_PER_S
#define SPATE_NS (3 * TALLY_NS_PER_S) /* of calm end it */
/* What the drivers add to a line: its time, its stream, braces. */
#define LINE_OVERHEAD 64
/* A file is not filled faster than with so many bytes per microsecond. */
#define FASTEST 40
#define FILES_MIN 2
/* Between its header and the daemon's watching the log a follow has this time,
 * a hundred times what it takes. */
#define OPENING_NS (100 * TALLY_NS_PER_MS)
#define OPENING_HASTY_NS (10 * TALLY_NS_PER_MS)
#define POLL_MIN_NS (10 * TALLY_NS_PER_MS)
#define POLL_MAX_NS (100 * TALLY_NS_PER_MS)

/* Bytes; 0: its log is not rotated, or so little of it is kept that only a
 * follow can be in time. */
static uint64_t file_max(const tally_log_followed_t *followed) {
  const tally_container_t *container = followed->container;
  return container->log_files >= FILES_MIN ? container->log_file_max : 0;
}

uint64_t tally_log_flow_opening(const tally_log_followed_t *followed) {
  const tally_container_t *container = followed->container;
  return container->log_file_max != 0 && container->log_files < FILES_MIN
             ? OPENING_HASTY_NS
             : OPENING_NS;
}

bool tally_log_flow_in_spate(const tally_log_followed_t *followed) {
  return followed->spate_ns > tally_clock_monotonic_ns();
}

void tally_log_flow_lost(tally_log_followed_t *followed) {
  if (file_max(followed) != 0)
    followed->spate_ns = tally_clock_monotonic_ns() + SPATE_NS;
}

static void doubt(tally_log_followed_t *followed) {
  followed->follow_doubted = followed->request == TALLY_LOG_FOLLOW;
}

void tally_log_flow_begin(tally_log_followed_t *followed) {
  followed->follow_doubted = false;
}

/* Requests that do not follow may read what has gathered for days. */
static bool is_recent(const tally_log_line_t *line) {
  return line->time_ns + SPATE_NS > tally_clock_realtime_ns();
}

void tally_log_flow_count(tally_log_followed_t *followed,
                          const tally_log_line_t *line) {
  uint64_t max = file_max(followed);
  if (max == 0 || line->time_ns == 0)
    return;
  if (line->time_ns > followed->flow_ns &&
      line->time_ns - followed->flow_ns >= WINDOW_NS) {
    followed->flow_ns = line->time_ns;
    followed->flow_bytes = 0;
  }
  followed->flow_bytes += line->len + LINE_OVERHEAD;
  if (followed->flow_bytes <= max / 2)
    return;
  followed->flow_bytes = 0;
  if (followed->request == TALLY_LOG_FOLLOW ||
      tally_log_flow_in_spate(followed) || is_recent(line)) {
    tally_log_flow_lost(followed);
    doubt(followed);
  }
}

void tally_log_flow_waited(tally_log_followed_t *followed, uint64_t ns) {
  uint64_t max = file_max(followed);
  if (max != 0 && ns / 1000 * FASTEST > max)
    doubt(followed);
}

uint64_t tally_log_flow_next(const tally_log_followed_t *followed) {
  uint64_t now = tally_clock_monotonic_ns();
  uint64_t rest_ns = now - followed->requested_ns; /* half of the time */
  bool quiet = followed->lines_read == 0 && !followed->rang;
  if (rest_ns > POLL_MAX_NS || (followed->follow_rings && quiet))
    rest_ns = POLL_MAX_NS;
  else if (rest_ns < POLL_MIN_NS && !followed->follow_rings)
    rest_ns = POLL_MIN_NS;
  return now + rest_ns;
}
