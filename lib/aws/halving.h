/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_HALVING_H
#define TALLY_AWS_HALVING_H

/*
 * A call that carries many records and is refused as a whole because of one of
 * them: halves are sent until that one stands alone. Pieces come from the first
 * record to the last, so order is kept; nothing is given up that was not
 * refused alone. One bad record among n costs about log2(n) calls more.
 *
 *   tally_halving_t halving = {.count = count};
 *   size_t n;
 *   while ((n = tally_halving_next(&halving)) > 0) {
 *     size_t at = halving.at;
 *     … send records at … at + n - 1 …
 *     if (taken)
 *       tally_halving_taken(&halving);
 *     else if (refused because of what it carries) {
 *       if (tally_halving_refused(&halving))
 *         … records[at] is the bad one …
 *     } else
 *       break; // nothing is known about the records from `at` on
 *   }
 */

#include <stdbool.h>
#include <stddef.h>

typedef struct tally_halving_s {
  size_t count; /* of records, set by the caller; the rest begins as zero */
  size_t at;    /* the first one of which nothing is known */

  /* private */
  size_t piece;
  size_t bad_end; /* one from `at` up to here is bad; not beyond `at`: who
                     knows */
} tally_halving_t;

/* How many records to send next, from `at` on; 0: all are done. */
static inline size_t tally_halving_next(tally_halving_t *halving) {
  halving->piece = halving->bad_end > halving->at
                       ? (halving->bad_end - halving->at + 1) / 2
                       : halving->count - halving->at;
  return halving->piece;
}

static inline void tally_halving_taken(tally_halving_t *halving) {
  halving->at += halving->piece;
}

/* true: there was only one, and it is done with. */
static inline bool tally_halving_refused(tally_halving_t *halving) {
  if (halving->piece > 1) {
    halving->bad_end = halving->at + halving->piece;
    return false;
  }
  halving->at++;
  halving->bad_end = 0;
  return true;
}

#endif
