/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/kinesis_plan.h"

#include <stdlib.h>
#include <string.h>

#define NO_LANE UINT32_MAX

void tally_kinesis_plan_clear(tally_kinesis_plan_t *plan) {
  free(plan->lanes);
  free(plan->next);
  free(plan->places);
  free(plan->slots);
  *plan = (tally_kinesis_plan_t){0};
}

static int make_room(tally_kinesis_plan_t *plan, size_t count, size_t slots) {
  if (count <= plan->records_size && slots <= plan->slots_size)
    return 0;
  tally_kinesis_plan_clear(plan);
  plan->lanes = calloc(count, sizeof(*plan->lanes));
  plan->next = calloc(count, sizeof(*plan->next));
  plan->places = calloc(count, sizeof(*plan->places));
  plan->slots = calloc(slots, sizeof(*plan->slots));
  plan->records_size = count;
  plan->slots_size = slots;
  if (plan->lanes != NULL && plan->next != NULL && plan->places != NULL &&
      plan->slots != NULL)
    return 0;
  tally_kinesis_plan_clear(plan);
  return -1;
}

int tally_kinesis_plan_begin(tally_kinesis_plan_t *plan, size_t count) {
  size_t slots = 16;
  while (slots < 2 * count)
    slots *= 2;
  if (make_room(plan, count, slots) != 0)
    return -1;
  plan->slots_count = slots;
  memset(plan->slots, 0xff, slots * sizeof(*plan->slots)); /* NO_LANE */
  plan->lanes_count = plan->turn = 0;
  return 0;
}

static tally_kinesis_lane_t *find_lane(tally_kinesis_plan_t *plan, uint64_t id,
                                       uint32_t shard) {
  size_t mask = plan->slots_count - 1;
  size_t at = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
  for (; plan->slots[at] != NO_LANE; at = (at + 1) & mask)
    if (plan->lanes[plan->slots[at]].id == id)
      return &plan->lanes[plan->slots[at]];
  plan->slots[at] = (uint32_t)plan->lanes_count;
  tally_kinesis_lane_t *lane = &plan->lanes[plan->lanes_count++];
  *lane = (tally_kinesis_lane_t){
      .id = id, .first = TALLY_KINESIS_NO_RECORD, .shard = shard};
  return lane;
}

void tally_kinesis_plan_add(tally_kinesis_plan_t *plan, uint32_t record,
                            tally_kinesis_place_t place, uint64_t lane_id,
                            uint32_t shard) {
  tally_kinesis_lane_t *lane = find_lane(plan, lane_id, shard);
  plan->next[record] = TALLY_KINESIS_NO_RECORD;
  plan->places[record] = place;
  if (lane->first == TALLY_KINESIS_NO_RECORD)
    lane->first = record;
  else
    plan->next[lane->last] = record;
  lane->last = record;
}
