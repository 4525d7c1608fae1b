/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_BASE64_H
#define TALLY_CORE_BASE64_H

#include <stddef.h>

/* What `len` bytes become: RFC 4648, section 4, with padding. */
#define TALLY_BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Writes TALLY_BASE64_LEN(len) characters, no NUL, and returns their number. */
size_t tally_base64_encode(char *out, const void *data, size_t len);

#endif
