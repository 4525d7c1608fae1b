/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_SNAPSHOT_H
#define TALLY_DOCKER_SNAPSHOT_H

#include "docker/docker.h"

/* A snapshot with room for `capacity` containers and one reference; the caller
 * fills it in with tally_snapshot_add() and then lets go of it as a constant.
 * NULL: out of memory. */
tally_snapshot_t *tally_snapshot_create(size_t capacity);

/* Takes a further reference on `c`. To be called in the order of the ids. */
void tally_snapshot_add(tally_snapshot_t *snapshot, const tally_container_t *c);

const tally_snapshot_t *tally_snapshot_ref(const tally_snapshot_t *snapshot);

#endif
