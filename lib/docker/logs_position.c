/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/logs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void tally_log_position_format(const tally_log_position_t *position,
                               char text[TALLY_LOG_POSITION_SIZE]) {
  int len = snprintf(
      text, TALLY_LOG_POSITION_SIZE,
      "%" PRIu64 ".%" PRIu32 ",%" PRIu64 ".%" PRIu32,
      position->time_ns[TALLY_LOG_STDOUT], position->lines[TALLY_LOG_STDOUT],
      position->time_ns[TALLY_LOG_STDERR], position->lines[TALLY_LOG_STDERR]);
  if (position->open_ns != 0)
    snprintf(text + len, (size_t)(TALLY_LOG_POSITION_SIZE - len), ",%" PRIu64,
             position->open_ns);
}

/* Decimal digits up to `end`, which is passed over unless it is the NUL. */
static bool take_number(const char **text, char end, uint64_t max,
                        uint64_t *number) {
  if (**text < '0' || **text > '9') /* strtoull() would take a sign */
    return false;
  char *behind;
  errno = 0;
  *number = strtoull(*text, &behind, 10);
  if (errno != 0 || *number > max || *behind != end)
    return false;
  *text = end != '\0' ? behind + 1 : behind;
  return true;
}

static bool take_place(const char **text, char end, uint64_t *time_ns,
                       uint32_t *lines) {
  uint64_t number;
  if (!take_number(text, '.', UINT64_MAX, time_ns) ||
      !take_number(text, end, UINT32_MAX, &number))
    return false;
  *lines = (uint32_t)number;
  return true;
}

int tally_log_position_parse(const char *text, tally_log_position_t *position) {
  tally_log_position_t p = {0};
  const char *rest = text;
  if (!take_place(&rest, ',', &p.time_ns[TALLY_LOG_STDOUT],
                  &p.lines[TALLY_LOG_STDOUT]))
    return -1;
  const char *second = rest;
  if (!take_place(&rest, '\0', &p.time_ns[TALLY_LOG_STDERR],
                  &p.lines[TALLY_LOG_STDERR])) {
    rest = second;
    if (!take_place(&rest, ',', &p.time_ns[TALLY_LOG_STDERR],
                    &p.lines[TALLY_LOG_STDERR]) ||
        !take_number(&rest, '\0', UINT64_MAX, &p.open_ns))
      return -1;
  }
  *position = p;
  return 0;
}
