/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_LOGS_PRIVATE_H
#define TALLY_DOCKER_LOGS_PRIVATE_H

/*
 * The log reader's two halves:
 *
 *   logs_reader.c    its thread, who is followed, the callbacks
 *   logs_followed.c  one container: its requests, one after the other
 *   logs_plan.c      which request is next, and what to think of its answer
 *   logs_request.c   the requests: their beginnings, their bytes
 *   logs_outcome.c   what their ends mean
 *   logs_flow.c      whether a log is rotated too fast to be followed
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
 * A request that does not follow reads files that the daemon has opened all at
 * one time: it leaves out nothing. A follow is fragile. Daemons before Docker
 * 23 open the newest file, read it, and only then begin to watch the path it
 * had: a log that is rotated in between is not heard of until the next
 * rotation, and the file in between is lost. If it is rotated twice while the
 * daemon is busy or cannot send, all versions lose a file. (moby,
 * daemon/logger/loggerutils/logfile.go: ReadLogs(), follow.go: handleRotate()
 * and followLogs(); since 23 Do(), "file rotations were missed".)
 *
 * So a follow is opened, but not read; when it had the time to begin, the log
 * is read to its present end without following, and then the follow is read:
 * where it comes to that end, it has passed it in the right file, and goes on
 * from there. Does it show a newer line before, or nothing, it is opened anew.
 * And a log that grows so fast that it is rotated within a second or so is not
 * followed, but read to its end again and again ("in spate", logs_flow.c); a
 * follow that is still there says when.
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
 *      └─a follow──► OPENING ─┘
 */
typedef enum tally_log_state_e {
  TALLY_LOG_RESTING,
  TALLY_LOG_OPENING, /* a follow; its bytes wait */
  TALLY_LOG_READING,
  TALLY_LOG_OVER,
} tally_log_state_t;

typedef struct tally_log_channel_s {
  tally_transfer_t transfer;
  char path[TALLY_ENGINE_PATH_SIZE];
} tally_log_channel_t;

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
  unsigned stalls;         /* follows in a row that never came to that end */

  /* The request that is read, or the last one. */
  tally_log_request_t request;
  tally_log_depth_t asked; /* its depth */
  /* A follow waits in its own while another request is read. */
  tally_log_channel_t follow, read;
  bool follow_opened; /* before the request that is read */
  bool follow_waits;  /* bytes of it do, in libcurl */
  bool follow_rings;  /* they are not read: they only say that there are some */
  bool rang;          /* they came while another request was read */
  uint64_t opened_ns; /* monotonic; its header */
  tally_log_frames_t frames;
  tally_log_tty_t tty;
  uint64_t run_ns;       /* when the container had been started */
  uint64_t requested_ns; /* monotonic */
  uint64_t heard_ns;     /* monotonic; the last byte */
  uint64_t lines_read;   /* new ones */
  bool ended_early;      /* a follow ended; did the container, too? */
  bool paused;           /* bytes wait in libcurl until the batch is empty */
  uint64_t proof_ns; /* monotonic; until then the follow has to have come where
                        the log had ended; 0: it has, or need not */

  uint64_t missed_said_ns; /* monotonic; 0: never */

  /* How fast the log grows (logs_flow.c). */
  uint64_t flow_ns; /* of the first line that is counted; daemon's clock */
  uint64_t flow_bytes;
  uint64_t spate_ns;   /* monotonic; in spate until then */
  bool follow_doubted; /* it is not to be read on */

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
  unsigned reads; /* transfers that do not follow */

  struct {
    _Atomic uint64_t lines, bytes, skipped, connects, broken, invalid, waits,
        missed, open;
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

/* ---- logs_plan.c --------------------------------------------------------- */

/* The next request; what is known goes into `request` and `asked`. */
void tally_log_plan(tally_log_followed_t *followed);
/* Whether the follow that is planned is opened first, and read behind a request
 * that does not follow. */
bool tally_log_plan_opens_first(const tally_log_followed_t *followed);
/* The path of the request that is planned, or of a follow that is opened. */
void tally_log_plan_path(tally_log_followed_t *followed, char *path,
                         bool opens_first);
/* What the answer to the request may do to us: tally_log_doubts_t. */
unsigned tally_log_plan_doubts(const tally_log_followed_t *followed);
/* Whether the follow that waits may be read now that another request came to
 * the end of the log. */
bool tally_log_plan_fits(const tally_log_followed_t *followed);

/* ---- logs_flow.c --------------------------------------------------------- */

/* A line has come. */
void tally_log_flow_count(tally_log_followed_t *followed,
                          const tally_log_line_t *line);
/* From now on, for the request that begins. */
void tally_log_flow_begin(tally_log_followed_t *followed);
/* How long a follow is given to begin; ns. */
uint64_t tally_log_flow_opening(const tally_log_followed_t *followed);
/* Lines had to wait for so long. */
void tally_log_flow_waited(tally_log_followed_t *followed, uint64_t ns);
/* A follow has lost lines. */
void tally_log_flow_lost(tally_log_followed_t *followed);
bool tally_log_flow_in_spate(const tally_log_followed_t *followed);
/* When to read it again, in spate, unless the follow rings before; monotonic.
 */
uint64_t tally_log_flow_next(const tally_log_followed_t *followed);

/* ---- logs_request.c ------------------------------------------------------ */

void tally_log_request_start(tally_log_followed_t *followed);
/* The follow that is opened had its time. */
void tally_log_request_go_on(tally_log_followed_t *followed);
/* The follow has to be where the log had ended by now; when to look again. */
uint64_t tally_log_request_prove(tally_log_followed_t *followed, uint64_t now);
void tally_log_request_cancel(tally_log_followed_t *followed);
/* The follow is not read any more, but listened to. */
void tally_log_request_listen(tally_log_followed_t *followed);
/* Bytes that wait may come. */
void tally_log_request_resume(tally_log_followed_t *followed);

/* For logs_outcome.c: whether the transfer is the request that is read, and not
 * a follow that waits. */
bool tally_log_request_is_read(tally_log_followed_t *followed,
                               const tally_transfer_t *transfer);
/* One of its transfers is over. */
void tally_log_request_account(tally_log_followed_t *followed,
                               const tally_transfer_t *transfer);
/* The follow that waits is read from now on. */
void tally_log_request_take_up(tally_log_followed_t *followed);

/* ---- logs_outcome.c ------------------------------------------------------ */

/* An on_done(). */
void tally_log_outcome_of(tally_transfer_t *transfer);
/* Of the last one, now that it is known whether the container ended, too. */
void tally_log_outcome_judge(tally_log_followed_t *followed);

#endif
