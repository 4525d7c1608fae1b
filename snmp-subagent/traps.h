/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_TRAPS_H
#define TALLY_SNMP_TRAPS_H

/* Notices on their way out: as notifications of TALLYMAN-MIB to the master,
 * which sends them on as its own configuration says (trap, inform, v2c, v3). */

#include "notices.h"

/* SNMP thread. While there is no master it is lost, as it is with any agent
 * whose network is away: the tables still say what is so. */
void tally_traps_send(const tally_notice_t *notice);

#endif
