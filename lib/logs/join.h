/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_JOIN_H
#define TALLY_LOGS_JOIN_H

/*
 * Lines that belong together (a stack trace) as one record.
 *
 * A line that matches the start pattern begins a record; those behind it that
 * do not are added to it, with a newline between. The record is complete when
 * the next one starts, when it has reached its bounds, or when no line has come
 * for a while. What is held back meanwhile is in memory only: whoever holds it
 * must not count it as delivered.
 *
 * A join belongs to one stream of one container; its owner locks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/error.h"

/* How to join; read only, shared by any number of threads. */
typedef struct tally_log_join_rule_s tally_log_join_rule_t;

#define TALLY_LOG_JOIN_LINES 500 /* defaults of the bounds */
#define TALLY_LOG_JOIN_BYTES (256 * 1024)
#define TALLY_LOG_JOIN_WAIT_MS 1000

/* `start`: an extended POSIX regular expression, which sees the first 1024
 * bytes of a line, up to a NUL. NULL and *err: it does not compile (in the
 * words of regcomp), or no memory. */
tally_log_join_rule_t *tally_log_join_rule_create(const char *start,
                                                  unsigned max_lines,
                                                  size_t max_bytes,
                                                  unsigned wait_ms,
                                                  tally_error_t *err);
void tally_log_join_rule_destroy(tally_log_join_rule_t *rule);

typedef struct tally_log_join_s {
  const tally_log_join_rule_t *rule; /* borrowed */
  tally_buffer_t text;
  unsigned lines;   /* 0: nothing is held */
  uint64_t time_ns; /* of the first line, as it was given */
  uint64_t due_ns;  /* monotonic: complete then, whatever comes */
} tally_log_join_t;

void tally_log_join_init(tally_log_join_t *join,
                         const tally_log_join_rule_t *rule);
void tally_log_join_clear(tally_log_join_t *join);

/* Whether this line leaves what is held as it is: then that is complete and has
 * to be taken (and dropped) before the line is added. */
bool tally_log_join_completes(const tally_log_join_t *join, const char *text,
                              size_t len);
/* -1: it is longer than a record may be, or there is no memory; nothing has
 * changed. `now_ns` is monotonic. */
int tally_log_join_add(tally_log_join_t *join, const char *text, size_t len,
                       uint64_t time_ns, uint64_t now_ns);
/* Nothing is held any more. */
void tally_log_join_drop(tally_log_join_t *join);

#endif
