/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_FEED_H
#define TALLY_LOGS_FEED_H

/*
 * One container into one sink: lines become records in the route's layout,
 * joined or cut as need be, and go into the outbox together with the mark of
 * how far they reach.
 *
 * What the sink has no room for waits in a parcel of bounded size; while there
 * is one that cannot be put, no further line is taken. The owner locks.
 */

#include <stdbool.h>
#include <stdint.h>

#include "docker/logs.h"
#include "logs/parcel.h"
#include "logs/join.h"
#include "logs/mark.h"
#include "logs/route.h"

/* What all feeds of a process have in common. */
typedef struct tally_log_feed_common_s {
  const char *host;
  const char *_Atomic instance; /* NULL: not known (yet) */
  tally_log_parcel_pool_t pool;
} tally_log_feed_common_t;

/* Of one of the two streams. */
typedef struct tally_log_feed_stream_s {
  bool behind;     /* what comes may be in the sink already */
  unsigned pieces; /* records made so far of a line that comes in parts */
  tally_log_join_t join;
  tally_log_line_t held; /* the last line in the join; its text is not kept */
} tally_log_feed_stream_t;

typedef struct tally_log_feed_s {
  tally_log_feed_common_t *common;
  tally_log_route_t route; /* its target is owned */
  tally_log_sink_t *sink;  /* NULL: not open */
  bool reading;            /* what the reader brings is for it, too */
  char id[65];
  tally_log_speaker_t speaker;
  tally_log_mark_t mark;      /* of what has become records, or was left out */
  uint64_t open_ns;           /* of the reader's latest position */
  tally_log_parcel_t *parcel; /* NULL: nothing waits */
  bool moved;                 /* the mark, since it was noted */
  size_t ahead; /* lines that were taken here and will be offered again */
  tally_log_feed_stream_t streams[TALLY_LOG_STREAMS];
} tally_log_feed_t;

/* -1 and *err: no memory. */
int tally_log_feed_init(tally_log_feed_t *feed, tally_log_feed_common_t *common,
                        const tally_log_route_t *route,
                        const tally_container_t *container, tally_error_t *err);
/* What waits is dropped: the note does not cover it. */
void tally_log_feed_clear(tally_log_feed_t *feed);

/* The sink is open: the mark is what it has noted, or else begins at `start`.
 */
void tally_log_feed_connect(tally_log_feed_t *feed, tally_log_sink_t *sink,
                            const tally_log_position_t *start);

/* A reader begins anew, no later than at the mark's position, and this feed is
 * one of those that it reads for. */
void tally_log_feed_rewind(tally_log_feed_t *feed);

/* Lines of the reader. How many are done with: they are in the sink, in the
 * parcel, held back by a join, or not wanted. */
size_t tally_log_feed_offer(tally_log_feed_t *feed,
                            const tally_log_line_t *lines, size_t count);
/* The reader counts this many of them as taken. */
void tally_log_feed_settle(tally_log_feed_t *feed, size_t offered, size_t done,
                           size_t taken);

/* A sentence of our own. false: there is no room, and it is lost. */
bool tally_log_feed_tell(tally_log_feed_t *feed, const tally_event_t *event,
                         const char *text);

/* What is held back for longer than its time becomes a record; what waits is
 * tried again. `finish`: whatever its time. true: nothing waits any more. */
bool tally_log_feed_flush(tally_log_feed_t *feed, bool finish);

/* The run that began then has been read to its end. */
void tally_log_feed_drained(tally_log_feed_t *feed, uint64_t run_ns);

#endif
