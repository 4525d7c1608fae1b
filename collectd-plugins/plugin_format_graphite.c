/* SPDX-License-Identifier: MIT */
/*
 * Graphite's plain text:
 *
 *   PREFIX host POSTFIX . plugin[-instance] . type[-instance] [. source] 5
 * 1600…
 *
 * A line for each data source that is a finite number.
 */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_format.h"

#include "core/text.h"

/* What means something to Graphite, besides blanks. */
#define FORBIDDEN ".\"\\:!,/()"

static int add(tally_buffer_t *out, const char *text) {
  return text != NULL ? tally_buffer_append_str(out, text) : 0;
}

static int add_name(tally_buffer_t *out, const char *name, char escape) {
  char text[DATA_MAX_NAME_LEN];
  tally_text_copy(text, sizeof(text), name);
  for (char *p = text; *p != '\0'; p++)
    if (*p == ' ' || strchr(FORBIDDEN, *p) != NULL)
      *p = escape != '\0' ? escape : '_';
  return add(out, text);
}

/* .NAME or .NAME-INSTANCE */
static int add_part(tally_buffer_t *out, const char *name, const char *instance,
                    const plugin_format_t *format) {
  if (add(out, ".") != 0 || add_name(out, name, format->escape) != 0)
    return -1;
  if (instance[0] == '\0')
    return 0;
  if (add(out, format->separate_instances ? "." : "-") != 0)
    return -1;
  return add_name(out, instance, format->escape);
}

static int add_line(tally_buffer_t *out, const char *source,
                    const value_list_t *vl, const char *number,
                    const plugin_format_t *format) {
  if (add(out, format->prefix) != 0 ||
      add_name(out, vl->host, format->escape) != 0 ||
      add(out, format->postfix) != 0 ||
      add_part(out, vl->plugin, vl->plugin_instance, format) != 0 ||
      add_part(out, vl->type, vl->type_instance, format) != 0 ||
      (source != NULL && add_part(out, source, "", format) != 0))
    return -1;
  return tally_buffer_printf(out, " %s %" PRIu64, number,
                             (uint64_t)CDTIME_T_TO_TIME_T(vl->time));
}

int plugin_format_graphite(tally_buffer_t *out, const data_set_t *ds,
                           const value_list_t *vl, const gauge_t *rates,
                           const plugin_format_t *format) {
  size_t start = out->len;
  bool named = ds->ds_num > 1 || format->always_append_ds;
  for (size_t i = 0; i < ds->ds_num; i++) {
    plugin_number_t number;
    plugin_format_number(ds, vl, rates, i, &number);
    if (number.text[0] == '\0')
      continue;
    if ((out->len > start && add(out, "\n") != 0) ||
        add_line(out, named ? ds->ds[i].name : NULL, vl, number.text, format) !=
            0)
      return -1;
  }
  return 0;
}
