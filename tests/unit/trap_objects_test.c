/* SPDX-License-Identifier: MIT */
/* Notifications carry what TALLYMAN-MIB says they do (smidump reads the
 * module), with the values of the notice. */
#include "config.h"

#include "unit.h"

#include <limits.h>

#include "docker/docker.h"
#include "trap_objects.h"

static tally_trap_object_t objects[TALLY_TRAP_OBJECTS_MAX];

static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value != NULL ? value : ".";
}

static FILE *smidump(const char *format) {
  char command[3 * PATH_MAX];
  snprintf(command, sizeof(command),
           "SMIPATH='%s/snmp-subagent/basic-mibs': smidump -f %s "
           "'%s/snmp-subagent/TALLYMAN-MIB.txt'",
           environment("TALLY_SRCDIR"), format, environment("TALLY_BUILDDIR"));
  FILE *stream = popen(command, "r");
  assert_non_null(stream);
  return stream;
}

/* ---- against the module -------------------------------------------------- */

static const char *const names[TALLY_NOTICES] = {
    [TALLY_NOTICE_CONTAINER_DIED] = "tallyContainerDied",
    [TALLY_NOTICE_CONTAINER_OOM] = "tallyContainerOomKilled",
    [TALLY_NOTICE_CONTAINER_UNHEALTHY] = "tallyContainerUnhealthy",
    [TALLY_NOTICE_CONTAINER_STATE] = "tallyContainerStateChanged",
    [TALLY_NOTICE_NODE_HEALTH] = "tallyNodeHealthChanged",
    [TALLY_NOTICE_DISK_RAISED] = "tallyDiskThresholdRaised",
    [TALLY_NOTICE_DISK_CLEARED] = "tallyDiskThresholdCleared",
    [TALLY_NOTICE_SINK_STALLED] = "tallySinkStalled",
    [TALLY_NOTICE_SINK_RECOVERED] = "tallySinkRecovered",
    [TALLY_NOTICE_DOCKER_LOST] = "tallyDockerLost",
    [TALLY_NOTICE_DOCKER_BACK] = "tallyDockerBack",
    [TALLY_NOTICE_ALARM_RAISED] = "tallyAlarmRaised",
    [TALLY_NOTICE_ALARM_CLEARED] = "tallyAlarmCleared",
};

/* "tallyDockerLost(10) [tallyDockerReachable,…]" of a notice of this kind. */
static void print_line(tally_notice_kind_t kind, char *line, size_t size) {
  tally_notice_t notice;
  tally_notice_init(&notice, kind);
  size_t count = tally_trap_objects(&notice, objects);
  size_t at = (size_t)snprintf(line, size, "%s(%d) [", names[kind], (int)kind);
  for (size_t i = 0; i < count; i++)
    at += (size_t)snprintf(line + at, size - at, "%s%s", i > 0 ? "," : "",
                           objects[i].name);
  snprintf(line + at, size - at, "]");
}

static void test_objects_are_those_of_the_module(void **state) {
  FILE *stream = smidump("tree");
  char line[1024], ours[1024];
  int found = 0;
  while (fgets(line, sizeof(line), stream) != NULL) {
    char *entry = strstr(line, "+--tally");
    if (entry == NULL || strchr(entry, '[') == NULL ||
        strstr(entry, "Entry(") != NULL) /* a row and its index */
      continue;
    found++;
    assert_in_range(found, 1, TALLY_NOTICES - 1);
    entry[strcspn(entry, "\n")] = '\0';
    print_line((tally_notice_kind_t)found, ours, sizeof(ours));
    assert_string_equal(entry + strlen("+--"), ours);
  }
  assert_int_equal(pclose(stream), 0);
  assert_int_equal(found, TALLY_NOTICES - 1);
}

static void print_oid(const tally_trap_object_t *object, char *text) {
  static const tally_subid_t root[] = {TALLYMAN_ROOT_OID};
  for (size_t i = 0; i < COUNT_OF(root); i++)
    text += sprintf(text, "%lu.", root[i]);
  for (size_t i = 0; i < object->oid_length; i++)
    text += sprintf(text, "%lu.", object->oid[i]);
}

/* "TALLYMAN-MIB tallyNotifyTime  scalar  1.3.6.1…" */
static void test_identifiers_are_those_of_the_module(void **state) {
  for (int kind = 1; kind < TALLY_NOTICES; kind++) {
    tally_notice_t notice;
    tally_notice_init(&notice, (tally_notice_kind_t)kind);
    strcpy(notice.object, "/a");
    size_t count = tally_trap_objects(&notice, objects), found = 0;
    assert_true(count > 0);
    FILE *stream = smidump("identifiers");
    char line[1024], name[64], type[32], oid[256];
    while (fgets(line, sizeof(line), stream) != NULL)
      for (size_t i = 0; i < count; i++) {
        if (sscanf(line, "%*s %63s %31s %255s", name, type, oid) != 3 ||
            strcmp(name, objects[i].name) != 0)
          continue;
        char wanted[512], ours[2048];
        snprintf(wanted, sizeof(wanted), "%s.%s.", oid,
                 strcmp(type, "scalar") == 0 ? "0" : "2.47.97");
        print_oid(&objects[i], ours);
        assert_string_equal(ours, wanted);
        found++;
      }
    assert_int_equal(pclose(stream), 0);
    assert_int_equal(found, count);
  }
}

/* ---- values -------------------------------------------------------------- */

static const tally_mib_value_t *value_of(const tally_notice_t *notice,
                                         const char *name) {
  size_t count = tally_trap_objects(notice, objects);
  for (size_t i = 0; i < count; i++)
    if (strcmp(objects[i].name, name) == 0)
      return &objects[i].value;
  fail_msg("%s is not there", name);
  return NULL;
}

#define assert_number(notice, name, wanted)                                    \
  assert_int_equal(value_of(notice, name)->number, wanted)

static void assert_text(const tally_notice_t *notice, const char *name,
                        const char *text) {
  const tally_mib_value_t *value = value_of(notice, name);
  assert_int_equal(value->text_length, strlen(text));
  assert_memory_equal(value->text, text, strlen(text));
}

static void test_container(void **state) {
  tally_notice_t notice;
  tally_notice_init(&notice, TALLY_NOTICE_CONTAINER_DIED);
  strcpy(notice.object, "web");
  strcpy(notice.id, "4f5e");
  strcpy(notice.image, "shop/web:3");
  strcpy(notice.text, "container web died");
  notice.state = TALLY_CONTAINER_EXITED + 1;
  notice.previous_state = TALLY_CONTAINER_RUNNING + 1;
  notice.exit_code = 137;
  notice.signal = 9;
  notice.time_ns = UINT64_C(1700000000900000000); /* 2023-11-14 22:13:20.9 */
  assert_text(&notice, "tallyContainerName", "web");
  assert_text(&notice, "tallyContainerId", "4f5e");
  assert_text(&notice, "tallyContainerImage", "shop/web:3");
  assert_number(&notice, "tallyContainerState", 7);
  assert_number(&notice, "tallyContainerExitCode", 137);
  assert_number(&notice, "tallyNotifyPreviousState", 3);
  assert_number(&notice, "tallyNotifySignal", 9);
  assert_text(&notice, "tallyNotifyText", "container web died");
  const tally_mib_value_t *time = value_of(&notice, "tallyNotifyTime");
  static const char date[] = {7, (char)231, 11, 14, 22, 13, 20, 9, '+', 0, 0};
  assert_int_equal(time->text_length, sizeof(date));
  assert_memory_equal(time->text, date, sizeof(date));
}

/* A notification always has all of its objects. */
static void test_what_nobody_knows(void **state) {
  tally_notice_t notice;
  tally_notice_init(&notice, TALLY_NOTICE_CONTAINER_UNHEALTHY);
  assert_number(&notice, "tallyContainerState", 1);
  assert_number(&notice, "tallyContainerExitCode", 0);
  assert_number(&notice, "tallyNotifyPreviousState", 1);
  assert_number(&notice, "tallyNotifySignal", 0);
  assert_text(&notice, "tallyContainerImage", "");
  tally_notice_init(&notice, TALLY_NOTICE_ALARM_RAISED);
  assert_number(&notice, "tallyNotifyLevel", TALLY_LEVEL_UNKNOWN);
  assert_number(&notice, "tallyNotifyPreviousLevel", TALLY_LEVEL_UNKNOWN);
  assert_number(&notice, "tallyNotifyPercent", 0);
}

static void test_others(void **state) {
  tally_notice_t notice;
  tally_notice_init(&notice, TALLY_NOTICE_DISK_RAISED);
  strcpy(notice.object, "/data");
  notice.level = TALLY_LEVEL_CRITICAL;
  notice.percent = 9510;
  assert_text(&notice, "tallyDiskMount", "/data");
  assert_number(&notice, "tallyDiskLevel", TALLY_LEVEL_CRITICAL);
  assert_number(&notice, "tallyNotifyPercent", 9510);

  tally_notice_init(&notice, TALLY_NOTICE_SINK_STALLED);
  strcpy(notice.object, "write_nsq");
  notice.state = 3;
  assert_text(&notice, "tallySinkName", "write_nsq");
  assert_number(&notice, "tallySinkState", 3);

  tally_notice_init(&notice, TALLY_NOTICE_DOCKER_LOST);
  strcpy(notice.text, "connection refused");
  assert_number(&notice, "tallyDockerReachable", TALLY_FALSE);
  assert_text(&notice, "tallyDockerProblem", "connection refused");
  notice.kind = TALLY_NOTICE_DOCKER_BACK;
  assert_number(&notice, "tallyDockerReachable", TALLY_TRUE);
  assert_text(&notice, "tallyDockerProblem", "");

  tally_notice_init(&notice, TALLY_NOTICE_NODE_HEALTH);
  strcpy(notice.text, "/data is full");
  notice.level = TALLY_LEVEL_WARNING;
  notice.previous_level = TALLY_LEVEL_OK;
  assert_number(&notice, "tallyNodeHealth", TALLY_LEVEL_WARNING);
  assert_text(&notice, "tallyNodeHealthReason", "/data is full");
  assert_number(&notice, "tallyNotifyPreviousLevel", TALLY_LEVEL_OK);
}

/* The longest name still fits into an object identifier, its instance is that
 * of the row. */
static void test_longest_name(void **state) {
  tally_notice_t notice;
  tally_notice_init(&notice, TALLY_NOTICE_CONTAINER_DIED);
  memset(notice.object, 'x', sizeof(notice.object) - 1);
  tally_subid_t index[TALLY_INDEX_MAX];
  size_t length = tally_view_index(notice.object, index);
  size_t count = tally_trap_objects(&notice, objects);
  assert_int_equal(count, 9);
  assert_int_equal(objects[0].oid_length, 4 + length);
  assert_memory_equal(objects[0].oid + 4, index, length * sizeof(*index));
  assert_int_equal(objects[0].value.text_length, 255);
}

int main(void) {
  if (system("command -v smidump > /dev/null") != 0) {
    puts("1..0 # SKIP smidump (smitools) is not installed");
    return 0;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_objects_are_those_of_the_module),
      cmocka_unit_test(test_identifiers_are_those_of_the_module),
      cmocka_unit_test(test_container),
      cmocka_unit_test(test_what_nobody_knows),
      cmocka_unit_test(test_others),
      cmocka_unit_test(test_longest_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
