/* SPDX-License-Identifier: MIT */
/* Walks while containers come and go: each step may meet another view. */
#include "config.h"

#include "unit.h"

#include "mib.h"

enum { NAMES = 60, STATE_COLUMN = 5, MEMORY_COLUMN = 21 };

static uint64_t random_state;

static uint32_t random_below(uint32_t limit) {
  random_state = random_state * UINT64_C(6364136223846793005) + 7411;
  return (uint32_t)(random_state >> 33) % limit;
}

/* Two in three of the names that may, and all that live through the walk; of
 * the memory column only the latter. */
static tally_view_t *next_view(const bool lasting[NAMES]) {
  tally_view_t *view = tally_view_create();
  assert_non_null(view);
  for (int i = 0; i < NAMES; i++) {
    if (!lasting[i] && random_below(3) == 0)
      continue;
    char name[32];
    snprintf(name, sizeof(name), "%.*s%d", i % 7, "containers", i);
    tally_container_row_t *row = tally_view_add_container(view, name);
    assert_non_null(row);
    row->state = 3;
    if (lasting[i])
      row->memory_used = (uint64_t)i;
  }
  assert_int_equal(tally_view_finish(view, NULL), 0);
  return view;
}

static void walk(uint32_t change_one_in) {
  bool lasting[NAMES];
  size_t living = 0;
  for (int i = 0; i < NAMES; i++)
    living += lasting[i] = random_below(2) == 0;

  tally_subid_t oid[TALLY_MIB_OID_MAX] = {1, 3, 1}, next[TALLY_MIB_OID_MAX];
  size_t length = 3, next_length = 0, rows = 0, memories = 0, steps = 0;
  bool seen[NAMES] = {false};
  tally_mib_value_t value;
  tally_view_t *view = next_view(lasting);
  while (tally_mib_next(view, oid, length, next, &next_length, &value)) {
    assert_true(tally_mib_compare(oid, length, next, next_length) < 0);
    assert_true(steps++ < 3 * NAMES);
    if (next[3] == MEMORY_COLUMN) {
      assert_false(seen[value.number]);
      seen[value.number] = true;
      memories++;
    } else if (next[3] == STATE_COLUMN) {
      rows++;
    }
    memcpy(oid, next, next_length * sizeof(next[0]));
    length = next_length;
    if (random_below(change_one_in) == 0) {
      tally_view_unref(view);
      view = next_view(lasting);
    }
  }
  tally_view_unref(view);
  assert_int_equal(memories, living); /* nobody was left out */
  assert_in_range(rows, living, NAMES);
}

static void test_walks_while_rows_change(void **state) {
  for (uint64_t seed = 1; seed <= 100; seed++) {
    random_state = seed;
    walk(1 + (uint32_t)(seed % 20));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_walks_while_rows_change),
  };
  return cmocka_run_group_tests_name("mib_churn", tests, NULL, NULL);
}
