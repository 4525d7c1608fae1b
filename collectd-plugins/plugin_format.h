/* SPDX-License-Identifier: MIT */
#ifndef PLUGIN_FORMAT_H
#define PLUGIN_FORMAT_H

/*
 * Value lists and notifications as text, for everything that carries them
 * somewhere: one value list, one text, without a line break at its end.
 *
 *   json       the object that collectd's write_http and write_kafka put into
 *              their arrays
 *   influx     line protocol, named as write_influxdb_udp does
 *   graphite   plain text, named as write_graphite does; a line for each data
 *              source
 *
 * The functions below look only at what they are given (rates apart, which the
 * daemon knows), so any number of threads may call them. All append to `out`,
 * and return -1 if its cap or the memory ends; what was appended by then is to
 * be thrown away.
 *
 * Identifiers are foreign text. JSON escapes what it must, and what is not
 * UTF-8 becomes U+FFFD; in the others control characters become blanks and
 * bytes that are not UTF-8 become '?', before the format's own rules apply.
 *
 * Include after collectd's headers.
 */

#include "core/buffer.h"
#include "plugin_util.h"

typedef enum plugin_format_kind_e {
  PLUGIN_FORMAT_JSON = 0,
  PLUGIN_FORMAT_INFLUX,
  PLUGIN_FORMAT_GRAPHITE,
} plugin_format_kind_t;

/* What a configuration may say; strings are owned; 0: the default. */
typedef struct plugin_format_s {
  plugin_format_kind_t kind; /* Format [json] */
  bool store_rates;          /* StoreRates: of all that is no gauge */
  /* of graphite */
  char *prefix, *postfix;  /* Prefix, Postfix: around the host */
  char escape;             /* EscapeCharacter ['_'] */
  bool separate_instances; /* SeparateInstances: "." and not "-" */
  bool always_append_ds;   /* AlwaysAppendDS: also if there is only one */
} plugin_format_t;

#define PLUGIN_FORMAT_OPTION(key, set, type, member, field)                    \
  { key, set, offsetof(type, member) + offsetof(plugin_format_t, field) }
#define PLUGIN_FORMAT_OPTIONS(type, member)                                    \
  PLUGIN_FORMAT_OPTION("Format", plugin_format_set_kind, type, member, kind),  \
      PLUGIN_FORMAT_OPTION("StoreRates", plugin_config_bool, type, member,     \
                           store_rates),                                       \
      PLUGIN_FORMAT_OPTION("Prefix", plugin_format_set_affix, type, member,    \
                           prefix),                                            \
      PLUGIN_FORMAT_OPTION("Postfix", plugin_format_set_affix, type, member,   \
                           postfix),                                           \
      PLUGIN_FORMAT_OPTION("EscapeCharacter", plugin_format_set_escape, type,  \
                           member, escape),                                    \
      PLUGIN_FORMAT_OPTION("SeparateInstances", plugin_config_bool, type,      \
                           member, separate_instances),                        \
      PLUGIN_FORMAT_OPTION("AlwaysAppendDS", plugin_config_bool, type, member, \
                           always_append_ds)
int plugin_format_set_kind(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_format_set_affix(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_format_set_escape(const char *plugin, oconfig_item_t *ci, void *to);
void plugin_format_clear(plugin_format_t *format);

/* A value list as `format` says. Appends nothing where there is no number to
 * tell (influx, graphite). Call it from a write callback: rates come from the
 * daemon's cache. -1 and *err also if it knows none. */
int plugin_format_values(const plugin_format_t *format, tally_buffer_t *out,
                         const data_set_t *ds, const value_list_t *vl,
                         tally_error_t *err);

/* The same for each format. `rates` NULL: the values as they are. */
int plugin_format_json(tally_buffer_t *out, const data_set_t *ds,
                       const value_list_t *vl, const gauge_t *rates);
int plugin_format_influx(tally_buffer_t *out, const data_set_t *ds,
                         const value_list_t *vl, const gauge_t *rates);
int plugin_format_graphite(tally_buffer_t *out, const data_set_t *ds,
                           const value_list_t *vl, const gauge_t *rates,
                           const plugin_format_t *format);

/* A notification as the alert (of Prometheus' Alertmanager) that write_http
 * sends: always JSON, and one object where that has an array of one. */
int plugin_format_notification(tally_buffer_t *out, const notification_t *n);

/* ---- for the formats ------------------------------------------------------
 */

/* The value of a data source, or its rate, in the C locale's digits. */
typedef struct plugin_number_s {
  char text[32]; /* "": no finite number */
  bool is_whole; /* an integer, not a gauge or a rate */
} plugin_number_t;
void plugin_format_number(const data_set_t *ds, const value_list_t *vl,
                          const gauge_t *rates, size_t i,
                          plugin_number_t *number);

#endif
