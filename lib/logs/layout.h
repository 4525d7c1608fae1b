/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_LAYOUT_H
#define TALLY_LOGS_LAYOUT_H

/*
 * What a line of a container looks like as a record.
 *
 *   kinesis     YYYY-MM-DD HH:MM:SS PROCESS:RELEASE/ID12 TEXT
 *   cloudwatch  PROCESS:RELEASE/ID12 TEXT
 *   raw         TEXT
 *   json        one object, see below
 *
 * PROCESS and RELEASE are variables of the container's environment, empty if it
 * has none; ID12 are the first 12 digits of its id; the time is Docker's, in
 * UTC. TEXT are the bytes as they were written; there is no newline at the end.
 *
 * A sentence of our own about the container (it started, it died) has no
 * PROCESS:RELEASE/ID12 in front, as it names its speaker itself.
 *
 * A line that is longer than a sink takes becomes several records, cut between
 * characters. In texts each says so in front of its TEXT: "[part 1, more] ", …,
 * "[part 3, last] ".
 *
 * The object, members in this order, those in brackets only where there is
 * something to say:
 *
 *   time            RFC 3339 with nanoseconds, UTC
 *   stream          "stdout", "stderr"; "agent" of a sentence
 *   container_id, container_name, image
 *   app             APP, or taken from a name: tally_log_app_name()
 *   process, release
 *   host, [instance]
 *   [labels]        {"key":"value"} of those that were chosen
 *   [part, last]    number and boolean, of the records of a long line
 *   message, or message_base64 where the bytes are not UTF-8
 *
 * Contract: convox/agent 0.73 for the first two, and for the name of the app.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/error.h"
#include "core/select.h"
#include "docker/docker.h"

typedef enum tally_log_layout_e {
  TALLY_LOG_LAYOUT_NONE = 0, /* not said */
  TALLY_LOG_LAYOUT_KINESIS,
  TALLY_LOG_LAYOUT_CLOUDWATCH,
  TALLY_LOG_LAYOUT_RAW,
  TALLY_LOG_LAYOUT_JSON,
} tally_log_layout_t;

/* ---- who speaks ---------------------------------------------------------- */

/* What all records of one container have in common, prepared once. */
typedef struct tally_log_speaker_s {
  char *tag;     /* "web:R1/0123456789ab " */
  char *members; /* "container_id":…, to the labels, with a comma at the end */
} tally_log_speaker_t;

/* Labels whose key matches are carried; NULL: none. Values are bounded: 256
 * bytes of PROCESS and RELEASE, 16 KiB of all members. -1 and *err: no
 * memory. */
int tally_log_speaker_init(tally_log_speaker_t *speaker,
                           const tally_container_t *container,
                           const tally_select_t *labels, const char *host,
                           tally_error_t *err);
void tally_log_speaker_clear(tally_log_speaker_t *speaker);

/* The app that a container belongs to: APP of its environment; else LOG_GROUP,
 * or if that is empty KINESIS, without its last two parts ("shop-web-LogGroup-
 * 7Q" is "shop-web"), if it has more than two. "" if nothing says. */
void tally_log_app_name(const tally_container_t *container, char *name,
                        size_t size);

/* ---- a record ------------------------------------------------------------ */

typedef enum tally_log_voice_e {
  TALLY_LOG_VOICE_STDOUT = 0,
  TALLY_LOG_VOICE_STDERR,
  TALLY_LOG_VOICE_AGENT,
} tally_log_voice_t;

/* Borrowed. */
typedef struct tally_log_text_s {
  const char *text;
  size_t len;
  uint64_t time_ns; /* since 1970 */
  tally_log_voice_t voice;
  unsigned part;        /* 0: whole */
  bool last;            /* of its parts */
  const char *instance; /* "i-0123…"; NULL or "": not known */
} tally_log_text_t;

/* How many bytes of the text go into a record of at most `room` bytes; at least
 * one, if there are any. With part 0 that is a record without a mark. `room`
 * must be 32 KiB or more. */
size_t tally_log_layout_fit(tally_log_layout_t layout,
                            const tally_log_speaker_t *speaker,
                            const tally_log_text_t *text, size_t room);

/* Appends the record. -1: the buffer's cap, no memory. */
int tally_log_layout_write(tally_log_layout_t layout,
                           const tally_log_speaker_t *speaker,
                           const tally_log_text_t *text, tally_buffer_t *out);

#endif
