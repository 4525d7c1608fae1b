/* SPDX-License-Identifier: MIT */
/* Thresholds with hysteresis and hold, and alarms from being raised to being
 * cleared. What is judged of which object: alarms_objects_test.c. */
#include "config.h"

#include "alarms_scene.h"

#include <math.h>

#include "docker/docker.h"

enum { OK = TALLY_LEVEL_OK, WARNING = TALLY_LEVEL_WARNING };
enum { CRITICAL = TALLY_LEVEL_CRITICAL, UNKNOWN = TALLY_LEVEL_UNKNOWN };
#define RAISED TALLY_NOTICE_ALARM_RAISED
#define CLEARED TALLY_NOTICE_ALARM_CLEARED
#define HEALTH TALLY_NOTICE_NODE_HEALTH

static void drain(void) {
  while (scene_notice() != NULL)
    ;
}

static void test_all_is_well(void **state) {
  scene_judge();
  assert_no_notice();
  assert_int_equal(scene_alarms_count(), 0);
  assert_int_equal(scene_node()->health, OK);
  assert_string_equal(scene_node()->health_reason, "");
  assert_int_equal(scene_node()->health_changed_ns, SCENE_START + SECOND);
  assert_int_equal(scene_disk_level("/"), OK);
  assert_int_equal(scene_container_level("web"), OK);
  scene_judge();
  assert_int_equal(scene_node()->health_changed_ns, SCENE_START + SECOND);
}

/* Level of memory by percent, in hundredths, one after the other. */
static void test_hysteresis(void **state) {
  static const struct {
    unsigned percent, level;
  } steps[] = {{7999, OK},       {8000, WARNING}, {7601, WARNING},
               {7600, WARNING},  {7599, OK},      {7999, OK},
               {8500, WARNING},  {8999, WARNING}, {9000, CRITICAL},
               {8551, CRITICAL}, {8549, WARNING}, {8999, WARNING},
               {9000, CRITICAL}, {7599, OK},      {9500, CRITICAL},
               {7700, WARNING},  {7500, OK},      {10000, CRITICAL}};
  for (size_t i = 0; i < COUNT_OF(steps); i++) {
    scene.containers[0].memory_percent = steps[i].percent;
    scene_judge();
    if (scene_container_level("web") != steps[i].level)
      fail_msg("step %zu: %u gives %u", i, steps[i].percent,
               (unsigned)scene_container_level("web"));
  }
}

static void test_without_hysteresis(void **state) {
  scene.settings.hysteresis = 0;
  for (int i = 0; i < 3; i++) {
    scene.containers[0].memory_percent = 8000;
    scene_judge();
    assert_int_equal(scene_container_level("web"), WARNING);
    scene.containers[0].memory_percent = 7999;
    scene_judge();
    assert_int_equal(scene_container_level("web"), OK);
  }
}

static void test_keeps_number_and_since(void **state) {
  scene_judge();
  scene.containers[0].memory_percent = 8500;
  scene_judge();
  const uint64_t since = SCENE_START + 2 * SECOND;
  const tally_alarm_row_t *alarm = scene_alarm("container/web", "memory");
  assert_non_null(alarm);
  assert_int_equal(alarm->number, 1);
  assert_int_equal(alarm->since_ns, since);
  assert_int_equal(alarm->level, WARNING);
  assert_string_equal(
      alarm->text,
      "container web: memory at 85.0 % of its limit (warning from 80)");
  assert_notice(RAISED, "container/web", WARNING, OK);
  assert_notice(HEALTH, "node", WARNING, OK);

  scene.containers[0].memory_percent = 9510;
  scene_judge();
  alarm = scene_alarm("container/web", "memory");
  assert_int_equal(alarm->number, 1);
  assert_int_equal(alarm->since_ns, since);
  assert_int_equal(alarm->level, CRITICAL);
  assert_string_equal(
      alarm->text,
      "container web: memory at 95.1 % of its limit (critical from 90)");
  const tally_notice_t *notice = scene_notice();
  assert_int_equal(notice->kind, RAISED);
  assert_int_equal(notice->percent, 9510);
  assert_string_equal(notice->id, "4f5e");
  assert_string_equal(notice->image, "shop/web:3");
  assert_string_equal(notice->text, alarm->text);
  assert_notice(HEALTH, "node", CRITICAL, WARNING);

  scene.containers[0].memory_percent = 8200;
  scene_judge();
  alarm = scene_alarm("container/web", "memory");
  assert_int_equal(alarm->number, 1);
  assert_int_equal(alarm->since_ns, since);
  assert_notice(CLEARED, "container/web", WARNING, CRITICAL);
  assert_notice(HEALTH, "node", WARNING, CRITICAL);

  scene.containers[0].memory_percent = 1000;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
  notice = scene_notice();
  assert_int_equal(notice->kind, CLEARED);
  assert_int_equal(notice->level, OK);
  assert_int_equal(notice->previous_level, WARNING);
  assert_string_equal(
      notice->text,
      "container web: memory at 10.0 % of its limit (was warning)");
  assert_notice(HEALTH, "node", OK, WARNING);
  assert_no_notice();
}

static void test_while_it_stands_nothing_is_said_again(void **state) {
  scene.containers[0].memory_percent = 9500;
  scene_judge();
  drain();
  for (int i = 0; i < 10; i++) {
    scene.containers[0].memory_percent = 9500 + i;
    scene_judge();
  }
  assert_no_notice();
  assert_non_null(strstr(scene_alarm("container/web", "memory")->text, "95.1"));
}

static void test_flapping(void **state) {
  /* within the hysteresis it does not */
  scene.containers[0].memory_percent = 8100;
  scene_judge();
  assert_notice(RAISED, "container/web", WARNING, OK);
  assert_notice(HEALTH, "node", WARNING, UNKNOWN);
  for (int i = 0; i < 20; i++) {
    scene.containers[0].memory_percent = i % 2 != 0 ? 8100 : 7800;
    scene_judge();
    assert_int_equal(scene_alarm("container/web", "memory")->number, 1);
  }
  assert_no_notice();

  /* beyond it each is an alarm of its own */
  for (unsigned i = 0; i < 50; i++) {
    scene.containers[0].memory_percent = 100;
    scene_judge();
    assert_int_equal(scene_alarms_count(), 0);
    scene.containers[0].memory_percent = 9500;
    scene_judge();
    const tally_alarm_row_t *alarm = scene_alarm("container/web", "memory");
    assert_int_equal(alarm->number, i + 2);
    assert_int_equal(alarm->since_ns, SCENE_START + scene.second * SECOND);
  }
}

static void test_first_view_raises_what_it_finds(void **state) {
  scene.disks[0].percent = 9900;
  scene.containers[0].memory_percent = 8500;
  scene_judge();
  assert_notice(RAISED, "container/web", WARNING, OK);
  assert_notice(TALLY_NOTICE_DISK_RAISED, "/", CRITICAL, OK);
  assert_notice(HEALTH, "node", CRITICAL, UNKNOWN);
  assert_no_notice();
}

static void test_hold(void **state) {
  scene.settings.hold = 3;
  scene.containers[0].memory_percent = 8500;
  for (int i = 0; i < 3; i++) {
    scene_judge();
    assert_int_equal(scene_alarms_count(), 0);
    assert_int_equal(scene_container_level("web"), OK);
  }
  scene_judge(); /* three seconds after the first */
  assert_int_equal(scene_alarm("container/web", "memory")->level, WARNING);
  assert_int_equal(scene_alarm("container/web", "memory")->since_ns,
                   SCENE_START + 4 * SECOND);

  scene.containers[0].memory_percent = 9500;
  for (int i = 0; i < 3; i++) {
    scene_judge();
    assert_int_equal(scene_alarm("container/web", "memory")->level, WARNING);
  }
  scene_judge();
  assert_int_equal(scene_alarm("container/web", "memory")->level, CRITICAL);
  scene.containers[0].memory_percent = 100; /* down at once */
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
}

static void test_hold_begins_again(void **state) {
  scene.settings.hold = 3;
  for (int i = 0; i < 20; i++) {
    scene.containers[0].memory_percent = i % 3 == 2 ? 7900 : 9500;
    scene_judge();
    assert_int_equal(scene_alarms_count(), 0);
  }
  /* warning lasts although critical does not */
  for (int i = 0; i < 4; i++) {
    scene.containers[0].memory_percent = i % 2 != 0 ? 8500 : 9500;
    scene_judge();
  }
  assert_int_equal(scene_alarm("container/web", "memory")->level, WARNING);
}

static void test_hold_when_the_clock_is_set_back(void **state) {
  scene.settings.hold = 3;
  scene.containers[0].memory_percent = 9500;
  scene.second = 1000;
  scene_judge();
  scene.second = 0;
  for (int i = 0; i < 3; i++) {
    scene_judge();
    assert_int_equal(scene_alarms_count(), 0);
  }
  scene_judge();
  assert_int_equal(scene_alarms_count(), 1);
}

static void test_unknown_neither_raises_nor_clears(void **state) {
  scene.containers[0].memory_percent = TALLY_UNKNOWN;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
  scene.containers[0].memory_percent = 9500;
  scene_judge();
  char text[256];
  snprintf(text, sizeof(text), "%s",
           scene_alarm("container/web", "memory")->text);
  drain();
  scene.containers[0].memory_percent = TALLY_UNKNOWN;
  scene_judge();
  assert_int_equal(scene_container_level("web"), CRITICAL);
  assert_string_equal(scene_alarm("container/web", "memory")->text, text);
  assert_int_equal(scene_alarm("container/web", "memory")->number, 1);
  assert_no_notice();
  scene.containers[0].memory_percent = 100;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
}

static void test_thresholds_that_are_not_set(void **state) {
  static const tally_threshold_t cases[] = {
      {0, 0}, {NAN, NAN}, {-1, -1}, {INFINITY, INFINITY}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    tally_container_rule_t rule = {.memory = cases[i]};
    scene.rule = &rule;
    scene.containers[0].memory_percent = 10000;
    scene_judge();
    assert_int_equal(scene_alarms_count(), 0);
  }
  tally_container_rule_t only_critical = {.memory = {0, 90}};
  scene.rule = &only_critical;
  scene.containers[0].memory_percent = 8999;
  scene_judge();
  assert_int_equal(scene_container_level("web"), OK);
  scene.containers[0].memory_percent = 9000;
  scene_judge();
  assert_int_equal(scene_container_level("web"), CRITICAL);
  scene.containers[0].memory_percent = 8500;
  scene_judge();
  assert_int_equal(scene_container_level("web"), OK);

  tally_container_rule_t only_warning = {.memory = {80, 0}};
  scene.rule = &only_warning;
  scene.containers[0].memory_percent = 10000;
  scene_judge();
  assert_int_equal(scene_container_level("web"), WARNING);
}

static void test_no_rule_clears(void **state) {
  scene.containers[0].memory_percent = 9500;
  scene_judge();
  drain();
  scene.rule = NULL;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
  assert_notice(CLEARED, "container/web", OK, CRITICAL);
}

static void test_other_thresholds_while_it_stands(void **state) {
  scene.containers[0].memory_percent = 8500;
  scene_judge();
  drain();
  tally_container_rule_t wider = {.memory = {95, 98}};
  scene.rule = &wider;
  scene_judge();
  assert_notice(CLEARED, "container/web", OK, WARNING);
}

static void test_objects_that_vanish(void **state) {
  scene.containers[0].memory_percent = 9500;
  scene.containers[0].cpu_limit_percent = 8500;
  scene.containers[1] = scene.containers[0];
  scene.containers[1].name = "db";
  scene_judge();
  assert_int_equal(scene_alarms_count(), 4);
  uint64_t number = scene_alarm("container/web", "memory")->number;
  drain();
  scene.containers[0].name = NULL;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 2);
  assert_null(scene_alarm("container/web", "memory"));
  const tally_notice_t *notice = scene_notice();
  assert_int_equal(notice->kind, CLEARED);
  assert_non_null(strstr(notice->text, "gone: container web: CPU"));
  assert_notice(CLEARED, "container/web", OK, CRITICAL);
  assert_no_notice(); /* the other one is as bad, so is the node */

  scene.containers[0].name = "web"; /* somebody else */
  scene_judge();
  assert_true(scene_alarm("container/web", "memory")->number > number);
}

static void test_many_alarms(void **state) {
  for (int i = 0; i < 3; i++) {
    static const char *const names[] = {"a", "b", "c"};
    scene.containers[i] = (scene_container_t){names[i],
                                              TALLY_CONTAINER_RUNNING + 1,
                                              TALLY_HEALTH_UNHEALTHY + 1,
                                              9500,
                                              9500,
                                              100,
                                              100};
    static const char *const mounts[] = {"/", "/x", "/y"};
    scene.disks[i] =
        (scene_disk_t){mounts[i], 9500, 9500, TALLY_FALSE, TALLY_FALSE};
    static const char *const sinks[] = {"s", "t", "u"};
    scene.sinks[i] = (scene_sink_t){sinks[i], 3, 400000};
  }
  scene.node.cpu_percent = 9900;
  scene.node.docker_reachable = TALLY_FALSE;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 12 + 9 + 3 + 2);
  for (size_t i = 0; i < scene_alarms_count(); i++) {
    const tally_alarm_row_t *row = (const tally_alarm_row_t *)tally_view_row(
        scene.view, TALLY_TABLE_ALARMS, i);
    assert_int_equal(row->number, i + 1); /* each once */
    assert_int_equal(row->row.index[0], i + 1);
  }
  for (int i = 0; i < 3; i++)
    scene.containers[i].name = scene.disks[i].mount = scene.sinks[i].name =
        NULL;
  scene.node.cpu_percent = 0;
  scene.node.docker_reachable = TALLY_TRUE;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
  assert_int_equal(scene_node()->health, OK);
}

#define CASE(test)                                                             \
  cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(test_all_is_well),
      CASE(test_hysteresis),
      CASE(test_without_hysteresis),
      CASE(test_keeps_number_and_since),
      CASE(test_while_it_stands_nothing_is_said_again),
      CASE(test_flapping),
      CASE(test_first_view_raises_what_it_finds),
      CASE(test_hold),
      CASE(test_hold_begins_again),
      CASE(test_hold_when_the_clock_is_set_back),
      CASE(test_unknown_neither_raises_nor_clears),
      CASE(test_thresholds_that_are_not_set),
      CASE(test_no_rule_clears),
      CASE(test_other_thresholds_while_it_stands),
      CASE(test_objects_that_vanish),
      CASE(test_many_alarms),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
