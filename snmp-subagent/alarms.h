/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_ALARMS_H
#define TALLY_SNMP_ALARMS_H

/*
 * What is wrong now, judged from a view: thresholds with hysteresis, and the
 * node's health as the worst of it.
 *
 * Pure bookkeeping: a view in, alarms and notices out; no clock but the one it
 * is given, no I/O. Belongs to the watcher's thread.
 */

#include "notices.h"
#include "settings.h"
#include "view.h"

typedef struct tally_alarms_s tally_alarms_t;

tally_alarms_t *tally_alarms_create(void);
void tally_alarms_destroy(tally_alarms_t *alarms);

/* How containers are judged whose labels are not in the view. */
typedef const tally_container_rule_t *(*tally_rule_of_t)(
    const tally_container_row_t *row, void *data);

/*
 * Judges a view that is not finished yet: sets `level` of disks and containers,
 * `health`, `health_reason` and `health_changed_ns` of the node, adds one row
 * per alarm that stands, and puts notices for what was raised and what was
 * cleared. An alarm keeps its number and `since` while it stands, also from
 * warning to critical and back; an object that has gone takes its alarms with
 * it. The first view after the start raises what it finds.
 */
void tally_alarms_judge(tally_alarms_t *alarms,
                        const tally_settings_t *settings, tally_view_t *view,
                        tally_rule_of_t rule_of, void *rule_data,
                        uint64_t now_ns, tally_notices_t *notices);

#endif
