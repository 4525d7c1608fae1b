/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logs/mark.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/hash.h"

/* ---- text ---------------------------------------------------------------- */

void tally_log_mark_format(const tally_log_mark_t *mark,
                           char text[TALLY_LOG_MARK_SIZE]) {
  char position[TALLY_LOG_POSITION_SIZE];
  tally_log_position_format(&mark->position, position);
  snprintf(text, TALLY_LOG_MARK_SIZE,
           "%s %" PRIu32 ".%" PRIu32 " %" PRIu64 " %" PRIx32 ",%" PRIx32
           ",%" PRIx32 ",%" PRIx32,
           position, mark->parts[0], mark->parts[1], mark->drained_ns,
           mark->told[0], mark->told[1], mark->told[2], mark->told[3]);
}

int tally_log_mark_parse(const char *text, tally_log_mark_t *mark) {
  *mark = (tally_log_mark_t){0};
  char position[TALLY_LOG_POSITION_SIZE];
  const char *rest = strchr(text, ' ');
  if (rest == NULL || (size_t)(rest - text) >= sizeof(position))
    return -1;
  memcpy(position, text, (size_t)(rest - text));
  position[rest - text] = '\0';

  tally_log_mark_t m = {0};
  int end = 0;
  if (tally_log_position_parse(position, &m.position) != 0 ||
      sscanf(rest,
             " %10" SCNu32 ".%10" SCNu32 " %20" SCNu64 " %8" SCNx32 ",%8" SCNx32
             ",%8" SCNx32 ",%8" SCNx32 "%n",
             &m.parts[0], &m.parts[1], &m.drained_ns, &m.told[0], &m.told[1],
             &m.told[2], &m.told[3], &end) != 7 ||
      rest[end] != '\0')
    return -1;
  *mark = m;
  return 0;
}

/* ---- lines --------------------------------------------------------------- */

static int compare(const tally_log_position_t *a, const tally_log_position_t *b,
                   int stream) {
  if (a->time_ns[stream] != b->time_ns[stream])
    return a->time_ns[stream] < b->time_ns[stream] ? -1 : 1;
  if (a->lines[stream] != b->lines[stream])
    return a->lines[stream] < b->lines[stream] ? -1 : 1;
  return 0;
}

/* The position behind the line as a whole, of which this may be a part: all
 * parts but the last one are shown with the position in front of it. */
static tally_log_position_t behind(const tally_log_line_t *line) {
  tally_log_position_t position = line->after;
  int s = line->stream;
  if (line->last)
    return position;
  if (position.time_ns[s] != line->time_ns)
    position.lines[s] = 0;
  position.time_ns[s] = line->time_ns;
  position.lines[s]++;
  return position;
}

bool tally_log_mark_covers(const tally_log_mark_t *mark,
                           const tally_log_line_t *line) {
  if (line->time_ns == 0)
    return false;
  tally_log_position_t position = behind(line);
  if (compare(&position, &mark->position, line->stream) <= 0)
    return true;
  /* The first line behind the mark may be there in part. */
  return line->part > 0 && line->part <= mark->parts[line->stream];
}

void tally_log_mark_advance(tally_log_mark_t *mark,
                            const tally_log_line_t *line) {
  int s = line->stream;
  if (!line->last) {
    mark->parts[s] = line->part;
    return;
  }
  mark->parts[s] = 0;
  mark->position.time_ns[s] = line->after.time_ns[s];
  mark->position.lines[s] = line->after.lines[s];
  mark->position.open_ns = line->after.open_ns;
}

/* From when on the daemon has to be asked. */
static uint64_t since(const tally_log_position_t *p) {
  uint64_t newest =
      p->time_ns[0] > p->time_ns[1] ? p->time_ns[0] : p->time_ns[1];
  return p->open_ns != 0 && p->open_ns < newest ? p->open_ns : newest;
}

void tally_log_position_include(tally_log_position_t *position,
                                const tally_log_position_t *other) {
  uint64_t earliest = since(position), theirs = since(other);
  if (theirs < earliest)
    earliest = theirs;
  for (int s = 0; s < TALLY_LOG_STREAMS; s++) {
    if (compare(other, position, s) >= 0)
      continue;
    position->time_ns[s] = other->time_ns[s];
    position->lines[s] = other->lines[s];
  }
  position->open_ns = earliest;
}

/* ---- events -------------------------------------------------------------- */

static uint32_t fingerprint(const tally_event_t *event) {
  uint64_t hash = tally_hash(event->action, strlen(event->action));
  hash = tally_hash_add(hash, &event->time_ns, sizeof(event->time_ns));
  uint32_t folded = (uint32_t)(hash ^ hash >> 32);
  return folded != 0 ? folded : 1;
}

bool tally_log_mark_knows(const tally_log_mark_t *mark,
                          const tally_event_t *event) {
  uint32_t print = fingerprint(event);
  for (int i = 0; i < TALLY_LOG_MARK_TOLD; i++)
    if (mark->told[i] == print)
      return true;
  return false;
}

void tally_log_mark_tell(tally_log_mark_t *mark, const tally_event_t *event) {
  memmove(&mark->told[1], &mark->told[0],
          (TALLY_LOG_MARK_TOLD - 1) * sizeof(mark->told[0]));
  mark->told[0] = fingerprint(event);
}
