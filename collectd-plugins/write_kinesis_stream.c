/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_kinesis_stream.h"

#include "write_kinesis_options.h"

#define PLUGIN_NAME "write_kinesis"

/* ---- config -------------------------------------------------------------- */

/* What the stream is called here: its Instance, its name, or the name in its
 * ARN (arn:aws:kinesis:REGION:ACCOUNT:stream/NAME). */
static int name_it(write_kinesis_stream_t *stream,
                   const oconfig_item_t *block) {
  const char *slash = strrchr(stream->stream, '/');
  const char *name = slash != NULL ? slash + 1 : stream->stream;
  if (stream->instance != NULL)
    name = stream->instance;
  int len =
      snprintf(stream->label, sizeof(stream->label), PLUGIN_NAME "-%s", name);
  if (len < 0 || (size_t)len >= sizeof(stream->label))
    return plugin_config_error(PLUGIN_NAME, block,
                               "too long for identifiers; give it an Instance");
  snprintf(stream->name, sizeof(stream->name), PLUGIN_NAME "/%s", name);
  return 0;
}

static int make_destination(write_kinesis_stream_t *stream,
                            const oconfig_item_t *block) {
  tally_aws_session_t *session = plugin_aws_session(PLUGIN_NAME, &stream->aws);
  plugin_aws_clear(&stream->aws); /* the session has its own copies */
  if (session == NULL)
    return -1;
  tally_error_t err;
  char title[256];
  snprintf(title, sizeof(title), "Stream \"%s\"", stream->stream);
  stream->kinesis.stream = stream->stream;
  stream->kinesis.title = title;
  int status = tally_kinesis_open(session, &stream->kinesis,
                                  &stream->destination, &stream->options, &err);
  stream->kinesis.title = NULL;
  tally_aws_session_unref(session);
  if (status != 0)
    return plugin_config_error(PLUGIN_NAME, block, "%s", err.message);
  if (plugin_outbox_apply(&stream->outbox_settings, stream->label,
                          &stream->options, stream->spool,
                          sizeof(stream->spool)) != 0)
    return plugin_config_error(PLUGIN_NAME, block, "SpoolDir is too long");
  return 0;
}

/* PutRecords takes the records of a call as they come, so that to keep order
 * only one of each key can go into a call. */
static void warn_if_slow(const write_kinesis_stream_t *stream) {
  if (stream->key == WRITE_KINESIS_KEY_HOST && !stream->kinesis.aggregate &&
      stream->kinesis.order == TALLY_KINESIS_ORDER_KEY)
    WARNING(PLUGIN_NAME " plugin: Stream \"%s\": PartitionKey host with Order "
                        "key sends one record of a host per call, which is "
                        "slow; set Aggregate true, Order none, or another "
                        "PartitionKey",
            stream->stream);
}

write_kinesis_stream_t *write_kinesis_stream_create(oconfig_item_t *block,
                                                    oconfig_item_t *parent) {
  write_kinesis_stream_t *stream = calloc(1, sizeof(*stream));
  if (stream == NULL) {
    ERROR(PLUGIN_NAME " plugin: out of memory");
    return NULL;
  }
  pthread_rwlock_init(&stream->lock, NULL);
  if (write_kinesis_options_read(PLUGIN_NAME, block, parent, stream) != 0 ||
      name_it(stream, block) != 0 || make_destination(stream, block) != 0) {
    write_kinesis_stream_destroy(stream);
    return NULL;
  }
  warn_if_slow(stream);
  return stream;
}

void write_kinesis_stream_destroy(write_kinesis_stream_t *stream) {
  if (stream == NULL)
    return;
  if (stream->destination.release != NULL)
    stream->destination.release(stream->destination.data);
  plugin_aws_clear(&stream->aws);
  plugin_outbox_clear(&stream->outbox_settings);
  plugin_format_clear(&stream->format);
  pthread_rwlock_destroy(&stream->lock);
  free(stream->stream);
  free(stream->instance);
  free(stream);
}

/* ---- init and shutdown --------------------------------------------------- */

int write_kinesis_stream_open(write_kinesis_stream_t *stream) {
  tally_outbox_t *outbox = plugin_outbox_create(
      PLUGIN_NAME, stream->label, &stream->options, &stream->destination);
  if (outbox == NULL)
    return -1;
  stream->destination = (tally_destination_t){0}; /* the outbox's from now on */
  pthread_rwlock_wrlock(&stream->lock);
  stream->outbox = outbox;
  pthread_rwlock_unlock(&stream->lock);
  return 0;
}

void write_kinesis_stream_close(write_kinesis_stream_t *stream,
                                int timeout_ms) {
  pthread_rwlock_wrlock(&stream->lock);
  tally_outbox_t *outbox = stream->outbox;
  stream->outbox = NULL;
  pthread_rwlock_unlock(&stream->lock);
  plugin_outbox_end(&stream->report, PLUGIN_NAME, stream->label, outbox,
                    timeout_ms);
}

void write_kinesis_stream_report(write_kinesis_stream_t *stream) {
  pthread_rwlock_rdlock(&stream->lock);
  tally_outbox_t *outbox = stream->outbox;
  pthread_rwlock_unlock(&stream->lock);
  /* Not under the lock: what it says comes back to us as a notification.
   * Readers have ended before anybody closes the stream. */
  if (outbox != NULL)
    plugin_outbox_report(&stream->report, PLUGIN_NAME, stream->label, outbox);
}

/* ---- run time ------------------------------------------------------------ */

void write_kinesis_stream_put(write_kinesis_stream_t *stream,
                              const tally_record_t *record) {
  pthread_rwlock_rdlock(&stream->lock);
  if (stream->outbox != NULL)
    tally_outbox_put(stream->outbox, record); /* counts what it refuses */
  pthread_rwlock_unlock(&stream->lock);
}

void write_kinesis_stream_flush(write_kinesis_stream_t *stream,
                                int timeout_ms) {
  pthread_rwlock_rdlock(&stream->lock);
  if (stream->outbox != NULL)
    tally_outbox_flush(stream->outbox, timeout_ms);
  pthread_rwlock_unlock(&stream->lock);
}
