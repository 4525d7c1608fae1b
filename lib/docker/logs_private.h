/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_LOGS_PRIVATE_H
#define TALLY_DOCKER_LOGS_PRIVATE_H

/*
 * The log reader's two halves:
 *
 *   logs_reader.c    its thread, who is followed, the callbacks
 *   logs_followed.c  one container: its requests, one after the other
 *   logs_request.c   one request: its bytes, and what its end means
 *
 * Everything belongs to the reader's thread but for the members that say
 * otherwise.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "docker/engine.h"
#include "docker/http.h"
#include "docker/id_list.h"
#include "docker/inventory_private.h"
#include "docker/logs.h"
#include "docker/logs_batch.h"
#include "docker/logs_lines.h"
#include "docker/logs_piece.h"

#define TALLY_LOG_NEVER UINT64_MAX

/*
 * A log is read to its present end first, and followed then. For a follow is
 * fragile: while the daemon is busy with what there is already, or cannot send,
 * a rotation of the log makes it lose whole files (all versions do, those
 * before 23 at the first rotation). Then it is read to its end once more.
 */
typedef enum tally_log_request_e {
  TALLY_LOG_CATCH_UP, /* all that is there, of a container that runs */
  TALLY_LOG_FOLLOW,   /* and all that comes */
  TALLY_LOG_REST,     /* all that is left of one that does not run */
} tally_log_request_t;

/*
 * How much of a log is asked for. Daemons read logs from the beginning, however
 * large, and filter then; so the end of it is tried first, and if the last line
 * that we have had is not in it, more. And daemons before Docker 23, asked for
 * lines since a time, pass over all compressed files if the oldest is older.
 */
typedef enum tally_log_depth_e {
  TALLY_LOG_DEPTH_END,   /* the last lines */
  TALLY_LOG_DEPTH_SINCE, /* since the last line */
  TALLY_LOG_DEPTH_ALL,
} tally_log_depth_t;

/*
 *   RESTING ──request──► READING ──its end──► RESTING ──…──► OVER ──► on_end()
 */
typedef enum tally_log_state_e {
  TALLY_LOG_RESTING,
  TALLY_LOG_READING,
  TALLY_LOG_OVER,
} tally_log_state_t;

typedef struct tally_log_followed_s {
  struct tally_log_reader_s *reader;
  const tally_container_t *container; /* the latest known */
  void *data;
  atomic_bool dropped; /* any thread: unfollow() */
  TAILQ_ENTRY(tally_log_followed_s) link;
  TAILQ_ENTRY(tally_log_followed_s) agenda_link;
  uint64_t due_ns; /* monotonic; on the reader's agenda unless NEVER */

  bool listed; /* a snapshot has shown it */
  bool gone;   /* and a later one has not */

  tally_log_lines_t lines;
  tally_log_batch_t *batch; /* NULL: no line waits */

  tally_log_state_t state;
  uint64_t act_ns;     /* when the state wants to be looked at again */
  unsigned failures;   /* in a row */
  tally_log_end_t end; /* once it is OVER */
  tally_error_t end_err;

  tally_log_depth_t depth; /* of the next request, at least */
  bool behind;             /* the next one does not follow */
  bool at_end;             /* the last one came to the end of the log */
  unsigned gaps;           /* follows in a row that left out lines */

  /* The request, or the last one. */
  tally_log_request_t request;
  tally_log_depth_t asked; /* its depth */
  tally_transfer_t transfer;
  char path[TALLY_ENGINE_PATH_SIZE];
  tally_log_frames_t frames;
  tally_log_tty_t tty;
  uint64_t run_ns;       /* when the container had been started */
  uint64_t requested_ns; /* monotonic */
  uint64_t heard_ns;     /* monotonic; the last byte */
  uint64_t lines_read;   /* new ones */
  bool ended_early;      /* a follow ended; did the container, too? */
  bool paused;           /* bytes wait in libcurl until the batch is empty */

  /* Lines that are not taken. */
  bool held;
  uint64_t held_since_ns;
  uint64_t window_ns, window_held_ns; /* since then: how long */
} tally_log_followed_t;

TAILQ_HEAD(tally_log_followed_list_s, tally_log_followed_s);

struct tally_log_reader_s {
  tally_inventory_t *inventory;
  tally_inventory_watcher_t watcher;
  tally_log_reader_options_t options;
  tally_http_t *http; /* wake() from any thread */
  pthread_t thread;
  /* Any thread. */
  atomic_bool stop, snapshot_changed, resumed, dropped_some;

  pthread_mutex_t lock;  /* guards what follows */
  pthread_cond_t called; /* `calling` */
  tally_id_list_t table; /* who is followed */
  struct tally_log_followed_list_s fresh;
  char calling[65]; /* whose callback runs; "": nobody's */

  struct tally_log_followed_list_s all, agenda;
  tally_log_batch_t *spare;
  tally_engine_t engine; /* api_version "": not yet known */
  bool reachable;
  uint64_t reachable_since_ns;

  struct {
    _Atomic uint64_t lines, bytes, skipped, connects, broken, invalid, waits,
        open;
  } stats;
};

/* ---- logs_reader.c ------------------------------------------------------- */

/* When it wants its turn; TALLY_LOG_NEVER: not before something happens. */
void tally_log_reader_schedule(tally_log_followed_t *followed, uint64_t ns);
/* Calls on_lines with what waits and takes it out of the batch. */
void tally_log_reader_offer(tally_log_followed_t *followed);
/* Calls on_end; it is not followed any more. */
void tally_log_reader_finish(tally_log_followed_t *followed);

/* ---- logs_followed.c ----------------------------------------------------- */

tally_log_followed_t *
tally_log_followed_create(tally_log_reader_t *reader,
                          const tally_container_t *container,
                          const tally_log_position_t *from, void *data);
void tally_log_followed_destroy(tally_log_followed_t *followed);

/* What a new snapshot says of it, NULL: nothing. `back`: the daemon was away.
 */
void tally_log_followed_see(tally_log_followed_t *followed,
                            const tally_container_t *container, bool listed,
                            bool back);
/* Does what is due, and schedules the next turn. False: it is over. */
bool tally_log_followed_turn(tally_log_followed_t *followed);

bool tally_log_followed_runs(const tally_log_followed_t *followed);
/* Offers what waits; whether nothing waits any more. */
bool tally_log_followed_deliver(tally_log_followed_t *followed);
void tally_log_followed_end(tally_log_followed_t *followed, tally_log_end_t how,
                            const tally_error_t *err);
/* The next request after some time. `failed`: and longer from time to time. */
void tally_log_followed_retry(tally_log_followed_t *followed, bool failed);

/* ---- logs_request.c ------------------------------------------------------ */

void tally_log_request_start(tally_log_followed_t *followed);
void tally_log_request_cancel(tally_log_followed_t *followed);

#endif
