/* SPDX-License-Identifier: MIT */
#ifndef WRITE_KINESIS_OPTIONS_H
#define WRITE_KINESIS_OPTIONS_H

/* What a <Stream> block may say. Include after collectd's headers. */

#include "write_kinesis_stream.h"

/* Reads `block`, a <Stream>, on top of the defaults that stand beside it in
 * `parent`, the <Plugin>. -1 (logged): something is wrong. */
int write_kinesis_options_read(const char *plugin, oconfig_item_t *block,
                               oconfig_item_t *parent,
                               write_kinesis_stream_t *stream);

#endif
