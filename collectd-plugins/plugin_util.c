/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_util.h"

#include <stdarg.h>

#include "container/limits.h"
#include "core/log.h"
#include "node/node.h"

#define INSTANCE_LENGTH_MAX 48 /* leaves room for names of containers */

static void log_to_collectd(tally_log_level_t level, const char *text) {
  plugin_log((int)level, "%s", text);
}

void plugin_util_log_init(void) { tally_log_set_callback(log_to_collectd); }

/* ---- configuration ------------------------------------------------------- */

/* http://user:password@host, wherever it stands. */
static bool has_password(const oconfig_item_t *ci) {
  for (int i = 0; i < ci->values_num; i++) {
    if (ci->values[i].type != OCONFIG_TYPE_STRING)
      continue;
    const char *host = strstr(ci->values[i].value.string, "://");
    if (host != NULL && strchr(host, '@') != NULL)
      return true;
  }
  return false;
}

/* Also of options that are misspelt or belong elsewhere. */
static bool is_secret(const char *key) {
  static const char *const words[] = {"secret", "token", "password"};
  for (const char *p = key; *p != '\0'; p++)
    for (size_t i = 0; i < STATIC_ARRAY_SIZE(words); i++)
      if (strncasecmp(p, words[i], strlen(words[i])) == 0)
        return true;
  return false;
}

/* The values of an option as they stood in the file, unless nobody may read
 * them in a log. */
static void format_values_of(const oconfig_item_t *ci, char *text,
                             size_t size) {
  size_t len = 0;
  text[0] = '\0';
  if (is_secret(ci->key) || has_password(ci)) {
    snprintf(text, size, " (hidden)");
    return;
  }
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

void plugin_strings_free(char **list) {
  for (char **s = list; s != NULL && *s != NULL; s++)
    free(*s);
  free(list);
}

int plugin_config_number(const char *plugin, oconfig_item_t *ci, double min,
                         double max, double *target) {
  if (ci->values_num != 1 || ci->values[0].type != OCONFIG_TYPE_NUMBER ||
      !(ci->values[0].value.number >= min && ci->values[0].value.number <= max))
    return plugin_config_error(plugin, ci, "takes a number from %.15g to %.15g",
                               min, max);
  *target = ci->values[0].value.number;
  return 0;
}

/* "a, b or c" */
static void list_words(const char *const words[], char *text, size_t size) {
  size_t len = 0;
  for (size_t i = 0; words[i] != NULL && len < size; i++) {
    const char *before = i == 0 ? "" : words[i + 1] != NULL ? ", " : " or ";
    int n = snprintf(text + len, size - len, "%s%s", before, words[i]);
    len += n > 0 ? (size_t)n : 0;
  }
}

int plugin_config_word(const char *plugin, oconfig_item_t *ci,
                       const char *const words[], void *target) {
  if (ci->values_num == 1 && ci->values[0].type == OCONFIG_TYPE_STRING)
    for (int i = 0; words[i] != NULL; i++)
      if (strcasecmp(ci->values[0].value.string, words[i]) == 0) {
        *(int *)target = i;
        return 0;
      }
  char list[256];
  list_words(words, list, sizeof(list));
  return plugin_config_error(plugin, ci, "takes %s", list);
}

int plugin_config_instance(const char *plugin, oconfig_item_t *ci,
                           void *target) {
  if (plugin_config_string(plugin, ci, target) != 0)
    return -1;
  const char *instance = *(char **)target;
  if (strlen(instance) > INSTANCE_LENGTH_MAX)
    return plugin_config_error(plugin, ci, "longer than %d characters",
                               INSTANCE_LENGTH_MAX);
  for (const char *p = instance; *p != '\0'; p++)
    if (!isalnum((unsigned char)*p) && strchr("_.-", *p) == NULL)
      return plugin_config_error(plugin, ci,
                                 "takes letters, digits, '_', '.' and '-'");
  return 0;
}

/* ---- which daemon, which containers -------------------------------------- */

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

static bool wants(const plugin_watch_t *watch, const char *name,
                  const char *image, const tally_pair_t *labels,
                  size_t labels_count) {
  if (tally_select_is_empty(watch->names) &&
      tally_select_is_empty(watch->images) &&
      tally_select_is_empty(watch->labels))
    return true;
  bool selected = tally_select_match(watch->names, name) ||
                  tally_select_match(watch->images, image) ||
                  tally_labels_match(watch->labels, labels, labels_count);
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

/* ---- our own container --------------------------------------------------- */

void plugin_own_init(plugin_own_t *own, char *const *images) {
  static char convox_agent[] = "convox/agent", agent_agent[] = "agent/agent";
  static char *const contract[] = {convox_agent, agent_agent, NULL};
  own->images = images != NULL ? images : contract;
  tally_node_own_container(own->id);
}

bool plugin_own_is(const plugin_own_t *own, const char *id, const char *image) {
  if (own->id[0] != '\0' && strcmp(own->id, id) == 0)
    return true;
  for (char *const *prefix = own->images; *prefix != NULL; prefix++)
    if (strncmp(image, *prefix, strlen(*prefix)) == 0)
      return true;
  return false;
}
