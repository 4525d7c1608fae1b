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

/* ---- reports ------------------------------------------------------------- */

tally_report_t *tally_ledger_find(const tally_ledger_t *ledger,
                                  const char *id) {
  return tally_id_list_find(&ledger->reports, id);
}

tally_report_t *tally_ledger_add(tally_ledger_t *ledger, const char *id) {
  return tally_id_list_add(&ledger->reports, id, sizeof(tally_report_t));
}

void tally_ledger_remove(tally_ledger_t *ledger, tally_report_t *report) {
  if (report == NULL)
    return;
  tally_container_unref(report->container);
  tally_id_list_remove(&ledger->reports, report);
}

void tally_ledger_remove_all(tally_ledger_t *ledger) {
  for (size_t i = 0; i < ledger->reports.count; i++) {
    const tally_report_t *report = ledger->reports.items[i];
    tally_container_unref(report->container);
  }
  tally_id_list_clear(&ledger->reports);
}

void tally_ledger_describe(tally_ledger_t *ledger, tally_report_t *report,
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

void tally_ledger_make(tally_ledger_t *ledger, tally_report_t *report,
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

uint64_t tally_report_lost_end(const tally_report_t *report,
                               const tally_container_t *c, uint64_t before_ns) {
  if (c != NULL && c->finished_ns > report->start_ns &&
      c->finished_ns <= before_ns)
    return c->finished_ns;
  return before_ns;
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
    tally_ledger_make(ledger, report, TALLY_STEP_DIE,
                      tally_report_lost_end(report, c, record->event.time_ns),
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
    tally_ledger_make(ledger, report, TALLY_STEP_START,
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
      tally_ledger_make(ledger, report, TALLY_STEP_DIE, record->event.time_ns,
                        c != NULL && !tally_container_is_up(c)
                            ? c->exit_code
                            : TALLY_EXIT_CODE_UNKNOWN);
    ledger->emit(&record->event, c, ledger->data);
  }
  tally_ledger_store_event(ledger, record, NULL);
  tally_ledger_store_removal(ledger, report->id);
  tally_ledger_remove(ledger, report);
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
  tally_ledger_describe(ledger, report, c);
  bool is_older =
      !ledger->primed && (c == NULL || c->created_ns < ledger->begin_ns);
  if (is_new && !is_older && step != TALLY_STEP_CREATE)
    tally_ledger_make(ledger, report, TALLY_STEP_CREATE,
                      c != NULL && c->created_ns != 0 ? c->created_ns
                                                      : event->time_ns,
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
  tally_ledger_remove_all(ledger);
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
