/* SPDX-License-Identifier: MIT */
/* Values and notifications as text. The input is their names, one per line,
 * then a value's eight bytes. What comes out must be taken apart again by
 * readers of our own, whatever the names are. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"
#include "utils/metadata/meta_data.h"

#include "plugin_format.h"

#include "core/json.h"
#include "fuzz.h"

void module_register(void);
void module_register(void) {} /* the mock's; it is never loaded */

#define FIELDS 8
#define OUT_MAX (64 * 1024)

/* ---- input ------------------------------------------------------------------
 */

typedef struct {
  char field[FIELDS][256];
  value_t value;
} names_t;

static names_t read_names(const uint8_t *data, size_t size) {
  names_t names = {.value.gauge = 0.5};
  size_t field = 0, len = 0, i = 0;
  for (; i < size && field < FIELDS; i++) {
    if (data[i] == '\n') {
      field++;
      len = 0;
    } else if (len < sizeof(names.field[0]) - 1) {
      names.field[field][len++] = (char)data[i];
    }
  }
  if (size - i >= sizeof(names.value))
    memcpy(&names.value, data + i, sizeof(names.value));
  return names;
}

/* ---- readers ----------------------------------------------------------------
 */

static void check_json(const tally_buffer_t *out, const char *member) {
  tally_json_t *document = tally_json_parse(out->data, out->len, NULL);
  FUZZ_REQUIRE(document != NULL);
  FUZZ_REQUIRE(tally_json_get(document, member) != NULL);
  tally_json_destroy(document);
}

/* The next character that no backslash stands before, and that is in `stop`. */
static const char *find(const char *p, const char *stop) {
  while (*p != '\0' && strchr(stop, *p) == NULL)
    p += *p == '\\' && p[1] != '\0' ? 2 : 1;
  return p;
}

/* measurement[,key=value…] key=number[,…] digits */
static void check_influx(const char *line) {
  for (const char *p = line; *p != '\0'; p++)
    FUZZ_REQUIRE((unsigned char)*p >= ' ' && *p != 0x7f);
  FUZZ_REQUIRE(*line != '#' && *line != ',' && *line != ' ');
  const char *p = find(line, ", ");
  for (int part = 0; part < 2; part++) { /* tags, then fields */
    while (*p == ',' || (part == 1 && p[-1] == ' ')) {
      const char *key = *p == ',' ? p + 1 : p;
      const char *equals = find(key, ",= ");
      FUZZ_REQUIRE(*equals == '=' && equals > key);
      p = find(equals + 1, ",= ");
      FUZZ_REQUIRE(p > equals + 1 && (*p == ',' || *p == ' '));
    }
    FUZZ_REQUIRE(*p == ' ');
    p++;
  }
  FUZZ_REQUIRE(*p != '\0' && p[strspn(p, "0123456789")] == '\0');
}

static void check_graphite(const char *line) {
  const char *value = strchr(line, ' ');
  FUZZ_REQUIRE(value != NULL && value > line);
  const char *time = strchr(value + 1, ' ');
  FUZZ_REQUIRE(time != NULL && time > value + 1);
  FUZZ_REQUIRE(time[1] != '\0' &&
               time[1 + strspn(time + 1, "0123456789")] == '\0');
}

/* ---- what is read
 * ------------------------------------------------------------ */

static void check_values(const names_t *names, int type) {
  data_source_t source = {.type = type};
  data_set_t ds = {.ds_num = 1, .ds = &source};
  value_t value = names->value;
  value_list_t vl = {.values = &value,
                     .values_len = 1,
                     .time = TIME_T_TO_CDTIME_T(1600000000)};
  sstrncpy(vl.host, names->field[0], sizeof(vl.host));
  sstrncpy(vl.plugin, names->field[1], sizeof(vl.plugin));
  sstrncpy(vl.plugin_instance, names->field[2], sizeof(vl.plugin_instance));
  sstrncpy(vl.type, names->field[3], sizeof(vl.type));
  sstrncpy(vl.type_instance, names->field[4], sizeof(vl.type_instance));
  sstrncpy(source.name, "value", sizeof(source.name));
  vl.meta = meta_data_create();
  meta_data_add_string(vl.meta, names->field[5], names->field[6]);
  meta_data_add_double(vl.meta, names->field[7], value.gauge);

  tally_buffer_t out;
  tally_buffer_init(&out, OUT_MAX);
  plugin_format_t format = {.kind = PLUGIN_FORMAT_JSON};
  FUZZ_REQUIRE(plugin_format_values(&format, &out, &ds, &vl, NULL) == 0);
  check_json(&out, "values");

  tally_buffer_reset(&out);
  format.kind = PLUGIN_FORMAT_INFLUX;
  FUZZ_REQUIRE(plugin_format_values(&format, &out, &ds, &vl, NULL) == 0);
  if (out.len > 0)
    check_influx(out.data);

  tally_buffer_reset(&out);
  format.kind = PLUGIN_FORMAT_GRAPHITE;
  FUZZ_REQUIRE(plugin_format_values(&format, &out, &ds, &vl, NULL) == 0);
  if (out.len > 0)
    check_graphite(out.data);

  tally_buffer_clear(&out);
  meta_data_destroy(vl.meta);
}

static void check_notification(const names_t *names) {
  notification_t n;
  notification_init(&n, NOTIF_WARNING, names->field[5], names->field[0],
                    names->field[1], names->field[2], names->field[3],
                    names->field[4]);
  plugin_notification_meta_add_string(&n, names->field[6], names->field[7]);
  plugin_notification_meta_add_double(&n, names->field[7], names->value.gauge);
  tally_buffer_t out;
  tally_buffer_init(&out, OUT_MAX);
  FUZZ_REQUIRE(plugin_format_notification(&out, &n) == 0);
  check_json(&out, "annotations");
  tally_buffer_clear(&out);
  plugin_notification_meta_free(n.meta);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  names_t names = read_names(data, size);
  for (int type = DS_TYPE_COUNTER; type <= DS_TYPE_ABSOLUTE; type++)
    check_values(&names, type);
  check_notification(&names);
  return 0;
}
