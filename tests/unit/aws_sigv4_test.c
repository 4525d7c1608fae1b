/* SPDX-License-Identifier: MIT */
/* Signatures, against those of AWS's own test suite. */
#include "config.h"

#include "unit.h"

#include "aws/sigv4.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define FORM "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"
#define TOKEN                                                                  \
  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWH"  \
  "GBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC"  \
  "1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQ"  \
  "cHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fP"  \
  "OLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

/* Requests and signatures of AWS's signing test suite, version 4. All are for
 * example.amazonaws.com on 30 August 2015, 12:36; headers here in an order that
 * is not the canonical one. */
static const struct {
  const char *name, *method;
  tally_sigv4_header_t more[4];
  const char *hash, *names, *signature;
} vectors[] = {
    {"get-vanilla",
     "GET",
     {{0}},
     EMPTY,
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-with-session-token",
     "GET",
     {{"x-amz-security-token",
       "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"}},
     EMPTY,
     "host;x-amz-date;x-amz-security-token",
     "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
    {"post-vanilla",
     "POST",
     {{0}},
     EMPTY,
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-header-key-sort",
     "POST",
     {{"my-header1", "value1"}},
     EMPTY,
     "host;my-header1;x-amz-date",
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"post-header-value-case",
     "POST",
     {{"my-header1", "VALUE1"}},
     EMPTY,
     "host;my-header1;x-amz-date",
     "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
    {"post-sts-header-before",
     "POST",
     {{"x-amz-security-token", TOKEN}},
     EMPTY,
     "host;x-amz-date;x-amz-security-token",
     "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
    {"post-x-www-form-urlencoded",
     "POST",
     {{"x-amz-content-sha256", FORM},
      {"content-type", "application/x-www-form-urlencoded"},
      {"content-length", "13"}},
     FORM,
     "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
     "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
    {"post-x-www-form-urlencoded-parameters",
     "POST",
     {{"x-amz-content-sha256", FORM},
      {"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
      {"content-length", "13"}},
     FORM,
     "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
     "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422"},
};

static const tally_aws_keys_t example = {
    .access_key = "AKIDEXAMPLE",
    .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};

static void signatures_of_the_suite(void **state) {
  char date[TALLY_SIGV4_DATE], hash[TALLY_SIGV4_HEX];
  tally_sigv4_date(1440938160, date);
  assert_string_equal(date, "20150830T123600Z");
  tally_sigv4_sha256("Param1=value1", 13, hash);
  assert_string_equal(hash, FORM);
  for (size_t i = 0; i < COUNT_OF(vectors); i++) {
    tally_sigv4_header_t headers[6] = {{"x-amz-date", date},
                                       {"host", "example.amazonaws.com"}};
    size_t count = 2;
    while (count < 6 && vectors[i].more[count - 2].name != NULL) {
      headers[count] = vectors[i].more[count - 2];
      count++;
    }
    const tally_sigv4_request_t request = {.method = vectors[i].method,
                                           .path = "/",
                                           .query = "",
                                           .headers = headers,
                                           .headers_count = count,
                                           .body_sha256 = vectors[i].hash,
                                           .region = "us-east-1",
                                           .service = "service",
                                           .date = date};
    char expected[1024];
    snprintf(expected, sizeof(expected),
             "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"
             "service/aws4_request, SignedHeaders=%s, Signature=%s",
             vectors[i].names, vectors[i].signature);
    tally_autobuffer tally_buffer_t out;
    tally_buffer_init(&out, 2048);
    print_message("# %s\n", vectors[i].name);
    assert_int_equal(tally_sigv4_sign(&request, &example, &out, NULL), 0);
    assert_string_equal(out.data, expected);
  }
}

static void signature_that_does_not_fit(void **state) {
  tally_sigv4_header_t headers[TALLY_SIGV4_HEADERS_MAX + 1];
  for (size_t i = 0; i < COUNT_OF(headers); i++)
    headers[i] = (tally_sigv4_header_t){"x", "y"};
  tally_sigv4_request_t request = {.method = "POST",
                                   .path = "/",
                                   .query = "",
                                   .headers = headers,
                                   .headers_count = COUNT_OF(headers),
                                   .body_sha256 = EMPTY,
                                   .region = "r",
                                   .service = "s",
                                   .date = "20150830T123600Z"};
  tally_autobuffer tally_buffer_t out;
  tally_buffer_init(&out, 2048);
  tally_error_t err;
  assert_int_equal(tally_sigv4_sign(&request, &example, &out, &err), -1);
  char *large = calloc(1, 40000);
  memset(large, 'a', 39999);
  headers[0].value = large;
  request.headers_count = 1;
  assert_int_equal(tally_sigv4_sign(&request, &example, &out, &err), -1);
  assert_int_equal(out.len, 0);
  free(large);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(signatures_of_the_suite),
      cmocka_unit_test(signature_that_does_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
