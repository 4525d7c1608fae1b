/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_SINK_H
#define TALLY_LOGS_SINK_H

/*
 * Where lines go.
 *
 * A *kind* knows one service: how a container names a target there, what fits
 * into a record, how a destination is made. A *sink* is one target of a kind
 * that is open: a durable outbox of its own, made when the first container asks
 * for it. A spool that an earlier process left is opened too, so that it drains
 * even if no container names its target any more.
 *
 * To add a kind: a tally_log_kind_t, and its place in the list of them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "delivery/delivery.h"
#include "logs/layout.h"

typedef struct tally_log_kind_s {
  const char *name;          /* [a-z]+; of spools and values: "kinesis" */
  const char *variable;      /* of a container, naming a target; NULL: none */
  tally_log_layout_t layout; /* unless the route says another */
  size_t record_max;         /* bytes of a record's data; 64 KiB or more */
  /* Makes a destination, as the openers of lib/aws do. `outbox` holds what the
   * operator wants of it, its spool among it. -1 and *err: it is no target. */
  int (*open)(void *data, const char *target, tally_destination_t *destination,
              tally_outbox_options_t *outbox, tally_error_t *err);
  void *data;
} tally_log_kind_t;

#define TALLY_LOG_TARGET_MAX 1024 /* bytes of a target's name */
#define TALLY_LOG_SINKS_MAX                                                    \
  256 /* containers name them, so there is a limit                             \
       */
#define TALLY_LOG_SINK_LABEL_SIZE 128

typedef struct tally_log_sink_s {
  const tally_log_kind_t *kind;
  const char *target;
  const char *label; /* "docker_logs-kinesis-orders" */
  size_t room;       /* bytes of a record's data here */
  tally_outbox_t *outbox;
} tally_log_sink_t;

typedef struct tally_log_sinks_options_s {
  const char *label; /* what all labels begin with: "docker_logs" */
  const char *list;  /* file in which those with a spool are remembered */
  const tally_log_kind_t *const *kinds; /* ends with NULL */
  /* Fills in what the operator wants of an outbox: its spool, durable, limits.
   * `spool` has `size` bytes for the name of the directory. -1 and *err: the
   * sink cannot be opened like this. */
  int (*prepare)(const char *label, tally_outbox_options_t *options,
                 char *spool, size_t size, void *data, tally_error_t *err);
  /* Destroys an outbox and says what it leaves behind, in any thread; `slot` is
   * that of tally_log_sinks_each(). NULL: nothing is said. */
  void (*close)(const tally_log_sink_t *sink, void *slot, int timeout_ms,
                void *data);
  void *data;
} tally_log_sinks_options_t;

typedef struct tally_log_sinks_s tally_log_sinks_t;

/* Copies the strings; kinds are borrowed. NULL and *err: no memory. */
tally_log_sinks_t *
tally_log_sinks_create(const tally_log_sinks_options_t *options,
                       tally_error_t *err);
/* Closes all of them, at the same time: each sends for `timeout_ms` and keeps
 * the rest. Nobody may have one any more. */
void tally_log_sinks_destroy(tally_log_sinks_t *sinks, int timeout_ms);

/* Opens what the list says. Takes as long as reading the spools does. */
void tally_log_sinks_reopen(tally_log_sinks_t *sinks);

/*
 * The sink of a target, opened if it is not. Any thread; waits for an opening
 * that is under way. NULL: it cannot be opened at present (said in the log once
 * for each reason); the next attempt is made 30 s later. Give it back with
 * tally_log_sinks_release().
 */
tally_log_sink_t *tally_log_sinks_acquire(tally_log_sinks_t *sinks,
                                          const tally_log_kind_t *kind,
                                          const char *target);
void tally_log_sinks_release(tally_log_sinks_t *sinks, tally_log_sink_t *sink);

/* Closes those that nobody has had for ten minutes and that are empty. */
void tally_log_sinks_tend(tally_log_sinks_t *sinks);

/* Each open sink in turn, without a lock. `*slot` is the caller's, NULL at
 * first, given to free() when the sink is closed; one caller only. */
void tally_log_sinks_each(tally_log_sinks_t *sinks,
                          void (*each)(tally_log_sink_t *sink, void **slot,
                                       void *data),
                          void *data);

#endif
