/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/base64.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/utf8.h"
#include "logs/layout_private.h"

/* Everything but what the speaker and the message add: time, stream, instance,
 * part, and the names of members. */
#define FRAME_MAX 512

static const char *const voices[] = {
    [TALLY_LOG_VOICE_STDOUT] = "stdout",
    [TALLY_LOG_VOICE_STDERR] = "stderr",
    [TALLY_LOG_VOICE_AGENT] = "agent",
};

static bool is_utf8(const tally_log_text_t *text) {
  return tally_utf8_count_bad(text->text, text->len) == 0;
}

/* ---- room ---------------------------------------------------------------- */

/* What a character of `len` bytes takes between quotes. */
static size_t quoted(unsigned char c, size_t len) {
  if (c == '"' || c == '\\')
    return 2;
  return c < 0x20 ? 6 : len;
}

static size_t message_fit(const char *s, size_t len, size_t room) {
  if (len <= room / 6)
    return len; /* whatever it is */
  size_t i = 0, n;
  for (; i < len; i += n) {
    n = tally_utf8_character(s + i, len - i);
    size_t takes = quoted((unsigned char)s[i], n);
    if (takes > room)
      break;
    room -= takes;
  }
  return i;
}

size_t tally_log_json_fit(const tally_log_speaker_t *speaker,
                          const tally_log_text_t *text, size_t room) {
  size_t used = FRAME_MAX + strlen(speaker->members);
  room = used < room ? room - used : 0;
  if (is_utf8(text))
    return message_fit(text->text, text->len, room);
  size_t most = room / 4 * 3;
  return text->len <= most ? text->len : most;
}

/* ---- the object ---------------------------------------------------------- */

static int write_base64(const char *bytes, size_t len, tally_buffer_t *out) {
  if (tally_buffer_append(out, "\"", 1) != 0)
    return -1;
  char *text = tally_buffer_extend(out, TALLY_BASE64_LEN(len));
  if (text == NULL)
    return -1;
  tally_buffer_grow(out, tally_base64_encode(text, bytes, len));
  return tally_buffer_append(out, "\"", 1);
}

static int write_message(const tally_log_text_t *text, tally_buffer_t *out) {
  if (!is_utf8(text))
    return tally_buffer_append_str(out, "\"message_base64\":") == 0
               ? write_base64(text->text, text->len, out)
               : -1;
  if (tally_buffer_append_str(out, "\"message\":") != 0)
    return -1;
  return tally_json_quote_bytes(out, text->text, text->len,
                                TALLY_UTF8_REPLACEMENT);
}

static int write_optional(const tally_log_text_t *text, tally_buffer_t *out) {
  if (text->instance != NULL && text->instance[0] != '\0' &&
      (tally_buffer_append_str(out, "\"instance\":") != 0 ||
       tally_json_quote(out, text->instance) != 0 ||
       tally_buffer_append(out, ",", 1) != 0))
    return -1;
  if (text->part == 0)
    return 0;
  return tally_buffer_printf(out, "\"part\":%u,\"last\":%s,", text->part,
                             text->last ? "true" : "false");
}

int tally_log_json_write(const tally_log_speaker_t *speaker,
                         const tally_log_text_t *text, tally_buffer_t *out) {
  char time[TALLY_LOG_SECONDS_LEN];
  tally_log_format_seconds(text->time_ns, 'T', time);
  if (tally_buffer_printf(out, "{\"time\":\"%.*s.%09luZ\",\"stream\":\"%s\",",
                          TALLY_LOG_SECONDS_LEN, time,
                          (unsigned long)(text->time_ns % TALLY_NS_PER_S),
                          voices[text->voice]) != 0 ||
      tally_buffer_append_str(out, speaker->members) != 0 ||
      write_optional(text, out) != 0 || write_message(text, out) != 0)
    return -1;
  return tally_buffer_append(out, "}", 1);
}
