/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"

#include "write_cloudwatch_hold.h"

#include "utils/metadata/meta_data.h"

static write_cloudwatch_held_t *copy(const value_list_t *vl) {
  write_cloudwatch_held_t *held = calloc(1, sizeof(*held));
  value_t *values = calloc(vl->values_len, sizeof(*values));
  if (held == NULL || values == NULL) {
    free(held);
    free(values);
    return NULL;
  }
  memcpy(values, vl->values, vl->values_len * sizeof(*values));
  held->vl = *vl;
  held->vl.values = values;
  held->vl.meta = vl->meta != NULL ? meta_data_clone(vl->meta) : NULL;
  return held;
}

bool write_cloudwatch_hold_put(write_cloudwatch_hold_t *hold,
                               const value_list_t *vl, gauge_t *rates) {
  if (hold->count >= WRITE_CLOUDWATCH_HOLD_MAX)
    return false;
  write_cloudwatch_held_t *held = copy(vl);
  if (held == NULL)
    return false;
  held->rates = rates;
  if (hold->last != NULL)
    hold->last->next = held;
  else
    hold->first = held;
  hold->last = held;
  hold->count++;
  return true;
}

write_cloudwatch_held_t *
write_cloudwatch_hold_take(write_cloudwatch_hold_t *hold) {
  write_cloudwatch_held_t *first = hold->first;
  memset(hold, 0, sizeof(*hold));
  return first;
}

void write_cloudwatch_held_free(write_cloudwatch_held_t *held) {
  meta_data_destroy(held->vl.meta);
  free(held->vl.values);
  free(held->rates);
  free(held);
}
