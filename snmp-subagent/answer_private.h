/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_ANSWER_PRIVATE_H
#define TALLY_SNMP_ANSWER_PRIVATE_H

#include "answer.h"

/* Requests that come straight from a master are answered as they are read, on
 * every session that is opened from now on; see answer_direct.c. */
void tally_answer_direct_enable(tally_board_t *board);
void tally_answer_direct_disable(void);

#endif
