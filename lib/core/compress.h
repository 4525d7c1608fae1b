/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_COMPRESS_H
#define TALLY_CORE_COMPRESS_H

/*
 * Whole texts, compressed in memory. A compressor keeps its working memory (for
 * gzip 260 KB, for zstd what its level asks for) from one text to the next; one
 * thread at a time uses it.
 */

#include <stdbool.h>

#include "core/buffer.h"
#include "core/error.h"

typedef enum tally_compression_e {
  TALLY_COMPRESSION_NONE = 0,
  TALLY_COMPRESSION_GZIP, /* RFC 1952, by zlib */
  TALLY_COMPRESSION_ZSTD, /* RFC 8878, by libzstd, if that was there when this
                             was built */
} tally_compression_t;

typedef struct tally_compressor_s tally_compressor_t;

/* `level`: 0 is the library's default; gzip has 1 to 9, zstd 1 to 19. NULL and
 * *err: this build cannot do it, no such level, no memory. */
tally_compressor_t *tally_compressor_create(tally_compression_t compression,
                                            int level, tally_error_t *err);
void tally_compressor_destroy(
    tally_compressor_t *compressor); /* NULL allowed */

/* The most that `len` bytes become. */
size_t tally_compressor_bound(const tally_compressor_t *compressor, size_t len);

/* Appends `data` as one gzip member or zstd frame. -1, and nothing appended:
 * the buffer's cap, no memory. */
int tally_compressor_run(tally_compressor_t *compressor, const void *data,
                         size_t len, tally_buffer_t *out);

#endif
