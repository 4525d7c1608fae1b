/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "faults.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[FAULTS] = {
    [FAULT_NONE] = "none",
    [FAULT_THROTTLED] = "throttled",
    [FAULT_LIMITED] = "limited",
    [FAULT_INTERNAL] = "internal",
    [FAULT_UNAVAILABLE] = "unavailable",
    [FAULT_EXPIRED] = "expired",
    [FAULT_DENIED] = "denied",
    [FAULT_MISSING] = "missing",
    [FAULT_HANG] = "hang",
    [FAULT_RESET] = "reset",
    [FAULT_TAKEN_HANG] = "taken-hang",
    [FAULT_TAKEN_RESET] = "taken-reset",
    [FAULT_TAKEN_HALF] = "taken-half",
    [FAULT_TAKEN_GARBAGE] = "taken-garbage",
    [FAULT_DRIP] = "drip",
    [FAULT_RECORDS] = "records",
};

fault_t fault_by_name(const char *name) {
  fault_t fault = FAULT_NONE;
  while (fault < FAULTS && strcmp(names[fault], name) != 0)
    fault++;
  return fault;
}

const char *fault_name(fault_t fault) { return names[fault]; }

/* ---- rules
 * ------------------------------------------------------------------- */

static bool parse_often(const char *text, fault_rule_t *rule) {
  char *end;
  if (*text == 'x')
    rule->times = strtoull(text + 1, &end, 10);
  else
    rule->rate = strtod(text, &end);
  return end > text && *end == '\0' && rule->rate >= 0 && rule->rate <= 1;
}

static fault_rule_t *same_rule(faults_t *faults, const fault_rule_t *rule) {
  for (size_t i = 0; i < faults->count; i++) {
    fault_rule_t *other = &faults->rules[i];
    if (other->fault == rule->fault &&
        strcmp(other->operation, rule->operation) == 0 &&
        strcmp(other->resource, rule->resource) == 0)
      return other;
  }
  return NULL;
}

bool faults_add(faults_t *faults, const char *text) {
  fault_rule_t rule = {0};
  char where[320], name[32], often[32];
  if (sscanf(text, "%319s %31s %31s", where, name, often) != 3)
    return false;
  /* The resource of a log group has slashes of its own. */
  if (sscanf(where, "%63[^/]/%255s", rule.operation, rule.resource) < 1)
    return false;
  rule.fault = fault_by_name(name);
  if (rule.fault == FAULTS || !parse_often(often, &rule))
    return false;
  fault_rule_t *place = same_rule(faults, &rule);
  if (place == NULL && faults->count < FAULT_RULES_MAX)
    place = &faults->rules[faults->count++];
  if (place == NULL)
    return false;
  *place = rule;
  return true;
}

/* ---- chance
 * ------------------------------------------------------------------ */

/* xorshift64* */
static uint64_t next_random(faults_t *faults) {
  uint64_t x = faults->random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  faults->random = x;
  return x * UINT64_C(0x2545f4914f6cdd1d);
}

static bool happens(faults_t *faults, fault_rule_t *rule) {
  if (rule->times > 0)
    return --rule->times, true;
  return rule->rate > 0 &&
         (double)(next_random(faults) >> 11) < rule->rate * 0x1p53;
}

static bool is_about(const fault_rule_t *rule, const char *operation,
                     const char *resource) {
  return (strcmp(rule->operation, "*") == 0 ||
          strcmp(rule->operation, operation) == 0) &&
         (*rule->resource == '\0' || strcmp(rule->resource, resource) == 0);
}

fault_t faults_of_call(faults_t *faults, const char *operation,
                       const char *resource) {
  for (size_t i = 0; i < faults->count; i++) {
    fault_rule_t *rule = &faults->rules[i];
    if (rule->fault != FAULT_RECORDS && is_about(rule, operation, resource) &&
        happens(faults, rule)) {
      faults->happened[rule->fault]++;
      return rule->fault;
    }
  }
  return FAULT_NONE;
}

bool faults_of_record(faults_t *faults, const char *operation,
                      const char *resource) {
  for (size_t i = 0; i < faults->count; i++) {
    fault_rule_t *rule = &faults->rules[i];
    if (rule->fault == FAULT_RECORDS && is_about(rule, operation, resource) &&
        happens(faults, rule)) {
      faults->happened[FAULT_RECORDS]++;
      return true;
    }
  }
  return false;
}
