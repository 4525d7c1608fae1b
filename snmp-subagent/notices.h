/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_NOTICES_H
#define TALLY_SNMP_NOTICES_H

/*
 * Notifications on their way from the threads that see something to the SNMP
 * thread that sends it. Bounded and rate limited: what exceeds the rate or the
 * room is not sent but counted (tallyNotificationsSuppressed), so that a
 * manager can tell silence from a flood.
 */

#include "settings.h"

/* One notification with the objects that it carries; what does not apply is
 * empty or TALLY_UNKNOWN. Texts are cut to the room they have. */
typedef struct tally_notice_s {
  tally_notice_kind_t kind;
  uint64_t time_ns; /* when it happened; realtime */
  /* Container name, mount point, sink: index of the row; of alarms as
   * tallyAlarmObject. A longer one as the index shortens it. */
  char object[256];
  char id[65]; /* of a container */
  char image[256];
  uint64_t state, previous_state; /* as the MIB's enumerations of the kind */
  uint64_t exit_code;
  uint64_t signal; /* that ended it */
  uint64_t level, previous_level;
  uint64_t percent; /* disk, alarm: hundredths */
  char text[256];   /* one sentence for people */
} tally_notice_t;

/* Of this kind; everything else empty or TALLY_UNKNOWN. */
void tally_notice_init(tally_notice_t *notice, tally_notice_kind_t kind);

typedef struct tally_notices_s tally_notices_t;

#define TALLY_NOTICES_ROOM 256      /* that wait to be taken */
#define TALLY_NOTICES_PER_MINUTE 60 /* until it is configured */
#define TALLY_NOTICES_PER_OBJECT 6  /* per minute, kind and object */

/* `wake` is called (in the thread that put) when there is something to take. */
tally_notices_t *tally_notices_create(void (*wake)(void *data), void *data,
                                      tally_error_t *err);
void tally_notices_destroy(tally_notices_t *notices);

/* Rate and kinds from now on; a copy is kept. */
void tally_notices_configure(tally_notices_t *notices,
                             const tally_settings_t *settings);

/* Any thread; never blocks. Kinds that are switched off are dropped without
 * being counted. */
void tally_notices_put(tally_notices_t *notices, const tally_notice_t *notice);
/* The same at a given time (monotonic ns), which the rate goes by. */
void tally_notices_put_at(tally_notices_t *notices,
                          const tally_notice_t *notice, uint64_t now_ns);
/* The SNMP thread; false: nothing there. */
bool tally_notices_take(tally_notices_t *notices, tally_notice_t *notice);

/* Since the start. */
void tally_notices_count(tally_notices_t *notices, uint64_t *taken,
                         uint64_t *suppressed);

#endif
