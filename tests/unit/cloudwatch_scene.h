/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_CLOUDWATCH_SCENE_H
#define TALLY_TESTS_CLOUDWATCH_SCENE_H

/* A destination of metrics, and a batch for it. */

#include "aws/cloudwatch.h"
#include "unit.h"

#define DATA_MAX 1000

typedef struct ship_s {
  tally_destination_t destination;
  tally_outbox_options_t outbox;
  tally_gatherer_t *gatherer;
  tally_record_t records[DATA_MAX];
  tally_fate_t fates[DATA_MAX];
  size_t count;
  tally_answer_t answer;
  tally_error_t err;
} ship_t;

extern ship_t ship;

void load_ship(void); /* an empty one, without a destination */
void sink(void);

/* A datum of one value, at the end of the batch. */
void take(const char *namespace_, const char *name, double value);
int send_all(void);
/* One letter each: sent, retry, unsure, refused (x). */
void expect_fates(const char *fates);

#endif
