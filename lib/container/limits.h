/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CONTAINER_LIMITS_H
#define TALLY_CONTAINER_LIMITS_H

/*
 * Which limits a container should have: what the operator's rules say, what its
 * labels ask for, what its environment asks for, joined per limit. Pure: looks
 * at nothing but its arguments.
 *
 *   rule         the first one that matches; its limits beat all others
 *   label        tallyman.memory.max, tallyman.memory.high, tallyman.swap.max,
 *                tallyman.cpu.weight, tallyman.cpu.max, tallyman.pids.max,
 *                tallyman.io.weight; and SWAP, as below
 *   environment  SWAP=1 takes away the limits of memory and swap (the contract
 *                of convox/agent); SWAP=512m allows so much swap
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup/cgroup.h"
#include "core/select.h"
#include "docker/docker.h"

/*
 * The value of one limit as people write it:
 *
 *   memory.max, memory.high  size, at least 6m (the Engine's own minimum), max
 *   swap.max                 size, 0 or at least 4k, max
 *   cpu.max                  cores, 0.01 … 8192, max (result: 1/1000 cores)
 *   cpu.weight, io.weight    1 … 10000
 *   pids.max                 1 … 4194304, max
 *
 * A size is a decimal number, perhaps with a fraction, and one of k, m, g, t
 * (powers of 1024; "ki", "kb" and "kib" mean the same) or nothing for bytes.
 * -1: *err says what is wrong with the text.
 */
int tally_limit_parse(tally_limit_t limit, const char *text, uint64_t *value,
                      tally_error_t *err);

typedef enum tally_trust_e {
  TALLY_TRUST_DEFAULT = 0, /* as the policy says */
  TALLY_TRUST_YES,
  TALLY_TRUST_NO,
} tally_trust_t;

/* A rule of the configuration. A container must match each kind of pattern
 * that is given; a rule without patterns matches every container. */
typedef struct tally_limit_rule_s {
  char *name;
  tally_select_t *names;
  tally_select_t *images;
  tally_select_t *labels; /* against "key=value" */
  tally_limits_t limits;
  tally_trust_t labels_trusted; /* may its containers ask for more? */
  tally_trust_t environment_trusted;
  struct tally_limit_rule_s *next;
} tally_limit_rule_t;

tally_limit_rule_t *tally_limit_rule_create(const char *name);
void tally_limit_rules_destroy(tally_limit_rule_t *rules); /* all of a list */

typedef struct tally_limit_policy_s {
  tally_limit_rule_t *rules; /* in the order of the configuration */
  bool labels_trusted;
  bool environment_trusted;
} tally_limit_policy_t;

typedef enum tally_limit_source_e {
  TALLY_LIMIT_FROM_NOBODY = 0,
  TALLY_LIMIT_FROM_RULE,
  TALLY_LIMIT_FROM_LABEL,
  TALLY_LIMIT_FROM_ENVIRONMENT,
} tally_limit_source_t;
const char *tally_limit_source_name(tally_limit_source_t source);

/* Something a container asked for that makes no sense. */
typedef struct tally_limit_problem_s {
  tally_limit_source_t source;
  const char *key; /* borrowed from the container, as is the value */
  const char *value;
  tally_error_t why;
} tally_limit_problem_t;

/* One label per limit, and SWAP twice. */
#define TALLY_LIMIT_PROBLEMS_MAX (TALLY_LIMITS + 2)

typedef struct tally_wanted_s {
  tally_limits_t limits;
  tally_limit_source_t source[TALLY_LIMITS];
  const tally_limit_rule_t *rule; /* that matched, or NULL; borrowed */
  tally_limit_problem_t problems[TALLY_LIMIT_PROBLEMS_MAX];
  size_t problems_count;
} tally_wanted_t;

void tally_limits_wanted(const tally_limit_policy_t *policy,
                         const tally_container_t *container,
                         tally_wanted_t *wanted);
/* Whether any limit is to be set at all. */
bool tally_limits_any(const tally_limits_t *limits);

/* Whether "key=value" of any label matches. */
bool tally_labels_match(const tally_select_t *list, const tally_pair_t *labels,
                        size_t count);

#endif
