/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/form.h"

#include <string.h>

static bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
}

int tally_form_put(tally_buffer_t *form, const char *value, size_t len) {
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < len;) {
    size_t plain = 0;
    while (i + plain < len && is_plain(value[i + plain]))
      plain++;
    if (plain > 0 && tally_buffer_append(form, value + i, plain) != 0)
      return -1;
    i += plain;
    if (i == len)
      break;
    unsigned char c = (unsigned char)value[i++];
    const char text[3] = {'%', digits[c >> 4], digits[c & 15]};
    if (tally_buffer_append(form, text, sizeof(text)) != 0)
      return -1;
  }
  return 0;
}

size_t tally_form_size(const char *value, size_t len) {
  size_t size = len;
  for (size_t i = 0; i < len; i++)
    if (!is_plain(value[i]))
      size += 2;
  return size;
}
