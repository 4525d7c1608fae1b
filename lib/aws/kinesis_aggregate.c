/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/kinesis_aggregate.h"

#include <string.h>

#define MAGIC_LEN 4
#define SLOTS TALLY_KINESIS_AGGREGATE_SLOTS
#define NO_KEY UINT32_MAX

/* Field number and wire type "bytes with a length", or "varint". */
#define TAG_KEY (1 << 3 | 2)
#define TAG_RECORD (3 << 3 | 2)
#define TAG_KEY_INDEX (1 << 3 | 0)
#define TAG_DATA (3 << 3 | 2)

void tally_kinesis_aggregate_init(tally_kinesis_aggregate_t *aggregate) {
  memset(aggregate, 0, sizeof(*aggregate));
  tally_buffer_init(&aggregate->bytes, SIZE_MAX / 2);
}

void tally_kinesis_aggregate_clear(tally_kinesis_aggregate_t *aggregate) {
  tally_buffer_clear(&aggregate->bytes);
}

int tally_kinesis_aggregate_begin(tally_kinesis_aggregate_t *aggregate,
                                  size_t most) {
  static const uint8_t magic[MAGIC_LEN] = {0xf3, 0x89, 0x9a, 0xc2};
  aggregate->count = aggregate->keys_count = 0;
  aggregate->generation++; /* forgets the keys */
  tally_buffer_reset(&aggregate->bytes);
  if (tally_buffer_extend(&aggregate->bytes,
                          most + MAGIC_LEN + TALLY_MD5_LEN) == NULL)
    return -1;
  return tally_buffer_append(&aggregate->bytes, magic, sizeof(magic));
}

/* ---- writing ------------------------------------------------------------- */

static size_t varint_len(uint64_t value) {
  size_t len = 1;
  for (; value >= 0x80; value >>= 7)
    len++;
  return len;
}

static char *put_varint(char *out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    *out++ = (char)(value | 0x80);
  *out++ = (char)value;
  return out;
}

static char *put_bytes(char *out, uint8_t tag, const void *data, size_t len) {
  *out++ = (char)tag;
  out = put_varint(out, len);
  memcpy(out, data, len);
  return out + len;
}

static size_t bytes_len(size_t len) { return 1 + varint_len(len) + len; }

/* Where the key is remembered; NULL: the table is full enough. */
static uint32_t *find_key(tally_kinesis_aggregate_t *aggregate,
                          tally_kinesis_place_t place) {
  for (size_t i = place.low % SLOTS;; i = (i + 1) % SLOTS) {
    if (aggregate->keys[i].generation != aggregate->generation) {
      if (aggregate->keys_count >= SLOTS / 2)
        return NULL;
      aggregate->keys[i].place = place;
      aggregate->keys[i].index = NO_KEY;
      aggregate->keys[i].generation = aggregate->generation;
      return &aggregate->keys[i].index;
    }
    if (tally_kinesis_place_compare(aggregate->keys[i].place, place) == 0)
      return &aggregate->keys[i].index;
  }
}

bool tally_kinesis_aggregate_has(const tally_kinesis_aggregate_t *aggregate,
                                 tally_kinesis_place_t place) {
  for (size_t i = place.low % SLOTS;
       aggregate->keys[i].generation == aggregate->generation;
       i = (i + 1) % SLOTS)
    if (tally_kinesis_place_compare(aggregate->keys[i].place, place) == 0)
      return aggregate->keys[i].index != NO_KEY;
  return false;
}

bool tally_kinesis_aggregate_add(tally_kinesis_aggregate_t *aggregate,
                                 const tally_kinesis_key_t *key,
                                 const void *data, size_t len, size_t most) {
  uint32_t *index = find_key(aggregate, key->place);
  if (index == NULL)
    return false;
  bool is_new = *index == NO_KEY;
  uint32_t number = is_new ? aggregate->keys_count : *index;
  size_t record_len = 1 + varint_len(number) + bytes_len(len);
  size_t more =
      bytes_len(record_len) + (is_new ? bytes_len(key->len) : (size_t)0);
  if (aggregate->bytes.len + more + TALLY_MD5_LEN > most)
    return false;

  char *begin = aggregate->bytes.data + aggregate->bytes.len, *out = begin;
  if (is_new) {
    *index = aggregate->keys_count++;
    out = put_bytes(out, TAG_KEY, key->text, key->len);
  }
  *out++ = TAG_RECORD;
  out = put_varint(out, record_len);
  *out++ = TAG_KEY_INDEX;
  out = put_varint(out, number);
  out = put_bytes(out, TAG_DATA, data, len);
  tally_buffer_grow(&aggregate->bytes, (size_t)(out - begin));
  aggregate->count++;
  return true;
}

/* ---- the end ------------------------------------------------------------- */

size_t tally_kinesis_aggregate_len(const tally_kinesis_aggregate_t *aggregate) {
  return aggregate->bytes.len + TALLY_MD5_LEN;
}

void tally_kinesis_aggregate_end(tally_kinesis_aggregate_t *aggregate,
                                 tally_kinesis_keys_t *keys) {
  uint8_t digest[TALLY_MD5_LEN];
  tally_kinesis_keys_digest(keys, aggregate->bytes.data + MAGIC_LEN,
                            aggregate->bytes.len - MAGIC_LEN, digest);
  tally_buffer_append(&aggregate->bytes, digest, sizeof(digest));
}

/* A lane has about three fifths of libcrypto's speed, which does not pay beside
 * one that is much longer than the others. */
static bool is_faster_together(const tally_kinesis_aggregate_t *aggregates,
                               size_t count) {
  size_t longest = 0, all = 0;
  for (size_t i = 0; i < count; i++) {
    all += aggregates[i].bytes.len;
    if (aggregates[i].bytes.len > longest)
      longest = aggregates[i].bytes.len;
  }
  return all * 3 / 5 >= longest;
}

void tally_kinesis_aggregates_end(tally_kinesis_aggregate_t *aggregates,
                                  size_t count, tally_kinesis_keys_t *keys) {
  if (!is_faster_together(aggregates, count)) {
    for (size_t i = 0; i < count; i++)
      tally_kinesis_aggregate_end(&aggregates[i], keys);
    return;
  }
  tally_md5_message_t messages[TALLY_MD5_TOGETHER] = {0};
  for (size_t i = 0; i < count; i++) {
    tally_buffer_t *bytes = &aggregates[i].bytes;
    messages[i] = (tally_md5_message_t){
        .data = bytes->data + MAGIC_LEN,
        .len = bytes->len - MAGIC_LEN,
        /* where begin() has made room for it */
        .digest = (uint8_t *)bytes->data + bytes->len,
    };
  }
  tally_md5_together(messages, count);
  for (size_t i = 0; i < count; i++)
    tally_buffer_grow(&aggregates[i].bytes, TALLY_MD5_LEN);
}
