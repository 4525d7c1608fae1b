/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_LOGS_H
#define TALLY_DOCKER_LOGS_H

/*
 * What containers write: lines, with Docker's own time stamps.
 *
 *   GET /containers/{id}/logs ─► frames ─► pieces ─► lines ─► on_lines()
 *
 * A *reader* follows any number of containers of one daemon with one thread
 * ("tally-logs") and one event loop. A stream that breaks (the daemon is
 * restarted, a proxy hangs up) is taken up where it ended; a container that
 * ends is read to its end. No line is left out and none comes twice, as long as
 * the daemon still has them.
 *
 * How a place in a log is named: Docker knows no line numbers, but it can be
 * asked for lines since a time. Time stamps rise within stdout and within
 * stderr, though not across the two, and several lines may share one. So a
 * *position* is, for each of the two, the time of the last line and how many
 * lines of that very time have been read. The reader asks for a little more and
 * leaves out what it has had.
 *
 * What this cannot tell apart: after the daemon's clock was put back, lines
 * come twice if the stream breaks within the time that passes twice, and are
 * left out if they were written while nobody read. A TTY's last line without a
 * newline runs into the first line of the next run, unless the reader has been
 * there before. And a daemon that follows a log loses a file that was filled
 * and rotated before it has looked once; the reader does not trust it where it
 * can know better (logs_private.h), but a burst out of silence it cannot see.
 * Lines that were rotated away before they were read are lost; `missed`.
 *
 * Contract: Docker Engine API, "Get container logs" and the stream format of
 * "Attach to a container"; pieces of 16 KiB (daemon/logger/copier.go).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "docker/docker.h"

/* A container with a TTY has stdout only. */
typedef enum tally_log_stream_e {
  TALLY_LOG_STDOUT = 0,
  TALLY_LOG_STDERR,
  TALLY_LOG_STREAMS
} tally_log_stream_t;

/* Zero: the beginning of the log. */
typedef struct tally_log_position_s {
  uint64_t time_ns[TALLY_LOG_STREAMS]; /* daemon's clock; 0: nothing yet */
  uint32_t lines[TALLY_LOG_STREAMS];   /* of that time that have been read */
  /* Of a line that has begun but not ended, while lines of the other stream
   * went on; 0: there is none. Reading goes on no later than there. */
  uint64_t open_ns;
} tally_log_position_t;

/* As text, "1700000000123456789.1,0.0", with ",OPEN" if a line is. */
#define TALLY_LOG_POSITION_SIZE 96
void tally_log_position_format(const tally_log_position_t *position,
                               char text[TALLY_LOG_POSITION_SIZE]);
/* -1: it is no position. */
int tally_log_position_parse(const char *text, tally_log_position_t *position);

/* Borrowed for the call. */
typedef struct tally_log_line_s {
  const char *text; /* bytes as written, without the '\n'; may contain NUL */
  size_t len;
  uint64_t time_ns; /* of its first piece; 0: Docker did not say */
  tally_log_stream_t stream;
  unsigned part; /* 0: the whole line. A line longer than line_max comes as
                    parts 1, 2, … of the same time */
  bool last;     /* of its parts; true for a whole line */
  tally_log_position_t after; /* the position once this line is taken; of parts
                                 only the last one moves it */
} tally_log_line_t;

typedef enum tally_log_end_e {
  TALLY_LOG_ENDED,      /* the container does not run, and all is read */
  TALLY_LOG_GONE,       /* the daemon does not know the container any more */
  TALLY_LOG_UNREADABLE, /* its log driver cannot be read (err says so) */
} tally_log_end_t;

typedef struct tally_log_reader_options_s {
  size_t line_max; /* bytes of a line before it is split; 0: 1 MiB */
  /*
   * Lines of one container in their order, never none; in the reader's thread.
   * `data` is what follow() was given. Must not wait. Returns how many it has
   * taken; the others are offered again after 100 ms or after resume(), and
   * until then the container's stream is not read: Docker's log keeps the rest.
   * (A stream that waits for seconds is let go and requested again, since a
   * daemon that cannot send loses its place when the log is rotated.)
   */
  size_t (*on_lines)(const tally_container_t *container,
                     const tally_log_line_t *lines, size_t count, void *data);
  /* The last call for a follow(); it may follow the container again. */
  void (*on_end)(const tally_container_t *container, tally_log_end_t how,
                 const tally_error_t *err, void *data);
} tally_log_reader_options_t;

typedef struct tally_log_reader_s tally_log_reader_t;

/* Keeps the inventory, whose daemon it asks. NULL and *err: no memory, no
 * thread. */
tally_log_reader_t *
tally_log_reader_create(tally_inventory_t *inventory,
                        const tally_log_reader_options_t *options,
                        tally_error_t *err);
/* Ends its thread; no callback runs afterwards. NULL is allowed. */
void tally_log_reader_destroy(tally_log_reader_t *reader);

/*
 * Reads on behind `from` (NULL: from the beginning), until the container stops
 * running or is gone; an exited one is read to its end. A container that is
 * RESTARTING does not run: its next run is another follow(). Keeps the
 * container. Any thread, also inside the callbacks. -1 and *err: it is followed
 * already, no memory.
 */
int tally_log_reader_follow(tally_log_reader_t *reader,
                            const tally_container_t *container,
                            const tally_log_position_t *from, void *data,
                            tally_error_t *err);
/* Any thread: no further callback for this container once it returns, except
 * when it is called from inside one. Waits for one that runs, so hold no lock
 * that the callbacks take. */
void tally_log_reader_unfollow(tally_log_reader_t *reader, const char *id);
/* Any thread: what was not taken is offered again now. */
void tally_log_reader_resume(tally_log_reader_t *reader);

typedef struct tally_log_reader_stats_s {
  uint64_t lines, bytes;  /* taken by on_lines */
  uint64_t skipped;       /* had been read before */
  uint64_t connects;      /* streams that were opened */
  uint64_t broken;        /* streams that ended before their container */
  uint64_t invalid;       /* frames, time stamps that made no sense */
  uint64_t waits;         /* lines were not taken at once */
  uint64_t missed;        /* times when lines had been rotated away unread */
  size_t following, open; /* now: containers, streams */
} tally_log_reader_stats_t;
void tally_log_reader_stats(tally_log_reader_t *reader,
                            tally_log_reader_stats_t *stats);

#endif
