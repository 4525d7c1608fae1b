/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_SINKS_PRIVATE_H
#define TALLY_LOGS_SINKS_PRIVATE_H

/* How sinks are kept (sinks.c), and opened (sinks_open.c). */

#include <pthread.h>

#include "logs/sink.h"

typedef struct tally_log_sinks_entry_s {
  tally_log_sink_t sink; /* first; sink.outbox NULL: not open */
  struct tally_log_sinks_entry_s *next;
  /* guarded by the lock */
  unsigned references;
  uint64_t unused_ns; /* since when there are none; monotonic */
  /* guarded by `opening` */
  bool listed; /* has a spool, as far as we know */
  uint64_t retry_ns;
  char problem[256]; /* what was said of it last */
  void *slot;        /* of who calls tally_log_sinks_each() */
} tally_log_sinks_entry_t;

struct tally_log_sinks_s {
  tally_log_sinks_options_t options;
  char *label, *list;
  pthread_mutex_t opening; /* one at a time opens or closes; taken before… */
  pthread_mutex_t lock;    /* … this one, which nobody holds for long */
  tally_log_sinks_entry_t *entries; /* changed with both held */
  size_t count;
  bool said_many, said_name; /* guarded by `opening` */
};

/* All with `opening` held. */

/* An entry that is not open yet. NULL: there are too many, the target is none,
 * which is said in the log, or no memory. */
tally_log_sinks_entry_t *tally_log_sinks_add(tally_log_sinks_t *sinks,
                                             const tally_log_kind_t *kind,
                                             const char *target);
void tally_log_sinks_free(tally_log_sinks_entry_t *entry);

/* true: it is open. Otherwise the log has said why, if that is news, and for a
 * while there is no other attempt. */
bool tally_log_sinks_open(tally_log_sinks_t *sinks,
                          tally_log_sinks_entry_t *entry);

/* Writes the list. What cannot be remembered is drained by the next process
 * only if a container still names it. */
void tally_log_sinks_save(tally_log_sinks_t *sinks);

#endif
