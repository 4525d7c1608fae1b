/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_SINKS_CLIENT_H
#define TALLY_SNMP_SINKS_CLIENT_H

/* The conversation with collectd, in terms of outputs. Every call may block for
 * as long as collectd does; a signal without SA_RESTART ends it. One thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/file.h" /* TALLY_UNKNOWN */

/* More outputs than this are not looked at. */
#define TALLY_SINKS_MAX 256

/* What an output said; what it does not say is TALLY_UNKNOWN. */
typedef struct tally_sink_reading_s {
  char name[64];
  uint64_t accepted, sent, failed, retried, dropped; /* records */
  uint64_t queued, spooled_bytes;
  uint64_t oldest_age_ms;
  uint64_t last_error;
  bool losing; /* `dropped` has grown since the reading before */
} tally_sink_reading_t;

typedef struct tally_sinks_client_s tally_sinks_client_t;

/* NULL: out of memory. */
tally_sinks_client_t *tally_sinks_client_create(const char *socket);
void tally_sinks_client_destroy(tally_sinks_client_t *client);

/*
 * Connects if need be and reads all outputs, sorted by name. Borrowed until the
 * next call. -1 and *err: collectd does not answer; the next call connects
 * again.
 *
 * Which outputs there are is asked at once after connecting and then at growing
 * distances up to a minute, because collectd lists all its values for that.
 */
int tally_sinks_client_read(tally_sinks_client_t *client,
                            const tally_sink_reading_t **readings,
                            size_t *count, tally_error_t *err);

#endif
