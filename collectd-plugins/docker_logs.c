/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_endpoint.h"

#include <errno.h>

#include "aws/aws.h"
#include "core/clock.h"
#include "core/thread.h"
#include "docker_logs_routes.h"
#include "docker_logs_sinks.h"
#include "logs/shipper.h"
#include "plugin_counters.h"
#include "plugin_outbox.h"

#define PLUGIN_NAME "docker_logs"
#define SPOOL_LEAST 16    /* MiB */
#define LAST_SEND_MS 2000 /* at the end; the rest waits on disk */
#define LATE_NS (60 * TALLY_NS_PER_S)

/*
 * What containers write, to the sinks that they or the configuration name.
 *
 * Each <Plugin docker_logs> block is one endpoint with a shipper, which has
 * threads of its own; the read callback dispatches its numbers. A thread asks
 * the instance's metadata who we are, once, because that may take seconds.
 */
typedef struct docker_logs_s {
  plugin_endpoint_t base;

  /* config */
  char *state_dir;
  char **own_images;
  bool read_existing;
  plugin_outbox_t outbox;
  docker_logs_sinks_t sinks;
  docker_logs_routes_t routes;

  /* runtime */
  plugin_own_t own;
  tally_log_shipper_t *shipper;
  tally_aws_session_t *who; /* we are */
  pthread_t asking;
  bool asks; /* the thread is there */
} docker_logs_t;

/* ---- what the shipper asks ----------------------------------------------- */

static size_t routes_of(const tally_container_t *container,
                        tally_log_route_t *routes, void *data) {
  const docker_logs_t *dl = data;
  if (plugin_own_is(&dl->own, container->id, container->image) ||
      !plugin_watch_wants(&dl->base.watch, container))
    return 0;
  return docker_logs_routes_of(&dl->routes, &dl->sinks, container, routes);
}

static int prepare_outbox(const char *label, tally_outbox_options_t *options,
                          char *spool, size_t size, void *data,
                          tally_error_t *err) {
  const docker_logs_t *dl = data;
  options->durable = true;
  if (plugin_outbox_apply(&dl->outbox, label, options, spool, size) == 0)
    return 0;
  return tally_error_set(err, ENAMETOOLONG, "SpoolDir \"%.100s\"",
                         dl->outbox.spool_dir);
}

static void close_outbox(const tally_log_sink_t *sink, void *slot,
                         int timeout_ms, void *data) {
  plugin_outbox_report_t none = {0};
  plugin_outbox_end(slot != NULL ? slot : &none, PLUGIN_NAME, sink->label,
                    sink->outbox, timeout_ms);
}

/* ---- read ---------------------------------------------------------------- */

static const plugin_counters_type_t counters_type = {
    .name = "tallyman_logs",
    .sources = {"lines", "bytes", "skipped", "connects", "broken", "invalid",
                "waits", "unreadable", "sentences_lost", "missed", "following"},
    .gauges = 1,
};

/* What was said of a sink: its slot. */
typedef struct sink_report_s {
  plugin_outbox_report_t outbox; /* first: close_outbox() knows only this */
  bool advised;
  uint64_t sent;
} sink_report_t;

/* In order means one line of a container per call, which is too slow for one
 * that writes much. Its lines are safe meanwhile; what helps is said once. */
static void advise(sink_report_t *report, const tally_log_sink_t *sink,
                   const docker_logs_t *dl) {
  if (report->advised || sink->kind != &dl->sinks.kinds[DOCKER_LOGS_KINESIS] ||
      dl->sinks.kinesis.aggregate ||
      dl->sinks.kinesis.order != TALLY_KINESIS_ORDER_KEY)
    return;
  tally_outbox_stats_t stats;
  tally_outbox_stats(sink->outbox, &stats);
  bool goes_on = stats.sent > report->sent;
  report->sent = stats.sent;
  if (!goes_on || stats.oldest_age_ns < LATE_NS)
    return;
  report->advised = true;
  WARNING(PLUGIN_NAME " plugin: %s: lines are %d s late: with Order key each "
                      "line of a container takes a round trip; Aggregate true "
                      "keeps the order and is fast, Order none is fast",
          sink->label, (int)(stats.oldest_age_ns / TALLY_NS_PER_S));
}

static void report_sink(tally_log_sink_t *sink, void **slot, void *data) {
  if (*slot == NULL)
    *slot = calloc(1, sizeof(sink_report_t));
  sink_report_t *report = *slot;
  if (report == NULL)
    return;
  plugin_outbox_report(&report->outbox, PLUGIN_NAME, sink->label, sink->outbox);
  advise(report, sink, data);
}

static int on_read(user_data_t *user_data) {
  docker_logs_t *dl = user_data->data;
  tally_log_shipper_stats_t s;
  tally_log_shipper_stats(dl->shipper, &s);
  const uint64_t values[] = {
      s.reader.lines,   s.reader.bytes,   s.reader.skipped,  s.reader.connects,
      s.reader.broken,  s.reader.invalid, s.reader.waits,    s.unreadable,
      s.sentences_lost, s.reader.missed,  s.reader.following};
  const char *instance = plugin_endpoint_name(&dl->base);
  plugin_counters_dispatch(PLUGIN_NAME, instance, &counters_type, values);
  plugin_counters_dispatch_events(PLUGIN_NAME, instance, dl->base.inventory);
  tally_log_shipper_sinks(dl->shipper, report_sink, dl);
  return 0;
}

/* ---- config -------------------------------------------------------------- */

/* Positions and records are one step only in a spool, where the longest line
 * has to fit. */
static int set_spool_limit(const char *plugin, oconfig_item_t *ci,
                           void *target) {
  plugin_outbox_t *outbox = target;
  if (plugin_outbox_set_SpoolLimit(plugin, ci, outbox) != 0)
    return -1;
  if (!outbox->no_spool && outbox->spool >= SPOOL_LEAST)
    return 0;
  return plugin_config_error(
      plugin, ci, "logs are shipped by way of a spool of %d MiB or more",
      SPOOL_LEAST);
}

#define OPTION(key, set, member)                                               \
  { key, set, offsetof(docker_logs_t, member) }

static const plugin_option_t options[] = {
    PLUGIN_ENDPOINT_OPTIONS,
    OPTION("SpoolLimit", set_spool_limit, outbox), /* before the general one */
    PLUGIN_OUTBOX_OPTIONS(docker_logs_t, outbox),
    OPTION("StateDir", plugin_config_string, state_dir),
    OPTION("OwnImage", plugin_config_add_string, own_images),
    OPTION("FromEnvironment", plugin_config_bool, routes.from_environment),
    OPTION("Lifecycle", plugin_config_bool, routes.lifecycle),
    OPTION("CarryLabel", plugin_config_pattern, routes.labels),
    OPTION("ReadExisting", plugin_config_bool, read_existing),
    OPTION("Route", docker_logs_routes_add, routes.blocks),
    OPTION("Kinesis", docker_logs_sinks_set_kinesis, sinks),
    OPTION("CloudWatchLogs", docker_logs_sinks_set_cloudwatch, sinks),
    OPTION("File", docker_logs_sinks_set_file, sinks),
    {NULL, NULL, 0},
};

static void set_defaults(void *endpoint) {
  docker_logs_t *dl = endpoint;
  dl->routes.from_environment = dl->routes.lifecycle = true;
}

/* ---- init and shutdown --------------------------------------------------- */

static plugin_module_t module;

static int prepare(const plugin_endpoint_t *first) {
  if (plugin_counters_register(PLUGIN_NAME, &counters_type) != 0 ||
      plugin_outbox_register(PLUGIN_NAME) != 0)
    return -1;
  return plugin_counters_register_events(PLUGIN_NAME);
}

static void *ask_who_we_are(void *data) {
  docker_logs_t *dl = data;
  tally_aws_identity_t identity;
  /* Without an answer it holds the names of development, the contract's. */
  tally_aws_session_identity(dl->who, &identity, NULL);
  tally_log_shipper_set_instance(dl->shipper, identity.instance);
  return NULL;
}

/* A StateDir of one's own is meant for everything. */
static int place_spools(docker_logs_t *dl, tally_error_t *err) {
  if (dl->state_dir == NULL || dl->outbox.spool_dir != NULL)
    return 0;
  char dir[PATH_MAX];
  snprintf(dir, sizeof(dir), "%s/spool", dl->state_dir);
  dl->outbox.spool_dir = strdup(dir);
  if (dl->outbox.spool_dir != NULL)
    return 0;
  return tally_error_set(err, ENOMEM, "SpoolDir");
}

static int start(void *endpoint, tally_error_t *err) {
  docker_logs_t *dl = endpoint;
  plugin_own_init(&dl->own, dl->own_images);
  if (place_spools(dl, err) != 0)
    return -1;
  if (docker_logs_sinks_finish(PLUGIN_NAME, &dl->sinks,
                               docker_logs_routes_title, &dl->routes) != 0)
    return tally_error_set(err, 0, "see above");
  char name[DATA_MAX_NAME_LEN];
  plugin_endpoint_label(name, sizeof(name), &module, &dl->base, '-');
  tally_log_shipper_options_t how = {
      .name = name,
      .state_dir = dl->state_dir != NULL ? dl->state_dir : TALLY_STATE_DIR,
      .host = hostname_g,
      .read_existing = dl->read_existing,
      .kinds = dl->sinks.list,
      .routes = routes_of,
      .prepare = prepare_outbox,
      .close = close_outbox,
      .data = dl,
  };
  dl->shipper = tally_log_shipper_create(dl->base.inventory, &how, err);
  dl->who = tally_aws_session_create(&(tally_aws_options_t){0}, err);
  if (dl->shipper == NULL || dl->who == NULL)
    return -1;
  dl->asks = tally_thread_start(&dl->asking, "tally-identity", ask_who_we_are,
                                dl, err) == 0;
  return dl->asks ? 0 : -1;
}

static void stop(void *endpoint) {
  docker_logs_t *dl = endpoint;
  if (dl->asks) {
    tally_aws_session_stop(dl->who);
    pthread_join(dl->asking, NULL);
  }
  tally_aws_session_unref(dl->who);
  tally_log_shipper_destroy(dl->shipper, LAST_SEND_MS);
  docker_logs_sinks_clear(&dl->sinks);
  docker_logs_routes_clear(&dl->routes);
  plugin_outbox_clear(&dl->outbox);
  plugin_strings_free(dl->own_images);
  free(dl->state_dir);
}

static plugin_module_t module = {.name = PLUGIN_NAME,
                                 .size = sizeof(docker_logs_t),
                                 .options = options,
                                 .set_defaults = set_defaults,
                                 .prepare = prepare,
                                 .start = start,
                                 .read = on_read,
                                 .stop = stop};

PLUGIN_MODULE_REGISTER(module)
