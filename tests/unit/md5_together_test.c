/* SPDX-License-Identifier: MIT */
/* Digests of several messages at once are those of libcrypto. */
#include "config.h"

#include <openssl/evp.h>

#include "unit.h"

#include "aws/md5_together.h"

#define LENGTHS 201 /* all that end within the first blocks */
#define LONG ((size_t)256 * 1024)
#define UNTOUCHED 0xee

typedef uint8_t digest_t[TALLY_MD5_LEN];

static uint8_t text[TALLY_MD5_TOGETHER + LONG + LENGTHS];

static int fill_text(void **state) {
  uint32_t x = 1;
  for (size_t i = 0; i < sizeof(text); i++) {
    x = x * 1664525 + 1013904223;
    text[i] = (uint8_t)(x >> 24);
  }
  return 0;
}

/* Each message begins at another byte, so that they differ and no word stands
 * where a CPU would like it. Those behind `count` are left alone. */
static void check(const size_t lengths[TALLY_MD5_TOGETHER], size_t count) {
  digest_t digests[TALLY_MD5_TOGETHER + 1], expected, untouched;
  memset(digests, UNTOUCHED, sizeof(digests));
  memset(untouched, UNTOUCHED, sizeof(untouched));
  tally_md5_message_t messages[TALLY_MD5_TOGETHER] = {0};
  for (size_t i = 0; i < count; i++)
    messages[i] = (tally_md5_message_t){
        .data = text + i, .len = lengths[i], .digest = digests[i]};
  tally_md5_together(messages, count);
  for (size_t i = 0; i < count; i++) {
    assert_true(
        EVP_Digest(text + i, lengths[i], expected, NULL, EVP_md5(), NULL));
    if (memcmp(digests[i], expected, sizeof(expected)) != 0)
      fail_msg("%zu of %zu, with %zu bytes", i, count, lengths[i]);
  }
  assert_memory_equal(digests[count], untouched, sizeof(untouched));
}

static void test_same_lengths(void **state) {
  for (size_t len = 0; len < LENGTHS; len++)
    for (size_t count = 0; count <= TALLY_MD5_TOGETHER; count++)
      check((const size_t[]){len, len, len, len}, count);
}

/* One ends before the others, in every lane. */
static void test_mixed_lengths(void **state) {
  for (size_t len = 0; len < LENGTHS; len++)
    for (size_t count = 1; count <= TALLY_MD5_TOGETHER; count++) {
      check((const size_t[]){len, LENGTHS - len, len / 2, 3 * len}, count);
      check((const size_t[]){2 * len, 0, LENGTHS, len}, count);
      check((const size_t[]){64, len, 55, 56}, count);
    }
}

static void test_long_ones(void **state) {
  for (size_t count = 1; count <= TALLY_MD5_TOGETHER; count++) {
    check((const size_t[]){LONG, LONG, LONG, LONG}, count);
    check((const size_t[]){LONG - 9, LONG + 1, LONG - 64, LONG + 120}, count);
    check((const size_t[]){0, LONG, 63, LONG / 3}, count);
    check((const size_t[]){LONG + 200, 1, LONG / 2, 64}, count);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_lengths),
      cmocka_unit_test(test_mixed_lengths),
      cmocka_unit_test(test_long_ones),
  };
  return cmocka_run_group_tests(tests, fill_text, NULL);
}
