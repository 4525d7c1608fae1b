/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "logs/join.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

#define SEEN_MAX 1024 /* bytes of a line that the pattern sees */
#define KEPT_MAX 4096 /* of memory, while nothing is held */

struct tally_log_join_rule_s {
  regex_t start;
  unsigned max_lines;
  size_t max_bytes;
  uint64_t wait_ns;
};

tally_log_join_rule_t *tally_log_join_rule_create(const char *start,
                                                  unsigned max_lines,
                                                  size_t max_bytes,
                                                  unsigned wait_ms,
                                                  tally_error_t *err) {
  tally_log_join_rule_t *rule = calloc(1, sizeof(*rule));
  if (rule == NULL) {
    tally_error_set(err, ENOMEM, "pattern \"%s\"", start);
    return NULL;
  }
  *rule = (tally_log_join_rule_t){.max_lines = max_lines,
                                  .max_bytes = max_bytes,
                                  .wait_ns = wait_ms * TALLY_NS_PER_MS};
  int status = regcomp(&rule->start, start, REG_EXTENDED | REG_NOSUB);
  if (status == 0)
    return rule;
  char why[128];
  regerror(status, &rule->start, why, sizeof(why));
  tally_error_set(err, 0, "regular expression \"%s\": %s", start, why);
  free(rule);
  return NULL;
}

void tally_log_join_rule_destroy(tally_log_join_rule_t *rule) {
  if (rule == NULL)
    return;
  regfree(&rule->start);
  free(rule);
}

/* A pattern is the operator's, a line anybody's: what it can cost is bounded by
 * how much of it is looked at. */
static bool starts(const tally_log_join_rule_t *rule, const char *text,
                   size_t len) {
  char seen[SEEN_MAX + 1];
  if (len > SEEN_MAX)
    len = SEEN_MAX;
  memcpy(seen, text, len);
  seen[len] = '\0';
  return regexec(&rule->start, seen, 0, NULL, 0) == 0;
}

void tally_log_join_init(tally_log_join_t *join,
                         const tally_log_join_rule_t *rule) {
  *join = (tally_log_join_t){.rule = rule};
  if (rule != NULL)
    tally_buffer_init(&join->text, rule->max_bytes);
}

void tally_log_join_clear(tally_log_join_t *join) {
  if (join->rule != NULL)
    tally_buffer_clear(&join->text);
  *join = (tally_log_join_t){0};
}

bool tally_log_join_completes(const tally_log_join_t *join, const char *text,
                              size_t len) {
  if (join->lines == 0)
    return false;
  if (join->lines >= join->rule->max_lines ||
      len >= join->rule->max_bytes - join->text.len)
    return true;
  return starts(join->rule, text, len);
}

int tally_log_join_add(tally_log_join_t *join, const char *text, size_t len,
                       uint64_t time_ns, uint64_t now_ns) {
  size_t before = join->text.len;
  if ((join->lines > 0 && tally_buffer_append(&join->text, "\n", 1) != 0) ||
      tally_buffer_append(&join->text, text, len) != 0) {
    tally_buffer_truncate(&join->text, before);
    return -1;
  }
  if (join->lines++ == 0)
    join->time_ns = time_ns;
  join->due_ns = now_ns + join->rule->wait_ns;
  return 0;
}

void tally_log_join_drop(tally_log_join_t *join) {
  if (join->text.size > KEPT_MAX)
    tally_buffer_clear(&join->text);
  else
    tally_buffer_reset(&join->text);
  join->lines = 0;
}
