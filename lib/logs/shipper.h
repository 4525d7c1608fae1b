/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_SHIPPER_H
#define TALLY_LOGS_SHIPPER_H

/*
 * Ships what containers write.
 *
 *   inventory ─ snapshots ─► shipper ─ follow ─► reader (docker/logs.h)
 *       │                       │                     │ lines
 *       └─ events ─► sentences ─┴──► feeds ◄──────────┘
 *                                      │ records, and notes of how far
 *                                      ▼
 *                                    sinks (logs/sink.h)
 *
 * Each line of a container that has routes becomes a record in each of its
 * sinks, once and in order, through restarts and kill -9 of this process and of
 * the daemon, as long as the daemon still has the line: how far a container has
 * been shipped is a note in the sink's outbox, written in one step with the
 * records. A sink that has no room for more makes the container's log wait,
 * which Docker keeps.
 *
 * Where a container's log is begun that no note speaks of: with its first line;
 * but one that was there before the very first start of the shipper (noted in
 * STATE_DIR/NAME.since) from that time on, unless `read_existing`.
 *
 * Lifecycle sentences are those of convox/agent 0.73,
 *
 *   agent:VERSION/INSTANCE Dead web process 0123456789ab (exit code 3)
 *
 * for create, kill, stop, oom and die, and at the very first start for what
 * runs. That of a `die` waits for the container's last line, as long as lines
 * come: 5 s for each, 30 s for all.
 *
 * Threads: "tally-ship", which opens sinks and decides what is read, the
 * reader's "tally-logs" and the subscription's "tally-sub".
 *
 * Contract: convox/agent 0.73, its lifecycle events and log records.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "docker/docker.h"
#include "docker/logs.h"
#include "logs/route.h"
#include "logs/sink.h"

typedef struct tally_log_shipper_options_s {
  const char *name;      /* "docker_logs": of files, and first in labels */
  const char *state_dir; /* made where it is missing */
  const char *host;      /* of this node, as JSON says it */
  bool read_existing;
  const tally_log_kind_t *const *kinds; /* ends with NULL; borrowed */
  /* Which routes a container has; fills in TALLY_LOG_ROUTES_MAX at most. Called
   * when it is first seen, in any of the threads. What it points to is borrowed
   * and must live as long as the shipper, but for targets, which are copied. */
  size_t (*routes)(const tally_container_t *container,
                   tally_log_route_t *routes, void *data);
  /* See tally_log_sinks_options_t. */
  int (*prepare)(const char *label, tally_outbox_options_t *options,
                 char *spool, size_t size, void *data, tally_error_t *err);
  void (*close)(const tally_log_sink_t *sink, void *slot, int timeout_ms,
                void *data);
  void *data;
} tally_log_shipper_options_t;

typedef struct tally_log_shipper_s tally_log_shipper_t;

/* The inventory is borrowed and must outlive it. NULL and *err: no memory or
 * threads, or a state directory that cannot be used. */
tally_log_shipper_t *
tally_log_shipper_create(tally_inventory_t *inventory,
                         const tally_log_shipper_options_t *options,
                         tally_error_t *err);
/* Ends the threads and closes the sinks, which send for `timeout_ms`; what they
 * have not sent by then is in their spools. */
void tally_log_shipper_destroy(tally_log_shipper_t *shipper, int timeout_ms);

/* Who this node is, as soon as that is known: of sentences, which wait 10 s for
 * it at most, and of JSON. Once. */
void tally_log_shipper_set_instance(tally_log_shipper_t *shipper,
                                    const char *instance);

typedef struct tally_log_shipper_stats_s {
  tally_log_reader_stats_t reader;
  uint64_t unreadable;     /* containers whose log driver cannot be read */
  uint64_t sentences_lost; /* there was no room for them */
} tally_log_shipper_stats_t;
void tally_log_shipper_stats(tally_log_shipper_t *shipper,
                             tally_log_shipper_stats_t *stats);

/* See tally_log_sinks_each(). */
void tally_log_shipper_sinks(tally_log_shipper_t *shipper,
                             void (*each)(tally_log_sink_t *sink, void **slot,
                                          void *data),
                             void *data);

#endif
