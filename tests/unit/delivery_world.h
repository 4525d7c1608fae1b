/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_DELIVERY_WORLD_H
#define TALLY_TESTS_DELIVERY_WORLD_H

/*
 * The world around a store, without threads: a clock that stands still, a disk
 * that fills up, processes that are killed, and a destination that writes down
 * what it received. Everything random comes from one seed.
 */

#include "delivery/store.h"
#include "tree.h"

#define WORLD_RECORDS 4096
#define WORLD_KEYS 8
#define WORLD_NOTES 3

typedef enum world_accepted_e {
  WORLD_NOT_ACCEPTED, /* must never arrive */
  WORLD_ACCEPTED,     /* must arrive, or be counted as lost */
  WORLD_PERHAPS,      /* who put it never knew, or will put it again */
} world_accepted_t;

typedef struct world_s {
  uint64_t random; /* state of the generator */
  uint64_t mono, real;
  bool disk_full;    /* nothing can be written */
  bool writes_short; /* now and then only a part is written before that */
  unsigned dies_in;  /* the process dies in the middle of the n-th operation on
                        the disk from now on; 0: it does not */
  bool dead;
  tree_t tree; /* the spool is in it */
  char spool[128];

  tally_store_t store;
  bool open;

  /* the model */
  uint32_t put; /* records that were tried to put, numbered from 0 */
  unsigned char accepted[WORLD_RECORDS]; /* world_accepted_t */
  unsigned char key[WORLD_RECORDS];
  unsigned received[WORLD_RECORDS]; /* how often */
  uint32_t next[WORLD_KEYS];        /* no first occurrence below this */
  uint64_t out_of_order;
  uint64_t in_order_checked;

  /* of notes: the text is the number of the step in which it was put */
  struct {
    unsigned steps;
    unsigned says; /* the step; 0: nothing */
  } notes[WORLD_NOTES];
  unsigned notes_percent; /* of the puts have one */
  bool forgets;
  unsigned char note[WORLD_RECORDS]; /* 1 + that of the record; 0: none */
  unsigned step[WORLD_RECORDS];      /* in which the record was put */
  unsigned pending_note;             /* 1 + that of the running put */
  unsigned pending_says;

  /* sums over all processes */
  uint64_t counted_lost; /* after acceptance, with a reason */
  uint64_t counted_full; /* of them, because the spool was full */
  uint64_t counted_duplicates;
  uint64_t forgotten; /* in the memory of those who were killed, or torn off */
  uint64_t uncertain; /* put while the process died */
} world_t;

extern const tally_hooks_t world_hooks; /* `data` is to be set */

void world_create(world_t *world, uint64_t seed);
void world_destroy(world_t *world);
/* A world for each test of a table: *state. */
int world_setup(void **state);
int world_teardown(void **state);
/* Back to an empty disk, another seed. */
void world_reset(world_t *world, uint64_t seed);

uint64_t world_random(world_t *world);
static inline uint64_t world_below(world_t *world, uint64_t n) {
  return world_random(world) % n;
}
static inline bool world_chance(world_t *world, unsigned percent) {
  return world_below(world, 100) < percent;
}

/* A process begins; ends in order; is killed. */
void world_start(world_t *world, const tally_outbox_options_t *options);
void world_end(world_t *world);
void world_kill(world_t *world);
/* What a machine that lost power may leave: files cut anywhere. */
void world_cut_files(world_t *world);

/* Puts `count` numbered records of random keys and lengths. */
void world_put(world_t *world, size_t count, size_t longest);

/* As world_put(), with a random note, which now and then is forgotten. */
void world_put_noted(world_t *world, size_t count, size_t longest);
/* A few of them, with a note or without. */
void world_put_any(world_t *world, size_t longest);

/* What the notes of the next process must say, and what follows from it for the
 * records put with them. */
typedef enum world_faith_e {
  FAITH_EXACT, /* what was put last */
  FAITH_OLDER, /* that, or something that was put before it */
} world_faith_t;
void world_check_notes(world_t *world, world_faith_t faith);
/* Records with notes that never arrived. */
uint64_t world_missing_noted(const world_t *world);

/* What the thread does that flushes to the disk. */
void world_sync(world_t *world);

/* What the destination does with the batch of the store. */
typedef enum world_mood_e {
  MOOD_GOOD,
  MOOD_DEAD,    /* the call fails, nothing was taken */
  MOOD_HUNG,    /* some were taken, no answer */
  MOOD_PARTIAL, /* each record its own fate, order kept */
  MOODS
} world_mood_t;
/* Takes and settles one batch if one is due; false: none was. */
bool world_send(world_t *world, world_mood_t mood, bool hurry);
/* Takes a batch, of which a part arrives, and is killed. */
void world_kill_while_sending(world_t *world);

/* One piece from the spool into the window. */
bool world_read(world_t *world);

/* accepted + recovered = sent + lost + queued, and the caps hold. */
void world_check(world_t *world);

/* Sends everything that is left. */
void world_drain(world_t *world);

/* Accepted records that never arrived; arrivals beyond the first. */
uint64_t world_missing(const world_t *world);
uint64_t world_duplicates(const world_t *world);

#endif
