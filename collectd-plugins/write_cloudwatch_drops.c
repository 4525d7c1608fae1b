/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_cloudwatch_drops.h"

#include <uthash.h>

#include "core/hash.h"
#include "plugin_counters.h"

#define PLUGIN_NAME "write_cloudwatch"
#define SAID_MAX 2000

static const plugin_counters_type_t type = {
    .name = "tallyman_metrics",
    .sources = {"taken", "not_a_number", "out_of_range", "bad_name", "too_old",
                "too_new", "no_room", "unmatched", "ignored"},
};

int write_cloudwatch_drops_register(void) {
  return plugin_counters_register(PLUGIN_NAME, &type);
}

void write_cloudwatch_drops_dispatch(
    const uint64_t counts[WRITE_CLOUDWATCH_OUTCOMES]) {
  plugin_counters_dispatch(PLUGIN_NAME, "", &type, counts);
}

struct write_cloudwatch_said_s {
  UT_hash_handle hh;
  uint64_t what;
};

static uint64_t add_text(uint64_t hash, const char *text) {
  return tally_hash_add(hash, text, strlen(text) + 1);
}

bool write_cloudwatch_drops_is_news(write_cloudwatch_drops_t *drops,
                                    int outcome, const value_list_t *vl,
                                    const char *source) {
  uint64_t what = tally_hash(&outcome, sizeof(outcome));
  what = add_text(what, vl->host);
  what = add_text(what, vl->plugin);
  what = add_text(what, vl->plugin_instance);
  what = add_text(what, vl->type);
  what = add_text(what, vl->type_instance);
  what = add_text(what, source);
  struct write_cloudwatch_said_s *said;
  HASH_FIND(hh, drops->said, &what, sizeof(what), said);
  if (said != NULL || drops->full)
    return false;
  said = calloc(1, sizeof(*said));
  if (said == NULL)
    return false;
  said->what = what;
  HASH_ADD(hh, drops->said, what, sizeof(said->what), said);
  drops->full = HASH_COUNT(drops->said) >= SAID_MAX;
  return true;
}

void write_cloudwatch_drops_clear(write_cloudwatch_drops_t *drops) {
  struct write_cloudwatch_said_s *said, *next;
  HASH_ITER(hh, drops->said, said, next) {
    HASH_DEL(drops->said, said);
    free(said);
  }
  memset(drops, 0, sizeof(*drops));
}
