/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/ledger_private.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "docker/container_private.h"

/* How much later than the step itself its true event may come, where only the
 * clock can tell. */
#define TWIN_NS (10 * TALLY_NS_PER_S)

/* A report of a container that vanished is kept this long for twins. */
#define GONE_KEPT_NS (600 * TALLY_NS_PER_S)

/* ---- reports ------------------------------------------------------------- */

static size_t position_of(const tally_ledger_t *ledger, const char *id,
                          bool *found) {
  size_t low = 0, high = ledger->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(id, ledger->reports[middle]->id);
    if (order == 0) {
      *found = true;
      return middle;
    }
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  *found = false;
  return low;
}

tally_report_t *tally_ledger_find(const tally_ledger_t *ledger,
                                  const char *id) {
  bool found;
  size_t i = position_of(ledger, id, &found);
  return found ? ledger->reports[i] : NULL;
}

tally_report_t *tally_ledger_add(tally_ledger_t *ledger, const char *id) {
  bool found;
  size_t i = position_of(ledger, id, &found);
  if (found)
    return ledger->reports[i];

  if (ledger->count == ledger->size) {
    size_t size = ledger->size ? 2 * ledger->size : 64;
    tally_report_t **reports =
        realloc(ledger->reports, size * sizeof(*reports));
    if (reports == NULL)
      return NULL;
    ledger->reports = reports;
    ledger->size = size;
  }
  tally_report_t *report = calloc(1, sizeof(*report));
  if (report == NULL)
    return NULL;
  strncpy(report->id, id, sizeof(report->id) - 1);
  memmove(ledger->reports + i + 1, ledger->reports + i,
          (ledger->count - i) * sizeof(*ledger->reports));
  ledger->reports[i] = report;
  ledger->count++;
  return report;
}

void tally_ledger_remove(tally_ledger_t *ledger, const char *id) {
  bool found;
  size_t i = position_of(ledger, id, &found);
  if (!found)
    return;
  tally_container_unref(ledger->reports[i]->container);
  free(ledger->reports[i]);
  ledger->count--;
  memmove(ledger->reports + i, ledger->reports + i + 1,
          (ledger->count - i) * sizeof(*ledger->reports));
}

/* Remembers what the container looks like, for the day it has gone. */
static void describe(tally_ledger_t *ledger, tally_report_t *report,
                     const tally_container_t *container) {
  const tally_container_t *old = report->container;
  if (container == NULL || container == old)
    return;
  report->container = tally_container_ref(container);
  /* Labels cannot change during the life of a container. */
  if (old == NULL || strcmp(old->name, container->name) != 0)
    tally_ledger_store_description(ledger, report);
  tally_container_unref(old);
}

/* ---- telling ------------------------------------------------------------- */

/* Tells of a step that the daemon did not tell of, or that was before we came.
 */
static void make(tally_ledger_t *ledger, tally_report_t *report,
                 tally_step_t step, uint64_t time_ns, int exit_code) {
  tally_event_origin_t origin =
      time_ns < ledger->begin_ns ? TALLY_EVENT_SCAN : TALLY_EVENT_RECONCILED;
  tally_event_record_t *record = tally_made_event(
      step, report->id, report->container, time_ns, exit_code, origin);
  if (record == NULL)
    return; /* still missing, so the next sync tries again */
  ledger->emit(&record->event, report->container, ledger->data);
  tally_event_unref(record);

  switch (step) {
  case TALLY_STEP_CREATE:
    report->create_made = true;
    break;
  case TALLY_STEP_START:
    report->start_made = report->running = true;
    report->die_made = false;
    report->start_ns = time_ns;
    break;
  case TALLY_STEP_DIE:
    report->die_made = true;
    report->running = false;
    report->die_ns = time_ns;
    break;
  default:
    report->gone = true;
    report->die_ns = time_ns;
    break;
  }
  tally_ledger_store_report(ledger, report);
}

static void tell(tally_ledger_t *ledger, const tally_event_record_t *record,
                 const tally_container_t *container, tally_report_t *report) {
  ledger->emit(&record->event, container, ledger->data);
  tally_ledger_store_event(ledger, record, report);
}

/* ---- twins --------------------------------------------------------------- */

/* Whether the true event at `time_ns` tells of the step that was made up with
 * `made_ns`. `seen_ns` is the same step's time as inspect shows it, which may
 * be of a later run already; 0: not known. */
static bool is_twin(uint64_t time_ns, uint64_t made_ns, uint64_t seen_ns) {
  if (seen_ns != 0 && seen_ns <= time_ns)
    return seen_ns <= made_ns;
  return time_ns <= made_ns + TWIN_NS;
}

static bool is_start_twin(const tally_report_t *report, uint64_t time_ns,
                          const tally_container_t *c) {
  return report->start_made &&
         is_twin(time_ns, report->start_ns, c != NULL ? c->started_ns : 0);
}

static bool is_die_twin(const tally_report_t *report, uint64_t time_ns,
                        const tally_container_t *c) {
  return report->die_made && !report->running &&
         is_twin(time_ns, report->die_ns, c != NULL ? c->finished_ns : 0);
}

/* ---- true events --------------------------------------------------------- */

/* When the run before the one that begins at `before_ns` ended. */
static uint64_t end_of_lost_run(const tally_report_t *report,
                                const tally_container_t *c,
                                uint64_t before_ns) {
  if (c != NULL && c->finished_ns > report->start_ns &&
      c->finished_ns <= before_ns)
    return c->finished_ns;
  return before_ns;
}

static void on_create(tally_ledger_t *ledger,
                      const tally_event_record_t *record,
                      const tally_container_t *c, tally_report_t *report) {
  if (report->create_made) {
    report->create_made = false;
    tally_ledger_store_event(ledger, record, report);
    return;
  }
  report->gone = false;
  tell(ledger, record, c, report);
}

static void on_start(tally_ledger_t *ledger, const tally_event_record_t *record,
                     const tally_container_t *c, tally_report_t *report,
                     uint64_t time_ns) {
  if (is_start_twin(report, time_ns, c)) {
    report->start_made = false;
    if (time_ns > report->start_ns)
      report->start_ns = time_ns;
    tally_ledger_store_event(ledger, record, report);
    return;
  }
  if (report->running) /* nobody starts twice */
    make(ledger, report, TALLY_STEP_DIE,
         end_of_lost_run(report, c, record->event.time_ns),
         TALLY_EXIT_CODE_UNKNOWN);
  report->running = true;
  report->start_made = report->die_made = report->gone = false;
  report->start_ns = time_ns;
  tell(ledger, record, c, report);
}

/* Whether a die at `time_ns` ends a run whose start was never told. A container
 * that could not be started may die without one (Docker before 17.06). */
static bool start_was_lost(const tally_report_t *report, uint64_t time_ns,
                           const tally_container_t *c, bool is_new,
                           unsigned epoch) {
  if (report->running)
    return false;
  if (c != NULL && c->started_ns <= time_ns)
    return c->started_ns > report->start_ns;
  return is_new || report->epoch < epoch;
}

static void on_die(tally_ledger_t *ledger, const tally_event_record_t *record,
                   const tally_container_t *c, tally_report_t *report,
                   uint64_t time_ns, bool is_new, unsigned epoch) {
  if (is_die_twin(report, time_ns, c)) {
    report->die_made = false;
    if (time_ns > report->die_ns)
      report->die_ns = time_ns;
    tally_ledger_store_event(ledger, record, report);
    return;
  }
  if (start_was_lost(report, time_ns, c, is_new, epoch)) {
    bool known = c != NULL && c->started_ns > report->start_ns &&
                 c->started_ns <= record->event.time_ns;
    make(ledger, report, TALLY_STEP_START,
         known ? c->started_ns : record->event.time_ns,
         TALLY_EXIT_CODE_UNKNOWN);
  }
  report->running = false;
  report->start_made = report->die_made = report->gone = false;
  report->die_ns = time_ns;
  tell(ledger, record, c, report);
}

static void on_destroy(tally_ledger_t *ledger,
                       const tally_event_record_t *record,
                       const tally_container_t *c, tally_report_t *report) {
  if (!report->gone) {
    if (report->running)
      make(ledger, report, TALLY_STEP_DIE, record->event.time_ns,
           c != NULL && !tally_container_is_up(c) ? c->exit_code
                                                  : TALLY_EXIT_CODE_UNKNOWN);
    ledger->emit(&record->event, c, ledger->data);
  }
  tally_ledger_store_event(ledger, record, NULL);
  tally_ledger_store_removal(ledger, report->id);
  tally_ledger_remove(ledger, report->id);
}

static void on_step(tally_ledger_t *ledger, const tally_event_record_t *record,
                    const tally_container_t *c, unsigned epoch) {
  const tally_event_t *event = &record->event;
  tally_step_t step = tally_event_step(event);
  tally_report_t *report = tally_ledger_find(ledger, event->actor_id);
  bool is_new = report == NULL;
  if (is_new && step != TALLY_STEP_NONE && step != TALLY_STEP_OTHER &&
      step != TALLY_STEP_DESTROY)
    report = tally_ledger_add(ledger, event->actor_id);
  if (report == NULL) {
    tell(ledger, record, c, NULL);
    return;
  }
  describe(ledger, report, c);
  bool is_older =
      !ledger->primed && (c == NULL || c->created_ns < ledger->begin_ns);
  if (is_new && !is_older && step != TALLY_STEP_CREATE)
    make(ledger, report, TALLY_STEP_CREATE,
         c != NULL && c->created_ns != 0 ? c->created_ns : event->time_ns,
         TALLY_EXIT_CODE_UNKNOWN);

  /* A time in whole seconds is the beginning of the second. */
  uint64_t time_ns = event->time_ns + (record->exact ? 0 : TALLY_NS_PER_S - 1);
  switch (step) {
  case TALLY_STEP_CREATE:
    on_create(ledger, record, c, report);
    break;
  case TALLY_STEP_START:
    on_start(ledger, record, c, report, time_ns);
    break;
  case TALLY_STEP_DIE:
    on_die(ledger, record, c, report, time_ns, is_new, epoch);
    break;
  case TALLY_STEP_DESTROY:
    on_destroy(ledger, record, c, report);
    return; /* the report is no more */
  default:
    tell(ledger, record, c, report);
    break;
  }
  report->epoch = epoch;
}

void tally_ledger_event(tally_ledger_t *ledger,
                        const tally_event_record_t *record,
                        const tally_container_t *container, unsigned epoch) {
  const tally_event_t *event = &record->event;
  bool from_memory = event->origin == TALLY_EVENT_REPLAYED;
  if (event->time_ns < ledger->begin_ns ||
      ((record->exact || from_memory) &&
       tally_seen_has(&ledger->seen, record->hash)))
    return;
  tally_seen_add(&ledger->seen, record->hash);
  if (event->time_ns > ledger->cursor_ns)
    ledger->cursor_ns = event->time_ns;

  if (tally_event_is_container(event))
    on_step(ledger, record, container, epoch);
  else
    tell(ledger, record, NULL, NULL);
}

/* ---- census -------------------------------------------------------------- */

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
    describe(ledger, report, c);
    make(ledger, report, TALLY_STEP_CREATE, c->created_ns,
         TALLY_EXIT_CODE_UNKNOWN);
  }
  report->gone = false;
  describe(ledger, report, c);

  if (c->started_ns > report->start_ns && c->started_ns <= census_ns) {
    if (report->running)
      make(ledger, report, TALLY_STEP_DIE,
           end_of_lost_run(report, c, c->started_ns), TALLY_EXIT_CODE_UNKNOWN);
    make(ledger, report, TALLY_STEP_START, c->started_ns,
         TALLY_EXIT_CODE_UNKNOWN);
  }
  if (report->running && report->start_ns <= census_ns &&
      !tally_container_is_up(c) && c->finished_ns <= census_ns)
    make(ledger, report, TALLY_STEP_DIE,
         c->finished_ns != 0 ? c->finished_ns : census_ns, c->exit_code);
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
  describe(ledger, report, c);
  if (up || (c->started_ns != 0 && c->finished_ns >= ledger->begin_ns)) {
    make(ledger, report, TALLY_STEP_START, c->started_ns,
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
  for (size_t i = ledger->count; i-- > 0;) {
    tally_report_t *report = ledger->reports[i];
    if (report->gone) {
      if (report->die_ns + GONE_KEPT_NS < census_ns) {
        tally_ledger_store_removal(ledger, report->id);
        tally_ledger_remove(ledger, report->id);
      }
      continue;
    }
    if (report->epoch >= epoch ||
        tally_snapshot_find(snapshot, report->id) != NULL)
      continue;
    if (report->running)
      make(ledger, report, TALLY_STEP_DIE, census_ns, TALLY_EXIT_CODE_UNKNOWN);
    make(ledger, report, TALLY_STEP_DESTROY, census_ns,
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

/* ---- life ---------------------------------------------------------------- */

tally_ledger_t *tally_ledger_create(const char *path, tally_ledger_emit_t emit,
                                    void *data, tally_error_t *err) {
  tally_ledger_t *ledger = calloc(1, sizeof(*ledger));
  if (ledger == NULL) {
    tally_error_set(err, ENOMEM, "ledger of events");
    return NULL;
  }
  ledger->emit = emit;
  ledger->data = data;
  ledger->journal.fd = -1;
  tally_buffer_init(&ledger->line, 1024 * 1024);
  tally_buffer_init(&ledger->text, TALLY_JOURNAL_MAX);
  if (path != NULL && tally_ledger_load(ledger, path, err) != 0) {
    tally_ledger_destroy(ledger);
    return NULL;
  }
  return ledger;
}

void tally_ledger_destroy(tally_ledger_t *ledger) {
  if (ledger == NULL)
    return;
  tally_journal_close(&ledger->journal);
  tally_buffer_clear(&ledger->line);
  tally_buffer_clear(&ledger->text);
  for (size_t i = 0; i < ledger->count; i++) {
    tally_container_unref(ledger->reports[i]->container);
    free(ledger->reports[i]);
  }
  free(ledger->reports);
  free(ledger);
}

uint64_t tally_ledger_resume_ns(const tally_ledger_t *ledger) {
  return ledger->resume_ns;
}

void tally_ledger_begin(tally_ledger_t *ledger, uint64_t begin_ns) {
  if (ledger->cursor_ns != 0)
    return;
  ledger->begin_ns = ledger->cursor_ns = begin_ns;
  tally_ledger_store_progress(ledger);
}
