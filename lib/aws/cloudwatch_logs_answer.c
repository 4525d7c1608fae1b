/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "aws/cloudwatch_logs_private.h"
#include "core/json.h"

/* Something that can be sent back as it is: one word, not too long. */
static bool take_token(tally_logs_answer_t *answer, const char *token) {
  size_t len = token != NULL ? strlen(token) : 0;
  if (len == 0 || len >= sizeof(answer->token) ||
      strcspn(token, " \t\r\n") != len)
    return false;
  if (strcmp(token, "null") != 0) /* so it says that it wants none */
    memcpy(answer->token, token, len + 1);
  return true;
}

/* Old services have it in the text alone: "The next expected sequenceToken is:
 * 4957…". */
static void read_words(tally_logs_answer_t *answer, const tally_json_t *json) {
  const char *words = tally_json_string(tally_json_get(json, "message"));
  if (words == NULL)
    words = tally_json_string(tally_json_get(json, "Message"));
  const char *blank = words != NULL ? strrchr(words, ' ') : NULL;
  if (blank != NULL)
    take_token(answer, blank + 1);
}

/* An index of the events; without one, or with nonsense, `fallback`. */
static size_t read_index(const tally_json_t *info, const char *name,
                         size_t count, size_t fallback) {
  int64_t i = tally_json_int(tally_json_get(info, name), -1);
  if (i < 0)
    return fallback;
  return (uint64_t)i < count ? (size_t)i : count;
}

int tally_logs_answer_read(tally_logs_answer_t *answer, const char *body,
                           size_t len, size_t count) {
  *answer = (tally_logs_answer_t){.too_new = count};
  tally_json_t *json = tally_json_parse(body, len, NULL);
  if (json == NULL || body[strspn(body, " \t\r\n")] != '{') {
    tally_json_destroy(json);
    return -1;
  }
  const tally_json_t *info = tally_json_get(json, "rejectedLogEventsInfo");
  size_t expired = read_index(info, "expiredLogEventEndIndex", count, 0);
  answer->too_old = read_index(info, "tooOldLogEventEndIndex", count, 0);
  if (expired > answer->too_old)
    answer->too_old = expired;
  answer->too_new = read_index(info, "tooNewLogEventStartIndex", count, count);
  if (answer->too_new < answer->too_old)
    answer->too_new = answer->too_old;

  if (!take_token(answer, tally_json_string(
                              tally_json_get(json, "nextSequenceToken"))) &&
      !take_token(answer, tally_json_string(
                              tally_json_get(json, "expectedSequenceToken"))))
    read_words(answer, json);
  tally_json_destroy(json);
  return 0;
}
