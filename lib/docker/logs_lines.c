/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/logs_lines.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"

#define BUFFER_KEPT 4096 /* for the next line; more is given back */

/* ---- life ---------------------------------------------------------------- */

void tally_log_lines_init(tally_log_lines_t *lines, size_t line_max, bool tty,
                          const tally_log_position_t *from,
                          int (*on_line)(const tally_log_line_t *line,
                                         void *data),
                          void *data) {
  *lines = (tally_log_lines_t){
      .on_line = on_line, .data = data, .line_max = line_max, .tty = tty};
  if (from != NULL)
    lines->position = *from;
  for (int s = 0; s < TALLY_LOG_STREAMS; s++)
    tally_buffer_init(&lines->strands[s].text, line_max);
  tally_log_lines_begin(lines, 0);
}

void tally_log_lines_clear(tally_log_lines_t *lines) {
  for (int s = 0; s < TALLY_LOG_STREAMS; s++)
    tally_buffer_clear(&lines->strands[s].text);
}

/* ---- handing on ---------------------------------------------------------- */

static int hand_on(tally_log_lines_t *lines, tally_log_strand_t *strand,
                   const char *text, size_t len, bool last) {
  if (lines->gap)
    return -1;
  const tally_log_position_t before = lines->position;
  tally_log_line_t line = {.text = text,
                           .len = len,
                           .time_ns = strand->first_ns,
                           .stream = tally_log_strand_stream(lines, strand),
                           .last = last};
  if (strand->parts > 0 || !last)
    line.part = ++strand->parts;
  if (last) {
    strand->open = false;
    tally_log_lines_move(lines, strand);
  }
  lines->position.open_ns = tally_log_lines_open_since(lines);
  line.after = lines->position;

  bool again = strand->cut_parts > 0 && strand->cut_ns == strand->first_ns &&
               line.part != 0 && line.part <= strand->cut_parts && !last;
  if (again || lines->on_line(&line, lines->data) == 0)
    return 0;
  lines->position = before;
  if (line.part != 0)
    strand->parts--;
  return -1;
}

/* ---- lines --------------------------------------------------------------- */

/* `first`: of its piece. */
static void open_line(tally_log_lines_t *lines, tally_log_strand_t *strand,
                      uint64_t ns, bool first) {
  strand->open = true;
  strand->first_ns = strand->last_ns = ns;
  strand->parts = 0;
  if (first || !strand->caught_up)
    strand->skipped = tally_log_lines_know(lines, strand, ns);
  if (strand->skipped)
    return;
  if (lines->anchor_ns != 0)
    lines->gap = true;
  else if (lines->unmet_ns != 0)
    lines->missed++;
  lines->unmet_ns = 0;
}

/* With a TTY the daemon's errors stand among the lines. */
static bool is_from_daemon(const tally_log_lines_t *lines,
                           const tally_log_strand_t *strand, const char *text,
                           size_t len) {
  static const char *const beginnings[] = {"Error grabbing logs: ",
                                           "Error running logs job: "};
  for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
    if (lines->tty && strand->first_ns == 0 && len > strlen(beginnings[i]) &&
        memcmp(text, beginnings[i], strlen(beginnings[i])) == 0)
      return true;
  return false;
}

static void note_words(tally_log_lines_t *lines, const char *text, size_t len) {
  size_t old = strlen(lines->words);
  snprintf(lines->words + old, sizeof(lines->words) - old, "%.*s",
           (int)(len < sizeof(lines->words) ? len : sizeof(lines->words)),
           text);
  lines->words[strcspn(lines->words, "\r\n")] = '\0';
  tally_text_tidy(lines->words);
}

static int end_line(tally_log_lines_t *lines, tally_log_strand_t *strand,
                    const char *text, size_t len) {
  int status = 0;
  if (strand->skipped) {
    strand->open = false;
    tally_log_lines_met(lines, strand);
  } else if (is_from_daemon(lines, strand, text, len)) {
    strand->open = false;
    note_words(lines, text, len);
  } else {
    status = hand_on(lines, strand, text, len, true);
    strand->cut_parts = 0; /* the line that was cut is the first new one */
    lines->catching_up = false;
  }
  if (strand->text.size > BUFFER_KEPT)
    tally_buffer_clear(&strand->text);
  else
    tally_buffer_reset(&strand->text);
  return status;
}

static int end_buffered(tally_log_lines_t *lines, tally_log_strand_t *strand) {
  return end_line(lines, strand, strand->text.data, strand->text.len);
}

int tally_log_lines_end(tally_log_lines_t *lines) {
  int status = 0;
  for (int s = 0; s < TALLY_LOG_STREAMS && status == 0; s++)
    if (lines->strands[s].open)
      status = end_buffered(lines, &lines->strands[s]);
  return status;
}

/* ---- text ---------------------------------------------------------------- */

/* More of a line, which may need several parts; not its end. */
static int add_text(tally_log_lines_t *lines, tally_log_strand_t *strand,
                    const char *bytes, size_t len) {
  strand->piece_len += len;
  if (strand->skipped)
    return 0;
  while (len > 0) {
    size_t room = lines->line_max - strand->text.len;
    if (room == 0) {
      if (hand_on(lines, strand, strand->text.data, strand->text.len, false) !=
          0)
        return -1;
      tally_buffer_reset(&strand->text);
      continue;
    }
    size_t n = len < room ? len : room;
    if (tally_buffer_append(&strand->text, bytes, n) != 0)
      return -1;
    bytes += n;
    len -= n;
  }
  return 0;
}

/* The rest of a line, without its '\n'. */
static int finish_line(tally_log_lines_t *lines, tally_log_strand_t *strand,
                       const char *bytes, size_t len) {
  if (!strand->open) /* after another one in the same piece */
    open_line(lines, strand, strand->piece_ns, false);
  int status;
  if (strand->text.len == 0 && len <= lines->line_max)
    status = end_line(lines, strand, bytes, len); /* nothing to copy */
  else if ((status = add_text(lines, strand, bytes, len)) == 0)
    status = end_buffered(lines, strand);
  strand->piece_len = 0;
  return status;
}

static int take_text(tally_log_lines_t *lines, tally_log_strand_t *strand,
                     const char *bytes, size_t len) {
  const char *newline;
  while (len > 0 && (newline = memchr(bytes, '\n', len)) != NULL) {
    size_t n = (size_t)(newline - bytes);
    if (finish_line(lines, strand, bytes, n) != 0)
      return -1;
    bytes += n + 1;
    len -= n + 1;
  }
  if (len == 0)
    return 0;
  if (!strand->open)
    open_line(lines, strand, strand->piece_ns, false);
  return add_text(lines, strand, bytes, len);
}

/* ---- pieces -------------------------------------------------------------- */

/* The daemon's clock has moved on since it noted the time of the line, so a
 * time within the text of a TTY that lies before that is the program's. */
static bool is_text(const tally_log_lines_t *lines,
                    const tally_log_strand_t *strand, uint64_t ns) {
  return lines->tty && strand->open &&
         strand->piece_len != TALLY_LOG_PIECE_FULL && ns < strand->last_ns;
}

static bool continues(const tally_log_strand_t *strand, uint64_t ns) {
  return strand->open && ((ns != 0 && ns == strand->last_ns) ||
                          (strand->piece_len == TALLY_LOG_PIECE_FULL &&
                           (ns == 0 || ns > strand->last_ns)));
}

/* Before a line of another time begins. If that one is on its way for the
 * second time, so is the rest of this one. */
static int close_line(tally_log_lines_t *lines, tally_log_strand_t *strand,
                      uint64_t next_ns) {
  if (!strand->open)
    return 0;
  if (!tally_log_lines_repeat(lines, strand, next_ns))
    return end_buffered(lines, strand);
  tally_log_strand_cut(strand);
  return 0;
}

/* The time stamp is complete, or there is none. */
static int begin_text(tally_log_lines_t *lines, tally_log_strand_t *strand,
                      bool is_complete) {
  uint64_t ns = 0;
  strand->in_stamp = false;
  strand->stamp[strand->stamp_len] = '\0';
  if (!is_complete || tally_clock_parse_rfc3339(strand->stamp, &ns) != 0)
    ns = 0;

  bool is_program_text = is_text(lines, strand, ns);
  if (!is_program_text) {
    if (ns == 0)
      lines->invalid++;
    if (continues(strand, ns)) {
      if (ns != 0)
        strand->last_ns = ns;
    } else {
      if (close_line(lines, strand, ns) != 0)
        return -1;
      open_line(lines, strand, ns, true);
    }
    strand->piece_ns = ns;
    strand->piece_len = 0;
  }
  if (ns != 0 && !is_program_text)
    return 0;
  strand->stamp[strand->stamp_len] = ' ';
  return take_text(lines, strand, strand->stamp,
                   strand->stamp_len + (is_complete ? 1 : 0));
}

/* Returns how many bytes belong to the time stamp and the blank behind it. */
static int take_stamp(tally_log_lines_t *lines, tally_log_strand_t *strand,
                      const char *bytes, size_t len, size_t *taken) {
  *taken = 0;
  while (*taken < len && strand->stamp_len < TALLY_LOG_STAMP_MAX) {
    char c = bytes[*taken];
    if (c == '\n')
      break;
    ++*taken;
    if (c == ' ')
      return begin_text(lines, strand, true);
    strand->stamp[strand->stamp_len++] = c;
  }
  return *taken < len ? begin_text(lines, strand, false) : 0;
}

static int end_piece(tally_log_lines_t *lines, tally_log_strand_t *strand) {
  if (strand->in_stamp && strand->stamp_len == 0) {
    strand->in_stamp = false; /* an empty piece says nothing */
    lines->invalid++;
    return 0;
  }
  if (strand->in_stamp && begin_text(lines, strand, false) != 0)
    return -1;
  /* Of a TTY only the next piece tells what this one was. */
  if (strand->open && !lines->tty && strand->piece_len < TALLY_LOG_PIECE_FULL)
    return end_buffered(lines, strand);
  return 0;
}

int tally_log_lines_take(int source, const char *bytes, size_t len,
                         unsigned edges, void *data) {
  tally_log_lines_t *lines = data;
  if (source == TALLY_LOG_DAEMON) {
    note_words(lines, bytes, len);
    return 0;
  }
  tally_log_strand_t *strand = &lines->strands[source];
  if (edges & TALLY_LOG_PIECE_BEGINS) {
    strand->in_stamp = true;
    strand->stamp_len = 0;
  }
  if (strand->in_stamp) {
    size_t taken;
    if (take_stamp(lines, strand, bytes, len, &taken) != 0)
      return -1;
    bytes += taken;
    len -= taken;
  }
  if (len > 0 && !strand->in_stamp && take_text(lines, strand, bytes, len) != 0)
    return -1;
  return edges & TALLY_LOG_PIECE_ENDS ? end_piece(lines, strand) : 0;
}
