/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CONTAINER_ADJUSTER_PRIVATE_H
#define TALLY_CONTAINER_ADJUSTER_PRIVATE_H

/*
 * The limits of one container: set, or put back. Private to the adjuster, whose
 * thread calls this.
 */

#include <pthread.h>

#include "container/adjuster.h"
#include "container/originals.h"

/* What all containers have in common. */
typedef struct tally_adjuster_core_s {
  tally_adjuster_options_t options; /* strings owned by the adjuster */
  tally_inventory_t *inventory;
  tally_cgroup_host_t *host;
  char *originals_dir;
  pthread_mutex_t lock; /* guards stats */
  tally_adjuster_stats_t stats;
} tally_adjuster_core_t;

/* Counts a report and hands it on. */
void tally_adjuster_report(tally_adjuster_core_t *adjust,
                           const tally_adjust_report_t *report);

typedef enum tally_adjust_result_e {
  TALLY_ADJUST_DONE = 0, /* one way or the other; everything was reported */
  TALLY_ADJUST_LATER,    /* its cgroup is not there yet */
} tally_adjust_result_t;

/* `patient` false: it was waited for long enough, report what is missing. */
tally_adjust_result_t tally_adjuster_set(tally_adjuster_core_t *adjust,
                                         const tally_container_t *container,
                                         bool patient);

/* Puts back what was kept of the container and forgets it, unless something
 * was refused. Nothing kept: nothing done. */
void tally_adjuster_put_back(tally_adjuster_core_t *adjust,
                             const tally_container_t *container);

/*
 * By way of the Engine (adjuster_engine.c).
 *
 * Asks it for the container's configuration; -1 and *err: no answer.
 */
int tally_adjuster_engine_config(tally_adjuster_core_t *adjust, const char *id,
                                 tally_engine_config_t *config,
                                 tally_error_t *err);
/* Sends an update (nothing, if it is empty). Warnings of a successful answer
 * are in `warnings`, "" if there are none. -1 and *err: refused, in the
 * Engine's own words. */
int tally_adjuster_engine_update(tally_adjuster_core_t *adjust, const char *id,
                                 const tally_engine_config_t *update,
                                 char *warnings, size_t size,
                                 tally_error_t *err);

#endif
