/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_cloudwatch_rules.h"

/* ---- options of a rule --------------------------------------------------- */

static int set_template(const char *plugin, oconfig_item_t *ci, void *target) {
  char *text = NULL;
  tally_error_t err = {0};
  if (plugin_config_string(plugin, ci, &text) != 0)
    return -1;
  int status = write_cloudwatch_template_parse(target, text, &err);
  free(text);
  return status == 0 ? 0 : plugin_config_error(plugin, ci, "%s", err.message);
}

int write_cloudwatch_rule_set_namespace(const char *plugin, oconfig_item_t *ci,
                                        void *target) {
  write_cloudwatch_template_t *template = target;
  if (set_template(plugin, ci, template) != 0)
    return -1;
  if (!template->has_variables &&
      !tally_metric_namespace_is_good(ci->values[0].value.string))
    return plugin_config_error(
        plugin, ci,
        "takes 1 to 255 letters, digits and \" ._/#:-\", not beginning with "
        "\"AWS/\" or ':'");
  return 0;
}

static int set_unit(const char *plugin, oconfig_item_t *ci, void *target) {
  if (plugin_config_string(plugin, ci, target) != 0)
    return -1;
  if (!tally_metric_unit_is_known(*(char **)target))
    return plugin_config_error(plugin, ci,
                               "CloudWatch has no such unit (but Bytes, "
                               "Percent, Count/Second, …)");
  return 0;
}

static int set_resolution(const char *plugin, oconfig_item_t *ci,
                          void *target) {
  double *resolution = target;
  if (plugin_config_number(plugin, ci, 1, 60, resolution) != 0)
    return -1;
  if (*resolution != 1 && *resolution != 60)
    return plugin_config_error(plugin, ci, "takes 1 or 60");
  return 0;
}

static bool has_dimension(const struct write_cloudwatch_dimensions_s *d,
                          const char *name) {
  for (size_t i = 0; i < d->count; i++)
    if (strcmp(d->list[i].name, name) == 0)
      return true;
  return false;
}

static int append_dimension(struct write_cloudwatch_dimensions_s *d,
                            const char *name, const char *value,
                            tally_error_t *err) {
  if (write_cloudwatch_template_parse(&d->list[d->count].value, value, err) !=
      0)
    return -1;
  d->list[d->count].name = strdup(name);
  if (d->list[d->count].name != NULL) {
    d->count++;
    return 0;
  }
  write_cloudwatch_template_clear(&d->list[d->count].value);
  return tally_error_set(err, ENOMEM, "dimension");
}

static int add_dimension(const char *plugin, oconfig_item_t *ci, void *target) {
  struct write_cloudwatch_dimensions_s *d = target;
  tally_error_t err = {0};
  if (ci->values_num != 2 || ci->values[0].type != OCONFIG_TYPE_STRING ||
      ci->values[1].type != OCONFIG_TYPE_STRING)
    return plugin_config_error(plugin, ci,
                               "takes two strings: a name and a value");
  const char *name = ci->values[0].value.string;
  if (!tally_metric_dimension_is_good(name))
    return plugin_config_error(plugin, ci,
                               "the name of a dimension is 1 to 255 printable "
                               "ASCII characters, the first of them not ':'");
  if (has_dimension(d, name))
    return plugin_config_error(plugin, ci, "is there twice");
  if (d->count == TALLY_METRIC_DIMENSIONS_MAX)
    return plugin_config_error(plugin, ci, "more than %d dimensions",
                               TALLY_METRIC_DIMENSIONS_MAX);
  if (append_dimension(d, name, ci->values[1].value.string, &err) != 0)
    return plugin_config_error(plugin, ci, "%s", err.message);
  return 0;
}

#define OPTION(key, set, member)                                               \
  { key, set, offsetof(write_cloudwatch_rule_t, member) }

static const plugin_option_t options[] = {
    OPTION("Host", plugin_config_pattern, hosts),
    OPTION("Plugin", plugin_config_pattern, plugins),
    OPTION("PluginInstance", plugin_config_pattern, plugin_instances),
    OPTION("Type", plugin_config_pattern, types),
    OPTION("TypeInstance", plugin_config_pattern, type_instances),
    OPTION("DataSource", plugin_config_pattern, sources),
    OPTION("Ignore", plugin_config_bool, ignore),
    OPTION("Namespace", write_cloudwatch_rule_set_namespace, namespace_),
    OPTION("MetricName", set_template, metric_name),
    OPTION("Unit", set_unit, unit),
    OPTION("StorageResolution", set_resolution, resolution),
    OPTION("Statistics", plugin_config_bool, statistics),
    OPTION("Dimension", add_dimension, dimensions),
    OPTION("DefaultDimensions", plugin_config_bool, default_dimensions),
    {NULL, NULL, 0},
};

/* ---- the list ------------------------------------------------------------ */

static void free_rule(write_cloudwatch_rule_t *rule) {
  free(rule->name);
  tally_select_destroy(rule->hosts);
  tally_select_destroy(rule->plugins);
  tally_select_destroy(rule->plugin_instances);
  tally_select_destroy(rule->types);
  tally_select_destroy(rule->type_instances);
  tally_select_destroy(rule->sources);
  write_cloudwatch_template_clear(&rule->namespace_);
  write_cloudwatch_template_clear(&rule->metric_name);
  free(rule->unit);
  for (size_t i = 0; i < rule->dimensions.count; i++) {
    free(rule->dimensions.list[i].name);
    write_cloudwatch_template_clear(&rule->dimensions.list[i].value);
  }
  free(rule);
}

void write_cloudwatch_rules_free(write_cloudwatch_rule_t *rules) {
  while (rules != NULL) {
    write_cloudwatch_rule_t *rule = rules;
    rules = rule->next;
    free_rule(rule);
  }
}

static write_cloudwatch_rule_t *make_rule(const char *name) {
  write_cloudwatch_rule_t *rule = calloc(1, sizeof(*rule));
  if (rule == NULL || (rule->name = strdup(name)) == NULL) {
    free(rule);
    return NULL;
  }
  rule->resolution = 60;
  rule->default_dimensions = true;
  return rule;
}

/* What is done when all options have been read. */
static int finish_rule(write_cloudwatch_rule_t *rule,
                       write_cloudwatch_rule_t **rules, tally_error_t *err) {
  if (rule->dimensions.count == 0 && rule->default_dimensions &&
      (append_dimension(&rule->dimensions, "Host", "%{host}", err) != 0 ||
       append_dimension(&rule->dimensions, "PluginInstance",
                        "%{plugin_instance}", err) != 0))
    return -1;
  while (*rules != NULL)
    rules = &(*rules)->next;
  *rules = rule;
  return 0;
}

int write_cloudwatch_rule_add(const char *plugin, oconfig_item_t *ci,
                              void *target) {
  if (ci->values_num != 1 || ci->values[0].type != OCONFIG_TYPE_STRING ||
      ci->values[0].value.string[0] == '\0')
    return plugin_config_error(plugin, ci, "takes a name: <Rule \"name\">");
  tally_error_t err = {0};
  write_cloudwatch_rule_t *rule = make_rule(ci->values[0].value.string);
  if (rule == NULL)
    return plugin_config_error(plugin, ci, "out of memory");
  if (plugin_config_block(plugin, ci, options, rule) != 0) {
    free_rule(rule);
    return -1;
  }
  if (finish_rule(rule, target, &err) != 0) {
    free_rule(rule);
    return plugin_config_error(plugin, ci, "%s", err.message);
  }
  return 0;
}

int write_cloudwatch_rule_add_all(write_cloudwatch_rule_t **rules) {
  write_cloudwatch_rule_t *rule = make_rule("SendAll");
  if (rule == NULL)
    return -1;
  if (finish_rule(rule, rules, NULL) == 0)
    return 0;
  free_rule(rule);
  return -1;
}

/* ---- matching ------------------------------------------------------------ */

static bool wants(const tally_select_t *list, const char *text) {
  return list == NULL || tally_select_match(list, text);
}

const write_cloudwatch_rule_t *
write_cloudwatch_rules_find(const write_cloudwatch_rule_t *rules,
                            const value_list_t *vl, const char *source) {
  for (const write_cloudwatch_rule_t *r = rules; r != NULL; r = r->next)
    if (wants(r->plugins, vl->plugin) && wants(r->types, vl->type) &&
        wants(r->sources, source) &&
        wants(r->plugin_instances, vl->plugin_instance) &&
        wants(r->type_instances, vl->type_instance) &&
        wants(r->hosts, vl->host))
      return r;
  return NULL;
}

bool write_cloudwatch_rules_ask_identity(const write_cloudwatch_rule_t *rules) {
  for (const write_cloudwatch_rule_t *r = rules; r != NULL; r = r->next) {
    if (r->namespace_.asks_identity || r->metric_name.asks_identity)
      return true;
    for (size_t i = 0; i < r->dimensions.count; i++)
      if (r->dimensions.list[i].value.asks_identity)
        return true;
  }
  return false;
}
