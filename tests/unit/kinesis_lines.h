/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_KINESIS_LINES_H
#define TALLY_TESTS_KINESIS_LINES_H

/* What a consumer gets out of the scene's stream. */

#include "kinesis_scene.h"

typedef struct line_s {
  char key[64], text[64]; /* the beginning of the data */
  size_t len;
  unsigned shard, call;
} line_t;

typedef struct lines_s {
  line_t *list; /* free it */
  size_t count;
} lines_t;

/* In the order of arrival. `kcl`: without those that a KCL leaves out, because
 * their keys do not belong to the shard they are in. */
lines_t read_lines(const stream_t *stream, bool kcl);

/* Each record of stream_records() once, `count` in all, in order within its
 * key. */
void check_lines(const stream_t *stream, size_t count, bool kcl);

/* Sends as the outbox does, until nothing is left. */
void send_lines(stream_t *stream, const tally_record_t *records, size_t count);

#endif
