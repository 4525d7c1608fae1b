/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_HTTP_H
#define TALLY_AWS_HTTP_H

/*
 * One HTTP exchange at a time over connections that are kept. Everything is
 * bounded: time, length of the answer; redirects are never followed. One thread
 * at a time; only stop() may come from another.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/error.h"

typedef struct tally_aws_http_s tally_aws_http_t;

/* Why there is no answer, as far as a setting may be wrong. */
typedef enum tally_aws_obstacle_e {
  TALLY_AWS_OBSTACLE_NONE = 0,
  TALLY_AWS_OBSTACLE_NAME,    /* the host is not known */
  TALLY_AWS_OBSTACLE_PEER,    /* nobody there, or not with HTTP or this TLS */
  TALLY_AWS_OBSTACLE_CA_FILE, /* cannot be read */
  TALLY_AWS_OBSTACLE_PROXY,
} tally_aws_obstacle_t;

typedef struct tally_aws_exchange_s {
  /* Set by the caller. */
  const char *method; /* "GET", "PUT", "POST" */
  const char *url;
  const char *const *headers; /* "Name: value", NULL at the end; may be NULL */
  const void *body;           /* NULL: none */
  size_t body_len;
  int timeout_ms, connect_ms;
  bool direct;                 /* never through a proxy: link-local addresses */
  const char *proxy, *ca_file; /* NULL: what libcurl finds */

  /* Valid afterwards; `answer` is empty until then and must be cleared by
   * tally_secret_buffer_clear(). */
  int status;            /* 0: no answer */
  tally_buffer_t answer; /* at most answer_max bytes, set by the caller */
  size_t answer_max;
  bool uncertain; /* request sent, but an answer is missing */
  tally_aws_obstacle_t obstacle;
  int64_t date_s; /* header Date, seconds since 1970; 0 without */
  int retry_after_s;
  char error_type[128]; /* header x-amzn-ErrorType */
  char request_id[64];  /* header x-amzn-RequestId */
} tally_aws_exchange_t;

/* For messages: the URL, or something in its place if a user and a password may
 * be in it. */
const char *tally_aws_url_shown(const char *url);

tally_aws_http_t *tally_aws_http_create(tally_error_t *err);
void tally_aws_http_destroy(tally_aws_http_t *http);

/* 0: there is an answer, with whatever status. -1 and *err: there is none. */
int tally_aws_http_run(tally_aws_http_t *http, tally_aws_exchange_t *exchange,
                       tally_error_t *err);

/* Waits, for back-off. -1 (ECANCELED): stopped. */
int tally_aws_http_wait(tally_aws_http_t *http, int ms, tally_error_t *err);

/* From any thread, now and for ever: run() and wait() give ECANCELED. */
void tally_aws_http_stop(tally_aws_http_t *http);
bool tally_aws_http_is_stopped(const tally_aws_http_t *http);

#endif
