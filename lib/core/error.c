/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int tally_error_set(tally_error_t *err, int code, const char *format, ...) {
  if (err == NULL)
    return -1;

  err->code = code;
  va_list ap;
  va_start(ap, format);
  int len = vsnprintf(err->message, sizeof(err->message), format, ap);
  va_end(ap);

  if (code != 0 && len >= 0 && (size_t)len < sizeof(err->message)) {
    char text[128];
    snprintf(err->message + len, sizeof(err->message) - (size_t)len, ": %s",
             strerror_r(code, text, sizeof(text)));
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

  if (len >= 0 && (size_t)len < sizeof(err->message))
    snprintf(err->message + len, sizeof(err->message) - (size_t)len, ": %s",
             inner);
  return -1;
}
