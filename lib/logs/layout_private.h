/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_LAYOUT_PRIVATE_H
#define TALLY_LOGS_LAYOUT_PRIVATE_H

/* The two halves of lib/logs/layout.h: texts, and the JSON object. */

#include "logs/layout.h"

int tally_log_json_write(const tally_log_speaker_t *speaker,
                         const tally_log_text_t *text, tally_buffer_t *out);
/* How many bytes of the text fit, and at most its length. */
size_t tally_log_json_fit(const tally_log_speaker_t *speaker,
                          const tally_log_text_t *text, size_t room);

/* "YYYY-MM-DD HH:MM:SS", with `between` between date and time. No NUL. */
#define TALLY_LOG_SECONDS_LEN 19
void tally_log_format_seconds(uint64_t time_ns, char between,
                              char text[TALLY_LOG_SECONDS_LEN]);

#endif
