/* SPDX-License-Identifier: MIT */
#ifndef DOCKER_EVENTS_NOTIFY_H
#define DOCKER_EVENTS_NOTIFY_H

/*
 * From a Docker event to a notification: identifier, severity, sentence, meta
 * data. Include after collectd's headers.
 */

#include "container/lifecycle.h"
#include "core/select.h"

/*
 * docker-NAME/TYPE-ACTION at the event's own time, where NAME is the container
 * (or network, image, …), with `instance` (or "") before it as INSTANCE:NAME.
 * Labels whose keys match `meta_labels` go along as meta data; NULL: none.
 * Dispatches in the calling thread.
 */
void docker_events_notify(const tally_event_t *event,
                          const tally_container_t *container,
                          const tally_verdict_t *verdict, const char *instance,
                          const tally_select_t *meta_labels);

#endif
