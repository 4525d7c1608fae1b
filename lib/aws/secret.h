/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_SECRET_H
#define TALLY_AWS_SECRET_H

/* Memory that leaves nothing behind. */

#include <stdbool.h>

#include "core/buffer.h"

void tally_secret_wipe(void *data, size_t len);

/* strdup(), and free() after wiping; NULL is allowed. */
char *tally_secret_copy(const char *text);
void tally_secret_free(char *text);

/* A buffer cannot wipe what it leaves behind when it grows: reserve first. -1:
 * no memory. */
int tally_secret_buffer_init(tally_buffer_t *buffer, size_t size);
void tally_secret_buffer_clear(tally_buffer_t *buffer);
#define tally_secret_autobuffer                                                \
  __attribute__((cleanup(tally_secret_buffer_clear)))

/* Copies what fits with its NUL; false (and "" in `target`): it is empty, too
 * long, or has a character that no header may have. */
bool tally_secret_take(char *target, size_t size, const char *text);

#endif
