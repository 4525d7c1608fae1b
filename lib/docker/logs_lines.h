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

/* What an answer may do to us. Bits. */
typedef enum tally_log_doubts_e {
  /* It may leave out lines: so the one that had been read last has to be there
   * before a new one comes. */
  TALLY_LOG_GAPS = 1,
  /* It may say lines twice: so one of a second ago, or of the same nanosecond,
   * is one that we have had (unless the clock was put back). */
  TALLY_LOG_REPEATS = 2,
} tally_log_doubts_t;

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
  unsigned doubts;               /* since begin() */
  uint64_t anchor_ns; /* of the line that has to come before a new one; or 0 */
  bool gap;           /* it did not */
  uint64_t unmet_ns;  /* of the line that was read last, until it comes */
  bool catching_up;   /* no new line has ended since begin() */
  char words[256];    /* the daemon's own, since begin(); or "" */
  uint64_t invalid, skipped, missed; /* since the beginning; see logs.h */
} tally_log_lines_t;

/* `from` NULL: the beginning of the log. */
void tally_log_lines_init(tally_log_lines_t *lines, size_t line_max, bool tty,
                          const tally_log_position_t *from,
                          int (*on_line)(const tally_log_line_t *line,
                                         void *data),
                          void *data);
void tally_log_lines_clear(tally_log_lines_t *lines);

/* What was not whole is forgotten, because the log is going to be read anew. */
void tally_log_lines_forget(tally_log_lines_t *lines);
/* The same at the end of the log: no line has begun that is not open now. */
void tally_log_lines_pause(tally_log_lines_t *lines);
/* Now, and from tally_log_lines_since() or any time before that. */
void tally_log_lines_begin(tally_log_lines_t *lines, unsigned doubts);
/* A tally_log_on_piece_t; `data` is the lines. -1: out of memory, a line could
 * not be taken, or lines are missing (`gap`). */
int tally_log_lines_take(int source, const char *bytes, size_t len,
                         unsigned edges, void *data);
/* Nothing will follow: a line without '\n' is one. */
int tally_log_lines_end(tally_log_lines_t *lines);

/* From when on the log has to be requested to miss nothing; 0: the beginning.
 * A little earlier than the position, since the daemon has a thread each for
 * stdout and stderr, which do not wait for each other. */
uint64_t tally_log_lines_since(const tally_log_lines_t *lines);
/* Whether there is a line that has to come before all new ones, and nothing of
 * interest stands before it. */
bool tally_log_lines_have_anchor(const tally_log_lines_t *lines);
/* How many lines of one stream had the time of its last one. */
unsigned tally_log_lines_ties(const tally_log_lines_t *lines);

/* ---- for logs_lines.c, from logs_lines_place.c --------------------------- */

tally_log_stream_t tally_log_strand_stream(const tally_log_lines_t *lines,
                                           const tally_log_strand_t *strand);
/* The line has ended and is new: the position is behind it. */
void tally_log_lines_move(tally_log_lines_t *lines,
                          const tally_log_strand_t *strand);
/* When the earliest line began that has not ended; 0: there is none. */
uint64_t tally_log_lines_open_since(const tally_log_lines_t *lines);
/* What has come of the line is forgotten: it will come again. */
void tally_log_strand_cut(tally_log_strand_t *strand);

/* Whether a line that begins at this time had been read before. */
bool tally_log_lines_know(tally_log_lines_t *lines, tally_log_strand_t *strand,
                          uint64_t ns);
/* Whether the daemon says it twice (TALLY_LOG_REPEATS). */
bool tally_log_lines_repeat(const tally_log_lines_t *lines,
                            const tally_log_strand_t *strand, uint64_t ns);
/* A line has ended that had been read before. */
void tally_log_lines_met(tally_log_lines_t *lines, tally_log_strand_t *strand);

#endif
