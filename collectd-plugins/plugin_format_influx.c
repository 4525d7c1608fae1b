/* SPDX-License-Identifier: MIT */
/*
 * InfluxDB's line protocol:
 *
 *   cpu,host=node,instance=0,type=cpu,type_instance=idle value=5i 1600000000…
 *
 * A tag without a value, and a field without a finite number, are not valid
 * there, so they are left out. An integer is one of 64 bits with a sign: what
 * is larger is left out too, because as a float it would change the field's
 * type.
 */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_format.h"

#include "core/text.h"

/* What a backslash must stand before. */
#define IN_MEASUREMENT ", "
#define IN_TAG ",= "

/* Appends `before` and the name; nothing if nothing is left of the name. Some
 * readers take a backslash for an escape wherever it stands, some only before
 * those characters: none of ours is one by accident. */
static int add_name(tally_buffer_t *out, const char *before, const char *name,
                    const char *special) {
  char text[DATA_MAX_NAME_LEN], escaped[2 * DATA_MAX_NAME_LEN];
  size_t len = 0;
  for (const char *p = tally_text_copy(text, sizeof(text), name); *p != '\0';
       p++) {
    if (strchr(special, *p) != NULL)
      escaped[len++] = '\\';
    escaped[len++] = *p != '\\' ? *p : '_';
  }
  if (len == 0)
    return 0;
  if (tally_buffer_append_str(out, before) != 0)
    return -1;
  return tally_buffer_append(out, escaped, len);
}

static int add_fields(tally_buffer_t *out, const data_set_t *ds,
                      const value_list_t *vl, const gauge_t *rates,
                      size_t *count) {
  for (size_t i = 0; i < ds->ds_num; i++) {
    plugin_number_t number;
    plugin_format_number(ds, vl, rates, i, &number);
    bool too_large = number.is_whole && ds->ds[i].type != DS_TYPE_DERIVE &&
                     vl->values[i].counter > INT64_MAX;
    if (number.text[0] == '\0' || too_large)
      continue;
    if (add_name(out, *count == 0 ? " " : ",", ds->ds[i].name, IN_TAG) != 0 ||
        tally_buffer_append_str(out, "=") != 0 ||
        tally_buffer_append_str(out, number.text) != 0 ||
        (number.is_whole && tally_buffer_append_str(out, "i") != 0))
      return -1;
    ++*count;
  }
  return 0;
}

int plugin_format_influx(tally_buffer_t *out, const data_set_t *ds,
                         const value_list_t *vl, const gauge_t *rates) {
  size_t start = out->len, fields = 0;
  /* a line that begins with '#' is a comment */
  if (add_name(out, vl->plugin[0] == '#' ? "_" : "", vl->plugin,
               IN_MEASUREMENT) != 0)
    return -1;
  if (out->len == start)
    return 0;
  if (add_name(out, ",host=", vl->host, IN_TAG) != 0 ||
      add_name(out, ",instance=", vl->plugin_instance, IN_TAG) != 0 ||
      add_name(out, ",type=", vl->type, IN_TAG) != 0 ||
      add_name(out, ",type_instance=", vl->type_instance, IN_TAG) != 0 ||
      add_fields(out, ds, vl, rates, &fields) != 0)
    return -1;
  if (fields == 0) {
    tally_buffer_truncate(out, start);
    return 0;
  }
  return tally_buffer_printf(out, " %" PRIu64, CDTIME_T_TO_NS(vl->time));
}
