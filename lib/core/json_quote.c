/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/json.h"

#include <stdbool.h>
#include <string.h>

#include "core/buffer.h"
#include "core/utf8.h"

static bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static size_t plain_run(const char *bytes, size_t len) {
  size_t n = 0;
  while (n < len && is_plain((unsigned char)bytes[n]))
    n++;
  return n;
}

/* One character, or one byte that is none; returns how many bytes that were,
 * 0: the buffer's cap. */
static size_t quote_one(tally_buffer_t *out, const char *bytes, size_t len,
                        const char *bad) {
  unsigned char c = (unsigned char)*bytes;
  size_t n = tally_utf8_character(bytes, len);
  int status;
  if (n == 0)
    status = tally_buffer_append_str(out, bad);
  else if (c == '"' || c == '\\')
    status = tally_buffer_printf(out, "\\%c", c);
  else if (c < 0x20)
    status = tally_buffer_printf(out, "\\u%04x", c);
  else
    status = tally_buffer_append(out, bytes, n);
  if (status != 0)
    return 0;
  return n > 0 ? n : 1;
}

int tally_json_quote_bytes(tally_buffer_t *out, const char *bytes, size_t len,
                           const char *bad) {
  if (tally_buffer_append(out, "\"", 1) != 0)
    return -1;
  for (size_t i = 0; i < len;) {
    size_t n = plain_run(bytes + i, len - i);
    if (n > 0 && tally_buffer_append(out, bytes + i, n) != 0)
      return -1;
    if (n == 0 && (n = quote_one(out, bytes + i, len - i, bad)) == 0)
      return -1;
    i += n;
  }
  return tally_buffer_append(out, "\"", 1);
}

int tally_json_quote(tally_buffer_t *out, const char *s) {
  return tally_json_quote_bytes(out, s, strlen(s), TALLY_UTF8_REPLACEMENT);
}
