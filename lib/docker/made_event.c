/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "docker/ledger_private.h"

static const char *action_of(tally_step_t step) {
  switch (step) {
  case TALLY_STEP_CREATE:
    return "create";
  case TALLY_STEP_START:
    return "start";
  case TALLY_STEP_DIE:
    return "die";
  default:
    return "destroy";
  }
}

static int compare_keys(const void *a, const void *b) {
  return strcmp(((const tally_pair_t *)a)->key, ((const tally_pair_t *)b)->key);
}

tally_event_record_t *tally_made_event(tally_step_t step, const char *id,
                                       const tally_container_t *container,
                                       uint64_t time_ns, int exit_code,
                                       tally_event_origin_t origin) {
  size_t labels = container != NULL ? container->labels_count : 0;
  tally_autofree tally_pair_t *pairs = calloc(labels + 3, sizeof(*pairs));
  if (pairs == NULL)
    return NULL;
  if (labels > 0)
    memcpy(pairs, container->labels, labels * sizeof(*pairs));

  const char *name = container != NULL ? container->name : "";
  const char *image = container != NULL ? container->image : "";
  char code[16];
  size_t count = labels;
  pairs[count++] = (tally_pair_t){"image", image};
  pairs[count++] = (tally_pair_t){"name", name};
  if (step == TALLY_STEP_DIE && exit_code != TALLY_EXIT_CODE_UNKNOWN) {
    snprintf(code, sizeof(code), "%d", exit_code);
    pairs[count++] = (tally_pair_t){"exitCode", code};
  }
  qsort(pairs, count, sizeof(*pairs), compare_keys);

  return tally_event_pack(&(tally_event_t){.type = "container",
                                           .action = action_of(step),
                                           .actor_id = id,
                                           .actor_name = name,
                                           .image = image,
                                           .attributes = pairs,
                                           .attributes_count = count,
                                           .time_ns = time_ns,
                                           .origin = origin},
                          NULL);
}
