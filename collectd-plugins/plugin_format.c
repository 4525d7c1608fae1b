/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "daemon/utils_cache.h"
#include "utils/common/common.h"

#include "plugin_format.h"

/* ---- options ------------------------------------------------------------- */

int plugin_format_set_kind(const char *plugin, oconfig_item_t *ci, void *to) {
  static const char *const kinds[] = {
      [PLUGIN_FORMAT_JSON] = "json",
      [PLUGIN_FORMAT_INFLUX] = "influx",
      [PLUGIN_FORMAT_GRAPHITE] = "graphite",
      NULL,
  };
  return plugin_config_word(plugin, ci, kinds, to);
}

/* What may stand in a line of Graphite's, '.' included. */
static bool is_graphic(const char *text) {
  for (const char *p = text; *p != '\0'; p++)
    if ((unsigned char)*p <= ' ' || *p == 0x7f)
      return false;
  return true;
}

int plugin_format_set_affix(const char *plugin, oconfig_item_t *ci, void *to) {
  if (plugin_config_string(plugin, ci, to) != 0)
    return -1;
  if (!is_graphic(*(char **)to))
    return plugin_config_error(plugin, ci, "has blanks or control characters");
  return 0;
}

int plugin_format_set_escape(const char *plugin, oconfig_item_t *ci, void *to) {
  const char *text = "";
  if (ci->values_num == 1 && ci->values[0].type == OCONFIG_TYPE_STRING)
    text = ci->values[0].value.string;
  if (strlen(text) != 1 || !isascii(*text) || !is_graphic(text) || *text == '.')
    return plugin_config_error(plugin, ci,
                               "takes one character, not '.' or a blank");
  *(char *)to = *text;
  return 0;
}

void plugin_format_clear(plugin_format_t *format) {
  free(format->prefix);
  free(format->postfix);
  memset(format, 0, sizeof(*format));
}

/* ---- numbers ------------------------------------------------------------- */

/* Most gauges count something, and an integer is written ten times as fast. */
static void format_gauge(gauge_t gauge, char *text, size_t size) {
  if (fabs(gauge) < 1e15 && gauge == (gauge_t)(int64_t)gauge)
    snprintf(text, size, "%" PRIi64, (int64_t)gauge);
  else if (isfinite(gauge))
    snprintf(text, size, GAUGE_FORMAT, gauge);
}

void plugin_format_number(const data_set_t *ds, const value_list_t *vl,
                          const gauge_t *rates, size_t i,
                          plugin_number_t *number) {
  const value_t *value = &vl->values[i];
  int type = ds->ds[i].type;
  number->text[0] = '\0';
  number->is_whole = type != DS_TYPE_GAUGE && rates == NULL;
  if (!number->is_whole) {
    format_gauge(type == DS_TYPE_GAUGE ? value->gauge : rates[i], number->text,
                 sizeof(number->text));
  } else if (type == DS_TYPE_DERIVE) {
    snprintf(number->text, sizeof(number->text), "%" PRIi64, value->derive);
  } else {
    uint64_t count = type == DS_TYPE_COUNTER ? value->counter : value->absolute;
    snprintf(number->text, sizeof(number->text), "%" PRIu64, count);
  }
}

/* ---- any format ---------------------------------------------------------- */

static bool has_rates(const data_set_t *ds) {
  for (size_t i = 0; i < ds->ds_num; i++)
    if (ds->ds[i].type != DS_TYPE_GAUGE)
      return true;
  return false;
}

static int format_as(const plugin_format_t *format, tally_buffer_t *out,
                     const data_set_t *ds, const value_list_t *vl,
                     const gauge_t *rates) {
  switch (format->kind) {
  case PLUGIN_FORMAT_INFLUX:
    return plugin_format_influx(out, ds, vl, rates);
  case PLUGIN_FORMAT_GRAPHITE:
    return plugin_format_graphite(out, ds, vl, rates, format);
  case PLUGIN_FORMAT_JSON:
    break;
  }
  return plugin_format_json(out, ds, vl, rates);
}

int plugin_format_values(const plugin_format_t *format, tally_buffer_t *out,
                         const data_set_t *ds, const value_list_t *vl,
                         tally_error_t *err) {
  gauge_t *rates = NULL;
  if (format->store_rates && has_rates(ds)) {
    rates = uc_get_rate(ds, vl);
    if (rates == NULL)
      return tally_error_set(err, 0, "the daemon knows no rates");
  }
  int status = format_as(format, out, ds, vl, rates);
  free(rates);
  if (status != 0)
    return tally_error_set(err, 0, "longer than %zu bytes, or no memory",
                           out->cap);
  return 0;
}
