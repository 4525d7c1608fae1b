/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/container_private.h"

#include <stdlib.h>
#include <string.h>

#include "docker/event_private.h"

static void apply_die(tally_container_t *draft, const tally_event_t *event) {
  const char *exit_code = tally_event_attribute(event, "exitCode");
  draft->state = TALLY_CONTAINER_EXITED;
  draft->pid = 0;
  draft->finished_ns = event->time_ns;
  draft->exit_code = exit_code != NULL ? atoi(exit_code) : 0;
}

const tally_container_t *tally_container_after(const tally_container_t *before,
                                               const tally_event_t *event) {
  tally_container_t draft = *before;
  switch (tally_event_step(event)) {
  case TALLY_STEP_START:
    draft.state = TALLY_CONTAINER_RUNNING;
    draft.pid = 0; /* that only inspect knows */
    draft.started_ns = event->time_ns;
    draft.exit_code = 0;
    break;
  case TALLY_STEP_DIE:
    apply_die(&draft, event);
    break;
  case TALLY_STEP_OTHER:
    if (strcmp(event->action, "pause") == 0)
      draft.state = TALLY_CONTAINER_PAUSED;
    else if (strcmp(event->action, "unpause") == 0)
      draft.state = TALLY_CONTAINER_RUNNING;
    else if (strcmp(event->action, "rename") == 0 && *event->actor_name != '\0')
      draft.name = event->actor_name;
    break;
  default:
    break;
  }

  const tally_container_t *after = NULL;
  if (!tally_container_equal(before, &draft))
    after = tally_container_pack(&draft, NULL);
  return after != NULL ? after : tally_container_ref(before);
}
