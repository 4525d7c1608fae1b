/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_kinesis_options.h"

#define AGGREGATE_MIN 1024
#define AGGREGATE_MAX (1024 * 1024)
#define LEVEL_MAX 19 /* of zstd; gzip has less */

/* ---- options ------------------------------------------------------------- */

static int set_key(const char *plugin, oconfig_item_t *ci, void *to) {
  static const char *const keys[] = {
      [WRITE_KINESIS_KEY_IDENTIFIER] = "identifier",
      [WRITE_KINESIS_KEY_PLUGIN] = "plugin",
      [WRITE_KINESIS_KEY_HOST] = "host",
      NULL,
  };
  return plugin_config_word(plugin, ci, keys, to);
}

static int set_order(const char *plugin, oconfig_item_t *ci, void *to) {
  static const char *const orders[] = {
      [TALLY_KINESIS_ORDER_KEY] = "key",
      [TALLY_KINESIS_ORDER_NONE] = "none",
      NULL,
  };
  return plugin_config_word(plugin, ci, orders, to);
}

static int set_compression(const char *plugin, oconfig_item_t *ci, void *to) {
  static const char *const compressions[] = {
      [TALLY_COMPRESSION_NONE] = "none",
      [TALLY_COMPRESSION_GZIP] = "gzip",
      [TALLY_COMPRESSION_ZSTD] = "zstd",
      NULL,
  };
  return plugin_config_word(plugin, ci, compressions, to);
}

static int set_level(const char *plugin, oconfig_item_t *ci, void *to) {
  double level;
  if (plugin_config_number(plugin, ci, 1, LEVEL_MAX, &level) != 0)
    return -1;
  *(int *)to = (int)level;
  return 0;
}

static int set_aggregate_bytes(const char *plugin, oconfig_item_t *ci,
                               void *to) {
  double bytes;
  if (plugin_config_number(plugin, ci, AGGREGATE_MIN, AGGREGATE_MAX, &bytes) !=
      0)
    return -1;
  *(size_t *)to = (size_t)bytes;
  return 0;
}

#define OPTION(key, set, member)                                               \
  { key, set, offsetof(write_kinesis_stream_t, member) }

#define STREAM_OPTIONS                                                         \
  PLUGIN_AWS_OPTIONS(write_kinesis_stream_t, aws),                             \
      PLUGIN_OUTBOX_OPTIONS(write_kinesis_stream_t, outbox_settings),          \
      PLUGIN_FORMAT_OPTIONS(write_kinesis_stream_t, format),                   \
      OPTION("Metrics", plugin_config_bool, metrics),                          \
      OPTION("Notifications", plugin_config_bool, notifications),              \
      OPTION("PartitionKey", set_key, key),                                    \
      OPTION("Order", set_order, kinesis.order),                               \
      OPTION("Aggregate", plugin_config_bool, kinesis.aggregate),              \
      OPTION("AggregateSize", set_aggregate_bytes, kinesis.aggregate_bytes),   \
      OPTION("Compression", set_compression, kinesis.compression),             \
      OPTION("CompressionLevel", set_level, kinesis.compression_level),        \
      OPTION("LargeRecords", plugin_config_bool, kinesis.large_records)

static const plugin_option_t stream_options[] = {
    STREAM_OPTIONS,
    OPTION("Instance", plugin_config_instance, instance),
    {NULL, NULL, 0},
};

/* The same once more as defaults, beside the <Stream> blocks themselves. */
static int pass_over(const char *plugin, oconfig_item_t *ci, void *to) {
  return 0;
}
static const plugin_option_t default_options[] = {
    STREAM_OPTIONS,
    {"Stream", pass_over, 0},
    {NULL, NULL, 0},
};

/* ---- the whole ----------------------------------------------------------- */

static int check(const char *plugin, const oconfig_item_t *block,
                 const write_kinesis_stream_t *stream) {
  if (!stream->metrics && !stream->notifications)
    return plugin_config_error(plugin, block,
                               "takes neither Metrics nor Notifications");
  if (stream->notifications && stream->format.kind != PLUGIN_FORMAT_JSON)
    return plugin_config_error(plugin, block,
                               "Notifications are JSON only: they need Format "
                               "json, perhaps in a <Stream> of their own");
  return 0;
}

int write_kinesis_options_read(const char *plugin, oconfig_item_t *block,
                               oconfig_item_t *parent,
                               write_kinesis_stream_t *stream) {
  stream->metrics = true;
  if (plugin_config_string(plugin, block, &stream->stream) != 0 ||
      plugin_config_block(plugin, parent, default_options, stream) != 0 ||
      plugin_config_block(plugin, block, stream_options, stream) != 0)
    return -1;
  return check(plugin, block, stream);
}
