/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_REQUEST_H
#define TALLY_AWS_REQUEST_H

/* One signed POST: signature, exchange, refusal, and a clock that is wrong. */

#include "aws/fault.h"
#include "aws/session_private.h"

typedef struct tally_aws_signed_s {
  /* Set by the caller. */
  const char *url; /* of the endpoint, without a slash at the end */
  const char *region, *service;
  const char *target, *content_type, *content_encoding; /* NULL: none */
  const void *body;
  size_t body_len;
  size_t answer_max;
  const tally_aws_keys_t *keys; /* NULL: do not sign */
  int64_t skew_s; /* the service's clock minus ours; learned here */

  /* Valid afterwards. exchange.answer must be cleared. */
  tally_aws_exchange_t exchange;
  tally_aws_refusal_t refusal;
  tally_aws_fault_t fault;
  tally_aws_setting_t blamed;
  bool uncertain;
} tally_aws_signed_t;

/* 0: status 200 to 299; -1 and *err otherwise, in the words of the service or
 * the network: who asked and whom is for the caller to add. Once more if the
 * clocks differ. Whoever calls it owns `http`. */
int tally_aws_signed_send(const tally_aws_session_t *session,
                          tally_aws_http_t *http, tally_aws_signed_t *request,
                          tally_error_t *err);

/* "http(s)://HOST[:PORT][/PATH]" and nothing else. `host` as in header Host,
 * `path` at least "/". -1 and *err. */
int tally_aws_url_split(const char *url, char host[300], char path[256],
                        tally_error_t *err);

#endif
