/* SPDX-License-Identifier: MIT */
#ifndef WRITE_KINESIS_STREAM_H
#define WRITE_KINESIS_STREAM_H

/*
 * One <Stream> block: what it says, and the outbox that was made from it.
 *
 *   create   config: everything is checked, nobody is asked
 *   open     init: the outbox with its thread; the spool is read
 *   put …    any thread, any number at once; never waits for the network
 *   close    shutdown: the last deliveries, then the spool
 *   destroy  when the daemon calls nobody any more
 *
 * Other plugins' threads may dispatch notifications, and clients ask for a
 * flush, until the last plugin has been shut down; so a stream outlives its
 * outbox, which is looked at under a lock. Include after collectd's headers.
 */

#include "aws/kinesis.h"
#include "plugin_aws.h"
#include "plugin_format.h"
#include "plugin_outbox.h"

typedef enum write_kinesis_key_e {
  WRITE_KINESIS_KEY_IDENTIFIER = 0,
  WRITE_KINESIS_KEY_PLUGIN, /* with host and instance */
  WRITE_KINESIS_KEY_HOST,
} write_kinesis_key_t;

typedef struct write_kinesis_stream_s {
  /* config */
  char *stream;   /* its name or ARN */
  char *instance; /* what it is called here; NULL: as the stream */
  plugin_aws_t aws;
  plugin_outbox_t outbox_settings;
  plugin_format_t format;
  tally_kinesis_options_t kinesis;
  write_kinesis_key_t key;
  bool metrics, notifications;

  /* made from it */
  char name[DATA_MAX_NAME_LEN];  /* of its callbacks: write_kinesis/metrics */
  char label[DATA_MAX_NAME_LEN]; /* of its numbers: write_kinesis-metrics */
  char spool[PATH_MAX];
  tally_outbox_options_t options;
  tally_destination_t destination; /* the outbox's from open() on */

  /* runtime */
  plugin_outbox_report_t report; /* read callback, then close() */
  pthread_rwlock_t lock;
  tally_outbox_t *outbox; /* guarded by lock; NULL: not open */

  struct write_kinesis_stream_s *next; /* of the plugin's list */
} write_kinesis_stream_t;

/* Reads `block`, a <Stream>, on top of the options that stand beside it in
 * `parent`. NULL: something is wrong (logged). */
write_kinesis_stream_t *write_kinesis_stream_create(oconfig_item_t *block,
                                                    oconfig_item_t *parent);
void write_kinesis_stream_destroy(write_kinesis_stream_t *stream);

/* -1 (logged): there is no outbox, and nothing will be written. A spool that
 * cannot be used is an error line; the outbox is then without. */
int write_kinesis_stream_open(write_kinesis_stream_t *stream);
/* Sends for `timeout_ms` at most; what is left is in the spool afterwards. */
void write_kinesis_stream_close(write_kinesis_stream_t *stream, int timeout_ms);

/* They do nothing if the stream is not open. `report` is for the read callback:
 * not beside close(). */
void write_kinesis_stream_put(write_kinesis_stream_t *stream,
                              const tally_record_t *record);
void write_kinesis_stream_flush(write_kinesis_stream_t *stream, int timeout_ms);
void write_kinesis_stream_report(write_kinesis_stream_t *stream);

#endif
