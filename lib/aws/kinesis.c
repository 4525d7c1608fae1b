/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/kinesis_private.h"

/* So many small records fill a call when they are aggregated. */
#define BATCH_TOGETHER 20000
#define AGGREGATE_BYTES ((size_t)256 * 1024)
#define LARGE_MEMORY ((size_t)32 * 1024 * 1024)

/* What cannot be compressed grows a little: less than this. */
static size_t before_compression(size_t bytes) { return bytes - bytes / 128; }

/* ---- names --------------------------------------------------------------- */

static const char *skip(const char *s, const char *set) {
  return s + strspn(s, set);
}

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_name(const char *name) {
  size_t len = strlen(name);
  return len > 0 && len <= TALLY_KINESIS_NAME_MAX &&
         *skip(name, LOWER UPPER DIGITS "_.-") == '\0';
}

/* arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME; the name, or NULL. */
static const char *name_of_arn(const char *arn) {
  const char *service = skip(arn + strlen("arn:"), LOWER "-");
  if (strncmp(service, ":kinesis:", strlen(":kinesis:")) != 0)
    return NULL;
  const char *account = skip(service + strlen(":kinesis:"), LOWER DIGITS "-");
  if (*account != ':' || strspn(account + 1, DIGITS) != 12)
    return NULL;
  const char *resource = account + 1 + 12;
  if (strncmp(resource, ":stream/", strlen(":stream/")) != 0)
    return NULL;
  return resource + strlen(":stream/");
}

static int set_name(tally_kinesis_t *kinesis,
                    const tally_kinesis_options_t *options,
                    tally_error_t *err) {
  const char *stream = options->stream != NULL ? options->stream : "";
  bool is_arn = strncmp(stream, "arn:", strlen("arn:")) == 0;
  const char *name = is_arn ? name_of_arn(stream) : stream;
  if (name == NULL || !is_name(name) ||
      strlen(stream) >= sizeof(kinesis->member) - 20)
    return tally_error_set(
        err, 0,
        "`%.200s' is neither the name of a stream (1 to %d of A-Z, a-z, 0-9, "
        "'_', '.', '-') nor its ARN",
        stream, TALLY_KINESIS_NAME_MAX);
  if (options->title != NULL)
    snprintf(kinesis->title, sizeof(kinesis->title), "%s", options->title);
  else
    snprintf(kinesis->title, sizeof(kinesis->title), "stream `%s'", name);
  snprintf(kinesis->member, sizeof(kinesis->member), "\"%s\":\"%s\"",
           is_arn ? "StreamARN" : "StreamName", stream);
  kinesis->prefix_len =
      (size_t)snprintf(kinesis->prefix, sizeof(kinesis->prefix),
                       "{%s,\"Records\":[", kinesis->member);
  return 0;
}

/* ---- what else the outbox asks ------------------------------------------- */

/* As Kinesis counts, so far as the key's length tells it: what is no UTF-8 is
 * found out later. */
static size_t size(void *data, const tally_record_t *record) {
  bool is_replaced =
      record->key_len == 0 || record->key_len > 3 * TALLY_KINESIS_KEY_MAX;
  return record->len +
         (is_replaced ? (size_t)TALLY_KINESIS_KEY_HEX : record->key_len);
}

/* One of 256 parts of the places, of which a shard has whole ones as long as
 * the stream was split evenly. */
static uint64_t group(void *data, const char *key, size_t key_len) {
  tally_kinesis_t *kinesis = data;
  pthread_mutex_lock(&kinesis->groups_lock);
  const tally_kinesis_key_t *found =
      tally_kinesis_keys_find(kinesis->groups, key, key_len, "", 0);
  uint64_t part = found->place.high >> 56;
  pthread_mutex_unlock(&kinesis->groups_lock);
  return part;
}

static void cancel(void *data) {
  tally_kinesis_t *kinesis = data;
  tally_aws_client_stop(kinesis->client);
}

static void release(void *data) {
  tally_kinesis_t *kinesis = data;
  tally_aws_client_destroy(kinesis->client);
  tally_compressor_destroy(kinesis->compressor);
  tally_kinesis_keys_destroy(kinesis->groups);
  tally_kinesis_keys_destroy(kinesis->keys);
  tally_kinesis_plan_clear(&kinesis->plan);
  for (size_t i = 0; i < TALLY_MD5_TOGETHER; i++)
    tally_kinesis_aggregate_clear(&kinesis->kept[i]);
  tally_kinesis_shards_clear(&kinesis->shards);
  tally_buffer_clear(&kinesis->lines);
  tally_buffer_clear(&kinesis->squeezed);
  tally_buffer_clear(&kinesis->body);
  pthread_mutex_destroy(&kinesis->groups_lock);
  free(kinesis);
}

/* ---- opening ------------------------------------------------------------- */

static void set_limits(tally_kinesis_t *kinesis) {
  tally_kinesis_options_t *o = &kinesis->options;
  kinesis->call_bytes = o->large_records ? TALLY_KINESIS_LARGE_CALL_BYTES
                                         : TALLY_KINESIS_CALL_BYTES;
  kinesis->record_bytes = o->large_records ? TALLY_KINESIS_LARGE_RECORD_BYTES
                                           : TALLY_KINESIS_RECORD_BYTES;
  size_t most = TALLY_KINESIS_RECORD_BYTES;
  if (o->compression != TALLY_COMPRESSION_NONE)
    most = before_compression(most - 3 * TALLY_KINESIS_KEY_MAX);
  if (o->aggregate_bytes == 0)
    o->aggregate_bytes =
        o->compression != TALLY_COMPRESSION_NONE ? most : AGGREGATE_BYTES;
  if (o->aggregate_bytes > most)
    o->aggregate_bytes = most;
  if (o->separator == '\0')
    o->separator = '\n';
}

static int make_parts(tally_kinesis_t *kinesis, tally_aws_session_t *session,
                      tally_error_t *err) {
  const tally_kinesis_options_t *o = &kinesis->options;
  kinesis->keys = tally_kinesis_keys_create();
  kinesis->groups = tally_kinesis_keys_create();
  if (kinesis->keys == NULL || kinesis->groups == NULL)
    return tally_error_set(err, ENOMEM, "%s", kinesis->title);
  if (o->aggregate && o->compression == TALLY_COMPRESSION_NONE &&
      !tally_kinesis_keys_know_md5(kinesis->keys))
    return tally_error_set(
        err, 0, "%s: aggregates need MD5, which OpenSSL refuses here",
        kinesis->title);
  if (o->compression != TALLY_COMPRESSION_NONE) {
    kinesis->compressor =
        tally_compressor_create(o->compression, o->compression_level, err);
    if (kinesis->compressor == NULL)
      return -1;
  }
  kinesis->client = tally_aws_client_create(session, TALLY_AWS_KINESIS, err);
  return kinesis->client != NULL ? 0 : -1;
}

static void set_outbox(const tally_kinesis_t *kinesis,
                       tally_outbox_options_t *outbox) {
  const tally_kinesis_options_t *o = &kinesis->options;
  tally_outbox_limit(&outbox->batch_records,
                     o->aggregate ? BATCH_TOGETHER : TALLY_KINESIS_RECORDS_MAX);
  tally_outbox_limit(&outbox->batch_bytes, kinesis->call_bytes);
  tally_outbox_limit(&outbox->record_bytes,
                     o->compression != TALLY_COMPRESSION_NONE
                         ? before_compression(kinesis->record_bytes)
                         : kinesis->record_bytes);
  if (o->large_records && outbox->memory_bytes == 0)
    outbox->memory_bytes = LARGE_MEMORY;
}

int tally_kinesis_open(tally_aws_session_t *session,
                       const tally_kinesis_options_t *options,
                       tally_destination_t *destination,
                       tally_outbox_options_t *outbox, tally_error_t *err) {
  tally_kinesis_t *kinesis = calloc(1, sizeof(*kinesis));
  if (kinesis == NULL)
    return tally_error_set(err, ENOMEM, "stream");
  pthread_mutex_init(&kinesis->groups_lock, NULL);
  kinesis->options = *options;
  kinesis->options.stream = kinesis->options.title = NULL; /* not ours */
  kinesis->company = SIZE_MAX;
  for (size_t i = 0; i < TALLY_MD5_TOGETHER; i++)
    tally_kinesis_aggregate_init(&kinesis->kept[i]);
  tally_buffer_init(&kinesis->lines, SIZE_MAX / 2);
  tally_buffer_init(&kinesis->squeezed, SIZE_MAX / 2);
  tally_buffer_init(&kinesis->body, SIZE_MAX / 2);
  set_limits(kinesis);
  if (set_name(kinesis, options, err) != 0 ||
      make_parts(kinesis, session, err) != 0) {
    release(kinesis);
    return -1;
  }
  set_outbox(kinesis, outbox);
  *destination = (tally_destination_t){.data = kinesis,
                                       .send = tally_kinesis_send,
                                       .size = size,
                                       .group = group,
                                       .cancel = cancel,
                                       .release = release};
  return 0;
}

/* ---- numbers ------------------------------------------------------------- */

void tally_kinesis_stats(const tally_destination_t *destination,
                         tally_kinesis_stats_t *stats) {
  const tally_kinesis_t *kinesis = destination->data;
  const tally_kinesis_counters_t *c = &kinesis->counters;
  *stats = (tally_kinesis_stats_t){
      .calls = atomic_load(&c->calls),
      .records = atomic_load(&c->records),
      .user_records = atomic_load(&c->user_records),
      .bytes_in = atomic_load(&c->bytes_in),
      .bytes_out = atomic_load(&c->bytes_out),
      .throttled = atomic_load(&c->throttled),
      .misplaced = atomic_load(&c->misplaced),
      .rerouted = atomic_load(&c->rerouted),
      .shards = atomic_load(&c->shards),
  };
}
