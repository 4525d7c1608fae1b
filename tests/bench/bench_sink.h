/* SPDX-License-Identifier: MIT */
#ifndef TALLY_BENCH_SINK_H
#define TALLY_BENCH_SINK_H

/* lighter behind TLS as a process of its own on the last CPU, the caller on the
 * first one. */

#include "aws/aws.h"
#include "delivery/delivery.h"

typedef struct bench_sink_s bench_sink_t;

/* NULL: a message is on stderr. */
bench_sink_t *bench_sink_open(void);
void bench_sink_close(bench_sink_t *sink);

/* What a session needs to talk to it. */
const tally_aws_options_t *bench_sink_options(const bench_sink_t *sink);

/* The floor: the records' bytes in one body, by nothing but memcpy, base64 and
 * SSL_write; with `digests` also the two that aggregates and the signature ask
 * for, MD5 of the bytes and SHA-256 of the body. -1: a message is on stderr. */
int bench_sink_write(bench_sink_t *sink, const tally_record_t *records,
                     size_t count, bool digests);

#endif
