/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CGROUP_PARSE_H
#define TALLY_CGROUP_PARSE_H

/*
 * Readers of the few formats in which cgroup files are written. Written by hand
 * because they run some fifteen times per container and interval: sscanf(3)
 * would cost more than the kernel takes to produce the text.
 *
 * All take the text with its length; an embedded NUL or a missing newline at
 * the end does no harm. They fill in what they understand, leave the rest
 * alone and return -1 if they understood nothing that they looked for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup/cgroup.h"

/* Unsigned decimal number at *p, which moves behind it. A number too large for
 * us is TALLY_UNLIMITED. false: there is no digit. */
bool tally_scan_u64(const char **p, const char *end, uint64_t *value);

/* `value` times `factor`; TALLY_UNKNOWN where either is unknown or the product
 * has no room. */
uint64_t tally_scale(uint64_t value, uint64_t factor);

/* "123\n": a counter. */
int tally_parse_number(const char *text, size_t len, uint64_t *value);

/* "123\n", "max\n", "-1\n": a limit. Numbers from PAGE_COUNTER_MAX of the
 * kernel upwards are no limit either. */
int tally_parse_limit(const char *text, size_t len, uint64_t *value);
uint64_t tally_limit_of(uint64_t number); /* the same for a number at hand */

/* A line "NAME VALUE\n" of a file with one such line per name. */
typedef struct tally_key_s {
  const char *name;
  uint8_t len;
} tally_key_t;
#define TALLY_KEY(text)                                                        \
  { (text), sizeof(text) - 1 }

/*
 * Fills in values[i] for each keys[i] that has a line, TALLY_UNKNOWN for the
 * others. Any order of lines is understood; it is fast if the keys are listed
 * in the order of the kernel.
 */
int tally_parse_keyed(const char *text, size_t len, const tally_key_t *keys,
                      size_t count, uint64_t *values);

/* "0-3,8\n": how many. An empty list is 0. */
int tally_parse_cpu_list(const char *text, size_t len, uint64_t *count);

/* "max 100000\n", "50000 100000\n": cpu.max. */
int tally_parse_cpu_max(const char *text, size_t len, uint64_t *quota_us,
                        uint64_t *period_us);

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull …". */
int tally_parse_pressure(const char *text, size_t len,
                         tally_pressure_t *pressure);

/* "254:0 Read 4096\n254:0 Write 0\n…Total 4096\n": blkio of v1. Adds to the
 * devices of the sample; an empty file is a true answer. */
int tally_parse_blkio_bytes(const char *text, size_t len,
                            tally_cgroup_sample_t *sample);
int tally_parse_blkio_ops(const char *text, size_t len,
                          tally_cgroup_sample_t *sample);

/* "254:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n": io.stat of v2.
 * Some kernels list devices without numbers in front of one that has them. */
int tally_parse_io_stat(const char *text, size_t len,
                        tally_cgroup_sample_t *sample);

/* Lines in a piece of text, for files that list one process per line. */
uint64_t tally_count_lines(const char *text, size_t len);

#endif
