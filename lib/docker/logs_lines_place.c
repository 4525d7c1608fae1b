/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/logs_lines.h"

#include "core/clock.h"

/*
 * Where we are in a log, and what of it had been read before.
 */

#define SLACK_NS (10 * TALLY_NS_PER_S)
#define REPEATED_NS TALLY_NS_PER_S

/* ---- here ---------------------------------------------------------------- */

tally_log_stream_t tally_log_strand_stream(const tally_log_lines_t *lines,
                                           const tally_log_strand_t *strand) {
  return (tally_log_stream_t)(strand - lines->strands);
}

void tally_log_lines_move(tally_log_lines_t *lines,
                          const tally_log_strand_t *strand) {
  tally_log_position_t *position = &lines->position;
  int s = tally_log_strand_stream(lines, strand);
  if (strand->last_ns == 0)
    return;
  position->lines[s] =
      position->time_ns[s] == strand->last_ns ? position->lines[s] + 1 : 1;
  position->time_ns[s] = strand->last_ns;
}

/* ---- positions ----------------------------------------------------------- */

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns) {
  return a_ns == 0 || (b_ns != 0 && b_ns < a_ns) ? b_ns : a_ns;
}

static uint64_t open_since(const tally_log_strand_t *strand) {
  return strand->open && !strand->skipped ? strand->first_ns : 0;
}

static uint64_t newest(const tally_log_lines_t *lines) {
  const uint64_t *time_ns = lines->position.time_ns;
  return time_ns[TALLY_LOG_STDOUT] > time_ns[TALLY_LOG_STDERR]
             ? time_ns[TALLY_LOG_STDOUT]
             : time_ns[TALLY_LOG_STDERR];
}

/* The line that was read last, unless the position was made up. */
static uint64_t last_read(const tally_log_lines_t *lines) {
  const tally_log_position_t *position = &lines->position;
  uint64_t newest_ns = newest(lines);
  for (int s = 0; s < TALLY_LOG_STREAMS; s++)
    if (position->time_ns[s] == newest_ns && position->lines[s] > 0)
      return newest_ns;
  return 0;
}

uint64_t tally_log_lines_since(const tally_log_lines_t *lines) {
  uint64_t newest_ns = newest(lines);
  if (newest_ns <= SLACK_NS)
    return 0;
  return earlier(newest_ns - SLACK_NS, lines->position.open_ns);
}

bool tally_log_lines_have_anchor(const tally_log_lines_t *lines) {
  return last_read(lines) != 0 && lines->position.open_ns == 0;
}

unsigned tally_log_lines_ties(const tally_log_lines_t *lines) {
  const uint32_t *count = lines->position.lines;
  return count[TALLY_LOG_STDOUT] > count[TALLY_LOG_STDERR]
             ? count[TALLY_LOG_STDOUT]
             : count[TALLY_LOG_STDERR];
}

uint64_t tally_log_lines_open_since(const tally_log_lines_t *lines) {
  return earlier(open_since(&lines->strands[TALLY_LOG_STDOUT]),
                 open_since(&lines->strands[TALLY_LOG_STDERR]));
}

void tally_log_strand_cut(tally_log_strand_t *strand) {
  /* Cut for the second time it may have come less far than before. */
  if (strand->open && strand->parts > 0 &&
      (strand->cut_ns != strand->first_ns ||
       strand->cut_parts < strand->parts)) {
    strand->cut_ns = strand->first_ns;
    strand->cut_parts = strand->parts;
  }
  strand->open = false;
  tally_buffer_clear(&strand->text);
}

void tally_log_lines_forget(tally_log_lines_t *lines) {
  for (int s = 0; s < TALLY_LOG_STREAMS; s++) {
    lines->position.open_ns =
        earlier(lines->position.open_ns, open_since(&lines->strands[s]));
    tally_log_strand_cut(&lines->strands[s]);
  }
}

void tally_log_lines_pause(tally_log_lines_t *lines) {
  lines->position.open_ns = 0; /* if it never ended, it ends here */
  tally_log_lines_forget(lines);
}

void tally_log_lines_begin(tally_log_lines_t *lines, unsigned doubts) {
  tally_log_lines_forget(lines);
  lines->doubts = doubts;
  lines->anchor_ns = doubts & TALLY_LOG_GAPS ? newest(lines) : 0;
  lines->unmet_ns = last_read(lines);
  lines->gap = false;
  lines->catching_up = false;
  lines->words[0] = '\0';
  for (int s = 0; s < TALLY_LOG_STREAMS; s++) {
    tally_log_strand_t *strand = &lines->strands[s];
    strand->in_stamp = false;
    strand->seen = 0;
    strand->caught_up = lines->position.time_ns[s] == 0;
    if (!strand->caught_up)
      lines->catching_up = true;
  }
}

/* ---- before -------------------------------------------------------------- */

/* Two lines of the same nanosecond are one, as far as the clock has any. */
bool tally_log_lines_repeat(const tally_log_lines_t *lines,
                            const tally_log_strand_t *strand, uint64_t ns) {
  uint64_t last_ns =
      lines->position.time_ns[tally_log_strand_stream(lines, strand)];
  if (!(lines->doubts & TALLY_LOG_REPEATS))
    return false;
  if (ns == last_ns)
    return ns % 1000 != 0;
  return ns < last_ns && last_ns - ns < REPEATED_NS &&
         tally_clock_realtime_ns() >= last_ns; /* or it was put back */
}

bool tally_log_lines_know(tally_log_lines_t *lines, tally_log_strand_t *strand,
                          uint64_t ns) {
  int s = tally_log_strand_stream(lines, strand);
  if (ns == 0)
    return false;
  if (strand->caught_up)
    return tally_log_lines_repeat(lines, strand, ns);
  if (ns < lines->position.time_ns[s] ||
      (ns == lines->position.time_ns[s] &&
       strand->seen < lines->position.lines[s]))
    return true;
  strand->caught_up = true;
  return tally_log_lines_repeat(lines, strand, ns);
}

void tally_log_lines_met(tally_log_lines_t *lines, tally_log_strand_t *strand) {
  int s = tally_log_strand_stream(lines, strand);
  strand->seen += strand->last_ns == lines->position.time_ns[s];
  if (strand->last_ns == lines->anchor_ns)
    lines->anchor_ns = 0;
  if (strand->last_ns == lines->unmet_ns)
    lines->unmet_ns = 0;
  lines->skipped++;
}
