/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_CONTAINER_PRIVATE_H
#define TALLY_DOCKER_CONTAINER_PRIVATE_H

/*
 * How containers are made. A *draft* is a tally_container_t on the stack whose
 * strings and arrays are borrowed; packing it copies everything into one
 * allocation with a reference count.
 */

#include "core/json.h"
#include "docker/docker.h"

/* A new container with one reference. The labels come out sorted; NULL strings
 * come out as "". NULL and *err: out of memory. */
const tally_container_t *tally_container_pack(const tally_container_t *draft,
                                              tally_error_t *err);

/* Whether two containers say the same in every field. */
bool tally_container_equal(const tally_container_t *a,
                           const tally_container_t *b);

/* A process of it exists: running or paused. */
bool tally_container_is_up(const tally_container_t *c);

/* It was listed and has not been inspected yet: environment, process id and
 * times are missing. */
bool tally_container_is_partial(const tally_container_t *c);

/* Whether `id` may be put into a path: 1 to 64 hexadecimal digits. */
bool tally_container_id_is_valid(const char *id);

/* From the answer to GET /containers/{id}/json. NULL and *err: no memory, or
 * not such an answer. */
const tally_container_t *tally_container_parse(const tally_json_t *json,
                                               tally_error_t *err);

/* From one element of the answer to GET /containers/json; partial. */
const tally_container_t *tally_container_parse_listed(const tally_json_t *json,
                                                      tally_error_t *err);

/* What became of `before` after `event`, as far as the event tells; for
 * containers that could not be inspected (any more). A reference of its own;
 * `before` itself where nothing changed or memory ran out. */
const tally_container_t *tally_container_after(const tally_container_t *before,
                                               const tally_event_t *event);

#endif
