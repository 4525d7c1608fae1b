/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_ALARMS_BOOK_H
#define TALLY_SNMP_ALARMS_BOOK_H

/*
 * The book of alarms, one per object and cause: those that stand, and those
 * whose threshold is exceeded but not yet for long enough. Who judges a view
 * opens a round, says of every object what there is to say, and closes the
 * round: what nobody spoke of in it has gone and is cleared.
 */

#include "notices.h"
#include "settings.h"
#include "view.h"

typedef struct tally_alarm_s {
  char *object;      /* "container/web" */
  const char *cause; /* "memory"; static */
  uint64_t number;   /* 0: does not stand */
  uint64_t level;    /* TALLY_LEVEL_OK: does not stand */
  uint64_t before;   /* level when the round was opened */
  uint64_t since_ns;
  /* Since when the threshold of this level is exceeded; 0: it is not. */
  uint64_t warning_ns, critical_ns;
  bool seen;             /* in this round */
  bool remembered;       /* see tally_alarm_remember() */
  bool told;             /* a notice said that it was raised */
  tally_notice_t notice; /* what is said of it; `text` is the row's too */
  tally_notice_kind_t raised, cleared; /* 0: nothing is said */
  uint64_t told_from;
} tally_alarm_t;

typedef struct tally_alarm_book_s {
  tally_alarm_t **alarms; /* sorted by object and cause */
  size_t count, size;
  uint64_t last_number;
} tally_alarm_book_t;

void tally_alarm_book_clear(tally_alarm_book_t *book);

typedef struct tally_alarm_round_s {
  tally_alarm_book_t *book;
  const tally_settings_t *settings; /* hysteresis and hold */
  uint64_t now_ns;                  /* realtime */
  tally_notices_t *notices;
} tally_alarm_round_t;

/* Of whom something is said, and what its notices carry. */
typedef struct tally_alarm_subject_s {
  const char *object; /* "container/web" */
  const char *label;  /* how sentences begin: "container web"; "": nothing */
  const char *name;   /* tally_notice_t.object; index of its row */
  const char *id, *image;
  uint64_t state;
  tally_notice_kind_t raised, cleared;
  uint64_t told_from; /* levels below this one are not said; but OK is */
} tally_alarm_subject_t;

void tally_alarm_round_open(const tally_alarm_round_t *round);

/* Each of these gives the level that stands now. */

/* `text` says what is so, whether it is wrong or not. */
uint64_t tally_alarm_fact(const tally_alarm_round_t *round,
                          const tally_alarm_subject_t *subject,
                          const char *cause, uint64_t level, const char *text);

typedef struct tally_alarm_measure_s {
  const char *cause;
  const char *format; /* of the value: "memory at %.1f %%" */
  bool percent;       /* that is what the value is */
} tally_alarm_measure_t;

uint64_t tally_alarm_judge(const tally_alarm_round_t *round,
                           const tally_alarm_subject_t *subject,
                           const tally_alarm_measure_t *measure, double value,
                           const tally_threshold_t *threshold);

/* Nobody knows: what stands goes on to stand. */
uint64_t tally_alarm_unknown(const tally_alarm_round_t *round,
                             const tally_alarm_subject_t *subject,
                             const char *cause);
/* The same for everything whose object begins so: "sink/". */
void tally_alarm_unknown_all(const tally_alarm_round_t *round,
                             const char *prefix);

/* Notes that it was well once, for what is wrong only if it was; forgotten when
 * a round passes without a word of it. */
void tally_alarm_remember(const tally_alarm_round_t *round, const char *object,
                          const char *cause);
bool tally_alarm_remembered(const tally_alarm_round_t *round,
                            const char *object, const char *cause);

/* Puts the notices, sorted by object and cause. */
void tally_alarm_round_close(const tally_alarm_round_t *round);

#endif
