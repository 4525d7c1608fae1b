/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/ledger_private.h"

#include <limits.h>

#include "core/clock.h"
#include "docker/container_private.h"

/* A report of a container that vanished is kept this long for twins. */
#define GONE_KEPT_NS (600 * TALLY_NS_PER_S)

/* Tells of the steps before the census that inspect shows and nobody told. */
static void reconcile(tally_ledger_t *ledger, const tally_container_t *c,
                      uint64_t census_ns) {
  tally_report_t *report = tally_ledger_find(ledger, c->id);
  if (report == NULL) {
    if (c->created_ns > census_ns)
      return;
    report = tally_ledger_add(ledger, c->id);
    if (report == NULL)
      return;
    tally_ledger_describe(ledger, report, c);
    tally_ledger_make(ledger, report, TALLY_STEP_CREATE, c->created_ns,
                      TALLY_EXIT_CODE_UNKNOWN);
  }
  report->gone = false;
  tally_ledger_describe(ledger, report, c);

  if (c->started_ns > report->start_ns && c->started_ns <= census_ns) {
    if (report->running)
      tally_ledger_make(ledger, report, TALLY_STEP_DIE,
                        tally_report_lost_end(report, c, c->started_ns),
                        TALLY_EXIT_CODE_UNKNOWN);
    tally_ledger_make(ledger, report, TALLY_STEP_START, c->started_ns,
                      TALLY_EXIT_CODE_UNKNOWN);
  }
  if (report->running && report->start_ns <= census_ns &&
      !tally_container_is_up(c) && c->finished_ns <= census_ns)
    tally_ledger_make(ledger, report, TALLY_STEP_DIE,
                      c->finished_ns != 0 ? c->finished_ns : census_ns,
                      c->exit_code);
}

/* The first census of a new ledger and a container from before its beginning:
 * one that runs is announced, one that does not is noted. If its run ended
 * after the beginning (we were stopped before the census was complete), it ran.
 */
static void scan(tally_ledger_t *ledger, const tally_container_t *c,
                 uint64_t census_ns) {
  bool up = tally_container_is_up(c);
  if (up && c->started_ns > census_ns)
    return; /* the stream will tell */
  tally_report_t *report = tally_ledger_add(ledger, c->id);
  if (report == NULL)
    return;
  tally_ledger_describe(ledger, report, c);
  if (up || (c->started_ns != 0 && c->finished_ns >= ledger->begin_ns)) {
    tally_ledger_make(ledger, report, TALLY_STEP_START, c->started_ns,
                      TALLY_EXIT_CODE_UNKNOWN);
    reconcile(ledger, c, census_ns);
    return;
  }
  report->start_ns = c->started_ns;
  report->die_ns = c->finished_ns;
  tally_ledger_store_report(ledger, report);
}

/* What vanished while nobody listened. An event since the census would have
 * been followed by all later ones. */
static void bury(tally_ledger_t *ledger, const tally_snapshot_t *snapshot,
                 uint64_t census_ns, unsigned epoch) {
  for (size_t i = ledger->reports.count; i-- > 0;) {
    tally_report_t *report = ledger->reports.items[i];
    if (report->gone) {
      if (report->die_ns + GONE_KEPT_NS < census_ns) {
        tally_ledger_store_removal(ledger, report->id);
        tally_ledger_remove(ledger, report);
      }
      continue;
    }
    if (report->epoch >= epoch ||
        tally_snapshot_find(snapshot, report->id) != NULL)
      continue;
    if (report->running)
      tally_ledger_make(ledger, report, TALLY_STEP_DIE, census_ns,
                        TALLY_EXIT_CODE_UNKNOWN);
    tally_ledger_make(ledger, report, TALLY_STEP_DESTROY, census_ns,
                      TALLY_EXIT_CODE_UNKNOWN);
  }
}

void tally_ledger_sync(tally_ledger_t *ledger, const tally_snapshot_t *snapshot,
                       uint64_t census_ns, unsigned epoch) {
  bury(ledger, snapshot, census_ns, epoch);
  for (size_t i = 0; i < snapshot->count; i++) {
    const tally_container_t *c = snapshot->containers[i];
    if (tally_container_is_partial(c) || c->state == TALLY_CONTAINER_UNKNOWN)
      continue;
    if (!ledger->primed && c->created_ns < ledger->begin_ns &&
        tally_ledger_find(ledger, c->id) == NULL)
      scan(ledger, c, census_ns);
    else
      reconcile(ledger, c, census_ns);
  }
  ledger->primed = true;
  tally_ledger_store_progress(ledger);
}
