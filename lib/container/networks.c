/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "container/networks.h"

#include <stdlib.h>
#include <string.h>

static bool is_guest(const tally_probe_t *probe) {
  static const char prefix[] = "container:";
  return strncmp(probe->container->network_mode, prefix, sizeof(prefix) - 1) ==
         0;
}

/* The node's own namespace; 0: unknown. Where the first process may not be
 * looked at (we lack its privileges), a container on the host's network tells.
 */
static uint64_t host_namespace(const tally_roster_t *roster) {
  uint64_t host = roster->probing.host_netns;
  for (size_t i = 0; i < roster->count && host == 0; i++) {
    const tally_probe_t *probe = roster->entries[i].probe;
    if (probe != NULL && strcmp(probe->container->network_mode, "host") == 0)
      host = probe->netns_id;
  }
  return host;
}

/* By namespace; in it the one that counts comes first. */
static int compare(const void *a, const void *b) {
  const tally_probe_t *x = *(tally_probe_t *const *)a;
  const tally_probe_t *y = *(tally_probe_t *const *)b;
  if (x->netns_id != y->netns_id)
    return x->netns_id < y->netns_id ? -1 : 1;
  if (is_guest(x) != is_guest(y))
    return is_guest(x) ? 1 : -1;
  return strcmp(x->container->id, y->container->id);
}

/* Probes with the same namespace, the one that counts first. */
static void share(tally_probe_t **probes, size_t count) {
  for (size_t i = 0; i < count; i++)
    probes[i]->network = count == 1 ? TALLY_NETWORK_OWN
                         : i == 0   ? TALLY_NETWORK_SHARED
                                    : TALLY_NETWORK_ELSEWHERE;
}

/* Where PID 1 may not be looked at, a container that was given the host's
 * network tells which one that is. */
static void learn_host(tally_roster_t *roster) {
  for (size_t i = 0; i < roster->count; i++) {
    const tally_probe_t *probe = roster->entries[i].probe;
    if (probe != NULL && probe->netns_id != 0 &&
        strcmp(probe->container->network_mode, "host") == 0)
      roster->probing.host_netns = probe->netns_id;
  }
}

void tally_networks_decide(tally_roster_t *roster) {
  if (roster->probing.host_netns == 0)
    learn_host(roster);
  tally_probe_t **probes = calloc(roster->count + 1, sizeof(tally_probe_t *));
  if (probes == NULL)
    return; /* nothing is counted that was not counted before */

  uint64_t host = host_namespace(roster);
  size_t count = 0;
  for (size_t i = 0; i < roster->count; i++) {
    tally_probe_t *probe = roster->entries[i].probe;
    if (probe == NULL)
      continue;
    if (probe->netns_id == 0)
      probe->network = TALLY_NETWORK_UNKNOWN;
    else if (probe->netns_id == host)
      probe->network = TALLY_NETWORK_HOST;
    else
      probes[count++] = probe;
  }
  qsort(probes, count, sizeof(*probes), compare);

  for (size_t first = 0, end; first < count; first = end) {
    for (end = first + 1;
         end < count && probes[end]->netns_id == probes[first]->netns_id;)
      end++;
    share(probes + first, end - first);
  }
  free(probes);
}
