/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "container/originals.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/file.h"

#define MAGIC "tallyman-originals 1 "
#define FILE_SIZE_MAX 8192
#define ID_LENGTH 64

void tally_originals_init(tally_originals_t *originals, const char *id,
                          uint64_t started_ns) {
  memset(originals, 0, sizeof(*originals));
  snprintf(originals->id, sizeof(originals->id), "%s", id);
  originals->started_ns = started_ns;
  tally_engine_config_init(&originals->engine);
}

void tally_originals_new_run(tally_originals_t *originals,
                             uint64_t started_ns) {
  originals->started_ns = started_ns;
  originals->files_count = 0;
}

static bool is_noted(const tally_originals_t *o, const char *file) {
  for (size_t i = 0; i < o->files_count; i++)
    if (strcmp(o->files[i].file, file) == 0)
      return true;
  return false;
}

void tally_originals_add_files(tally_originals_t *originals,
                               const tally_limit_change_t *changes,
                               size_t count) {
  for (size_t i = 0; i < count; i++) {
    const tally_limit_change_t *c = &changes[i];
    if (c->verified || c->before[0] == '\0' || is_noted(originals, c->file) ||
        originals->files_count == TALLY_LIMIT_CHANGES_MAX)
      continue;
    tally_limit_change_t *noted = &originals->files[originals->files_count++];
    *noted = *c;
    /* io.weight has a line per device behind its default */
    noted->before[strcspn(noted->before, "\t\n")] = '\0';
  }
}

void tally_originals_add_engine(tally_originals_t *originals,
                                const tally_engine_config_t *now,
                                const tally_engine_config_t *update) {
  for (size_t i = 0; i < TALLY_ENGINE_FIELDS; i++)
    if (update->value[i] != TALLY_ENGINE_UNSET &&
        originals->engine.value[i] == TALLY_ENGINE_UNSET)
      originals->engine.value[i] = now->value[i];
}

bool tally_originals_is_empty(const tally_originals_t *originals) {
  for (size_t i = 0; i < TALLY_ENGINE_FIELDS; i++)
    if (originals->engine.value[i] != TALLY_ENGINE_UNSET)
      return false;
  return originals->files_count == 0;
}

/* ---- text ---------------------------------------------------------------- */

/* What may be a file in a cgroup: "memory.max". Never a path. */
static bool is_file_name(const char *name) {
  return name[0] != '\0' && name[0] != '.' &&
         strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._") == strlen(name);
}

/* The next field of a line; NULL if there is none left. */
static char *take_field(char **line) { return strsep(line, "\t"); }

static int parse_file_line(char *line, tally_originals_t *o) {
  const char *limit_name = take_field(&line);
  const char *file = take_field(&line);
  const char *value = take_field(&line);
  if (value == NULL || line != NULL || !is_file_name(file) ||
      o->files_count == TALLY_LIMIT_CHANGES_MAX)
    return -1;

  tally_limit_t limit = 0;
  while (limit < TALLY_LIMITS &&
         strcmp(tally_limit_name(limit), limit_name) != 0)
    limit++;
  tally_limit_change_t *c = &o->files[o->files_count];
  memset(c, 0, sizeof(*c));
  if (limit == TALLY_LIMITS || strlen(file) >= sizeof(c->file) ||
      strlen(value) >= sizeof(c->before))
    return -1;
  c->limit = limit;
  strcpy(c->file, file);
  strcpy(c->before, value);
  o->files_count++;
  return 0;
}

static int parse_engine_line(char *line, tally_originals_t *o) {
  const char *name = take_field(&line);
  const char *value = take_field(&line);
  char *end;
  if (value == NULL || line != NULL)
    return -1;
  errno = 0;
  int64_t number = strtoll(value, &end, 10);
  if (end == value || *end != '\0' || errno != 0)
    return -1;
  for (size_t i = 0; i < TALLY_ENGINE_FIELDS; i++) {
    if (strcmp(tally_engine_field_name((tally_engine_field_t)i), name) == 0) {
      o->engine.value[i] = number;
      return 0;
    }
  }
  return -1;
}

/* Only digits: a kernel's "max" is no time. */
static int parse_first_line(const char *line, tally_originals_t *o) {
  if (strncmp(line, MAGIC, strlen(MAGIC)) != 0)
    return -1;
  const char *started = line + strlen(MAGIC);
  if (strspn(started, "0123456789") != strlen(started))
    return -1;
  return tally_file_parse_u64(started, &o->started_ns);
}

static int parse_text(char *text, tally_originals_t *o) {
  char *line = strsep(&text, "\n");
  if (line == NULL || parse_first_line(line, o) != 0)
    return -1;
  while ((line = strsep(&text, "\n")) != NULL && *line != '\0') {
    const char *kind = take_field(&line);
    int status = -1;
    if (line != NULL && strcmp(kind, "file") == 0)
      status = parse_file_line(line, o);
    else if (line != NULL && strcmp(kind, "engine") == 0)
      status = parse_engine_line(line, o);
    if (status != 0)
      return -1;
  }
  return 0;
}

/* ---- files --------------------------------------------------------------- */

static bool is_id(const char *name) {
  return strlen(name) == ID_LENGTH &&
         strspn(name, "0123456789abcdef") == ID_LENGTH;
}

static int path_of(const char *directory, const char *id, char path[4096],
                   tally_error_t *err) {
  if (!is_id(id))
    return tally_error_set(err, EINVAL, "container id `%.64s'", id);
  int len = snprintf(path, 4096, "%s/%s", directory, id);
  if (len < 0 || len >= 4096)
    return tally_error_set(err, ENAMETOOLONG, "directory `%.64s…'", directory);
  return 0;
}

int tally_originals_load(const char *directory, const char *id,
                         tally_originals_t *originals, tally_error_t *err) {
  char path[4096], text[FILE_SIZE_MAX];
  if (path_of(directory, id, path, err) != 0)
    return -1;
  tally_error_t why = {0};
  if (tally_file_read(path, text, sizeof(text), &why) < 0) {
    if (why.code == ENOENT)
      return 0;
    if (err != NULL)
      *err = why;
    return -1;
  }
  tally_originals_init(originals, id, 0);
  if (parse_text(text, originals) != 0)
    return tally_error_set(err, 0, "`%s' is not what was written there", path);
  return 1;
}

int tally_originals_save(const char *directory,
                         const tally_originals_t *originals,
                         tally_error_t *err) {
  char path[4096];
  if (path_of(directory, originals->id, path, err) != 0 ||
      tally_file_make_directory(directory, 0750, err) != 0)
    return -1;

  tally_buffer_t text tally_autobuffer;
  tally_buffer_init(&text, FILE_SIZE_MAX - 1);
  int status =
      tally_buffer_printf(&text, MAGIC "%" PRIu64 "\n", originals->started_ns);
  for (size_t i = 0; i < originals->files_count; i++) {
    const tally_limit_change_t *c = &originals->files[i];
    status |=
        tally_buffer_printf(&text, "file\t%s\t%s\t%s\n",
                            tally_limit_name(c->limit), c->file, c->before);
  }
  for (size_t i = 0; i < TALLY_ENGINE_FIELDS; i++)
    if (originals->engine.value[i] != TALLY_ENGINE_UNSET)
      status |=
          tally_buffer_printf(&text, "engine\t%s\t%" PRId64 "\n",
                              tally_engine_field_name((tally_engine_field_t)i),
                              originals->engine.value[i]);
  if (status != 0)
    return tally_error_set(err, ENOMEM, "`%s'", path);
  return tally_file_replace(path, text.data, text.len, 0640, err);
}

void tally_originals_remove(const char *directory, const char *id) {
  char path[4096];
  if (path_of(directory, id, path, NULL) == 0)
    unlink(path);
}

void tally_originals_each(const char *directory,
                          void (*callback)(const char *id, void *data),
                          void *data) {
  tally_autoclosedir DIR *dir = opendir(directory);
  if (dir == NULL)
    return;
  const struct dirent *entry;
  while ((entry = readdir(dir)) != NULL)
    if (is_id(entry->d_name))
      callback(entry->d_name, data);
}
