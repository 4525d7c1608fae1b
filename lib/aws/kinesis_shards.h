/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_KINESIS_SHARDS_H
#define TALLY_AWS_KINESIS_SHARDS_H

/*
 * Which shard takes which keys: each open shard a range of the places that
 * partition keys have. There may be holes while a stream is split or merged.
 */

#include "aws/kinesis_key.h"

#define TALLY_KINESIS_SHARDS_MAX 10000
#define TALLY_KINESIS_SHARD_ID 64 /* with its NUL; usual are 21 */
#define TALLY_KINESIS_NO_SHARD UINT32_MAX

typedef struct tally_kinesis_shard_s {
  tally_kinesis_place_t first, last; /* both belong to it */
  char id[TALLY_KINESIS_SHARD_ID];
} tally_kinesis_shard_t;

/* Empty: zeros. */
typedef struct tally_kinesis_shards_s {
  tally_kinesis_shard_t *list;
  size_t count, size;
} tally_kinesis_shards_t;

void tally_kinesis_shards_clear(tally_kinesis_shards_t *shards);

/* The range as ListShards writes it, in decimal. -1: that is no range or no
 * name, too many shards, no memory. */
int tally_kinesis_shards_add(tally_kinesis_shards_t *shards, const char *id,
                             const char *first, const char *last);
/* After the last one was added, before the first is looked for. */
void tally_kinesis_shards_sort(tally_kinesis_shards_t *shards);

/* TALLY_KINESIS_NO_SHARD: none has that place. */
uint32_t tally_kinesis_shards_find(const tally_kinesis_shards_t *shards,
                                   tally_kinesis_place_t place);

#endif
