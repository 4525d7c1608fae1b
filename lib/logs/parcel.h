/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_PARCEL_H
#define TALLY_LOGS_PARCEL_H

/*
 * Records of one container on their way into an outbox: made one by one, put
 * together, with the mark that says how far they reach.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"
#include "logs/mark.h"
#include "logs/sink.h"

#define TALLY_LOG_PARCEL_RECORDS 256
#define TALLY_LOG_PARCEL_BYTES (256 * 1024) /* and one line */

typedef struct tally_log_parcel_s tally_log_parcel_t;

/* A parcel that is not needed for the moment, lent to who needs one: memory for
 * those that write, and not for each container. */
typedef struct tally_log_parcel_pool_s {
  tally_log_parcel_t *_Atomic spare;
} tally_log_parcel_pool_t;

tally_log_parcel_t *tally_log_parcel_take(tally_log_parcel_pool_t *pool);
void tally_log_parcel_give(tally_log_parcel_pool_t *pool,
                           tally_log_parcel_t *parcel); /* NULL allowed */
void tally_log_parcel_pool_clear(tally_log_parcel_pool_t *pool);

size_t tally_log_parcel_count(const tally_log_parcel_t *parcel); /* NULL: 0 */
bool tally_log_parcel_is_full(const tally_log_parcel_t *parcel);

/*
 * A record begins at the end of the buffer that begin() returns and ends with
 * end(); abandon() drops all behind the first `count`. -1: no room for more
 * (there is always some for the pieces of a line if it is not full).
 */
tally_buffer_t *tally_log_parcel_begin(tally_log_parcel_t *parcel);
int tally_log_parcel_end(tally_log_parcel_t *parcel, uint64_t time_ns);
void tally_log_parcel_abandon(tally_log_parcel_t *parcel, size_t count);

/* All of it, and the note. 0: taken, and the parcel is empty; -1: not now.
 * `parcel` may be NULL: the note alone. */
int tally_log_parcel_put(tally_log_parcel_t *parcel, tally_outbox_t *outbox,
                         const char *id, const tally_log_mark_t *mark);

#endif
