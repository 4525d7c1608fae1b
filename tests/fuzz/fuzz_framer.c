/* SPDX-License-Identifier: MIT */
/* The framer: the same texts come out, in however many pieces they went in. The
 * first byte of the input is the length of the pieces. */
#include "config.h"

#include "fuzz.h"

#include "core/json.h"
#include "docker/event_private.h"

#define CAP 512

typedef struct sum_s {
  uint64_t hash;
  size_t texts;
} sum_t;

static int on_text(const char *text, size_t len, void *data) {
  sum_t *sum = data;
  FUZZ_REQUIRE(len >= 2 && len <= CAP && *text == '{');
  sum->hash = sum->hash * 31 + tally_event_hash(text, len);
  sum->texts++;
  return 0;
}

static int feed(const uint8_t *data, size_t size, size_t piece, sum_t *sum) {
  tally_json_framer_t *framer = tally_json_framer_create(CAP);
  if (framer == NULL)
    return 0;
  int status = 0;
  for (size_t i = 0; i < size && status == 0; i += piece)
    status = tally_json_framer_feed(framer, (const char *)data + i,
                                    size - i < piece ? size - i : piece,
                                    on_text, sum, NULL);
  tally_json_framer_destroy(framer);
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2 || data[0] == 0)
    return 0;
  sum_t pieces = {0}, whole = {0};
  int in_pieces = feed(data + 1, size - 1, data[0], &pieces);
  int at_once = feed(data + 1, size - 1, size, &whole);
  FUZZ_REQUIRE(in_pieces == at_once);
  FUZZ_REQUIRE(pieces.hash == whole.hash && pieces.texts == whole.texts);
  return 0;
}
