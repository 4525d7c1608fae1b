/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_util.h"

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
  /* config */
  plugin_watch_t watch;
  char *instance; /* NULL: the one without a name */
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
  tally_inventory_t *inventory;
  tally_adjuster_t *adjuster;

  struct cgroup_adjust_s *next;
} cgroup_adjust_t;

static cgroup_adjust_t *instances; /* in the order of the configuration */

static const plugin_counters_type_t counters_type = {
    .name = "tallyman_adjust",
    .sources = {"changed", "would_change", "unchanged", "refused", "differs",
                "restored", "bad_requests", "failed"},
};

static const char *instance_name(const cgroup_adjust_t *ca) {
  return ca->instance != NULL ? ca->instance : "";
}

/* ---- the adjuster's thread ----------------------------------------------- */

static bool is_wanted(const tally_container_t *container, void *data) {
  const cgroup_adjust_t *ca = data;
  return !plugin_own_is(&ca->own, container->id, container->image) &&
         plugin_watch_wants(&ca->watch, container);
}

static void on_report(const tally_adjust_report_t *report, void *data) {
  const cgroup_adjust_t *ca = data;
  plugin_set_ctx(ca->context);
  cgroup_adjust_audit(report, instance_name(ca));
}

/* ---- read ---------------------------------------------------------------- */

static int on_read(user_data_t *user_data) {
  const cgroup_adjust_t *ca = user_data->data;
  tally_adjuster_stats_t s;
  tally_adjuster_stats(ca->adjuster, &s);
  const uint64_t values[] = {s.changed,      s.would_change, s.unchanged,
                             s.refused,      s.differs,      s.restored,
                             s.bad_requests, s.failed};
  plugin_counters_dispatch(PLUGIN_NAME, instance_name(ca), &counters_type,
                           values);
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
  tally_adjust_method_t *method = target;
  const char *text = "";
  if (ci->values_num == 1 && ci->values[0].type == OCONFIG_TYPE_STRING)
    text = ci->values[0].value.string;
  if (strcasecmp(text, "cgroup") == 0)
    *method = TALLY_ADJUST_BY_CGROUP;
  else if (strcasecmp(text, "engine") == 0)
    *method = TALLY_ADJUST_BY_ENGINE;
  else
    return plugin_config_error(plugin, ci, "takes cgroup or engine");
  return 0;
}

#define OPTION(key, set, member)                                               \
  { key, set, offsetof(cgroup_adjust_t, member) }

static const plugin_option_t options[] = {
    PLUGIN_WATCH_OPTIONS(cgroup_adjust_t, watch),
    OPTION("Instance", plugin_config_instance, instance),
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

static void destroy_instance(cgroup_adjust_t *ca) {
  tally_adjuster_destroy(ca->adjuster);
  if (ca->inventory != NULL)
    tally_inventory_release(ca->inventory);
  tally_limit_rules_destroy(ca->policy.rules);
  plugin_watch_clear(&ca->watch);
  plugin_strings_free(ca->own_images);
  free(ca->instance);
  free(ca->rootfs);
  free(ca->state_dir);
  free(ca);
}

static cgroup_adjust_t *create_instance(void) {
  cgroup_adjust_t *ca = calloc(1, sizeof(*ca));
  if (ca == NULL) {
    ERROR(PLUGIN_NAME " plugin: out of memory");
    return NULL;
  }
  /* The contract lets containers speak for themselves. */
  ca->policy.environment_trusted = ca->policy.labels_trusted = true;
  return ca;
}

/* Its values must not get the names of another block's. */
static int add_instance(cgroup_adjust_t *ca) {
  cgroup_adjust_t **last = &instances;
  for (; *last != NULL; last = &(*last)->next)
    if (strcasecmp(instance_name(*last), instance_name(ca)) == 0)
      return plugin_config_instance_taken(PLUGIN_NAME, instance_name(ca));
  *last = ca;
  return 0;
}

static int on_config(oconfig_item_t *block) {
  cgroup_adjust_t *ca = create_instance();
  if (ca == NULL)
    return -1;
  if (plugin_config_block(PLUGIN_NAME, block, options, ca) == 0 &&
      plugin_watch_finish(PLUGIN_NAME, &ca->watch) == 0 &&
      add_instance(ca) == 0)
    return 0;
  destroy_instance(ca);
  return -1;
}

/* ---- init and shutdown --------------------------------------------------- */

static int start_instance(cgroup_adjust_t *ca) {
  tally_error_t err = {0};
  ca->context = plugin_get_ctx();
  plugin_own_init(&ca->own, ca->own_images);
  ca->inventory = tally_inventory_acquire(&ca->watch.endpoint, &err);

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
  if (ca->inventory != NULL)
    ca->adjuster = tally_adjuster_create(ca->inventory, ca->watch.endpoint.name,
                                         &how, &err);
  if (ca->adjuster == NULL) {
    ERROR(PLUGIN_NAME " plugin: endpoint %s: %s", ca->watch.endpoint.name,
          err.message);
    return -1;
  }

  char name[DATA_MAX_NAME_LEN];
  snprintf(name, sizeof(name), PLUGIN_NAME "%s%s",
           ca->instance != NULL ? "/" : "", instance_name(ca));
  return plugin_register_complex_read(NULL, name, on_read, 0,
                                      &(user_data_t){.data = ca});
}

static int on_init(void) {
  plugin_util_log_init();
  if (plugin_counters_register(PLUGIN_NAME, &counters_type) != 0)
    return -1;
  if (instances == NULL) {
    /* loaded without a block: the local daemon with all defaults */
    instances = create_instance();
    if (instances == NULL ||
        plugin_watch_finish(PLUGIN_NAME, &instances->watch) != 0)
      return -1;
  }
  int status = -1; /* unless one of them works */
  for (cgroup_adjust_t *ca = instances; ca != NULL; ca = ca->next)
    if (start_instance(ca) == 0)
      status = 0;
  return status;
}

static int on_shutdown(void) {
  while (instances != NULL) {
    cgroup_adjust_t *ca = instances;
    instances = ca->next;
    destroy_instance(ca);
  }
  return 0;
}

void module_register(void) {
  plugin_register_complex_config(PLUGIN_NAME, on_config);
  plugin_register_init(PLUGIN_NAME, on_init);
  plugin_register_shutdown(PLUGIN_NAME, on_shutdown);
}
