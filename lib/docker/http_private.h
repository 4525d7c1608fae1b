/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_HTTP_PRIVATE_H
#define TALLY_DOCKER_HTTP_PRIVATE_H

/*
 * What the parts of the HTTP client share:
 *
 *   http.c          endpoints, transfers, answers
 *   http_request.c  a transfer as libcurl wants it, and what libcurl calls
 *   http_loop.c     waiting: sockets, libcurl's timer, wake()
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include "docker/http.h"

struct tally_http_s {
  CURLM *multi;
  atomic_bool stopped;
  /* Copies of what the endpoint says; NULL where it says nothing. */
  char *socket_path;
  char *base_url;
  char *ca_file, *cert_file, *key_file;
  bool verify;
  LIST_HEAD(, tally_transfer_s) under_way; /* so that destroy finds them */

  int epoll_fd, wake_fd; /* -1: not yet */
  uint64_t due_ns;       /* of libcurl's timer; monotonic; UINT64_MAX: never */
};

/* transfer->easy and ->headers, ready for libcurl. -1: no memory. */
int tally_http_request_make(tally_http_t *http, tally_transfer_t *transfer);
void tally_http_request_free(tally_transfer_t *transfer);
/* 0 as long as there is none. */
int tally_http_request_status(const tally_transfer_t *transfer);

/* Puts the loop under http->multi. */
int tally_http_loop_open(tally_http_t *http, tally_error_t *err);
/* After the multi handle, which still takes its sockets out. */
void tally_http_loop_close(tally_http_t *http);
/* Waits once, up to `wait_ms`, and lets libcurl work on what is ready. */
void tally_http_loop_turn(tally_http_t *http, int wait_ms);

#endif
