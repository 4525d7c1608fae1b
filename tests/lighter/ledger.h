/* SPDX-License-Identifier: MIT */
#ifndef LIGHTER_LEDGER_H
#define LIGHTER_LEDGER_H

/*
 * What was taken, in the order of taking, as lines of text:
 *
 *   C 12 lines            call 12 begins, for the stream "lines"
 *   K 3 web               from now on key number 3 is "web"
 *   T 12 3 4711           call 12 took number 4711 of key number 3
 *   A 12                  its answer has been written, to the last byte
 *   S 12                  and was seen: the client has asked for more on that
 *                         connection
 *   M 12 cpu 60 4.5       a metric's datum: 60 samples, which add up to 4.5
 *
 * A record's key and number are found behind a mark in its data: with the mark
 * "line=" in "… line=web/4711 …". Without a key there it is the one that the
 * service knows (partition key, log stream).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ledger_s ledger_t;

/* `path` NULL: nothing is written, only counted. NULL: a message is on
 * stderr. */
ledger_t *ledger_create(const char *path, const char *mark);
void ledger_destroy(ledger_t *ledger);
void ledger_flush(ledger_t *ledger);

typedef struct ledger_counts_s {
  uint64_t calls, taken, unmarked; /* the latter of taken records */
} ledger_counts_t;
const ledger_counts_t *ledger_counts(const ledger_t *ledger);

/* A number for a call that takes something. */
uint64_t ledger_call(ledger_t *ledger, const char *resource);
void ledger_answered(ledger_t *ledger, uint64_t call);
void ledger_seen(ledger_t *ledger, uint64_t call);
void ledger_take(ledger_t *ledger, uint64_t call, const char *key,
                 size_t key_len, const char *data, size_t len);
void ledger_take_datum(ledger_t *ledger, uint64_t call, const char *name,
                       double samples, double sum);

#endif
