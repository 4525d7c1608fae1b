/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "settings_words.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ARGUMENT_MAX 4096

/* One word from *in to *out, both moved on. */
static int cut_word(const char **in, char **out, tally_error_t *err) {
  const char *p = *in;
  char *q = *out;
  bool quoted = false;
  for (; *p != '\0' && (quoted || strchr(" \t\r\n", *p) == NULL); p++) {
    if (*p == '"')
      quoted = !quoted;
    else if (quoted && p[0] == '\\' && p[1] == '"')
      *q++ = *++p;
    else
      *q++ = *p;
  }
  if (quoted)
    return tally_error_set(err, 0, "a quote is not closed");
  *q++ = '\0';
  *in = p;
  *out = q;
  return 0;
}

int tally_words_split(tally_words_t *words, const char *argument,
                      tally_error_t *err) {
  *words = (tally_words_t){0};
  if (strlen(argument) > ARGUMENT_MAX)
    return tally_error_set(err, 0, "longer than %d characters", ARGUMENT_MAX);
  /* A word is never longer than it is in the argument, terminator for blank. */
  words->text = malloc(strlen(argument) + 2);
  if (words->text == NULL)
    return tally_error_set(err, ENOMEM, "no room for it");

  char *out = words->text;
  for (;;) {
    argument += strspn(argument, " \t\r\n");
    if (*argument == '\0' || *argument == '#')
      return 0;
    if (words->count == TALLY_WORDS_MAX) {
      tally_words_clear(words);
      return tally_error_set(err, 0, "more than %d words", TALLY_WORDS_MAX);
    }
    words->word[words->count++] = out;
    if (cut_word(&argument, &out, err) != 0) {
      tally_words_clear(words);
      return -1;
    }
  }
}

void tally_words_clear(tally_words_t *words) {
  free(words->text);
  *words = (tally_words_t){0};
}

int tally_words_one(const tally_words_t *words, tally_error_t *err) {
  if (words->count != 1 || words->word[0][0] == '\0')
    return tally_error_set(err, 0, "takes one value");
  return 0;
}

bool tally_word_is(const char *word, const char *expected) {
  return strcasecmp(word, expected) == 0;
}

int tally_word_number(const char *word, double min, double max, double *number,
                      tally_error_t *err) {
  char *end;
  double value = strtod(word, &end);
  /* What is left of what strtod takes: no "inf", "nan", "0x1p3", "1e3". */
  bool plain = word[0] != '\0' && word[strspn(word, "0123456789.")] == '\0';
  if (!plain || *end != '\0' || !(value >= min && value <= max))
    return tally_error_set(err, 0, "must be a number from %.15g to %.15g", min,
                           max);
  *number = value;
  return 0;
}

int tally_word_bool(const char *word, bool *value, tally_error_t *err) {
  bool yes = tally_word_is(word, "on") || tally_word_is(word, "yes") ||
             tally_word_is(word, "true");
  bool no = tally_word_is(word, "off") || tally_word_is(word, "no") ||
            tally_word_is(word, "false");
  if (!yes && !no)
    return tally_error_set(err, 0, "must be on or off");
  *value = yes;
  return 0;
}

int tally_word_path(const char *word, tally_error_t *err) {
  if (word[0] != '/')
    return tally_error_set(err, 0, "must be an absolute path");
  return 0;
}

static int level(const char *word, double max, bool percent, double *value,
                 tally_error_t *err) {
  char number[32];
  size_t len = strlen(word);
  if (percent && len > 0 && word[len - 1] == '%')
    len--;
  if (len >= sizeof(number))
    len = 0; /* which is no number */
  memcpy(number, word, len);
  number[len] = '\0';
  if (tally_word_number(number, 0, max, value, NULL) == 0 && *value > 0)
    return 0;
  return tally_error_set(err, 0, "levels must be above 0%s and at most %.15g%s",
                         percent ? " %" : "", max, percent ? " %" : "");
}

int tally_words_threshold(const tally_words_t *words, size_t *position,
                          double max, bool percent,
                          tally_threshold_t *threshold, tally_error_t *err) {
  size_t i = *position;
  if (i < words->count && tally_word_is(words->word[i], "off")) {
    *threshold = (tally_threshold_t){0};
    *position = i + 1;
    return 0;
  }
  if (i + 2 > words->count)
    return tally_error_set(err, 0, "two levels are needed, or off");
  tally_threshold_t found = {0};
  if (level(words->word[i], max, percent, &found.warning, err) != 0 ||
      level(words->word[i + 1], max, percent, &found.critical, err) != 0)
    return -1;
  if (found.critical < found.warning)
    return tally_error_set(err, 0, "the critical level is below the warning");
  *threshold = found;
  *position = i + 2;
  return 0;
}
