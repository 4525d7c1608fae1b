/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_ANSWER_H
#define TALLY_SNMP_ANSWER_H

/*
 * Answers the requests of the master agent below the root arc from the newest
 * view on the board. All of a request is answered from one view.
 *
 * SNMP thread only. Nothing here waits, and nothing allocates but net-snmp.
 */

#include "view.h"

/*
 * Registers the root arc, read-only. To be called between init_agent() and
 * init_snmp(), once; it holds for every session with a master that net-snmp
 * makes later. The board is borrowed and must outlive the registration.
 */
int tally_answer_register(tally_board_t *board, tally_error_t *err);

/* Before shutdown_agent(); also if register failed or never happened. */
void tally_answer_unregister(void);

#endif
