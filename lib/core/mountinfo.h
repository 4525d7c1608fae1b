/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_MOUNTINFO_H
#define TALLY_CORE_MOUNTINFO_H

#include <stdbool.h>

/*
 * One line of /proc/PID/mountinfo, proc_pid_mountinfo(5):
 *
 *   36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=…
 *         ^ number  ^ point ^ mount's options      ^ type ^ source  ^ options
 *              ^ root
 *
 * The strings point into the line, with \040 and the like already undone.
 */
typedef struct tally_mount_s {
  char *number;        /* of the device: "98:0" */
  char *root;          /* which directory of the file system is mounted */
  char *point;         /* where */
  char *mount_options; /* of this mount alone */
  char *type;          /* "cgroup", "cgroup2", … */
  char *source;        /* device or server; "" if there is none */
  char *options;       /* of the file system: for cgroup v1 its controllers */
} tally_mount_t;

/* Cuts `line` into pieces in place. false: it is not such a line. */
bool tally_mountinfo_parse(char *line, tally_mount_t *mount);

/* Whether the comma separated list contains `word`. */
bool tally_mountinfo_has_option(const char *options, const char *word);

#endif
