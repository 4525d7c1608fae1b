/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/utf8.h"

#include <stdint.h>
#include <string.h>

#define CHARACTER_MAX 4 /* bytes */

size_t tally_utf8_character(const char *bytes, size_t len) {
  const unsigned char *s = (const unsigned char *)bytes;
  if (s[0] < 0x80)
    return 1;

  unsigned char low = 0x80, high = 0xBF; /* bounds of the second byte */
  size_t want;
  if (s[0] >= 0xC2 && s[0] <= 0xDF) {
    want = 2;
  } else if (s[0] >= 0xE0 && s[0] <= 0xEF) {
    want = 3;
    low = s[0] == 0xE0 ? 0xA0 : low;   /* overlong */
    high = s[0] == 0xED ? 0x9F : high; /* surrogates */
  } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
    want = 4;
    low = s[0] == 0xF0 ? 0x90 : low;   /* overlong */
    high = s[0] == 0xF4 ? 0x8F : high; /* above U+10FFFF */
  } else {
    return 0;
  }
  if (len < want || s[1] < low || s[1] > high)
    return 0;
  for (size_t i = 2; i < want; i++)
    if (s[i] < 0x80 || s[i] > 0xBF)
      return 0;
  return want;
}

/* Log lines are ASCII nearly always: eight bytes at a time. */
static size_t skip_ascii(const char *bytes, size_t len) {
  size_t i = 0;
  uint64_t word;
  while (i + sizeof(word) <= len) {
    memcpy(&word, bytes + i, sizeof(word));
    if ((word & UINT64_C(0x8080808080808080)) != 0)
      break;
    i += sizeof(word);
  }
  return i;
}

size_t tally_utf8_count_bad(const char *bytes, size_t len) {
  size_t bad = 0;
  for (size_t i = skip_ascii(bytes, len); i < len;) {
    size_t n = tally_utf8_character(bytes + i, len - i);
    bad += n == 0;
    i += n > 0 ? n : 1;
    i += skip_ascii(bytes + i, len - i);
  }
  return bad;
}

size_t tally_utf8_cut(const char *bytes, size_t len, size_t most) {
  if (len <= most)
    return len;
  for (size_t back = 1; back < CHARACTER_MAX && back <= most; back++) {
    size_t begin = most - back;
    if (((unsigned char)bytes[begin] & 0xC0) == 0x80)
      continue;
    return tally_utf8_character(bytes + begin, len - begin) > back ? begin
                                                                   : most;
  }
  return most;
}
