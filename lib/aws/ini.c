/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/ini.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aws/secret.h"

typedef struct entry_s {
  const char *title;
  const char *parent; /* of a key below another; NULL: none */
  const char *key;    /* NULL: the title itself */
  const char *value;
} entry_t;

struct tally_ini_s {
  char *text; /* a copy; all strings point into it */
  size_t size;
  entry_t *entries;
  size_t count, room;
  const char *title;  /* while parsing: of the lines to come; NULL: none */
  const char *parent; /* and the key that deeper lines belong to */
};

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static char *trim(char *s) {
  while (is_blank(*s))
    s++;
  size_t len = strlen(s);
  while (len > 0 && (is_blank(s[len - 1]) || s[len - 1] == '\r'))
    s[--len] = '\0';
  return s;
}

static void to_lower(char *s) {
  for (; *s != '\0'; s++)
    if (*s >= 'A' && *s <= 'Z')
      *s = (char)(*s - 'A' + 'a');
}

static int add(tally_ini_t *ini, entry_t entry, tally_error_t *err) {
  if (ini->count == TALLY_INI_KEYS_MAX)
    return tally_error_set(err, E2BIG, "more than %d lines",
                           TALLY_INI_KEYS_MAX);
  if (ini->count == ini->room) {
    size_t room = ini->room ? 2 * ini->room : 32;
    entry_t *entries = realloc(ini->entries, room * sizeof(*entries));
    if (entries == NULL)
      return tally_error_set(err, ENOMEM, "shared file");
    ini->entries = entries;
    ini->room = room;
  }
  ini->entries[ini->count++] = entry;
  return 0;
}

/* "profile   \"web\"" becomes "profile web". */
static void tidy_title(char *s) {
  char *to = s;
  bool blank = false;
  for (; *s != '\0'; s++) {
    if (is_blank(*s)) {
      blank = true;
      continue;
    }
    if (*s == '"' || *s == '\'')
      continue;
    if (blank)
      *to++ = ' ';
    blank = false;
    *to++ = *s;
  }
  *to = '\0';
}

static int take_title(tally_ini_t *ini, char *line, tally_error_t *err) {
  ini->title = ini->parent = NULL;
  char *end = strchr(line, ']');
  if (end == NULL)
    return 0;
  *end = '\0';
  char *title = trim(line + 1);
  tidy_title(title);
  if (*title == '\0')
    return 0;
  ini->title = title;
  return add(ini, (entry_t){.title = title}, err);
}

static void cut_comment(char *value) {
  for (char *p = value; *p != '\0'; p++)
    if ((*p == '#' || *p == ';') && (p == value || is_blank(p[-1]))) {
      *p = '\0';
      return;
    }
}

static int take_line(tally_ini_t *ini, char *line, tally_error_t *err) {
  bool deeper = is_blank(*line);
  line = trim(line);
  if (*line == '\0' || *line == '#' || *line == ';')
    return 0;
  if (*line == '[' && !deeper)
    return take_title(ini, line, err);
  char *equals = strchr(line, '=');
  if (ini->title == NULL || equals == NULL)
    return 0;
  *equals = '\0';
  char *key = trim(line), *value = equals + 1;
  to_lower(key);
  cut_comment(value);
  value = trim(value);
  if (*key == '\0')
    return 0;
  if (!deeper)
    ini->parent = *value == '\0' ? key : NULL;
  else if (ini->parent == NULL)
    return 0; /* goes on with a value of one line */
  return add(ini,
             (entry_t){.title = ini->title,
                       .parent = deeper ? ini->parent : NULL,
                       .key = key,
                       .value = value},
             err);
}

tally_ini_t *tally_ini_parse(const char *text, size_t len, tally_error_t *err) {
  if (len > TALLY_INI_MAX) {
    tally_error_set(err, EFBIG, "more than %d bytes", TALLY_INI_MAX);
    return NULL;
  }
  tally_ini_t *ini = calloc(1, sizeof(*ini));
  if (ini == NULL || (ini->text = calloc(1, len + 1)) == NULL) {
    free(ini);
    tally_error_set(err, ENOMEM, "shared file");
    return NULL;
  }
  memcpy(ini->text, text, len);
  ini->size = len + 1;

  char *line = ini->text, *end = ini->text + len;
  if (strncmp(line, "\xef\xbb\xbf", 3) == 0)
    line += 3;
  while (line < end) {
    char *next = memchr(line, '\n', (size_t)(end - line));
    if (next == NULL)
      next = end;
    *next = '\0';
    if (take_line(ini, line, err) != 0) {
      tally_ini_destroy(ini);
      return NULL;
    }
    line = next + 1;
  }
  return ini;
}

void tally_ini_destroy(tally_ini_t *ini) {
  if (ini == NULL)
    return;
  tally_secret_wipe(ini->text, ini->size);
  free(ini->text);
  free(ini->entries);
  free(ini);
}

bool tally_ini_has(const tally_ini_t *ini, const char *title) {
  for (size_t i = 0; ini != NULL && i < ini->count; i++)
    if (strcmp(ini->entries[i].title, title) == 0)
      return true;
  return false;
}

static bool is_key(const entry_t *entry, const char *key) {
  if (entry->key == NULL)
    return false;
  if (entry->parent == NULL)
    return strcmp(entry->key, key) == 0;
  size_t len = strlen(entry->parent);
  return strncmp(entry->parent, key, len) == 0 && key[len] == '.' &&
         strcmp(entry->key, key + len + 1) == 0;
}

const char *tally_ini_get(const tally_ini_t *ini, const char *title,
                          const char *key) {
  const char *value = NULL;
  for (size_t i = 0; ini != NULL && i < ini->count; i++)
    if (strcmp(ini->entries[i].title, title) == 0 &&
        is_key(&ini->entries[i], key))
      value = ini->entries[i].value;
  return value != NULL && *value != '\0' ? value : NULL;
}
