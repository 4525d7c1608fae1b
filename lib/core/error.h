/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_ERROR_H
#define TALLY_CORE_ERROR_H

/*
 * Why something failed, as a sentence for the operator.
 *
 * Functions that can fail take a `tally_error_t *err` as their last argument,
 * return 0 (or a positive value) and leave it alone, or return a negative value
 * and fill it in. NULL is allowed everywhere and drops the text.
 *
 * The object is plain memory of the caller: nothing is allocated (so that
 * running out of memory can be reported), nothing needs to be released.
 */
typedef struct tally_error_s {
  int code; /* an errno value; 0 where none fits */
  char message[512];
} tally_error_t;

/* Fills in the error and returns -1. A non-zero `code` is appended as text:
 * "open `/x': Permission denied". Long texts are cut, never overrun. */
int tally_error_set(tally_error_t *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts context in front of the message ("container web: …"), keeps the code,
 * returns -1. */
int tally_error_wrap(tally_error_t *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
