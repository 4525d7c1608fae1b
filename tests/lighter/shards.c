/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "shards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

/* ---- hash keys
 * --------------------------------------------------------------- */

hash_key_t hash_of_key(const char *key, size_t len) {
  unsigned char digest[16];
  EVP_Digest(key, len, digest, NULL, EVP_md5(), NULL);
  hash_key_t hash = 0;
  for (size_t i = 0; i < sizeof(digest); i++)
    hash = hash << 8 | digest[i];
  return hash;
}

const char *hash_key_text(hash_key_t hash, char text[HASH_KEY_SIZE]) {
  char *p = text + HASH_KEY_SIZE - 1;
  *p = '\0';
  do {
    *--p = (char)('0' + (int)(hash % 10));
    hash /= 10;
  } while (hash != 0);
  return p;
}

bool hash_key_parse(const char *text, hash_key_t *hash) {
  size_t len = strspn(text, "0123456789");
  *hash = 0;
  for (const char *p = text; p < text + len; p++) {
    hash_key_t digit = (hash_key_t)(*p - '0');
    if (*hash > (~(hash_key_t)0 - digit) / 10)
      return false;
    *hash = *hash * 10 + digit;
  }
  return len > 0 && text[len] == '\0';
}

/* ---- streams
 * ----------------------------------------------------------------- */

bool stream_reshard(stream_t *stream, size_t count) {
  if (count == 0 || count > SHARDS_MAX - stream->count)
    return false;
  for (size_t i = 0; i < stream->count; i++)
    stream->shards[i].open = false;
  hash_key_t size = ~(hash_key_t)0 / count;
  for (size_t i = 0; i < count; i++) {
    shard_t *shard = &stream->shards[stream->count];
    *shard = (shard_t){.open = true, .first = i * size};
    shard->last = i + 1 < count ? (i + 1) * size - 1 : ~(hash_key_t)0;
    snprintf(shard->id, sizeof(shard->id), "shardId-%012zu", stream->count);
    stream->count++;
  }
  return true;
}

const shard_t *stream_shard(const stream_t *stream, hash_key_t hash) {
  size_t i = 0;
  while (!stream->shards[i].open || hash < stream->shards[i].first ||
         hash > stream->shards[i].last)
    i++; /* the open ones have all hashes among them */
  return &stream->shards[i];
}

stream_t *streams_get(streams_t *streams, const char *name) {
  stream_t *stream;
  HASH_FIND_STR(streams->by_name, name, stream);
  if (stream != NULL)
    return stream;
  size_t size = strlen(name) + 1;
  if (HASH_COUNT(streams->by_name) == STREAMS_MAX ||
      (stream = calloc(1, sizeof(*stream) + size)) == NULL)
    return NULL;
  memcpy(stream->name, name, size);
  stream_reshard(stream, streams->shards);
  HASH_ADD_KEYPTR(hh, streams->by_name, stream->name, size - 1, stream);
  return stream;
}

void streams_clear(streams_t *streams) {
  stream_t *stream, *next;
  HASH_ITER(hh, streams->by_name, stream, next) {
    HASH_DEL(streams->by_name, stream);
    free(stream);
  }
}
