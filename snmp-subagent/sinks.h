/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_SINKS_H
#define TALLY_SNMP_SINKS_H

/*
 * The outputs of the collectd beside us, as its unixsock plugin shows them.
 *
 * Every outbox dispatches one value list, identifier
 *
 *     HOST/tallyman-SINK/tallyman_outbox        (types.db)
 *
 * where SINK is the output's plugin and, behind a dash, its name
 * ("write_kinesis-metrics"). All its sources are gauges, totals included,
 * because unixsock answers a DERIVE with its rate; it writes seven significant
 * digits, which is the resolution of these objects.
 *
 * A thread of its own ("tally-sinks") asks every interval, with a time limit; a
 * collectd that hangs or is not there costs nobody else anything.
 */

#include "settings.h"
#include "view.h"

typedef struct tally_sinks_s tally_sinks_t;

/* `socket` NULL: switched off, no thread. */
tally_sinks_t *tally_sinks_create(const char *socket, double interval,
                                  tally_error_t *err);
void tally_sinks_destroy(tally_sinks_t *sinks);

/* Adds a row per output that was seen at the last attempt and sets the node's
 * `sinks_state` and `sinks_problem`. Never waits for collectd. */
void tally_sinks_show(tally_sinks_t *sinks, const tally_settings_t *settings,
                      tally_view_t *view);

#endif
