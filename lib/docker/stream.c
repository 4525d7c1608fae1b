/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/thread.h"
#include "docker/engine.h"
#include "docker/http.h"

struct tally_stream_s {
  /* Of the thread alone. */
  tally_http_t *http; /* wake() and stop() from anywhere */
  tally_json_framer_t *framer;
  tally_transfer_t transfer;
  char path[TALLY_ENGINE_PATH_SIZE];
  unsigned connection; /* what `transfer` belongs to */
  bool has_news;       /* the owner has yet to be told */
  char problem[256];   /* why we ended the transfer ourselves */

  void (*on_news)(void *data);
  void *data;
  pthread_t thread;
  _Atomic uint64_t last_byte_ns; /* monotonic */
  _Atomic uint64_t dropped;

  /* Guards what follows. Held for a few instructions only. */
  pthread_mutex_t lock;
  bool stop;
  unsigned wanted; /* connection that open() asked for */
  char wanted_path[TALLY_ENGINE_PATH_SIZE];
  tally_news_t *first, **last;
  size_t queued; /* bytes */
  bool losing;   /* LOST has been put behind the last text */
};

/* ---- queue --------------------------------------------------------------- */

/* false: out of memory. */
static bool append(tally_stream_t *stream, tally_news_kind_t kind,
                   const char *text, size_t len) {
  tally_news_t *news = malloc(sizeof(*news) + len + 1);
  if (news == NULL)
    return false;
  *news = (tally_news_t){
      .kind = kind, .connection = stream->connection, .len = len};
  memcpy(news->text, text, len);
  news->text[len] = '\0';
  *stream->last = news;
  stream->last = &news->next;
  stream->queued += sizeof(*news) + len + 1;
  return true;
}

static void push(tally_stream_t *stream, tally_news_kind_t kind,
                 const char *text, size_t len) {
  pthread_mutex_lock(&stream->lock);
  if (stream->connection == stream->wanted) {
    bool full = kind == TALLY_NEWS_TEXT &&
                stream->queued + len > TALLY_STREAM_QUEUE_MAX;
    if (!full && append(stream, kind, text, len)) {
      stream->losing = false;
    } else {
      atomic_fetch_add(&stream->dropped, 1);
      if (!stream->losing)
        stream->losing = append(stream, TALLY_NEWS_LOST, "", 0);
    }
    stream->has_news = true;
  }
  pthread_mutex_unlock(&stream->lock);
}

tally_news_t *tally_stream_take(tally_stream_t *stream) {
  pthread_mutex_lock(&stream->lock);
  tally_news_t *news = stream->first;
  stream->first = NULL;
  stream->last = &stream->first;
  stream->queued = 0;
  stream->losing = false;
  pthread_mutex_unlock(&stream->lock);
  return news;
}

/* ---- the thread ---------------------------------------------------------- */

static void tell(tally_stream_t *stream) {
  if (!stream->has_news)
    return;
  stream->has_news = false;
  stream->on_news(stream->data);
}

static void heard(tally_stream_t *stream) {
  atomic_store(&stream->last_byte_ns, tally_clock_monotonic_ns());
}

static void on_open(tally_transfer_t *transfer) {
  tally_stream_t *stream = transfer->data;
  heard(stream);
  push(stream, TALLY_NEWS_OPENED, "", 0);
  tell(stream);
}

static int on_text(const char *text, size_t len, void *data) {
  push(data, TALLY_NEWS_TEXT, text, len);
  return 0;
}

static int on_data(tally_transfer_t *transfer, const char *bytes, size_t len) {
  tally_stream_t *stream = transfer->data;
  heard(stream);
  tally_error_t err = {0};
  int status =
      tally_json_framer_feed(stream->framer, bytes, len, on_text, stream, &err);
  if (status < 0)
    snprintf(stream->problem, sizeof(stream->problem), "%.255s", err.message);
  tell(stream);
  return status;
}

static void on_done(tally_transfer_t *transfer) {
  tally_stream_t *stream = transfer->data;
  tally_error_t err = {0};
  const char *problem = "the daemon ended it";
  bool foul = stream->problem[0] != '\0' ||
              (!transfer->failed && transfer->status != 200);
  if (stream->problem[0] != '\0')
    problem = stream->problem;
  else if (tally_transfer_check(transfer, &err) != 0)
    problem = err.message;
  push(stream, foul ? TALLY_NEWS_FOUL : TALLY_NEWS_CLOSED, problem,
       strlen(problem));
  tally_transfer_clear(transfer);
  tell(stream);
}

static void request(tally_stream_t *stream) {
  tally_http_cancel(&stream->transfer);
  tally_json_framer_reset(stream->framer);
  stream->problem[0] = '\0';
  if (stream->connection == 0)
    return;
  stream->transfer = (tally_transfer_t){.path = stream->path,
                                        .data = stream,
                                        .on_open = on_open,
                                        .on_data = on_data,
                                        .on_done = on_done};
  heard(stream);
  tally_error_t err = {0};
  if (tally_http_start(stream->http, &stream->transfer, &err) != 0) {
    push(stream, TALLY_NEWS_CLOSED, err.message, strlen(err.message));
    tell(stream);
  }
}

static void *run(void *data) {
  tally_stream_t *stream = data;
  for (;;) {
    pthread_mutex_lock(&stream->lock);
    bool stop = stream->stop;
    bool new_request = stream->wanted != stream->connection;
    if (new_request) {
      stream->connection = stream->wanted;
      memcpy(stream->path, stream->wanted_path, sizeof(stream->path));
    }
    pthread_mutex_unlock(&stream->lock);

    if (stop)
      return NULL;
    if (new_request)
      request(stream);
    tally_http_run(stream->http, 60000);
  }
}

/* ---- life ---------------------------------------------------------------- */

static void release(tally_stream_t *stream) {
  tally_http_destroy(stream->http);
  tally_json_framer_destroy(stream->framer);
  while (stream->first != NULL) {
    tally_news_t *news = stream->first;
    stream->first = news->next;
    free(news);
  }
  pthread_mutex_destroy(&stream->lock);
  free(stream);
}

tally_stream_t *tally_stream_create(const tally_endpoint_t *endpoint,
                                    void (*on_news)(void *data), void *data,
                                    tally_error_t *err) {
  tally_stream_t *stream = calloc(1, sizeof(*stream));
  if (stream == NULL) {
    tally_error_set(err, ENOMEM, "event stream");
    return NULL;
  }
  pthread_mutex_init(&stream->lock, NULL);
  stream->last = &stream->first;
  stream->on_news = on_news;
  stream->data = data;
  stream->framer = tally_json_framer_create(TALLY_STREAM_TEXT_MAX);
  stream->http = tally_http_create(endpoint, err);
  if (stream->framer == NULL)
    tally_error_set(err, ENOMEM, "event stream");
  if (stream->framer == NULL || stream->http == NULL ||
      tally_thread_start(&stream->thread, "tally-events", run, stream, err) !=
          0) {
    release(stream);
    return NULL;
  }
  return stream;
}

void tally_stream_destroy(tally_stream_t *stream) {
  if (stream == NULL)
    return;
  pthread_mutex_lock(&stream->lock);
  stream->stop = true;
  pthread_mutex_unlock(&stream->lock);
  tally_http_wake(stream->http);
  pthread_join(stream->thread, NULL);
  release(stream);
}

void tally_stream_open(tally_stream_t *stream, unsigned connection,
                       const char *path) {
  pthread_mutex_lock(&stream->lock);
  stream->wanted = connection;
  snprintf(stream->wanted_path, sizeof(stream->wanted_path), "%s", path);
  pthread_mutex_unlock(&stream->lock);
  heard(stream); /* or the silence before would be held against it */
  tally_http_wake(stream->http);
}

void tally_stream_close(tally_stream_t *stream) {
  tally_stream_open(stream, 0, "");
}

uint64_t tally_stream_silence_ns(tally_stream_t *stream) {
  return tally_clock_monotonic_ns() - atomic_load(&stream->last_byte_ns);
}

uint64_t tally_stream_dropped(tally_stream_t *stream) {
  return atomic_load(&stream->dropped);
}
