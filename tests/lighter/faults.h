/* SPDX-License-Identifier: MIT */
#ifndef LIGHTER_FAULTS_H
#define LIGHTER_FAULTS_H

/* What goes wrong, and how often: at random, the same with the same seed, or a
 * number of times. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum fault_e {
  FAULT_NONE = 0,
  /* nothing is taken, and the service says why */
  FAULT_THROTTLED,   /* 400, a throttling exception */
  FAULT_LIMITED,     /* 429 */
  FAULT_INTERNAL,    /* 500 */
  FAULT_UNAVAILABLE, /* 503 */
  FAULT_EXPIRED,     /* the token has expired */
  FAULT_DENIED,      /* AccessDeniedException */
  FAULT_MISSING,     /* ResourceNotFoundException */
  /* nothing is taken, and no answer comes */
  FAULT_HANG,
  FAULT_RESET, /* after the body was read */
  /* all is taken */
  FAULT_TAKEN_HANG,
  FAULT_TAKEN_RESET,
  FAULT_TAKEN_HALF,    /* half of the answer, then the end of the connection */
  FAULT_TAKEN_GARBAGE, /* an answer that is none */
  FAULT_DRIP,          /* the right answer, a little at a time */
  /* some are taken: of records, one by one, inside an answer with 200 */
  FAULT_RECORDS,
  FAULTS
} fault_t;

/* FAULTS: no such word. */
fault_t fault_by_name(const char *name);
const char *fault_name(fault_t fault);

#define FAULT_RULES_MAX 64

typedef struct fault_rule_s {
  char operation[64]; /* "PutRecords"; "*": any */
  char resource[256]; /* stream, log group, namespace; "": any */
  fault_t fault;
  double rate;    /* 0 to 1 */
  uint64_t times; /* if not 0: this often from now on, instead of a rate */
} fault_rule_t;

typedef struct faults_s {
  fault_rule_t rules[FAULT_RULES_MAX];
  size_t count;
  uint64_t random; /* the generator's state; not 0 */
  uint64_t happened[FAULTS];
} faults_t;

/* "OPERATION[/RESOURCE] FAULT RATE" or "… xTIMES"; a rule of the same
 * operation, resource and fault is replaced. False: it is no rule, or there are
 * too many. */
bool faults_add(faults_t *faults, const char *rule);

/* Of a whole call: any but FAULT_RECORDS. */
fault_t faults_of_call(faults_t *faults, const char *operation,
                       const char *resource);
/* Whether this record is not taken. */
bool faults_of_record(faults_t *faults, const char *operation,
                      const char *resource);

#endif
