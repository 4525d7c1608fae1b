/* SPDX-License-Identifier: MIT */
#include "write_cloudwatch_units.h"

#include <stddef.h>
#include <string.h>

/* The first row that fits. A '*' at the beginning or the end
 * stands for anything. */
static const struct {
  const char *type, *source, *unit;
} rows[] = {
    /* our own */
    {"container_cpu", "percent*", "Percent"},
    {"container_cpu", "*", NULL}, /* nanoseconds, cores */
    {"container_memory", "percent", "Percent"},
    {"container_memory", "*page_faults", "Count"},
    {"container_memory", "limit_hits", "Count"},
    {"container_memory", "oom_kills", "Count"},
    {"container_memory", "*", "Bytes"},
    {"container_pressure", "*_total", NULL}, /* microseconds */
    {"container_pressure", "*", "Percent"},
    {"container_state", "uptime", "Seconds"},
    {"container_state", "restarts", "Count"},
    {"container_state", "processes", "Count"},
    {"container_state", "threads*", "Count"},
    {"container_tcp", "*", "Count"},
    {"container_throttling", "throttled_time", NULL},
    {"container_throttling", "*", "Count"},
    {"containers", "*", "Count"},
    {"tallyman_outbox", "spooled_bytes", "Bytes"},
    {"tallyman_outbox", "oldest_age", "Seconds"},
    {"tallyman_outbox", "latency", "Seconds"},
    {"tallyman_outbox", "last_error", NULL},
    {"tallyman_sampling", "*_time", "Seconds"},
    {"tallyman_*", "*", "Count"},

    /* bytes */
    {"percent_bytes", "*", "Percent"}, /* not of those that follow */
    {"*_octets", "*", "Bytes"},
    {"*_bytes", "*", "Bytes"},
    {"bytes", "*", "Bytes"},
    {"cache_size", "*", "Bytes"},
    {"df", "*", "Bytes"},
    {"df_complex", "*", "Bytes"},
    {"disk_allocation", "*", "Bytes"},
    {"disk_capacity", "*", "Bytes"},
    {"disk_physical", "*", "Bytes"},
    {"file_size", "*", "Bytes"},
    {"memory", "*", "Bytes"},
    {"memory_lua", "*", "Bytes"},
    {"pg_db_size", "*", "Bytes"},
    {"ps_code", "*", "Bytes"},
    {"ps_data", "*", "Bytes"},
    {"ps_rss", "*", "Bytes"},
    {"ps_stacksize", "*", "Bytes"},
    {"ps_vm", "*", "Bytes"},
    {"swap", "*", "Bytes"},
    {"vs_memory", "*", "Bytes"},
    {"bitrate", "*", "Bits/Second"},

    /* percent */
    {"percent", "*", "Percent"},
    {"percent_inodes", "*", "Percent"},
    {"humidity", "*", "Percent"},
    {"nvme_percent_used", "*", "Percent"},

    /* time */
    {"delay", "*", "Seconds"},
    {"duration", "*", "Seconds"},
    {"latency", "*", "Seconds"},
    {"ping", "*", "Milliseconds"},
    {"ping_stddev", "*", "Milliseconds"},
    {"response_time", "*", "Seconds"},
    {"timeleft", "*", "Seconds"},
    {"uptime", "*", "Seconds"},

    /* how many, how often */
    {"*_connections", "*", "Count"},
    {"*_errors", "*", "Count"},
    {"*_io", "*", "Count"},
    {"*_operations", "*", "Count"},
    {"*_ops", "*", "Count"},
    {"*_packets", "*", "Count"},
    {"*_requests", "*", "Count"},
    {"connections", "*", "Count"},
    {"conntrack", "*", "Count"},
    {"contextswitch", "*", "Count"},
    {"count", "*", "Count"},
    {"df_inodes", "*", "Count"},
    {"disk_merged", "*", "Count"},
    {"disk_ops_complex", "*", "Count"},
    {"errors", "*", "Count"},
    {"file_handles", "*", "Count"},
    {"files", "*", "Count"},
    {"fork_rate", "*", "Count"},
    {"http_response_codes", "*", "Count"},
    {"if_collisions", "*", "Count"},
    {"if_dropped", "*", "Count"},
    {"if_multicast", "*", "Count"},
    {"if_rx_dropped", "*", "Count"},
    {"if_tx_dropped", "*", "Count"},
    {"invocations", "*", "Count"},
    {"irq", "*", "Count"},
    {"operations", "*", "Count"},
    {"packets", "*", "Count"},
    {"ps_count", "*", "Count"},
    {"ps_pagefaults", "*", "Count"},
    {"ps_state", "*", "Count"},
    {"queue_length", "*", "Count"},
    {"records", "*", "Count"},
    {"requests", "*", "Count"},
    {"threads", "*", "Count"},
    {"users", "*", "Count"},
    {"vmpage_action", "*", "Count"},
    {"vmpage_faults", "*", "Count"},
    {"vmpage_number", "*", "Count"},
    {"vs_processes", "*", "Count"},
    {"vs_threads", "*", "Count"},
};

static bool fits(const char *pattern, const char *text) {
  size_t len = strlen(pattern), text_len = strlen(text);
  if (*pattern == '*')
    return text_len >= len - 1 &&
           strcmp(pattern + 1, text + text_len - (len - 1)) == 0;
  if (len > 0 && pattern[len - 1] == '*')
    return strncmp(pattern, text, len - 1) == 0;
  return strcmp(pattern, text) == 0;
}

/* Of those that a gauge can have. */
static const char *per_second(const char *unit) {
  if (unit != NULL && strcmp(unit, "Bytes") == 0)
    return "Bytes/Second";
  if (unit != NULL && strcmp(unit, "Count") == 0)
    return "Count/Second";
  return NULL;
}

const char *write_cloudwatch_unit(const char *type, const char *source,
                                  bool is_rate) {
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    if (fits(rows[i].type, type) && fits(rows[i].source, source))
      return is_rate ? per_second(rows[i].unit) : rows[i].unit;
  return NULL;
}
