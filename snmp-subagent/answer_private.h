/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_ANSWER_PRIVATE_H
#define TALLY_SNMP_ANSWER_PRIVATE_H

/* One varbind of net-snmp at a time; what the two ways into this room share.
 * For files that have included net-snmp's headers. */

#include "answer.h"

bool tally_answer_is_ours(const oid *name, size_t length);

/* The value of exactly this name, or the exception that GET has for it. */
void tally_answer_get(const tally_view_t *view, netsnmp_variable_list *varbind);

/* Replaces name and value by those that follow (`inclusive`: or by those of
 * the name itself, if it has one). false: there are none, nothing changed. */
bool tally_answer_next(const tally_view_t *view, bool inclusive,
                       netsnmp_variable_list *varbind);

/* Requests that come straight from a master are answered here, see
 * answer_direct.c. */
void tally_answer_direct_enable(tally_board_t *board);
void tally_answer_direct_disable(void);

#endif
