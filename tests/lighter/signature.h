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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"

#define SIGNER_PAIRS_MAX 64

/* Who may sign, and until when. */
typedef struct signer_pair_s {
  char access_key[129], secret_key[129];
  char token[513]; /* "": requests bring none */
  int64_t until_s; /* since 1970; 0: for ever */
  uint64_t uses;   /* requests whose signature was right */
} signer_pair_t;

typedef struct signer_s {
  signer_pair_t pairs[SIGNER_PAIRS_MAX];
  size_t count;
  const char *region;
} signer_t;

/* False: too many, or too long. `token` may be NULL. */
bool signer_add(signer_t *signer, const char *access_key,
                const char *secret_key, const char *token, int64_t until_s);

typedef struct signature_fault_s {
  const char *code; /* static; NULL: the signature is right */
  char message[512];
} signature_fault_t;

/* `service` is the one of the scope ("kinesis"), `now_s` this server's idea of
 * the time. */
void signature_check(signer_t *signer, const char *service,
                     const http_request_t *request, int64_t now_s,
                     signature_fault_t *fault);

#endif
