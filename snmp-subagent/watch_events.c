/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "container/lifecycle.h"
#include "core/text.h"
#include "watch_private.h"

/* The values of TallyRunState. */
static uint64_t state_number(tally_container_state_t state) {
  return (uint64_t)state + 1;
}

/* What a container was before a `start` or a `destroy`: the Engine does not
 * say, but a run that has ended leaves its time. */
static tally_container_state_t at_rest(const tally_container_t *container) {
  if (container == NULL)
    return TALLY_CONTAINER_UNKNOWN;
  return container->finished_ns != 0 ? TALLY_CONTAINER_EXITED
                                     : TALLY_CONTAINER_CREATED;
}

/* What it is after a `die`: about to be started again, or at its end. */
static tally_container_state_t after_die(const tally_container_t *container) {
  return container != NULL && container->state == TALLY_CONTAINER_RESTARTING
             ? TALLY_CONTAINER_RESTARTING
             : TALLY_CONTAINER_EXITED;
}

static bool set_change(tally_notice_t *notice, tally_notice_kind_t kind,
                       tally_container_state_t before,
                       tally_container_state_t after) {
  notice->kind = kind;
  notice->previous_state = state_number(before);
  notice->state = state_number(after);
  return true;
}

/* The kind of notice and the states; false: not worth one. */
static bool classify(const char *action, const tally_container_t *container,
                     tally_notice_t *notice) {
  const struct {
    const char *action;
    tally_notice_kind_t kind;
    tally_container_state_t before, after;
  } known[] = {
      {"die", TALLY_NOTICE_CONTAINER_DIED, TALLY_CONTAINER_RUNNING,
       after_die(container)},
      {"create", TALLY_NOTICE_CONTAINER_STATE, TALLY_CONTAINER_UNKNOWN,
       TALLY_CONTAINER_CREATED},
      {"start", TALLY_NOTICE_CONTAINER_STATE, at_rest(container),
       TALLY_CONTAINER_RUNNING},
      {"pause", TALLY_NOTICE_CONTAINER_STATE, TALLY_CONTAINER_RUNNING,
       TALLY_CONTAINER_PAUSED},
      {"unpause", TALLY_NOTICE_CONTAINER_STATE, TALLY_CONTAINER_PAUSED,
       TALLY_CONTAINER_RUNNING},
      {"destroy", TALLY_NOTICE_CONTAINER_STATE, at_rest(container),
       TALLY_CONTAINER_REMOVING},
  };
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    if (strcmp(action, known[i].action) == 0)
      return set_change(notice, known[i].kind, known[i].before, known[i].after);

  tally_container_state_t state =
      container != NULL ? container->state : TALLY_CONTAINER_RUNNING;
  if (strcmp(action, "oom") == 0)
    return set_change(notice, TALLY_NOTICE_CONTAINER_OOM, state, state);
  if (strcmp(action, "health_status_unhealthy") == 0)
    return set_change(notice, TALLY_NOTICE_CONTAINER_UNHEALTHY, state, state);
  return false;
}

/* Of a container of which nothing is known but its event, name and image
 * decide. */
static bool is_wanted(const tally_settings_t *settings,
                      const tally_event_t *event,
                      const tally_container_t *container) {
  if (container != NULL)
    return tally_settings_wants(settings, container);
  tally_container_t stranger = {.name = event->actor_name,
                                .image = event->image};
  return tally_settings_wants(settings, &stranger);
}

bool tally_watch_notice_of(struct tally_lifecycle_s *lifecycle,
                           const tally_settings_t *settings,
                           const tally_event_t *event,
                           const tally_container_t *container,
                           tally_notice_t *notice) {
  /* Also what is not reported is judged: it may explain what is. */
  tally_verdict_t verdict;
  tally_lifecycle_judge(lifecycle, event, container, &verdict);
  if (event->origin == TALLY_EVENT_SCAN || !tally_event_of_container(event))
    return false;

  char action[TALLY_ACTION_NAME_SIZE];
  tally_event_action_name(event->action, action);
  tally_notice_init(notice, TALLY_NOTICE_CONTAINER_STATE);
  if (!classify(action, container, notice) ||
      !is_wanted(settings, event, container))
    return false;

  notice->time_ns = event->time_ns;
  tally_event_actor(event, notice->object, sizeof(notice->object));
  tally_text_copy(notice->id, sizeof(notice->id), event->actor_id);
  tally_text_copy(notice->image, sizeof(notice->image), event->image);
  if (verdict.exit_code_known && notice->kind == TALLY_NOTICE_CONTAINER_DIED) {
    notice->exit_code = (uint64_t)(verdict.exit_code & 0xff);
    notice->signal = (uint64_t)verdict.signal;
  }
  tally_event_sentence(event, container, &verdict, notice->text,
                       sizeof(notice->text));
  return true;
}
