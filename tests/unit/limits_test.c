/* SPDX-License-Identifier: MIT */
/* What limits a container should have: values, rules, labels, environment. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "container/limits.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define MAX TALLY_UNLIMITED
#define NONE TALLY_UNKNOWN

static void test_values(void **state) {
  static const struct {
    tally_limit_t limit;
    const char *text;
    uint64_t value;
  } cases[] = {
      {TALLY_LIMIT_MEMORY_MAX, "512m", 512 * MIB},
      {TALLY_LIMIT_MEMORY_MAX, "512M", 512 * MIB},
      {TALLY_LIMIT_MEMORY_MAX, "512MiB", 512 * MIB},
      {TALLY_LIMIT_MEMORY_MAX, "512mb", 512 * MIB},
      {TALLY_LIMIT_MEMORY_MAX, "1.5g", 1536 * MIB},
      {TALLY_LIMIT_MEMORY_MAX, "0.5t", 512 * GIB},
      {TALLY_LIMIT_MEMORY_MAX, "1.999999999t", 2199023254452},
      {TALLY_LIMIT_MEMORY_MAX, "6291456", 6 * MIB},
      {TALLY_LIMIT_MEMORY_MAX, "8388607t", 8388607 * (UINT64_C(1) << 40)},
      {TALLY_LIMIT_MEMORY_HIGH, "max", MAX},
      {TALLY_LIMIT_MEMORY_HIGH, "MAX", MAX},
      {TALLY_LIMIT_SWAP_MAX, "0", 0},
      {TALLY_LIMIT_SWAP_MAX, "4096", 4096},
      {TALLY_LIMIT_SWAP_MAX, "4k", 4096},
      {TALLY_LIMIT_CPU_MAX, "1.5", 1500},
      {TALLY_LIMIT_CPU_MAX, "0.01", 10},
      {TALLY_LIMIT_CPU_MAX, "8192", 8192000},
      {TALLY_LIMIT_CPU_MAX, "max", MAX},
      {TALLY_LIMIT_CPU_WEIGHT, "1", 1},
      {TALLY_LIMIT_CPU_WEIGHT, "10000", 10000},
      {TALLY_LIMIT_IO_WEIGHT, "100", 100},
      {TALLY_LIMIT_PIDS_MAX, "1", 1},
      {TALLY_LIMIT_PIDS_MAX, "max", MAX},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint64_t value = 0;
    tally_error_t err = {0};
    if (tally_limit_parse(cases[i].limit, cases[i].text, &value, &err) != 0)
      fail_msg("%s: %s", cases[i].text, err.message);
    assert_int_equal(value, cases[i].value);
  }
}

static void test_bad_values(void **state) {
  static const struct {
    tally_limit_t limit;
    const char *text;
  } cases[] = {
      {TALLY_LIMIT_MEMORY_MAX, ""},
      {TALLY_LIMIT_MEMORY_MAX, "m"},
      {TALLY_LIMIT_MEMORY_MAX, "64"}, /* the unit was forgotten */
      {TALLY_LIMIT_MEMORY_MAX, "5m"},
      {TALLY_LIMIT_MEMORY_MAX, "0"},
      {TALLY_LIMIT_MEMORY_MAX, "-1"},
      {TALLY_LIMIT_MEMORY_MAX, " 512m"},
      {TALLY_LIMIT_MEMORY_MAX, "512m "},
      {TALLY_LIMIT_MEMORY_MAX, "512 m"},
      {TALLY_LIMIT_MEMORY_MAX, "512mm"},
      {TALLY_LIMIT_MEMORY_MAX, "512x"},
      {TALLY_LIMIT_MEMORY_MAX, "1e9"},
      {TALLY_LIMIT_MEMORY_MAX, "1.g"},
      {TALLY_LIMIT_MEMORY_MAX, ".5g"},
      {TALLY_LIMIT_MEMORY_MAX, "0x1000000"},
      {TALLY_LIMIT_MEMORY_MAX, "8388608t"},
      {TALLY_LIMIT_MEMORY_MAX, "18446744073709551615"},
      {TALLY_LIMIT_MEMORY_MAX, "99999999999999999999999999"},
      {TALLY_LIMIT_MEMORY_MAX, "maximum"},
      {TALLY_LIMIT_SWAP_MAX, "2"},
      {TALLY_LIMIT_SWAP_MAX, "true"},
      {TALLY_LIMIT_CPU_MAX, "0"},
      {TALLY_LIMIT_CPU_MAX, "0.009"},
      {TALLY_LIMIT_CPU_MAX, "8192.5"},
      {TALLY_LIMIT_CPU_MAX, "99999999999999999999"},
      {TALLY_LIMIT_CPU_MAX, "1,5"},
      {TALLY_LIMIT_CPU_WEIGHT, "0"},
      {TALLY_LIMIT_CPU_WEIGHT, "10001"},
      {TALLY_LIMIT_CPU_WEIGHT, "max"},
      {TALLY_LIMIT_IO_WEIGHT, "1.5"},
      {TALLY_LIMIT_PIDS_MAX, "0"},
      {TALLY_LIMIT_PIDS_MAX, "4194305"},
      {TALLY_LIMIT_PIDS_MAX, "10k"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint64_t value = 0;
    tally_error_t err = {0};
    if (tally_limit_parse(cases[i].limit, cases[i].text, &value, &err) == 0)
      fail_msg("\"%s\" was taken", cases[i].text);
    /* the message shows what was written */
    assert_non_null(strstr(err.message, cases[i].text));
  }
}

/* ---- joining ------------------------------------------------------------- */

static tally_wanted_t wanted_by(const tally_limit_policy_t *policy,
                                const tally_pair_t *labels, size_t labels_count,
                                const char *swap) {
  tally_pair_t env[] = {{"PATH", "/bin"}, {"SWAP", swap}};
  tally_container_t c = {.name = "web",
                         .image = "shop/web:3",
                         .labels = labels,
                         .labels_count = labels_count,
                         .env = env,
                         .env_count = swap != NULL ? 2 : 1};
  tally_wanted_t w;
  tally_limits_wanted(policy, &c, &w);
  return w;
}

#define assert_limits(w, max, high, swap)                                      \
  do {                                                                         \
    assert_int_equal((w).limits.value[TALLY_LIMIT_MEMORY_MAX], max);           \
    assert_int_equal((w).limits.value[TALLY_LIMIT_MEMORY_HIGH], high);         \
    assert_int_equal((w).limits.value[TALLY_LIMIT_SWAP_MAX], swap);            \
  } while (0)

static const tally_limit_policy_t trusting = {NULL, true, true};

static void test_environment(void **state) {
  tally_wanted_t w = wanted_by(&trusting, NULL, 0, NULL);
  assert_false(tally_limits_any(&w.limits));

  w = wanted_by(&trusting, NULL, 0, "1");
  assert_limits(w, MAX, MAX, MAX);
  assert_int_equal(w.source[TALLY_LIMIT_MEMORY_MAX],
                   TALLY_LIMIT_FROM_ENVIRONMENT);
  assert_int_equal(w.problems_count, 0);

  w = wanted_by(&trusting, NULL, 0, "512m");
  assert_limits(w, NONE, NONE, 512 * MIB);

  w = wanted_by(&trusting, NULL, 0, "");
  assert_false(tally_limits_any(&w.limits));
  assert_int_equal(w.problems_count, 0);
}

static void test_problem_breaks_nothing_else(void **state) {
  tally_pair_t labels[] = {{"tallyman.cpu.weight", "a lot"},
                           {"tallyman.pids.max", "20"}};
  tally_wanted_t w = wanted_by(&trusting, labels, 2, "yes");
  assert_int_equal(w.limits.value[TALLY_LIMIT_PIDS_MAX], 20);
  assert_int_equal(w.limits.value[TALLY_LIMIT_CPU_WEIGHT], NONE);
  assert_int_equal(w.problems_count, 2);
  assert_string_equal(w.problems[0].key, "tallyman.cpu.weight");
  assert_string_equal(w.problems[0].value, "a lot");
  assert_int_equal(w.problems[0].source, TALLY_LIMIT_FROM_LABEL);
  assert_string_equal(w.problems[1].key, "SWAP");
  assert_string_equal(w.problems[1].value, "yes");
  assert_int_equal(w.problems[1].source, TALLY_LIMIT_FROM_ENVIRONMENT);
  assert_non_null(strstr(w.problems[1].why.message, "not a size"));
}

static void test_labels_beat_environment(void **state) {
  tally_pair_t labels[] = {{"tallyman.memory.max", "1g"},
                           {"tallyman.cpu.max", "0.5"},
                           {"tallyman.io.weight", "50"}};
  tally_wanted_t w = wanted_by(&trusting, labels, 3, "1");
  assert_limits(w, GIB, MAX, MAX);
  assert_int_equal(w.limits.value[TALLY_LIMIT_CPU_MAX], 500);
  assert_int_equal(w.limits.value[TALLY_LIMIT_IO_WEIGHT], 50);
  assert_int_equal(w.source[TALLY_LIMIT_MEMORY_MAX], TALLY_LIMIT_FROM_LABEL);
  assert_int_equal(w.source[TALLY_LIMIT_SWAP_MAX],
                   TALLY_LIMIT_FROM_ENVIRONMENT);

  tally_pair_t swap[] = {{"SWAP", "64m"}, {"tallyman.swap.max", "32m"}};
  w = wanted_by(&trusting, swap, 2, "1");
  assert_int_equal(w.limits.value[TALLY_LIMIT_SWAP_MAX], 32 * MIB);
  w = wanted_by(&trusting, swap, 1, "128m");
  assert_int_equal(w.limits.value[TALLY_LIMIT_SWAP_MAX], 64 * MIB);
}

static void test_trust(void **state) {
  tally_pair_t labels[] = {{"tallyman.memory.max", "1g"}};
  tally_limit_policy_t policy = {NULL, false, true};
  tally_wanted_t w = wanted_by(&policy, labels, 1, "64m");
  assert_limits(w, NONE, NONE, 64 * MIB);
  policy = (tally_limit_policy_t){NULL, true, false};
  w = wanted_by(&policy, labels, 1, "64m");
  assert_limits(w, GIB, NONE, NONE);
  /* what is not trusted is not even looked at */
  policy = (tally_limit_policy_t){NULL, false, false};
  w = wanted_by(&policy, labels, 1, "nonsense");
  assert_int_equal(w.problems_count, 0);
}

static tally_limit_rule_t *rule(const char *name, const char *image,
                                const char *label, uint64_t memory_max) {
  tally_limit_rule_t *r = tally_limit_rule_create(name);
  assert_non_null(r);
  if (image != NULL) {
    r->images = tally_select_create();
    assert_int_equal(tally_select_add(r->images, image, NULL), 0);
  }
  if (label != NULL) {
    r->labels = tally_select_create();
    assert_int_equal(tally_select_add(r->labels, label, NULL), 0);
  }
  r->limits.value[TALLY_LIMIT_MEMORY_MAX] = memory_max;
  return r;
}

static void test_rules(void **state) {
  tally_limit_policy_t policy = trusting;
  policy.rules = rule("both", "/^shop\\//", "tier=front", 100 * MIB);
  policy.rules->next = rule("image", "/^shop\\//", NULL, 200 * MIB);
  policy.rules->next->next = rule("rest", NULL, NULL, 300 * MIB);
  tally_pair_t front[] = {{"tallyman.memory.max", "1g"}, {"tier", "front"}};
  tally_pair_t back[] = {{"tier", "back"}};

  /* every kind of pattern must match, and the first such rule counts */
  tally_wanted_t w = wanted_by(&policy, front, 2, "1");
  assert_string_equal(w.rule->name, "both");
  assert_limits(w, 100 * MIB, MAX, MAX); /* the operator has the last word */
  assert_int_equal(w.source[TALLY_LIMIT_MEMORY_MAX], TALLY_LIMIT_FROM_RULE);

  w = wanted_by(&policy, back, 1, NULL);
  assert_string_equal(w.rule->name, "image");
  assert_limits(w, 200 * MIB, NONE, NONE);

  tally_container_t other = {.name = "db", .image = "postgres"};
  tally_limits_wanted(&policy, &other, &w);
  assert_string_equal(w.rule->name, "rest");

  /* a rule may withdraw or grant trust */
  policy.rules->environment_trusted = TALLY_TRUST_NO;
  w = wanted_by(&policy, front, 2, "1");
  assert_limits(w, 100 * MIB, NONE, NONE);
  policy.environment_trusted = false;
  policy.rules->environment_trusted = TALLY_TRUST_YES;
  w = wanted_by(&policy, front, 2, "1");
  assert_limits(w, 100 * MIB, MAX, MAX);
  tally_limit_rules_destroy(policy.rules);
}

static void test_labels_match(void **state) {
  tally_pair_t labels[] = {{"a", "1"}, {"tier", "front"}};
  tally_select_t *list = tally_select_create();
  assert_false(tally_labels_match(list, labels, 2));
  assert_int_equal(tally_select_add(list, "/^tier=f/", NULL), 0);
  assert_true(tally_labels_match(list, labels, 2));
  assert_false(tally_labels_match(list, labels, 1));
  assert_false(tally_labels_match(list, NULL, 0));
  tally_select_destroy(list);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values),
      cmocka_unit_test(test_bad_values),
      cmocka_unit_test(test_environment),
      cmocka_unit_test(test_problem_breaks_nothing_else),
      cmocka_unit_test(test_labels_beat_environment),
      cmocka_unit_test(test_trust),
      cmocka_unit_test(test_rules),
      cmocka_unit_test(test_labels_match),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
