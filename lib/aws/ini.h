/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_INI_H
#define TALLY_AWS_INI_H

/*
 * The format of AWS's shared files.
 *
 *   [profile web]             a title: blanks made one, quotes dropped
 *   region = eu-west-1 # why  key in any case, value up to " #" or " ;"
 *   s3 =
 *     endpoint_url = …        a key below it: "s3.endpoint_url"
 *
 * Where a title or a key comes twice, the last word counts. What is no line of
 * this kind is passed over, as the SDKs do; a file of more than TALLY_INI_MAX
 * bytes or lines is refused. Reading is thread safe.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

#define TALLY_INI_MAX (1024 * 1024)
#define TALLY_INI_KEYS_MAX 20000

typedef struct tally_ini_s tally_ini_t;

tally_ini_t *tally_ini_parse(const char *text, size_t len, tally_error_t *err);
/* Wipes and frees; NULL is allowed. */
void tally_ini_destroy(tally_ini_t *ini);

bool tally_ini_has(const tally_ini_t *ini, const char *title);
/* NULL: no such key, or an empty value. `ini` may be NULL. */
const char *tally_ini_get(const tally_ini_t *ini, const char *title,
                          const char *key);

#endif
