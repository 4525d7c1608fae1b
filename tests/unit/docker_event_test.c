/* SPDX-License-Identifier: MIT */
/* Events of all generations of daemons. */
#include "config.h"

#include "unit.h"

#include "core/file.h"
#include "core/json.h"
#include "docker/event_private.h"
#include "tree.h"

#define ID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static tally_event_record_t *parse(const char *text, tally_error_t *err) {
  return tally_event_parse(text, strlen(text), err);
}

static void test_generations(void **state) {
  static const struct {
    const char *text;
    const char *type, *action, *id, *name, *image;
    tally_step_t step;
    uint64_t time_ns;
    bool exact;
  } cases[] = {
      /* Docker 29 */
      {"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"" ID64
       "\",\"Attributes\":{\"execDuration\":\"12\",\"exitCode\":\"137\","
       "\"image\":\"redis:7\",\"name\":\"cache\"}},\"scope\":\"local\","
       "\"time\":1795252068,\"timeNano\":1795252068976164411}",
       "container", "die", ID64, "cache", "redis:7", TALLY_STEP_DIE,
       UINT64_C(1795252068976164411), true},
      /* Docker 20.10 */
      {"{\"status\":\"exec_create: echo hi\",\"id\":\"" ID64
       "\",\"from\":\"busy:1\",\"Type\":\"container\",\"Action\":\"exec_create:"
       " echo hi\",\"Actor\":{\"ID\":\"" ID64 "\",\"Attributes\":{\"image\":"
       "\"busy:1\",\"name\":\"web\"}},\"time\":1,\"timeNano\":1000000002}",
       "container", "exec_create: echo hi", ID64, "web", "busy:1",
       TALLY_STEP_NONE, UINT64_C(1000000002), true},
      {"{\"Type\":\"network\",\"Action\":\"connect\",\"Actor\":{\"ID\":\"n\","
       "\"Attributes\":{\"container\":\"c\",\"name\":\"none\"}},\"time\":1,"
       "\"timeNano\":1000000002}",
       "network", "connect", "n", "none", "", TALLY_STEP_NONE,
       UINT64_C(1000000002), true},
      /* Docker 1.9: nanoseconds, no type */
      {"{\"status\":\"start\",\"id\":\"" ID64 "\",\"from\":\"busybox\","
       "\"time\":1438350471,\"timeNano\":1438350471123456789}",
       "container", "start", ID64, "", "busybox", TALLY_STEP_START,
       UINT64_C(1438350471123456789), true},
      /* Docker 1.7 */
      {"{\"status\":\"create\",\"id\":\"" ID64 "\",\"from\":\"busybox:latest\","
       "\"time\":1438350471}",
       "container", "create", ID64, "", "busybox:latest", TALLY_STEP_CREATE,
       UINT64_C(1438350471000000000), false},
      {"{\"status\":\"pull\",\"id\":\"busybox:latest\",\"time\":1438350471}",
       "image", "pull", "busybox:latest", "", "", TALLY_STEP_NONE,
       UINT64_C(1438350471000000000), false},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_event_record_t *record = parse(cases[i].text, NULL);
    assert_non_null(record);
    const tally_event_t *event = &record->event;
    assert_string_equal(event->type, cases[i].type);
    assert_string_equal(event->action, cases[i].action);
    assert_string_equal(event->actor_id, cases[i].id);
    assert_string_equal(event->actor_name, cases[i].name);
    assert_string_equal(event->image, cases[i].image);
    assert_int_equal(tally_event_step(event), cases[i].step);
    assert_true(event->time_ns == cases[i].time_ns);
    assert_int_equal(record->exact, cases[i].exact);
    tally_event_unref(record);
  }
}

static void test_attributes(void **state) {
  tally_event_record_t *record = parse(
      "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"a\","
      "\"Attributes\":{\"exitCode\":\"3\",\"signal\":9,\"x\":\"\"}},"
      "\"timeNano\":5}",
      NULL);
  assert_int_equal(record->event.attributes_count, 2); /* 9 is no string */
  assert_string_equal(tally_event_attribute(&record->event, "exitCode"), "3");
  assert_string_equal(tally_event_attribute(&record->event, "x"), "");
  assert_null(tally_event_attribute(&record->event, "signal"));
  tally_event_unref(record);
}

static void test_steps(void **state) {
  static const struct {
    const char *action;
    tally_step_t step;
  } cases[] = {
      {"create", TALLY_STEP_CREATE},
      {"start", TALLY_STEP_START},
      {"die", TALLY_STEP_DIE},
      {"destroy", TALLY_STEP_DESTROY},
      {"pause", TALLY_STEP_OTHER},
      {"unpause", TALLY_STEP_OTHER},
      {"rename", TALLY_STEP_OTHER},
      {"update", TALLY_STEP_OTHER},
      {"oom", TALLY_STEP_OTHER},
      {"stop", TALLY_STEP_OTHER},
      {"restart", TALLY_STEP_OTHER},
      {"health_status: unhealthy", TALLY_STEP_OTHER},
      {"health_status", TALLY_STEP_OTHER},
      {"kill", TALLY_STEP_NONE},
      {"attach", TALLY_STEP_NONE},
      {"exec_die", TALLY_STEP_NONE},
      {"top", TALLY_STEP_NONE},
      {"starting", TALLY_STEP_NONE},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_event_t event = {
        .type = "container", .action = cases[i].action, .actor_id = ID64};
    assert_int_equal(tally_event_step(&event), cases[i].step);
    event.type = "plugin";
    assert_int_equal(tally_event_step(&event), TALLY_STEP_NONE);
  }
  /* an id that would not be safe in a path */
  tally_event_t event = {
      .type = "container", .action = "start", .actor_id = "../x"};
  assert_int_equal(tally_event_step(&event), TALLY_STEP_NONE);
}

static void test_invalid(void **state) {
  static const struct {
    const char *text, *why;
  } cases[] = {
      {"{}", "an action"},
      {"{\"Type\":\"container\",\"timeNano\":5}", "an action"},
      {"{\"Action\":7,\"timeNano\":5}", "an action"},
      {"{\"Action\":\"die\"}", "a time"},
      {"{\"Action\":\"die\",\"time\":0}", "a time"},
      {"{\"Action\":\"die\",\"time\":\"5\"}", "a time"},
      {"{\"Action\":\"die\",\"time\":-5,\"timeNano\":-5}", "a time"},
      {"{\"Action\":\"die\",\"time\":9223372036854775807}", "a time"},
      {"{\"Action\":\"die\",\"timeNano\":1", "JSON"},
      {"{\"a\":{{}}}", "JSON"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_error_t err = {0};
    assert_null(parse(cases[i].text, &err));
    assert_non_null(strstr(err.message, cases[i].why));
  }
}

/* All that a real daemon sent in the life of a few containers. */
static int on_text(const char *text, size_t len, void *data) {
  tally_event_record_t *record = tally_event_parse(text, len, NULL);
  assert_non_null(record);
  assert_true(record->exact);
  assert_true(*record->event.actor_name != '\0');
  if (tally_event_step(&record->event) != TALLY_STEP_NONE)
    (*(int *)data)++;
  tally_event_unref(record);
  return 0;
}

static void test_captured(void **state) {
  static char text[65536];
  ssize_t len = tally_file_read(tree_fixture("docker-20.10/"
                                             "events.json"),
                                text, sizeof(text), NULL);
  assert_true(len > 0);
  tally_json_framer_t *framer = tally_json_framer_create(4096);
  int steps = 0;
  assert_int_equal(
      tally_json_framer_feed(framer, text, (size_t)len, on_text, &steps, NULL),
      0);
  assert_int_equal(steps, 16);
  tally_json_framer_destroy(framer);
}

static void test_hash(void **state) {
  assert_true(tally_event_hash("", 0) != 0);
  assert_true(tally_event_hash("a", 1) != tally_event_hash("b", 1));
  assert_true(tally_event_hash("ab", 1) == tally_event_hash("ac", 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_generations), cmocka_unit_test(test_attributes),
      cmocka_unit_test(test_steps),       cmocka_unit_test(test_invalid),
      cmocka_unit_test(test_captured),    cmocka_unit_test(test_hash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
