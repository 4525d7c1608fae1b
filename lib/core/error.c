/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Behind the first len bytes; what has no room is cut off. */
static void append_cause(tally_error_t *err, int len, const char *cause) {
  if (len < 0 || (size_t)len >= sizeof(err->message))
    return;
  size_t room = sizeof(err->message) - (size_t)len;
  snprintf(err->message + len, room, ": %.*s", (int)room, cause);
}

int tally_error_set(tally_error_t *err, int code, const char *format, ...) {
  if (err == NULL)
    return -1;

  err->code = code;
  va_list ap;
  va_start(ap, format);
  int len = vsnprintf(err->message, sizeof(err->message), format, ap);
  va_end(ap);

  if (code != 0) {
    char text[128];
    append_cause(err, len, strerror_r(code, text, sizeof(text)));
  }
  return -1;
}

int tally_error_wrap(tally_error_t *err, const char *format, ...) {
  if (err == NULL)
    return -1;

  char inner[sizeof(err->message)];
  memcpy(inner, err->message, sizeof(inner));

  va_list ap;
  va_start(ap, format);
  int len = vsnprintf(err->message, sizeof(err->message), format, ap);
  va_end(ap);

  append_cause(err, len, inner);
  return -1;
}
