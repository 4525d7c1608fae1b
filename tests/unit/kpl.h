/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_KPL_H
#define TALLY_TESTS_KPL_H

/* Takes aggregates apart, by the text of the format and knowing nothing of how
 * ours are made. Whatever is not as it should be fails the test. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kpl_record_s {
  const uint8_t *key, *data; /* in the aggregate */
  size_t key_len, len;
  uint64_t key_index;
} kpl_record_t;

bool kpl_is_aggregate(const uint8_t *bytes, size_t len);
/* Returns the records (free it) and how many. */
kpl_record_t *kpl_read(const uint8_t *bytes, size_t len, size_t *count);

#endif
