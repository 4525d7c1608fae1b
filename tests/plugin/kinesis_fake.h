/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_KINESIS_FAKE_H
#define TALLY_TESTS_KINESIS_FAKE_H

/*
 * A Kinesis that remembers, for tests of what writes to it: whoever links this
 * gets its tally_kinesis_open() in place of the library's. A stream called
 * "dead" never answers, one called "missing" is not there, and a name with a
 * blank is none.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "aws/kinesis.h"

typedef struct kinesis_fake_sent_s {
  char stream[64], key[1024], data[2048];
} kinesis_fake_sent_t;

typedef struct kinesis_fake_s {
  kinesis_fake_sent_t *sent; /* in the order in which it came */
  size_t sent_count, sent_size;
  size_t hanging; /* calls of dead streams */
  size_t released;
  tally_kinesis_options_t last; /* options that somebody opened with */
} kinesis_fake_t;

/* Threads of outboxes change it. */
extern kinesis_fake_t kinesis_fake;

void kinesis_fake_forget(void);
/* Waits until one of the numbers above is that large. */
bool kinesis_fake_wait(const size_t *number, size_t wanted);
/* How many records of that stream have come. */
size_t kinesis_fake_count(const char *stream);

#endif
