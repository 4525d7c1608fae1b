/* SPDX-License-Identifier: MIT */
/* What a master might send: either it is left to others, or there is a whole
 * response that fits. */
#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "agentx.h"

static const tally_view_t *fixed_view(void) {
  static tally_view_t *view;
  if (view != NULL)
    return view;
  view = tally_view_create();
  tally_view_node(view)->name = tally_view_text(view, "node");
  tally_view_node(view)->processes = 1;
  tally_container_row_t *row = tally_view_add_container(view, "web");
  row->created_ns = 1;
  row->cpu_time_us = UINT64_MAX - 5;
  tally_view_add_alarm(view, 7)->level = 2;
  FUZZ_REQUIRE(tally_view_finish(view, NULL) == 0);
  return view;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* the first byte is the room for the answer */
  if (size == 0)
    return 0;
  size_t room = data[0] < 128 ? data[0] : (size_t)data[0] * 64;
  data++;
  size--;
  uint8_t *response = malloc(room + 1);
  const tally_view_t *view = room % 2 == 0 ? fixed_view() : NULL;
  size_t length = tally_agentx_length(data, size);
  size_t answered = tally_agentx_answer(view, data, size, response, room);
  FUZZ_REQUIRE(answered <= room);
  if (answered > 0) {
    FUZZ_REQUIRE(length == size);
    FUZZ_REQUIRE(tally_agentx_length(response, answered) == answered);
    FUZZ_REQUIRE(response[0] == 1 && response[1] == 18);
    FUZZ_REQUIRE(memcmp(response + 4, data + 4, 12) == 0);
    FUZZ_REQUIRE(answered % 4 == 0);
  }
  free(response);
  return 0;
}
