/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/compress.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#define GZIP_WINDOW (15 + 16) /* 32 KiB, and gzip's header around it */
#define GZIP_MEMORY 8
#define ZSTD_LEVEL_MAX 19 /* those above take hundreds of megabytes */

struct tally_compressor_s {
  tally_compression_t compression;
  z_stream gzip;
#ifdef HAVE_ZSTD
  ZSTD_CCtx *zstd;
#endif
};

/* ---- gzip ---------------------------------------------------------------- */

static int open_gzip(tally_compressor_t *compressor, int level,
                     tally_error_t *err) {
  if (level < 0 || level > 9)
    return tally_error_set(err, 0, "gzip has levels 1 to 9, not %d", level);
  if (deflateInit2(&compressor->gzip,
                   level == 0 ? Z_DEFAULT_COMPRESSION : level, Z_DEFLATED,
                   GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
    return tally_error_set(err, ENOMEM, "gzip");
  compressor->compression = TALLY_COMPRESSION_GZIP;
  return 0;
}

/* Room for the worst case is there, so one step does it. The reset stands
 * behind it, because deflateBound() is wrong about a stream that has ended. */
static size_t run_gzip(tally_compressor_t *compressor, const void *data,
                       size_t len, char *out, size_t room) {
  z_stream *gzip = &compressor->gzip;
  if (len > UINT_MAX || room > UINT_MAX)
    return 0;
  gzip->next_in = (z_const Bytef *)data;
  gzip->avail_in = (uInt)len;
  gzip->next_out = (Bytef *)out;
  gzip->avail_out = (uInt)room;
  int code = deflate(gzip, Z_FINISH);
  deflateReset(gzip);
  return code == Z_STREAM_END ? room - gzip->avail_out : 0;
}

/* ---- zstd ---------------------------------------------------------------- */

#ifdef HAVE_ZSTD

static int open_zstd(tally_compressor_t *compressor, int level,
                     tally_error_t *err) {
  if (level < 0 || level > ZSTD_LEVEL_MAX)
    return tally_error_set(err, 0, "zstd has levels 1 to %d, not %d",
                           ZSTD_LEVEL_MAX, level);
  compressor->zstd = ZSTD_createCCtx();
  if (compressor->zstd == NULL)
    return tally_error_set(err, ENOMEM, "zstd");
  compressor->compression = TALLY_COMPRESSION_ZSTD;
  ZSTD_CCtx_setParameter(compressor->zstd, ZSTD_c_compressionLevel, level);
  return 0;
}

static size_t run_zstd(tally_compressor_t *compressor, const void *data,
                       size_t len, char *out, size_t room) {
  size_t n = ZSTD_compress2(compressor->zstd, out, room, data, len);
  return ZSTD_isError(n) ? 0 : n;
}

static size_t bound_zstd(size_t len) { return ZSTD_compressBound(len); }

static void close_zstd(tally_compressor_t *compressor) {
  ZSTD_freeCCtx(compressor->zstd);
}

#else

static int open_zstd(tally_compressor_t *compressor, int level,
                     tally_error_t *err) {
  return tally_error_set(err, 0, "zstd: this build was made without libzstd");
}

static size_t run_zstd(tally_compressor_t *compressor, const void *data,
                       size_t len, char *out, size_t room) {
  return 0;
}

static size_t bound_zstd(size_t len) { return len; }

static void close_zstd(tally_compressor_t *compressor) {}

#endif

/* ---- either -------------------------------------------------------------- */

tally_compressor_t *tally_compressor_create(tally_compression_t compression,
                                            int level, tally_error_t *err) {
  tally_compressor_t *compressor = calloc(1, sizeof(*compressor));
  if (compressor == NULL) {
    tally_error_set(err, ENOMEM, "compression");
    return NULL;
  }
  if ((compression == TALLY_COMPRESSION_ZSTD
           ? open_zstd(compressor, level, err)
           : open_gzip(compressor, level, err)) == 0)
    return compressor;
  free(compressor);
  return NULL;
}

void tally_compressor_destroy(tally_compressor_t *compressor) {
  if (compressor == NULL)
    return;
  if (compressor->compression == TALLY_COMPRESSION_ZSTD)
    close_zstd(compressor);
  else
    deflateEnd(&compressor->gzip);
  free(compressor);
}

size_t tally_compressor_bound(const tally_compressor_t *compressor,
                              size_t len) {
  if (compressor->compression == TALLY_COMPRESSION_ZSTD)
    return bound_zstd(len);
  return deflateBound((z_stream *)&compressor->gzip, len);
}

int tally_compressor_run(tally_compressor_t *compressor, const void *data,
                         size_t len, tally_buffer_t *out) {
  size_t room = tally_compressor_bound(compressor, len);
  char *end = tally_buffer_extend(out, room);
  if (end == NULL)
    return -1;
  size_t written = compressor->compression == TALLY_COMPRESSION_ZSTD
                       ? run_zstd(compressor, data, len, end, room)
                       : run_gzip(compressor, data, len, end, room);
  tally_buffer_grow(out, written);
  return written > 0 ? 0 : -1;
}
