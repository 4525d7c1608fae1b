/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "container/derive.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "cgroup/files.h"
#include "core/clock.h"

double tally_cpu_percent(const tally_cpu_base_t *base, uint64_t usage_ns,
                         uint64_t at_ns) {
  if (base->usage_ns == TALLY_UNKNOWN || usage_ns == TALLY_UNKNOWN ||
      usage_ns < base->usage_ns || at_ns < base->at_ns + TALLY_NS_PER_MS)
    return NAN;
  return 100 * (double)(usage_ns - base->usage_ns) /
         (double)(at_ns - base->at_ns);
}

static bool is_number(uint64_t value) { return value < TALLY_UNLIMITED; }

/* In cores: the least of what the quota, the cpuset and the host allow. */
static double cpu_limit(const tally_cgroup_sample_t *c,
                        const tally_host_size_t *host) {
  double limit = host->cpus > 0 ? host->cpus : NAN;
  if (is_number(c->cpuset_cpus) && c->cpuset_cpus > 0)
    limit = fmin(limit, (double)c->cpuset_cpus); /* fmin ignores NAN */
  if (is_number(c->cpu_quota_us) && is_number(c->cpu_period_us) &&
      c->cpu_period_us > 0)
    limit = fmin(limit, (double)c->cpu_quota_us / (double)c->cpu_period_us);
  return limit;
}

static double memory_limit(const tally_cgroup_sample_t *c,
                           const tally_host_size_t *host) {
  double limit = host->memory > 0 ? (double)host->memory : NAN;
  return is_number(c->memory_limit) ? fmin(limit, (double)c->memory_limit)
                                    : limit;
}

static void derive_memory(tally_container_sample_t *s,
                          const tally_host_size_t *host) {
  const tally_cgroup_sample_t *c = &s->cgroup;
  if (!is_number(c->memory_usage))
    return;

  double usage = (double)c->memory_usage;
  bool cache_known = is_number(c->memory_inactive_file);
  double cache = cache_known ? (double)c->memory_inactive_file : 0;
  /* docker/cli, calculateMemUsageUnixNoCache */
  s->memory_used = cache < usage ? usage - cache : usage;
  if (cache_known)
    s->memory_working_set = fmax(usage - cache, 0);
  s->memory_limit = memory_limit(c, host);
  if (s->memory_limit > 0)
    s->memory_percent = 100 * s->memory_used / s->memory_limit;
}

void tally_derive(tally_container_sample_t *s, const tally_host_size_t *host) {
  s->cpu_limit = cpu_limit(&s->cgroup, host);
  s->cpu_percent_of_limit =
      s->cpu_limit > 0 ? s->cpu_percent / s->cpu_limit : NAN;
  s->memory_used = s->memory_working_set = NAN;
  s->memory_limit = s->memory_percent = NAN;
  derive_memory(s, host);
}

void tally_container_sample_init(tally_container_sample_t *s,
                                 const tally_container_t *container) {
  s->container = container;
  s->time_ns = 0;
  s->running = s->final = false;
  tally_cgroup_sample_init(&s->cgroup);
  s->cpu_percent = s->cpu_limit = s->cpu_percent_of_limit = NAN;
  s->memory_used = s->memory_working_set = NAN;
  s->memory_limit = s->memory_percent = NAN;
  s->network = TALLY_NETWORK_UNKNOWN;
  s->interfaces = NULL;
  s->interfaces_count = 0;
  s->tcp_known = false;
  memset(s->tcp, 0, sizeof(s->tcp));
  s->load[0] = s->load[1] = s->load[2] = NAN;
  s->uptime = NAN;
}

void tally_container_sample_copy(tally_container_sample_t *to,
                                 const tally_container_sample_t *from) {
  memcpy(to, from, offsetof(tally_container_sample_t, cgroup));
  tally_cgroup_sample_copy(&to->cgroup, &from->cgroup);
  size_t rest = offsetof(tally_container_sample_t, cpu_percent);
  memcpy((char *)to + rest, (const char *)from + rest, sizeof(*to) - rest);
}
