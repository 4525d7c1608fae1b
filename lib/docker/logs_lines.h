/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_LOGS_LINES_H
#define TALLY_DOCKER_LOGS_LINES_H

/*
 * Pieces of one container become lines: joined, with the time of the first one,
 * without those that had been read before, and each with its position. Knows
 * nothing of connections; belongs to one thread.
 *
 * Which pieces make a line: one with '\n' ends it. One without is followed by
 * more of the line if it is full or longer; a shorter one was the last thing
 * before the container closed its output, or comes from a driver that forgets
 * the '\n' of lines it had cut ("local" of Docker 20.10). Since Docker 18.06
 * all pieces of a line have the same time, before that each has its own.
 */

#include "core/buffer.h"
#include "docker/logs.h"
#include "docker/logs_piece.h"

/* Longer than any RFC 3339 time with nine digits and an offset. */
#define TALLY_LOG_STAMP_MAX 36

/* What comes from stdout, or from stderr. */
typedef struct tally_log_strand_s {
  /* The piece, or the last one. */
  char stamp[TALLY_LOG_STAMP_MAX + 1];
  unsigned stamp_len;
  bool in_stamp;
  uint64_t piece_ns; /* 0: it has no valid one */
  size_t piece_len;  /* of its text, behind the last '\n' */

  /* The line. */
  bool open;                  /* it has begun */
  bool skipped;               /* it had been read before */
  uint64_t first_ns, last_ns; /* of its pieces */
  tally_buffer_t text;        /* what of it has not been handed on */
  unsigned parts;             /* that have been */

  /* Since begin(). */
  bool caught_up; /* beyond what had been read */
  uint32_t seen;  /* lines of the position's time */
  /* Of the line that a break cut, how much had been handed on. */
  uint64_t cut_ns;
  unsigned cut_parts;
} tally_log_strand_t;

typedef struct tally_log_lines_s {
  /* The text is borrowed for the call. Negative: it could not be taken, and
   * comes again after begin(). */
  int (*on_line)(const tally_log_line_t *line, void *data);
  void *data;
  size_t line_max;
  bool tty;

  tally_log_strand_t strands[TALLY_LOG_STREAMS];
  tally_log_position_t position; /* after the last whole line handed on */
  bool catching_up;              /* no new line has ended since begin() */
  char words[256];               /* the daemon's own, since begin(); or "" */
  uint64_t invalid, skipped;     /* since the beginning; see logs.h */
} tally_log_lines_t;

/* `from` NULL: the beginning of the log. */
void tally_log_lines_init(tally_log_lines_t *lines, size_t line_max, bool tty,
                          const tally_log_position_t *from,
                          int (*on_line)(const tally_log_line_t *line,
                                         void *data),
                          void *data);
void tally_log_lines_clear(tally_log_lines_t *lines);

/* The log is read anew from tally_log_lines_since(). What was not whole is
 * forgotten: it comes again. */
void tally_log_lines_begin(tally_log_lines_t *lines);
/* A tally_log_on_piece_t; `data` is the lines. -1: out of memory, or a line
 * could not be taken. */
int tally_log_lines_take(int source, const char *bytes, size_t len,
                         unsigned edges, void *data);
/* Nothing will follow: a line without '\n' is one. */
int tally_log_lines_end(tally_log_lines_t *lines);

/* From when on the log has to be requested to miss nothing; 0: the beginning.
 * A little earlier than the position, since the daemon has a thread each for
 * stdout and stderr, which do not wait for each other. */
uint64_t tally_log_lines_since(const tally_log_lines_t *lines);

#endif
