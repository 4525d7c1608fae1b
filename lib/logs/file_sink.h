/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_FILE_SINK_H
#define TALLY_LOGS_FILE_SINK_H

/*
 * A file as the destination of an outbox: each record becomes a line, in the
 * order in which they were put.
 *
 * The file is made with mode 0640. The last component of its path is never
 * followed through a symbolic link, and only a regular file is written. When
 * somebody else has moved it away (logrotate), the next batch begins a new one;
 * nobody has to send a signal. What cannot be written (no space, no directory,
 * no permission) waits in the outbox. When it reaches the disk is the kernel's
 * business, as with any log file.
 *
 * Once each, also after kill -9: before a batch is written, a *journal* beside
 * the spool says where in the file it begins and with which record. A successor
 * that is given that record again looks what of it and of those behind it
 * stands there. So lines come twice only if the process is killed during a
 * write and the file is moved away before the next one begins.
 */

#include <stdint.h>

#include "delivery/delivery.h"

typedef struct tally_file_sink_options_s {
  const char *path;      /* absolute */
  const char *journal;   /* NULL: none, and a crash may repeat a batch */
  uint64_t rotate_bytes; /* begin anew when it would grow longer; 0: never */
  unsigned rotate_keep; /* old ones that stay: PATH.1, the newest, …; 0: none */
} tally_file_sink_options_t;

/* As the openers of lib/aws: fills in the destination and, of the outbox's
 * options, limits and linger where they are 0. Opens nothing yet. -1 and *err:
 * not an absolute path of a file, no memory. */
int tally_file_sink_open(const tally_file_sink_options_t *options,
                         tally_destination_t *destination,
                         tally_outbox_options_t *outbox, tally_error_t *err);

#endif
