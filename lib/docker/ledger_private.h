/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_LEDGER_PRIVATE_H
#define TALLY_DOCKER_LEDGER_PRIVATE_H

#include "docker/id_list.h"
#include "docker/journal.h"
#include "docker/ledger.h"
#include "docker/seen.h"

/* What has been told about one container. */
typedef struct tally_report_s {
  char id[65];
  const tally_container_t *container; /* as last known; may be NULL */
  unsigned epoch;    /* census that was the latest when an event named it */
  uint64_t start_ns; /* time of the last start that was told; 0: none */
  uint64_t die_ns;   /* and of the last die */
  bool running;      /* a start was told, and no die since */
  bool gone;         /* a made-up destroy was told */
  /* The last one that was told was made up, so its twin may come. */
  bool create_made, start_made, die_made;
} tally_report_t;

struct tally_ledger_s {
  tally_ledger_emit_t emit;
  void *data;

  uint64_t begin_ns;  /* events before are of no interest */
  uint64_t cursor_ns; /* the latest event that was told */
  uint64_t resume_ns; /* cursor_ns of the process before */
  bool primed;        /* the first sync has been */
  tally_seen_t seen;
  tally_id_list_t reports;

  bool durable;
  tally_journal_t journal;
  tally_buffer_t line, text; /* scratch */
  bool write_failed;         /* and has been warned of */
  uint64_t retry_ns;         /* monotonic; rewrite not before */
};

tally_report_t *tally_ledger_find(const tally_ledger_t *ledger, const char *id);
/* Finds or makes it. NULL: out of memory. */
tally_report_t *tally_ledger_add(tally_ledger_t *ledger, const char *id);
/* NULL is nothing. */
void tally_ledger_remove(tally_ledger_t *ledger, tally_report_t *report);
void tally_ledger_remove_all(tally_ledger_t *ledger);

/* Remembers what the container looks like, for the day it has gone. */
void tally_ledger_describe(tally_ledger_t *ledger, tally_report_t *report,
                           const tally_container_t *container);
/* Tells of a step that the daemon did not tell of, or that was before we came.
 */
void tally_ledger_make(tally_ledger_t *ledger, tally_report_t *report,
                       tally_step_t step, uint64_t time_ns, int exit_code);
/* When the run before the one that begins at `before_ns` ended. */
uint64_t tally_report_lost_end(const tally_report_t *report,
                               const tally_container_t *c, uint64_t before_ns);

/* ---- ledger_store.c: what happened goes to the file, if there is one ----- */

int tally_ledger_load(tally_ledger_t *ledger, const char *path,
                      tally_error_t *err);
/* An event was told (or recognised); `report` may be NULL. */
void tally_ledger_store_event(tally_ledger_t *ledger,
                              const tally_event_record_t *record,
                              const tally_report_t *report);
void tally_ledger_store_report(tally_ledger_t *ledger,
                               const tally_report_t *report);
/* Name, image and labels of it are new. */
void tally_ledger_store_description(tally_ledger_t *ledger,
                                    const tally_report_t *report);
void tally_ledger_store_removal(tally_ledger_t *ledger, const char *id);
void tally_ledger_store_progress(tally_ledger_t *ledger);

/* ---- made_event.c -------------------------------------------------------- */

#define TALLY_EXIT_CODE_UNKNOWN INT_MIN

/* A step that the daemon did not tell of. Attributes as Docker would send them:
 * labels, name, image and, for a die of which it is known, exitCode. NULL: out
 * of memory. `container` may be NULL. */
tally_event_record_t *tally_made_event(tally_step_t step, const char *id,
                                       const tally_container_t *container,
                                       uint64_t time_ns, int exit_code,
                                       tally_event_origin_t origin);

#endif
