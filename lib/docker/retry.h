/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_RETRY_H
#define TALLY_DOCKER_RETRY_H

#include <stdint.h>

#define TALLY_RETRY_MAX_MS 5000

/* How long to wait before a daemon is asked again, in ns: 100 ms after the
 * first failure (`failures` 0), doubled by each further one up to 5 s; a
 * quarter more or less, so that those who lost it together do not come back at
 * the same moment. */
uint64_t tally_retry_ns(unsigned failures);

#endif
