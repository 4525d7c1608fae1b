/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/logs_private.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"

/* Hundreds of quiet streams have such a buffer each. */
#define BUFFER_SIZE 8192
/* A follow that is read comes to the line that it has to pass within this. */
#define PROOF_NS (2 * TALLY_NS_PER_S)
/* Not all at once behind their follows, or they need twice the descriptors. */
#define READS_MAX 64
#define TURN_NS (10 * TALLY_NS_PER_MS)
/* Those whose turn it is may wait for their takers. */
#define TURN_MAX_NS (2 * TALLY_NS_PER_S)
#define MISSED_SAID_NS (60 * TALLY_NS_PER_S)

/* ---- which one ----------------------------------------------------------- */

static tally_transfer_t *current(tally_log_followed_t *followed) {
  return followed->request == TALLY_LOG_FOLLOW ? &followed->follow.transfer
                                               : &followed->read.transfer;
}

bool tally_log_request_is_read(tally_log_followed_t *followed,
                               const tally_transfer_t *transfer) {
  return followed->state == TALLY_LOG_READING && transfer == current(followed);
}

static void tell_missed(tally_log_followed_t *followed) {
  uint64_t now = tally_clock_monotonic_ns(), missed = followed->lines.missed;
  followed->lines.missed = 0;
  atomic_fetch_add(&followed->reader->stats.missed, missed);
  if (missed == 0 || (followed->missed_said_ns != 0 &&
                      now - followed->missed_said_ns < MISSED_SAID_NS))
    return;
  followed->missed_said_ns = now;
  tally_log(TALLY_LOG_WARNING,
            "Docker at %s: logs of container %.12s: the place up to which they "
            "had been read was rotated away; lines behind it may be lost",
            followed->reader->inventory->endpoint.name,
            followed->container->id);
}

void tally_log_request_account(tally_log_followed_t *followed,
                               const tally_transfer_t *transfer) {
  struct tally_log_reader_s *reader = followed->reader;
  atomic_fetch_sub(&reader->stats.open, 1);
  if (transfer == &followed->read.transfer)
    reader->reads--;
  atomic_fetch_add(&reader->stats.skipped, followed->lines.skipped);
  atomic_fetch_add(&reader->stats.invalid, followed->lines.invalid);
  followed->lines.skipped = followed->lines.invalid = 0;
  tell_missed(followed);
  if (tally_log_request_is_read(followed, transfer))
    followed->paused = false;
}

/* ---- bytes --------------------------------------------------------------- */

static void on_open(tally_transfer_t *transfer) {
  tally_log_followed_t *followed = transfer->data;
  atomic_fetch_add(&followed->reader->stats.connects, 1);
  if (followed->state != TALLY_LOG_OPENING)
    return;
  followed->opened_ns = tally_clock_monotonic_ns();
  followed->act_ns = followed->opened_ns + tally_log_flow_opening(followed);
  tally_log_reader_schedule(followed, followed->act_ns);
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

static int keep_waiting(tally_log_followed_t *followed) {
  followed->follow_waits = true;
  return TALLY_TRANSFER_PAUSE;
}

static int ring(tally_log_followed_t *followed) {
  followed->rang = true;
  if (followed->state == TALLY_LOG_RESTING && followed->lines_read == 0) {
    followed->act_ns = 0;
    tally_log_reader_schedule(followed, 0);
  }
  return 0;
}

static int on_data(tally_transfer_t *transfer, const char *bytes, size_t len) {
  tally_log_followed_t *followed = transfer->data;
  if (!tally_log_request_is_read(followed, transfer))
    return followed->follow_rings ? ring(followed) : keep_waiting(followed);
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

/* ---- beginnings ---------------------------------------------------------- */

/* The driver "json-file" ends all lines that it has cut; for others, see
 * logs_lines.h. */
static void reset(tally_log_followed_t *followed) {
  const tally_container_t *container = followed->container;
  bool forgetful = container->log_driver == NULL ||
                   strcmp(container->log_driver, "json-file") != 0;
  tally_log_frames_init(&followed->frames);
  tally_log_tty_init(&followed->tty, &followed->lines.catching_up, forgetful);
  followed->requested_ns = followed->heard_ns = followed->window_ns =
      tally_clock_monotonic_ns();
  followed->window_held_ns = 0;
  followed->lines_read = 0;
  followed->proof_ns = 0;
  tally_log_flow_begin(followed);
}

/* 0: under way; -1: it will be tried again. */
static int start(tally_log_followed_t *followed, tally_log_channel_t *channel) {
  tally_log_reader_t *reader = followed->reader;
  tally_error_t err = {0};
  channel->transfer = (tally_transfer_t){.path = channel->path,
                                         .buffer_size = BUFFER_SIZE,
                                         .data = followed,
                                         .on_open = on_open,
                                         .on_data = on_data,
                                         .on_done = tally_log_outcome_of};
  if (tally_http_start(reader->http, &channel->transfer, &err) != 0) {
    tally_log_request_cancel(followed);
    tally_log_followed_retry(followed, true);
    return -1;
  }
  atomic_fetch_add(&reader->stats.open, 1);
  if (channel == &followed->read)
    reader->reads++;
  followed->act_ns = TALLY_LOG_NEVER;
  return 0;
}

static void start_reading(tally_log_followed_t *followed) {
  tally_log_channel_t *channel = followed->request == TALLY_LOG_FOLLOW
                                     ? &followed->follow
                                     : &followed->read;
  tally_log_plan_path(followed, channel->path, false);
  tally_log_lines_begin(&followed->lines, tally_log_plan_doubts(followed));
  reset(followed);
  if (start(followed, channel) == 0)
    followed->state = TALLY_LOG_READING;
}

static void open_follow(tally_log_followed_t *followed) {
  tally_log_plan_path(followed, followed->follow.path, true);
  tally_log_lines_begin(&followed->lines, 0);
  followed->follow_waits = false;
  followed->follow_opened = true;
  if (start(followed, &followed->follow) == 0)
    followed->state = TALLY_LOG_OPENING;
}

void tally_log_request_start(tally_log_followed_t *followed) {
  if (followed->reader->engine.api_version[0] == '\0') {
    followed->act_ns = TALLY_LOG_NEVER; /* the daemon's coming wakes us */
    return;
  }
  tally_log_outcome_judge(followed);
  tally_log_lines_forget(&followed->lines);
  tally_log_plan(followed);
  bool opens_first = tally_log_plan_opens_first(followed);
  followed->at_end = false;
  followed->follow_opened = false;
  followed->run_ns = followed->container->started_ns;
  followed->rang = false;
  if (followed->request != TALLY_LOG_CATCH_UP)
    tally_log_request_cancel(followed); /* a follow that rings */
  if (opens_first)
    open_follow(followed);
  else
    start_reading(followed);
}

void tally_log_request_go_on(tally_log_followed_t *followed) {
  uint64_t now = tally_clock_monotonic_ns();
  if (followed->reader->reads >= READS_MAX &&
      now - followed->opened_ns < TURN_MAX_NS) {
    followed->act_ns = now + TURN_NS;
    return;
  }
  tally_log_plan(followed);
  start_reading(followed);
}

void tally_log_request_take_up(tally_log_followed_t *followed) {
  followed->request = TALLY_LOG_FOLLOW;
  followed->asked = TALLY_LOG_DEPTH_END;
  tally_log_lines_begin(&followed->lines, tally_log_plan_doubts(followed));
  reset(followed);
  followed->paused = followed->follow_waits;
  followed->follow_waits = false;
  followed->proof_ns = followed->requested_ns + PROOF_NS;
  followed->act_ns = followed->proof_ns;
}

uint64_t tally_log_request_prove(tally_log_followed_t *followed, uint64_t now) {
  if (followed->lines.anchor_ns == 0) {
    followed->proof_ns = 0;
    followed->stalls = 0;
    return now; /* see watch_last_words() */
  }
  if (now - followed->heard_ns < PROOF_NS)
    return followed->heard_ns + PROOF_NS;
  followed->stalls++;
  tally_log_request_cancel(followed);
  followed->state = TALLY_LOG_RESTING;
  return now;
}

/* ---- letting go ---------------------------------------------------------- */

static void cancel(tally_log_followed_t *followed,
                   tally_log_channel_t *channel) {
  if (channel->transfer.http == NULL)
    return;
  tally_http_cancel(&channel->transfer);
  tally_log_request_account(followed, &channel->transfer);
}

void tally_log_request_cancel(tally_log_followed_t *followed) {
  cancel(followed, &followed->read);
  cancel(followed, &followed->follow);
  followed->follow_waits = followed->follow_rings = false;
}

void tally_log_request_listen(tally_log_followed_t *followed) {
  followed->state = TALLY_LOG_RESTING;
  followed->act_ns = 0;
  followed->proof_ns = 0;
  followed->follow_rings = true;
  if (followed->paused)
    tally_transfer_resume(&followed->follow.transfer);
  followed->paused = false;
}

void tally_log_request_resume(tally_log_followed_t *followed) {
  if (!followed->paused)
    return;
  followed->paused = false;
  tally_transfer_resume(current(followed));
}
