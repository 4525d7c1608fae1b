/* SPDX-License-Identifier: MIT */
/* The MIB as a function of a view: every value by GET and by GETNEXT, the
 * exceptions, holes, hostile identifiers. */
#include "config.h"

#include "unit.h"

#include <limits.h>

#include "mib.h"
#include "mib_scene.h"

typedef struct oid_s {
  tally_subid_t subids[TALLY_MIB_OID_MAX];
  size_t length;
} oid_t;

static oid_t oid_of(const char *text) {
  oid_t oid = {.length = 0};
  while (*text != '\0') {
    char *end = NULL;
    oid.subids[oid.length++] = strtoul(text, &end, 10);
    text = *end == '.' ? end + 1 : end;
  }
  return oid;
}

static const char *text_of(const oid_t *oid) {
  static char text[2048];
  size_t at = 0;
  text[0] = '\0';
  for (size_t i = 0; i < oid->length && at < sizeof(text) - 24; i++)
    at += (size_t)sprintf(text + at, "%s%lu", i > 0 ? "." : "", oid->subids[i]);
  return text;
}

static int compare(const oid_t *a, const oid_t *b) {
  return tally_mib_compare(a->subids, a->length, b->subids, b->length);
}

static bool next_of(const tally_view_t *view, const oid_t *oid, oid_t *next,
                    tally_mib_value_t *value) {
  return tally_mib_next(view, oid->subids, oid->length, next->subids,
                        &next->length, value);
}

static void check_value(const mib_scene_value_t *wanted,
                        const tally_mib_value_t *value) {
  if (value->syntax != wanted->syntax)
    fail_msg("%s: syntax %d", wanted->oid, (int)value->syntax);
  char text[256] = "";
  switch (value->syntax) {
  case TALLY_SYNTAX_DATE:
    for (size_t i = 0; i < value->text_length; i++)
      sprintf(text + 2 * i, "%02x", (unsigned char)value->text[i]);
    assert_string_equal(text, wanted->text);
    break;
  case TALLY_SYNTAX_TEXT:
    memcpy(text, value->text, value->text_length);
    assert_string_equal(text, wanted->text);
    break;
  case TALLY_SYNTAX_TICKS:
    assert_in_range(value->number, wanted->number, wanted->number + 6000);
    break;
  default:
    if (value->number != wanted->number)
      fail_msg("%s: %ju", wanted->oid, (uintmax_t)value->number);
  }
}

/* ---- the scene ------------------------------------------------------------
 */

static void test_every_value_by_get(void **state) {
  tally_view_t *view = mib_scene_view();
  for (size_t i = 0; i < mib_scene_values_count; i++) {
    oid_t oid = oid_of(mib_scene_values[i].oid);
    tally_mib_value_t value;
    if (tally_mib_get(view, oid.subids, oid.length, &value) != TALLY_MIB_FOUND)
      fail_msg("%s is not there", mib_scene_values[i].oid);
    check_value(&mib_scene_values[i], &value);
  }
  tally_view_unref(view);
}

static void test_every_value_by_next(void **state) {
  tally_view_t *view = mib_scene_view();
  oid_t oid = {.length = 0}; /* and written over */
  tally_mib_value_t value;
  for (size_t i = 0; i < mib_scene_values_count; i++) {
    if (!next_of(view, &oid, &oid, &value))
      fail_msg("nothing where %s should be", mib_scene_values[i].oid);
    assert_string_equal(text_of(&oid), mib_scene_values[i].oid);
    check_value(&mib_scene_values[i], &value);
  }
  assert_false(next_of(view, &oid, &oid, &value));
  tally_view_unref(view);
}

static void test_scene_is_sorted(void **state) {
  for (size_t i = 1; i < mib_scene_values_count; i++) {
    oid_t before = oid_of(mib_scene_values[i - 1].oid);
    oid_t oid = oid_of(mib_scene_values[i].oid);
    assert_true(compare(&before, &oid) < 0);
  }
}

/* From just before and just behind each, and from its parents. */
static void test_next_from_anywhere(void **state) {
  tally_view_t *view = mib_scene_view();
  for (size_t i = 0; i < mib_scene_values_count; i++) {
    oid_t oid = oid_of(mib_scene_values[i].oid), from = oid, next;
    tally_mib_value_t value;
    from.subids[from.length++] = 0;
    bool found = next_of(view, &from, &next, &value);
    if (i + 1 < mib_scene_values_count) {
      assert_true(found);
      assert_string_equal(text_of(&next), mib_scene_values[i + 1].oid);
    } else {
      assert_false(found);
    }
    for (from = oid; from.length > 0; from.length--)
      if (next_of(view, &from, &next, &value) && from.length < oid.length)
        assert_true(compare(&next, &oid) <= 0);
    from = oid;
    if (from.subids[from.length - 1]-- > 0) {
      assert_true(next_of(view, &from, &next, &value));
      assert_true(compare(&next, &oid) <= 0);
      from.subids[from.length] = ULONG_MAX;
      from.length++;
      assert_true(next_of(view, &from, &next, &value));
      assert_true(compare(&next, &oid) <= 0);
    }
  }
  tally_view_unref(view);
}

/* ---- exceptions -----------------------------------------------------------
 */

static void test_exceptions(void **state) {
  static const struct {
    const char *oid;
    tally_mib_status_t status;
  } cases[] = {
      {"", TALLY_MIB_NO_SUCH_OBJECT},
      {"1", TALLY_MIB_NO_SUCH_OBJECT},
      {"1.1", TALLY_MIB_NO_SUCH_OBJECT},
      {"1.1.0", TALLY_MIB_NO_SUCH_OBJECT},
      {"1.1.38.0", TALLY_MIB_NO_SUCH_OBJECT},
      {"1.1.2", TALLY_MIB_NO_SUCH_INSTANCE},
      {"1.1.2.1", TALLY_MIB_NO_SUCH_INSTANCE},
      {"1.1.2.0", TALLY_MIB_FOUND},
      {"1.1.2.0.0", TALLY_MIB_NO_SUCH_INSTANCE},
      {"1.1.1.0", TALLY_MIB_NO_SUCH_INSTANCE}, /* not known */
      {"1.2", TALLY_MIB_NO_SUCH_OBJECT},
      {"1.2.1", TALLY_MIB_NO_SUCH_OBJECT},
      {"1.2.2.2.1.47", TALLY_MIB_NO_SUCH_OBJECT},
      {"1.2.1.1.1.47", TALLY_MIB_NO_SUCH_OBJECT}, /* not accessible */
      {"1.2.1.15.1.47", TALLY_MIB_NO_SUCH_OBJECT},
      {"1.2.1.2", TALLY_MIB_NO_SUCH_INSTANCE},
      {"1.2.1.2.1.47", TALLY_MIB_FOUND},
      {"1.2.1.2.1.46", TALLY_MIB_NO_SUCH_INSTANCE},
      {"1.2.1.2.47", TALLY_MIB_NO_SUCH_INSTANCE},
      {"1.2.1.2.1.47.0", TALLY_MIB_NO_SUCH_INSTANCE},
      {"1.2.1.4.1.47", TALLY_MIB_NO_SUCH_INSTANCE}, /* a hole */
      {"1.3.1.5.2.100.98", TALLY_MIB_FOUND},
      {"1.3.1.5.2.100.4294967394", TALLY_MIB_NO_SUCH_INSTANCE},
      {"1.4.1.4.3.119.101.98", TALLY_MIB_NO_SUCH_INSTANCE},
      {"1.6.1.2.2", TALLY_MIB_FOUND},
      {"1.6.1.2.3", TALLY_MIB_NO_SUCH_INSTANCE},
      {"1.7.1.0", TALLY_MIB_NO_SUCH_OBJECT}, /* for notifications only */
      {"0.1", TALLY_MIB_NO_SUCH_OBJECT},
      {"2.2.1", TALLY_MIB_NO_SUCH_OBJECT},
  };
  tally_view_t *view = mib_scene_view();
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    oid_t oid = oid_of(cases[i].oid);
    tally_mib_value_t value;
    if (tally_mib_get(view, oid.subids, oid.length, &value) != cases[i].status)
      fail_msg("%s", cases[i].oid);
  }
  tally_view_unref(view);
}

static void test_no_view(void **state) {
  oid_t oid = oid_of("1.1.2.0"), next;
  tally_mib_value_t value;
  assert_int_equal(tally_mib_get(NULL, oid.subids, oid.length, &value),
                   TALLY_MIB_NO_SUCH_INSTANCE);
  oid = oid_of("1.1.99.0");
  assert_int_equal(tally_mib_get(NULL, oid.subids, oid.length, &value),
                   TALLY_MIB_NO_SUCH_OBJECT);
  oid.length = 0;
  assert_false(next_of(NULL, &oid, &next, &value));
}

static void test_empty_view(void **state) {
  tally_view_t *view = tally_view_create();
  assert_non_null(view);
  tally_view_node(view)->processes = 7;
  assert_int_equal(tally_view_finish(view, NULL), 0);
  oid_t oid = {.length = 0}, next;
  tally_mib_value_t value;
  assert_true(next_of(view, &oid, &next, &value));
  assert_string_equal(text_of(&next), "1.1.17.0");
  assert_int_equal(value.number, 7);
  assert_false(next_of(view, &next, &next, &value));
  oid = oid_of("1.3.1.5.3.119.101.98");
  assert_int_equal(tally_mib_get(view, oid.subids, oid.length, &value),
                   TALLY_MIB_NO_SUCH_INSTANCE);
  tally_view_unref(view);
}

/* ---- values ---------------------------------------------------------------
 */

static tally_mib_value_t get(const tally_view_t *view, const char *text) {
  oid_t oid = oid_of(text);
  tally_mib_value_t value;
  if (tally_mib_get(view, oid.subids, oid.length, &value) != TALLY_MIB_FOUND)
    fail_msg("%s is not there", text);
  return value;
}

static void test_bounds_of_values(void **state) {
  tally_view_t *view = tally_view_create();
  assert_non_null(view);
  tally_node_row_t *node = tally_view_node(view);
  char longest[300];
  memset(longest, 'x', sizeof(longest) - 1);
  longest[sizeof(longest) - 1] = '\0';
  node->health_reason = tally_view_text(view, longest);
  memcpy(longest + 253, "\xe2\x82\xac", 3); /* 253, 254, 255 */
  node->docker_problem = tally_view_text(view, longest);
  node->name = tally_view_text(view, "");
  node->processes = UINT64_C(1) << 32;
  node->cpus = TALLY_UNLIMITED;
  node->load1 = UINT32_MAX;
  node->memory_total = TALLY_UNLIMITED;
  node->boot_ns = UINT64_MAX / 2; /* the clock was set back */
  node->sample_ns = 0;            /* more than 2^32 ticks ago */
  node->health_changed_ns = UINT64_C(951827696999999999);
  assert_int_equal(tally_view_finish(view, NULL), 0);

  assert_int_equal(get(view, "1.1.4.0").text_length, 255);
  assert_int_equal(get(view, "1.1.21.0").text_length, 253);
  assert_int_equal(get(view, "1.1.1.0").text_length, 0);
  assert_int_equal(get(view, "1.1.17.0").number, UINT32_MAX);
  assert_int_equal(get(view, "1.1.8.0").number, UINT32_MAX);
  assert_int_equal(get(view, "1.1.9.0").number, UINT32_MAX);
  assert_true(get(view, "1.1.12.0").number == TALLY_UNLIMITED);
  assert_int_equal(get(view, "1.1.6.0").number, 0);
  assert_in_range(get(view, "1.1.31.0").number, 0, UINT32_MAX);
  /* 2000-02-29 12:34:56.9 */
  oid_t oid = oid_of("1.1.5.0");
  tally_mib_value_t value;
  assert_int_equal(tally_mib_get(view, oid.subids, oid.length, &value), 0);
  assert_int_equal(value.text_length, 11);
  assert_memory_equal(value.text, "\x07\xd0\x02\x1d\x0c\x22\x38\x09+\0\0", 11);
  tally_view_unref(view);
}

/* ---- hostile identifiers --------------------------------------------------
 */

static void test_hostile_identifiers(void **state) {
  tally_view_t *view = mib_scene_view();
  oid_t oid, next;
  tally_mib_value_t value;
  static const tally_subid_t fillers[] = {0, 1, 255, UINT32_MAX, ULONG_MAX};
  for (size_t i = 0; i < mib_scene_values_count; i++)
    for (size_t f = 0; f < COUNT_OF(fillers); f++) {
      oid_t scene = oid_of(mib_scene_values[i].oid);
      for (size_t kept = 0; kept <= scene.length; kept++) {
        oid = scene;
        for (oid.length = kept; oid.length < TALLY_MIB_OID_MAX; oid.length++)
          oid.subids[oid.length] = fillers[f];
        assert_int_not_equal(
            tally_mib_get(view, oid.subids, oid.length, &value),
            TALLY_MIB_FOUND);
        if (next_of(view, &oid, &next, &value))
          assert_true(compare(&next, &oid) > 0);
      }
    }
  tally_view_unref(view);
}

/* ---- any view -------------------------------------------------------------
 */

static uint64_t random_state;

static uint32_t random_below(uint32_t limit) {
  random_state =
      random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
  return (uint32_t)(random_state >> 33) % limit;
}

static const char *random_name(char name[16]) {
  size_t length = random_below(6);
  for (size_t i = 0; i < length; i++)
    name[i] = (char)('a' + random_below(3));
  name[length] = '\0';
  return name;
}

/* Sets some of the members behind the index, whatever they are called. */
static void sprinkle(tally_view_t *view, void *row,
                     const tally_mib_table_t *table, uint32_t one_in) {
  for (size_t i = 0; i < table->columns_count; i++) {
    const tally_mib_column_t *column = &table->columns[i];
    if (random_below(one_in) != 0)
      continue;
    char *member = (char *)row + column->field;
    char name[16];
    if (column->syntax == TALLY_SYNTAX_TEXT)
      *(const char **)member = tally_view_text(view, random_name(name));
    else
      *(uint64_t *)member = random_below(1000);
  }
}

static tally_view_t *random_view(void) {
  tally_view_t *view = tally_view_create();
  assert_non_null(view);
  uint32_t one_in = 1 + random_below(8);
  sprinkle(view, tally_view_node(view), tally_mib_tables[0], one_in);
  uint32_t rows = random_below(30);
  for (uint32_t i = 0; i < rows; i++) {
    char one[16], other[16];
    void *added[] = {
        tally_view_add_disk(view, random_name(one)),
        tally_view_add_container(view, random_name(one)),
        tally_view_add_interface(view, random_name(one), random_name(other)),
        tally_view_add_sink(view, random_name(one)),
        tally_view_add_alarm(view, random_below(100)),
    };
    for (size_t table = 0; table < COUNT_OF(added); table++)
      sprinkle(view, added[table], tally_mib_tables[table + 1], one_in);
  }
  assert_int_equal(tally_view_finish(view, NULL), 0);
  return view;
}

/* GETNEXT shows exactly what GET finds, in order: all of it is counted through
 * the columns and rows. */
static void test_next_is_all_of_get(void **state) {
  for (uint64_t seed = 0; seed < 300; seed++) {
    random_state = seed;
    tally_view_t *view = random_view();
    size_t by_get = 0, by_next = 0;
    tally_mib_value_t value;
    oid_t oid;
    for (size_t t = 0; t < tally_mib_tables_count; t++) {
      const tally_mib_table_t *table = tally_mib_tables[t];
      for (size_t c = 0; c < table->columns_count; c++)
        for (size_t r = 0; r < tally_view_count(view, table->table); r++) {
          const tally_row_t *row = tally_view_row(view, table->table, r);
          oid.length = table->base_length + 1 + row->index_length;
          memcpy(oid.subids, table->base,
                 table->base_length * sizeof(oid.subids[0]));
          oid.subids[table->base_length] = table->columns[c].subid;
          memcpy(oid.subids + table->base_length + 1, row->index,
                 row->index_length * sizeof(oid.subids[0]));
          by_get += tally_mib_get(view, oid.subids, oid.length, &value) ==
                    TALLY_MIB_FOUND;
        }
    }
    oid_t next;
    for (oid.length = 0; next_of(view, &oid, &next, &value); oid = next) {
      by_next++;
      assert_true(compare(&oid, &next) < 0);
      assert_int_equal(tally_mib_get(view, next.subids, next.length, &value),
                       TALLY_MIB_FOUND);
    }
    if (by_get != by_next)
      fail_msg("seed %ju: %zu by GET, %zu by GETNEXT", (uintmax_t)seed, by_get,
               by_next);
    tally_view_unref(view);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_scene_is_sorted),
      cmocka_unit_test(test_every_value_by_get),
      cmocka_unit_test(test_every_value_by_next),
      cmocka_unit_test(test_next_from_anywhere),
      cmocka_unit_test(test_exceptions),
      cmocka_unit_test(test_no_view),
      cmocka_unit_test(test_empty_view),
      cmocka_unit_test(test_bounds_of_values),
      cmocka_unit_test(test_hostile_identifiers),
      cmocka_unit_test(test_next_is_all_of_get),
  };
  return cmocka_run_group_tests_name("mib", tests, NULL, NULL);
}
