/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_LOGS_PIECE_H
#define TALLY_DOCKER_LOGS_PIECE_H

/*
 * How the bytes of a log stream are cut into *pieces*, in either of its two
 * formats. A piece is what the daemon logged at once: a time stamp, a blank,
 * and up to 16 KiB of a line, with its '\n' if it is the last piece of the
 * line. It is handed on as it comes, in any number of fragments, so nothing is
 * kept here but a header or a time stamp, whatever lengths a daemon claims.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "docker/logs.h"

/* daemon/logger/copier.go: where a line is cut unless its driver wants it
 * otherwise. */
#define TALLY_LOG_PIECE_FULL 16384

/* Beside stdout and stderr: what the daemon itself has to say. */
#define TALLY_LOG_DAEMON TALLY_LOG_STREAMS

#define TALLY_LOG_PIECE_BEGINS 1u
#define TALLY_LOG_PIECE_ENDS 2u

/* A fragment, which may be empty; `edges`: whether a piece begins before it or
 * ends behind it. Fragments of stdout and stderr do not mix within a piece.
 * A negative value ends feed(), which returns it. */
typedef int (*tally_log_on_piece_t)(int source, const char *bytes, size_t len,
                                    unsigned edges, void *data);

/*
 * Without a TTY: frames, one per piece, with a header of 8 bytes: which stream,
 * three zeros, the length (big endian).
 */
typedef struct tally_log_frames_s {
  unsigned char header[8];
  unsigned header_len;
  uint32_t left; /* of the piece, once the header is complete */
} tally_log_frames_t;

void tally_log_frames_init(tally_log_frames_t *frames);
/* -1 and *err: this is no header; or what on_piece returned. */
int tally_log_frames_feed(tally_log_frames_t *frames, const char *bytes,
                          size_t len, tally_log_on_piece_t on_piece, void *data,
                          tally_error_t *err);

/*
 * With a TTY: bare bytes. A piece ends with '\n', or when its text has exactly
 * the full length and a time stamp follows. Where that is not enough (*scan, or
 * `scan_continued` in what continues a line), it ends before anything that
 * looks like one of Docker's time stamps; the receiver finds out which are
 * none.
 */
typedef struct tally_log_tty_s {
  const bool *scan;    /* may change at any time */
  bool scan_continued; /* the driver does not end lines that it had cut */
  char held[32];       /* looks like the beginning of a time stamp */
  unsigned held_len;
  bool inside;     /* a piece has begun */
  bool in_stamp;   /* of its time stamp, up to the blank */
  bool continued;  /* and it continues a line, perhaps */
  size_t text_len; /* behind the time stamp */
} tally_log_tty_t;

void tally_log_tty_init(tally_log_tty_t *tty, const bool *scan,
                        bool scan_continued);
int tally_log_tty_feed(tally_log_tty_t *tty, const char *bytes, size_t len,
                       tally_log_on_piece_t on_piece, void *data);
/* The stream is over: hands on what it held back. */
int tally_log_tty_end(tally_log_tty_t *tty, tally_log_on_piece_t on_piece,
                      void *data);

#endif
