/* SPDX-License-Identifier: MIT */
#ifndef LIGHTER_SIGNATURE_H
#define LIGHTER_SIGNATURE_H

/*
 * Is a request signed with the secret that we know? Everything is computed anew
 * from what arrived, and nothing is shared with the code under test.
 *
 * Contract: AWS, "Signature Version 4 signing process"; the errors are those of
 * the services with JSON, see answer.h for the others.
 */

#include <stddef.h>
#include <stdint.h>

#include "http.h"

typedef struct signer_s {
  const char *access_key, *secret_key;
  const char *token; /* NULL: requests bring none */
  const char *region;
} signer_t;

typedef struct signature_fault_s {
  const char *code; /* static; NULL: the signature is right */
  char message[512];
} signature_fault_t;

/* `service` is the one of the scope ("kinesis"), `now_s` this server's idea of
 * the time. */
void signature_check(const signer_t *signer, const char *service,
                     const http_request_t *request, int64_t now_s,
                     signature_fault_t *fault);

#endif
