/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_UTF8_H
#define TALLY_CORE_UTF8_H

/* Which bytes are UTF-8 (Unicode 15, table 3-7: no overlong forms, no
 * surrogates, nothing above U+10FFFF). */

#include <stddef.h>

#define TALLY_UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* Length of the character at `bytes`, of which `len` (at least 1) are there;
 * 0: there is none. */
size_t tally_utf8_character(const char *bytes, size_t len);

/* How many bytes belong to no character. */
size_t tally_utf8_count_bad(const char *bytes, size_t len);

/* Where to cut so that at most `most` bytes remain: there, or in front of the
 * character that would be cut in two. */
size_t tally_utf8_cut(const char *bytes, size_t len, size_t most);

#endif
