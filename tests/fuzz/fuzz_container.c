/* SPDX-License-Identifier: MIT */
/* The answers of inspect and list, parsed; and an event applied to them. */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "docker/container_private.h"

static void check(const tally_container_t *c) {
  FUZZ_REQUIRE(tally_container_id_is_valid(c->id));
  FUZZ_REQUIRE(tally_container_equal(c, c));
  for (size_t i = 0; i < c->labels_count; i++) {
    FUZZ_REQUIRE(tally_container_label(c, c->labels[i].key) != NULL);
    FUZZ_REQUIRE(i == 0 || strcmp(c->labels[i - 1].key, c->labels[i].key) <= 0);
  }
  for (size_t i = 0; i < c->env_count; i++)
    FUZZ_REQUIRE(tally_container_env(c, c->env[i].key) != NULL);
  FUZZ_REQUIRE(c->pid == 0 || tally_container_is_up(c));

  const tally_event_t die = {.type = "container",
                             .action = "die",
                             .actor_id = c->id,
                             .actor_name = "",
                             .image = "",
                             .time_ns = 1};
  const tally_container_t *after = tally_container_after(c, &die);
  FUZZ_REQUIRE(after->state == TALLY_CONTAINER_EXITED && after->pid == 0);
  tally_container_unref(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tally_json_t *json = tally_json_parse((const char *)data, size, NULL);
  if (json == NULL)
    return 0;
  const tally_container_t *c = tally_container_parse(json, NULL);
  if (c != NULL)
    check(c);
  tally_container_unref(c);
  for (size_t i = 0; i < tally_json_count(json); i++) {
    c = tally_container_parse_listed(tally_json_at(json, i, NULL), NULL);
    if (c != NULL)
      check(c);
    tally_container_unref(c);
  }
  tally_json_destroy(json);
  return 0;
}
