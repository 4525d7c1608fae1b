/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agentx.h"

#include <string.h>

#include "mib.h"

static const tally_subid_t root[] = {TALLYMAN_ROOT_OID};
#define ROOT_LENGTH (sizeof(root) / sizeof(root[0]))

enum { AGENTX_VERSION = 1 };

/* h.type */
enum { GET = 5, GET_NEXT = 6, RESPONSE = 18 };

/* h.flags */
enum { NON_DEFAULT_CONTEXT = 0x08, NETWORK_BYTE_ORDER = 0x10 };

/* v.type */
enum {
  INTEGER = 2,
  OCTET_STRING = 4,
  GAUGE32 = 66,
  TIME_TICKS = 67,
  COUNTER64 = 70,
  NO_SUCH_OBJECT = 128,
  NO_SUCH_INSTANCE = 129,
  END_OF_MIB_VIEW = 130,
};

typedef struct name_s {
  tally_subid_t subids[TALLY_MIB_OID_MAX];
  size_t length;
  bool include;
} name_t;

/* ---- bytes in ------------------------------------------------------------ */

typedef struct reader_s {
  const uint8_t *at, *end;
  bool big_endian;
} reader_t;

static uint32_t get_u32(const uint8_t *p, bool big_endian) {
  if (big_endian)
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
  return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 |
         p[0];
}

/* Section 5.1; a null identifier has no sub-identifiers. */
static bool read_name(reader_t *in, name_t *name) {
  if (in->end - in->at < 4)
    return false;
  size_t count = in->at[0], prefix = in->at[1];
  name->include = in->at[2] != 0;
  in->at += 4;
  name->length = 0;
  if ((size_t)(in->end - in->at) < 4 * count || count + 5 > TALLY_MIB_OID_MAX)
    return false;
  if (prefix != 0) {
    const tally_subid_t internet[] = {1, 3, 6, 1, prefix};
    memcpy(name->subids, internet, sizeof(internet));
    name->length = sizeof(internet) / sizeof(internet[0]);
  }
  for (; count > 0; count--, in->at += 4)
    name->subids[name->length++] = get_u32(in->at, in->big_endian);
  return true;
}

/* ---- bytes out ----------------------------------------------------------- */

typedef struct writer_s {
  uint8_t *begin, *at, *end;
  bool big_endian, full;
} writer_t;

static uint8_t *reserve(writer_t *out, size_t size) {
  if ((size_t)(out->end - out->at) < size) {
    out->full = true;
    return NULL;
  }
  uint8_t *p = out->at;
  out->at += size;
  return p;
}

static void put_u32(uint8_t *p, uint32_t value, bool big_endian) {
  for (int i = 0; i < 4; i++)
    p[i] = (uint8_t)(value >> (big_endian ? 24 - 8 * i : 8 * i));
}

static void write_u32(writer_t *out, uint32_t value) {
  uint8_t *p = reserve(out, 4);
  if (p != NULL)
    put_u32(p, value, out->big_endian);
}

static void write_u64(writer_t *out, uint64_t value) {
  uint32_t high = (uint32_t)(value >> 32), low = (uint32_t)value;
  write_u32(out, out->big_endian ? high : low);
  write_u32(out, out->big_endian ? low : high);
}

/* Two bytes and two that are reserved. */
static void write_type(writer_t *out, unsigned type) {
  uint8_t *p = reserve(out, 4);
  if (p == NULL)
    return;
  memset(p, 0, 4);
  p[out->big_endian ? 1 : 0] = (uint8_t)type;
}

static void write_name(writer_t *out, const tally_subid_t *subids,
                       size_t length) {
  static const tally_subid_t internet[] = {1, 3, 6, 1};
  size_t skip = 0;
  if (length > 4 && memcmp(subids, internet, sizeof(internet)) == 0 &&
      subids[4] > 0 && subids[4] < 256)
    skip = 5;
  uint8_t *p = reserve(out, 4 + 4 * (length - skip));
  if (p == NULL)
    return;
  p[0] = (uint8_t)(length - skip);
  p[1] = skip > 0 ? (uint8_t)subids[4] : 0;
  p[2] = p[3] = 0;
  for (p += 4; skip < length; skip++, p += 4)
    put_u32(p, (uint32_t)subids[skip], out->big_endian);
}

static void write_octets(writer_t *out, const char *octets, size_t length) {
  write_u32(out, (uint32_t)length);
  size_t padded = (length + 3) & ~(size_t)3;
  uint8_t *p = reserve(out, padded);
  if (p == NULL)
    return;
  memcpy(p, octets, length);
  memset(p + length, 0, padded - length);
}

/* ---- varbinds ------------------------------------------------------------ */

static void write_exception(writer_t *out, unsigned type, const name_t *name) {
  write_type(out, type);
  write_name(out, name->subids, name->length);
}

static void write_varbind(writer_t *out, const tally_subid_t *name,
                          size_t length, const tally_mib_value_t *value) {
  static const unsigned types[] = {
      [TALLY_SYNTAX_INTEGER] = INTEGER,     [TALLY_SYNTAX_GAUGE] = GAUGE32,
      [TALLY_SYNTAX_COUNTER64] = COUNTER64, [TALLY_SYNTAX_TICKS] = TIME_TICKS,
      [TALLY_SYNTAX_DATE] = OCTET_STRING,   [TALLY_SYNTAX_TEXT] = OCTET_STRING,
  };
  write_type(out, types[value->syntax]);
  write_name(out, name, length);
  switch (value->syntax) {
  case TALLY_SYNTAX_COUNTER64:
    write_u64(out, value->number);
    break;
  case TALLY_SYNTAX_DATE:
  case TALLY_SYNTAX_TEXT:
    write_octets(out, value->text, value->text_length);
    break;
  default:
    write_u32(out, (uint32_t)value->number);
  }
}

static bool is_ours(const name_t *name) {
  return name->length >= ROOT_LENGTH &&
         memcmp(name->subids, root, sizeof(root)) == 0;
}

static void answer_get(const tally_view_t *view, const name_t *name,
                       writer_t *out) {
  tally_mib_value_t value;
  switch (tally_mib_get(view, name->subids + ROOT_LENGTH,
                        name->length - ROOT_LENGTH, &value)) {
  case TALLY_MIB_FOUND:
    write_varbind(out, name->subids, name->length, &value);
    break;
  case TALLY_MIB_NO_SUCH_OBJECT:
    write_exception(out, NO_SUCH_OBJECT, name);
    break;
  case TALLY_MIB_NO_SUCH_INSTANCE:
    write_exception(out, NO_SUCH_INSTANCE, name);
    break;
  }
}

static void answer_next(const tally_view_t *view, const name_t *start,
                        const name_t *end, writer_t *out) {
  const tally_subid_t *after = start->subids + ROOT_LENGTH;
  size_t length = start->length - ROOT_LENGTH;
  tally_mib_value_t value;
  if (start->include &&
      tally_mib_get(view, after, length, &value) == TALLY_MIB_FOUND) {
    write_varbind(out, start->subids, start->length, &value);
    return;
  }
  tally_subid_t next[ROOT_LENGTH + TALLY_MIB_OID_MAX];
  size_t next_length = 0;
  memcpy(next, root, sizeof(root));
  if (tally_mib_next(view, after, length, next + ROOT_LENGTH, &next_length,
                     &value)) {
    next_length += ROOT_LENGTH;
    if (end->length == 0 ||
        tally_mib_compare(next, next_length, end->subids, end->length) < 0) {
      write_varbind(out, next, next_length, &value);
      return;
    }
  }
  write_exception(out, END_OF_MIB_VIEW, start);
}

/* ---- PDUs ---------------------------------------------------------------- */

size_t tally_agentx_length(const uint8_t *bytes, size_t count) {
  if (count < TALLY_AGENTX_HEADER)
    return 0;
  bool big_endian = (bytes[2] & NETWORK_BYTE_ORDER) != 0;
  return TALLY_AGENTX_HEADER + (size_t)get_u32(bytes + 16, big_endian);
}

size_t tally_agentx_answer(const tally_view_t *view, const uint8_t *pdu,
                           size_t length, uint8_t *response, size_t size) {
  if (length <= TALLY_AGENTX_HEADER ||
      tally_agentx_length(pdu, length) != length || pdu[0] != AGENTX_VERSION ||
      (pdu[1] != GET && pdu[1] != GET_NEXT) ||
      (pdu[2] & NON_DEFAULT_CONTEXT) != 0 || size < TALLY_AGENTX_HEADER + 8)
    return 0;
  bool big_endian = (pdu[2] & NETWORK_BYTE_ORDER) != 0;
  reader_t in = {.at = pdu + TALLY_AGENTX_HEADER,
                 .end = pdu + length,
                 .big_endian = big_endian};
  writer_t out = {.begin = response,
                  .at = response + TALLY_AGENTX_HEADER,
                  .end = response + size,
                  .big_endian = big_endian};
  /* Session, transaction and packet are those of the request; sysUpTime is the
   * master's business, and there are no errors. */
  memcpy(response, pdu, TALLY_AGENTX_HEADER);
  response[1] = RESPONSE;
  response[2] = big_endian ? NETWORK_BYTE_ORDER : 0;
  response[3] = 0;
  write_u32(&out, 0);
  write_u32(&out, 0);
  while (in.at < in.end) {
    name_t start, end;
    if (!read_name(&in, &start) || !read_name(&in, &end) || !is_ours(&start))
      return 0;
    if (pdu[1] == GET)
      answer_get(view, &start, &out);
    else
      answer_next(view, &start, &end, &out);
  }
  if (out.full)
    return 0;
  size_t written = (size_t)(out.at - response);
  put_u32(response + 16, (uint32_t)(written - TALLY_AGENTX_HEADER), big_endian);
  return written;
}
