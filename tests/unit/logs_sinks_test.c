/* SPDX-License-Identifier: MIT */
/* The sinks that are open: lib/logs/sinks.c, lib/logs/sink_list.c. */
#include "config.h"

#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/log.h"
#include "logs/sink.h"
#include "logs/sink_list.h"
#include "tree.h"

static tree_t tree;
static char list[128];
static tally_log_sinks_t *sinks;
static atomic_uint sent, released, warnings;

/* ---- a kind -------------------------------------------------------------- */

static int send_all(void *data, const tally_record_t *records, size_t count,
                    tally_fate_t *fates, tally_answer_t *answer,
                    tally_error_t *err) {
  for (size_t i = 0; i < count; i++)
    fates[i] = TALLY_FATE_SENT;
  atomic_fetch_add(&sent, (unsigned)count);
  return 0;
}

static void release(void *data) { atomic_fetch_add(&released, 1); }

static int open_one(void *data, const char *target,
                    tally_destination_t *destination,
                    tally_outbox_options_t *outbox, tally_error_t *err) {
  if (strncmp(target, "bad", 3) == 0)
    return tally_error_set(err, 0, "\"%s\" is no name", target);
  *destination = (tally_destination_t){.send = send_all, .release = release};
  return 0;
}

static const tally_log_kind_t kind = {
    .name = "test", .record_max = 1 << 20, .open = open_one};
static const tally_log_kind_t *const kinds[] = {&kind, NULL};

static int prepare(const char *label, tally_outbox_options_t *options,
                   char *spool, size_t size, void *data, tally_error_t *err) {
  if (strstr(label, "nowhere") != NULL)
    return tally_error_set(err, ENAMETOOLONG, "spool");
  char name[TALLY_LOG_SINK_LABEL_SIZE];
  snprintf(name, sizeof(name), "%s", label);
  for (char *p = name; *p != '\0'; p++)
    if (*p == '/')
      *p = '_';
  snprintf(spool, size, "%s/%s", tree.root, name);
  options->name = label;
  options->spool = spool;
  options->durable = true;
  options->linger_ns = 1;
  return 0;
}

static void on_log(tally_log_level_t level, const char *text) {
  if (level == TALLY_LOG_WARNING)
    atomic_fetch_add(&warnings, 1);
}

/* ---- the scene ----------------------------------------------------------- */

static void start(void) {
  tally_log_sinks_options_t options = {
      .label = "logs", .list = list, .kinds = kinds, .prepare = prepare};
  sinks = tally_log_sinks_create(&options, NULL);
  assert_non_null(sinks);
}

static int set_up(void **state) {
  tree_create(&tree);
  snprintf(list, sizeof(list), "%s/logs.sinks", tree.root);
  tally_log_set_callback(on_log);
  sent = released = warnings = 0;
  start();
  return 0;
}

static int tear_down(void **state) {
  tally_log_sinks_destroy(sinks, 1000);
  tally_log_set_callback(NULL);
  tree_destroy(&tree);
  return 0;
}

static void count_one(tally_log_sink_t *sink, void **slot, void *data) {
  ++*(unsigned *)data;
  if (*slot == NULL)
    *slot = strdup(sink->label);
  assert_string_equal(*slot, sink->label);
}

static unsigned count(void) {
  unsigned n = 0;
  tally_log_sinks_each(sinks, count_one, &n);
  return n;
}

/* ---- one for each target ------------------------------------------------- */

static void test_one_for_each_target(void **state) {
  tally_log_sink_t *a = tally_log_sinks_acquire(sinks, &kind, "/a"),
                   *b = tally_log_sinks_acquire(sinks, &kind, "/b"),
                   *again = tally_log_sinks_acquire(sinks, &kind, "/a");
  assert_non_null(a);
  assert_ptr_equal(a, again);
  assert_ptr_not_equal(a, b);
  assert_string_equal(a->label, "logs-test-/a");
  assert_int_equal(a->room, 1 << 20);
  assert_int_equal(count(), 2);
  tally_log_sinks_release(sinks, a);
  tally_log_sinks_release(sinks, a);
  tally_log_sinks_release(sinks, b);
  tally_log_sinks_tend(sinks); /* somebody may want them again soon */
  assert_int_equal(count(), 2);
}

static void test_long_names(void **state) {
  char first[301], second[301];
  memset(first, 'n', 300);
  first[300] = '\0';
  memcpy(second, first, sizeof(second));
  second[299] = 'm';
  tally_log_sink_t *a = tally_log_sinks_acquire(sinks, &kind, first),
                   *b = tally_log_sinks_acquire(sinks, &kind, second);
  assert_true(strlen(a->label) < TALLY_LOG_SINK_LABEL_SIZE);
  assert_string_not_equal(a->label, b->label);
  assert_string_equal(a->target, first);
}

/* Without its spool a sink could take nothing and would never say so. */
static void test_no_place_for_a_spool(void **state) {
  assert_null(tally_log_sinks_acquire(sinks, &kind, "nowhere"));
  assert_int_equal(warnings, 1);
  assert_int_equal(count(), 0);
}

static void test_bad_names(void **state) {
  char longest[TALLY_LOG_TARGET_MAX + 2];
  memset(longest, 'n', sizeof(longest) - 1);
  longest[sizeof(longest) - 1] = '\0';
  assert_null(tally_log_sinks_acquire(sinks, &kind, longest));
  assert_null(tally_log_sinks_acquire(sinks, &kind, "two\nlines"));
  assert_null(tally_log_sinks_acquire(sinks, &kind, ""));
  assert_int_equal(warnings, 1);
  for (int i = 0; i < 3; i++)
    assert_null(tally_log_sinks_acquire(sinks, &kind, "bad"));
  assert_int_equal(warnings, 2); /* said once */
  assert_int_equal(count(), 0);
}

static void test_too_many(void **state) {
  for (unsigned i = 0; i < TALLY_LOG_SINKS_MAX + 2; i++) {
    char name[16];
    snprintf(name, sizeof(name), "bad%u", i);
    tally_log_sinks_acquire(sinks, &kind, name);
  }
  assert_int_equal(warnings, TALLY_LOG_SINKS_MAX + 1);
  assert_null(tally_log_sinks_acquire(sinks, &kind, "good"));
}

/* ---- what an earlier process left ---------------------------------------- */

static void test_spools_are_found_again(void **state) {
  tally_log_sink_t *a = tally_log_sinks_acquire(sinks, &kind, "/with blank");
  assert_non_null(a);
  tally_record_t record = {.data = "x", .len = 1};
  assert_int_equal(tally_outbox_put(a->outbox, &record), TALLY_LOSS_NONE);
  tally_log_sinks_release(sinks, a);
  tally_log_sinks_destroy(sinks, 1000);
  assert_int_equal(sent, 1);
  assert_int_equal(released, 1);

  start();
  assert_int_equal(count(), 0);
  tally_log_sinks_reopen(sinks);
  assert_int_equal(count(), 1);
  a = tally_log_sinks_acquire(sinks, &kind, "/with blank");
  assert_int_equal(count(), 1);
  tally_log_sinks_release(sinks, a);
}

/* One that cannot be opened now is not forgotten. */
static void test_what_cannot_be_opened_stays_in_the_list(void **state) {
  tree_write(&tree, "/logs.sinks", "test bad\nother x\nnonsense\ntest good\n");
  tally_log_sinks_reopen(sinks);
  assert_int_equal(count(), 1);
  assert_non_null(tally_log_sinks_acquire(sinks, &kind, "better"));
  FILE *stream = fopen(list, "r");
  char text[256] = "";
  assert_true(fread(text, 1, sizeof(text) - 1, stream) > 0);
  fclose(stream);
  assert_non_null(strstr(text, "test bad\n"));
  assert_non_null(strstr(text, "test good\n"));
  assert_non_null(strstr(text, "test better\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_one_for_each_target),
      TEST(test_long_names),
      TEST(test_no_place_for_a_spool),
      TEST(test_bad_names),
      TEST(test_too_many),
      TEST(test_spools_are_found_again),
      TEST(test_what_cannot_be_opened_stays_in_the_list),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
