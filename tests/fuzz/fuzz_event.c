/* SPDX-License-Identifier: MIT */
/* One text of the event stream, parsed. */
#include "config.h"

#include "fuzz.h"

#include "docker/event_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tally_error_t err;
  tally_event_record_t *record =
      tally_event_parse((const char *)data, size, &err);
  if (record == NULL)
    return 0;
  const tally_event_t *event = &record->event;
  FUZZ_REQUIRE(*event->action != '\0' && event->time_ns != 0);
  FUZZ_REQUIRE(record->hash != 0 && record->size > 0);
  for (size_t i = 0; i < event->attributes_count; i++)
    FUZZ_REQUIRE(tally_event_attribute(event, event->attributes[i].key) !=
                 NULL);
  FUZZ_REQUIRE(tally_event_step(event) == TALLY_STEP_NONE ||
               tally_event_is_container(event));
  tally_event_unref(record);
  return 0;
}
