/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_JSON_H
#define TALLY_CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/*
 * JSON read into a tree, by yajl, with bounds on everything.
 *
 * The input is taken to be hostile: its size is the caller's (bounded) buffer,
 * nesting is limited to TALLY_JSON_DEPTH_MAX, and the memory of the tree is
 * limited to a fixed multiple of the text. Strings are checked to be UTF-8 and
 * an embedded NUL (\u0000) ends the string early.
 *
 * All getters accept NULL and the wrong kind of value and answer with "nothing"
 * (NULL, false, the default), so that look-ups can be chained without checks.
 */
#define TALLY_JSON_DEPTH_MAX 64

typedef struct tally_json_s tally_json_t; /* one value; owned by its document */

/* Parses exactly one JSON text. The result owns every value below it; give it
 * back with tally_json_destroy(). NULL and *err set if it is not JSON. */
tally_json_t *tally_json_parse(const char *text, size_t len,
                               tally_error_t *err);
void tally_json_destroy(tally_json_t *document);

/* Member `key` of an object. */
const tally_json_t *tally_json_get(const tally_json_t *object, const char *key);
/* The same for a path of keys that ends with NULL:
 * tally_json_find (doc, "State", "Health", "Status", NULL). */
const tally_json_t *tally_json_find(const tally_json_t *object, ...)
    __attribute__((sentinel));

/* NULL unless the value is a string. Lives as long as the document. */
const char *tally_json_string(const tally_json_t *value);
/* `fallback` unless the value is a whole number that fits. */
int64_t tally_json_int(const tally_json_t *value, int64_t fallback);
bool tally_json_bool(const tally_json_t *value, bool fallback);

/* Elements of an array, members of an object; 0 for anything else. */
size_t tally_json_count(const tally_json_t *value);
/* Element or member number `i`; `key` may be NULL, and is set to NULL for the
 * elements of an array. */
const tally_json_t *tally_json_at(const tally_json_t *value, size_t i,
                                  const char **key);

/*
 * Cuts a byte stream into JSON texts.
 *
 * There is no relation between what one read() returns and one event: several
 * may arrive glued together, one may arrive in pieces. The framer finds where a
 * text at the top level ends by following nesting and strings; it does not
 * check the text (the parser does).
 */
typedef struct tally_json_framer_s tally_json_framer_t;

/* `cap`: the longest text that is accepted, in bytes. NULL: out of memory. */
tally_json_framer_t *tally_json_framer_create(size_t cap);
void tally_json_framer_destroy(tally_json_framer_t *framer);
/* Forgets what it has (a new connection begins). */
void tally_json_framer_reset(tally_json_framer_t *framer);

/* Calls back once for each complete text in order. A callback that returns
 * non-zero stops and that value is returned. -1 and *err: a text exceeds the
 * cap, or something other than an object stands at the top level; the stream
 * cannot be trusted any more, the caller should reconnect. */
typedef int (*tally_json_framer_callback_t)(const char *text, size_t len,
                                            void *data);
int tally_json_framer_feed(tally_json_framer_t *framer, const char *bytes,
                           size_t len, tally_json_framer_callback_t callback,
                           void *data, tally_error_t *err);

/* Appends `s` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
 * -1: the buffer's cap. */
struct tally_buffer_s;
int tally_json_quote(struct tally_buffer_s *out, const char *s);
/* The same for bytes among which may be NUL (\u0000); each byte that is not
 * UTF-8 becomes `bad`, which needs no quoting itself. */
int tally_json_quote_bytes(struct tally_buffer_s *out, const char *bytes,
                           size_t len, const char *bad);

#endif
