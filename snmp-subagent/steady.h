/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_STEADY_H
#define TALLY_SNMP_STEADY_H

/*
 * Counters that never fall while a container lives.
 *
 * What a container has sent and read is a sum over interfaces and devices, and
 * those come and go: with "docker network disconnect" the kernel forgets what
 * went through an interface, and one that is connected again counts from 0. A
 * poller would take the fall for a wrap of the counter and draw a spike of
 * exabytes. So what each *part* of a container showed last is remembered, and
 * what was forgotten is added.
 *
 * One thread. Bounded: TALLY_STEADY_PARTS per container, of which the oldest
 * that are gone are melted into one number when there are more.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/file.h" /* TALLY_UNKNOWN */

#define TALLY_STEADY_PARTS 128
#define TALLY_STEADY_COUNTERS 8 /* per part */
#define TALLY_STEADY_NAME 20    /* of a part, with its NUL */

typedef struct tally_steady_s tally_steady_t;
typedef struct tally_steady_run_s tally_steady_run_t;

tally_steady_t *tally_steady_create(void); /* NULL: out of memory */
void tally_steady_destroy(tally_steady_t *steady);

/* One run of a container: another start begins at 0 again. Borrowed until the
 * next sweep. NULL: out of memory. */
tally_steady_run_t *tally_steady_run(tally_steady_t *steady, const char *id,
                                     uint64_t started_ns);
/* Forgets the containers that nobody has asked for since the last sweep. */
void tally_steady_sweep(tally_steady_t *steady);

/* Kinds of parts; sums are made of one kind. */
typedef enum tally_steady_kind_e {
  TALLY_STEADY_CGROUP = 0, /* the container's own counters */
  TALLY_STEADY_INTERFACE,
  TALLY_STEADY_DEVICE,
  TALLY_STEADY_KINDS
} tally_steady_kind_t;

/*
 * Makes the `count` counters of a part steady, in place. An unknown one stays
 * unknown. Without memory they stay as they are. `run` may be NULL.
 *
 * An interface or a device has begun again when one of its first
 * TALLY_STEADY_TELLING counters (bytes, packets, operations) falls; what else
 * falls waits until it has caught up.
 */
#define TALLY_STEADY_TELLING 4
void tally_steady_part(tally_steady_run_t *run, tally_steady_kind_t kind,
                       const char *name, uint64_t *counters, size_t count);
/* Sums over all parts of a kind, the present ones and those that have gone. */
void tally_steady_sum(const tally_steady_run_t *run, tally_steady_kind_t kind,
                      uint64_t *sums, size_t count);

/* Containers that are remembered. */
size_t tally_steady_count(const tally_steady_t *steady);

#endif
