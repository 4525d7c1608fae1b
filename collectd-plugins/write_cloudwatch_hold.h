/* SPDX-License-Identifier: MIT */
#ifndef WRITE_CLOUDWATCH_HOLD_H
#define WRITE_CLOUDWATCH_HOLD_H

/*
 * Values that wait until it is known which instance this is. No lock of its
 * own. Include after collectd's headers.
 */

#define WRITE_CLOUDWATCH_HOLD_MAX 4096 /* value lists, about 1 KB each */

typedef struct write_cloudwatch_held_s {
  struct write_cloudwatch_held_s *next;
  value_list_t vl; /* a copy */
  gauge_t *rates;  /* NULL: the values as they are */
} write_cloudwatch_held_t;

typedef struct write_cloudwatch_hold_s {
  write_cloudwatch_held_t *first, *last;
  size_t count;
} write_cloudwatch_hold_t;

/* Copies the list and takes the rates. false: there is no room, nothing has
 * been done. */
bool write_cloudwatch_hold_put(write_cloudwatch_hold_t *hold,
                               const value_list_t *vl, gauge_t *rates);
/* Takes out everything, oldest first; each to be freed. */
write_cloudwatch_held_t *
write_cloudwatch_hold_take(write_cloudwatch_hold_t *hold);
void write_cloudwatch_held_free(write_cloudwatch_held_t *held);

#endif
