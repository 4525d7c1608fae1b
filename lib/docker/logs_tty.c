/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/logs_piece.h"

#include <string.h>
#include <sys/types.h>

/* Docker always writes all digits, and UTC. */
static const char stamp_pattern[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ ";
#define STAMP_LEN (sizeof(stamp_pattern) - 1)
/* Any other text that stands where the time should. */
#define STAMP_MAX 64

typedef struct sink_s {
  tally_log_on_piece_t on_piece;
  void *data;
} sink_t;

void tally_log_tty_init(tally_log_tty_t *tty, const bool *scan,
                        bool scan_continued) {
  *tty = (tally_log_tty_t){.scan = scan, .scan_continued = scan_continued};
}

static bool fits(char c, size_t place) {
  char wanted = stamp_pattern[place];
  return wanted == 'd' ? c >= '0' && c <= '9' : c == wanted;
}

/* ---- pieces -------------------------------------------------------------- */

static int hand_on(tally_log_tty_t *tty, const sink_t *sink, const char *bytes,
                   size_t len, unsigned edges) {
  if (!tty->inside) {
    edges |= TALLY_LOG_PIECE_BEGINS;
    tty->inside = true;
  }
  if (edges & TALLY_LOG_PIECE_ENDS)
    tty->inside = false;
  return sink->on_piece(TALLY_LOG_STDOUT, bytes, len, edges, sink->data);
}

static void begin(tally_log_tty_t *tty, bool continued) {
  tty->in_stamp = true;
  tty->continued = continued;
  tty->text_len = 0;
}

/* ---- time stamps inside the text ----------------------------------------- */

/* Whether one may begin with the next byte that is no part of what is held. */
static bool looks_for_stamps(const tally_log_tty_t *tty) {
  return tty->text_len == TALLY_LOG_PIECE_FULL || *tty->scan ||
         (tty->scan_continued && tty->continued);
}

static int release(tally_log_tty_t *tty, const sink_t *sink, unsigned count) {
  int status = hand_on(tty, sink, tty->held, count, 0);
  tty->text_len += count;
  tty->held_len -= count;
  memmove(tty->held, tty->held + count, tty->held_len);
  return status;
}

static bool held_fits(const tally_log_tty_t *tty) {
  for (unsigned i = 0; i < tty->held_len; i++)
    if (!fits(tty->held[i], i))
      return false;
  return true;
}

/* What is held is no time stamp. One may begin within it, unless only the end
 * of a full piece was a place for one. */
static int step_back(tally_log_tty_t *tty, const sink_t *sink) {
  int status = release(tty, sink, 1);
  while (status >= 0 && tty->held_len > 0 &&
         !(looks_for_stamps(tty) && held_fits(tty)))
    status = release(tty, sink, 1);
  return status;
}

/* The piece ends before the time stamp that has been found, and the next one
 * begins with it. */
static int turn_page(tally_log_tty_t *tty, const sink_t *sink) {
  int status = hand_on(tty, sink, "", 0, TALLY_LOG_PIECE_ENDS);
  begin(tty, true);
  tty->in_stamp = false;
  tty->held_len = 0;
  return status < 0 ? status : hand_on(tty, sink, tty->held, STAMP_LEN, 0);
}

/* ---- feeding ------------------------------------------------------------- */

/* Each of these handles the beginning of `bytes` and returns how much of it, or
 * a negative value. */

static ssize_t pass(tally_log_tty_t *tty, const sink_t *sink, const char *bytes,
                    size_t len) {
  bool ends = len > 0 && bytes[len - 1] == '\n';
  int status = hand_on(tty, sink, bytes, len, ends ? TALLY_LOG_PIECE_ENDS : 0);
  if (ends)
    begin(tty, false);
  return status < 0 ? status : (ssize_t)len;
}

/* Of the time stamp at the beginning, whatever it looks like. */
static ssize_t pass_stamp(tally_log_tty_t *tty, const sink_t *sink,
                          const char *bytes, size_t len) {
  size_t n = 0;
  while (n < len && tty->in_stamp) {
    char c = bytes[n++];
    tty->in_stamp = c != ' ' && c != '\n' && ++tty->text_len < STAMP_MAX;
  }
  if (!tty->in_stamp)
    tty->text_len = 0;
  return pass(tty, sink, bytes, n);
}

/* As much text as can be handed on without looking at it. */
static ssize_t pass_text(tally_log_tty_t *tty, const sink_t *sink,
                         const char *bytes, size_t len) {
  size_t n = len;
  if (looks_for_stamps(tty))
    n = 1;
  else if (tty->text_len < TALLY_LOG_PIECE_FULL &&
           n > TALLY_LOG_PIECE_FULL - tty->text_len)
    n = TALLY_LOG_PIECE_FULL - tty->text_len;
  const char *newline = memchr(bytes, '\n', n);
  if (newline != NULL)
    n = (size_t)(newline - bytes) + 1;
  tty->text_len += n;
  return pass(tty, sink, bytes, n);
}

static ssize_t hold(tally_log_tty_t *tty, const sink_t *sink, char byte) {
  if (!fits(byte, tty->held_len)) {
    int status = step_back(tty, sink);
    return status < 0 ? status : 0; /* it is looked at again */
  }
  tty->held[tty->held_len++] = byte;
  int status = tty->held_len == STAMP_LEN ? turn_page(tty, sink) : 0;
  return status < 0 ? status : 1;
}

int tally_log_tty_feed(tally_log_tty_t *tty, const char *bytes, size_t len,
                       tally_log_on_piece_t on_piece, void *data) {
  const sink_t sink = {on_piece, data};
  while (len > 0) {
    if (!tty->inside)
      begin(tty, false);
    ssize_t n;
    if (tty->in_stamp)
      n = pass_stamp(tty, &sink, bytes, len);
    else if (tty->held_len > 0 || (looks_for_stamps(tty) && fits(*bytes, 0)))
      n = hold(tty, &sink, *bytes);
    else
      n = pass_text(tty, &sink, bytes, len);
    if (n < 0)
      return (int)n;
    bytes += n;
    len -= (size_t)n;
  }
  return 0;
}

int tally_log_tty_end(tally_log_tty_t *tty, tally_log_on_piece_t on_piece,
                      void *data) {
  const sink_t sink = {on_piece, data};
  return tty->held_len > 0 ? release(tty, &sink, tty->held_len) : 0;
}
