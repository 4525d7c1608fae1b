/* SPDX-License-Identifier: MIT */
/* Log streams: the same lines come out, in however many pieces the bytes went
 * in, and none is longer than allowed. The first bytes of the input are the
 * length of the pieces and what kind of stream it is. */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "docker/event_private.h"
#include "docker/logs_lines.h"

#define WITH_TTY 1
#define FORGETFUL 2
#define SHORT_LINES 4
#define DOUBTFUL 8
#define FROM_POSITION 16

typedef struct sum_s {
  tally_log_lines_t lines;
  tally_log_frames_t frames;
  tally_log_tty_t tty;
  uint64_t hash;
  size_t count;
  unsigned part[TALLY_LOG_STREAMS];
} sum_t;

static int on_line(const tally_log_line_t *line, void *data) {
  sum_t *sum = data;
  FUZZ_REQUIRE(line->len <= sum->lines.line_max);
  FUZZ_REQUIRE(line->part != 0 || line->last);
  FUZZ_REQUIRE(line->part == 0 || line->part == sum->part[line->stream] + 1);
  sum->part[line->stream] = line->last ? 0 : line->part;
  sum->hash = sum->hash * 31 + tally_event_hash(line->text, line->len);
  sum->hash = sum->hash * 31 + line->time_ns + line->after.open_ns;
  sum->hash = sum->hash * 31 + line->after.time_ns[line->stream];
  sum->count++;
  return 0;
}

static void open_stream(sum_t *sum, uint8_t kind) {
  tally_log_position_t from = {.time_ns = {UINT64_C(1767225601000000000), 0},
                               .lines = {1, 0}};
  *sum = (sum_t){0};
  tally_log_lines_init(&sum->lines, kind & SHORT_LINES ? 7 : 40000,
                       kind & WITH_TTY, kind & FROM_POSITION ? &from : NULL,
                       on_line, sum);
}

static int feed(sum_t *sum, uint8_t kind, const uint8_t *data, size_t size,
                size_t piece) {
  tally_log_frames_init(&sum->frames);
  tally_log_tty_init(&sum->tty, &sum->lines.catching_up, kind & FORGETFUL);
  tally_log_lines_begin(&sum->lines, kind & DOUBTFUL ? TALLY_LOG_GAPS : 0);
  int status = 0;
  for (size_t i = 0; i < size && status == 0; i += piece) {
    const char *bytes = (const char *)data + i;
    size_t len = size - i < piece ? size - i : piece;
    status =
        kind & WITH_TTY
            ? tally_log_tty_feed(&sum->tty, bytes, len, tally_log_lines_take,
                                 &sum->lines)
            : tally_log_frames_feed(&sum->frames, bytes, len,
                                    tally_log_lines_take, &sum->lines, NULL);
  }
  if (status == 0 && kind & WITH_TTY)
    status = tally_log_tty_end(&sum->tty, tally_log_lines_take, &sum->lines);
  return status == 0 ? tally_log_lines_end(&sum->lines) : status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3 || data[0] == 0)
    return 0;
  uint8_t kind = data[1];
  sum_t pieces, whole;
  open_stream(&pieces, kind);
  open_stream(&whole, kind);
  int in_pieces = feed(&pieces, kind, data + 2, size - 2, data[0]);
  int at_once = feed(&whole, kind, data + 2, size - 2, size);
  FUZZ_REQUIRE(in_pieces == at_once);
  FUZZ_REQUIRE(pieces.count == whole.count && pieces.hash == whole.hash);

  char text[TALLY_LOG_POSITION_SIZE];
  tally_log_position_t back;
  tally_log_position_format(&whole.lines.position, text);
  FUZZ_REQUIRE(tally_log_position_parse(text, &back) == 0);
  FUZZ_REQUIRE(memcmp(&back, &whole.lines.position, sizeof(back)) == 0);
  tally_log_lines_clear(&pieces.lines);
  tally_log_lines_clear(&whole.lines);
  return 0;
}
