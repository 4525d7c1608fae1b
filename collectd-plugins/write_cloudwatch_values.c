/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_cloudwatch_values.h"

#include "core/clock.h"
#include "write_cloudwatch_drops.h"
#include "write_cloudwatch_hold.h"

#define PLUGIN_NAME "write_cloudwatch"

static struct {
  const write_cloudwatch_settings_t *settings;
  bool tell_unmatched;
  pthread_mutex_t lock;
  /* guarded by lock */
  tally_gatherer_t *gatherer;
  write_cloudwatch_drops_t drops;
  write_cloudwatch_hold_t hold;
  cdtime_t hold_until; /* 0: no more */
} values = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- settings ------------------------------------------------------------ */

bool write_cloudwatch_settings_ask_identity(
    const write_cloudwatch_settings_t *settings) {
  return settings->namespace_.asks_identity ||
         write_cloudwatch_rules_ask_identity(settings->rules);
}

void write_cloudwatch_settings_clear(write_cloudwatch_settings_t *settings) {
  write_cloudwatch_rules_free(settings->rules);
  write_cloudwatch_template_clear(&settings->namespace_);
  memset(settings, 0, sizeof(*settings));
}

int write_cloudwatch_values_start(const write_cloudwatch_settings_t *settings,
                                  bool tell_unmatched, cdtime_t hold_until) {
  tally_error_t err = {0};
  const tally_gatherer_options_t options = {
      .period_s = (unsigned)settings->period,
      .rows_max = (size_t)settings->metrics_max};
  if (write_cloudwatch_drops_register() != 0)
    return -1;
  values.settings = settings;
  values.tell_unmatched = tell_unmatched;
  values.hold_until = hold_until;
  values.gatherer = tally_gatherer_create(&options, &err);
  if (values.gatherer != NULL)
    return 0;
  ERROR(PLUGIN_NAME " plugin: %s", err.message);
  return -1;
}

void write_cloudwatch_values_stop(void) {
  write_cloudwatch_held_t *held = write_cloudwatch_hold_take(&values.hold);
  while (held != NULL) {
    write_cloudwatch_held_t *next = held->next;
    write_cloudwatch_held_free(held);
    held = next;
  }
  tally_gatherer_destroy(values.gatherer);
  values.gatherer = NULL;
  write_cloudwatch_drops_clear(&values.drops);
}

/* ---- one value ----------------------------------------------------------- */

/* NaN is how collectd says "not known". */
static void tell(int outcome, const value_list_t *vl, const char *source,
                 const char *words) {
  char name[6 * DATA_MAX_NAME_LEN];
  if (FORMAT_VL(name, sizeof(name), vl) != 0)
    return;
  int severity = outcome == TALLY_METRIC_NOT_A_NUMBER ||
                         outcome == WRITE_CLOUDWATCH_UNMATCHED
                     ? LOG_INFO
                     : LOG_WARNING;
  plugin_log(severity, PLUGIN_NAME " plugin: not sent: %s (%s): %s", name,
             source, words);
}

/* With the lock held; true: it should be told. */
static bool count_locked(int outcome, bool may_tell, const value_list_t *vl,
                         const char *source) {
  values.drops.counts[outcome]++;
  return may_tell &&
         write_cloudwatch_drops_is_news(&values.drops, outcome, vl, source);
}

static void count(int outcome, bool may_tell, const value_list_t *vl,
                  const char *source, const char *words) {
  pthread_mutex_lock(&values.lock);
  bool is_news = count_locked(outcome, may_tell, vl, source);
  pthread_mutex_unlock(&values.lock);
  if (is_news)
    tell(outcome, vl, source, words);
}

static double number_of(int type, value_t value) {
  switch (type) {
  case DS_TYPE_GAUGE:
    return value.gauge;
  case DS_TYPE_DERIVE:
    return (double)value.derive;
  case DS_TYPE_COUNTER:
    return (double)value.counter;
  default:
    return (double)value.absolute;
  }
}

static void put_one(const write_cloudwatch_mapping_t *mapping, bool is_rate,
                    const value_list_t *vl, const char *source) {
  uint64_t now_ns = tally_clock_realtime_ns();
  tally_error_t err = {0};
  pthread_mutex_lock(&values.lock);
  tally_metric_verdict_t verdict =
      tally_gatherer_add(values.gatherer, &mapping->metric, now_ns, &err);
  bool is_first_rate = is_rate && verdict == TALLY_METRIC_NOT_A_NUMBER;
  bool is_news =
      count_locked((int)verdict,
                   verdict != TALLY_METRIC_TAKEN && !is_first_rate, vl, source);
  pthread_mutex_unlock(&values.lock);
  if (is_news)
    tell((int)verdict, vl, source, err.message);
}

static void map_one(write_cloudwatch_mapping_t *mapping,
                    const write_cloudwatch_rule_t *rule, const data_set_t *ds,
                    const value_list_t *vl, size_t i, const gauge_t *rates,
                    const tally_aws_identity_t *identity) {
  const char *source = ds->ds[i].name;
  /* A gauge is taken from the list, the cache may already have a newer one. */
  bool is_rate = rates != NULL && ds->ds[i].type != DS_TYPE_GAUGE;
  if (write_cloudwatch_map(mapping, rule, &values.settings->namespace_, ds, vl,
                           i, is_rate, identity) != 0) {
    count(TALLY_METRIC_NO_ROOM, true, vl, source, "out of memory");
    return;
  }
  mapping->metric.time_ns = CDTIME_T_TO_NS(vl->time);
  mapping->metric.value =
      is_rate ? rates[i] : number_of(ds->ds[i].type, vl->values[i]);
  put_one(mapping, is_rate, vl, source);
}

static void put_list(const data_set_t *ds, const value_list_t *vl,
                     const gauge_t *rates,
                     const tally_aws_identity_t *identity) {
  write_cloudwatch_mapping_t mapping;
  write_cloudwatch_mapping_init(&mapping);
  for (size_t i = 0; i < ds->ds_num; i++) {
    const char *source = ds->ds[i].name;
    const write_cloudwatch_rule_t *rule =
        write_cloudwatch_rules_find(values.settings->rules, vl, source);
    if (rule == NULL)
      count(WRITE_CLOUDWATCH_UNMATCHED, values.tell_unmatched, vl, source,
            "no rule matches");
    else if (rule->ignore)
      count(WRITE_CLOUDWATCH_IGNORED, false, vl, source, "");
    else
      map_one(&mapping, rule, ds, vl, i, rates, identity);
  }
  write_cloudwatch_mapping_clear(&mapping);
}

/* ---- all of them --------------------------------------------------------- */

void write_cloudwatch_values_put(const data_set_t *ds, const value_list_t *vl,
                                 gauge_t *rates,
                                 const tally_aws_identity_t *identity) {
  pthread_mutex_lock(&values.lock);
  bool held = values.hold_until > cdtime() && identity == NULL &&
              write_cloudwatch_hold_put(&values.hold, vl, rates);
  pthread_mutex_unlock(&values.lock);
  if (held)
    return;
  put_list(ds, vl, rates, identity);
  free(rates);
}

void write_cloudwatch_values_release(const tally_aws_identity_t *identity) {
  pthread_mutex_lock(&values.lock);
  write_cloudwatch_held_t *held = write_cloudwatch_hold_take(&values.hold);
  values.hold_until = 0;
  pthread_mutex_unlock(&values.lock);
  while (held != NULL) {
    write_cloudwatch_held_t *next = held->next;
    const data_set_t *ds = plugin_get_ds(held->vl.type);
    if (ds != NULL)
      put_list(ds, &held->vl, held->rates, identity);
    write_cloudwatch_held_free(held);
    held = next;
  }
}

void write_cloudwatch_values_tend(cdtime_t now,
                                  const tally_aws_identity_t *identity) {
  pthread_mutex_lock(&values.lock);
  bool due = values.hold_until > 0 && values.hold_until <= now;
  pthread_mutex_unlock(&values.lock);
  if (due)
    write_cloudwatch_values_release(identity);
}

tally_harvest_t *write_cloudwatch_values_harvest(uint64_t end_ns) {
  pthread_mutex_lock(&values.lock);
  tally_harvest_t *harvest = tally_gatherer_harvest(values.gatherer, end_ns);
  pthread_mutex_unlock(&values.lock);
  return harvest;
}

void write_cloudwatch_values_report(void) {
  uint64_t counts[WRITE_CLOUDWATCH_OUTCOMES];
  pthread_mutex_lock(&values.lock);
  memcpy(counts, values.drops.counts, sizeof(counts));
  pthread_mutex_unlock(&values.lock);
  write_cloudwatch_drops_dispatch(counts);
}
