/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/sigv4.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "aws/secret.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
/* A session token, and everything else that is signed. */
#define CANONICAL_MAX 32768

static void to_hex(const unsigned char bytes[SHA256_DIGEST_LENGTH],
                   char hex[TALLY_SIGV4_HEX]) {
  static const char digits[] = "0123456789abcdef";
  for (int i = 0; i < SHA256_DIGEST_LENGTH; i++) {
    *hex++ = digits[bytes[i] >> 4];
    *hex++ = digits[bytes[i] & 15];
  }
  *hex = '\0';
}

void tally_sigv4_sha256(const void *data, size_t len,
                        char hex[TALLY_SIGV4_HEX]) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(data, len, digest);
  to_hex(digest, hex);
}

void tally_sigv4_date(int64_t seconds, char date[TALLY_SIGV4_DATE]) {
  time_t t = (time_t)seconds;
  struct tm tm;
  if (gmtime_r(&t, &tm) == NULL ||
      strftime(date, TALLY_SIGV4_DATE, "%Y%m%dT%H%M%SZ", &tm) == 0)
    memcpy(date, "19700101T000000Z", TALLY_SIGV4_DATE);
}

/* ---- the request in its canonical form ----------------------------------- */

typedef const tally_sigv4_header_t *order_t[TALLY_SIGV4_HEADERS_MAX];

static void sort_headers(const tally_sigv4_request_t *request, order_t order) {
  for (size_t i = 0; i < request->headers_count; i++) {
    size_t at = i;
    for (; at > 0 && strcmp(order[at - 1]->name, request->headers[i].name) > 0;
         at--)
      order[at] = order[at - 1];
    order[at] = &request->headers[i];
  }
}

static int add_names(const order_t order, size_t count, tally_buffer_t *out) {
  int code = 0;
  for (size_t i = 0; i < count; i++)
    code |= tally_buffer_printf(out, "%s%s", i ? ";" : "", order[i]->name);
  return code;
}

static int canonical(const tally_sigv4_request_t *request, const order_t order,
                     tally_buffer_t *out) {
  int code = tally_buffer_printf(out, "%s\n%s\n%s\n", request->method,
                                 request->path, request->query);
  for (size_t i = 0; i < request->headers_count; i++)
    code |=
        tally_buffer_printf(out, "%s:%s\n", order[i]->name, order[i]->value);
  code |= tally_buffer_append_str(out, "\n");
  code |= add_names(order, request->headers_count, out);
  return code | tally_buffer_printf(out, "\n%s", request->body_sha256);
}

/* ---- the key ------------------------------------------------------------- */

typedef struct digest_s {
  unsigned char bytes[SHA256_DIGEST_LENGTH];
} digest_t;

static int mac(const void *key, size_t key_len, const char *text, size_t len,
               digest_t *out) {
  return HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, len,
              out->bytes, NULL) != NULL
             ? 0
             : -1;
}

static int chain(digest_t *key, const char *text, size_t len) {
  digest_t next;
  int code = mac(key->bytes, sizeof(key->bytes), text, len, &next);
  *key = next;
  tally_secret_wipe(&next, sizeof(next));
  return code;
}

static int signing_key(const tally_sigv4_request_t *request, const char *secret,
                       digest_t *key) {
  char first[4 + sizeof(((tally_aws_keys_t *)0)->secret_key)];
  size_t len = strlen(secret);
  memcpy(first, "AWS4", 4);
  memcpy(first + 4, secret, len);
  int code = mac(first, 4 + len, request->date, 8, key);
  tally_secret_wipe(first, sizeof(first));
  code |= chain(key, request->region, strlen(request->region));
  code |= chain(key, request->service, strlen(request->service));
  return code | chain(key, "aws4_request", strlen("aws4_request"));
}

int tally_sigv4_sign(const tally_sigv4_request_t *request,
                     const tally_aws_keys_t *keys, tally_buffer_t *out,
                     tally_error_t *err) {
  if (request->headers_count > TALLY_SIGV4_HEADERS_MAX)
    return tally_error_set(err, E2BIG, "headers to sign");
  order_t order = {0};
  sort_headers(request, order);

  tally_secret_autobuffer tally_buffer_t text;
  if (tally_secret_buffer_init(&text, CANONICAL_MAX) != 0)
    return tally_error_set(err, ENOMEM, "signature");
  if (canonical(request, order, &text) != 0)
    return tally_error_set(err, E2BIG, "headers to sign");
  char hash[TALLY_SIGV4_HEX];
  tally_sigv4_sha256(text.data, text.len, hash);

  char scope[256];
  snprintf(scope, sizeof(scope), "%.8s/%s/%s/aws4_request", request->date,
           request->region, request->service);
  tally_autobuffer tally_buffer_t to_sign;
  tally_buffer_init(&to_sign, 1024);
  if (tally_buffer_printf(&to_sign, ALGORITHM "\n%s\n%s\n%s", request->date,
                          scope, hash) != 0)
    return tally_error_set(err, E2BIG, "scope of a signature");

  digest_t key, signature;
  int code = signing_key(request, keys->secret_key, &key);
  code |=
      mac(key.bytes, sizeof(key.bytes), to_sign.data, to_sign.len, &signature);
  tally_secret_wipe(&key, sizeof(key));
  if (code != 0)
    return tally_error_set(err, 0, "signature: libcrypto has no HMAC-SHA256");

  char hex[TALLY_SIGV4_HEX];
  to_hex(signature.bytes, hex);
  code = tally_buffer_printf(out, ALGORITHM " Credential=%s/%s, SignedHeaders=",
                             keys->access_key, scope);
  code |= add_names(order, request->headers_count, out);
  code |= tally_buffer_printf(out, ", Signature=%s", hex);
  return code == 0 ? 0 : tally_error_set(err, E2BIG, "signature");
}
