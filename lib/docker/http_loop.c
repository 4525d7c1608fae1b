/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/http_private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/file.h"

/*
 * libcurl says which sockets it waits for and when it wants to be called again
 * in any case; epoll waits for both. So a wake-up costs what happened, not what
 * is open: hundreds of quiet streams are free.
 */

#define EVENTS_MAX 64 /* per turn; the others come in the next one */

/* ---- what libcurl asks for ----------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data,
                     void *socket_data) {
  tally_http_t *http = data;
  struct epoll_event event = {.data.fd = fd};
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
    event.events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
    event.events |= EPOLLOUT;

  /* A paused transfer waits for nothing: without events epoll would still tell
   * of a peer that hung up, again and again. */
  if (event.events == 0)
    epoll_ctl(http->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
  else if (epoll_ctl(http->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0)
    epoll_ctl(http->epoll_fd, EPOLL_CTL_ADD, fd, &event);
  /* Should the kernel be out of memory, the transfer meets its time limit. An
   * error from here would end all of them, for ever. */
  return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *data) {
  tally_http_t *http = data;
  http->due_ns = timeout_ms < 0 ? UINT64_MAX
                                : tally_clock_monotonic_ns() +
                                      (uint64_t)timeout_ms * TALLY_NS_PER_MS;
  return 0;
}

/* ---- life ---------------------------------------------------------------- */

int tally_http_loop_open(tally_http_t *http, tally_error_t *err) {
  http->due_ns = UINT64_MAX;
  http->epoll_fd = tally_file_raise(epoll_create1(EPOLL_CLOEXEC));
  if (http->epoll_fd < 0)
    return tally_error_set(err, errno, "epoll");
  http->wake_fd = tally_file_raise(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (http->wake_fd < 0)
    return tally_error_set(err, errno, "eventfd");
  struct epoll_event event = {.events = EPOLLIN, .data.fd = http->wake_fd};
  if (epoll_ctl(http->epoll_fd, EPOLL_CTL_ADD, http->wake_fd, &event) != 0)
    return tally_error_set(err, errno, "epoll");

  curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
  curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
  return 0;
}

void tally_http_loop_close(tally_http_t *http) {
  if (http->wake_fd >= 0)
    close(http->wake_fd);
  if (http->epoll_fd >= 0)
    close(http->epoll_fd);
}

/* ---- turning ------------------------------------------------------------- */

static void serve(tally_http_t *http, const struct epoll_event *event) {
  if (event->data.fd == http->wake_fd) {
    uint64_t wakes;
    ssize_t n = read(http->wake_fd, &wakes, sizeof(wakes));
    (void)n; /* nothing to read: somebody was faster */
    return;
  }
  int what = 0, running;
  if (event->events & (EPOLLIN | EPOLLHUP))
    what |= CURL_CSELECT_IN;
  if (event->events & EPOLLOUT)
    what |= CURL_CSELECT_OUT;
  if (event->events & EPOLLERR)
    what |= CURL_CSELECT_ERR;
  curl_multi_socket_action(http->multi, event->data.fd, what, &running);
}

/* No longer than until libcurl's timer, rounded up to full milliseconds. */
static int bounded_wait(const tally_http_t *http, int wait_ms) {
  if (http->due_ns == UINT64_MAX)
    return wait_ms;
  uint64_t now = tally_clock_monotonic_ns();
  if (http->due_ns <= now)
    return 0;
  uint64_t until_ms =
      (http->due_ns - now + TALLY_NS_PER_MS - 1) / TALLY_NS_PER_MS;
  return until_ms < (uint64_t)wait_ms ? (int)until_ms : wait_ms;
}

void tally_http_loop_turn(tally_http_t *http, int wait_ms) {
  struct epoll_event events[EVENTS_MAX];
  int count = epoll_wait(http->epoll_fd, events, EVENTS_MAX,
                         bounded_wait(http, wait_ms));
  for (int i = 0; i < count; i++)
    serve(http, &events[i]);

  if (http->due_ns != UINT64_MAX &&
      http->due_ns <= tally_clock_monotonic_ns()) {
    int running;
    http->due_ns = UINT64_MAX; /* libcurl sets it again if need be */
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

void tally_http_wake(tally_http_t *http) {
  uint64_t one = 1;
  ssize_t n = write(http->wake_fd, &one, sizeof(one));
  (void)n; /* it cannot take more: awake already */
}
