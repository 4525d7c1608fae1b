/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "kpl.h"

#include <openssl/evp.h>

#include "unit.h"

#define RECORDS_MAX 30000
#define KEYS_MAX 2000

typedef struct input_s {
  const uint8_t *p, *end;
} input_t;

static uint64_t read_varint(input_t *in) {
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    assert_true(in->p < in->end && shift < 64);
    uint8_t byte = *in->p++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      assert_true(byte != 0 || shift == 0); /* no longer than need be */
      return value;
    }
  }
}

/* Bytes with their length in front. */
static input_t read_bytes(input_t *in) {
  uint64_t len = read_varint(in);
  assert_true(len <= (uint64_t)(in->end - in->p));
  input_t bytes = {in->p, in->p + len};
  in->p += len;
  return bytes;
}

static kpl_record_t read_record(input_t in) {
  kpl_record_t record = {0};
  bool has_key = false;
  while (in.p < in.end) {
    uint64_t tag = read_varint(&in);
    if (tag == 0x08) { /* partition_key_index */
      assert_false(has_key);
      record.key_index = read_varint(&in);
      has_key = true;
    } else if (tag == 0x1a) { /* data */
      assert_null(record.data);
      input_t data = read_bytes(&in);
      record.data = data.p;
      record.len = (size_t)(data.end - data.p);
    } else {
      fail_msg("a record with the tag %llu", (unsigned long long)tag);
    }
  }
  assert_true(has_key && record.data != NULL);
  return record;
}

bool kpl_is_aggregate(const uint8_t *bytes, size_t len) {
  return len > 20 && memcmp(bytes, "\xf3\x89\x9a\xc2", 4) == 0;
}

kpl_record_t *kpl_read(const uint8_t *bytes, size_t len, size_t *count) {
  assert_true(kpl_is_aggregate(bytes, len));
  unsigned char md5[16];
  assert_true(EVP_Digest(bytes + 4, len - 20, md5, NULL, EVP_md5(), NULL));
  assert_memory_equal(md5, bytes + len - 16, 16);

  input_t in = {bytes + 4, bytes + len - 16};
  input_t keys[KEYS_MAX];
  size_t keys_count = 0;
  kpl_record_t *records = calloc(RECORDS_MAX, sizeof(*records));
  assert_non_null(records);
  *count = 0;
  while (in.p < in.end) {
    uint64_t tag = read_varint(&in);
    if (tag == 0x0a) { /* partition_key_table */
      assert_true(keys_count < KEYS_MAX);
      keys[keys_count++] = read_bytes(&in);
    } else if (tag == 0x1a) { /* records */
      assert_true(*count < RECORDS_MAX);
      records[(*count)++] = read_record(read_bytes(&in));
    } else {
      fail_msg("an aggregate with the tag %llu", (unsigned long long)tag);
    }
  }
  for (size_t i = 0; i < *count; i++) {
    assert_true(records[i].key_index < keys_count);
    records[i].key = keys[records[i].key_index].p;
    records[i].key_len =
        (size_t)(keys[records[i].key_index].end - records[i].key);
  }
  return records;
}
