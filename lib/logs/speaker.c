/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/text.h"
#include "logs/layout.h"

#define VARIABLE_SIZE 257 /* of PROCESS and RELEASE, with the NUL */
#define MEMBERS_MAX (16 * 1024)

/* ---- the app ------------------------------------------------------------- */

static bool is_empty(const char *text) {
  return text == NULL || text[0] == '\0';
}

/* Where the last two parts of a name begin; 0: it has no more than two. */
static size_t without_last_two(const char *name) {
  size_t len = strlen(name);
  int parts = 2;
  while (len > 0 && parts > 0)
    parts -= name[--len] == '-';
  return parts == 0 ? len : 0;
}

void tally_log_app_name(const tally_container_t *container, char *name,
                        size_t size) {
  const char *app = tally_container_env(container, "APP");
  if (!is_empty(app)) {
    tally_text_copy(name, size, app);
    return;
  }
  const char *from = tally_container_env(container, "LOG_GROUP");
  if (is_empty(from))
    from = tally_container_env(container, "KINESIS");
  snprintf(name, size, "%.*s", is_empty(from) ? 0 : (int)without_last_two(from),
           is_empty(from) ? "" : from);
  tally_text_tidy(name);
}

/* ---- the members --------------------------------------------------------- */

static int member(tally_buffer_t *out, const char *key, const char *value) {
  if (tally_json_quote(out, key) != 0 ||
      tally_buffer_append(out, ":", 1) != 0 ||
      tally_json_quote(out, value) != 0)
    return -1;
  return tally_buffer_append(out, ",", 1);
}

/* Takes back what did not fit as a whole. */
static void optional_member(tally_buffer_t *out, const char *key,
                            const char *value) {
  size_t len = out->len;
  if (member(out, key, value) != 0 || out->len + 2 > out->cap)
    tally_buffer_truncate(out, len);
}

static int labels_member(tally_buffer_t *out, const tally_container_t *c,
                         const tally_select_t *labels) {
  if (tally_select_is_empty(labels))
    return 0;
  if (tally_buffer_append_str(out, "\"labels\":{") != 0)
    return -1;
  size_t empty = out->len;
  for (size_t i = 0; i < c->labels_count; i++)
    if (tally_select_match(labels, c->labels[i].key))
      optional_member(out, c->labels[i].key, c->labels[i].value);
  if (out->len > empty)
    tally_buffer_truncate(out, out->len - 1); /* the comma */
  return tally_buffer_append_str(out, "},");
}

static int write_members(tally_buffer_t *out, const tally_container_t *c,
                         const tally_select_t *labels, const char *process,
                         const char *release, const char *host) {
  char app[VARIABLE_SIZE];
  tally_log_app_name(c, app, sizeof(app));
  if (member(out, "container_id", c->id) != 0 ||
      member(out, "container_name", c->name) != 0 ||
      member(out, "image", c->image) != 0 || member(out, "app", app) != 0 ||
      member(out, "process", process) != 0 ||
      member(out, "release", release) != 0 || member(out, "host", host) != 0)
    return -1;
  return labels_member(out, c, labels);
}

/* ---- the speaker --------------------------------------------------------- */

int tally_log_speaker_init(tally_log_speaker_t *speaker,
                           const tally_container_t *c,
                           const tally_select_t *labels, const char *host,
                           tally_error_t *err) {
  char process[VARIABLE_SIZE], release[VARIABLE_SIZE];
  tally_text_copy(process, sizeof(process), tally_container_env(c, "PROCESS"));
  tally_text_copy(release, sizeof(release), tally_container_env(c, "RELEASE"));
  tally_buffer_t members;
  tally_buffer_init(&members, MEMBERS_MAX);
  *speaker = (tally_log_speaker_t){0};
  if (asprintf(&speaker->tag, "%s:%s/%.12s ", process, release, c->id) < 0)
    speaker->tag = NULL;
  if (speaker->tag != NULL &&
      write_members(&members, c, labels, process, release, host) == 0) {
    speaker->members = members.data;
    return 0;
  }
  tally_buffer_clear(&members);
  tally_log_speaker_clear(speaker);
  return tally_error_set(err, ENOMEM, "container %s", c->name);
}

void tally_log_speaker_clear(tally_log_speaker_t *speaker) {
  free(speaker->tag);
  free(speaker->members);
  *speaker = (tally_log_speaker_t){0};
}
