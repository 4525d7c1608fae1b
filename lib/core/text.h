/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_TEXT_H
#define TALLY_CORE_TEXT_H

#include <stddef.h>

/*
 * Foreign text made fit for one line of a log or a message: control characters
 * become blanks, bytes that are not UTF-8 become '?', and a character that was
 * cut at the end (by a bounded copy) disappears. In place; never longer.
 */
void tally_text_tidy(char *text);

/* A bounded copy of `source` (NULL: empty), tidied. Returns `target`. */
char *tally_text_copy(char *target, size_t size, const char *source);

#endif
