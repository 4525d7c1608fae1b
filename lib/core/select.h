/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_SELECT_H
#define TALLY_CORE_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

/*
 * A list of patterns in the convention of collectd's ignore lists.
 *
 * A pattern between slashes ("/^web-/") is an extended POSIX regular
 * expression that may match anywhere; anything else must be equal. Built
 * during configuration by one thread, then read by any number.
 */
typedef struct tally_select_s tally_select_t;

tally_select_t *tally_select_create(void); /* NULL: out of memory */
void tally_select_destroy(tally_select_t *list);

/* -1 and *err (the pattern and what regcomp says of it) if it does not
 * compile; the list is unchanged then. */
int tally_select_add(tally_select_t *list, const char *pattern,
                     tally_error_t *err);

bool tally_select_is_empty(const tally_select_t *list); /* NULL is empty */
/* Whether any pattern matches. An empty list or NULL matches nothing. */
bool tally_select_match(const tally_select_t *list, const char *text);

#endif
