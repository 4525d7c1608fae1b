/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/snapshot.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct holder_s {
  tally_snapshot_t snapshot; /* first on purpose */
  atomic_uint refs;
  const tally_container_t *containers[];
} holder_t;

static holder_t *holder_of(const tally_snapshot_t *snapshot) {
  return (holder_t *)(uintptr_t)snapshot;
}

tally_snapshot_t *tally_snapshot_create(size_t capacity) {
  holder_t *holder =
      malloc(sizeof(*holder) + capacity * sizeof(holder->containers[0]));
  if (holder == NULL)
    return NULL;
  holder->snapshot = (tally_snapshot_t){.containers = holder->containers};
  atomic_init(&holder->refs, 1);
  return &holder->snapshot;
}

void tally_snapshot_add(tally_snapshot_t *snapshot,
                        const tally_container_t *c) {
  holder_of(snapshot)->containers[snapshot->count++] = tally_container_ref(c);
}

const tally_snapshot_t *tally_snapshot_ref(const tally_snapshot_t *snapshot) {
  atomic_fetch_add_explicit(&holder_of(snapshot)->refs, 1,
                            memory_order_relaxed);
  return snapshot;
}

void tally_snapshot_unref(const tally_snapshot_t *snapshot) {
  if (snapshot == NULL ||
      atomic_fetch_sub_explicit(&holder_of(snapshot)->refs, 1,
                                memory_order_acq_rel) != 1)
    return;
  for (size_t i = 0; i < snapshot->count; i++)
    tally_container_unref(snapshot->containers[i]);
  free(holder_of(snapshot));
}

static int compare_id(const void *id, const void *element) {
  return strcmp(id, (*(const tally_container_t *const *)element)->id);
}

const tally_container_t *tally_snapshot_find(const tally_snapshot_t *snapshot,
                                             const char *id) {
  const tally_container_t *const *found =
      bsearch(id, snapshot->containers, snapshot->count,
              sizeof(snapshot->containers[0]), compare_id);
  return found != NULL ? *found : NULL;
}
