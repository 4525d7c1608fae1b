/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sinks.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"
#include "core/thread.h"
#include "sinks_client.h"

/* The values of tallySinksState and of tallySinkState. */
enum { STATE_READ = 1, STATE_OFF = 2, STATE_UNREACHABLE = 3 };
enum { SINK_OK = 1, SINK_DELAYED = 2, SINK_STALLED = 3, SINK_LOSING = 4 };

/* An answer takes an interval at most, and not longer than this. */
#define PATIENCE_MOST_S 5

/*
 * libcollectdclient reads without a time limit and keeps its descriptor to
 * itself. What ends its reads is a signal: its handler does nothing, but the
 * system call that it interrupts fails. SIGURG, because nobody else minds it.
 */
#define INTERRUPT SIGURG

struct tally_sinks_s {
  uint64_t interval_ns, patience_ns;
  tally_sinks_client_t *client; /* the thread's own; NULL: switched off */
  pthread_t thread;
  bool started;

  pthread_mutex_t lock;
  pthread_cond_t changed;
  /* guarded by lock */
  bool stop, ended;
  uint64_t asking_ns; /* since when; monotonic; 0: not at the moment */
  bool tried;         /* at least once */
  bool answered;      /* the last time */
  char problem[256];  /* if not */
  tally_sink_reading_t *readings;
  size_t count;
};

/* ---- the thread ---------------------------------------------------------- */

static void on_interrupt(int number) { (void)number; }

/* Keeps a copy of what collectd said. */
static void keep(tally_sinks_t *sinks, bool answered,
                 const tally_sink_reading_t *readings, size_t count,
                 const tally_error_t *err) {
  tally_sink_reading_t *copy =
      answered ? calloc(count + 1, sizeof(*copy)) : NULL;
  if (copy != NULL && count > 0)
    memcpy(copy, readings, count * sizeof(*copy));
  pthread_mutex_lock(&sinks->lock);
  free(sinks->readings);
  sinks->readings = copy;
  sinks->count = copy != NULL ? count : 0;
  sinks->tried = true;
  sinks->answered = copy != NULL;
  tally_text_copy(sinks->problem, sizeof(sinks->problem),
                  answered ? "" : err->message);
  sinks->asking_ns = 0;
  pthread_mutex_unlock(&sinks->lock);
}

static bool begin_to_ask(tally_sinks_t *sinks) {
  pthread_mutex_lock(&sinks->lock);
  bool stop = sinks->stop;
  sinks->asking_ns = tally_clock_monotonic_ns();
  pthread_mutex_unlock(&sinks->lock);
  return !stop;
}

static void rest(tally_sinks_t *sinks) {
  struct timespec deadline =
      tally_deadline_after((int)(sinks->interval_ns / TALLY_NS_PER_MS));
  pthread_mutex_lock(&sinks->lock);
  while (!sinks->stop && pthread_cond_timedwait(&sinks->changed, &sinks->lock,
                                                &deadline) != ETIMEDOUT)
    ;
  pthread_mutex_unlock(&sinks->lock);
}

static void *ask(void *data) {
  tally_sinks_t *sinks = data;
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, INTERRUPT);
  pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
  while (begin_to_ask(sinks)) {
    tally_error_t err = {0};
    const tally_sink_reading_t *readings = NULL;
    size_t count = 0;
    int status =
        tally_sinks_client_read(sinks->client, &readings, &count, &err);
    keep(sinks, status == 0, readings, count, &err);
    rest(sinks);
  }
  pthread_mutex_lock(&sinks->lock);
  sinks->ended = true;
  pthread_cond_broadcast(&sinks->changed);
  pthread_mutex_unlock(&sinks->lock);
  return NULL;
}

/* ---- making and unmaking ------------------------------------------------- */

static int start(tally_sinks_t *sinks, const char *socket, tally_error_t *err) {
  sinks->client = tally_sinks_client_create(socket);
  if (sinks->client == NULL)
    return tally_error_set(err, ENOMEM, "outputs of collectd");
  struct sigaction action = {.sa_handler = on_interrupt}; /* no SA_RESTART */
  sigaction(INTERRUPT, &action, NULL);
  if (tally_thread_start(&sinks->thread, "tally-sinks", ask, sinks, err) != 0)
    return -1;
  sinks->started = true;
  return 0;
}

tally_sinks_t *tally_sinks_create(const char *socket, double interval,
                                  tally_error_t *err) {
  tally_sinks_t *sinks = calloc(1, sizeof(*sinks));
  if (sinks == NULL) {
    tally_error_set(err, ENOMEM, "outputs of collectd");
    return NULL;
  }
  double patience = interval < PATIENCE_MOST_S ? interval : PATIENCE_MOST_S;
  sinks->interval_ns = (uint64_t)(interval * (double)TALLY_NS_PER_S);
  sinks->patience_ns = (uint64_t)(patience * (double)TALLY_NS_PER_S);
  pthread_mutex_init(&sinks->lock, NULL);
  tally_condition_init(&sinks->changed);
  if (socket != NULL && start(sinks, socket, err) != 0) {
    tally_sinks_destroy(sinks);
    return NULL;
  }
  return sinks;
}

/* A signal may come a moment before the read that it should end, so there is
 * another one. */
static void end_thread(tally_sinks_t *sinks) {
  pthread_mutex_lock(&sinks->lock);
  sinks->stop = true;
  pthread_cond_broadcast(&sinks->changed);
  while (!sinks->ended) {
    pthread_kill(sinks->thread, INTERRUPT);
    struct timespec deadline = tally_deadline_after(10);
    pthread_cond_timedwait(&sinks->changed, &sinks->lock, &deadline);
  }
  pthread_mutex_unlock(&sinks->lock);
  pthread_join(sinks->thread, NULL);
}

void tally_sinks_destroy(tally_sinks_t *sinks) {
  if (sinks == NULL)
    return;
  if (sinks->started)
    end_thread(sinks);
  tally_sinks_client_destroy(sinks->client);
  pthread_cond_destroy(&sinks->changed);
  pthread_mutex_destroy(&sinks->lock);
  free(sinks->readings);
  free(sinks);
}

/* ---- rows ---------------------------------------------------------------- */

static uint64_t state_of(const tally_sink_reading_t *reading,
                         const tally_settings_t *settings) {
  double age = reading->oldest_age_ms != TALLY_UNKNOWN
                   ? (double)reading->oldest_age_ms / 1000
                   : 0;
  if (reading->losing)
    return SINK_LOSING;
  if (settings->sink_stalled > 0 && age >= settings->sink_stalled)
    return SINK_STALLED;
  if (settings->sink_delayed > 0 && age >= settings->sink_delayed)
    return SINK_DELAYED;
  return SINK_OK;
}

static const char *error_text(uint64_t number, char *text, size_t size) {
  static const struct {
    unsigned status;
    const char *text;
  } known[] = {
      {400, "Bad Request"},       {401, "Unauthorized"},
      {403, "Forbidden"},         {404, "Not Found"},
      {408, "Request Timeout"},   {413, "Content Too Large"},
      {429, "Too Many Requests"}, {500, "Internal Server Error"},
      {502, "Bad Gateway"},       {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  };
  if (number == TALLY_UNKNOWN)
    return NULL;
  if (number == 0)
    return "";
  if (number >= 1000) {
    char buffer[128];
    snprintf(text, size, "%s",
             strerror_r((int)(number - 1000) & 0xffff, buffer, sizeof(buffer)));
    return text;
  }
  const char *words = "";
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    if (known[i].status == number)
      words = known[i].text;
  snprintf(text, size, "HTTP %u%s%s", (unsigned)number,
           words[0] != '\0' ? " " : "", words);
  return text;
}

static void show_row(const tally_sink_reading_t *reading,
                     const tally_settings_t *settings, tally_view_t *view) {
  tally_sink_row_t *row = tally_view_add_sink(view, reading->name);
  if (row == NULL)
    return;
  char text[160];
  row->accepted = reading->accepted;
  row->sent = reading->sent;
  row->failed = reading->failed;
  row->retried = reading->retried;
  row->dropped = reading->dropped;
  row->queued = reading->queued;
  row->spooled_bytes = reading->spooled_bytes;
  row->oldest_age_ms = reading->oldest_age_ms;
  row->last_error = reading->last_error;
  row->last_error_text = tally_view_text(
      view, error_text(reading->last_error, text, sizeof(text)));
  row->state = state_of(reading, settings);
}

/* Whether collectd is late with its answer; then the question is given up. */
static bool is_late(tally_sinks_t *sinks) {
  if (sinks->asking_ns == 0 || sinks->ended ||
      tally_clock_monotonic_ns() - sinks->asking_ns < sinks->patience_ns)
    return false;
  pthread_kill(sinks->thread, INTERRUPT);
  return true;
}

void tally_sinks_show(tally_sinks_t *sinks, const tally_settings_t *settings,
                      tally_view_t *view) {
  tally_node_row_t *node = tally_view_node(view);
  if (sinks->client == NULL) {
    node->sinks_state = STATE_OFF;
    node->sinks_problem = tally_view_text(view, "");
    return;
  }
  pthread_mutex_lock(&sinks->lock);
  bool late = is_late(sinks);
  if (late || (sinks->tried && !sinks->answered)) {
    node->sinks_state = STATE_UNREACHABLE;
    node->sinks_problem = tally_view_text(
        view, late ? "collectd does not answer in time" : sinks->problem);
  } else if (sinks->tried) {
    node->sinks_state = STATE_READ;
    node->sinks_problem = tally_view_text(view, "");
    for (size_t i = 0; i < sinks->count; i++)
      show_row(&sinks->readings[i], settings, view);
  }
  pthread_mutex_unlock(&sinks->lock);
}
