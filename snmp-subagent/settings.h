/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_SETTINGS_H
#define TALLY_SNMP_SETTINGS_H

/*
 * What tallyman-agentx.conf says, checked. Knows no net-snmp: directives.c
 * hands each line of the file over as a directive and its argument.
 *
 * Immutable once it is in use; SIGHUP makes a new one. Reference counted,
 * because three threads look at it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/select.h"

/* Raised at `warning` or `critical`, cleared `hysteresis` below. In percent; 0:
 * not watched. */
typedef struct tally_threshold_s {
  double warning, critical;
} tally_threshold_t;

/* What the disk thresholds of one mount point are. */
typedef struct tally_disk_rule_s {
  char *mount; /* equal, or "/regular expression/" */
  tally_select_t *match;
  tally_threshold_t space, inodes;
  struct tally_disk_rule_s *next; /* the first that matches counts */
} tally_disk_rule_t;

/* And of containers with a label. */
typedef struct tally_container_rule_s {
  char *label, *value; /* value NULL: whatever it is; label NULL: all */
  tally_threshold_t memory, cpu, threads; /* percent of their limits */
  unsigned said; /* which of them; the others are those of all containers */
  struct tally_container_rule_s *next; /* the first that matches counts */
} tally_container_rule_t;

typedef enum tally_notice_kind_e {
  TALLY_NOTICE_CONTAINER_DIED = 1, /* the number of the notification */
  TALLY_NOTICE_CONTAINER_OOM,
  TALLY_NOTICE_CONTAINER_UNHEALTHY,
  TALLY_NOTICE_CONTAINER_STATE,
  TALLY_NOTICE_NODE_HEALTH,
  TALLY_NOTICE_DISK_RAISED,
  TALLY_NOTICE_DISK_CLEARED,
  TALLY_NOTICE_SINK_STALLED,
  TALLY_NOTICE_SINK_RECOVERED,
  TALLY_NOTICE_DOCKER_LOST,
  TALLY_NOTICE_DOCKER_BACK,
  TALLY_NOTICE_ALARM_RAISED, /* thresholds of containers and of the node */
  TALLY_NOTICE_ALARM_CLEARED,
  TALLY_NOTICES
} tally_notice_kind_t;

typedef struct tally_settings_s {
  int references;
  double interval; /* seconds between samples: 1 … 3600; 10 */

  char *docker_endpoint; /* NULL: DOCKER_HOST or the usual socket */
  char *docker_cert_dir;
  char *rootfs;
  char *collectd_socket; /* NULL: sinks are switched off;
                            /var/run/collectd-unixsock */

  /* Containers that are shown: all, or those that match (or that do not). */
  tally_select_t *names, *images, *labels; /* labels: "key=value" */
  bool ignore_selected;

  /* Beside pseudo file systems, which are never disks (node/mounts.h). By
   * default what container engines mount once more for each container. */
  tally_select_t *ignored_mounts, *ignored_types;
  double disk_timeout; /* seconds until a mount counts as not answering; 2 */

  /* Both lists end with a rule for all others: space and inodes 80, 90;
   * memory and threads 90, 95. */
  tally_disk_rule_t *disk_rules;
  tally_container_rule_t *container_rules;
  /* Percent: CPU not watched; 90, 95; 80, 90. */
  tally_threshold_t node_cpu, node_memory, node_swap;
  tally_threshold_t node_load; /* per CPU; 4, 8 */
  double hysteresis;           /* percent of the threshold; 5 */
  double hold; /* seconds a level must last before it is raised; 0 */
  double sink_delayed, sink_stalled; /* seconds of the oldest record; 60, 300 */

  bool notify[TALLY_NOTICES];  /* all true */
  unsigned notices_per_minute; /* 60; per kind and object 6 */
} tally_settings_t;

/* The defaults. NULL: out of memory. */
tally_settings_t *tally_settings_create(void);
tally_settings_t *tally_settings_ref(tally_settings_t *settings);
void tally_settings_unref(tally_settings_t *settings);

/*
 * One line of the file: "interval" "10", "disk" "/data 80% 90% inodes 80% 90%".
 * -1 and *err: unknown directive or wrong value, naming both.
 */
int tally_settings_apply(tally_settings_t *settings, const char *directive,
                         const char *argument, tally_error_t *err);

struct tally_words_s;

/* All directives, sorted as in the manual. Names are the same in upper and
 * lower case. */
typedef struct tally_directive_s {
  const char *name;
  const char *help; /* "SECONDS", "MOUNT WARNING CRITICAL [inodes …]" */
  /* -1 and *err: why the words are wrong. */
  int (*apply)(tally_settings_t *settings, const struct tally_words_s *words,
               tally_error_t *err);
} tally_directive_t;
extern const tally_directive_t tally_directives[];
extern const size_t tally_directives_count;

/* Names of notices in the file, by kind: those of the MIB without "tally". */
extern const char *const tally_notice_names[TALLY_NOTICES];

/* Whether a container is to be shown. */
struct tally_container_s;
bool tally_settings_wants(const tally_settings_t *settings,
                          const struct tally_container_s *container);

#endif
