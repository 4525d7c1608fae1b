/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_util.h"

#include <stdarg.h>

#include "core/log.h"

static void log_to_collectd(tally_log_level_t level, const char *text) {
  plugin_log((int)level, "%s", text);
}

void plugin_util_log_init(void) { tally_log_set_callback(log_to_collectd); }

/* ---- configuration ---------------------------------------------------------
 */

/* The values of an option as they stood in the file. */
static void format_values_of(const oconfig_item_t *ci, char *text,
                             size_t size) {
  size_t len = 0;
  text[0] = '\0';
  for (int i = 0; i < ci->values_num && len < size; i++) {
    const oconfig_value_t *v = &ci->values[i];
    int n;
    if (v->type == OCONFIG_TYPE_STRING)
      n = snprintf(text + len, size - len, " \"%s\"", v->value.string);
    else if (v->type == OCONFIG_TYPE_NUMBER)
      n = snprintf(text + len, size - len, " %.15g", v->value.number);
    else
      n = snprintf(text + len, size - len, " %s",
                   v->value.boolean ? "true" : "false");
    len += n > 0 ? (size_t)n : 0;
  }
}

int plugin_config_error(const char *plugin, const oconfig_item_t *ci,
                        const char *format, ...) {
  char values[256], why[512];
  format_values_of(ci, values, sizeof(values));
  va_list ap;
  va_start(ap, format);
  vsnprintf(why, sizeof(why), format, ap);
  va_end(ap);
  ERROR("%s plugin: configuration: %s%s: %s", plugin, ci->key, values, why);
  return -1;
}

int plugin_config_block(const char *plugin, oconfig_item_t *block,
                        const plugin_option_t *options, void *config) {
  for (int i = 0; i < block->children_num; i++) {
    oconfig_item_t *ci = &block->children[i];
    const plugin_option_t *o = options;
    while (o->key != NULL && strcasecmp(o->key, ci->key) != 0)
      o++;
    if (o->key == NULL)
      return plugin_config_error(plugin, ci, "there is no such option");
    if (o->set(plugin, ci, (char *)config + o->offset) != 0)
      return -1;
  }
  return 0;
}

/* The one string of an option, or NULL (and logged). */
static const char *one_string(const char *plugin, oconfig_item_t *ci) {
  if (ci->values_num != 1 || ci->values[0].type != OCONFIG_TYPE_STRING ||
      ci->values[0].value.string[0] == '\0') {
    plugin_config_error(plugin, ci, "takes one string that is not empty");
    return NULL;
  }
  return ci->values[0].value.string;
}

int plugin_config_string(const char *plugin, oconfig_item_t *ci, void *target) {
  const char *text = one_string(plugin, ci);
  if (text == NULL)
    return -1;
  char *copy = strdup(text);
  if (copy == NULL)
    return plugin_config_error(plugin, ci, "out of memory");
  char **string = target;
  free(*string);
  *string = copy;
  return 0;
}

int plugin_config_bool(const char *plugin, oconfig_item_t *ci, void *target) {
  if (ci->values_num != 1 || ci->values[0].type != OCONFIG_TYPE_BOOLEAN)
    return plugin_config_error(plugin, ci, "takes true or false");
  *(bool *)target = ci->values[0].value.boolean != 0;
  return 0;
}

int plugin_config_pattern(const char *plugin, oconfig_item_t *ci,
                          void *target) {
  const char *text = one_string(plugin, ci);
  if (text == NULL)
    return -1;
  tally_select_t **list = target;
  if (*list == NULL && (*list = tally_select_create()) == NULL)
    return plugin_config_error(plugin, ci, "out of memory");
  tally_error_t err = {0};
  if (tally_select_add(*list, text, &err) != 0)
    return plugin_config_error(plugin, ci, "%s", err.message);
  return 0;
}

int plugin_config_add_string(const char *plugin, oconfig_item_t *ci,
                             void *target) {
  const char *text = one_string(plugin, ci);
  if (text == NULL)
    return -1;
  char ***list = target;
  size_t count = 0;
  while (*list != NULL && (*list)[count] != NULL)
    count++;
  char **grown = realloc(*list, (count + 2) * sizeof(*grown));
  if (grown == NULL)
    return plugin_config_error(plugin, ci, "out of memory");
  *list = grown;
  grown[count + 1] = NULL;
  if ((grown[count] = strdup(text)) == NULL)
    return plugin_config_error(plugin, ci, "out of memory");
  return 0;
}

/* ---- which daemon, which containers -----------------------------------------
 */

int plugin_watch_finish(const char *plugin, plugin_watch_t *watch) {
  tally_error_t err = {0};
  if (tally_endpoint_parse(&watch->endpoint, watch->endpoint_text,
                           watch->cert_dir, &err) == 0)
    return 0;
  ERROR("%s plugin: configuration: Endpoint \"%s\": %s", plugin,
        watch->endpoint_text ? watch->endpoint_text : "", err.message);
  return -1;
}

void plugin_watch_clear(plugin_watch_t *watch) {
  free(watch->endpoint_text);
  free(watch->cert_dir);
  tally_endpoint_clear(&watch->endpoint);
  tally_select_destroy(watch->names);
  tally_select_destroy(watch->images);
  tally_select_destroy(watch->labels);
  memset(watch, 0, sizeof(*watch));
}

static bool matches_any_label(const tally_select_t *list,
                              const tally_pair_t *labels, size_t count) {
  if (tally_select_is_empty(list))
    return false;
  for (size_t i = 0; i < count; i++) {
    char text[1024];
    snprintf(text, sizeof(text), "%s=%s", labels[i].key, labels[i].value);
    if (tally_select_match(list, text))
      return true;
  }
  return false;
}

static bool wants(const plugin_watch_t *watch, const char *name,
                  const char *image, const tally_pair_t *labels,
                  size_t labels_count) {
  if (tally_select_is_empty(watch->names) &&
      tally_select_is_empty(watch->images) &&
      tally_select_is_empty(watch->labels))
    return true;
  bool selected = tally_select_match(watch->names, name) ||
                  tally_select_match(watch->images, image) ||
                  matches_any_label(watch->labels, labels, labels_count);
  return selected != watch->ignore_selected;
}

bool plugin_watch_wants(const plugin_watch_t *watch,
                        const tally_container_t *container) {
  return wants(watch, container->name, container->image, container->labels,
               container->labels_count);
}

bool plugin_watch_wants_event(const plugin_watch_t *watch,
                              const tally_event_t *event) {
  return wants(watch, event->actor_name, event->image, event->attributes,
               event->attributes_count);
}
