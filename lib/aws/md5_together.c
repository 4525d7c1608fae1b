/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/md5_together.h"

#include <string.h>

#define LANES TALLY_MD5_TOGETHER
#define BLOCK 64
#define WORDS 16     /* of 32 bits, in a block */
#define LENGTH_LEN 8 /* of the message in bits, the end of its last block */
#define FULL UINT32_MAX

/* A word of every lane. GCC and clang make of it what the target has. */
typedef uint32_t vector_t
    __attribute__((vector_size(LANES * sizeof(uint32_t))));

typedef struct lane_s {
  const uint8_t *data;
  size_t whole, blocks;    /* those that are in `data`, and all */
  uint8_t rest[2 * BLOCK]; /* those after them */
} lane_t;

/* ---- words --------------------------------------------------------------- */

static uint32_t get_word(const uint8_t *in) {
  return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 |
         (uint32_t)in[3] << 24;
}

static void put_word(uint8_t *out, uint32_t word) {
  for (int i = 0; i < 4; i++)
    out[i] = (uint8_t)(word >> 8 * i);
}

/* ---- a block of every lane ----------------------------------------------- */

/* 2^32 * |sin(i + 1)|, rounded down. */
static const uint32_t sines[4 * WORDS] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a,
    0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
    0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
    0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8,
    0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
    0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
    0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
    0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
    0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

/* As in the RFC, but so that `x`, which comes last, is used last. */
#define F(x, y, z) (z ^ (x & (y ^ z)))
#define G(x, y, z) ((y & ~z) | (x & z))
#define H(x, y, z) (x ^ (y ^ z))
#define I(x, y, z) (y ^ (x | ~z))

/* Macros, because vectors as arguments are a matter of the ABI. */
#define STEP(f, a, b, c, d, i, word, shift)                                    \
  a += words[(word) % WORDS] + sines[i];                                       \
  a += f(b, c, d);                                                             \
  a = b + (a << (shift) | a >> (32 - (shift)))

/* The word of step `i` is `by * i + from`. */
#define FOUR_STEPS(f, i, by, from, s0, s1, s2, s3)                             \
  STEP(f, a, b, c, d, i, (by) * (i) + (from), s0);                             \
  STEP(f, d, a, b, c, i + 1, (by) * (i + 1) + (from), s1);                     \
  STEP(f, c, d, a, b, i + 2, (by) * (i + 2) + (from), s2);                     \
  STEP(f, b, c, d, a, i + 3, (by) * (i + 3) + (from), s3)

#define ROUND(f, i, by, from, s0, s1, s2, s3)                                  \
  FOUR_STEPS(f, i, by, from, s0, s1, s2, s3);                                  \
  FOUR_STEPS(f, i + 4, by, from, s0, s1, s2, s3);                              \
  FOUR_STEPS(f, i + 8, by, from, s0, s1, s2, s3);                              \
  FOUR_STEPS(f, i + 12, by, from, s0, s1, s2, s3)

/* `running`: all bits of the lanes that have this block; the others keep their
 * state. */
static void add_blocks(vector_t state[4], const uint8_t *const blocks[LANES],
                       const vector_t *running) {
  vector_t words[WORDS], a = state[0], b = state[1], c = state[2], d = state[3];
  for (size_t i = 0; i < WORDS; i++)
    words[i] =
        (vector_t){get_word(blocks[0] + 4 * i), get_word(blocks[1] + 4 * i),
                   get_word(blocks[2] + 4 * i), get_word(blocks[3] + 4 * i)};
  ROUND(F, 0, 1, 0, 7, 12, 17, 22);
  ROUND(G, 16, 5, 1, 5, 9, 14, 20);
  ROUND(H, 32, 3, 5, 4, 11, 16, 23);
  ROUND(I, 48, 7, 0, 6, 10, 15, 21);
  state[0] += a & *running;
  state[1] += b & *running;
  state[2] += c & *running;
  state[3] += d & *running;
}

/* ---- messages ------------------------------------------------------------ */

static void begin(lane_t *lane, const tally_md5_message_t *message) {
  size_t rest = message->len % BLOCK;
  lane->data = message->data;
  lane->whole = message->len / BLOCK;
  lane->blocks = (message->len + LENGTH_LEN) / BLOCK + 1;
  memcpy(lane->rest, lane->data + lane->whole * BLOCK, rest);
  lane->rest[rest] = 0x80;
  uint8_t *end = lane->rest + (lane->blocks - lane->whole) * BLOCK;
  uint64_t bits = (uint64_t)message->len * 8;
  put_word(end - 8, (uint32_t)bits);
  put_word(end - 4, (uint32_t)(bits >> 32));
}

/* Behind the last one it does not matter which. */
static const uint8_t *block_of(const lane_t *lane, size_t i) {
  if (i < lane->whole)
    return lane->data + i * BLOCK;
  return lane->rest + (i < lane->blocks ? i - lane->whole : 0) * BLOCK;
}

void tally_md5_together(const tally_md5_message_t *messages, size_t count) {
  lane_t lanes[LANES] = {0};
  size_t blocks_count = 0;
  for (size_t n = 0; n < count; n++) {
    begin(&lanes[n], &messages[n]);
    if (lanes[n].blocks > blocks_count)
      blocks_count = lanes[n].blocks;
  }
  static const uint32_t first[4] = {0x67452301, 0xefcdab89, 0x98badcfe,
                                    0x10325476};
  vector_t state[4], running = {0};
  for (size_t i = 0; i < 4; i++)
    state[i] = (vector_t){0} + first[i];
  for (size_t i = 0; i < blocks_count; i++) {
    const uint8_t *blocks[LANES];
    for (size_t n = 0; n < LANES; n++) {
      blocks[n] = block_of(&lanes[n], i);
      running[n] = i < lanes[n].blocks ? FULL : 0;
    }
    add_blocks(state, blocks, &running);
  }
  for (size_t n = 0; n < count; n++)
    for (size_t i = 0; i < 4; i++)
      put_word(messages[n].digest + 4 * i, state[i][n]);
}
