/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_kinesis_stream.h"

#include "core/clock.h"
#include "core/text.h"
#include "plugin_name.h"

#define PLUGIN_NAME "write_kinesis"

/* More than any record may have: what is too large is for the outbox to count.
 */
#define TEXT_MAX (12 * 1024 * 1024)
#define FLUSH_MS 250     /* who asks for a flush waits so long */
#define SHUTDOWN_MS 5000 /* for all streams together */

/*
 * Values and notifications to Kinesis data streams.
 *
 * Every <Stream> has callbacks of its own, "write_kinesis/NAME", so that filter
 * chains can choose among streams. They format, and put the text into the
 * stream's outbox; its thread does the rest.
 *
 * A stream belongs to the daemon, which gives it back (the flush callback's
 * free function) when every plugin has been shut down; the list is the main
 * thread's, from config to shutdown.
 */
static write_kinesis_stream_t *streams;

/* ---- what is written ----------------------------------------------------- */

/* HOST, HOST/PLUGIN[-INSTANCE], HOST/PLUGIN[-INSTANCE]/TYPE[-INSTANCE]. */
static size_t format_key(write_kinesis_key_t what, char *key, size_t size,
                         const char *host, const char *plugin,
                         const char *plugin_instance, const char *type,
                         const char *type_instance) {
  int parts = what == WRITE_KINESIS_KEY_HOST     ? 0
              : what == WRITE_KINESIS_KEY_PLUGIN ? 1
                                                 : 2;
  snprintf(key, size, "%s", host);
  for (int i = 0; i < parts; i++) {
    const char *name = i == 0 ? plugin : type;
    const char *instance = i == 0 ? plugin_instance : type_instance;
    size_t len = strlen(key);
    snprintf(key + len, size - len, "/%s%s%s", name,
             instance[0] != '\0' ? "-" : "", instance);
  }
  tally_text_tidy(key);
  return strlen(key);
}

static int on_write(const data_set_t *ds, const value_list_t *vl,
                    user_data_t *user_data) {
  write_kinesis_stream_t *stream = user_data->data;
  tally_error_t err;
  tally_autobuffer tally_buffer_t text;
  tally_buffer_init(&text, TEXT_MAX);
  char key[6 * DATA_MAX_NAME_LEN];
  size_t key_len =
      format_key(stream->key, key, sizeof(key), vl->host, vl->plugin,
                 vl->plugin_instance, vl->type, vl->type_instance);
  if (plugin_format_values(&stream->format, &text, ds, vl, &err) != 0) {
    WARNING(PLUGIN_NAME " plugin: Stream \"%s\": %s: %s", stream->stream, key,
            err.message);
    return -1;
  }
  if (text.len == 0)
    return 0; /* nothing that the format can say */
  write_kinesis_stream_put(
      stream, &(tally_record_t){.key = key,
                                .key_len = key_len,
                                .data = text.data,
                                .len = text.len,
                                .time_ns = CDTIME_T_TO_NS(vl->time)});
  return 0;
}

static int on_notification(const notification_t *n, user_data_t *user_data) {
  write_kinesis_stream_t *stream = user_data->data;
  if (plugin_name_is_about_output(n, stream->label))
    return 0;
  tally_autobuffer tally_buffer_t text;
  tally_buffer_init(&text, TEXT_MAX);
  char key[6 * DATA_MAX_NAME_LEN];
  size_t key_len = format_key(stream->key, key, sizeof(key), n->host, n->plugin,
                              n->plugin_instance, n->type, n->type_instance);
  if (plugin_format_notification(&text, n) != 0) {
    WARNING(PLUGIN_NAME " plugin: Stream \"%s\": a notification of %s cannot "
                        "be formatted",
            stream->stream, key);
    return -1;
  }
  write_kinesis_stream_put(
      stream, &(tally_record_t){.key = key,
                                .key_len = key_len,
                                .data = text.data,
                                .len = text.len,
                                .time_ns = CDTIME_T_TO_NS(n->time)});
  return 0;
}

/* Whoever wants everything written now waits a little; who wants what is older
 * than `timeout` does not, because nothing is held back for long. */
static int on_flush(cdtime_t timeout, const char *identifier,
                    user_data_t *user_data) {
  write_kinesis_stream_flush(user_data->data, timeout == 0 ? FLUSH_MS : 0);
  return 0;
}

static int on_read(user_data_t *user_data) {
  write_kinesis_stream_report(user_data->data);
  return 0;
}

/* ---- config -------------------------------------------------------------- */

static void destroy(void *stream) { write_kinesis_stream_destroy(stream); }

static int add_stream(oconfig_item_t *block, oconfig_item_t *parent) {
  write_kinesis_stream_t *stream = write_kinesis_stream_create(block, parent);
  if (stream == NULL)
    return -1;
  write_kinesis_stream_t **last = &streams;
  for (; *last != NULL; last = &(*last)->next)
    if (strcasecmp((*last)->label, stream->label) == 0) {
      plugin_config_error(PLUGIN_NAME, block,
                          "there is a <Stream> of that name; give one of them "
                          "an Instance");
      write_kinesis_stream_destroy(stream);
      return -1;
    }
  *last = stream;
  return plugin_register_flush(
      stream->name, on_flush,
      &(user_data_t){.data = stream, .free_func = destroy});
}

static int on_config(oconfig_item_t *block) {
  int count = 0;
  for (int i = 0; i < block->children_num; i++) {
    oconfig_item_t *child = &block->children[i];
    if (strcasecmp(child->key, "Stream") != 0)
      continue;
    if (add_stream(child, block) != 0)
      return -1;
    count++;
  }
  if (count == 0) {
    ERROR(PLUGIN_NAME " plugin: configuration: no <Stream>");
    return -1;
  }
  return 0;
}

/* ---- init and shutdown --------------------------------------------------- */

static int start(write_kinesis_stream_t *stream) {
  user_data_t data = {.data = stream};
  if (write_kinesis_stream_open(stream) != 0)
    return -1;
  if (stream->metrics)
    plugin_register_write(stream->name, on_write, &data);
  if (stream->notifications)
    plugin_register_notification(stream->name, on_notification, &data);
  return plugin_register_complex_read(NULL, stream->name, on_read, 0, &data);
}

static int on_init(void) {
  plugin_util_log_init();
  if (streams == NULL)
    ERROR(PLUGIN_NAME " plugin: configuration: no <Stream>");
  else if (plugin_outbox_register(PLUGIN_NAME) != 0)
    return -1;
  int status = -1; /* unless one of them works */
  for (write_kinesis_stream_t *s = streams; s != NULL; s = s->next)
    if (start(s) == 0)
      status = 0;
  return status;
}

static int on_shutdown(void) {
  uint64_t deadline =
      tally_clock_monotonic_ns() + SHUTDOWN_MS * TALLY_NS_PER_MS;
  /* All of them send while we wait for the first. */
  for (write_kinesis_stream_t *s = streams; s != NULL; s = s->next)
    write_kinesis_stream_flush(s, 0);
  for (write_kinesis_stream_t *s = streams; s != NULL; s = s->next) {
    uint64_t now = tally_clock_monotonic_ns();
    uint64_t left = now < deadline ? deadline - now : 0;
    write_kinesis_stream_close(s, (int)(left / TALLY_NS_PER_MS));
  }
  streams = NULL;
  return 0;
}

void module_register(void) {
  plugin_register_complex_config(PLUGIN_NAME, on_config);
  plugin_register_init(PLUGIN_NAME, on_init);
  plugin_register_shutdown(PLUGIN_NAME, on_shutdown);
}
