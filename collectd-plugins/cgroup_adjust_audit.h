/* SPDX-License-Identifier: MIT */
#ifndef CGROUP_ADJUST_AUDIT_H
#define CGROUP_ADJUST_AUDIT_H

/*
 * From a report of the adjuster to a notification, the line of the audit.
 * Include after collectd's headers.
 */

#include "container/adjuster.h"

/*
 * cgroup_adjust-CONTAINER/cgroup_limit-FILE for everything that was (or would
 * be) written, with an `instance` (or "") before the container as
 * INSTANCE:CONTAINER; the variable or label in place of FILE for a request that
 * makes no sense. OKAY for what was done, WARNING for what was not. Dispatches
 * in the calling thread, which needs a plugin context.
 */
void cgroup_adjust_audit(const tally_adjust_report_t *report,
                         const char *instance);

#endif
