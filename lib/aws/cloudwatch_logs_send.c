/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aws/cloudwatch_logs_private.h"
#include "aws/halving.h"
#include "core/clock.h"

/* ---- a batch under way --------------------------------------------------- */

typedef struct sending_s {
  tally_logs_t *logs;
  const tally_record_t *records;
  tally_fate_t *fates;
  tally_answer_t *answer;
  uint64_t deadline_ns;
  unsigned throttled; /* streams */
  bool stop;          /* nothing more is sent of this batch */
  bool whole;         /* the call failed as a whole */
  bool failed;        /* `trouble` says why something waits */
  tally_error_t trouble;
  tally_error_t refusal;   /* of the first event that was refused alone */
  size_t too_old, too_new; /* events */
} sending_t;

static void set_fates(sending_t *sending, const tally_logs_event_t *events,
                      size_t count, tally_fate_t fate) {
  for (size_t i = 0; i < count; i++)
    sending->fates[events[i].record - sending->records] = fate;
}

static void note_taken(sending_t *sending, const tally_logs_event_t *events,
                       size_t count, const tally_logs_answer_t *answer) {
  tally_logs_counters_t *counters = &sending->logs->counters;
  size_t too_old = answer->too_old, too_new = count - answer->too_new;
  set_fates(sending, events, too_old, TALLY_FATE_REFUSED);
  set_fates(sending, events + answer->too_new, too_new, TALLY_FATE_REFUSED);
  size_t taken = answer->too_new - too_old;
  set_fates(sending, events + too_old, taken, TALLY_FATE_SENT);
  for (size_t i = too_old; i < answer->too_new; i++) {
    counters->bytes += events[i].size;
    counters->replaced += events[i].bad;
  }
  counters->events += taken;
  counters->too_old += too_old;
  counters->too_new += too_new;
  sending->too_old += too_old;
  sending->too_new += too_new;
}

static void note_failure(sending_t *sending, const tally_logs_event_t *events,
                         size_t count, const tally_logs_failure_t *failure,
                         const tally_error_t *why) {
  if (failure->uncertain)
    set_fates(sending, events, count, TALLY_FATE_UNSURE);
  uint64_t wait_ns = (uint64_t)failure->retry_after_s * TALLY_NS_PER_S;
  if (wait_ns > sending->answer->retry_after_ns)
    sending->answer->retry_after_ns = wait_ns;
  if (sending->failed && !sending->whole)
    return; /* the first stream's words are as good as the second's */
  sending->failed = true;
  sending->trouble = *why;
  sending->answer->status = (unsigned)failure->status;
}

/* The service will not take this event: it is not let go without a word. */
static void note_refused(sending_t *sending, const tally_logs_event_t *event,
                         const tally_error_t *why) {
  set_fates(sending, event, 1, TALLY_FATE_REFUSED);
  sending->logs->counters.bad++;
  if (*sending->refusal.message == '\0')
    sending->refusal = *why;
}

/* What is not sent by then comes with the next batch. */
static bool is_late(sending_t *sending) {
  if (tally_clock_monotonic_ns() < sending->deadline_ns)
    return false;
  sending->stop = true;
  if (!sending->failed)
    tally_error_set(&sending->trouble, 0,
                    "%s: slow, a batch is not through after %u s",
                    sending->logs->title,
                    (unsigned)(sending->logs->send_ns / TALLY_NS_PER_S));
  sending->failed = true;
  return true;
}

/* ---- sending ------------------------------------------------------------- */

/* false: the events that follow have to wait. */
static bool send_call(sending_t *sending, const char *stream,
                      const tally_logs_event_t *events, size_t count) {
  tally_halving_t halving = {.count = count};
  size_t n;
  while ((n = tally_halving_next(&halving)) > 0) {
    if (is_late(sending))
      return false;
    const tally_logs_event_t *piece = events + halving.at;
    tally_logs_answer_t answer;
    tally_logs_failure_t failure;
    tally_error_t why = {0};
    tally_logs_end_t end = tally_logs_put(sending->logs, stream, piece, n,
                                          &answer, &failure, &why);
    if (end == TALLY_LOGS_TAKEN) {
      note_taken(sending, piece, n, &answer);
      if (failure.uncertain)
        sending->answer->repeated += answer.too_new - answer.too_old;
      tally_halving_taken(&halving);
    } else if (end == TALLY_LOGS_BAD_DATA) {
      if (tally_halving_refused(&halving))
        note_refused(sending, piece, &why);
    } else {
      if (end == TALLY_LOGS_THROTTLED)
        sending->throttled++;
      sending->whole = end == TALLY_LOGS_ALL || sending->throttled > 1;
      sending->stop = sending->whole;
      note_failure(sending, piece, n, &failure, &why);
      return false;
    }
  }
  return true;
}

static void send_stream(sending_t *sending, const tally_logs_event_t *events,
                        size_t count) {
  char stream[TALLY_LOGS_STREAM_MAX + 1];
  tally_logs_stream_name(events->record->key, events->record->key_len, stream);
  for (size_t at = 0, n; at < count; at += n) {
    n = tally_logs_fit(events + at, count - at);
    if (!send_call(sending, stream, events + at, n))
      return;
  }
}

/* What is said of events that were refused, when nothing worse is to be said.
 */
static void report_refusals(sending_t *sending, tally_error_t *err) {
  const char *words = sending->refusal.message;
  sending->answer->status = 400;
  if (sending->too_old + sending->too_new == 0) {
    tally_error_set(err, 0, "an event was refused: %s", words);
    return;
  }
  tally_error_set(err, 0,
                  "%s: events refused: %zu older than 14 days or "
                  "than the group keeps them, %zu more than 2 hours ahead%s%s",
                  sending->logs->title, sending->too_old, sending->too_new,
                  *words != '\0' ? "; " : "", words);
}

static int report(sending_t *sending, tally_error_t *err) {
  tally_error_t said = sending->logs->complaint;
  sending->logs->complaint = (tally_error_t){0};
  if (sending->failed)
    said = sending->trouble;
  else if (sending->too_old + sending->too_new > 0 ||
           *sending->refusal.message != '\0')
    report_refusals(sending, &said);
  if (err != NULL && *said.message != '\0')
    *err = said;
  return sending->whole ? -1 : 0;
}

int tally_logs_send(void *data, const tally_record_t *records, size_t count,
                    tally_fate_t *fates, tally_answer_t *answer,
                    tally_error_t *err) {
  tally_logs_t *logs = data;
  tally_logs_event_t *events = calloc(count, sizeof(*events));
  for (size_t i = 0; i < count; i++)
    fates[i] = TALLY_FATE_RETRY;
  if (events == NULL)
    return tally_error_set(err, ENOMEM, "%s", logs->title);

  uint64_t now_ns = tally_clock_realtime_ns();
  for (size_t i = 0; i < count; i++)
    events[i] = tally_logs_event(&records[i], now_ns);
  tally_logs_sort(events, count);
  sending_t sending = {.logs = logs,
                       .records = records,
                       .fates = fates,
                       .answer = answer,
                       .deadline_ns =
                           tally_clock_monotonic_ns() + logs->send_ns};
  for (size_t at = 0, n; at < count && !sending.stop; at += n) {
    n = tally_logs_same_key(events + at, count - at);
    send_stream(&sending, events + at, n);
  }
  free(events);
  tally_buffer_clear(&logs->body);
  return report(&sending, err);
}
