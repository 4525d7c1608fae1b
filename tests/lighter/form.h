/* SPDX-License-Identifier: MIT */
#ifndef LIGHTER_FORM_H
#define LIGHTER_FORM_H

/* application/x-www-form-urlencoded, as services with the query protocol speak
 * it, plain or in gzip. */

#include "http.h"

#define FORM_MAX (64U << 20) /* bytes after gzip */

/* The body as text, to be freed; NULL: it is none, or too large. */
char *form_body(const http_request_t *request);

/* The value of the first `name`, decoded, to be freed; NULL: there is none. */
char *form_get(const char *form, const char *name);

/* Calls back for each pair, decoded, in their order; takes `form` apart. */
void form_each(char *form,
               void (*each)(const char *name, const char *value, void *data),
               void *data);

#endif
