/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_STREAM_H
#define TALLY_DOCKER_STREAM_H

/*
 * The event stream of one daemon: thread "tally-events".
 *
 * It keeps one long GET /events, cuts what comes into JSON texts and puts them
 * into a queue for the worker. It waits for nothing but the socket, so that the
 * daemon, which gives up on slow readers, never has to wait for us: when the
 * queue is full, texts are dropped and counted here instead.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "docker/docker.h"

#define TALLY_STREAM_TEXT_MAX (1024 * 1024)      /* one event */
#define TALLY_STREAM_QUEUE_MAX (8 * 1024 * 1024) /* all that wait */

typedef enum tally_news_kind_e {
  TALLY_NEWS_OPENED, /* the daemon has accepted the request */
  TALLY_NEWS_TEXT,   /* one event */
  TALLY_NEWS_LOST,   /* here texts are missing, because the queue was full */
  TALLY_NEWS_CLOSED, /* the end, from the other side; `text` says why */
  TALLY_NEWS_FOUL,   /* the end, because what came makes no sense */
} tally_news_kind_t;

typedef struct tally_news_s {
  struct tally_news_s *next;
  tally_news_kind_t kind;
  unsigned connection; /* what open() was given */
  size_t len;
  char text[]; /* NUL-terminated */
} tally_news_t;

typedef struct tally_stream_s tally_stream_t;

/* `on_news (data)` is called in the stream's thread when there is something to
 * take; it must not block. NULL and *err: out of memory or threads. */
tally_stream_t *tally_stream_create(const tally_endpoint_t *endpoint,
                                    void (*on_news)(void *data), void *data,
                                    tally_error_t *err);
/* Stops and joins the thread; at once, whatever the daemon does. */
void tally_stream_destroy(tally_stream_t *stream);

/* Leaves the present connection, if any, without further news of it, and
 * requests `path`. `connection` is the caller's number for it, other than the
 * one before and not 0. Does not wait. */
void tally_stream_open(tally_stream_t *stream, unsigned connection,
                       const char *path);
/* Leaves the present connection and rests until the next open(). */
void tally_stream_close(tally_stream_t *stream);

/* All news since the last call, in order, linked; NULL: none. The caller frees
 * each with free(). */
tally_news_t *tally_stream_take(tally_stream_t *stream);

/* Nanoseconds of monotonic time since the last byte (or the request). */
uint64_t tally_stream_silence_ns(tally_stream_t *stream);
/* Texts that found the queue full, since the beginning. */
uint64_t tally_stream_dropped(tally_stream_t *stream);

#endif
