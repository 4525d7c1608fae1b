/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "cgroup_adjust_audit.h"
#include "core/text.h"
#include "plugin_name.h"

static const char *method_name(const tally_adjust_report_t *r) {
  return r->method == TALLY_ADJUST_BY_ENGINE ? "engine" : "cgroup";
}

static const char *or_unknown(const char *text) {
  return text[0] != '\0' ? text : "unknown";
}

/* "web (0123456789ab): " */
static int begin(const tally_adjust_report_t *r, char *text, size_t size) {
  return snprintf(text, size, "%.64s (%.12s): ", r->container->name,
                  r->container->id);
}

/* "memory.max: 1024 -> max", and what went wrong with it. */
static void describe_change(const tally_adjust_report_t *r, char *text,
                            size_t size) {
  const tally_limit_change_t *c = r->change;
  const char *before = or_unknown(c->before), *after = or_unknown(c->after);
  const char *back = r->restoring ? "put back " : "";
  const char *colon = r->reason[0] != '\0' ? ": " : "";
  switch (r->outcome) {
  case TALLY_ADJUST_WOULD_CHANGE:
    snprintf(text, size, "would set %s: %s -> %s", c->file, before, c->wanted);
    break;
  case TALLY_ADJUST_REFUSED:
    snprintf(text, size, "%s%s: %s -> %s refused%s%s", back, c->file, before,
             c->wanted, colon, r->reason);
    break;
  case TALLY_ADJUST_DIFFERS:
    snprintf(text, size, "%s%s: %s -> %s, but it reads %s%s%s", back, c->file,
             before, c->wanted, after, colon, r->reason);
    break;
  default:
    snprintf(text, size, "%s%s: %s -> %s", back, c->file, before, after);
  }
}

static void describe(const tally_adjust_report_t *r, char *text, size_t size) {
  int len = begin(r, text, size);
  if (len < 0 || (size_t)len >= size)
    return;
  text += len;
  size -= (size_t)len;
  if (r->change != NULL)
    describe_change(r, text, size);
  else if (r->problem != NULL)
    snprintf(text, size, "%s %s: %s", tally_limit_source_name(r->source),
             r->problem->key, r->reason);
  else
    snprintf(text, size, "limits not %s: %s", r->restoring ? "put back" : "set",
             r->reason);
}

static void add_meta(notification_t *n, const tally_adjust_report_t *r) {
  plugin_notification_meta_add_string(n, "container_id", r->container->id);
  plugin_notification_meta_add_string(n, "container_name", r->container->name);
  plugin_notification_meta_add_string(n, "container_image",
                                      r->container->image);
  plugin_notification_meta_add_string(n, "method", method_name(r));
  plugin_notification_meta_add_boolean(n, "dry_run",
                                       r->outcome == TALLY_ADJUST_WOULD_CHANGE);
  plugin_notification_meta_add_boolean(n, "restoring", r->restoring);
  if (r->source != TALLY_LIMIT_FROM_NOBODY)
    plugin_notification_meta_add_string(n, "source",
                                        tally_limit_source_name(r->source));
  if (r->rule != NULL)
    plugin_notification_meta_add_string(n, "rule", r->rule->name);
  if (r->reason[0] != '\0')
    plugin_notification_meta_add_string(n, "reason", r->reason);
  if (r->change != NULL) {
    const tally_limit_change_t *c = r->change;
    plugin_notification_meta_add_string(n, "limit", tally_limit_name(c->limit));
    plugin_notification_meta_add_string(n, "file", c->file);
    plugin_notification_meta_add_string(n, "before", c->before);
    plugin_notification_meta_add_string(n, "wanted", c->wanted);
    plugin_notification_meta_add_string(n, "after", c->after);
    plugin_notification_meta_add_signed_int(n, "errno", c->code);
  }
  if (r->problem != NULL) {
    plugin_notification_meta_add_string(n, "key", r->problem->key);
    plugin_notification_meta_add_string(n, "value", r->problem->value);
  }
}

void cgroup_adjust_audit(const tally_adjust_report_t *report,
                         const char *instance) {
  bool well = report->outcome == TALLY_ADJUST_CHANGED ||
              report->outcome == TALLY_ADJUST_WOULD_CHANGE;
  notification_t n = {.severity = well ? NOTIF_OKAY : NOTIF_WARNING,
                      .time = cdtime()};
  sstrncpy(n.host, hostname_g, sizeof(n.host));
  sstrncpy(n.plugin, "cgroup_adjust", sizeof(n.plugin));
  plugin_name_container(n.plugin_instance, sizeof(n.plugin_instance), instance,
                        report->container->name, report->container->id);
  sstrncpy(n.type, "cgroup_limit", sizeof(n.type));
  if (report->change != NULL)
    sstrncpy(n.type_instance, report->change->file, sizeof(n.type_instance));
  else if (report->problem != NULL)
    plugin_name_thing(n.type_instance, sizeof(n.type_instance), NULL,
                      report->problem->key);
  char text[2 * NOTIF_MAX_MSG_LEN];
  describe(report, text, sizeof(text));
  tally_text_copy(n.message, sizeof(n.message), text);
  add_meta(&n, report);
  /* -1 only means that nobody listens. */
  plugin_dispatch_notification(&n);
  plugin_notification_meta_free(n.meta);
}
