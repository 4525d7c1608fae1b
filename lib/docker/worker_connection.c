/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "docker/retry.h"
#include "docker/subscription.h"

/*
 * DOWN --negotiated, stream requested--> OPENING --accepted--> UP
 *   ^                                        |                 |
 *   +--------------- any problem ------------+-----------------+
 *
 * The stream is requested from a point in time: a little before the last event
 * that we have, or that a durable subscription has. So whatever the daemon
 * still remembers of the time in between comes first.
 */

#define OVERLAP_NS (2 * TALLY_NS_PER_S)
#define ENDINGS_WORTH_A_WARNING 2        /* of streams in a row */
#define LASTING_NS (5 * TALLY_NS_PER_S)  /* a connection that was a success */
#define HEALTHY_NS (60 * TALLY_NS_PER_S) /* past problems are news again */
#define OPENING_PATIENCE_NS (2 * TALLY_NS_PER_S)
#define SILENCE_NS (30 * TALLY_NS_PER_S)
#define PING_TIMEOUT_MS 5000

static void set_reachable(tally_worker_t *worker, bool reachable,
                          const char *problem) {
  if (worker->daemon.reachable != reachable || worker->daemon.since_ns == 0)
    worker->daemon.since_ns = tally_clock_realtime_ns();
  worker->daemon.reachable = reachable;
  snprintf(worker->daemon.problem, sizeof(worker->daemon.problem), "%.255s",
           problem);
  tally_worker_publish(worker);
}

/* ---- going down ---------------------------------------------------------- */

/* Once per problem, until there has been a healthy connection. */
static void warn(tally_worker_t *worker, const char *problem) {
  if (strcmp(worker->warned, problem) == 0)
    return;
  snprintf(worker->warned, sizeof(worker->warned), "%.255s", problem);
  worker->outage_logged = true;
  tally_log(TALLY_LOG_WARNING, "Docker at %s: %s; trying again",
            worker->inventory->endpoint.name, problem);
}

static void go_down(tally_worker_t *worker, const char *problem) {
  tally_stream_close(worker->stream);
  tally_worker_census_cancel(worker);
  worker->connection = TALLY_CONNECTION_DOWN;
  worker->rewinding = false;
  worker->retry_ns =
      tally_clock_monotonic_ns() + tally_retry_ns(worker->attempts);
  worker->attempts++;
  set_reachable(worker, false, problem);
}

/* A daemon that ended the stream is restarting, most likely. Whether that is
 * worth a warning, the next attempt to connect will show; unless that succeeds
 * and the stream ends again, and again. */
void tally_worker_closed(tally_worker_t *worker, const char *problem,
                         bool foul) {
  char text[256];
  snprintf(text, sizeof(text), "event stream: %.240s", problem);
  if (foul || worker->connection == TALLY_CONNECTION_OPENING ||
      worker->attempts >= ENDINGS_WORTH_A_WARNING)
    warn(worker, text);
  go_down(worker, text);
}

/* ---- coming up ----------------------------------------------------------- */

/* From when on the stream has to be requested so that nobody misses anything,
 * and who is satisfied by that. */
static uint64_t choose_position(tally_worker_t *worker) {
  uint64_t position = worker->position_ns; /* 0: the very first time */
  tally_inventory_t *inventory = worker->inventory;

  pthread_mutex_lock(&inventory->lock);
  for (tally_subscription_t *s = inventory->subscriptions; s != NULL;
       s = tally_subscription_next(s)) {
    uint64_t resume_ns = tally_subscription_resume_ns(s);
    if (!tally_subscription_is_attached(s) && resume_ns != 0 &&
        (position == 0 || resume_ns < position))
      position = resume_ns;
    tally_subscription_attach(s, worker->connection_number, worker->present_ns);
  }
  pthread_mutex_unlock(&inventory->lock);

  /* A clock that was put back must not make us ask for the future. */
  return position == 0 || position > worker->present_ns ? worker->present_ns
                                                        : position;
}

static void request_stream(tally_worker_t *worker) {
  bool first = worker->position_ns == 0;
  worker->connection_number++;
  worker->present_ns = tally_engine_now_ns(&worker->engine);
  worker->position_ns = choose_position(worker);
  worker->since_ns = worker->position_ns;
  if (!first || worker->since_ns != worker->present_ns)
    worker->since_ns -= OVERLAP_NS;

  char path[TALLY_ENGINE_PATH_SIZE];
  tally_engine_events_path(&worker->engine, path, worker->since_ns, 0);
  tally_stream_open(worker->stream, worker->connection_number, path);
  worker->connection = TALLY_CONNECTION_OPENING;
  worker->opened_ns = tally_clock_monotonic_ns();
  worker->probed_ns = worker->opened_ns;
  worker->invalid_warned = false;
}

static void connect_daemon(tally_worker_t *worker) {
  tally_error_t err = {0};
  if (tally_engine_negotiate(&worker->engine, worker->http, &err) != 0) {
    if (atomic_load(&worker->stop))
      return;
    warn(worker, err.message);
    go_down(worker, err.message);
    return;
  }
  snprintf(worker->daemon.version, sizeof(worker->daemon.version), "%s",
           worker->engine.version);
  snprintf(worker->daemon.api_version, sizeof(worker->daemon.api_version), "%s",
           worker->engine.api_version);
  request_stream(worker);
}

void tally_worker_opened(tally_worker_t *worker) {
  if (worker->connection != TALLY_CONNECTION_OPENING)
    return;
  bool all = !worker->rewinding;
  worker->connection = TALLY_CONNECTION_UP;
  worker->rewinding = false;
  atomic_fetch_add(&worker->inventory->stats.connects, 1);
  if (!worker->daemon.reachable)
    set_reachable(worker, true, "");
  if (worker->outage_logged)
    tally_log(TALLY_LOG_NOTICE, "Docker at %s: connected to %s, API %s",
              worker->inventory->endpoint.name, worker->engine.version,
              worker->engine.api_version);
  worker->outage_logged = false;
  tally_worker_census_start(worker, all);
}

void tally_worker_fence(tally_worker_t *worker, uint64_t until_ns) {
  uint64_t since_ns = worker->position_ns - OVERLAP_NS;
  if (since_ns < worker->since_ns)
    since_ns = worker->since_ns;
  /* Where it cannot be asked it counts as passed. */
  tally_fence_start(&worker->fence, worker->http, &worker->engine, since_ns,
                    until_ns, &worker->seen, NULL);
}

/* ---- staying up ---------------------------------------------------------- */

static void sync_now(tally_worker_t *worker, tally_subscription_t *s) {
  if (worker->daemon.listed && !worker->census_runs) /* else it comes soon */
    tally_subscription_push_sync(s, worker->inventory->current,
                                 tally_engine_now_ns(&worker->engine),
                                 worker->epoch);
}

/* A subscription that remembers an earlier time than the stream began needs
 * the stream again, from then. One that begins now can join in. */
static void attend_subscriptions(tally_worker_t *worker) {
  if (!atomic_exchange(&worker->subscriptions, false))
    return;
  bool rewind = false;
  tally_inventory_t *inventory = worker->inventory;
  pthread_mutex_lock(&inventory->lock);
  for (tally_subscription_t *s = inventory->subscriptions; s != NULL;
       s = tally_subscription_next(s)) {
    if (tally_subscription_is_attached(s)) {
      if (tally_subscription_take_overflow(s))
        sync_now(worker, s);
    } else if (tally_subscription_resume_ns(s) != 0) {
      rewind = true;
    } else {
      tally_subscription_attach(s, worker->connection_number,
                                worker->position_ns);
      sync_now(worker, s);
    }
  }
  pthread_mutex_unlock(&inventory->lock);

  if (rewind) {
    tally_worker_census_cancel(worker);
    worker->rewinding = true;
    request_stream(worker);
  }
}

/* A stream without events looks like a stream whose other end has gone. */
static int watch_silence(tally_worker_t *worker) {
  uint64_t silence_ns = tally_stream_silence_ns(worker->stream);
  uint64_t now = tally_clock_monotonic_ns();
  uint64_t heard_ns = now - silence_ns;
  if (heard_ns < worker->probed_ns)
    heard_ns = worker->probed_ns;
  if (now - heard_ns < SILENCE_NS)
    return tally_worker_until(heard_ns + SILENCE_NS);

  worker->probed_ns = now;
  tally_error_t err = {0};
  if (tally_engine_ping(worker->http, PING_TIMEOUT_MS, &err) != 0) {
    if (!atomic_load(&worker->stop)) {
      warn(worker, err.message);
      go_down(worker, err.message);
    }
    return 0;
  }
  /* The daemon lives. Has the stream brought what the daemon remembers? */
  if (!worker->census_runs)
    tally_worker_fence(worker, tally_engine_now_ns(&worker->engine));
  return tally_worker_until(now + SILENCE_NS);
}

static int stay_up(tally_worker_t *worker) {
  uint64_t age_ns = tally_clock_monotonic_ns() - worker->opened_ns;
  if (age_ns > LASTING_NS)
    worker->attempts = 0;
  if (age_ns > HEALTHY_NS)
    worker->warned[0] = '\0';
  if (tally_fence_is_stuck(&worker->fence) && !worker->census_runs) {
    tally_fence_clear(&worker->fence);
    tally_worker_closed(worker, "it is silent, although there were events",
                        true);
    return 0;
  }
  attend_subscriptions(worker);
  if (worker->connection != TALLY_CONNECTION_UP)
    return 0;
  return watch_silence(worker);
}

int tally_worker_connection_turn(tally_worker_t *worker) {
  switch (worker->connection) {
  case TALLY_CONNECTION_DOWN:
    if (worker->retry_ns > tally_clock_monotonic_ns())
      return tally_worker_until(worker->retry_ns);
    connect_daemon(worker);
    return 0;
  case TALLY_CONNECTION_OPENING:
    /* Some old daemons send their header with the first event. */
    if (tally_clock_monotonic_ns() - worker->opened_ns < OPENING_PATIENCE_NS)
      return tally_worker_until(worker->opened_ns + OPENING_PATIENCE_NS);
    tally_worker_opened(worker);
    return 0;
  case TALLY_CONNECTION_UP:
    return stay_up(worker);
  }
  return -1;
}
