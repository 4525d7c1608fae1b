/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_CLOCK_H
#define TALLY_CORE_CLOCK_H

#include <stdint.h>

/* All times of the library are nanoseconds in 64 bits. */
#define TALLY_NS_PER_S UINT64_C(1000000000)
#define TALLY_NS_PER_MS UINT64_C(1000000)

uint64_t tally_clock_realtime_ns(void);   /* since 1970-01-01 UTC */
uint64_t tally_clock_monotonic_ns(void);  /* never steps */
uint64_t tally_clock_thread_cpu_ns(void); /* CPU time of this thread */

/*
 * RFC 3339 time with up to nine digits of fraction and an offset ("Z" or
 * "+02:00"), as Docker writes it: nanoseconds since 1970. Docker's "never"
 * (year 1) and every earlier time give 0. Returns -1 on anything else.
 */
int tally_clock_parse_rfc3339(const char *text, uint64_t *ns);

#endif
