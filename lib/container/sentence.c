/* SPDX-License-Identifier: MIT */
/* Docker events in words. */
#include "config.h"

#include "container/lifecycle.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "container/signal_name.h"
#include "core/text.h"

#define SHORT_ID 12
/* So much of a PROCESS that the id behind it still fits into the sentence. */
#define PROCESS_SIZE 129
#define NAME_SIZE 160

/* ---- names --------------------------------------------------------------- */

/* Copies an id; a digest ("sha256:…" or 64 digits) is cut to 12 digits. */
static void shorten_id(const char *id, char *text, size_t size) {
  static const char algorithm[] = "sha256:";
  bool named = strncmp(id, algorithm, strlen(algorithm)) == 0;
  const char *hex = named ? id + strlen(algorithm) : id;
  size_t digits = strspn(hex, "0123456789abcdef");
  if (digits >= 25 && hex[digits] == '\0')
    snprintf(text, size, "%.*s", (int)(hex - id) + SHORT_ID, id);
  else
    snprintf(text, size, "%s", id);
}

char *tally_event_actor(const tally_event_t *event, char *text, size_t size) {
  const char *name = event->actor_name;
  shorten_id(name[0] != '\0' ? name : event->actor_id, text, size);
  tally_text_tidy(text);
  if (text[0] == '\0')
    snprintf(text, size, "-");
  return text;
}

void tally_event_action_name(const char *action,
                             char name[TALLY_ACTION_NAME_SIZE]) {
  bool health = strncmp(action, "health_status: ", 15) == 0;
  size_t n = 0;
  for (const char *a = action; *a != '\0' && n < TALLY_ACTION_NAME_SIZE - 1;
       a++) {
    if (*a == ':' && !health)
      break;
    if (*a == ':') /* ": " becomes one '_' */
      continue;
    name[n++] = isalnum((unsigned char)*a) || strchr("_.-", *a) ? *a : '_';
  }
  name[n] = '\0';
}

/* What follows the action's name: "ls -l" of "exec_create: ls -l". */
static const char *parameters(const char *action) {
  const char *colon = strchr(action, ':');
  if (colon == NULL)
    return "";
  return colon + 1 + strspn(colon + 1, " ");
}

/* "web process 0123456789ab" */
static void name_process(const tally_event_t *event,
                         const tally_container_t *container, char *text,
                         size_t size) {
  char process[PROCESS_SIZE] = "";
  if (container != NULL)
    tally_text_copy(process, sizeof(process),
                    tally_container_env(container, "PROCESS"));
  snprintf(text, size, "%s%sprocess %.*s", process,
           process[0] != '\0' ? " " : "", SHORT_ID, event->actor_id);
}

/* ---- containers ---------------------------------------------------------- */

static const char *attribute(const tally_event_t *event, const char *key) {
  const char *value = tally_event_attribute(event, key);
  return value != NULL ? value : "";
}

/* What Docker did to the process. */
static const struct {
  const char *action, *words;
} container_words[] = {
    {"create", "Starting"},
    {"start", "Started"},
    {"restart", "Restarted"},
    {"pause", "Paused"},
    {"unpause", "Resumed"},
    {"destroy", "Removed"},
    {"update", "Changed the limits of"},
    {"rename", "Renamed"},
    {"attach", "Attached to"},
    {"detach", "Detached from"},
    {"commit", "Made an image of"},
    {"copy", "Copied files of"},
    {"archive-path", "Copied files out of"},
    {"extract-to-dir", "Copied files into"},
    {"export", "Exported the files of"},
    {"resize", "Resized the terminal of"},
    {"top", "Listed the processes of"},
    {"exec_create", "Prepared a command in"},
    {"exec_start", "Started a command in"},
    {"exec_detach", "Detached from a command in"},
    {"exec_die", "Ended a command in"},
};

static const char *words_of(const char *name) {
  for (size_t i = 0; i < sizeof(container_words) / sizeof(container_words[0]);
       i++)
    if (strcmp(container_words[i].action, name) == 0)
      return container_words[i].words;
  return NULL;
}

/* " (exit code 137, killed by SIGKILL)": no more than is known. */
static void describe_end(const tally_verdict_t *v, char *text, size_t size) {
  char signal[TALLY_SIGNAL_NAME_SIZE];
  tally_signal_name(v->signal, signal);
  if (!v->exit_code_known)
    snprintf(text, size, "%s", v->oom ? " (out of memory)" : "");
  else if (v->oom)
    snprintf(text, size, " (exit code %d, out of memory)", v->exit_code);
  else if (v->signal_sent)
    snprintf(text, size, " (killed by %s)", signal);
  else if (v->signal != 0)
    snprintf(text, size, " (exit code %d, as from %s)", v->exit_code, signal);
  else
    snprintf(text, size, " (exit code %d)", v->exit_code);
}

static void container_sentence(const tally_event_t *event,
                               const tally_container_t *container,
                               const tally_verdict_t *v, char *text,
                               size_t size) {
  char process[PROCESS_SIZE + 32], name[TALLY_ACTION_NAME_SIZE];
  char signal[TALLY_SIGNAL_NAME_SIZE], end[64] = "";
  name_process(event, container, process, sizeof(process));
  tally_event_action_name(event->action, name);
  const char *more = parameters(event->action);

  if (strcmp(name, "die") == 0) {
    describe_end(v, end, sizeof(end));
    snprintf(text, size, "Dead %s%s", process, end);
  } else if (strcmp(name, "kill") == 0 || strcmp(name, "stop") == 0) {
    tally_signal_name(v->signal, signal);
    snprintf(text, size, "Stopped %s%s%s", process,
             v->signal != 0 ? " via " : "", v->signal != 0 ? signal : "");
  } else if (strcmp(name, "oom") == 0) {
    snprintf(text, size, "Stopped %s due to OOM", process);
  } else if (strncmp(name, "health_status", 13) == 0) {
    snprintf(text, size, "Health of %s: %s", process,
             more[0] != '\0' ? more : "unknown");
  } else if (strcmp(name, "rename") == 0) {
    const char *old = attribute(event, "oldName");
    snprintf(text, size, "Renamed %s from %s to %s", process,
             old + strspn(old, "/"), event->actor_name);
  } else if (strcmp(name, "start") == 0 && event->origin == TALLY_EVENT_SCAN) {
    snprintf(text, size, "Starting %s", process);
  } else {
    const char *words = words_of(name);
    if (strcmp(name, "exec_die") == 0 && v->exit_code_known)
      snprintf(end, sizeof(end), " (exit code %d)", v->exit_code);
    if (words != NULL)
      snprintf(text, size, "%s %s%s%s%s", words, process, end,
               more[0] != '\0' ? ": " : "", more);
    else
      snprintf(text, size, "Event %s of %s", event->action, process);
  }
}

/* ---- everything else ----------------------------------------------------- */

/* Participles for what can be done to a thing. */
static const struct {
  const char *action, *words;
} other_words[] = {
    {"create", "created"},
    {"remove", "removed"},
    {"destroy", "removed"},
    {"delete", "deleted"},
    {"update", "updated"},
    {"pull", "pulled"},
    {"push", "pushed"},
    {"tag", "tagged"},
    {"untag", "untagged"},
    {"import", "imported"},
    {"load", "loaded"},
    {"save", "saved"},
    {"connect", "connected to container"},
    {"disconnect", "disconnected from container"},
    {"mount", "mounted in container"},
    {"unmount", "unmounted from container"},
    {"reload", "reloaded its configuration"},
    {"install", "installed"},
    {"enable", "enabled"},
    {"disable", "disabled"},
};

/* What an update changed: "state ready -> down" of state.old and state.new. */
static void describe_change(const tally_event_t *event, char *text,
                            size_t size) {
  for (size_t i = 0; i < event->attributes_count; i++) {
    const char *key = event->attributes[i].key;
    size_t len = strlen(key);
    if (len <= 4 || strcmp(key + len - 4, ".new") != 0)
      continue;
    char old[NAME_SIZE];
    snprintf(old, sizeof(old), "%.*s.old", (int)(len - 4), key);
    snprintf(text, size, " (%.*s %s -> %s)", (int)(len - 4), key,
             attribute(event, old), event->attributes[i].value);
    return;
  }
}

static void other_sentence(const tally_event_t *event, char *text,
                           size_t size) {
  char name[NAME_SIZE], change[NAME_SIZE] = "";
  const char *reclaimed = tally_event_attribute(event, "reclaimed");
  if (strcmp(event->action, "prune") == 0) {
    snprintf(text, size, "Pruned every unused %s (%s bytes reclaimed)",
             event->type, reclaimed != NULL ? reclaimed : "0");
    return;
  }

  tally_event_actor(event, name, sizeof(name));
  describe_change(event, change, sizeof(change));
  /* The other end of a connection or a mount. */
  const char *container = attribute(event, "container");
  const char *words = event->action[0] != '\0' ? event->action : "event";
  for (size_t i = 0; i < sizeof(other_words) / sizeof(other_words[0]); i++)
    if (strcmp(other_words[i].action, event->action) == 0)
      words = other_words[i].words;
  const char *type = event->type[0] != '\0' ? event->type : "unknown";
  snprintf(text, size, "%c%s %s %s%s%.*s%s", toupper((unsigned char)type[0]),
           type + 1, name, words, container[0] != '\0' ? " " : "", SHORT_ID,
           container, change);
}

void tally_event_sentence(const tally_event_t *event,
                          const tally_container_t *container,
                          const tally_verdict_t *verdict, char *text,
                          size_t size) {
  bool prune = strcmp(event->action, "prune") == 0;
  if (tally_event_of_container(event) && !prune)
    container_sentence(event, container, verdict, text, size);
  else
    other_sentence(event, text, size);
  tally_text_tidy(text);
}
