/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/kinesis_shards.h"

#include <stdlib.h>
#include <string.h>

void tally_kinesis_shards_clear(tally_kinesis_shards_t *shards) {
  free(shards->list);
  *shards = (tally_kinesis_shards_t){0};
}

/* ---- numbers of 128 bits ------------------------------------------------- */

/* *value = *value * 10 + digit; false: that does not fit. In parts of 32 bits,
 * since not every compiler knows longer products. */
static bool add_digit(tally_kinesis_place_t *value, unsigned digit) {
  uint64_t parts[4] = {value->low & UINT32_MAX, value->low >> 32,
                       value->high & UINT32_MAX, value->high >> 32};
  uint64_t carry = digit;
  for (int i = 0; i < 4; i++) {
    carry += parts[i] * 10;
    parts[i] = carry & UINT32_MAX;
    carry >>= 32;
  }
  value->low = parts[1] << 32 | parts[0];
  value->high = parts[3] << 32 | parts[2];
  return carry == 0;
}

static bool parse_place(const char *text, tally_kinesis_place_t *place) {
  *place = (tally_kinesis_place_t){0};
  if (*text == '\0')
    return false;
  for (; *text != '\0'; text++)
    if (*text < '0' || *text > '9' ||
        !add_digit(place, (unsigned)(*text - '0')))
      return false;
  return true;
}

/* ---- the map ------------------------------------------------------------- */

static int make_room(tally_kinesis_shards_t *shards) {
  if (shards->count < shards->size)
    return 0;
  if (shards->count == TALLY_KINESIS_SHARDS_MAX)
    return -1;
  size_t size = shards->size > 0 ? 2 * shards->size : 16;
  tally_kinesis_shard_t *list = realloc(shards->list, size * sizeof(*list));
  if (list == NULL)
    return -1;
  shards->list = list;
  shards->size = size;
  return 0;
}

int tally_kinesis_shards_add(tally_kinesis_shards_t *shards, const char *id,
                             const char *first, const char *last) {
  tally_kinesis_shard_t shard = {0};
  size_t len = strlen(id);
  if (len == 0 || len >= sizeof(shard.id) ||
      !parse_place(first, &shard.first) || !parse_place(last, &shard.last) ||
      tally_kinesis_place_compare(shard.first, shard.last) > 0 ||
      make_room(shards) != 0)
    return -1;
  memcpy(shard.id, id, len);
  shards->list[shards->count++] = shard;
  return 0;
}

static int by_first(const void *a, const void *b) {
  return tally_kinesis_place_compare(((const tally_kinesis_shard_t *)a)->first,
                                     ((const tally_kinesis_shard_t *)b)->first);
}

void tally_kinesis_shards_sort(tally_kinesis_shards_t *shards) {
  if (shards->count > 1)
    qsort(shards->list, shards->count, sizeof(*shards->list), by_first);
}

static bool has(const tally_kinesis_shard_t *shard,
                tally_kinesis_place_t place) {
  return tally_kinesis_place_compare(shard->first, place) <= 0 &&
         tally_kinesis_place_compare(place, shard->last) <= 0;
}

uint32_t tally_kinesis_shards_find(const tally_kinesis_shards_t *shards,
                                   tally_kinesis_place_t place) {
  size_t low = 0, high = shards->count; /* the last that begins at or before */
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (tally_kinesis_place_compare(shards->list[middle].first, place) <= 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low > 0 && has(&shards->list[low - 1], place) ? (uint32_t)(low - 1)
                                                       : TALLY_KINESIS_NO_SHARD;
}
