/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "daemon/utils_cache.h"
#include "utils/common/common.h"

#include "write_cloudwatch_values.h"

#include "plugin_aws.h"
#include "plugin_outbox.h"
#include "write_cloudwatch_dry.h"
#include "write_cloudwatch_instance.h"
#include "write_cloudwatch_logs.h"

#define PLUGIN_NAME "write_cloudwatch"
#define SHUTDOWN_MS 5000
#define DEFAULT_NAMESPACE "tallyman"

/*
 * Values as metrics of CloudWatch, notifications as its log events.
 *
 *   write threads ─► values (rules, gatherer) ─ read callback ─► outbox ─► AWS
 *   notifications ─────────────────────────────► outbox of a log group ─► AWS
 *
 * Nothing of the configuration changes once it has been read; what the values
 * go through has a lock of its own, and so have the outboxes.
 */
typedef struct write_cloudwatch_s {
  /* config */
  plugin_aws_t aws;
  plugin_outbox_t outbox_settings;
  write_cloudwatch_settings_t settings;
  write_cloudwatch_group_t *groups;
  double identity_wait; /* seconds */
  bool send_all, dry_run, drop_unsure, plain;
  char *dry_run_file;
  bool is_configured;

  /* runtime */
  tally_aws_session_t *session;
  tally_destination_t destination;
  tally_outbox_options_t outbox_options;
  char path[PATH_MAX];
  tally_outbox_t *outbox;
  plugin_outbox_report_t report;
  write_cloudwatch_dry_t dry;
  write_cloudwatch_instance_t instance;
} write_cloudwatch_t;

#define CW_INIT                                                                \
  { .identity_wait = 10, .instance = WRITE_CLOUDWATCH_INSTANCE_INIT }
static write_cloudwatch_t cw = CW_INIT;

/* Flushes and notifications come from anywhere, also while we end. */
static struct {
  pthread_rwlock_t lock;
  bool open;
} gate = {.lock = PTHREAD_RWLOCK_INITIALIZER};

static bool enter(void) {
  pthread_rwlock_rdlock(&gate.lock);
  if (gate.open)
    return true;
  pthread_rwlock_unlock(&gate.lock);
  return false;
}

static void leave(void) { pthread_rwlock_unlock(&gate.lock); }

static void set_gate(bool open) {
  pthread_rwlock_wrlock(&gate.lock);
  gate.open = open;
  pthread_rwlock_unlock(&gate.lock);
}

/* ---- callbacks ----------------------------------------------------------- */

static int on_write(const data_set_t *ds, const value_list_t *vl,
                    user_data_t *user_data) {
  gauge_t *rates = NULL;
  if (cw.settings.store_rates && (rates = uc_get_rate(ds, vl)) == NULL)
    return -1;
  write_cloudwatch_values_put(ds, vl, rates,
                              write_cloudwatch_instance_get(&cw.instance));
  return 0;
}

/* From the gatherer to the outbox, which counts what it does not take. */
static void harvest(uint64_t end_ns) {
  tally_harvest_t *harvested = write_cloudwatch_values_harvest(end_ns);
  tally_record_t datum;
  while (harvested != NULL && tally_harvest_next(harvested, &datum))
    tally_outbox_put(cw.outbox, &datum);
  tally_harvest_destroy(harvested);
}

/* Values of a period may come as late as an interval after it. */
static int on_read(void) {
  cdtime_t now = cdtime();
  if (cw.outbox != NULL) {
    write_cloudwatch_values_tend(now,
                                 write_cloudwatch_instance_get(&cw.instance));
    harvest(CDTIME_T_TO_NS(now - plugin_get_interval()));
    if (cw.dry_run) /* whose outbox delivers nothing */
      write_cloudwatch_dry_tend(&cw.dry, now, cw.outbox);
    else
      plugin_outbox_report(&cw.report, PLUGIN_NAME, PLUGIN_NAME, cw.outbox);
    write_cloudwatch_values_report();
  }
  write_cloudwatch_groups_report(cw.groups);
  return 0;
}

static int on_flush(cdtime_t timeout, const char *identifier,
                    user_data_t *user_data) {
  if (!enter())
    return 0;
  if (cw.outbox != NULL) {
    harvest(UINT64_MAX);
    tally_outbox_flush(cw.outbox, 0);
  }
  write_cloudwatch_groups_flush(cw.groups);
  leave();
  return 0;
}

static int on_notification(const notification_t *n, user_data_t *user_data) {
  if (!enter())
    return 0;
  write_cloudwatch_groups_put(cw.groups, n, cw.dry_run);
  leave();
  return 0;
}

/* ---- config -------------------------------------------------------------- */

static int set_period(const char *plugin, oconfig_item_t *ci, void *target) {
  return plugin_config_number(plugin, ci, 1, 3600, target);
}

static int set_metrics_max(const char *plugin, oconfig_item_t *ci,
                           void *target) {
  return plugin_config_number(plugin, ci, 1, 10e6, target);
}

static int set_identity_wait(const char *plugin, oconfig_item_t *ci,
                             void *target) {
  return plugin_config_number(plugin, ci, 0, 60, target);
}

static int set_gzip(const char *plugin, oconfig_item_t *ci, void *target) {
  bool gzip = true;
  if (plugin_config_bool(plugin, ci, &gzip) != 0)
    return -1;
  *(bool *)target = !gzip;
  return 0;
}

#define OPTION(key, set, member)                                               \
  { key, set, offsetof(write_cloudwatch_t, member) }

static const plugin_option_t options[] = {
    OPTION("Namespace", write_cloudwatch_rule_set_namespace,
           settings.namespace_),
    OPTION("Rule", write_cloudwatch_rule_add, settings.rules),
    OPTION("SendAll", plugin_config_bool, send_all),
    OPTION("Period", set_period, settings.period),
    OPTION("StoreRates", plugin_config_bool, settings.store_rates),
    OPTION("MaxMetrics", set_metrics_max, settings.metrics_max),
    OPTION("IdentityWait", set_identity_wait, identity_wait),
    OPTION("DropUnsure", plugin_config_bool, drop_unsure),
    OPTION("Compress", set_gzip, plain),
    OPTION("DryRun", plugin_config_bool, dry_run),
    OPTION("DryRunFile", plugin_config_string, dry_run_file),
    OPTION("LogGroup", write_cloudwatch_group_add, groups),
    PLUGIN_AWS_OPTIONS(write_cloudwatch_t, aws),
    PLUGIN_OUTBOX_OPTIONS(write_cloudwatch_t, outbox_settings),
    {NULL, NULL, 0},
};

static int refuse_to_start(const char *why) {
  ERROR(PLUGIN_NAME " plugin: configuration: %s", why);
  return -1;
}

/* Everything costs money at the other end: nothing is sent that nobody asked
 * for. */
static int check(void) {
  if (cw.send_all && write_cloudwatch_rule_add_all(&cw.settings.rules) != 0)
    return refuse_to_start("out of memory");
  if (cw.settings.rules == NULL && cw.groups == NULL)
    return refuse_to_start(
        "there is no <Rule>, so nothing would be sent: write one, or say "
        "SendAll true (DryRun true shows what that would cost)");
  if (cw.dry_run_file != NULL && !cw.dry_run)
    return refuse_to_start("DryRunFile needs DryRun true");
  return 0;
}

/* The destination of the metrics; asks nobody yet. */
static int open_destination(void) {
  tally_error_t err = {0};
  const tally_cloudwatch_options_t how = {.drop_unsure = cw.drop_unsure,
                                          .plain = cw.plain};
  if (cw.dry_run)
    return write_cloudwatch_dry_open(&cw.dry, cw.dry_run_file,
                                     (unsigned)cw.settings.period,
                                     &cw.destination, &cw.outbox_options);
  if (tally_cloudwatch_open(cw.session, &how, &cw.destination,
                            &cw.outbox_options, &err) == 0)
    return 0;
  ERROR(PLUGIN_NAME " plugin: %s", err.message);
  return -1;
}

static int on_config(oconfig_item_t *block) {
  tally_error_t err = {0};
  if (cw.is_configured)
    return refuse_to_start("there is more than one block for this plugin");
  cw.is_configured = true;
  cw.settings.store_rates = true;
  if (write_cloudwatch_template_parse(&cw.settings.namespace_,
                                      DEFAULT_NAMESPACE, &err) != 0)
    return refuse_to_start(err.message);
  if (plugin_config_block(PLUGIN_NAME, block, options, &cw) != 0 ||
      check() != 0)
    return -1;
  cw.session = plugin_aws_session(PLUGIN_NAME, &cw.aws);
  plugin_aws_clear(&cw.aws);
  if (cw.session == NULL)
    return -1;
  return cw.settings.rules != NULL ? open_destination() : 0;
}

/* ---- life ---------------------------------------------------------------- */

/* A dry run leaves nothing behind. */
static int start_outbox(void) {
  if (cw.dry_run)
    cw.outbox_settings.no_spool = true;
  if (plugin_outbox_apply(&cw.outbox_settings, PLUGIN_NAME, &cw.outbox_options,
                          cw.path, sizeof(cw.path)) != 0)
    return -1;
  cw.outbox = plugin_outbox_create(PLUGIN_NAME, PLUGIN_NAME, &cw.outbox_options,
                                   &cw.destination);
  if (cw.outbox == NULL)
    return -1;
  cw.destination = (tally_destination_t){0}; /* the outbox's from now on */
  return 0;
}

static int start_metrics(void) {
  if (start_outbox() != 0)
    return -1;
  bool asks = write_cloudwatch_settings_ask_identity(&cw.settings);
  cdtime_t wait = asks ? DOUBLE_TO_CDTIME_T(cw.identity_wait) : 0;
  if (write_cloudwatch_values_start(&cw.settings, cw.dry_run,
                                    cdtime() + wait) != 0)
    return -1;
  if (asks &&
      write_cloudwatch_instance_start(&cw.instance, cw.session,
                                      write_cloudwatch_values_release) != 0)
    return -1;
  return plugin_register_write(PLUGIN_NAME, on_write, NULL);
}

static int start_notifications(void) {
  if (!cw.dry_run && write_cloudwatch_groups_open(cw.groups, cw.session,
                                                  &cw.outbox_settings) != 0)
    return -1;
  return plugin_register_notification(PLUGIN_NAME, on_notification, NULL);
}

static int on_init(void) {
  plugin_util_log_init();
  if (!cw.is_configured)
    return check();
  if (plugin_outbox_register(PLUGIN_NAME) != 0)
    return -1;
  set_gate(true);
  if (cw.settings.rules != NULL && start_metrics() != 0)
    return -1;
  if (cw.groups != NULL && start_notifications() != 0)
    return -1;
  int status = plugin_register_read(PLUGIN_NAME, on_read);
  return status != 0 ? status
                     : plugin_register_flush(PLUGIN_NAME, on_flush, NULL);
}

static void stop_metrics(void) {
  write_cloudwatch_values_release(write_cloudwatch_instance_get(&cw.instance));
  harvest(UINT64_MAX);
  plugin_outbox_end(&cw.report, PLUGIN_NAME, PLUGIN_NAME, cw.outbox,
                    SHUTDOWN_MS);
  cw.outbox = NULL;
}

static int on_shutdown(void) {
  set_gate(false);
  if (cw.outbox != NULL)
    stop_metrics();
  write_cloudwatch_groups_close(cw.groups, SHUTDOWN_MS);
  write_cloudwatch_instance_stop(&cw.instance);
  write_cloudwatch_values_stop();
  write_cloudwatch_dry_close(&cw.dry);
  if (cw.destination.release != NULL) /* it never came to an outbox */
    cw.destination.release(cw.destination.data);
  write_cloudwatch_settings_clear(&cw.settings);
  tally_aws_session_unref(cw.session);
  plugin_outbox_clear(&cw.outbox_settings);
  plugin_aws_clear(&cw.aws);
  sfree(cw.dry_run_file);
  cw = (write_cloudwatch_t)CW_INIT;
  return 0;
}

void module_register(void) {
  plugin_register_complex_config(PLUGIN_NAME, on_config);
  plugin_register_init(PLUGIN_NAME, on_init);
  plugin_register_shutdown(PLUGIN_NAME, on_shutdown);
}
