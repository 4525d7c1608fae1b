/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_TRAPS_H
#define TALLY_SNMP_TRAPS_H

/* Notices on their way out: as notifications of TALLYMAN-MIB to the master,
 * which sends them on as its own configuration says (trap, inform, v2c, v3). */

#include "notices.h"

/* SNMP thread; while there is a master, without one it is lost. */
void tally_traps_send(const tally_notice_t *notice);

#endif
