/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/text.h"

#include <stdio.h>

/* Bytes that the UTF-8 character beginning with `lead` has; 0: not a first
 * byte. Overlong forms need no care here: nobody decodes the result. */
static size_t character_length(unsigned char lead) {
  if (lead < 0x80)
    return 1;
  if (lead >= 0xc2 && lead <= 0xdf)
    return 2;
  if (lead >= 0xe0 && lead <= 0xef)
    return 3;
  if (lead >= 0xf0 && lead <= 0xf4)
    return 4;
  return 0;
}

/* How many of the `want` bytes at `s` are there: 1 + following ones. */
static size_t present(const unsigned char *s, size_t want) {
  size_t n = 1;
  while (n < want && (s[n] & 0xc0) == 0x80)
    n++;
  return n;
}

void tally_text_tidy(char *text) {
  unsigned char *s = (unsigned char *)text;
  while (*s != '\0') {
    size_t want = character_length(*s);
    size_t have = want > 0 ? present(s, want) : 1;
    if (want == have) {
      if (*s < 0x20 || *s == 0x7f)
        *s = ' ';
    } else if (want > 0 && s[have] == '\0') {
      *s = '\0'; /* cut off in the middle */
      return;
    } else {
      for (size_t i = 0; i < have; i++)
        s[i] = '?';
    }
    s += have;
  }
}

char *tally_text_copy(char *target, size_t size, const char *source) {
  snprintf(target, size, "%s", source != NULL ? source : "");
  tally_text_tidy(target);
  return target;
}
