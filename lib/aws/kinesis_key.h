/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_KINESIS_KEY_H
#define TALLY_AWS_KINESIS_KEY_H

/*
 * Partition keys: what Kinesis takes as one, and where it puts it.
 *
 * The service spreads records by the MD5 of their partition key, read as a
 * number of 128 bits. A libcrypto that refuses MD5 (FIPS) gives the beginning
 * of SHA-256 instead: still the same for the same key, but no shard follows
 * from it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a key, as the service counts: UTF-16 code units. */
#define TALLY_KINESIS_KEY_MAX 256
/* What stands for a key that cannot be one: 32 hexadecimal digits. */
#define TALLY_KINESIS_KEY_HEX 32

/* A number of 128 bits. */
typedef struct tally_kinesis_place_s {
  uint64_t high, low;
} tally_kinesis_place_t;

static inline int tally_kinesis_place_compare(tally_kinesis_place_t a,
                                              tally_kinesis_place_t b) {
  if (a.high != b.high)
    return a.high < b.high ? -1 : 1;
  return a.low < b.low ? -1 : a.low > b.low;
}

typedef struct tally_kinesis_key_s {
  const char *text; /* UTF-8; not terminated */
  size_t len;
  tally_kinesis_place_t place;
} tally_kinesis_key_t;

/* Turns records' keys into partition keys, and remembers those of late. One
 * thread at a time. */
typedef struct tally_kinesis_keys_s tally_kinesis_keys_t;

tally_kinesis_keys_t *tally_kinesis_keys_create(void); /* NULL: no memory */
void tally_kinesis_keys_destroy(tally_kinesis_keys_t *keys); /* NULL allowed */

/* false: places are not those of the service. */
bool tally_kinesis_keys_know_md5(const tally_kinesis_keys_t *keys);
/* 16 bytes: MD5, or the beginning of SHA-256. */
void tally_kinesis_keys_digest(tally_kinesis_keys_t *keys, const void *data,
                               size_t len, uint8_t digest[16]);

/*
 * The key itself if Kinesis takes it, else its digest in hexadecimal; for an
 * empty one the digest of `data`. Valid until the next call.
 */
const tally_kinesis_key_t *tally_kinesis_keys_find(tally_kinesis_keys_t *keys,
                                                   const char *text, size_t len,
                                                   const void *data,
                                                   size_t data_len);

#endif
