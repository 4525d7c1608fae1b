/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "container/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The variable of the contract, also understood as a label. */
#define SWAP_KEY "SWAP"
#define LABEL_PREFIX "tallyman."

const char *tally_limit_source_name(tally_limit_source_t source) {
  static const char *const names[] = {"nobody", "rule", "label", "environment"};
  return (size_t)source < sizeof(names) / sizeof(names[0]) ? names[source]
                                                           : names[0];
}

tally_limit_rule_t *tally_limit_rule_create(const char *name) {
  tally_limit_rule_t *rule = calloc(1, sizeof(*rule));
  if (rule == NULL || (rule->name = strdup(name)) == NULL) {
    free(rule);
    return NULL;
  }
  tally_limits_init(&rule->limits);
  return rule;
}

void tally_limit_rules_destroy(tally_limit_rule_t *rules) {
  while (rules != NULL) {
    tally_limit_rule_t *next = rules->next;
    free(rules->name);
    tally_select_destroy(rules->names);
    tally_select_destroy(rules->images);
    tally_select_destroy(rules->labels);
    free(rules);
    rules = next;
  }
}

bool tally_limits_any(const tally_limits_t *limits) {
  for (size_t i = 0; i < TALLY_LIMITS; i++)
    if (limits->value[i] != TALLY_UNKNOWN)
      return true;
  return false;
}

bool tally_labels_match(const tally_select_t *list, const tally_pair_t *labels,
                        size_t count) {
  if (tally_select_is_empty(list))
    return false;
  for (size_t i = 0; i < count; i++) {
    char text[1024]; /* what is longer is matched by its beginning */
    snprintf(text, sizeof(text), "%s=%s", labels[i].key, labels[i].value);
    if (tally_select_match(list, text))
      return true;
  }
  return false;
}

/* ---- who wants what ------------------------------------------------------ */

/* The first to say something about a limit is right. */
static void want(tally_wanted_t *w, tally_limit_t limit, uint64_t value,
                 tally_limit_source_t source) {
  if (w->limits.value[limit] != TALLY_UNKNOWN)
    return;
  w->limits.value[limit] = value;
  w->source[limit] = source;
}

static void note_problem(tally_wanted_t *w, tally_limit_source_t source,
                         const char *key, const char *value,
                         const tally_error_t *why) {
  if (w->problems_count < TALLY_LIMIT_PROBLEMS_MAX)
    w->problems[w->problems_count++] = (tally_limit_problem_t){
        .source = source, .key = key, .value = value, .why = *why};
}

static void want_text(tally_wanted_t *w, tally_limit_t limit,
                      tally_limit_source_t source, const char *key,
                      const char *text) {
  tally_error_t err = {0};
  uint64_t value;
  if (tally_limit_parse(limit, text, &value, &err) == 0)
    want(w, limit, value, source);
  else
    note_problem(w, source, key, text, &err);
}

static void want_swap(tally_wanted_t *w, tally_limit_source_t source,
                      const char *text) {
  if (text == NULL || text[0] == '\0')
    return;
  if (strcmp(text, "1") != 0) {
    want_text(w, TALLY_LIMIT_SWAP_MAX, source, SWAP_KEY, text);
    return;
  }
  want(w, TALLY_LIMIT_SWAP_MAX, TALLY_UNLIMITED, source);
  want(w, TALLY_LIMIT_MEMORY_HIGH, TALLY_UNLIMITED, source);
  want(w, TALLY_LIMIT_MEMORY_MAX, TALLY_UNLIMITED, source);
}

static bool rule_matches(const tally_limit_rule_t *rule,
                         const tally_container_t *c) {
  if (!tally_select_is_empty(rule->names) &&
      !tally_select_match(rule->names, c->name))
    return false;
  if (!tally_select_is_empty(rule->images) &&
      !tally_select_match(rule->images, c->image))
    return false;
  return tally_select_is_empty(rule->labels) ||
         tally_labels_match(rule->labels, c->labels, c->labels_count);
}

static bool trusted(tally_trust_t of_rule, bool of_policy) {
  return of_rule == TALLY_TRUST_DEFAULT ? of_policy
                                        : of_rule == TALLY_TRUST_YES;
}

static void want_labels(tally_wanted_t *w, const tally_container_t *c) {
  for (tally_limit_t limit = 0; limit < TALLY_LIMITS; limit++) {
    char key[64];
    snprintf(key, sizeof(key), LABEL_PREFIX "%s", tally_limit_name(limit));
    for (size_t i = 0; i < c->labels_count; i++)
      if (strcmp(c->labels[i].key, key) == 0)
        want_text(w, limit, TALLY_LIMIT_FROM_LABEL, c->labels[i].key,
                  c->labels[i].value);
  }
  want_swap(w, TALLY_LIMIT_FROM_LABEL, tally_container_label(c, SWAP_KEY));
}

void tally_limits_wanted(const tally_limit_policy_t *policy,
                         const tally_container_t *container,
                         tally_wanted_t *wanted) {
  memset(wanted, 0, sizeof(*wanted));
  tally_limits_init(&wanted->limits);

  tally_trust_t labels = TALLY_TRUST_DEFAULT;
  tally_trust_t environment = TALLY_TRUST_DEFAULT;
  const tally_limit_rule_t *rule = policy->rules;
  while (rule != NULL && !rule_matches(rule, container))
    rule = rule->next;
  if (rule != NULL) {
    wanted->rule = rule;
    for (size_t i = 0; i < TALLY_LIMITS; i++)
      if (rule->limits.value[i] != TALLY_UNKNOWN)
        want(wanted, (tally_limit_t)i, rule->limits.value[i],
             TALLY_LIMIT_FROM_RULE);
    labels = rule->labels_trusted;
    environment = rule->environment_trusted;
  }

  if (trusted(labels, policy->labels_trusted))
    want_labels(wanted, container);
  if (trusted(environment, policy->environment_trusted))
    want_swap(wanted, TALLY_LIMIT_FROM_ENVIRONMENT,
              tally_container_env(container, SWAP_KEY));
}
