/* SPDX-License-Identifier: MIT */
/* Views: rows, their indexes and order; the board. */
#include "config.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "view.h"

#define A70                                                                    \
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A71 A70 "a" /* what is kept of a long text */

static tally_view_t *new_view(void) {
  tally_view_t *view = tally_view_create();
  assert_non_null(view);
  return view;
}

static void finish(tally_view_t *view) {
  tally_error_t err = {0};
  if (tally_view_finish(view, &err) != 0)
    fail_msg("%s", err.message);
}

/* The index as text: its bytes behind the length, which must be right. */
static const char *index_text(const tally_subid_t *index, size_t length) {
  static char text[TALLY_INDEX_MAX];
  assert_true(length >= 1 && length <= TALLY_INDEX_MAX);
  assert_int_equal(index[0], length - 1);
  for (size_t i = 1; i < length; i++) {
    assert_in_range(index[i], 1, 255);
    text[i - 1] = (char)index[i];
  }
  text[length - 1] = '\0';
  return text;
}

static void test_empty(void **state) {
  tally_view_t *view = new_view();
  finish(view);
  assert_int_equal(tally_view_count(view, TALLY_TABLE_NODE), 1);
  for (int table = TALLY_TABLE_DISKS; table < TALLY_TABLES; table++)
    assert_int_equal(tally_view_count(view, (tally_table_t)table), 0);
  const tally_node_row_t *node = tally_view_node(view);
  assert_ptr_equal(tally_view_row(view, TALLY_TABLE_NODE, 0), &node->row);
  assert_int_equal(node->row.index_length, 1);
  assert_int_equal(node->row.index[0], 0);
  assert_null(node->name);
  assert_null(node->version);
  assert_null(node->health_reason);
  assert_null(node->docker_version);
  assert_null(node->docker_api_version);
  assert_null(node->docker_problem);
  assert_null(node->sinks_problem);
  assert_true(node->cpu_percent == TALLY_UNKNOWN);
  assert_true(node->notifications_suppressed == TALLY_UNKNOWN);
  tally_view_unref(view);
}

static void test_rows(void **state) {
  tally_view_t *view = new_view();
  char name[] = "web";
  tally_container_row_t *c = tally_view_add_container(view, name);
  assert_non_null(c);
  name[0] = 'x'; /* texts are copies */
  assert_string_equal(c->name, "web");
  assert_string_equal(index_text(c->row.index, c->row.index_length), "web");
  assert_null(c->id);
  assert_null(c->image);
  assert_true(c->state == TALLY_UNKNOWN);
  assert_true(c->level == TALLY_UNKNOWN);

  tally_interface_row_t *i = tally_view_add_interface(view, "web", "eth0");
  assert_non_null(i);
  static const tally_subid_t index[] = {3,   'w', 'e', 'b', 4,
                                        'e', 't', 'h', '0'};
  assert_int_equal(i->row.index_length, COUNT_OF(index));
  assert_memory_equal(i->row.index, index, sizeof(index));
  assert_string_equal(i->container, "web");
  assert_string_equal(i->name, "eth0");
  assert_true(i->tx_dropped == TALLY_UNKNOWN);

  tally_disk_row_t *d = tally_view_add_disk(view, "/");
  assert_non_null(d);
  assert_string_equal(d->mount, "/");
  assert_null(d->device);
  assert_null(d->type);
  assert_true(d->level == TALLY_UNKNOWN);

  tally_sink_row_t *s = tally_view_add_sink(view, "write_nsq");
  assert_non_null(s);
  assert_string_equal(s->name, "write_nsq");
  assert_null(s->last_error_text);
  assert_true(s->state == TALLY_UNKNOWN);

  tally_alarm_row_t *a = tally_view_add_alarm(view, 17);
  assert_non_null(a);
  assert_int_equal(a->number, 17);
  assert_int_equal(a->row.index_length, 1);
  assert_int_equal(a->row.index[0], 17);
  assert_null(a->object);
  assert_null(a->cause);
  assert_null(a->text);
  assert_true(a->since_ns == TALLY_UNKNOWN);

  finish(view);
  tally_view_unref(view);
}

static void test_index(void **state) {
  static const struct {
    const char *text, *index;
  } cases[] = {
      {"", ""},
      {"web", "web"},
      {"/var/lib/docker", "/var/lib/docker"},
      {"/srv/caf\xc3\xa9", "/srv/caf\xc3\xa9"},
      /* 80 bytes fit */
      {A71 "123456789", A71 "123456789"},
      /* 81 do not; the hashes are FNV-1a */
      {A71 "1234567890", A71 "~c68c26ef"},
      {A71 "1234567891", A71 "~c58c255c"},
      /* a character that would be cut is left out as a whole */
      {A71 "\xc3\xa9 0123456789", A71 "~806ed979"},
      {A70 "\xc3\xa9 0123456789", A70 "~38d16a16"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_subid_t index[TALLY_INDEX_MAX];
    size_t length = tally_view_index(cases[i].text, index);
    assert_string_equal(index_text(index, length), cases[i].index);
  }
}

static void test_index_keeps_characters_whole(void **state) {
  char text[256];
  for (int before = 60; before < 90; before++) {
    /* é, €, 😀 somewhere around the cut, then more than fits */
    snprintf(text, sizeof(text), "%.*s%s%s", before, A71 A71,
             "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", A71);
    tally_subid_t index[TALLY_INDEX_MAX];
    size_t length = tally_view_index(text, index);
    assert_in_range(length, 1 + TALLY_INDEX_TEXT_MAX - 3, TALLY_INDEX_MAX);
    const char *shown = index_text(index, length);
    const char *mark = strchr(shown, '~');
    assert_non_null(mark);
    assert_int_equal(strlen(mark), 9);
    assert_memory_equal(shown, text, (size_t)(mark - shown));
    unsigned char first_cut = (unsigned char)text[mark - shown];
    assert_true((first_cut & 0xc0) != 0x80);
  }
}

static void test_long_names_stay_apart(void **state) {
  tally_view_t *view = new_view();
  char name[128];
  for (int i = 0; i < 100; i++) {
    snprintf(name, sizeof(name), A71 "-and-more-%d", i);
    tally_container_row_t *row = tally_view_add_container(view, name);
    assert_non_null(row);
    assert_int_equal(row->row.index_length, TALLY_INDEX_MAX);
    assert_string_equal(row->name, name);
  }
  finish(view);
  assert_int_equal(tally_view_count(view, TALLY_TABLE_CONTAINERS), 100);
  tally_view_unref(view);
}

/* ---- order ----------------------------------------------------------------
 */

static void test_sorted_as_snmp_compares(void **state) {
  static const char *const added[] = {"b", "aa", "", "a", "c", "ab", "zz", "B"};
  static const char *const sorted[] = {"",  "B",  "a",  "b",
                                       "c", "aa", "ab", "zz"};
  tally_view_t *view = new_view();
  for (size_t i = 0; i < COUNT_OF(added); i++)
    assert_non_null(tally_view_add_container(view, added[i]));
  for (size_t i = 0; i < COUNT_OF(added); i++) {
    const tally_container_row_t *row =
        (const void *)tally_view_row(view, TALLY_TABLE_CONTAINERS, i);
    assert_string_equal(row->name, added[i]);
  }
  finish(view);
  assert_int_equal(tally_view_count(view, TALLY_TABLE_CONTAINERS),
                   COUNT_OF(sorted));
  for (size_t i = 0; i < COUNT_OF(sorted); i++) {
    const tally_container_row_t *row =
        (const void *)tally_view_row(view, TALLY_TABLE_CONTAINERS, i);
    assert_string_equal(row->name, sorted[i]);
  }
  tally_view_unref(view);
}

static void test_first_of_equal_rows_stays(void **state) {
  tally_view_t *view = new_view();
  for (uint64_t i = 0; i < 300; i++) {
    char mount[16];
    snprintf(mount, sizeof(mount), "/%d", (int)(i * 7 % 60));
    tally_disk_row_t *row = tally_view_add_disk(view, mount);
    assert_non_null(row);
    row->total = i;
  }
  finish(view);
  assert_int_equal(tally_view_count(view, TALLY_TABLE_DISKS), 60);
  for (size_t i = 0; i < 60; i++) {
    const tally_disk_row_t *row =
        (const void *)tally_view_row(view, TALLY_TABLE_DISKS, i);
    assert_true(row->total < 60);
  }
  tally_view_unref(view);
}

static void test_alarms_in_order_of_numbers(void **state) {
  static const uint64_t numbers[] = {4294967295, 3, 10, 2, 3};
  static const uint64_t sorted[] = {2, 3, 10, 4294967295};
  tally_view_t *view = new_view();
  for (size_t i = 0; i < COUNT_OF(numbers); i++)
    assert_non_null(tally_view_add_alarm(view, numbers[i]));
  finish(view);
  assert_int_equal(tally_view_count(view, TALLY_TABLE_ALARMS),
                   COUNT_OF(sorted));
  for (size_t i = 0; i < COUNT_OF(sorted); i++) {
    const tally_alarm_row_t *row =
        (const void *)tally_view_row(view, TALLY_TABLE_ALARMS, i);
    assert_int_equal(row->number, sorted[i]);
  }
  tally_view_unref(view);
}

/* Texts that are longer than a chunk, and many short ones around them. */
static void test_texts(void **state) {
  enum { COUNT = 3000, LONG = 100000 };
  tally_view_t *view = new_view();
  static const char *texts[COUNT];
  char *large = malloc(LONG + 1);
  assert_non_null(large);
  memset(large, 'x', LONG);
  large[LONG] = '\0';
  const char *kept = NULL;
  for (int i = 0; i < COUNT; i++) {
    char text[32];
    snprintf(text, sizeof(text), "text number %d", i);
    texts[i] = tally_view_text(view, text);
    if (i == COUNT / 2)
      kept = tally_view_text(view, large);
  }
  for (int i = 0; i < COUNT; i++) {
    char text[32];
    snprintf(text, sizeof(text), "text number %d", i);
    assert_string_equal(texts[i], text);
  }
  assert_string_equal(kept, large);
  free(large);
  assert_null(tally_view_text(view, NULL));
  assert_string_equal(tally_view_text(view, ""), "");
  finish(view);
  tally_view_unref(view);
}

/* ---- the board ------------------------------------------------------------
 */

static void test_board(void **state) {
  tally_board_t *board = tally_board_create();
  assert_non_null(board);
  assert_null(tally_board_take(board));

  tally_view_t *first = new_view();
  finish(first);
  tally_board_publish(board, first);
  const tally_view_t *taken = tally_board_take(board);
  assert_ptr_equal(taken, first);

  tally_view_t *second = new_view();
  finish(second);
  tally_board_publish(board, second);
  /* what was taken lives on */
  assert_int_equal(tally_view_count(taken, TALLY_TABLE_NODE), 1);
  tally_view_unref(taken);
  taken = tally_board_take(board);
  assert_ptr_equal(taken, second);
  tally_board_destroy(board);
  assert_int_equal(tally_view_count(taken, TALLY_TABLE_NODE), 1);
  tally_view_unref(taken);
  tally_board_destroy(NULL);
  tally_view_unref(NULL);
}

enum { PUBLISHED = 2000 };

static atomic_bool published_all;

static void *read_views(void *data) {
  static char changed[] = "a view changed or an old one came back";
  static char missing[] = "the last view was not there";
  tally_board_t *board = data;
  uint64_t last = 0;
  bool end = false;
  while (!end) {
    end = atomic_load(&published_all);
    const tally_view_t *view = tally_board_take(board);
    if (view == NULL)
      continue;
    const tally_node_row_t *node =
        (const void *)tally_view_row(view, TALLY_TABLE_NODE, 0);
    const tally_container_row_t *row =
        (const void *)tally_view_row(view, TALLY_TABLE_CONTAINERS, 0);
    /* whole, and never older than the one before */
    if (row->restarts != node->processes || node->processes < last)
      return changed;
    last = node->processes;
    tally_view_unref(view);
  }
  return last == PUBLISHED ? NULL : missing;
}

static void test_board_with_threads(void **state) {
  tally_board_t *board = tally_board_create();
  pthread_t readers[2];
  atomic_store(&published_all, false);
  for (size_t i = 0; i < COUNT_OF(readers); i++)
    assert_int_equal(pthread_create(&readers[i], NULL, read_views, board), 0);
  for (uint64_t i = 1; i <= PUBLISHED; i++) {
    tally_view_t *view = new_view();
    tally_view_node(view)->processes = i;
    tally_view_add_container(view, "web")->restarts = i;
    finish(view);
    tally_board_publish(board, view);
  }
  atomic_store(&published_all, true);
  for (size_t i = 0; i < COUNT_OF(readers); i++) {
    void *problem = NULL;
    pthread_join(readers[i], &problem);
    if (problem != NULL)
      fail_msg("%s", (const char *)problem);
  }
  tally_board_destroy(board);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_empty),
      cmocka_unit_test(test_rows),
      cmocka_unit_test(test_index),
      cmocka_unit_test(test_index_keeps_characters_whole),
      cmocka_unit_test(test_long_names_stay_apart),
      cmocka_unit_test(test_sorted_as_snmp_compares),
      cmocka_unit_test(test_first_of_equal_rows_stays),
      cmocka_unit_test(test_alarms_in_order_of_numbers),
      cmocka_unit_test(test_texts),
      cmocka_unit_test(test_board),
      cmocka_unit_test(test_board_with_threads),
  };
  return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
