/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/select.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char *exact; /* NULL: `regex` counts */
  regex_t regex;
} pattern_t;

struct tally_select_s {
  pattern_t *patterns;
  size_t count;
};

tally_select_t *tally_select_create(void) {
  return calloc(1, sizeof(tally_select_t));
}

void tally_select_destroy(tally_select_t *list) {
  if (list == NULL)
    return;
  for (size_t i = 0; i < list->count; i++) {
    if (list->patterns[i].exact == NULL)
      regfree(&list->patterns[i].regex);
    free(list->patterns[i].exact);
  }
  free(list->patterns);
  free(list);
}

/* The text between the slashes of "/…/", or -1. */
static int compile(pattern_t *p, const char *pattern, size_t len,
                   tally_error_t *err) {
  char *body = strndup(pattern + 1, len - 2);
  if (body == NULL)
    return tally_error_set(err, ENOMEM, "regular expression %s", pattern);

  int status = regcomp(&p->regex, body, REG_EXTENDED | REG_NOSUB);
  free(body);
  if (status == 0)
    return 0;

  char why[128];
  regerror(status, &p->regex, why, sizeof(why));
  return tally_error_set(err, 0, "regular expression \"%s\": %s", pattern, why);
}

int tally_select_add(tally_select_t *list, const char *pattern,
                     tally_error_t *err) {
  pattern_t *grown =
      realloc(list->patterns, (list->count + 1) * sizeof(*grown));
  if (grown == NULL)
    return tally_error_set(err, ENOMEM, "pattern %s", pattern);
  list->patterns = grown;

  pattern_t p = {0};
  size_t len = strlen(pattern);
  if (len >= 2 && pattern[0] == '/' && pattern[len - 1] == '/') {
    if (compile(&p, pattern, len, err) != 0)
      return -1;
  } else if ((p.exact = strdup(pattern)) == NULL) {
    return tally_error_set(err, ENOMEM, "pattern %s", pattern);
  }
  list->patterns[list->count++] = p;
  return 0;
}

bool tally_select_is_empty(const tally_select_t *list) {
  return list == NULL || list->count == 0;
}

bool tally_select_match(const tally_select_t *list, const char *text) {
  if (list == NULL || text == NULL)
    return false;
  for (size_t i = 0; i < list->count; i++) {
    const pattern_t *p = &list->patterns[i];
    if (p->exact != NULL ? strcmp(p->exact, text) == 0
                         : regexec(&p->regex, text, 0, NULL, 0) == 0)
      return true;
  }
  return false;
}
