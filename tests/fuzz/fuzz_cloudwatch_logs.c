/* SPDX-License-Identifier: MIT */
/* What CloudWatch Logs, or who sits there instead, answers to PutLogEvents. */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "aws/cloudwatch_logs_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  size_t count = data[0], len = size - 1;
  char *text = malloc(len + 1); /* a buffer has a NUL behind it */
  FUZZ_REQUIRE(text != NULL);
  memcpy(text, data + 1, len);
  text[len] = '\0';

  tally_logs_answer_t answer;
  if (tally_logs_answer_read(&answer, text, len, count) == 0) {
    FUZZ_REQUIRE(answer.too_old <= answer.too_new);
    FUZZ_REQUIRE(answer.too_new <= count);
    FUZZ_REQUIRE(strlen(answer.token) < sizeof(answer.token));
    FUZZ_REQUIRE(strpbrk(answer.token, " \t\r\n") == NULL);
    FUZZ_REQUIRE(strcmp(answer.token, "null") != 0);
  }

  /* The same bytes as a key, and as a message. */
  char name[TALLY_LOGS_STREAM_MAX + 1];
  tally_logs_stream_name(text, len, name);
  FUZZ_REQUIRE(*name != '\0' && strpbrk(name, ":*\r\n") == NULL);
  const tally_record_t record = {.data = text, .len = len};
  tally_logs_event_t event = tally_logs_event(&record, 0);
  FUZZ_REQUIRE(event.size >= 27 && event.size <= 3 * len + 27);
  tally_buffer_t body;
  tally_buffer_init(&body, 8 * size + 1024);
  FUZZ_REQUIRE(tally_logs_quote_events(&body, "g", name, &event, 1) == 0);
  tally_buffer_clear(&body);
  free(text);
  return 0;
}
