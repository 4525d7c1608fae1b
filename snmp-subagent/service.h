/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_SERVICE_H
#define TALLY_SNMP_SERVICE_H

/*
 * What a service manager is told (sd_notify(3)). Without one, or built without
 * systemd's library, all of it does nothing.
 */

#include <stdint.h>

void tally_service_ready(void);
void tally_service_reloading(void); /* until the next ready */
void tally_service_stopping(void);

/* How often it wants to be told that we are alive; 0: not at all. */
uint64_t tally_service_watchdog_ns(void);
void tally_service_alive(void);

#endif
