/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_MASTER_H
#define TALLY_SNMP_MASTER_H

/*
 * Our side of the session with the master agent: time limits, and one line of
 * the log for each change of state. Opening, pinging and opening again is
 * net-snmp's own work (RFC 2741, sections 6.2.1 and 7.2.5). SNMP thread.
 */

#include <stdbool.h>

/* Seconds between pings, and between attempts to connect, if the configuration
 * says nothing (agentXPingInterval): the longest outage after a restart of the
 * master. */
#define TALLY_MASTER_PING_INTERVAL 3

/* Before the first attempt to connect. */
void tally_master_watch(void);

/* Connects, or begins to try. */
void tally_master_connect(void);

/* Does what is due: pings, attempts to connect. A master that hangs costs a few
 * seconds at the most. */
void tally_master_run_due(void);

bool tally_master_connected(void);

#endif
