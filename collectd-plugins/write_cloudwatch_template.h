/* SPDX-License-Identifier: MIT */
#ifndef WRITE_CLOUDWATCH_TEMPLATE_H
#define WRITE_CLOUDWATCH_TEMPLATE_H

/*
 * Texts with variables in them, as rules write them: "%{plugin}.%{type}".
 *
 *   host plugin plugin_instance type type_instance    of the identifier
 *   ds                                 the data source
 *   severity                           of a notification
 *   meta:KEY                           meta data of the value list
 *   instance image instance_type az region account asg    of this EC2 instance
 *
 * Read during configuration, then used by any number of threads. Include after
 * collectd's headers.
 */

#include "aws/aws.h"
#include "core/buffer.h"
#include "utils/metadata/meta_data.h"

typedef struct write_cloudwatch_piece_s write_cloudwatch_piece_t;

/* Zero is the template of the empty text. */
typedef struct write_cloudwatch_template_s {
  write_cloudwatch_piece_t *pieces;
  size_t count;
  bool has_variables;
  bool asks_identity; /* of the instance */
} write_cloudwatch_template_t;

/* Where variables come from; texts that are NULL are empty. */
typedef struct write_cloudwatch_source_s {
  const char *host, *plugin, *plugin_instance, *type, *type_instance;
  const char *ds, *severity;
  meta_data_t *meta;                    /* NULL: none */
  const tally_aws_identity_t *identity; /* NULL: not known */
} write_cloudwatch_source_t;

/* Replaces what the template was. -1 and *err: no such variable, no end of it,
 * no memory. */
int write_cloudwatch_template_parse(write_cloudwatch_template_t *template,
                                    const char *text, tally_error_t *err);
void write_cloudwatch_template_clear(write_cloudwatch_template_t *template);

typedef enum write_cloudwatch_filled_e {
  WRITE_CLOUDWATCH_FULL,
  WRITE_CLOUDWATCH_GAPS, /* a variable is empty */
  WRITE_CLOUDWATCH_NO_ROOM,
} write_cloudwatch_filled_t;

/* Appends the text. */
write_cloudwatch_filled_t
write_cloudwatch_template_fill(const write_cloudwatch_template_t *template,
                               const write_cloudwatch_source_t *source,
                               tally_buffer_t *out);

#endif
