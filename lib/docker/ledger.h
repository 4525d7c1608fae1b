/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_LEDGER_H
#define TALLY_DOCKER_LEDGER_H

/*
 * What one subscription has been told, so that it is told everything once.
 *
 * A daemon forgets: it repeats its latest 256 events at most, and none from
 * before its own restart. What a container went through in the meantime can be
 * seen from its inspect: when it was created, when its latest run began and
 * ended, how. The ledger keeps per container what has been told; the
 * difference is told with made-up events (origin RECONCILED). Should the true
 * event come after all, it is recognised as their twin and not told again.
 *
 * Steps are compared by time. Docker sets StartedAt and FinishedAt before it
 * sends the event, under the same lock that inspect takes; so an event is never
 * older than the step that it tells of.
 *
 * With a file the ledger survives the process; each line is written right after
 * its event was delivered. Belongs to one thread.
 */

#include "docker/docker.h"
#include "docker/event_private.h"

typedef struct tally_ledger_s tally_ledger_t;

/* Delivers one event. `container` may be NULL. */
typedef void (*tally_ledger_emit_t)(const tally_event_t *event,
                                    const tally_container_t *container,
                                    void *data);

/* `path` NULL: nothing is kept. A file that cannot be understood is renamed to
 * PATH.corrupt with a warning, and the ledger begins anew. NULL and *err: out
 * of memory, or the file cannot be read or written. */
tally_ledger_t *tally_ledger_create(const char *path, tally_ledger_emit_t emit,
                                    void *data, tally_error_t *err);
void tally_ledger_destroy(tally_ledger_t *ledger);

/* How far it came before, by the daemon's clock; 0: it is new. */
uint64_t tally_ledger_resume_ns(const tally_ledger_t *ledger);

/* A new ledger ignores what happened before. */
void tally_ledger_begin(tally_ledger_t *ledger, uint64_t begin_ns);

/* An event of the stream, and what is known of its container (or NULL). `epoch`
 * is the number of the latest census: what has not been heard of since then may
 * have missed something. */
void tally_ledger_event(tally_ledger_t *ledger,
                        const tally_event_record_t *record,
                        const tally_container_t *container, unsigned epoch);

/* A census is complete: every event before `census_ns` (the daemon's clock) has
 * been passed to tally_ledger_event(), and `snapshot` is as new. The first one
 * of a new ledger announces what runs (origin SCAN). */
void tally_ledger_sync(tally_ledger_t *ledger, const tally_snapshot_t *snapshot,
                       uint64_t census_ns, unsigned epoch);

#endif
