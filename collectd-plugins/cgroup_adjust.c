/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_endpoint.h"

#include "cgroup_adjust_audit.h"
#include "container/adjuster.h"
#include "plugin_counters.h"

#define PLUGIN_NAME "cgroup_adjust"

/*
 * Limits of containers, from rules, labels and environment.
 *
 * Each <Plugin cgroup_adjust> block is one endpoint with an adjuster of the
 * library, whose thread does all the work and calls back with what it did; the
 * read callback only passes its counters on. Nothing here needs a lock: the
 * configuration does not change once the adjusters have been made.
 */
typedef struct cgroup_adjust_s {
  plugin_endpoint_t base;

  /* config */
  char *rootfs;
  char *state_dir;
  tally_limit_policy_t policy;
  tally_adjust_method_t method;
  char **own_images;
  bool dry_run;
  bool restore;

  /* runtime */
  plugin_ctx_t context; /* for the adjuster's thread */
  plugin_own_t own;
  tally_adjuster_t *adjuster;
} cgroup_adjust_t;

static const plugin_counters_type_t counters_type = {
    .name = "tallyman_adjust",
    .sources = {"changed", "would_change", "unchanged", "refused", "differs",
                "restored", "bad_requests", "failed"},
};

/* ---- the adjuster's thread ----------------------------------------------- */

static bool is_wanted(const tally_container_t *container, void *data) {
  const cgroup_adjust_t *ca = data;
  return !plugin_own_is(&ca->own, container->id, container->image) &&
         plugin_watch_wants(&ca->base.watch, container);
}

static void on_report(const tally_adjust_report_t *report, void *data) {
  const cgroup_adjust_t *ca = data;
  plugin_set_ctx(ca->context);
  cgroup_adjust_audit(report, plugin_endpoint_name(&ca->base));
}

/* ---- read ---------------------------------------------------------------- */

static int on_read(user_data_t *user_data) {
  const cgroup_adjust_t *ca = user_data->data;
  tally_adjuster_stats_t s;
  tally_adjuster_stats(ca->adjuster, &s);
  const uint64_t values[] = {s.changed,      s.would_change, s.unchanged,
                             s.refused,      s.differs,      s.restored,
                             s.bad_requests, s.failed};
  plugin_counters_dispatch(PLUGIN_NAME, plugin_endpoint_name(&ca->base),
                           &counters_type, values);
  return 0;
}

/* ---- config -------------------------------------------------------------- */

/* A size or a count may stand there with quotes or without. */
static int set_limit(const char *plugin, oconfig_item_t *ci, void *target,
                     tally_limit_t limit) {
  char number[32];
  const char *text = number;
  tally_error_t err = {0};
  if (ci->values_num == 1 && ci->values[0].type == OCONFIG_TYPE_STRING)
    text = ci->values[0].value.string;
  else if (ci->values_num == 1 && ci->values[0].type == OCONFIG_TYPE_NUMBER)
    snprintf(number, sizeof(number), "%.15g", ci->values[0].value.number);
  else
    return plugin_config_error(plugin, ci, "takes one value");

  tally_limits_t *limits = target;
  if (tally_limit_parse(limit, text, &limits->value[limit], &err) != 0)
    return plugin_config_error(plugin, ci, "%s", err.message);
  return 0;
}

#define LIMIT_SETTER(name, limit)                                              \
  static int name(const char *plugin, oconfig_item_t *ci, void *target) {      \
    return set_limit(plugin, ci, target, limit);                               \
  }
LIMIT_SETTER(set_memory_max, TALLY_LIMIT_MEMORY_MAX)
LIMIT_SETTER(set_memory_high, TALLY_LIMIT_MEMORY_HIGH)
LIMIT_SETTER(set_swap_max, TALLY_LIMIT_SWAP_MAX)
LIMIT_SETTER(set_cpu_weight, TALLY_LIMIT_CPU_WEIGHT)
LIMIT_SETTER(set_cpu_max, TALLY_LIMIT_CPU_MAX)
LIMIT_SETTER(set_pids_max, TALLY_LIMIT_PIDS_MAX)
LIMIT_SETTER(set_io_weight, TALLY_LIMIT_IO_WEIGHT)

/* true or false of a rule, which otherwise does as the whole block. */
static int set_trust(const char *plugin, oconfig_item_t *ci, void *target) {
  bool trust = false;
  if (plugin_config_bool(plugin, ci, &trust) != 0)
    return -1;
  *(tally_trust_t *)target = trust ? TALLY_TRUST_YES : TALLY_TRUST_NO;
  return 0;
}

#define RULE_OPTION(key, set, member)                                          \
  { key, set, offsetof(tally_limit_rule_t, member) }

static const plugin_option_t rule_options[] = {
    RULE_OPTION("Container", plugin_config_pattern, names),
    RULE_OPTION("Image", plugin_config_pattern, images),
    RULE_OPTION("Label", plugin_config_pattern, labels),
    RULE_OPTION("FromEnvironment", set_trust, environment_trusted),
    RULE_OPTION("FromLabels", set_trust, labels_trusted),
    RULE_OPTION("MemoryMax", set_memory_max, limits),
    RULE_OPTION("MemoryHigh", set_memory_high, limits),
    RULE_OPTION("SwapMax", set_swap_max, limits),
    RULE_OPTION("CpuWeight", set_cpu_weight, limits),
    RULE_OPTION("CpuMax", set_cpu_max, limits),
    RULE_OPTION("PidsMax", set_pids_max, limits),
    RULE_OPTION("IoWeight", set_io_weight, limits),
    {NULL, NULL, 0},
};

/* Puts a <Rule "name"> at the end of the list. */
static int add_rule(const char *plugin, oconfig_item_t *ci, void *target) {
  if (ci->values_num != 1 || ci->values[0].type != OCONFIG_TYPE_STRING ||
      ci->values[0].value.string[0] == '\0')
    return plugin_config_error(plugin, ci, "takes a name: <Rule \"name\">");
  const char *name = ci->values[0].value.string;
  tally_limit_rule_t **last = target;
  for (; *last != NULL; last = &(*last)->next)
    if (strcasecmp((*last)->name, name) == 0)
      return plugin_config_error(plugin, ci, "there is such a rule already");

  *last = tally_limit_rule_create(name);
  if (*last == NULL)
    return plugin_config_error(plugin, ci, "out of memory");
  return plugin_config_block(plugin, ci, rule_options, *last);
}

static int set_method(const char *plugin, oconfig_item_t *ci, void *target) {
  static const char *const methods[] = {
      [TALLY_ADJUST_BY_CGROUP] = "cgroup",
      [TALLY_ADJUST_BY_ENGINE] = "engine",
      NULL,
  };
  return plugin_config_word(plugin, ci, methods, target);
}

#define OPTION(key, set, member)                                               \
  { key, set, offsetof(cgroup_adjust_t, member) }

static const plugin_option_t options[] = {
    PLUGIN_ENDPOINT_OPTIONS,
    OPTION("RootFS", plugin_config_string, rootfs),
    OPTION("StateDir", plugin_config_string, state_dir),
    OPTION("FromEnvironment", plugin_config_bool, policy.environment_trusted),
    OPTION("FromLabels", plugin_config_bool, policy.labels_trusted),
    OPTION("Rule", add_rule, policy.rules),
    OPTION("Method", set_method, method),
    OPTION("DryRun", plugin_config_bool, dry_run),
    OPTION("Restore", plugin_config_bool, restore),
    OPTION("OwnImage", plugin_config_add_string, own_images),
    {NULL, NULL, 0},
};

static void set_defaults(void *endpoint) {
  cgroup_adjust_t *ca = endpoint;
  /* The contract lets containers speak for themselves. */
  ca->policy.environment_trusted = ca->policy.labels_trusted = true;
}

/* ---- init and shutdown --------------------------------------------------- */

static int prepare(const plugin_endpoint_t *first) {
  return plugin_counters_register(PLUGIN_NAME, &counters_type);
}

static int start(void *endpoint, tally_error_t *err) {
  cgroup_adjust_t *ca = endpoint;
  ca->context = plugin_get_ctx();
  plugin_own_init(&ca->own, ca->own_images);

  char state_dir[PATH_MAX];
  snprintf(state_dir, sizeof(state_dir), "%s/" PLUGIN_NAME,
           ca->state_dir != NULL ? ca->state_dir : TALLY_STATE_DIR);
  tally_adjuster_options_t how = {.rootfs = ca->rootfs,
                                  .policy = &ca->policy,
                                  .method = ca->method,
                                  .dry_run = ca->dry_run,
                                  .restore_at_end = ca->restore,
                                  .state_dir = state_dir,
                                  .wanted = is_wanted,
                                  .on_report = on_report,
                                  .data = ca};
  ca->adjuster = tally_adjuster_create(ca->base.inventory,
                                       ca->base.watch.endpoint.name, &how, err);
  return ca->adjuster != NULL ? 0 : -1;
}

static void stop(void *endpoint) {
  cgroup_adjust_t *ca = endpoint;
  tally_adjuster_destroy(ca->adjuster);
  tally_limit_rules_destroy(ca->policy.rules);
  plugin_strings_free(ca->own_images);
  free(ca->rootfs);
  free(ca->state_dir);
}

static plugin_module_t module = {.name = PLUGIN_NAME,
                                 .size = sizeof(cgroup_adjust_t),
                                 .options = options,
                                 .set_defaults = set_defaults,
                                 .prepare = prepare,
                                 .start = start,
                                 .read = on_read,
                                 .stop = stop};

PLUGIN_MODULE_REGISTER(module)
