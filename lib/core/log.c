/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

static _Atomic(tally_log_callback_t) log_callback;

void tally_log_set_callback(tally_log_callback_t callback) {
  atomic_store(&log_callback, callback);
}

void tally_log(tally_log_level_t level, const char *format, ...) {
  tally_log_callback_t callback = atomic_load(&log_callback);
  if (callback == NULL)
    return;

  char text[1024]; /* collectd cuts its lines at 1023 bytes */
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof(text), format, ap);
  va_end(ap);
  callback(level, text);
}
