/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/thread.h"

#include <signal.h>

#include "core/clock.h"

/* The sanitizers' frames are several times larger. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifdef SANITIZED
#define STACK_SIZE (4096 * 1024)
#else
#define STACK_SIZE (256 * 1024)
#endif

int tally_thread_start(pthread_t *thread, const char *name,
                       void *(*run)(void *), void *data, tally_error_t *err) {
  pthread_attr_t attributes;
  int code = pthread_attr_init(&attributes);
  if (code != 0)
    return tally_error_set(err, code, "thread %s", name);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);

  sigset_t all, saved;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &saved);
  code = pthread_create(thread, &attributes, run, data);
  pthread_sigmask(SIG_SETMASK, &saved, NULL);
  pthread_attr_destroy(&attributes);
  if (code != 0)
    return tally_error_set(err, code, "thread %s", name);

  pthread_setname_np(*thread, name);
  return 0;
}

int tally_condition_init(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  int code = pthread_condattr_init(&attributes);
  if (code != 0)
    return code;
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  code = pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
  return code;
}

struct timespec tally_deadline_after(int ms) {
  uint64_t ns = tally_clock_monotonic_ns() + (uint64_t)ms * TALLY_NS_PER_MS;
  return (struct timespec){.tv_sec = (time_t)(ns / TALLY_NS_PER_S),
                           .tv_nsec = (long)(ns % TALLY_NS_PER_S)};
}
