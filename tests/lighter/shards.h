/* SPDX-License-Identifier: MIT */
#ifndef LIGHTER_SHARDS_H
#define LIGHTER_SHARDS_H

/* Streams and their shards. Every stream that is asked for exists. */

#include <stdbool.h>
#include <stddef.h>

#include <uthash.h>

#define SHARDS_MAX 512 /* of a stream, closed ones included */

__extension__ typedef unsigned __int128 hash_key_t;

typedef struct shard_s {
  char id[32];            /* "shardId-000000000007" */
  hash_key_t first, last; /* of its range, both included */
  bool open;
} shard_t;

typedef struct stream_s {
  UT_hash_handle hh;
  shard_t shards[SHARDS_MAX]; /* a shard's number is its place */
  size_t count;
  char name[];
} stream_t;

typedef struct streams_s {
  stream_t *by_name;
  size_t shards; /* of a new stream */
} streams_t;

#define STREAMS_MAX 1000

/* Made if need be; NULL: there are too many. */
stream_t *streams_get(streams_t *streams, const char *name);
void streams_clear(streams_t *streams);

/* Closes all open shards and opens `count` new ones of equal size. False: they
 * would be too many. */
bool stream_reshard(stream_t *stream, size_t count);

hash_key_t hash_of_key(const char *key, size_t len); /* MD5 */
/* The open shard whose range it is in. */
const shard_t *stream_shard(const stream_t *stream, hash_key_t hash);

#define HASH_KEY_SIZE 40 /* 39 digits */
const char *hash_key_text(hash_key_t hash, char text[HASH_KEY_SIZE]);
/* False: it is none. */
bool hash_key_parse(const char *text, hash_key_t *hash);

#endif
