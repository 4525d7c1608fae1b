/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ledger.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#define FILE_BUFFER (1U << 20)
#define KEYS_MAX 1000000

typedef struct ledger_key_s {
  UT_hash_handle hh;
  uint64_t number;
  char text[];
} ledger_key_t;

struct ledger_s {
  FILE *file; /* NULL: none */
  const char *mark;
  size_t mark_len;
  ledger_key_t *keys;
  ledger_counts_t counts;
};

ledger_t *ledger_create(const char *path, const char *mark) {
  ledger_t *ledger = calloc(1, sizeof(*ledger));
  if (ledger == NULL)
    return NULL;
  ledger->mark = mark;
  ledger->mark_len = strlen(mark);
  if (path == NULL)
    return ledger;
  ledger->file = fopen(path, "we");
  if (ledger->file == NULL) {
    fprintf(stderr, "lighter: open %s: %s\n", path, strerror(errno));
    free(ledger);
    return NULL;
  }
  setvbuf(ledger->file, NULL, _IOFBF, FILE_BUFFER);
  return ledger;
}

void ledger_destroy(ledger_t *ledger) {
  ledger_key_t *key, *next;
  HASH_ITER(hh, ledger->keys, key, next) {
    HASH_DEL(ledger->keys, key);
    free(key);
  }
  if (ledger->file != NULL)
    fclose(ledger->file);
  free(ledger);
}

void ledger_flush(ledger_t *ledger) {
  if (ledger->file != NULL)
    fflush(ledger->file);
}

const ledger_counts_t *ledger_counts(const ledger_t *ledger) {
  return &ledger->counts;
}

/* ---- calls
 * ------------------------------------------------------------------- */

uint64_t ledger_call(ledger_t *ledger, const char *resource) {
  uint64_t call = ++ledger->counts.calls;
  if (ledger->file != NULL)
    fprintf(ledger->file, "C %" PRIu64 " %s\n", call, resource);
  return call;
}

void ledger_answered(ledger_t *ledger, uint64_t call) {
  if (ledger->file != NULL)
    fprintf(ledger->file, "A %" PRIu64 "\n", call);
}

void ledger_seen(ledger_t *ledger, uint64_t call) {
  if (ledger->file != NULL)
    fprintf(ledger->file, "S %" PRIu64 "\n", call);
}

/* ---- records
 * ----------------------------------------------------------------- */

static bool is_key_character(char c) {
  return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-';
}

static const char *skip_digits(const char *p, const char *end) {
  while (p < end && isdigit((unsigned char)*p))
    p++;
  return p;
}

/* Finds the number, and the key if there is one. False: no mark. */
static bool find_number(const ledger_t *ledger, const char *data, size_t len,
                        const char **key, size_t *key_len, uint64_t *number) {
  const char *p = memmem(data, len, ledger->mark, ledger->mark_len);
  const char *end = data + len;
  if (ledger->mark_len == 0 || p == NULL)
    return false;
  p += ledger->mark_len;
  const char *q = p;
  while (q < end && is_key_character(*q))
    q++;
  if (q < end && *q == '/' && q > p) {
    *key = p;
    *key_len = (size_t)(q - p);
    p = q + 1;
  }
  const char *after = skip_digits(p, end);
  if (after == p || after - p > 18)
    return false;
  *number = 0;
  for (; p < after; p++)
    *number = *number * 10 + (uint64_t)(*p - '0');
  return true;
}

/* New keys are written down when they are met. False: too many. */
static bool number_of_key(ledger_t *ledger, const char *key, size_t len,
                          uint64_t *number) {
  ledger_key_t *known;
  HASH_FIND(hh, ledger->keys, key, len, known);
  if (known == NULL) {
    size_t count = HASH_COUNT(ledger->keys);
    if (count == KEYS_MAX || (known = malloc(sizeof(*known) + len + 1)) == NULL)
      return false;
    known->number = count;
    memcpy(known->text, key, len);
    known->text[len] = '\0';
    HASH_ADD_KEYPTR(hh, ledger->keys, known->text, len, known);
    fprintf(ledger->file, "K %" PRIu64 " %s\n", known->number, known->text);
  }
  *number = known->number;
  return true;
}

void ledger_take(ledger_t *ledger, uint64_t call, const char *key,
                 size_t key_len, const char *data, size_t len) {
  ledger->counts.taken++;
  uint64_t sequence, number;
  if (!find_number(ledger, data, len, &key, &key_len, &sequence))
    ledger->counts.unmarked++;
  else if (ledger->file != NULL && number_of_key(ledger, key, key_len, &number))
    fprintf(ledger->file, "T %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", call,
            number, sequence);
}

void ledger_take_datum(ledger_t *ledger, uint64_t call, const char *name,
                       double samples, double sum) {
  ledger->counts.taken++;
  if (ledger->file != NULL)
    fprintf(ledger->file, "M %" PRIu64 " %s %.17g %.17g\n", call, name, samples,
            sum);
}
