/* SPDX-License-Identifier: MIT */
/* Bytes in another form: base64 and compression, each read back by others. */
#include "config.h"

#include "unit.h"

#include <openssl/evp.h>
#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "core/base64.h"
#include "core/compress.h"

static void fill(uint8_t *bytes, size_t len) {
  uint32_t state = 1;
  for (size_t i = 0; i < len; i++) {
    state = state * 1664525 + 1013904223;
    bytes[i] = (uint8_t)(state >> 24);
  }
}

/* Every length up to some, from blocks of just that length: a read beyond the
 * end is the sanitizer's. */
static void test_base64(void **state) {
  for (size_t len = 0; len < 300; len++) {
    uint8_t *bytes = malloc(len + (len == 0));
    fill(bytes, len);
    unsigned char expected[512];
    char got[512];
    int n = EVP_EncodeBlock(expected, bytes, (int)len);
    memset(got, '!', sizeof(got));
    assert_int_equal(tally_base64_encode(got, bytes, len), n);
    assert_int_equal(TALLY_BASE64_LEN(len), n);
    assert_memory_equal(got, expected, n);
    assert_int_equal(got[n], '!');
    free(bytes);
  }
}

/* ---- compression --------------------------------------------------------- */

static size_t gunzip(const tally_buffer_t *in, uint8_t *out, size_t size) {
  z_stream z = {.next_in = (Bytef *)in->data,
                .avail_in = (uInt)in->len,
                .next_out = out,
                .avail_out = (uInt)size};
  assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK); /* gzip and nothing else */
  assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
  assert_int_equal(z.avail_in, 0);
  inflateEnd(&z);
  return size - z.avail_out;
}

static size_t unzstd(const tally_buffer_t *in, uint8_t *out, size_t size) {
#ifdef HAVE_ZSTD
  size_t n = ZSTD_decompress(out, size, in->data, in->len);
  assert_false(ZSTD_isError(n));
  return n;
#else
  return 0;
#endif
}

static void check(tally_compression_t compression, int level) {
  static uint8_t bytes[200000], back[sizeof(bytes)];
  fill(bytes, sizeof(bytes) / 2); /* one half cannot be made smaller */
  memset(bytes + sizeof(bytes) / 2, 'x', sizeof(bytes) / 2);
  tally_error_t err = {0};
  tally_compressor_t *compressor =
      tally_compressor_create(compression, level, &err);
  if (compressor == NULL)
    fail_msg("%s", err.message);
  static const size_t lengths[] = {0, 1, 220, 100000, sizeof(bytes)};
  for (size_t i = 0; i < COUNT_OF(lengths); i++) {
    tally_autobuffer tally_buffer_t out;
    tally_buffer_init(&out, 1 << 20);
    assert_int_equal(tally_compressor_run(compressor, bytes, lengths[i], &out),
                     0);
    assert_true(out.len <= tally_compressor_bound(compressor, lengths[i]));
    size_t n = compression == TALLY_COMPRESSION_GZIP
                   ? gunzip(&out, back, sizeof(back))
                   : unzstd(&out, back, sizeof(back));
    assert_int_equal(n, lengths[i]);
    assert_memory_equal(back, bytes, n);
  }
  tally_buffer_t small;
  tally_buffer_init(&small, 100);
  assert_int_equal(
      tally_compressor_run(compressor, bytes, sizeof(bytes), &small), -1);
  assert_int_equal(small.len, 0);
  tally_compressor_destroy(compressor);
}

static void test_gzip(void **state) {
  check(TALLY_COMPRESSION_GZIP, 0);
  check(TALLY_COMPRESSION_GZIP, 9);
  tally_error_t err = {0};
  assert_null(tally_compressor_create(TALLY_COMPRESSION_GZIP, 10, &err));
  assert_string_equal(err.message, "gzip has levels 1 to 9, not 10");
}

static void test_zstd(void **state) {
  tally_error_t err = {0};
#ifdef HAVE_ZSTD
  check(TALLY_COMPRESSION_ZSTD, 0);
  check(TALLY_COMPRESSION_ZSTD, 19);
  assert_null(tally_compressor_create(TALLY_COMPRESSION_ZSTD, 20, &err));
  assert_string_equal(err.message, "zstd has levels 1 to 19, not 20");
#else
  (void)unzstd;
  assert_null(tally_compressor_create(TALLY_COMPRESSION_ZSTD, 0, &err));
  assert_string_equal(err.message, "zstd: this build was made without libzstd");
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_base64),
      cmocka_unit_test(test_gzip),
      cmocka_unit_test(test_zstd),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
