/* SPDX-License-Identifier: MIT */
/* Lines as records, cut to size; and the notes of how far they reach. */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "core/json.h"
#include "logs/layout.h"
#include "logs/mark.h"

#define ROOM (32 * 1024)

static const tally_container_t container = {
    .id = "0123456789abcdef", .name = "web", .image = "web:7"};

static void check_mark(const char *text) {
  tally_log_mark_t mark, again;
  char formatted[TALLY_LOG_MARK_SIZE];
  if (tally_log_mark_parse(text, &mark) != 0)
    return;
  tally_log_mark_format(&mark, formatted);
  FUZZ_REQUIRE(tally_log_mark_parse(formatted, &again) == 0);
  FUZZ_REQUIRE(memcmp(&mark, &again, sizeof(mark)) == 0);
}

static void check_object(const tally_buffer_t *record) {
  tally_json_t *object = tally_json_parse(record->data, record->len, NULL);
  FUZZ_REQUIRE(object != NULL);
  FUZZ_REQUIRE((tally_json_get(object, "message") != NULL) !=
               (tally_json_get(object, "message_base64") != NULL));
  tally_json_destroy(object);
}

/* Every record is within its bounds, and they are the text. */
static void check_records(tally_log_layout_t layout, const char *text,
                          size_t len) {
  tally_log_speaker_t speaker;
  FUZZ_REQUIRE(
      tally_log_speaker_init(&speaker, &container, NULL, "node", NULL) == 0);
  tally_autobuffer tally_buffer_t record;
  tally_buffer_init(&record, ROOM);
  size_t done = 0;
  tally_log_text_t piece = {0};
  do {
    piece = (tally_log_text_t){.text = text + done,
                               .len = len - done,
                               .time_ns = len * UINT64_C(99999999999999),
                               .part = piece.part + 1};
    size_t fits = tally_log_layout_fit(layout, &speaker, &piece, ROOM);
    FUZZ_REQUIRE(fits <= piece.len && (fits > 0 || piece.len == 0));
    piece.last = fits == piece.len;
    piece.len = fits;
    tally_buffer_reset(&record);
    FUZZ_REQUIRE(tally_log_layout_write(layout, &speaker, &piece, &record) ==
                 0);
    if (layout == TALLY_LOG_LAYOUT_JSON)
      check_object(&record);
    else
      FUZZ_REQUIRE(memcmp(record.data + record.len - fits, piece.text, fits) ==
                   0);
    done += fits;
  } while (done < len);
  tally_log_speaker_clear(&speaker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  const char *text = (const char *)data + 1;
  size_t len = size - 1;
  tally_autobuffer tally_buffer_t many;
  tally_buffer_init(&many, 16 * ROOM);
  /* Long enough to be cut, once in a while. */
  unsigned times = data[0] % 8 == 7 && len > 0 ? (unsigned)(ROOM / len) + 2 : 1;
  for (unsigned i = 0; i < times; i++)
    tally_buffer_append(&many, text, len);
  check_mark(many.data);
  static const tally_log_layout_t layouts[] = {
      TALLY_LOG_LAYOUT_KINESIS, TALLY_LOG_LAYOUT_CLOUDWATCH,
      TALLY_LOG_LAYOUT_RAW, TALLY_LOG_LAYOUT_JSON};
  check_records(layouts[data[0] / 8 % 4], many.data, many.len);
  return 0;
}
