/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_KINESIS_PLAN_H
#define TALLY_AWS_KINESIS_PLAN_H

/*
 * The records of a batch in lanes. What stands in one lane goes in its order:
 * a key, or a shard that takes aggregates, or everything where there is no
 * order to keep. Lanes know nothing of each other.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/kinesis_key.h"

#define TALLY_KINESIS_NO_RECORD UINT32_MAX

typedef struct tally_kinesis_lane_s {
  uint64_t id;
  uint32_t first, last; /* of those that wait; TALLY_KINESIS_NO_RECORD */
  uint32_t shard;       /* where it leads; TALLY_KINESIS_NO_SHARD: not known */
  bool stopped;         /* nothing of it goes any more with this batch */
} tally_kinesis_lane_t;

/* Empty: zeros. */
typedef struct tally_kinesis_plan_s {
  tally_kinesis_lane_t *lanes;
  size_t lanes_count;
  uint32_t *next;                /* of a record in its lane */
  tally_kinesis_place_t *places; /* of the records' keys */
  size_t turn;                   /* the lane that comes next */

  /* private */
  uint32_t *slots; /* hash table of lanes */
  size_t slots_count, slots_size, records_size;
} tally_kinesis_plan_t;

void tally_kinesis_plan_clear(tally_kinesis_plan_t *plan);

/* For a batch of `count` records. -1: no memory. */
int tally_kinesis_plan_begin(tally_kinesis_plan_t *plan, size_t count);
/* Records in their order. */
void tally_kinesis_plan_add(tally_kinesis_plan_t *plan, uint32_t record,
                            tally_kinesis_place_t place, uint64_t lane_id,
                            uint32_t shard);

#endif
