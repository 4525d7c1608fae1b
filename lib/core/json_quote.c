/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/json.h"

#include <string.h>

#include "core/buffer.h"

/* Length of the well-formed UTF-8 sequence at `s` (Unicode 15, table 3-7), 0 if
 * there is none. The NUL at the end of the string stops every look-ahead. */
static size_t sequence_len(const unsigned char *s) {
  if (s[0] < 0x80)
    return 1;

  unsigned char low = 0x80, high = 0xBF; /* bounds of the second byte */
  size_t len;
  if (s[0] >= 0xC2 && s[0] <= 0xDF) {
    len = 2;
  } else if (s[0] >= 0xE0 && s[0] <= 0xEF) {
    len = 3;
    low = s[0] == 0xE0 ? 0xA0 : low;   /* overlong */
    high = s[0] == 0xED ? 0x9F : high; /* surrogates */
  } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
    len = 4;
    low = s[0] == 0xF0 ? 0x90 : low;   /* overlong */
    high = s[0] == 0xF4 ? 0x8F : high; /* above U+10FFFF */
  } else {
    return 0;
  }
  if (s[1] < low || s[1] > high)
    return 0;
  for (size_t i = 2; i < len; i++)
    if (s[i] < 0x80 || s[i] > 0xBF)
      return 0;
  return len;
}

/* How many bytes at `s` stand for themselves, without a look at UTF-8. */
static size_t plain_len(const unsigned char *s) {
  size_t len = 0;
  while (s[len] >= 0x20 && s[len] < 0x80 && s[len] != '"' && s[len] != '\\')
    len++;
  return len;
}

int tally_json_quote(tally_buffer_t *out, const char *s) {
  const unsigned char *p = (const unsigned char *)s;
  if (tally_buffer_append(out, "\"", 1) != 0)
    return -1;
  while (*p != '\0') {
    size_t plain = plain_len(p);
    size_t len = plain > 0 ? plain : sequence_len(p);
    int status;
    if (plain > 0)
      status = tally_buffer_append(out, p, len);
    else if (len == 0)
      status = tally_buffer_append_str(out, "\xEF\xBF\xBD");
    else if (*p == '"' || *p == '\\')
      status = tally_buffer_printf(out, "\\%c", *p);
    else if (*p < 0x20)
      status = tally_buffer_printf(out, "\\u%04x", *p);
    else
      status = tally_buffer_append(out, p, len);
    if (status != 0)
      return -1;
    p += len > 0 ? len : 1;
  }
  return tally_buffer_append(out, "\"", 1);
}
