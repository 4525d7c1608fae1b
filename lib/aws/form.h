/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_FORM_H
#define TALLY_AWS_FORM_H

/* The bodies of the Query protocol: application/x-www-form-urlencoded. */

#include "core/buffer.h"

#define TALLY_FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"

/* Appends a value with everything encoded but [A-Za-z0-9-_.~]. */
int tally_form_put(tally_buffer_t *form, const char *value, size_t len);
/* How long it is then. */
size_t tally_form_size(const char *value, size_t len);

#endif
