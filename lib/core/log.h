/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_LOG_H
#define TALLY_CORE_LOG_H

/*
 * Where the library's own threads put the few sentences they have.
 *
 * Functions return errors and do not log. Only threads that nobody waits for
 * (the Docker watcher, the sampler) report through here, once per change of
 * state, never once per attempt. Without a callback the text is dropped.
 */

typedef enum tally_log_level_e {
  TALLY_LOG_ERROR = 3, /* the values of syslog(3), which collectd uses too */
  TALLY_LOG_WARNING = 4,
  TALLY_LOG_NOTICE = 5,
  TALLY_LOG_INFO = 6,
} tally_log_level_t;

/* May be called from any thread of the library; must not call back into it. */
typedef void (*tally_log_callback_t)(tally_log_level_t level, const char *text);

/* Process wide. The last one set wins; NULL turns logging off. Thread safe. */
void tally_log_set_callback(tally_log_callback_t callback);

void tally_log(tally_log_level_t level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
