/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_FILE_H
#define TALLY_CORE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/error.h"

/* Reads up to size-1 bytes of a small file from its beginning and terminates
 * them. Returns their number; -1 with errno in err->code. The files of /proc
 * and cgroups hand over one consistent text per read, so `size` should hold
 * the whole of it. */
ssize_t tally_file_read(const char *path, char *text, size_t size,
                        tally_error_t *err);

/* Replaces the file in one step: written beside it with the given mode,
 * renamed. Readers see the old text or the new, also after a crash of this
 * process. It is not flushed to the disk: what is kept this way is checked
 * against its source at the next start. */
int tally_file_replace(const char *path, const void *data, size_t len,
                       mode_t mode, tally_error_t *err);

/* `path` and its parents, each made with `mode` where it is missing. */
int tally_file_make_directory(const char *path, mode_t mode,
                              tally_error_t *err);

/* Moves a descriptor that is kept for long above those that select(2) can
 * handle, because other code in our process (collectd's plugins) may still
 * depend on low ones. Returns the new number, or `fd` itself where the limit of
 * open files is too low for it. Closes on exec. */
int tally_file_raise(int fd);

/* Unsigned decimal number at the beginning of `text`, blanks before it
 * allowed. "max" gives TALLY_UNLIMITED. -1 on anything else. */
#define TALLY_UNKNOWN UINT64_MAX         /* nobody said */
#define TALLY_UNLIMITED (UINT64_MAX - 1) /* somebody said: no limit */
int tally_file_parse_u64(const char *text, uint64_t *value);

#endif
