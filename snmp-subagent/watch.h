/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_WATCH_H
#define TALLY_SNMP_WATCH_H

/*
 * The watcher: builds a view every interval, and within a second after Docker
 * said that something changed, and hangs it on the board. Nothing here knows
 * net-snmp.
 *
 * Threads: "tally-watch" (samples, judges, publishes), besides those of the
 * inventory, the sampler, the disks and the sinks. Death, OOM kill and health
 * of containers come from the event stream and not from comparing views, so a
 * container that lives for 100 ms is reported as well.
 */

#include "notices.h"
#include "settings.h"
#include "view.h"

typedef struct tally_watch_s tally_watch_t;

/* Starts at once; the first view is on the board within an interval, with or
 * without Docker. Keeps a reference on the settings. */
tally_watch_t *tally_watch_start(tally_settings_t *settings,
                                 tally_board_t *board, tally_notices_t *notices,
                                 tally_error_t *err);
/* Other settings from the next view on: endpoint, filters, thresholds, all of
 * it. Alarms that stand keep their numbers. -1: the old ones stay. */
int tally_watch_configure(tally_watch_t *watch, tally_settings_t *settings,
                          tally_error_t *err);
/* When the newest view was made; monotonic ns, 0: none yet. For the watchdog.
 */
uint64_t tally_watch_last_ns(tally_watch_t *watch);
void tally_watch_stop(tally_watch_t *watch);

#endif
