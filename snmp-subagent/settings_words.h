/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_SETTINGS_WORDS_H
#define TALLY_SNMP_SETTINGS_WORDS_H

/*
 * The argument of a directive, cut into words, and what a word may mean.
 *
 * Words are separated by blanks. "Double quotes" keep blanks in a word; inside
 * them \" is a quote, and every other backslash stays what it is, so that
 * regular expressions need no second escaping. A word that begins with # ends
 * the line.
 *
 * All functions return 0, or -1 and *err: what is expected instead.
 */

#include "settings.h"

#define TALLY_WORDS_MAX 16

typedef struct tally_words_s {
  char *text; /* all words, each terminated */
  size_t count;
  const char *word[TALLY_WORDS_MAX];
} tally_words_t;

int tally_words_split(tally_words_t *words, const char *argument,
                      tally_error_t *err);
void tally_words_clear(tally_words_t *words);

/* Exactly one word. */
int tally_words_one(const tally_words_t *words, tally_error_t *err);

/* A decimal number; neither hexadecimal nor infinite. */
int tally_word_number(const char *word, double min, double max, double *number,
                      tally_error_t *err);
/* on, yes, true or off, no, false. */
int tally_word_bool(const char *word, bool *value, tally_error_t *err);
/* Begins with a slash. */
int tally_word_path(const char *word, tally_error_t *err);
bool tally_word_is(const char *word, const char *expected);

/*
 * "WARNING CRITICAL" or "off" from words->word[*position] on, each at most
 * `max` and, if `percent`, with a "%" behind it if the writer likes. Moves the
 * position behind it.
 */
int tally_words_threshold(const tally_words_t *words, size_t *position,
                          double max, bool percent,
                          tally_threshold_t *threshold, tally_error_t *err);

#endif
