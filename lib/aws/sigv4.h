/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_SIGV4_H
#define TALLY_AWS_SIGV4_H

/*
 * AWS Signature Version 4, in a header, for one request: a pure function of
 * request, scope, time and keys.
 */

#include <stdint.h>

#include "aws/aws.h"

#define TALLY_SIGV4_HEADERS_MAX 16
#define TALLY_SIGV4_HEX (64 + 1) /* of a SHA-256, with its NUL */
#define TALLY_SIGV4_DATE 17      /* "20150830T123600Z" */

typedef struct tally_sigv4_header_s {
  const char *name;  /* in lower case */
  const char *value; /* without blanks around it */
} tally_sigv4_header_t;

typedef struct tally_sigv4_request_s {
  const char *method;
  const char *path;  /* as sent, encoded, beginning with a slash */
  const char *query; /* sorted and encoded; "" */
  /* All that are to be signed, in any order. */
  const tally_sigv4_header_t *headers;
  size_t headers_count;
  const char *body_sha256; /* in hexadecimal */
  const char *region, *service;
  const char *date; /* as in header x-amz-date */
} tally_sigv4_request_t;

void tally_sigv4_sha256(const void *data, size_t len,
                        char hex[TALLY_SIGV4_HEX]);
void tally_sigv4_date(int64_t seconds, char date[TALLY_SIGV4_DATE]);

/* Appends the value of header Authorization. -1 and *err: too many headers, the
 * buffer's cap, no memory. */
int tally_sigv4_sign(const tally_sigv4_request_t *request,
                     const tally_aws_keys_t *keys, tally_buffer_t *out,
                     tally_error_t *err);

#endif
