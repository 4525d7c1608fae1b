/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/json.h"

#include <stdlib.h>

#include "core/buffer.h"

struct tally_json_framer_s {
  tally_buffer_t text; /* the beginning of a text that is not complete yet */
  size_t depth;        /* of braces and brackets; 0: between two texts */
  bool in_string;
  bool escaped; /* the byte before was a backslash inside a string */
};

/* What a text leaves behind is kept for the next one, unless it was unusually
 * long. */
#define KEEP_MAX 65536

tally_json_framer_t *tally_json_framer_create(size_t cap) {
  tally_json_framer_t *framer = calloc(1, sizeof(*framer));
  if (framer != NULL)
    tally_buffer_init(&framer->text, cap);
  return framer;
}

void tally_json_framer_destroy(tally_json_framer_t *framer) {
  if (framer == NULL)
    return;
  tally_buffer_clear(&framer->text);
  free(framer);
}

void tally_json_framer_reset(tally_json_framer_t *framer) {
  if (framer->text.size > KEEP_MAX)
    tally_buffer_clear(&framer->text);
  else
    tally_buffer_reset(&framer->text);
  framer->depth = 0;
  framer->in_string = false;
  framer->escaped = false;
}

/* Follows one byte of a text. True when it was the last one. */
static bool follow(tally_json_framer_t *framer, char byte) {
  if (framer->in_string) {
    if (framer->escaped)
      framer->escaped = false;
    else if (byte == '\\')
      framer->escaped = true;
    else if (byte == '"')
      framer->in_string = false;
    return false;
  }
  switch (byte) {
  case '"':
    framer->in_string = true;
    return false;
  case '{':
  case '[':
    framer->depth++;
    return false;
  case '}':
  case ']':
    return --framer->depth == 0;
  default:
    return false;
  }
}

/* What may stand between two texts: white space, and the record separator of
 * RFC 7464, which newer daemons can send. */
static bool is_separator(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' ||
         byte == '\x1e';
}

static int too_long(tally_json_framer_t *framer, tally_error_t *err) {
  size_t cap = framer->text.cap;
  tally_json_framer_reset(framer);
  return tally_error_set(err, 0, "a JSON text is longer than %zu bytes", cap);
}

int tally_json_framer_feed(tally_json_framer_t *framer, const char *bytes,
                           size_t len, tally_json_framer_callback_t callback,
                           void *data, tally_error_t *err) {
  size_t begin = 0; /* of the present text, as far as it is in `bytes` */
  for (size_t i = 0; i < len; i++) {
    if (framer->depth == 0) {
      if (is_separator(bytes[i]))
        continue;
      if (bytes[i] != '{') {
        tally_json_framer_reset(framer);
        return tally_error_set(err, 0,
                               "byte 0x%02x where a JSON object should begin",
                               (unsigned)(unsigned char)bytes[i]);
      }
      begin = i;
    }
    if (!follow(framer, bytes[i]))
      continue;

    int status;
    size_t rest = i + 1 - begin;
    if (framer->text.len + rest > framer->text.cap)
      return too_long(framer, err);
    if (framer->text.len == 0) { /* all in one piece: no need to copy it */
      status = callback(bytes + begin, rest, data);
    } else {
      if (tally_buffer_append(&framer->text, bytes + begin, rest) != 0)
        return too_long(framer, err);
      status = callback(framer->text.data, framer->text.len, data);
    }
    tally_json_framer_reset(framer);
    if (status != 0)
      return status;
    begin = i + 1;
  }

  if (framer->depth > 0 &&
      tally_buffer_append(&framer->text, bytes + begin, len - begin) != 0)
    return too_long(framer, err);
  return 0;
}
