/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_MD5_TOGETHER_H
#define TALLY_AWS_MD5_TOGETHER_H

/*
 * The MD5 (RFC 1321) of up to four messages at once.
 *
 * Every step of MD5 needs the result of the one before it, so a CPU that could
 * do several things at a time waits most of it; libcrypto does one message
 * after the other. Here each stands in a lane of a vector, and four take not
 * twice as long as one does.
 *
 * This is no cryptography but the checksum at the end of the KPL's aggregates:
 * nothing is secret and nothing is trusted because of it. Who may not use MD5
 * at all is for tally_kinesis_keys_know_md5() to say.
 *
 * From any thread; no errors, no memory.
 */

#include <stddef.h>
#include <stdint.h>

#define TALLY_MD5_LEN 16
#define TALLY_MD5_TOGETHER 4

typedef struct tally_md5_message_s {
  const void *data; /* not NULL */
  size_t len;       /* bytes */
  uint8_t *digest;  /* here: TALLY_MD5_LEN bytes, outside of every `data` */
} tally_md5_message_t;

/* Up to TALLY_MD5_TOGETHER messages. It takes as long as the longest of them
 * does, and for that one alone libcrypto is faster. */
void tally_md5_together(const tally_md5_message_t *messages, size_t count);

#endif
