/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_SINK_LIST_H
#define TALLY_LOGS_SINK_LIST_H

/* Which sinks have a spool: a file with a line "KIND TARGET" for each. */

#include "core/buffer.h"
#include "core/error.h"

/* Calls back for each line that makes sense. No file is an empty one. */
void tally_log_sink_list_each(const char *path,
                              void (*each)(const char *kind, const char *target,
                                           void *data),
                              void *data);

/* Whether a target can stand in a line. */
bool tally_log_sink_list_takes(const char *target);
int tally_log_sink_list_add(tally_buffer_t *text, const char *kind,
                            const char *target);
int tally_log_sink_list_save(const char *path, const tally_buffer_t *text,
                             tally_error_t *err);

#endif
