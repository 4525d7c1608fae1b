/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/kinesis_key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "core/utf8.h"

/* Remembered are keys of a usual length, as a cache of a CPU does it: the hash
 * says in which set, and any of its slots may have it. */
#define SETS 128
#define WAYS 4
#define TEXT_MAX 160

typedef struct slot_s {
  uint64_t hash;
  size_t len; /* of the record's key; 0: unused */
  tally_kinesis_key_t key;
  char text[TEXT_MAX]; /* the record's key */
  char hex[TALLY_KINESIS_KEY_HEX];
} slot_t;

struct tally_kinesis_keys_s {
  EVP_MD_CTX *context; /* NULL: there is no MD5 */
  EVP_MD *md5;         /* NULL before OpenSSL 3 */
  slot_t sets[SETS][WAYS];
  unsigned turn; /* the slot of a set that forgets next */
  slot_t other;  /* what is not remembered */
};

/* ---- digests ------------------------------------------------------------- */

/* It spreads records and finds damage, which is no business of FIPS. */
static void find_md5(tally_kinesis_keys_t *keys) {
  keys->context = EVP_MD_CTX_new();
  if (keys->context == NULL)
    return;
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
  keys->md5 = EVP_MD_fetch(NULL, "MD5", "-fips");
  if (keys->md5 != NULL && EVP_DigestInit_ex2(keys->context, keys->md5, NULL))
    return;
#else
  EVP_MD_CTX_set_flags(keys->context, EVP_MD_CTX_FLAG_NON_FIPS_ALLOW);
  if (EVP_DigestInit_ex(keys->context, EVP_md5(), NULL))
    return;
#endif
  EVP_MD_CTX_free(keys->context);
  keys->context = NULL;
}

bool tally_kinesis_keys_know_md5(const tally_kinesis_keys_t *keys) {
  return keys->context != NULL;
}

void tally_kinesis_keys_digest(tally_kinesis_keys_t *keys, const void *data,
                               size_t len, uint8_t digest[16]) {
  /* NULL: the same algorithm as before, without looking for it. */
  if (keys->context != NULL &&
      EVP_DigestInit_ex(keys->context, NULL, NULL) != 0 &&
      EVP_DigestUpdate(keys->context, data, len) != 0 &&
      EVP_DigestFinal_ex(keys->context, digest, NULL) != 0)
    return;
  unsigned char sha256[SHA256_DIGEST_LENGTH];
  SHA256(data, len, sha256);
  memcpy(digest, sha256, 16);
}

static uint64_t big_endian(const uint8_t *bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++)
    value = value << 8 | bytes[i];
  return value;
}

static tally_kinesis_place_t place_of(tally_kinesis_keys_t *keys,
                                      const char *text, size_t len) {
  uint8_t digest[16];
  tally_kinesis_keys_digest(keys, text, len, digest);
  return (tally_kinesis_place_t){big_endian(digest), big_endian(digest + 8)};
}

/* ---- what a key is ------------------------------------------------------- */

static bool is_key(const char *text, size_t len) {
  size_t units = 0;
  for (size_t i = 0, n; i < len; i += n) {
    n = tally_utf8_character(text + i, len - i);
    units += n == 4 ? 2 : 1;
    if (n == 0 || units > TALLY_KINESIS_KEY_MAX)
      return false;
  }
  return true;
}

static void use_digest(tally_kinesis_keys_t *keys, slot_t *slot,
                       const void *data, size_t len) {
  static const char digits[] = "0123456789abcdef";
  uint8_t digest[16];
  tally_kinesis_keys_digest(keys, data, len, digest);
  for (int i = 0; i < 16; i++) {
    slot->hex[2 * i] = digits[digest[i] >> 4];
    slot->hex[2 * i + 1] = digits[digest[i] & 15];
  }
  slot->key.text = slot->hex;
  slot->key.len = TALLY_KINESIS_KEY_HEX;
}

/* ---- keys ---------------------------------------------------------------- */

tally_kinesis_keys_t *tally_kinesis_keys_create(void) {
  tally_kinesis_keys_t *keys = calloc(1, sizeof(*keys));
  if (keys != NULL)
    find_md5(keys);
  return keys;
}

void tally_kinesis_keys_destroy(tally_kinesis_keys_t *keys) {
  if (keys == NULL)
    return;
  EVP_MD_CTX_free(keys->context);
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
  EVP_MD_free(keys->md5);
#endif
  free(keys);
}

/* It only has to spread. */
static uint64_t hash_of(const char *text, size_t len) {
  uint64_t hash = len * UINT64_C(0x9e3779b97f4a7c15), word = 0;
  const char *end = text + len;
  for (; end - text >= 8; text += 8) {
    memcpy(&word, text, 8);
    hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 32;
  }
  for (word = 0; text < end; text++)
    word = word << 8 | (uint8_t)*text;
  hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
  return hash ^ hash >> 32;
}

/* The slot that has the key, or one for it (then `len` is 0). */
static slot_t *find_slot(tally_kinesis_keys_t *keys, const char *text,
                         size_t len) {
  if (len == 0 || len > TEXT_MAX)
    return &keys->other;
  uint64_t hash = hash_of(text, len);
  slot_t *set = keys->sets[hash % SETS];
  for (size_t i = 0; i < WAYS; i++)
    if (set[i].hash == hash && set[i].len == len &&
        memcmp(set[i].text, text, len) == 0)
      return &set[i];
  slot_t *slot = &set[keys->turn++ % WAYS];
  slot->hash = hash;
  slot->len = 0;
  memcpy(slot->text, text, len);
  return slot;
}

const tally_kinesis_key_t *tally_kinesis_keys_find(tally_kinesis_keys_t *keys,
                                                   const char *text, size_t len,
                                                   const void *data,
                                                   size_t data_len) {
  slot_t *slot = find_slot(keys, text, len);
  if (slot->len > 0)
    return &slot->key;
  bool remembered = slot != &keys->other;
  slot->key =
      (tally_kinesis_key_t){.text = remembered ? slot->text : text, .len = len};
  if (len == 0)
    use_digest(keys, slot, data, data_len);
  else if (!is_key(text, len))
    use_digest(keys, slot, text, len);
  slot->key.place = place_of(keys, slot->key.text, slot->key.len);
  slot->len = remembered ? len : 0;
  return &slot->key;
}
