/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_METADATA_H
#define TALLY_AWS_METADATA_H

/*
 * The instance metadata service: version 2 (a session token first), version 1
 * where there is no other and AWS_EC2_METADATA_V1_DISABLED is not true. One
 * thread at a time.
 *
 * A token request without an answer is taken for version 1 too: where the hop
 * limit is too low for our network namespace, the answer to it dies on the way,
 * and version 1, where it is allowed, still works. Status 429 and 5xx are
 * repeated twice, after 100 and 300 ms.
 */

#include <stdbool.h>
#include <stdint.h>

#include "aws/http.h"

typedef struct tally_aws_metadata_s {
  char base[256];        /* "http://169.254.169.254/latest"; "": not yet */
  char token[512];       /* "": none */
  bool is_v1;            /* asked for a token, got none */
  uint64_t token_end_ns; /* monotonic: ask anew, for either */
  int timeout_ms;        /* of each question */
} tally_aws_metadata_t;

/* Where AWS_EC2_METADATA_SERVICE_ENDPOINT(_MODE) and EC2_METADATA_ENDPOINT
 * point; `for_identity` says which of the two wins. -1: no such URL. */
int tally_aws_metadata_init(tally_aws_metadata_t *metadata, bool for_identity,
                            int timeout_ms, tally_error_t *err);
void tally_aws_metadata_clear(tally_aws_metadata_t *metadata);

/* What is below `path` ("/meta-data/instance-id"). 0: `answer` is a buffer to
 * be cleared by tally_secret_buffer_clear(). -1 and *err: nothing; err->code is
 * ENOENT where the service answers 404. */
int tally_aws_metadata_get(tally_aws_metadata_t *metadata,
                           tally_aws_http_t *http, const char *path,
                           tally_buffer_t *answer, tally_error_t *err);

#endif
