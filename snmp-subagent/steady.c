/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "steady.h"

#include <stdlib.h>
#include <string.h>

typedef struct part_s {
  char name[TALLY_STEADY_NAME];
  uint8_t kind;
  uint32_t round;                       /* when it was seen last */
  uint64_t last[TALLY_STEADY_COUNTERS]; /* as the kernel showed it */
  uint64_t base[TALLY_STEADY_COUNTERS]; /* what it has forgotten */
} part_t;

struct tally_steady_run_s {
  char id[65];
  bool wanted; /* since the last sweep */
  uint64_t started_ns;
  uint32_t round; /* grows with each call of tally_steady_run() */
  part_t *parts;
  size_t count, size;
  /* Parts that have gone and were melted. */
  uint64_t gone[TALLY_STEADY_KINDS][TALLY_STEADY_COUNTERS];
};

struct tally_steady_s {
  tally_steady_run_t **runs; /* sorted by id */
  size_t count, size;
};

tally_steady_t *tally_steady_create(void) {
  return calloc(1, sizeof(tally_steady_t));
}

static void destroy_run(tally_steady_run_t *run) {
  free(run->parts);
  free(run);
}

void tally_steady_destroy(tally_steady_t *steady) {
  if (steady == NULL)
    return;
  for (size_t i = 0; i < steady->count; i++)
    destroy_run(steady->runs[i]);
  free(steady->runs);
  free(steady);
}

size_t tally_steady_count(const tally_steady_t *steady) {
  return steady->count;
}

/* ---- runs ---------------------------------------------------------------- */

/* Where the id is, or would be. */
static size_t position_of(const tally_steady_t *steady, const char *id) {
  size_t low = 0, high = steady->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(steady->runs[middle]->id, id) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static tally_steady_run_t *insert(tally_steady_t *steady, size_t at,
                                  const char *id) {
  if (steady->count == steady->size) {
    size_t size = steady->size > 0 ? 2 * steady->size : 16;
    tally_steady_run_t **grown =
        realloc(steady->runs, size * sizeof(steady->runs[0]));
    if (grown == NULL)
      return NULL;
    steady->runs = grown;
    steady->size = size;
  }
  tally_steady_run_t *run = calloc(1, sizeof(*run));
  if (run == NULL)
    return NULL;
  strncpy(run->id, id, sizeof(run->id) - 1);
  memmove(steady->runs + at + 1, steady->runs + at,
          (steady->count - at) * sizeof(steady->runs[0]));
  steady->runs[at] = run;
  steady->count++;
  return run;
}

tally_steady_run_t *tally_steady_run(tally_steady_t *steady, const char *id,
                                     uint64_t started_ns) {
  size_t at = position_of(steady, id);
  tally_steady_run_t *run =
      at < steady->count && strcmp(steady->runs[at]->id, id) == 0
          ? steady->runs[at]
          : insert(steady, at, id);
  if (run == NULL)
    return NULL;
  if (run->started_ns != started_ns) {
    run->started_ns = started_ns;
    run->count = 0;
    memset(run->gone, 0, sizeof(run->gone));
  }
  run->wanted = true;
  run->round++;
  return run;
}

void tally_steady_sweep(tally_steady_t *steady) {
  size_t kept = 0;
  for (size_t i = 0; i < steady->count; i++) {
    tally_steady_run_t *run = steady->runs[i];
    if (run->wanted)
      steady->runs[kept++] = run;
    else
      destroy_run(run);
  }
  for (size_t i = 0; i < kept; i++)
    steady->runs[i]->wanted = false;
  steady->count = kept;
}

/* ---- parts --------------------------------------------------------------- */

/* Makes room in a full run: the part that has been gone for longest. */
static part_t *melt(tally_steady_run_t *run) {
  part_t *oldest = NULL;
  for (size_t i = 0; i < run->count; i++) {
    part_t *part = &run->parts[i];
    if (part->kind != TALLY_STEADY_CGROUP && part->round != run->round &&
        (oldest == NULL || part->round < oldest->round))
      oldest = part;
  }
  if (oldest == NULL)
    return NULL;
  for (size_t i = 0; i < TALLY_STEADY_COUNTERS; i++)
    run->gone[oldest->kind][i] += oldest->base[i] + oldest->last[i];
  return oldest;
}

static part_t *add_part(tally_steady_run_t *run, tally_steady_kind_t kind,
                        const char *name) {
  part_t *part = NULL;
  if (run->count == TALLY_STEADY_PARTS) {
    part = melt(run);
    if (part == NULL)
      return NULL;
  } else if (run->count == run->size) {
    size_t size = run->size > 0 ? 2 * run->size : 4;
    part_t *grown = realloc(run->parts, size * sizeof(*grown));
    if (grown == NULL)
      return NULL;
    run->parts = grown;
    run->size = size;
  }
  if (part == NULL)
    part = &run->parts[run->count++];
  *part = (part_t){.kind = (uint8_t)kind};
  strncpy(part->name, name, sizeof(part->name) - 1);
  return part;
}

static part_t *find_part(tally_steady_run_t *run, tally_steady_kind_t kind,
                         const char *name) {
  for (size_t i = 0; i < run->count; i++)
    if (run->parts[i].kind == kind &&
        strncmp(run->parts[i].name, name, TALLY_STEADY_NAME - 1) == 0)
      return &run->parts[i];
  return add_part(run, kind, name);
}

/* It counts from 0 again: this is another interface of that name. */
static bool is_another(const part_t *part, const uint64_t *counters,
                       size_t count) {
  if (part->kind == TALLY_STEADY_CGROUP)
    return false;
  for (size_t i = 0; i < count && i < TALLY_STEADY_TELLING; i++)
    if (counters[i] != TALLY_UNKNOWN && counters[i] < part->last[i])
      return true;
  return false;
}

void tally_steady_part(tally_steady_run_t *run, tally_steady_kind_t kind,
                       const char *name, uint64_t *counters, size_t count) {
  part_t *part = run != NULL ? find_part(run, kind, name) : NULL;
  if (part == NULL)
    return;
  part->round = run->round;
  if (is_another(part, counters, count))
    for (size_t i = 0; i < count; i++) {
      part->base[i] += part->last[i];
      part->last[i] = 0;
    }
  for (size_t i = 0; i < count; i++) {
    if (counters[i] == TALLY_UNKNOWN)
      continue;
    if (counters[i] > part->last[i]) /* a step back is one of the clock's */
      part->last[i] = counters[i];
    counters[i] = part->base[i] + part->last[i];
  }
}

void tally_steady_sum(const tally_steady_run_t *run, tally_steady_kind_t kind,
                      uint64_t *sums, size_t count) {
  for (size_t i = 0; i < count; i++)
    sums[i] = run != NULL ? run->gone[kind][i] : TALLY_UNKNOWN;
  for (size_t p = 0; run != NULL && p < run->count; p++)
    for (size_t i = 0; i < count && run->parts[p].kind == kind; i++)
      sums[i] += run->parts[p].base[i] + run->parts[p].last[i];
}
