/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_CLOUDWATCH_LOGS_SCENE_H
#define TALLY_TESTS_CLOUDWATCH_LOGS_SCENE_H

/* A log group `web' behind a server that says what a test tells it to. */

#include "aws_scene.h"

#include "aws/cloudwatch_logs_private.h"

#define PUT "Logs_20140328.PutLogEvents"
#define MAKE_STREAM "Logs_20140328.CreateLogStream"
#define MAKE_GROUP "Logs_20140328.CreateLogGroup"
#define RETENTION "Logs_20140328.PutRetentionPolicy"
#define NOW_MS UINT64_C(1700000000000)
#define RECORDS_MAX 64

/* The next `times` requests (-1: all) with that text are refused so, or taken.
 */
void refuse(scene_t *scene, const char *part, int times, const char *code,
            const char *words);
void take(scene_t *scene, const char *part, int times);

tally_destination_t open_group(scene_t *scene,
                               const tally_cloudwatch_logs_options_t *options);
tally_destination_t open_web(scene_t *scene);   /* makes no group */
tally_destination_t open_hasty(scene_t *scene); /* the same, but it does not
                                                   wait long for answers */

typedef struct batch_s {
  tally_record_t records[RECORDS_MAX];
  tally_fate_t fates[RECORDS_MAX];
  size_t count;
  tally_answer_t answer;
  tally_error_t err;
} batch_t;

void add_at(batch_t *batch, const char *key, const char *text,
            uint64_t time_ms);
/* BATCH("stream message", …): a millisecond apart. Until the next one. */
batch_t batch_of(const char *const *texts, size_t count);
#define BATCH(...)                                                             \
  batch_of((const char *const[]){__VA_ARGS__},                                 \
           COUNT_OF(((const char *const[]){__VA_ARGS__})))

int send_batch(tally_destination_t *to, batch_t *batch);

/* S(ent), R(etry), X (refused), U(nsure) for each record. */
void expect_fates(const batch_t *batch, const char *expected);
/* In *err. */
void expect_words(const batch_t *batch, const char *words);
/* Request number `i` of the operation: its members, and messages with commas
 * between them; "" where there are none. */
void expect_request(scene_t *scene, const char *operation, unsigned i,
                    const char *stream, const char *messages,
                    const char *token);
void expect_put(scene_t *scene, unsigned i, const char *stream,
                const char *messages);

tally_cloudwatch_logs_stats_t stats_of(const tally_destination_t *to);

#endif
