/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "signature.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/buffer.h"
#include "core/cleanup.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"
#define SKEW_MAX_S 300
#define DIGEST 32
#define CANONICAL_MAX 131072

/* What the Authorization header says. */
typedef struct claim_s {
  char credential[256]; /* taken apart: */
  const char *access_key, *date, *region, *service;
  char signed_headers[1024];
  char signature[2 * DIGEST + 1];
} claim_t;

static void refuse(signature_fault_t *fault, const char *code,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void refuse(signature_fault_t *fault, const char *code,
                   const char *format, ...) {
  fault->code = code;
  va_list list;
  va_start(list, format);
  vsnprintf(fault->message, sizeof(fault->message), format, list);
  va_end(list);
}

/* ---- digests ---------------------------------------------------------------
 */

static void hex(const unsigned char digest[DIGEST], char text[2 * DIGEST + 1]) {
  for (size_t i = 0; i < DIGEST; i++)
    snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

static void sha256_hex(const void *data, size_t len,
                       char text[2 * DIGEST + 1]) {
  unsigned char digest[DIGEST];
  EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);
  hex(digest, text);
}

static void hmac(const void *key, size_t key_len, const char *text,
                 unsigned char digest[DIGEST]) {
  HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text,
       strlen(text), digest, NULL);
}

static void signing_key(const char *secret, const claim_t *claim,
                        unsigned char key[DIGEST]) {
  char first[256];
  int len = snprintf(first, sizeof(first), "AWS4%s", secret);
  unsigned char next[DIGEST];
  hmac(first, (size_t)len, claim->date, key);
  hmac(key, DIGEST, claim->region, next);
  hmac(next, DIGEST, claim->service, key);
  hmac(key, DIGEST, TERMINATOR, next);
  memcpy(key, next, DIGEST);
}

/* ---- the claim -------------------------------------------------------------
 */

/* Copies what stands behind "NAME=" up to the next comma. */
static bool parameter(const char *header, const char *name, char *value,
                      size_t size) {
  const char *p = strstr(header, name);
  if (p == NULL)
    return false;
  p += strlen(name);
  size_t len = strcspn(p, ", ");
  if (len >= size)
    return false;
  memcpy(value, p, len);
  value[len] = '\0';
  return true;
}

static bool read_claim(const char *header, claim_t *claim) {
  if (strncmp(header, ALGORITHM " ", strlen(ALGORITHM) + 1) != 0 ||
      !parameter(header, " Credential=", claim->credential,
                 sizeof(claim->credential)) ||
      !parameter(header, " SignedHeaders=", claim->signed_headers,
                 sizeof(claim->signed_headers)) ||
      !parameter(header, " Signature=", claim->signature,
                 sizeof(claim->signature)))
    return false;
  char *rest = claim->credential;
  claim->access_key = strsep(&rest, "/");
  claim->date = strsep(&rest, "/");
  claim->region = strsep(&rest, "/");
  claim->service = strsep(&rest, "/");
  return rest != NULL && strcmp(rest, TERMINATOR) == 0;
}

/* ---- the canonical request -------------------------------------------------
 */

static bool is_signed(const claim_t *claim, const char *name) {
  size_t len = strlen(name);
  for (const char *p = claim->signed_headers; *p != '\0';) {
    size_t item = strcspn(p, ";");
    if (item == len && strncmp(p, name, len) == 0)
      return true;
    p += item + (p[item] == ';');
  }
  return false;
}

/* Runs of blanks count as one. */
static void append_value(tally_buffer_t *out, const char *value) {
  for (const char *p = value; *p != '\0'; p++)
    if (*p != ' ' || p[1] != ' ')
      tally_buffer_append(out, p, 1);
}

/* In the order in which they are named, which is the sorted one if the client
 * is right. False: one of them has not arrived. */
static bool append_headers(tally_buffer_t *out, const claim_t *claim,
                           const http_request_t *request) {
  tally_autofree char *names = strdup(claim->signed_headers);
  char *rest = names, *name;
  while ((name = strsep(&rest, ";")) != NULL) {
    const char *value = http_header(request, name);
    if (value == NULL)
      return false;
    tally_buffer_printf(out, "%s:", name);
    append_value(out, value);
    tally_buffer_append_str(out, "\n");
  }
  return true;
}

/* Once more than it is encoded already, as all services but S3 want it. */
static void append_path(tally_buffer_t *out, const char *path) {
  static const char plain[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  for (const char *p = path; *p != '\0'; p++)
    if (strchr(plain, *p) != NULL)
      tally_buffer_append(out, p, 1);
    else
      tally_buffer_printf(out, "%%%02X", (unsigned char)*p);
}

static bool canonical_hash(const claim_t *claim, const http_request_t *request,
                           char hash[2 * DIGEST + 1]) {
  tally_autobuffer tally_buffer_t text;
  tally_buffer_init(&text, CANONICAL_MAX);
  tally_buffer_printf(&text, "%s\n", request->method);
  append_path(&text, request->path);
  tally_buffer_append_str(&text, "\n\n"); /* no query: see check_shape() */
  if (!append_headers(&text, claim, request))
    return false;
  char body[2 * DIGEST + 1];
  sha256_hex(request->body, request->body_len, body);
  tally_buffer_printf(&text, "\n%s\n%s", claim->signed_headers, body);
  sha256_hex(text.data, text.len, hash);
  return true;
}

/* ---- judging ---------------------------------------------------------------
 */

static bool check_shape(const claim_t *claim, const http_request_t *request,
                        signature_fault_t *fault) {
  const char *hash = http_header(request, "x-amz-content-sha256");
  char body[2 * DIGEST + 1];
  sha256_hex(request->body, request->body_len, body);
  if (hash != NULL && strcmp(hash, body) != 0)
    refuse(fault, "InvalidSignatureException",
           "x-amz-content-sha256 is not that of the body");
  else if (!is_signed(claim, "host") || !is_signed(claim, "x-amz-date"))
    refuse(fault, "IncompleteSignatureException",
           "host and x-amz-date have to be signed");
  else if (*request->query != '\0')
    refuse(fault, "IncompleteSignatureException",
           "lighter checks no requests with a query");
  return fault->code == NULL;
}

static bool check_time(const claim_t *claim, const char *date, int64_t now_s,
                       signature_fault_t *fault) {
  struct tm tm = {0};
  const char *end = date != NULL ? strptime(date, "%Y%m%dT%H%M%SZ", &tm) : NULL;
  if (end == NULL || *end != '\0' || strncmp(date, claim->date, 8) != 0) {
    refuse(fault, "IncompleteSignatureException",
           "Date must be in ISO-8601 'basic format' and that of the scope");
    return false;
  }
  int64_t then = timegm(&tm), bound = now_s;
  bound += then < now_s ? -SKEW_MAX_S : SKEW_MAX_S;
  char now[32], limit[32];
  time_t t = (time_t)now_s;
  strftime(now, sizeof(now), "%Y%m%dT%H%M%SZ", gmtime(&t));
  t = (time_t)bound;
  strftime(limit, sizeof(limit), "%Y%m%dT%H%M%SZ", gmtime(&t));
  if (then < now_s - SKEW_MAX_S)
    refuse(fault, "InvalidSignatureException",
           "Signature expired: %s is now earlier than %s (%s - 5 min.)", date,
           limit, now);
  else if (then > now_s + SKEW_MAX_S)
    refuse(fault, "InvalidSignatureException",
           "Signature not yet current: %s is still later than %s (%s + 5 min.)",
           date, limit, now);
  return fault->code == NULL;
}

bool signer_add(signer_t *signer, const char *access_key,
                const char *secret_key, const char *token, int64_t until_s) {
  if (token == NULL)
    token = "";
  signer_pair_t *pair = &signer->pairs[signer->count];
  if (signer->count == SIGNER_PAIRS_MAX ||
      strlen(access_key) >= sizeof(pair->access_key) ||
      strlen(secret_key) >= sizeof(pair->secret_key) ||
      strlen(token) >= sizeof(pair->token))
    return false;
  *pair = (signer_pair_t){.until_s = until_s};
  strcpy(pair->access_key, access_key);
  strcpy(pair->secret_key, secret_key);
  strcpy(pair->token, token);
  signer->count++;
  return true;
}

/* Whose it is; NULL: nobody's. */
static signer_pair_t *find_pair(signer_t *signer, const claim_t *claim,
                                const http_request_t *request) {
  const char *token = http_header(request, "x-amz-security-token");
  if (token == NULL)
    token = "";
  for (size_t i = 0; i < signer->count; i++)
    if (strcmp(claim->access_key, signer->pairs[i].access_key) == 0 &&
        strcmp(token, signer->pairs[i].token) == 0)
      return &signer->pairs[i];
  return NULL;
}

static bool check_identity(const signer_t *signer, const signer_pair_t *pair,
                           const char *service, const claim_t *claim,
                           int64_t now_s, signature_fault_t *fault) {
  if (pair == NULL)
    refuse(fault, "UnrecognizedClientException",
           "The security token included in the request is invalid.");
  else if (pair->until_s != 0 && now_s >= pair->until_s)
    refuse(fault, "ExpiredTokenException",
           "The security token included in the request is expired");
  else if (strcmp(claim->region, signer->region) != 0)
    refuse(fault, "InvalidSignatureException",
           "Credential should be scoped to a valid region, not '%s'.",
           claim->region);
  else if (strcmp(claim->service, service) != 0)
    refuse(fault, "InvalidSignatureException",
           "Credential should be scoped to correct service: '%s'.", service);
  return fault->code == NULL;
}

static void check_signature(const signer_pair_t *pair, const claim_t *claim,
                            const http_request_t *request,
                            signature_fault_t *fault) {
  char canonical[2 * DIGEST + 1], text[512], right[2 * DIGEST + 1];
  if (!canonical_hash(claim, request, canonical)) {
    refuse(fault, "IncompleteSignatureException",
           "a signed header has not arrived");
    return;
  }
  snprintf(text, sizeof(text), ALGORITHM "\n%s\n%s/%s/%s/" TERMINATOR "\n%s",
           http_header(request, "x-amz-date"), claim->date, claim->region,
           claim->service, canonical);
  unsigned char key[DIGEST], digest[DIGEST];
  signing_key(pair->secret_key, claim, key);
  hmac(key, DIGEST, text, digest);
  hex(digest, right);
  if (strcmp(right, claim->signature) != 0)
    refuse(fault, "InvalidSignatureException",
           "The request signature we calculated does not match the signature "
           "you provided. Check your AWS Secret Access Key and signing "
           "method. Consult the service documentation for details.");
}

void signature_check(signer_t *signer, const char *service,
                     const http_request_t *request, int64_t now_s,
                     signature_fault_t *fault) {
  fault->code = NULL;
  const char *header = http_header(request, "authorization");
  if (header == NULL) {
    refuse(fault, "MissingAuthenticationTokenException",
           "Missing Authentication Token");
    return;
  }
  claim_t claim;
  if (!read_claim(header, &claim)) {
    refuse(fault, "IncompleteSignatureException",
           "Authorization header is no " ALGORITHM " signature");
    return;
  }
  signer_pair_t *pair = find_pair(signer, &claim, request);
  if (check_shape(&claim, request, fault) &&
      check_identity(signer, pair, service, &claim, now_s, fault) &&
      check_time(&claim, http_header(request, "x-amz-date"), now_s, fault))
    check_signature(pair, &claim, request, fault);
  if (fault->code == NULL)
    pair->uses++;
}
