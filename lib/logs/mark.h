/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_MARK_H
#define TALLY_LOGS_MARK_H

/*
 * How far one container has been brought into one sink. It is the text of the
 * note that the sink's outbox keeps under the container's id, written in one
 * step with the records that it speaks of.
 */

#include <stdbool.h>
#include <stdint.h>

#include "docker/logs.h"

#define TALLY_LOG_MARK_TOLD 4

typedef struct tally_log_mark_s {
  tally_log_position_t position; /* open_ns: also of what is held back */
  /* Parts of the next line of each stream that are in the sink already; a line
   * that comes in parts is not read behind before its last one. */
  uint32_t parts[TALLY_LOG_STREAMS];
  /* The run (its start, daemon's clock) whose log has been read to its end; 0:
   * none. */
  uint64_t drained_ns;
  /* The latest lifecycle events that are in the sink, newest first: whoever
   * delivers events may do so again after a crash. 0: none. */
  uint32_t told[TALLY_LOG_MARK_TOLD];
} tally_log_mark_t;

/* "POSITION PARTS.PARTS DRAINED TOLD,TOLD,TOLD,TOLD". */
#define TALLY_LOG_MARK_SIZE 192
void tally_log_mark_format(const tally_log_mark_t *mark,
                           char text[TALLY_LOG_MARK_SIZE]);
/* -1: it is no mark; *mark is zero then. */
int tally_log_mark_parse(const char *text, tally_log_mark_t *mark);

/* ---- lines and marks ----------------------------------------------------- */

/* Whether the line (or part) is in the sink already. One without a time never
 * is. */
bool tally_log_mark_covers(const tally_log_mark_t *mark,
                           const tally_log_line_t *line);
/* The line (or part) is in the sink now. */
void tally_log_mark_advance(tally_log_mark_t *mark,
                            const tally_log_line_t *line);

/*
 * Where to read on for several marks: no later than any of them. `position` is
 * that of the first one, and the others are added.
 *
 * A reader asks the daemon for what is newer than the newer of the two streams'
 * times; what the other marks still lack may be older than that, so it becomes
 * the `open_ns` of the result.
 */
void tally_log_position_include(tally_log_position_t *position,
                                const tally_log_position_t *other);

/* ---- events and marks ---------------------------------------------------- */

bool tally_log_mark_knows(const tally_log_mark_t *mark,
                          const tally_event_t *event);
void tally_log_mark_tell(tally_log_mark_t *mark, const tally_event_t *event);

#endif
