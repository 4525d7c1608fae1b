/* SPDX-License-Identifier: MIT */
/* What a subscription is told, and that it is told once. */
#include "config.h"

#include "unit.h"

#include <inttypes.h>
#include <unistd.h>

#include "core/buffer.h"
#include "core/log.h"
#include "docker/container_private.h"
#include "docker/ledger.h"
#include "docker/snapshot.h"
#include "tree.h"

/* One container, and a clock that stands at `T + n` seconds. */
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define T UINT64_C(1795252000000000000)
#define AT(seconds) (T + (uint64_t)((seconds)*1e9))

/* What was told: "create start:scan die:reconciled=3 " */
typedef struct told_s {
  tally_buffer_t text;
  tally_ledger_t *ledger;
} told_t;

static void on_event(const tally_event_t *event,
                     const tally_container_t *container, void *data) {
  told_t *told = data;
  tally_buffer_printf(&told->text, "%s", event->action);
  if (event->origin == TALLY_EVENT_RECONCILED ||
      event->origin == TALLY_EVENT_SCAN)
    tally_buffer_printf(&told->text, ":%s",
                        tally_event_origin_name(event->origin));
  const char *code = tally_event_attribute(event, "exitCode");
  if (code != NULL)
    tally_buffer_printf(&told->text, "=%s", code);
  tally_buffer_append_str(&told->text, " ");
}

static void open_told(told_t *told, const char *path) {
  tally_buffer_init(&told->text, 4096);
  tally_error_t err = {0};
  told->ledger = tally_ledger_create(path, on_event, told, &err);
  if (told->ledger == NULL)
    fail_msg("%s", err.message);
}

static void close_told(told_t *told) {
  tally_ledger_destroy(told->ledger);
  tally_buffer_clear(&told->text);
}

/* Compares what was told since the last look. */
static void expect(told_t *told, const char *text) {
  assert_string_equal(told->text.data, text);
  tally_buffer_reset(&told->text);
}

static const tally_container_t *container(const char *id, double created,
                                          double started, double finished,
                                          tally_container_state_t state) {
  const tally_pair_t label = {"role", "front"};
  tally_container_t draft = {.name = "web",
                             .image = "busy:1",
                             .log_driver = "json-file",
                             .labels = &label,
                             .labels_count = 1,
                             .state = state,
                             .exit_code =
                                 state == TALLY_CONTAINER_EXITED ? 3 : 0,
                             .created_ns = AT(created),
                             .started_ns = started > 0 ? AT(started) : 0,
                             .finished_ns = finished > 0 ? AT(finished) : 0};
  memcpy(draft.id, id, strlen(id) + 1);
  return tally_container_pack(&draft, NULL);
}

/* A true event, with what inspect said (or NULL), which is released. */
static void happen_to(told_t *told, const char *id, const char *action,
                      double at, unsigned epoch, const tally_container_t *c) {
  char text[512];
  snprintf(text, sizeof(text),
           "{\"Type\":\"container\",\"Action\":\"%s\",\"Actor\":{\"ID\":\"%s\","
           "\"Attributes\":{\"name\":\"web\"%s}},\"timeNano\":%" PRIu64 "}",
           action, id, strcmp(action, "die") == 0 ? ",\"exitCode\":\"0\"" : "",
           AT(at));
  tally_event_record_t *record = tally_event_parse(text, strlen(text), NULL);
  assert_non_null(record);
  tally_ledger_event(told->ledger, record, c, epoch);
  tally_event_unref(record);
  tally_container_unref(c);
}

static void happen(told_t *told, const char *action, double at) {
  happen_to(told, ID, action, at, 1, NULL);
}

/* A census at `at` that saw `c` (or nothing), which is released. */
static void census(told_t *told, double at, unsigned epoch,
                   const tally_container_t *c) {
  tally_snapshot_t *snapshot = tally_snapshot_create(1);
  if (c != NULL)
    tally_snapshot_add(snapshot, c);
  tally_ledger_sync(told->ledger, snapshot, AT(at), epoch);
  tally_snapshot_unref(snapshot);
  tally_container_unref(c);
}

#define RUNNING TALLY_CONTAINER_RUNNING
#define EXITED TALLY_CONTAINER_EXITED
#define CREATED TALLY_CONTAINER_CREATED

/* ---- at the beginning ---------------------------------------------------- */

static void test_scan(void **state) {
  told_t told;
  open_told(&told, NULL);
  tally_ledger_begin(told.ledger, AT(10));
  census(&told, 10, 1, container(ID, 1, 2, 0, RUNNING));
  expect(&told, "start:scan ");
  census(&told, 20, 2, container(ID, 1, 2, 0, RUNNING));
  expect(&told, "");
  happen(&told, "die", 30);
  expect(&told, "die=0 ");
  close_told(&told);

  open_told(&told, NULL);
  tally_ledger_begin(told.ledger, AT(10));
  census(&told, 10, 1, container(ID, 1, 2, 3, EXITED));
  expect(&told, "");
  happen(&told, "start", 30);
  expect(&told, "start ");
  close_told(&told);
}

/* What happens while the first census is still on its way. */
static void test_before_scan(void **state) {
  told_t told;
  open_told(&told, NULL);
  tally_ledger_begin(told.ledger, AT(10));
  happen(&told, "create", 9); /* before we began */
  expect(&told, "");
  happen_to(&told, ID, "die", 11, 1, container(ID, 1, 2, 11, EXITED));
  expect(&told, "start:scan die=0 ");
  happen_to(&told, OTHER, "die", 14, 1, container(OTHER, 12, 13, 14, EXITED));
  expect(&told, "create:reconciled start:reconciled die=0 ");
  happen_to(&told, OTHER, "start", 15, 1, NULL);
  expect(&told, "start ");
  census(&told, 10, 1, container(OTHER, 12, 15, 14, RUNNING));
  expect(&told, "");
  close_told(&told);
}

/* It began after the census, so the stream will tell. */
static void test_scan_of_the_future(void **state) {
  told_t told;
  open_told(&told, NULL);
  tally_ledger_begin(told.ledger, AT(10));
  census(&told, 10, 1, container(ID, 11, 12, 0, RUNNING));
  expect(&told, "");
  happen(&told, "create", 11);
  happen(&told, "start", 12);
  expect(&told, "create start ");
  close_told(&told);
}

/* Stopped before the first census was complete, then something happened. */
static void test_unfinished_scan(void **state) {
  static const struct {
    double created, started, finished;
    tally_container_state_t state;
    const char *told;
  } cases[] = {
      {1, 2, 0, RUNNING, "start:scan "},
      {1, 2, 3, EXITED, ""},
      {1, 0, 0, CREATED, ""},
      {1, 2, 12, EXITED, "start:scan die:reconciled=3 "},
      {1, 12, 3, RUNNING, "start:reconciled "},
      {11, 12, 13, EXITED,
       "create:reconciled start:reconciled die:reconciled=3 "},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    told_t told;
    open_told(&told, NULL);
    tally_ledger_begin(told.ledger, AT(10));
    census(&told, 20, 1,
           container(ID, cases[i].created, cases[i].started, cases[i].finished,
                     cases[i].state));
    expect(&told, cases[i].told);
    close_told(&told);
  }
}

/* ---- the ordinary -------------------------------------------------------- */

static void primed(told_t *told) {
  open_told(told, NULL);
  tally_ledger_begin(told->ledger, AT(0));
  census(told, 0, 1, NULL);
}

static void test_life(void **state) {
  told_t told;
  primed(&told);
  happen(&told, "create", 1);
  happen(&told, "start", 2);
  happen(&told, "exec_create: ls", 2.5);
  happen(&told, "die", 3);
  happen(&told, "start", 4);
  happen(&told, "kill", 5);
  happen(&told, "die", 6);
  happen(&told, "destroy", 7);
  expect(&told, "create start exec_create: ls die=0 start kill die=0 destroy ");
  census(&told, 8, 2, NULL);
  expect(&told, "");
  close_told(&told);
}

static void test_repeated(void **state) {
  told_t told;
  primed(&told);
  for (int i = 0; i < 2; i++) {
    happen(&told, "create", 1);
    happen(&told, "start", 2);
    happen(&told, "die", 3);
    happen(&told, "destroy", 4);
  }
  expect(&told, "create start die=0 destroy ");
  close_told(&told);
}

/* ---- lost ---------------------------------------------------------------- */

static void test_reconciled(void **state) {
  static const struct {
    const char *before;       /* true events, one a second from 1 on */
    double started, finished; /* what inspect shows; 0: never */
    tally_container_state_t state;
    const char *told;
  } cases[] = {
      {"", 0, 0, CREATED, "create:reconciled "},
      {"", 11, 0, RUNNING, "create:reconciled start:reconciled "},
      {"", 11, 12, EXITED,
       "create:reconciled start:reconciled die:reconciled=3 "},
      {"create", 0, 0, CREATED, ""},
      {"create", 11, 0, RUNNING, "start:reconciled "},
      {"create", 11, 12, EXITED, "start:reconciled die:reconciled=3 "},
      {"create start", 1.9, 0, RUNNING, ""},
      {"create start", 1.9, 12, EXITED, "die:reconciled=3 "},
      {"create start", 1.9, 12, TALLY_CONTAINER_DEAD, "die:reconciled=0 "},
      {"create start", 1.9, 12, TALLY_CONTAINER_RESTARTING,
       "die:reconciled=0 "},
      {"create start", 1.9, 0, TALLY_CONTAINER_PAUSED, ""},
      {"create start", 1.9, 0, TALLY_CONTAINER_UNKNOWN, ""},
      /* it ended and began again; how it ended is not known any more */
      {"create start", 12, 11, RUNNING, "die:reconciled start:reconciled "},
      {"create start", 12, 13, EXITED,
       "die:reconciled start:reconciled die:reconciled=3 "},
      {"create start die", 1.9, 2.9, EXITED, ""},
      {"create start die", 11, 0, RUNNING, "start:reconciled "},
      {"create start die", 11, 12, EXITED,
       "start:reconciled die:reconciled=3 "},
      /* so short that it had ended before its start was told */
      {"create start", 1.5, 1.9, EXITED, "die:reconciled=3 "},
      /* after the census: the stream tells */
      {"create start", 1.9, 21, EXITED, ""},
      {"create", 21, 0, RUNNING, ""},
      {"create", 21, 22, EXITED, ""},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    told_t told;
    primed(&told);
    char before[64];
    snprintf(before, sizeof(before), "%s", cases[i].before);
    double at = 1;
    for (char *p, *action = strtok_r(before, " ", &p); action != NULL;
         action = strtok_r(NULL, " ", &p))
      happen(&told, action, at++);
    tally_buffer_reset(&told.text);

    for (int again = 0; again < 2; again++) {
      census(&told, 20, 2 + (unsigned)again,
             container(ID, 0.5, cases[i].started, cases[i].finished,
                       cases[i].state));
      expect(&told, again ? "" : cases[i].told);
    }
    close_told(&told);
  }
}

static void test_vanished(void **state) {
  told_t told;
  primed(&told);
  happen(&told, "create", 1);
  happen(&told, "start", 2);
  happen_to(&told, OTHER, "create", 3, 2,
            NULL); /* after the new census began */
  tally_buffer_reset(&told.text);
  census(&told, 10, 2, NULL);
  expect(&told, "die:reconciled destroy:reconciled ");
  census(&told, 11, 3, NULL);
  expect(&told, "destroy:reconciled ");
  /* the twins */
  happen(&told, "die", 10);
  happen(&told, "destroy", 10.5);
  expect(&told, "");
  close_told(&told);
}

/* True events that come later than what was made up for them. */
static void test_twins(void **state) {
  told_t told;
  primed(&told);
  census(&told, 10, 2, container(ID, 1, 2, 3, EXITED));
  expect(&told, "create:reconciled start:reconciled die:reconciled=3 ");
  happen_to(&told, ID, "create", 1.1, 2, container(ID, 1, 2, 3, EXITED));
  happen_to(&told, ID, "start", 2.1, 2, container(ID, 1, 2, 3, EXITED));
  happen_to(&told, ID, "die", 3.1, 2, NULL);
  expect(&told, "");
  /* a next run is not taken for one */
  happen_to(&told, ID, "start", 4, 2, container(ID, 1, 3.9, 3, RUNNING));
  happen_to(&told, ID, "die", 5, 2, container(ID, 1, 3.9, 4.9, EXITED));
  expect(&told, "start die=0 ");
  close_told(&told);
}

/* Only the clock tells: without an inspect, soon after is the same run. */
static void test_twins_by_time(void **state) {
  told_t told;
  primed(&told);
  census(&told, 10, 2, container(ID, 1, 2, 0, RUNNING));
  happen(&told, "start", 2.1);
  expect(&told, "create:reconciled start:reconciled ");
  close_told(&told);

  primed(&told);
  census(&told, 10, 2, container(ID, 1, 2, 0, RUNNING));
  happen_to(&told, ID, "start", 60, 2, container(ID, 1, 59, 50, RUNNING));
  expect(&told, "create:reconciled start:reconciled die:reconciled start ");
  close_told(&told);
}

/* Missing steps between true ones. */
static void test_between(void **state) {
  told_t told;
  primed(&told);
  happen(&told, "create", 1);
  happen(&told, "start", 2);
  happen(&told, "start", 4);
  expect(&told, "create start die:reconciled start ");
  happen(&told, "destroy", 5);
  expect(&told, "die:reconciled destroy ");
  close_told(&told);

  /* unknown to us, and gone already */
  primed(&told);
  happen_to(&told, ID, "die", 3, 2, NULL);
  expect(&told, "create:reconciled start:reconciled die=0 ");
  close_told(&told);

  /* its start was lost */
  primed(&told);
  happen(&told, "create", 1);
  happen_to(&told, ID, "die", 3, 1, container(ID, 1, 2, 3, EXITED));
  expect(&told, "create start:reconciled die=0 ");
  close_told(&told);

  /* it could not be started: there is no start to be lost */
  primed(&told);
  happen(&told, "create", 1);
  happen_to(&told, ID, "die", 3, 1, container(ID, 1, 0, 0, CREATED));
  expect(&told, "create die=0 ");
  close_told(&told);
}

/* ---- kept ---------------------------------------------------------------- */

static void path_in(const tree_t *tree, char *path, size_t size) {
  snprintf(path, size, "%s/ledger", tree->root);
}

static void test_restart(void **state) {
  tree_t tree;
  tree_create(&tree);
  char path[128];
  path_in(&tree, path, sizeof(path));

  told_t told;
  open_told(&told, path);
  assert_true(tally_ledger_resume_ns(told.ledger) == 0);
  tally_ledger_begin(told.ledger, AT(0));
  census(&told, 0, 1, NULL);
  happen_to(&told, ID, "create", 1, 1, container(ID, 1, 0, 0, CREATED));
  happen(&told, "start", 2);
  expect(&told, "create start ");
  close_told(&told);

  /* a later process: the daemon repeats, then something new */
  open_told(&told, path);
  assert_true(tally_ledger_resume_ns(told.ledger) == AT(2));
  tally_ledger_begin(told.ledger, AT(50)); /* only for new ones */
  happen(&told, "create", 1);
  happen(&told, "start", 2);
  expect(&told, "");
  happen(&told, "die", 3);
  expect(&told, "die=0 ");
  close_told(&told);

  /* and one that missed the end, and knows what it was called */
  open_told(&told, path);
  census(&told, 60, 1, NULL);
  expect(&told, "destroy:reconciled ");
  close_told(&told);
  tree_destroy(&tree);
}

static void on_vanished(const tally_event_t *event, const tally_container_t *c,
                        void *data) {
  assert_string_equal(event->actor_name, "web");
  assert_string_equal(event->image, "busy:1");
  assert_string_equal(tally_event_attribute(event, "role"), "front");
  assert_string_equal(tally_event_attribute(event, "name"), "web");
  ++*(int *)data;
}

static void test_attributes_kept(void **state) {
  tree_t tree;
  tree_create(&tree);
  char path[128];
  path_in(&tree, path, sizeof(path));
  told_t told;
  open_told(&told, path);
  tally_ledger_begin(told.ledger, AT(0));
  census(&told, 10, 1, container(ID, 1, 2, 0, RUNNING));
  close_told(&told);

  int count = 0;
  tally_ledger_t *ledger = tally_ledger_create(path, on_vanished, &count, NULL);
  tally_snapshot_t *nobody = tally_snapshot_create(0);
  tally_ledger_sync(ledger, nobody, AT(20), 1);
  assert_int_equal(count, 2); /* die, destroy */
  tally_snapshot_unref(nobody);
  tally_ledger_destroy(ledger);
  tree_destroy(&tree);
}

static int warnings;
static void count_warning(tally_log_level_t level, const char *text) {
  warnings++;
}

static size_t read_text(const char *path, char *text, size_t size) {
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  size_t len = fread(text, 1, size, f);
  fclose(f);
  return len;
}

/* Killed in the middle of a line, at any byte: nothing that was told before is
 * told again, but the event of that line may be. */
static void test_torn(void **state) {
  tree_t tree;
  tree_create(&tree);
  char path[128];
  path_in(&tree, path, sizeof(path));
  told_t told;
  open_told(&told, path);
  tally_ledger_begin(told.ledger, AT(0));
  census(&told, 0, 1, NULL);
  happen(&told, "create", 1);
  char text[4096];
  size_t before = read_text(path, text, sizeof(text));
  happen(&told, "start", 2);
  size_t after = read_text(path, text, sizeof(text));
  close_told(&told);

  tally_log_set_callback(count_warning);
  warnings = 0;
  for (size_t len = before; len <= after; len++) {
    tree_write_bytes(&tree, "/ledger", text, len);
    open_told(&told, path);
    happen(&told, "create", 1);
    happen(&told, "start", 2);
    expect(&told, len == after ? "" : "start ");
    close_told(&told);
  }
  assert_int_equal(warnings, 0);
  tally_log_set_callback(NULL);
  tree_destroy(&tree);
}

static void test_corrupt(void **state) {
  static const char *const texts[] = {
      "nonsense\n",
      "00000000 {}\n",
      "\n",
      "\0\0\0\0\n",
  };
  tree_t tree;
  tree_create(&tree);
  char path[128], aside[140];
  path_in(&tree, path, sizeof(path));
  snprintf(aside, sizeof(aside), "%s.corrupt", path);
  tally_log_set_callback(count_warning);
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    warnings = 0;
    tree_write_bytes(&tree, "/ledger", texts[i], i == 3 ? 5 : strlen(texts[i]));
    told_t told;
    open_told(&told, path);
    assert_int_equal(warnings, 1);
    assert_int_equal(access(aside, F_OK), 0);
    assert_true(tally_ledger_resume_ns(told.ledger) == 0);
    tally_ledger_begin(told.ledger, AT(5));
    census(&told, 10, 1, container(ID, 1, 2, 0, RUNNING));
    expect(&told, "start:scan ");
    close_told(&told);
    open_told(&told, path);
    assert_int_equal(warnings, 1);
    close_told(&told);
  }
  tally_log_set_callback(NULL);
  tree_destroy(&tree);
}

/* Every flipped byte of a good file is found, or was not needed. */
static void test_flipped(void **state) {
  tree_t tree;
  tree_create(&tree);
  char path[128];
  path_in(&tree, path, sizeof(path));
  told_t told;
  open_told(&told, path);
  tally_ledger_begin(told.ledger, AT(0));
  census(&told, 10, 1, container(ID, 1, 2, 0, RUNNING));
  close_told(&told);
  char text[4096];
  size_t len = read_text(path, text, sizeof(text));

  tally_log_set_callback(count_warning);
  for (size_t i = 0; i + 1 < len; i++) {
    warnings = 0;
    text[i] ^= 0x01;
    tree_write_bytes(&tree, "/ledger", text, len);
    text[i] ^= 0x01;
    open_told(&told, path);
    assert_int_equal(warnings, 1);
    close_told(&told);
  }
  tally_log_set_callback(NULL);
  tree_destroy(&tree);
}

/* The file does not grow for ever, and nothing is forgotten when it shrinks. */
static void test_compact(void **state) {
  tree_t tree;
  tree_create(&tree);
  char path[128];
  path_in(&tree, path, sizeof(path));
  told_t told;
  open_told(&told, path);
  tally_ledger_begin(told.ledger, AT(0));
  census(&told, 0, 1, NULL);
  for (int i = 0; i < 5000; i++) {
    happen(&told, "start", 10 + 2 * i);
    happen(&told, "die", 11 + 2 * i);
    tally_buffer_reset(&told.text);
  }
  close_told(&told);
  FILE *f = fopen(path, "r");
  fseek(f, 0, SEEK_END);
  assert_true(ftell(f) < 512 * 1024);
  fclose(f);

  open_told(&told, path);
  for (int i = 4900; i < 5000; i++) {
    happen(&told, "start", 10 + 2 * i);
    happen(&told, "die", 11 + 2 * i);
  }
  expect(&told, "");
  close_told(&told);
  tree_destroy(&tree);
}

/* The disk is full, or the directory has gone: told all the same. */
static void test_cannot_write(void **state) {
  tree_t tree;
  tree_create(&tree);
  tree_write(&tree, "/d/x", "");
  char path[128];
  snprintf(path, sizeof(path), "%s/d/ledger", tree.root);
  tally_log_set_callback(count_warning);
  warnings = 0;
  told_t told;
  open_told(&told, path);
  tally_ledger_begin(told.ledger, AT(0));
  census(&told, 0, 1, NULL);
  tree_remove(&tree, "/d");
  for (int i = 0; i < 6000; i++) { /* until it wants to rewrite */
    happen(&told, "top", i);
    tally_buffer_reset(&told.text);
  }
  happen(&told, "create", 7000);
  expect(&told, "create ");
  assert_int_equal(warnings, 1);
  close_told(&told);

  tally_error_t err = {0};
  assert_null(tally_ledger_create(path, on_event, &told, &err));
  assert_true(err.message[0] != '\0');
  tally_log_set_callback(NULL);
  tree_destroy(&tree);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_scan),
      cmocka_unit_test(test_before_scan),
      cmocka_unit_test(test_scan_of_the_future),
      cmocka_unit_test(test_unfinished_scan),
      cmocka_unit_test(test_life),
      cmocka_unit_test(test_repeated),
      cmocka_unit_test(test_reconciled),
      cmocka_unit_test(test_vanished),
      cmocka_unit_test(test_twins),
      cmocka_unit_test(test_twins_by_time),
      cmocka_unit_test(test_between),
      cmocka_unit_test(test_restart),
      cmocka_unit_test(test_attributes_kept),
      cmocka_unit_test(test_torn),
      cmocka_unit_test(test_corrupt),
      cmocka_unit_test(test_flipped),
      cmocka_unit_test(test_compact),
      cmocka_unit_test(test_cannot_write),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
