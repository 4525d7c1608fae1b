/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_DIRECTIVES_H
#define TALLY_SNMP_DIRECTIVES_H

/*
 * Our directives among net-snmp's own: in NAME.conf of its search path and in
 * the file given with -c, beside agentXSocket, agentXPingInterval and the like.
 * SNMP thread.
 */

#include "agent.h"

/* Makes them known to net-snmp; after init_agent(). */
void tally_directives_register(void);

/*
 * Reads all files once. net-snmp itself only warns of what is wrong in a
 * configuration; here the first mistake is an error: -1 and *err (file, line,
 * directive, value), with `settings` half filled in. What net-snmp has to say
 * of files that belong to others as well (snmp.conf, agentx.conf) is logged.
 */
int tally_directives_read(const tally_agent_options_t *options,
                          tally_settings_t *settings, tally_error_t *err);

#endif
