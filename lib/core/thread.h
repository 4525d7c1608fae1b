/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_THREAD_H
#define TALLY_CORE_THREAD_H

#include <pthread.h>
#include <time.h>

#include "core/error.h"

/*
 * Starts a thread of the library: with a name (at most 15 characters), a small
 * stack (256 KiB: enough for a TLS handshake, too small for large arrays), and
 * all signals blocked, so that the process we live in keeps receiving them
 * where it expects them. -1 and *err if there is no thread to be had.
 */
int tally_thread_start(pthread_t *thread, const char *name,
                       void *(*run)(void *), void *data, tally_error_t *err);

/* A condition whose timed waits follow the monotonic clock. */
int tally_condition_init(pthread_cond_t *condition);

/* Now + `ms` on that clock, for pthread_cond_timedwait(). */
struct timespec tally_deadline_after(int ms);

#endif
