/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_name.h"
#include "plugin_outbox.h"

#define VALUES_MOST 16
#define MESSAGE_SIZE 768
#define MINUTE TIME_T_TO_CDTIME_T_STATIC(60)

/* ---- values -------------------------------------------------------------- */

static size_t sources_of(tally_outbox_set_t set) {
  size_t count = 0;
  while (tally_outbox_value_name(set, count) != NULL)
    count++;
  return count;
}

static bool agrees(const data_set_t *ds, tally_outbox_set_t set) {
  if (ds->ds_num != sources_of(set))
    return false;
  for (size_t i = 0; i < ds->ds_num; i++)
    if (strcmp(ds->ds[i].name, tally_outbox_value_name(set, i)) != 0 ||
        ds->ds[i].type != DS_TYPE_GAUGE)
      return false;
  return true;
}

static int register_set(const char *plugin, tally_outbox_set_t set) {
  const char *type = tally_outbox_set_type(set);
  const data_set_t *known = plugin_get_ds(type);
  if (known != NULL && agrees(known, set))
    return 0;
  if (known != NULL) {
    ERROR("%s plugin: TypesDB: type \"%s\" is not what this version "
          "dispatches; use the types.db that came with it",
          plugin, type);
    return -1;
  }
  data_source_t sources[VALUES_MOST];
  data_set_t ds = {.ds_num = sources_of(set), .ds = sources};
  sstrncpy(ds.type, type, sizeof(ds.type));
  for (size_t i = 0; i < ds.ds_num; i++) {
    sources[i] = (data_source_t){.type = DS_TYPE_GAUGE, .min = 0, .max = NAN};
    sstrncpy(sources[i].name, tally_outbox_value_name(set, i),
             sizeof(sources[i].name));
  }
  return plugin_register_data_set(&ds);
}

int plugin_outbox_register(const char *plugin) {
  for (int set = 0; set < TALLY_OUTBOX_SETS; set++)
    if (register_set(plugin, (tally_outbox_set_t)set) != 0)
      return -1;
  return 0;
}

static void dispatch(const char *label, const tally_outbox_stats_t *stats,
                     tally_outbox_set_t set) {
  double numbers[VALUES_MOST];
  value_t values[VALUES_MOST];
  value_list_t vl = VALUE_LIST_INIT;
  vl.values = values;
  vl.values_len = tally_outbox_values(stats, set, numbers, VALUES_MOST);
  for (size_t i = 0; i < vl.values_len; i++)
    values[i].gauge = numbers[i];
  sstrncpy(vl.plugin, "tallyman", sizeof(vl.plugin));
  sstrncpy(vl.type, tally_outbox_set_type(set), sizeof(vl.type));
  plugin_name_output(vl.plugin_instance, label);
  plugin_dispatch_values(&vl);
}

/* ---- words --------------------------------------------------------------- */

/* Of whom, and what he said before. */
typedef struct output_s {
  plugin_outbox_report_t *report;
  const char *plugin, *label;
  const tally_outbox_stats_t *stats;
} output_t;

static int log_level(int severity) {
  return severity == NOTIF_FAILURE   ? LOG_ERR
         : severity == NOTIF_WARNING ? LOG_WARNING
                                     : LOG_NOTICE;
}

static void notify(const output_t *output, int severity, const char *what,
                   const char *message) {
  notification_t n = {.severity = severity, .time = cdtime()};
  snprintf(n.message, sizeof(n.message), "%s: %s", output->label, message);
  sstrncpy(n.host, hostname_g, sizeof(n.host));
  sstrncpy(n.plugin, "tallyman", sizeof(n.plugin));
  plugin_name_output(n.plugin_instance, output->label);
  sstrncpy(n.type, "tallyman_outbox", sizeof(n.type));
  sstrncpy(n.type_instance, what, sizeof(n.type_instance));
  plugin_dispatch_notification(&n);
}

static void say(const output_t *output, int severity, const char *what,
                const char *format, ...) __attribute__((format(printf, 4, 5)));
static void say(const output_t *output, int severity, const char *what,
                const char *format, ...) {
  char message[MESSAGE_SIZE];
  va_list ap;
  va_start(ap, format);
  vsnprintf(message, sizeof(message), format, ap);
  va_end(ap);
  plugin_log(log_level(severity), "%s plugin: %s: %s", output->plugin,
             output->label, message);
  notify(output, severity, what, message);
}

/* ---- deliveries ---------------------------------------------------------- */

/* Texts that differ in numbers alone (of records, of requests) say the same. */
static bool same_reason(const char *a, const char *b) {
  for (;; a++, b++) {
    a += strspn(a, "0123456789");
    b += strspn(b, "0123456789");
    if (*a != *b)
      return false;
    if (*a == '\0')
      return true;
  }
}

static void complain(const output_t *output, cdtime_t now, bool nothing_sent) {
  const tally_outbox_stats_t *stats = output->stats;
  plugin_outbox_report_t *report = output->report;
  char number[32];
  snprintf(number, sizeof(number), "error %u", stats->last_error);
  say(output, NOTIF_WARNING, "delivery", "%s: %s (%llu records wait)",
      nothing_sent ? "deliveries fail" : "some deliveries fail",
      stats->last_error_text[0] != '\0' ? stats->last_error_text : number,
      (unsigned long long)stats->queued);
  sstrncpy(report->said, stats->last_error_text, sizeof(report->said));
  report->said_at = now;
  report->complained = true;
}

static void look_at_deliveries(const output_t *output, cdtime_t now) {
  const tally_outbox_stats_t *stats = output->stats;
  plugin_outbox_report_t *report = output->report;
  /* What was refused is a loss, and no sign that others would be. */
  uint64_t failures =
      stats->calls_failed + stats->failed - stats->lost[TALLY_LOSS_REFUSED];
  bool sent = stats->sent > report->sent, failed = failures > report->failures;
  report->sent = stats->sent;
  report->failures = failures;
  /* A failure and the success after it may come in one interval, and nothing
   * may have to be sent in the next. */
  if (sent || failed)
    report->got_through = sent;
  bool is_over =
      !failed && (sent || (report->got_through && stats->queued == 0));
  if (is_over) {
    if (report->complained)
      say(output, NOTIF_OKAY, "delivery",
          "deliveries work again (%llu records wait)",
          (unsigned long long)stats->queued);
    report->failing_since = 0;
    report->complained = false;
  }
  if (!failed)
    return;
  if (report->failing_since == 0)
    report->failing_since = now;
  bool is_bad = !sent || now - report->failing_since >= MINUTE;
  bool is_new = !report->complained ||
                (now - report->said_at >= MINUTE &&
                 !same_reason(report->said, stats->last_error_text));
  if (is_bad && is_new)
    complain(output, now, !sent);
}

/* ---- losses -------------------------------------------------------------- */

static const char *why_lost(tally_loss_t loss) {
  static const char *const whys[TALLY_LOSSES] = {
      [TALLY_LOSS_TOO_LARGE] = "longer than the service takes",
      [TALLY_LOSS_NO_ROOM] = "no room in memory and spool",
      [TALLY_LOSS_CLOSED] = "came during the shutdown",
      [TALLY_LOSS_SPOOL_FULL] = "the spool was full",
      [TALLY_LOSS_AGE] = "waited longer than MaxAge",
      [TALLY_LOSS_REFUSED] = "refused by the service",
      [TALLY_LOSS_DAMAGED] = "not to be read from the spool",
      [TALLY_LOSS_SHUTDOWN] = "shut down with nowhere to keep them",
  };
  return whys[loss];
}

/* Those of which nothing has been said yet. */
static uint64_t list_losses(const output_t *output, char *text, size_t size) {
  const tally_outbox_stats_t *stats = output->stats;
  uint64_t *said = output->report->lost, all = 0;
  size_t len = 0;
  for (unsigned i = TALLY_LOSS_NONE + 1; i < TALLY_LOSSES; i++) {
    uint64_t lost = stats->lost[i] - said[i];
    if (lost == 0)
      continue;
    int n = snprintf(text + len, size - len, "%s%llu %s", all > 0 ? ", " : "",
                     (unsigned long long)lost, why_lost((tally_loss_t)i));
    if (n > 0 && len + (size_t)n < size)
      len += (size_t)n;
    said[i] = stats->lost[i];
    all += lost;
  }
  return all;
}

/* Returns how many they are. */
static uint64_t describe_losses(const output_t *output, char *text,
                                size_t size) {
  bool refused = output->stats->lost[TALLY_LOSS_REFUSED] >
                 output->report->lost[TALLY_LOSS_REFUSED];
  char list[256] = "";
  uint64_t lost = list_losses(output, list, sizeof(list));
  const char *reason = refused ? output->stats->last_error_text : "";
  snprintf(text, size, "%llu records lost: %s%s%s", (unsigned long long)lost,
           list, reason[0] != '\0' ? ": " : "", reason);
  return lost;
}

static void look_at_losses(const output_t *output, cdtime_t now) {
  plugin_outbox_report_t *report = output->report;
  char text[MESSAGE_SIZE];
  if ((report->lost_at != 0 && now - report->lost_at < MINUTE) ||
      describe_losses(output, text, sizeof(text)) == 0)
    return;
  report->lost_at = now;
  say(output, NOTIF_FAILURE, "loss", "%s", text);
}

/* ---- all together -------------------------------------------------------- */

static void look_at_spool(const output_t *output) {
  bool broken = output->stats->spool_broken;
  if (broken == output->report->spool_broken)
    return;
  output->report->spool_broken = broken;
  /* The outbox has logged it, with the reason. */
  if (broken)
    notify(output, NOTIF_WARNING, "spool",
           "the spool cannot be written; until it can, records may be in "
           "memory alone");
  else
    notify(output, NOTIF_OKAY, "spool", "the spool can be written again");
}

void plugin_outbox_report(plugin_outbox_report_t *report, const char *plugin,
                          const char *label, tally_outbox_t *outbox) {
  tally_outbox_stats_t stats;
  tally_outbox_stats(outbox, &stats);
  for (int set = 0; set < TALLY_OUTBOX_SETS; set++)
    dispatch(label, &stats, (tally_outbox_set_t)set);
  output_t output = {report, plugin, label, &stats};
  cdtime_t now = cdtime();
  look_at_spool(&output);
  look_at_deliveries(&output, now);
  look_at_losses(&output, now);
}

void plugin_outbox_end(plugin_outbox_report_t *report, const char *plugin,
                       const char *label, tally_outbox_t *outbox,
                       int timeout_ms) {
  if (outbox == NULL)
    return;
  tally_outbox_stats_t stats;
  tally_outbox_destroy(outbox, timeout_ms, &stats);
  output_t output = {report, plugin, label, &stats};
  char text[MESSAGE_SIZE];
  if (describe_losses(&output, text, sizeof(text)) > 0)
    ERROR("%s plugin: %s: %s", plugin, label, text);
  if (stats.queued > 0)
    INFO("%s plugin: %s: %llu records wait in the spool for the next start",
         plugin, label, (unsigned long long)stats.queued);
}
