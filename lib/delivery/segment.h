/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DELIVERY_SEGMENT_H
#define TALLY_DELIVERY_SEGMENT_H

/*
 * The three kinds of files of a spool, as bytes. All numbers little endian, all
 * checksums CRC-32 as in zlib.
 *
 *   SEQ.seg   entries, appended: records, and notes about them
 *     header  8 "tallyseg", 4 version (2), 4 checksum of all the rest of the
 *             header, 8 born (when it was made, real time in ns)
 *     entry   4 checksum of all behind it, 4 length of data, 2 length of key,
 *             1 kind, 1 whether it is joined to the next entry, 8 seq, 8 time,
 *             8 accepted (ns), key, data
 *
 *   SEQ.ack   what became of the entries, appended
 *     header  the same with "tallyack" and the `born` of its segment: one
 *             that was left behind by another segment does not fit
 *     mark    4 first entry, 4 how many, 4 what, 4 checksum of the 12
 *
 *   notes     the notes that are not, or not only, in segments; replaced as a
 *             whole
 *     header  the same with "tallynot", a checksum of all the rest of the file,
 *             and instead of `born` a seq: what segments say of notes up to
 *             this number is out of date
 *     entry   as in a segment
 *
 * SEQ, 16 hexadecimal digits, is the number of the first entry. Numbers rise
 * within a segment. A segment is closed for ever when its process ends.
 *
 * A note has the name as key and the text as data. It stands behind the records
 * that were put with it, and each of those is joined to the next: a group, of
 * one write. A process that was killed in the middle of the write has left the
 * beginning of a group, which its successor cuts off; so a note is there if and
 * only if its records are. An entry that was damaged later, between others,
 * ends no group and begins none: what can be read is not given up for it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "delivery/delivery.h"

#define TALLY_SEGMENT_MAGIC "tallyseg"
#define TALLY_ACK_MAGIC "tallyack"
#define TALLY_SEGMENT_HEADER 24
#define TALLY_SEGMENT_RECORD 36 /* without key and data */
#define TALLY_ACK_MARK 16
#define TALLY_NOTES_MAGIC "tallynot"
/* The longest record that anybody could have written. */
#define TALLY_SEGMENT_DATA_MAX (64 * 1024 * 1024)

/* Writes the header of `len` bytes, which are to be checked by it as a whole:
 * TALLY_SEGMENT_HEADER or more. */
void tally_segment_header(unsigned char *bytes, size_t len, const char *magic,
                          uint64_t born);
/* -1: it is not such a header, or not of these bytes. 1: it is one of another
 * version. */
int tally_segment_parse_header(const unsigned char *bytes, size_t len,
                               const char *magic, uint64_t *born);

typedef enum tally_entry_e {
  TALLY_ENTRY_RECORD,
  TALLY_ENTRY_NOTE,   /* key and data of the record are name and text */
  TALLY_ENTRY_FORGET, /* a note without text: there is no such note any more */
} tally_entry_t;

typedef struct tally_stored_s {
  uint64_t seq, accepted_ns;
  tally_record_t record;
  tally_entry_t kind;
  bool joined; /* to the next entry; a note never is */
} tally_stored_t;

static inline size_t tally_segment_size(const tally_record_t *record) {
  return TALLY_SEGMENT_RECORD + record->key_len + record->len;
}

/* Writes tally_segment_size() bytes. */
void tally_segment_encode(unsigned char *bytes, const tally_stored_t *stored);

/* How long the entry at `bytes` says it is; 0: it does not say anything
 * sensible. Needs TALLY_SEGMENT_RECORD bytes. */
size_t tally_segment_claimed_size(const unsigned char *bytes);
/* And what it says it is. */
tally_entry_t tally_segment_claimed_kind(const unsigned char *bytes);

/* The entry at the beginning of `bytes`, whose strings point into them.
 * Returns its length; 0: none (torn, damaged). */
size_t tally_segment_decode(const unsigned char *bytes, size_t len,
                            tally_stored_t *stored);

typedef enum tally_mark_kind_e {
  TALLY_MARK_TRIED = 1, /* handed to the destination */
  TALLY_MARK_NOT_TAKEN, /* which certainly did not take it */
  TALLY_MARK_DONE,      /* need not be sent any more */
} tally_mark_kind_t;

typedef struct tally_mark_s {
  uint32_t first, count;
  tally_mark_kind_t kind;
} tally_mark_t;

void tally_segment_encode_mark(unsigned char bytes[TALLY_ACK_MARK],
                               const tally_mark_t *mark);
/* -1: torn or damaged. */
int tally_segment_decode_mark(const unsigned char bytes[TALLY_ACK_MARK],
                              tally_mark_t *mark);

#endif
