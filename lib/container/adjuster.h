/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CONTAINER_ADJUSTER_H
#define TALLY_CONTAINER_ADJUSTER_H

/*
 * Gives containers the limits that they should have (container/limits.h).
 *
 * A thread ("tally-adjust") follows the inventory: every run of a container is
 * looked at once, whether it began before us or just now. The cgroup of a young
 * one is waited for, at most TALLY_ADJUST_PATIENCE_MS, while others are served.
 * Nobody else ever waits.
 *
 * What stood in a file before its first change is kept on disk
 * (container/originals.h) and can be put back: when the adjuster ends, or while
 * a file named "restore" exists in STATE_DIR. As long as it is there nothing
 * is changed; when it goes away, limits are set again.
 *
 * Nothing outside the container's own cgroup is ever written.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cgroup/cgroup.h"
#include "container/limits.h"
#include "docker/docker.h"

#define TALLY_ADJUST_PATIENCE_MS 5000

typedef enum tally_adjust_method_e {
  TALLY_ADJUST_BY_CGROUP = 0, /* write the files */
  /* Ask the Engine, so that its own idea of the container agrees. Files are
   * written where it has no word for a limit (container/engine_update.h), and
   * read in any case. */
  TALLY_ADJUST_BY_ENGINE,
} tally_adjust_method_t;

typedef enum tally_adjust_outcome_e {
  TALLY_ADJUST_CHANGED = 0,  /* written and read back */
  TALLY_ADJUST_WOULD_CHANGE, /* dry run */
  TALLY_ADJUST_REFUSED,      /* by the kernel or the Engine */
  TALLY_ADJUST_DIFFERS,      /* accepted, but something else is read back */
  TALLY_ADJUST_BAD_REQUEST,  /* the container asks for what makes no sense */
  TALLY_ADJUST_FAILED,       /* nothing was tried at all */
} tally_adjust_outcome_t;

/* One line of the audit. Everything is borrowed for the call. */
typedef struct tally_adjust_report_s {
  tally_adjust_outcome_t outcome;
  const tally_container_t *container;
  bool restoring; /* an original value is put back */
  tally_adjust_method_t method;
  const char *reason; /* in the words of who refused; "" if all is well */

  /* CHANGED, WOULD_CHANGE, REFUSED, DIFFERS; otherwise NULL */
  const tally_limit_change_t *change;
  tally_limit_source_t source;    /* who wanted it; NOBODY when restoring */
  const tally_limit_rule_t *rule; /* of source RULE */

  const tally_limit_problem_t *problem; /* BAD_REQUEST; otherwise NULL */
} tally_adjust_report_t;

typedef struct tally_adjuster_options_s {
  const char *rootfs;                 /* "" or NULL: none */
  const tally_limit_policy_t *policy; /* must outlive the adjuster */
  tally_adjust_method_t method;
  bool dry_run;
  bool restore_at_end;
  const char *state_dir; /* made where it is missing */
  /* Which containers are looked at; NULL: all. In the adjuster's thread. */
  bool (*wanted)(const tally_container_t *container, void *data);
  /* In the adjuster's thread, and in that of tally_adjuster_destroy(). */
  void (*on_report)(const tally_adjust_report_t *report, void *data);
  void *data;
} tally_adjuster_options_t;

typedef struct tally_adjuster_s tally_adjuster_t;

/* The inventory is borrowed and must outlive it, as must whatever `data` is.
 * NULL and *err: there are no cgroups here, or no memory or threads. */
tally_adjuster_t *tally_adjuster_create(tally_inventory_t *inventory,
                                        const char *endpoint_name,
                                        const tally_adjuster_options_t *options,
                                        tally_error_t *err);
/* Stops the thread (a request to the Engine may be under way: up to 5 s), then
 * puts back what was changed if that was asked for (up to 10 s). */
void tally_adjuster_destroy(tally_adjuster_t *adjuster);

/* Files, since it was made. */
typedef struct tally_adjuster_stats_s {
  uint64_t changed;
  uint64_t would_change;
  uint64_t unchanged; /* were as wanted already */
  uint64_t refused;
  uint64_t differs;
  uint64_t restored;
  /* containers */
  uint64_t bad_requests;
  uint64_t failed;
} tally_adjuster_stats_t;
void tally_adjuster_stats(tally_adjuster_t *adjuster,
                          tally_adjuster_stats_t *stats);

#endif
