/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_HTTP_H
#define TALLY_DOCKER_HTTP_H

/*
 * HTTP transfers to one endpoint, any number at a time, driven by one thread
 * (libcurl's multi interface on epoll: those that are quiet cost nothing).
 * Everything is bounded: the time of a transfer, the length of an answer. Only
 * wake() and stop() may come from other threads.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/buffer.h"
#include "core/error.h"
#include "docker/docker.h"

#define TALLY_HTTP_ANSWER_MAX (16 * 1024 * 1024)
#define TALLY_TRANSFER_PAUSE 1

typedef struct tally_http_s tally_http_t;
typedef struct tally_transfer_s tally_transfer_t;

struct tally_transfer_s {
  /* Set by the caller before the start; strings must live until the end. */
  const char *method; /* NULL: "GET" */
  const char *path;   /* "/v1.41/containers/json?all=1" */
  const char *body;   /* JSON; NULL: none */
  int timeout_ms;     /* of the whole transfer; 0: none */
  int buffer_size;    /* bytes read at a time; 0: 16 KiB. 1 KiB at least */
  void *data;
  /* The header of an answer with status 200 is complete. May be NULL. */
  void (*on_open)(tally_transfer_t *transfer);
  /* Takes the body of an answer with status 200; a negative value ends the
   * transfer. TALLY_TRANSFER_PAUSE: it has taken nothing, and neither these
   * bytes nor others come until tally_transfer_resume(). NULL: the body is
   * collected in `answer`. */
  int (*on_data)(tally_transfer_t *transfer, const char *bytes, size_t len);
  /* Over, for better or worse. May start or destroy transfers, this one too.
   * May be NULL. */
  void (*on_done)(tally_transfer_t *transfer);

  /* Valid when it is over. */
  bool done;
  bool failed;           /* no answer, or not all of it: see `error` */
  tally_error_t error;   /* why it failed, without the path */
  int status;            /* of HTTP; 0 without an answer */
  tally_buffer_t answer; /* cleared by tally_transfer_clear() */
  char api_version[16];  /* header Api-Version; "" without */
  int64_t date_s;        /* header Date, seconds since 1970; 0 without */

  /* private to http.c */
  tally_http_t *http; /* NULL: not under way */
  void *easy;
  void *headers;
  LIST_ENTRY(tally_transfer_s) link;
};

tally_http_t *tally_http_create(const tally_endpoint_t *endpoint,
                                tally_error_t *err);
/* Cancels what is under way without calling back. */
void tally_http_destroy(tally_http_t *http);

/* 0: under way, on_done will be called. -1 and *err: it never began. */
int tally_http_start(tally_http_t *http, tally_transfer_t *transfer,
                     tally_error_t *err);
/* Ends a transfer without calling back; nothing if it is not under way. */
void tally_http_cancel(tally_transfer_t *transfer);
/* Lets on_data have what it refused, now, and what comes after. Not from inside
 * a callback of the transfer. */
void tally_transfer_resume(tally_transfer_t *transfer);
/* Gives back the answer of a transfer that is over. */
void tally_transfer_clear(tally_transfer_t *transfer);

/* Waits up to `wait_ms` for something to happen on a transfer or for a wake(),
 * and works on what happened. */
void tally_http_run(tally_http_t *http, int wait_ms);

/* Starts a transfer and works until it is over. 0: an answer with a status
 * below 400. -1 and *err otherwise, with what the daemon said if it said
 * something, or because of stop(). The others go on meanwhile. */
int tally_http_perform(tally_http_t *http, tally_transfer_t *transfer,
                       tally_error_t *err);

/* Whether a finished transfer brought a status below 400; else fills *err. */
int tally_transfer_check(const tally_transfer_t *transfer, tally_error_t *err);

/* From any thread: ends a wait in run(). */
void tally_http_wake(tally_http_t *http);
/* From any thread: ends perform(), now and for ever. */
void tally_http_stop(tally_http_t *http);

#endif
