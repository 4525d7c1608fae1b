/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"
#include "utils/metadata/meta_data.h"

#include "plugin_format.h"

#include "core/json.h"

/* ,"name":"text" and the like; every part may fail, so they are chained. */

static int add(tally_buffer_t *out, const char *text) {
  return tally_buffer_append_str(out, text);
}

static int add_string(tally_buffer_t *out, const char *name, const char *text) {
  if (add(out, ",\"") != 0 || add(out, name) != 0 || add(out, "\":") != 0)
    return -1;
  return tally_json_quote(out, text);
}

/* For names that are not ours. */
static int add_pair(tally_buffer_t *out, const char *name, const char *text) {
  if (tally_json_quote(out, name) != 0 || add(out, ":") != 0)
    return -1;
  return tally_json_quote(out, text);
}

/* ---- value lists --------------------------------------------------------- */

static int add_values(tally_buffer_t *out, const data_set_t *ds,
                      const value_list_t *vl, const gauge_t *rates) {
  for (size_t i = 0; i < ds->ds_num; i++) {
    plugin_number_t number;
    plugin_format_number(ds, vl, rates, i, &number);
    if (add(out, i == 0 ? "{\"values\":[" : ",") != 0 ||
        add(out, number.text[0] != '\0' ? number.text : "null") != 0)
      return -1;
  }
  return add(out, "]");
}

static int add_sources(tally_buffer_t *out, const data_set_t *ds) {
  for (size_t i = 0; i < ds->ds_num; i++)
    if (add(out, i == 0 ? ",\"dstypes\":[\"" : "\",\"") != 0 ||
        add(out, DS_TYPE_TO_STRING(ds->ds[i].type)) != 0)
      return -1;
  for (size_t i = 0; i < ds->ds_num; i++)
    if (add(out, i == 0 ? "\"],\"dsnames\":[" : ",") != 0 ||
        tally_json_quote(out, ds->ds[i].name) != 0)
      return -1;
  return add(out, "]");
}

/* One value of the meta data; text is quoted, the rest is a JSON value. */
static int add_meta_value(tally_buffer_t *out, meta_data_t *meta,
                          const char *key) {
  char *text = NULL;
  int64_t number;
  uint64_t count;
  double gauge;
  bool flag;
  switch (meta_data_type(meta, key)) {
  case MD_TYPE_STRING:
    if (meta_data_get_string(meta, key, &text) == 0) {
      int status = tally_json_quote(out, text);
      free(text);
      return status;
    }
    break;
  case MD_TYPE_SIGNED_INT:
    if (meta_data_get_signed_int(meta, key, &number) == 0)
      return tally_buffer_printf(out, "%" PRIi64, number);
    break;
  case MD_TYPE_UNSIGNED_INT:
    if (meta_data_get_unsigned_int(meta, key, &count) == 0)
      return tally_buffer_printf(out, "%" PRIu64, count);
    break;
  case MD_TYPE_DOUBLE:
    if (meta_data_get_double(meta, key, &gauge) == 0 && isfinite(gauge))
      return tally_buffer_printf(out, GAUGE_FORMAT, gauge);
    break;
  case MD_TYPE_BOOLEAN:
    if (meta_data_get_boolean(meta, key, &flag) == 0)
      return add(out, flag ? "true" : "false");
    break;
  }
  return add(out, "null");
}

static int add_meta(tally_buffer_t *out, meta_data_t *meta) {
  char **keys = NULL;
  int count = meta != NULL ? meta_data_toc(meta, &keys) : 0;
  int status = 0;
  for (int i = 0; i < count; i++) {
    if (status == 0 &&
        (add(out, i == 0 ? ",\"meta\":{" : ",") != 0 ||
         tally_json_quote(out, keys[i]) != 0 || add(out, ":") != 0 ||
         add_meta_value(out, meta, keys[i]) != 0))
      status = -1;
    free(keys[i]);
  }
  free(keys);
  if (count > 0 && status == 0)
    status = add(out, "}");
  return status;
}

/* Seconds, with three digits behind the point. */
static int add_time(tally_buffer_t *out, const char *before, cdtime_t time) {
  char text[64];
  uint64_t ms = CDTIME_T_TO_MS(time);
  snprintf(text, sizeof(text), "%s%" PRIu64 ".%03u", before, ms / 1000,
           (unsigned)(ms % 1000));
  return add(out, text);
}

int plugin_format_json(tally_buffer_t *out, const data_set_t *ds,
                       const value_list_t *vl, const gauge_t *rates) {
  if (add_values(out, ds, vl, rates) != 0 || add_sources(out, ds) != 0 ||
      add_time(out, ",\"time\":", vl->time) != 0 ||
      add_time(out, ",\"interval\":", vl->interval) != 0 ||
      add_string(out, "host", vl->host) != 0 ||
      add_string(out, "plugin", vl->plugin) != 0 ||
      add_string(out, "plugin_instance", vl->plugin_instance) != 0 ||
      add_string(out, "type", vl->type) != 0 ||
      add_string(out, "type_instance", vl->type_instance) != 0 ||
      add_meta(out, vl->meta) != 0)
    return -1;
  return add(out, "}");
}

/* ---- notifications ------------------------------------------------------- */

static const char *severity_of(const notification_t *n) {
  switch (n->severity) {
  case NOTIF_FAILURE:
    return "FAILURE";
  case NOTIF_WARNING:
    return "WARNING";
  case NOTIF_OKAY:
    return "OKAY";
  }
  return "UNKNOWN";
}

/* The instances become labels that are called by their plugin. */
static int add_labels(tally_buffer_t *out, const notification_t *n) {
  char alert[sizeof("collectd__") + 2 * DATA_MAX_NAME_LEN];
  bool repeats = strncmp(n->plugin, n->type, strlen(n->plugin)) == 0;
  snprintf(alert, sizeof(alert), "collectd_%s%s%s", repeats ? "" : n->plugin,
           repeats ? "" : "_", n->type);
  if (add(out, "{\"labels\":{\"alertname\":") != 0 ||
      tally_json_quote(out, alert) != 0 ||
      add_string(out, "instance", n->host) != 0)
    return -1;

  bool has_instance = n->plugin_instance[0] != '\0';
  if (has_instance &&
      (add(out, ",") != 0 || add_pair(out, n->plugin, n->plugin_instance) != 0))
    return -1;
  if (n->type_instance[0] != '\0' &&
      (add(out, ",") != 0 ||
       add_pair(out, has_instance ? "type" : n->plugin, n->type_instance) != 0))
    return -1;
  return add_string(out, "severity", severity_of(n)) != 0
             ? -1
             : add(out, ",\"service\":\"collectd\"}");
}

/* Whatever it is, an annotation is a string. */
static int add_annotation(tally_buffer_t *out,
                          const notification_meta_t *meta) {
  char number[64];
  const char *text = number;
  switch (meta->type) {
  case NM_TYPE_STRING:
    text = meta->nm_value.nm_string;
    break;
  case NM_TYPE_SIGNED_INT:
    snprintf(number, sizeof(number), "%" PRIi64, meta->nm_value.nm_signed_int);
    break;
  case NM_TYPE_UNSIGNED_INT:
    snprintf(number, sizeof(number), "%" PRIu64,
             meta->nm_value.nm_unsigned_int);
    break;
  case NM_TYPE_DOUBLE:
    snprintf(number, sizeof(number), GAUGE_FORMAT, meta->nm_value.nm_double);
    break;
  case NM_TYPE_BOOLEAN:
    text = meta->nm_value.nm_boolean ? "true" : "false";
    break;
  }
  return add(out, ",") != 0 ? -1 : add_pair(out, meta->name, text);
}

int plugin_format_notification(tally_buffer_t *out, const notification_t *n) {
  char time[RFC3339NANO_SIZE];
  if (rfc3339nano(time, sizeof(time), n->time) != 0 ||
      add_labels(out, n) != 0 ||
      add(out, ",\"annotations\":{\"summary\":") != 0 ||
      tally_json_quote(out, n->message) != 0)
    return -1;
  for (const notification_meta_t *m = n->meta; m != NULL; m = m->next)
    if (add_annotation(out, m) != 0)
      return -1;
  if (add(out, "}") != 0 || add_string(out, "startsAt", time) != 0)
    return -1;
  return add(out, "}");
}
