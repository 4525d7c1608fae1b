/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "container/lifecycle.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "container/signal_name.h"

/*
 * Signals and OOM kills are kept in a ring, newest last. It is large enough for
 * a whole host being stopped at once, when all signals come before the first
 * end; what is older than that has lost its meaning anyhow.
 */
#define NOTES_MAX 4096

typedef struct {
  uint64_t container; /* leading digits of the id; 0: void */
  uint64_t time_ns;
  int signal; /* 0: an OOM kill */
} note_t;

struct tally_lifecycle_s {
  uint64_t stop_window_ns;
  note_t notes[NOTES_MAX];
  size_t next;  /* where the next note goes */
  size_t count; /* notes in use */
};

tally_lifecycle_t *tally_lifecycle_create(uint64_t stop_window_ns,
                                          tally_error_t *err) {
  tally_lifecycle_t *l = calloc(1, sizeof(*l));
  if (l == NULL) {
    tally_error_set(err, ENOMEM, "lifecycle of containers");
    return NULL;
  }
  l->stop_window_ns = stop_window_ns;
  return l;
}

void tally_lifecycle_destroy(tally_lifecycle_t *lifecycle) { free(lifecycle); }

/* ---- notes --------------------------------------------------------------- */

/* The first 16 hexadecimal digits of the id as a number. */
static uint64_t container_key(const tally_event_t *event) {
  char digits[17] = "";
  strncpy(digits, event->actor_id, sizeof(digits) - 1);
  return strtoull(digits, NULL, 16);
}

static void add_note(tally_lifecycle_t *l, const tally_event_t *event,
                     int signal) {
  l->notes[l->next] = (note_t){.container = container_key(event),
                               .time_ns = event->time_ns,
                               .signal = signal};
  l->next = (l->next + 1) % NOTES_MAX;
  if (l->count < NOTES_MAX)
    l->count++;
}

/* Note number `age` of a container, counted from the newest of all. */
static note_t *note_at(tally_lifecycle_t *l, size_t age) {
  return &l->notes[(l->next + NOTES_MAX - 1 - age) % NOTES_MAX];
}

/* The newest signal (or OOM kill) of the present run that is not older than
 * the window; NULL: none. The daemon's clock may step, and its order is not
 * strict, so what seems to come later counts too. */
static const note_t *find_note(tally_lifecycle_t *l, const tally_event_t *event,
                               bool oom, uint64_t window_ns) {
  uint64_t key = container_key(event);
  for (size_t age = 0; age < l->count; age++) {
    const note_t *n = note_at(l, age);
    if (n->container == key && (n->signal == 0) == oom)
      return event->time_ns < n->time_ns ||
                     event->time_ns - n->time_ns <= window_ns
                 ? n
                 : NULL;
  }
  return NULL;
}

/* A new run begins: what was done to the last one explains nothing any more. */
static void forget(tally_lifecycle_t *l, const tally_event_t *event) {
  uint64_t key = container_key(event);
  for (size_t age = 0; age < l->count; age++)
    if (note_at(l, age)->container == key)
      note_at(l, age)->container = 0;
}

/* ---- events of containers ------------------------------------------------ */

/* From the event, or from inspect where old daemons do not send it. */
static void find_exit_code(const tally_event_t *event,
                           const tally_container_t *container,
                           tally_verdict_t *v) {
  const char *text = tally_event_attribute(event, "exitCode");
  if (text != NULL) {
    char *end;
    long code = strtol(text, &end, 10);
    if (end != text && *end == '\0' && code >= INT32_MIN && code <= INT32_MAX) {
      v->exit_code = (int)code;
      v->exit_code_known = true;
    }
  } else if (container != NULL && strcmp(event->action, "die") == 0 &&
             (container->state == TALLY_CONTAINER_EXITED ||
              container->state == TALLY_CONTAINER_DEAD)) {
    v->exit_code = container->exit_code;
    v->exit_code_known = true;
  }
}

/* An OOM kill need not end the container: a child may have been the victim, and
 * neither Docker's event nor its OOMKilled tells. */
static bool died_of_oom(tally_lifecycle_t *l, const tally_event_t *event,
                        const tally_container_t *container,
                        const tally_verdict_t *v) {
  if (v->exit_code_known && v->exit_code == 0)
    return false;
  if (find_note(l, event, true, l->stop_window_ns) != NULL)
    return true;
  return container != NULL && container->oom_killed &&
         container->state != TALLY_CONTAINER_RUNNING &&
         v->exit_code == 128 + SIGKILL;
}

static void judge_die(tally_lifecycle_t *l, const tally_event_t *event,
                      const tally_container_t *container, tally_verdict_t *v) {
  find_exit_code(event, container, v);
  const note_t *sent = find_note(l, event, false, l->stop_window_ns);
  v->stop_requested = sent != NULL;

  /* 128 + signal is how the Engine reports an end by signal; only a signal
   * that was seen makes sure that the process did not just exit that way. */
  if (v->exit_code_known && v->exit_code > 128 && v->exit_code <= 128 + 64) {
    v->signal = v->exit_code - 128;
    v->signal_sent = sent != NULL && sent->signal == v->signal;
  }
  v->oom = died_of_oom(l, event, container, v);

  if (!v->exit_code_known)
    v->severity = TALLY_SEVERITY_WARNING;
  else if (v->exit_code == 0)
    v->severity = TALLY_SEVERITY_OKAY;
  else if (v->stop_requested && !v->oom)
    v->severity = TALLY_SEVERITY_WARNING;
  else
    v->severity = TALLY_SEVERITY_FAILURE;
}

static void judge_container(tally_lifecycle_t *l, const tally_event_t *event,
                            const tally_container_t *container,
                            tally_verdict_t *v) {
  const char *action = event->action;
  if (strcmp(action, "kill") == 0) {
    v->signal = tally_signal_number(tally_event_attribute(event, "signal"));
    v->signal_sent = v->signal != 0;
    if (v->signal_sent)
      add_note(l, event, v->signal);
  } else if (strcmp(action, "stop") == 0) {
    const note_t *sent = find_note(l, event, false, UINT64_MAX);
    v->signal = sent != NULL ? sent->signal : 0;
    v->signal_sent = sent != NULL;
  } else if (strcmp(action, "oom") == 0) {
    v->oom = true;
    v->severity = TALLY_SEVERITY_FAILURE;
    add_note(l, event, 0);
  } else if (strcmp(action, "die") == 0) {
    judge_die(l, event, container, v);
  } else if (strcmp(action, "start") == 0 || strcmp(action, "destroy") == 0) {
    forget(l, event);
  } else if (strncmp(action, "exec_die", strlen("exec_die")) == 0) {
    find_exit_code(event, container, v);
  } else if (strcmp(action, "health_status: unhealthy") == 0) {
    v->severity = TALLY_SEVERITY_FAILURE;
  }
}

/* ---- events of the swarm ------------------------------------------------- */

/* An attribute of an event whose value tells that something went wrong. */
static const struct {
  const char *type, *attribute, *value;
  tally_severity_t severity;
} alarms[] = {
    {"node", "state.new", "down", TALLY_SEVERITY_FAILURE},
    {"node", "state.new", "disconnected", TALLY_SEVERITY_WARNING},
    {"node", "reachability.new", "unreachable", TALLY_SEVERITY_WARNING},
    {"service", "updatestate.new", "paused", TALLY_SEVERITY_WARNING},
    {"service", "updatestate.new", "rollback_started", TALLY_SEVERITY_WARNING},
    {"service", "updatestate.new", "rollback_paused", TALLY_SEVERITY_WARNING},
};

static void judge_other(const tally_event_t *event, tally_verdict_t *v) {
  for (size_t i = 0; i < sizeof(alarms) / sizeof(alarms[0]); i++) {
    if (strcmp(event->type, alarms[i].type) != 0)
      continue;
    const char *value = tally_event_attribute(event, alarms[i].attribute);
    if (value != NULL && strcmp(value, alarms[i].value) == 0 &&
        v->severity < alarms[i].severity)
      v->severity = alarms[i].severity;
  }
}

bool tally_event_of_container(const tally_event_t *event) {
  return strcmp(event->type, "container") == 0;
}

void tally_lifecycle_judge(tally_lifecycle_t *lifecycle,
                           const tally_event_t *event,
                           const tally_container_t *container,
                           tally_verdict_t *verdict) {
  *verdict = (tally_verdict_t){.severity = TALLY_SEVERITY_OKAY};
  if (tally_event_of_container(event))
    judge_container(lifecycle, event, container, verdict);
  else
    judge_other(event, verdict);
}
