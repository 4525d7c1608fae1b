/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CONTAINER_LIFECYCLE_H
#define TALLY_CONTAINER_LIFECYCLE_H

/*
 * What a Docker event means to an operator: how grave it is, and in words.
 *
 * One event does not tell the whole story: whether a container that ended with
 * 143 crashed or was stopped stands in the `kill` event before its `die`. So a
 * *lifecycle* remembers for each container the signals and the OOM kill of its
 * present run; it belongs to one thread and sees all events in order.
 *
 * Contract: Docker Engine API, "Monitor events"; the sentences are those of
 * convox/agent 0.73, with the true signal and exit code in place of its
 * guesses.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "docker/docker.h"

typedef enum tally_severity_e {
  TALLY_SEVERITY_OKAY = 0,
  TALLY_SEVERITY_WARNING,
  TALLY_SEVERITY_FAILURE,
} tally_severity_t;

/* What is known about one event, beyond its own fields. */
typedef struct tally_verdict_s {
  tally_severity_t severity;
  bool exit_code_known;
  int exit_code;       /* of `die` and `exec_die` */
  int signal;          /* that was sent, or that ended it; 0: none */
  bool signal_sent;    /* by way of Docker: the number is no guess */
  bool stop_requested; /* somebody asked for this end */
  bool oom;            /* the kernel ended it for want of memory */
} tally_verdict_t;

typedef struct tally_lifecycle_s tally_lifecycle_t;

/* `stop_window_ns`: how long after a signal the end of the container still
 * counts as asked for. NULL: out of memory. */
tally_lifecycle_t *tally_lifecycle_create(uint64_t stop_window_ns,
                                          tally_error_t *err);
void tally_lifecycle_destroy(tally_lifecycle_t *lifecycle);

/*
 * Takes note of the event and judges it.
 *
 * FAILURE: `die` with an exit code other than 0 that nobody asked for; `oom`;
 *          a health check that turned unhealthy; a swarm node that went down.
 * WARNING: such a `die` after a signal was sent to the container; a `die` whose
 *          exit code is unknown; a service update that stopped or rolls back;
 *          a swarm node that lost its connection.
 * OKAY:    everything else.
 *
 * `container` is what is known of it, or NULL.
 */
void tally_lifecycle_judge(tally_lifecycle_t *lifecycle,
                           const tally_event_t *event,
                           const tally_container_t *container,
                           tally_verdict_t *verdict);

/*
 * The event in one sentence of at most size-1 bytes of valid UTF-8 without
 * control characters. ID12 are the first 12 characters of the container's id,
 * PROCESS the value of that variable in its environment, if there is one:
 *
 *   create, first scan  Starting [PROCESS ]process ID12
 *   start               Started [PROCESS ]process ID12
 *   die                 Dead [PROCESS ]process ID12 (exit code 3)
 *   kill, stop          Stopped [PROCESS ]process ID12 via SIGTERM
 *   oom                 Stopped [PROCESS ]process ID12 due to OOM
 *
 * and so on for every action of every type.
 */
void tally_event_sentence(const tally_event_t *event,
                          const tally_container_t *container,
                          const tally_verdict_t *verdict, char *text,
                          size_t size);

/*
 * The action as a name: parameters are cut off ("exec_create: ls -l" becomes
 * "exec_create"), but for the health status, whose parameter is the news
 * ("health_status_unhealthy"). Other characters than [A-Za-z0-9_.-] become '_'.
 */
#define TALLY_ACTION_NAME_SIZE 64
void tally_event_action_name(const char *action,
                             char name[TALLY_ACTION_NAME_SIZE]);

/* What people call the actor: its name, or its id, of which hexadecimal digests
 * are cut to 12 digits. Tidied, never empty ("-"). Returns `text`. */
char *tally_event_actor(const tally_event_t *event, char *text, size_t size);

bool tally_event_of_container(const tally_event_t *event);

#endif
