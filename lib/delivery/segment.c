/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "delivery/segment.h"

#include <string.h>
#include <zlib.h>

#define FORMAT_VERSION 2

static void put16(unsigned char *bytes, uint16_t v) {
  bytes[0] = (unsigned char)v;
  bytes[1] = (unsigned char)(v >> 8);
}

static void put32(unsigned char *bytes, uint32_t v) {
  put16(bytes, (uint16_t)v);
  put16(bytes + 2, (uint16_t)(v >> 16));
}

static void put64(unsigned char *bytes, uint64_t v) {
  put32(bytes, (uint32_t)v);
  put32(bytes + 4, (uint32_t)(v >> 32));
}

static uint16_t get16(const unsigned char *bytes) {
  return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t get32(const unsigned char *bytes) {
  return get16(bytes) | (uint32_t)get16(bytes + 2) << 16;
}

static uint64_t get64(const unsigned char *bytes) {
  return get32(bytes) | (uint64_t)get32(bytes + 4) << 32;
}

static uint32_t checksum(const unsigned char *bytes, size_t len) {
  return (uint32_t)crc32_z(0, bytes, len);
}

/* ---- headers ------------------------------------------------------------- */

static uint32_t header_checksum(const unsigned char *bytes, size_t len) {
  uint32_t sum = (uint32_t)crc32_z(0, bytes, 12);
  return (uint32_t)crc32_z(sum, bytes + 16, len - 16);
}

void tally_segment_header(unsigned char *bytes, size_t len, const char *magic,
                          uint64_t born) {
  memcpy(bytes, magic, 8);
  put32(bytes + 8, FORMAT_VERSION);
  put64(bytes + 16, born);
  put32(bytes + 12, header_checksum(bytes, len));
}

int tally_segment_parse_header(const unsigned char *bytes, size_t len,
                               const char *magic, uint64_t *born) {
  if (len < TALLY_SEGMENT_HEADER || memcmp(bytes, magic, 8) != 0 ||
      get32(bytes + 12) != header_checksum(bytes, len))
    return -1;
  if (get32(bytes + 8) != FORMAT_VERSION)
    return 1;
  *born = get64(bytes + 16);
  return 0;
}

/* ---- entries ------------------------------------------------------------- */

void tally_segment_encode(unsigned char *bytes, const tally_stored_t *stored) {
  const tally_record_t *record = &stored->record;
  put32(bytes + 4, (uint32_t)record->len);
  put16(bytes + 8, (uint16_t)record->key_len);
  bytes[10] = (unsigned char)stored->kind;
  bytes[11] = stored->joined;
  put64(bytes + 12, stored->seq);
  put64(bytes + 20, record->time_ns);
  put64(bytes + 28, stored->accepted_ns);
  unsigned char *text = bytes + TALLY_SEGMENT_RECORD;
  if (record->key_len > 0)
    memcpy(text, record->key, record->key_len);
  if (record->len > 0)
    memcpy(text + record->key_len, record->data, record->len);
  put32(bytes, checksum(bytes + 4, tally_segment_size(record) - 4));
}

size_t tally_segment_claimed_size(const unsigned char *bytes) {
  size_t len = get32(bytes + 4), key_len = get16(bytes + 8);
  if (len > TALLY_SEGMENT_DATA_MAX || key_len > TALLY_OUTBOX_KEY_MAX)
    return 0;
  return TALLY_SEGMENT_RECORD + key_len + len;
}

tally_entry_t tally_segment_claimed_kind(const unsigned char *bytes) {
  return (tally_entry_t)bytes[10];
}

static bool is_sound(const tally_stored_t *stored) {
  if (stored->seq == 0 || stored->seq > INT64_MAX)
    return false; /* there are numbers on both sides of it */
  if (stored->kind == TALLY_ENTRY_RECORD)
    return true;
  const tally_record_t *note = &stored->record;
  return stored->kind <= TALLY_ENTRY_FORGET && !stored->joined &&
         note->key_len > 0 && note->key_len <= TALLY_OUTBOX_NOTE_NAME_MAX &&
         note->len <= TALLY_OUTBOX_NOTE_TEXT_MAX;
}

size_t tally_segment_decode(const unsigned char *bytes, size_t len,
                            tally_stored_t *stored) {
  if (len < TALLY_SEGMENT_RECORD)
    return 0;
  size_t size = tally_segment_claimed_size(bytes);
  if (size == 0 || size > len || get32(bytes) != checksum(bytes + 4, size - 4))
    return 0;
  const char *text = (const char *)bytes + TALLY_SEGMENT_RECORD;
  size_t key_len = get16(bytes + 8);
  *stored = (tally_stored_t){.seq = get64(bytes + 12),
                             .accepted_ns = get64(bytes + 28),
                             .kind = tally_segment_claimed_kind(bytes),
                             .joined = bytes[11] != 0,
                             .record = {.key = text,
                                        .key_len = key_len,
                                        .data = text + key_len,
                                        .len = get32(bytes + 4),
                                        .time_ns = get64(bytes + 20)}};
  return is_sound(stored) ? size : 0;
}

/* ---- marks --------------------------------------------------------------- */

void tally_segment_encode_mark(unsigned char bytes[TALLY_ACK_MARK],
                               const tally_mark_t *mark) {
  put32(bytes, mark->first);
  put32(bytes + 4, mark->count);
  put32(bytes + 8, (uint32_t)mark->kind);
  put32(bytes + 12, checksum(bytes, 12));
}

int tally_segment_decode_mark(const unsigned char bytes[TALLY_ACK_MARK],
                              tally_mark_t *mark) {
  uint32_t kind = get32(bytes + 8);
  if (get32(bytes + 12) != checksum(bytes, 12) || kind < TALLY_MARK_TRIED ||
      kind > TALLY_MARK_DONE)
    return -1;
  *mark = (tally_mark_t){.first = get32(bytes),
                         .count = get32(bytes + 4),
                         .kind = (tally_mark_kind_t)kind};
  return 0;
}
