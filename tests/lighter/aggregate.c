/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aggregate.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "core/cleanup.h"

#define MAGIC "\xf3\x89\x9a\xc2"
#define MAGIC_LEN 4
#define MD5_LEN 16

/* Numbers of fields and of wire types. */
enum { TABLE_KEYS = 1, TABLE_HASHES = 2, RECORDS = 3 };
enum { RECORD_KEY = 1, RECORD_HASH = 2, RECORD_DATA = 3 };
enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

/* ---- protobuf
 * ---------------------------------------------------------------- */

typedef struct bytes_s {
  const unsigned char *p, *end;
} bytes_t;

typedef struct field_s {
  uint64_t number, wire;
  uint64_t value; /* WIRE_VARINT */
  bytes_t bytes;  /* WIRE_BYTES */
} field_t;

static bool read_varint(bytes_t *in, uint64_t *value) {
  *value = 0;
  for (unsigned shift = 0; in->p < in->end && shift < 64; shift += 7) {
    unsigned char c = *in->p++;
    *value |= (uint64_t)(c & 0x7f) << shift;
    if (c < 0x80)
      return true;
  }
  return false;
}

/* False: there is none, or none that stands in an aggregate. */
static bool read_field(bytes_t *in, field_t *field) {
  uint64_t tag;
  if (!read_varint(in, &tag) || !read_varint(in, &field->value))
    return false;
  field->number = tag >> 3;
  field->wire = tag & 7;
  if (field->wire == WIRE_VARINT)
    return true;
  if (field->wire != WIRE_BYTES || field->value > (size_t)(in->end - in->p))
    return false;
  field->bytes = (bytes_t){in->p, in->p + field->value};
  in->p += field->value;
  return true;
}

/* ---- the message
 * ------------------------------------------------------------- */

typedef struct key_table_s {
  bytes_t *keys;
  size_t count;
} key_table_t;

static bool read_record(bytes_t in, const key_table_t *table,
                        user_record_t *record) {
  field_t field;
  bool has_key = false, has_data = false;
  while (in.p < in.end) {
    if (!read_field(&in, &field))
      return false;
    if (field.number == RECORD_KEY && field.wire == WIRE_VARINT &&
        field.value < table->count) {
      bytes_t key = table->keys[field.value];
      record->key = (const char *)key.p;
      record->key_len = (size_t)(key.end - key.p);
      has_key = true;
    } else if (field.number == RECORD_DATA && field.wire == WIRE_BYTES) {
      record->data = (const char *)field.bytes.p;
      record->len = (size_t)(field.bytes.end - field.bytes.p);
      has_data = true;
    }
  }
  return has_key && has_data;
}

/* Tables may stand behind the records that point into them. `keys` NULL: they
 * are only counted. */
static bool read_table(bytes_t in, key_table_t *table) {
  field_t field;
  table->count = 0;
  while (in.p < in.end) {
    if (!read_field(&in, &field) || field.wire != WIRE_BYTES ||
        field.number < TABLE_KEYS || field.number > RECORDS)
      return false;
    if (field.number != TABLE_KEYS)
      continue;
    if (table->keys != NULL)
      table->keys[table->count] = field.bytes;
    table->count++;
  }
  return true;
}

/* `each` NULL: only whether all of them can be read. */
static bool read_records(bytes_t in, const key_table_t *table,
                         void (*each)(const user_record_t *record,
                                      void *context),
                         void *context) {
  field_t field;
  user_record_t record;
  while (in.p < in.end && read_field(&in, &field)) {
    if (field.number != RECORDS)
      continue;
    if (!read_record(field.bytes, table, &record))
      return false;
    if (each != NULL)
      each(&record, context);
  }
  return true;
}

aggregate_t aggregate_read(const char *data, size_t len,
                           void (*each)(const user_record_t *record,
                                        void *context),
                           void *context) {
  if (len < MAGIC_LEN + MD5_LEN || memcmp(data, MAGIC, MAGIC_LEN) != 0)
    return AGGREGATE_NONE;
  bytes_t message = {(const unsigned char *)data + MAGIC_LEN,
                     (const unsigned char *)data + len - MD5_LEN};
  unsigned char digest[MD5_LEN];
  EVP_Digest(message.p, (size_t)(message.end - message.p), digest, NULL,
             EVP_md5(), NULL);
  if (memcmp(digest, message.end, MD5_LEN) != 0)
    return AGGREGATE_BROKEN;
  key_table_t table = {0};
  if (!read_table(message, &table))
    return AGGREGATE_BROKEN;
  tally_autofree bytes_t *keys = calloc(table.count + 1, sizeof(*keys));
  table.keys = keys;
  if (keys == NULL || !read_table(message, &table) ||
      !read_records(message, &table, NULL, NULL))
    return AGGREGATE_BROKEN;
  read_records(message, &table, each, context);
  return AGGREGATE_WHOLE;
}
