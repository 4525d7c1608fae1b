/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_SPOOL_PRIVATE_H
#define TALLY_DELIVERY_SPOOL_PRIVATE_H

#include "delivery/spool.h"

#define TALLY_SPOOL_NAME_LEN 32

struct tally_segment_s {
  TAILQ_ENTRY(tally_segment_s) link;
  uint64_t id; /* number of its first record, and name */
  uint64_t born;
  int fd, ack_fd; /* -1: not open */
  off_t size, synced, ack_size;
  uint32_t records, done_records;
  uint32_t unread;      /* not read and not done */
  uint64_t newest_ns;   /* its last record was accepted */
  uint64_t oldest_ns;   /* of the unread ones, or before */
  off_t read_at;        /* the next record to read */
  uint32_t read_index;  /* is this one */
  uint64_t next_seq;    /* and has this number or a higher one */
  unsigned char *done;  /* a bit per record */
  size_t done_size;     /* bytes of it */
  tally_mark_t run;     /* marks to be written: the last of them, growing, */
  tally_buffer_t marks; /* and those before it */
  bool marks_lost;      /* write all that is done again */
  bool pinned;          /* it is being read */
  bool gone;            /* and meanwhile has been dropped */
};

void tally_segment_name(char name[TALLY_SPOOL_NAME_LEN], uint64_t id,
                        const char *suffix);

/* NULL: out of memory. Not in the list. */
tally_segment_t *tally_segment_create(uint64_t id);
void tally_segment_free(tally_segment_t *segment);
int tally_segment_grow_done(tally_segment_t *segment, uint32_t records);

static inline bool tally_segment_is_done(const tally_segment_t *segment,
                                         uint32_t index) {
  return segment->done[index / 8] >> (index % 8) & 1;
}

tally_segment_t *tally_spool_find(tally_spool_t *spool, uint64_t id);

/* Out of the list, off the disk, out of the numbers; what was unread is counted
 * as lost for this reason. */
void tally_spool_drop(tally_spool_t *spool, tally_segment_t *segment,
                      tally_loss_t reason);

/* Writes all of it; -1 and errno. */
int tally_spool_write(tally_spool_t *spool, int fd, const void *bytes,
                      size_t len, off_t offset);

/* Opens the directory if it is not, and reads what is in it. */
int tally_spool_enter(tally_spool_t *spool, tally_error_t *err);

/* Reads one segment into the list (spool_segment.c). */
int tally_spool_load(tally_spool_t *spool, uint64_t id, tally_error_t *err);

#endif
