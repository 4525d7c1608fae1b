/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_ALARMS_H
#define TALLY_SNMP_ALARMS_H

/*
 * What is wrong now, judged from a view: thresholds with hysteresis, and the
 * node's health as the worst of it.
 *
 * Pure bookkeeping: a view in, alarms and notices out; no clock but the one it
 * is given, no I/O. Belongs to the watcher's thread.
 *
 *   object          cause         level                 notices
 *   node            cpu memory    of the threshold      alarm raised, cleared
 *                   swap load
 *                   collectd      warning: was there,   alarm raised, cleared
 *                                 does not answer
 *   docker          unreachable   critical              (the event thread's)
 *   disk/MOUNT      space inodes  of the threshold      disk raised, cleared
 *                   answering     critical              disk raised, cleared
 *                   read-only     critical: was not     disk raised, cleared
 *   container/NAME  memory cpu    of the threshold      alarm raised, cleared
 *                   threads
 *                   unhealthy     warning               alarm raised, cleared
 *                   dead          warning               alarm raised, cleared
 *   sink/NAME       delivery      warning: delayed;     sink stalled,
 * recovered; critical: stalled,    nothing for delayed losing
 *
 * A number that is not known neither raises nor clears, nor does the space of a
 * mount that is read-only: nobody can fill it. A container that does not run
 * has no numbers to be wrong, and one without a limit of its own no share of
 * it. A level of a threshold has to last for `hold`;
 * facts are raised at once.
 */

#include "notices.h"
#include "settings.h"
#include "view.h"

typedef struct tally_alarms_s tally_alarms_t;

/* NULL: out of memory. */
tally_alarms_t *tally_alarms_create(void);
void tally_alarms_destroy(tally_alarms_t *alarms);

/* How a container is judged; NULL: by no threshold. */
typedef const tally_container_rule_t *(*tally_rule_of_t)(
    const tally_container_row_t *row, void *data);

/*
 * Judges a view that is not finished yet: sets `level` of disks and containers,
 * `health`, `health_reason` and `health_changed_ns` of the node, adds one row
 * per alarm that stands, and puts notices for what was raised and what was
 * cleared. An alarm keeps its number and `since` while it stands, also from
 * warning to critical (raised) and back (cleared, with the level that is left);
 * an object that has gone takes its alarms with it, which clears them. The
 * first view after the start raises what it finds. `now_ns`: realtime.
 */
void tally_alarms_judge(tally_alarms_t *alarms,
                        const tally_settings_t *settings, tally_view_t *view,
                        tally_rule_of_t rule_of, void *rule_data,
                        uint64_t now_ns, tally_notices_t *notices);

#endif
