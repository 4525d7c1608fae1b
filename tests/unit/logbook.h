/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_LOGBOOK_H
#define TALLY_TESTS_LOGBOOK_H

/*
 * What a subscription was told and what the library logged, as text to compare,
 * and waiting for it: everything here happens in other threads.
 */

#include <stdbool.h>
#include <stddef.h>

#include "docker/docker.h"

typedef struct logbook_s logbook_t;

logbook_t *logbook_open(void);
void logbook_close(logbook_t *book);

/* on_event of a subscription; `data` is the logbook. An entry looks like
 * "ship3 die:reconciled=7 exited": name, action, origin if it is neither live
 * nor replayed, exit code, state of the container ("?" without one). */
void logbook_on_event(const tally_event_t *event,
                      const tally_container_t *container, void *data);

/* The entries of actors with this name ("": all), separated by ", ". Static. */
const char *logbook_of(logbook_t *book, const char *name);

/* Waits until they are as expected, fails after ten seconds. Then looks for a
 * moment whether anything else comes. */
void logbook_expect(logbook_t *book, const char *name, const char *entries);
/* Waits for so many entries. */
void logbook_expect_count(logbook_t *book, size_t count);
size_t logbook_count(logbook_t *book);

/* All events wait in the callback while it is held. */
void logbook_hold(logbook_t *book, bool hold);

/* Warnings of the library since logbook_open(); the text of the last. */
unsigned logbook_warnings(void);
const char *logbook_last_warning(void);

/* Waits until the snapshot is as wanted and returns it, fails after ten
 * seconds. */
const tally_snapshot_t *
logbook_await(tally_inventory_t *inventory,
              bool (*wanted)(const tally_snapshot_t *snapshot));

#endif
