/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/logs_piece.h"

#include <ctype.h>
#include <string.h>

/* Far above what any driver writes at once (256 KiB), far below what a header
 * can claim when its bytes are something else. */
#define PIECE_MAX (16 * 1024 * 1024)

enum { FRAME_STDIN = 0, FRAME_STDOUT, FRAME_STDERR, FRAME_DAEMON };

void tally_log_frames_init(tally_log_frames_t *frames) {
  *frames = (tally_log_frames_t){0};
}

static int source_of(const tally_log_frames_t *frames) {
  switch (frames->header[0]) {
  case FRAME_STDIN: /* what was typed shows on stdout */
  case FRAME_STDOUT:
    return TALLY_LOG_STDOUT;
  case FRAME_STDERR:
    return TALLY_LOG_STDERR;
  default:
    return TALLY_LOG_DAEMON;
  }
}

/* Some daemons say in plain words why there are no frames. */
static int report_nonsense(const unsigned char *header, tally_error_t *err) {
  char text[9];
  for (int i = 0; i < 8; i++)
    text[i] = isprint(header[i]) ? (char)header[i] : '.';
  text[8] = '\0';
  return tally_error_set(err, 0, "`%s' where a frame should begin", text);
}

static int take_header(tally_log_frames_t *frames, tally_error_t *err) {
  const unsigned char *h = frames->header;
  frames->left = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 |
                 (uint32_t)h[6] << 8 | (uint32_t)h[7];
  if (h[0] > FRAME_DAEMON || h[1] != 0 || h[2] != 0 || h[3] != 0)
    return report_nonsense(h, err);
  if (frames->left > PIECE_MAX)
    return tally_error_set(err, 0, "a frame of %u bytes",
                           (unsigned)frames->left);
  return 0;
}

int tally_log_frames_feed(tally_log_frames_t *frames, const char *bytes,
                          size_t len, tally_log_on_piece_t on_piece, void *data,
                          tally_error_t *err) {
  const char *end = bytes + len;
  while (bytes < end) {
    unsigned edges = 0;
    if (frames->header_len < sizeof(frames->header)) {
      frames->header[frames->header_len++] = (unsigned char)*bytes++;
      if (frames->header_len < sizeof(frames->header))
        continue;
      if (take_header(frames, err) != 0)
        return -1;
      edges = TALLY_LOG_PIECE_BEGINS;
    }
    size_t n = (size_t)(end - bytes);
    if (n >= frames->left) {
      n = frames->left;
      edges |= TALLY_LOG_PIECE_ENDS;
      frames->header_len = 0;
    }
    frames->left -= (uint32_t)n;
    int status = on_piece(source_of(frames), bytes, n, edges, data);
    if (status < 0)
      return status;
    bytes += n;
  }
  return 0;
}
