/* SPDX-License-Identifier: MIT */
/* What is judged of nodes, disks, containers and sinks, and what the node's
 * health makes of it. */
#include "config.h"

#include "alarms_scene.h"

#include "docker/docker.h"

enum { OK = TALLY_LEVEL_OK, WARNING = TALLY_LEVEL_WARNING };
enum { CRITICAL = TALLY_LEVEL_CRITICAL, UNKNOWN = TALLY_LEVEL_UNKNOWN };
#define RAISED TALLY_NOTICE_ALARM_RAISED
#define CLEARED TALLY_NOTICE_ALARM_CLEARED
#define HEALTH TALLY_NOTICE_NODE_HEALTH
#define NOBODY_KNOWS TALLY_UNKNOWN

static void drain(void) {
  while (scene_notice() != NULL)
    ;
}

static void assert_text(const char *object, const char *cause,
                        const char *text) {
  const tally_alarm_row_t *alarm = scene_alarm(object, cause);
  assert_non_null(alarm);
  assert_string_equal(alarm->text, text);
}

/* ---- node ---------------------------------------------------------------- */

static void test_node(void **state) {
  scene.node.cpu_percent = 8123;
  scene.node.memory_used = 912;
  scene.node.swap_used = 950;
  scene.node.load1 = 900;
  scene_judge();
  assert_text("node", "cpu", "CPU at 81.2 % (warning from 80)");
  assert_text("node", "memory", "memory at 91.2 % (critical from 90)");
  assert_text("node", "swap", "swap at 95.0 % (critical from 90)");
  assert_text("node", "load", "load of 4.50 per CPU (critical from 4)");
  assert_int_equal(scene_alarms_count(), 4);
  for (int i = 0; i < 4; i++)
    assert_int_equal(scene_notice()->kind, RAISED);
  assert_notice(HEALTH, "node", CRITICAL, UNKNOWN);
}

static void test_node_without(void **state) {
  /* no swap at all; a machine with nothing known of it */
  scene.node.swap_total = 0;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
  scene.node.memory_total = scene.node.memory_used = NOBODY_KNOWS;
  scene.node.cpus = NOBODY_KNOWS;
  scene.node.cpu_percent = NOBODY_KNOWS;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
  scene.node.memory_total = 0;
  scene.node.memory_used = 5;
  scene.node.cpus = 0;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
}

static void test_docker(void **state) {
  scene_judge();
  scene.node.docker_reachable = TALLY_FALSE;
  scene.node.docker_problem = "connection refused";
  scene_judge();
  assert_text("docker", "unreachable",
              "Docker: cannot be reached: connection refused");
  /* lost and back are the event thread's to say */
  assert_notice(HEALTH, "node", CRITICAL, OK);
  assert_no_notice();
  scene.node.docker_reachable = NOBODY_KNOWS;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 1);
  scene.node.docker_reachable = TALLY_TRUE;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
  assert_notice(HEALTH, "node", OK, CRITICAL);
  assert_no_notice();
}

/* ---- disks --------------------------------------------------------------- */

static void test_disks(void **state) {
  scene.disks[1] = (scene_disk_t){"/data", 8500, 9100, TALLY_FALSE, TALLY_TRUE};
  scene_judge();
  assert_int_equal(scene_disk_level("/"), OK);
  assert_int_equal(scene_disk_level("/data"), CRITICAL);
  assert_text("disk//data", "space",
              "/data: 85.0 % of the space is used (warning from 80)");
  assert_text("disk//data", "inodes",
              "/data: 91.0 % of the inodes are used (critical from 90)");
  const tally_notice_t *notice = scene_notice();
  assert_int_equal(notice->kind, TALLY_NOTICE_DISK_RAISED);
  assert_string_equal(notice->object, "/data");
  assert_int_equal(notice->percent, 9100);
  assert_int_equal(notice->level, CRITICAL);
  notice = scene_notice();
  assert_int_equal(notice->percent, 8500);
  assert_int_equal(notice->level, CRITICAL); /* of the disk */
  drain();

  scene.disks[1].percent = 100;
  scene_judge();
  assert_int_equal(scene_disk_level("/data"), CRITICAL);
  assert_notice(TALLY_NOTICE_DISK_CLEARED, "/data", CRITICAL, WARNING);
  assert_no_notice();
  scene.disks[1].mount = NULL;
  scene_judge();
  assert_notice(TALLY_NOTICE_DISK_CLEARED, "/data", OK, CRITICAL);
}

static void test_disk_rules(void **state) {
  tally_disk_rule_t last = *scene.settings.disk_rules;
  tally_disk_rule_t none = {.match = tally_select_create(), .next = &last};
  tally_disk_rule_t data = {
      .space = {.warning = 20}, .match = tally_select_create(), .next = &none};
  tally_select_add(none.match, "/^\\/snap/", NULL);
  tally_select_add(data.match, "/data", NULL);
  scene.settings.disk_rules = &data;
  scene.disks[0] =
      (scene_disk_t){"/snap/x", 10000, 10000, TALLY_FALSE, TALLY_TRUE};
  scene.disks[1] = (scene_disk_t){"/data", 2500, 9900, TALLY_FALSE, TALLY_TRUE};
  scene.disks[2] = (scene_disk_t){"/other", 9900, 0, TALLY_FALSE, TALLY_TRUE};
  scene_judge();
  assert_int_equal(scene_disk_level("/snap/x"), OK);
  assert_int_equal(scene_disk_level("/data"), WARNING);
  assert_int_equal(scene_disk_level("/other"), CRITICAL);
  scene.settings.disk_rules = NULL;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
  tally_select_destroy(none.match);
  tally_select_destroy(data.match);
}

static void test_disk_that_hangs(void **state) {
  scene.disks[1] =
      (scene_disk_t){"/nfs", 9500, NOBODY_KNOWS, TALLY_FALSE, TALLY_TRUE};
  scene_judge();
  drain();
  scene.disks[1] = (scene_disk_t){"/nfs", NOBODY_KNOWS, NOBODY_KNOWS,
                                  NOBODY_KNOWS, TALLY_FALSE};
  scene_judge();
  assert_text("disk//nfs", "answering", "/nfs: does not answer");
  assert_non_null(scene_alarm("disk//nfs", "space")); /* for all we know */
  assert_int_equal(scene_disk_level("/nfs"), CRITICAL);
  assert_notice(TALLY_NOTICE_DISK_RAISED, "/nfs", CRITICAL, OK);
  assert_no_notice();
  scene.disks[1].answering = TALLY_TRUE;
  scene.disks[1].percent = 1000;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);

  scene.disks[1].percent = NOBODY_KNOWS; /* it answers, but not this */
  scene_judge();
  assert_int_equal(scene_disk_level("/nfs"), UNKNOWN);
}

static void test_disk_that_is_read_only(void **state) {
  scene.disks[1] = (scene_disk_t){"/iso", 10000, 10000, TALLY_TRUE, TALLY_TRUE};
  scene_judge();
  assert_int_equal(scene_disk_level("/iso"), OK);
  assert_int_equal(scene_alarms_count(), 0);

  scene.disks[0].percent = 9500;
  scene_judge();
  drain();
  scene.disks[0].read_only = TALLY_TRUE; /* remounted after an error */
  scene.disks[0].percent = 100;
  scene_judge();
  assert_text("disk//", "read-only", "/: has become read-only");
  assert_non_null(scene_alarm("disk//", "space"));
  assert_notice(TALLY_NOTICE_DISK_RAISED, "/", CRITICAL, OK);
  assert_no_notice();
  scene.disks[0].read_only = NOBODY_KNOWS;
  scene_judge();
  assert_non_null(scene_alarm("disk//", "read-only"));
  /* its space is judged again, but the disk is as bad as it was */
  assert_notice(TALLY_NOTICE_DISK_CLEARED, "/", CRITICAL, CRITICAL);
  scene.disks[0].read_only = TALLY_FALSE;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
  assert_notice(TALLY_NOTICE_DISK_CLEARED, "/", OK, CRITICAL);

  /* unmounted, and then mounted read-only on purpose */
  scene.disks[0].mount = NULL;
  scene_judge();
  scene.disks[0].mount = "/";
  scene.disks[0].read_only = TALLY_TRUE;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
}

/* ---- containers ---------------------------------------------------------- */

static void test_container_limits(void **state) {
  scene.containers[0].memory_percent = 9000;
  scene.containers[0].cpu_limit_percent = 8000;
  scene.containers[0].threads = 99;
  scene_judge();
  assert_text(
      "container/web", "memory",
      "container web: memory at 90.0 % of its limit (critical from 90)");
  assert_text("container/web", "cpu",
              "container web: CPU at 80.0 % of its limit (warning from 80)");
  assert_text(
      "container/web", "threads",
      "container web: threads at 99.0 % of the limit (critical from 90)");
}

static void test_container_without_limits(void **state) {
  static const uint64_t limits[] = {NOBODY_KNOWS, TALLY_UNLIMITED, 0};
  for (size_t i = 0; i < COUNT_OF(limits); i++) {
    scene.containers[0].threads = UINT64_C(1) << 60;
    scene.containers[0].threads_limit = limits[i];
    scene_judge();
    assert_int_equal(scene_alarms_count(), 0);
  }
  scene.containers[0].threads = 99;
  scene.containers[0].threads_limit = 100;
  scene.containers[0].memory_percent = 9900;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 2);
  scene.containers[0].threads_limit = NOBODY_KNOWS;
  scene.containers[0].memory_percent = NOBODY_KNOWS;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 2);
  scene.containers[0].threads_limit = TALLY_UNLIMITED; /* taken away */
  scene.containers[0].memory_percent = TALLY_UNLIMITED;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
}

/* It may use all of the node: that is no limit of its own. */
static void test_container_with_the_limits_of_the_node(void **state) {
  scene.containers[0].memory_percent = 9900;
  scene.containers[0].cpu_limit_percent = 9900;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 2);
  scene.containers[0].memory_limit = scene.node.memory_total;
  scene.containers[0].cpu_limit = scene.node.cpus * 100;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
  scene.node.memory_total = scene.node.cpus = NOBODY_KNOWS;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 2);
}

static void test_container_that_ends(void **state) {
  scene.containers[0].memory_percent = 9900;
  scene.containers[0].health = TALLY_HEALTH_UNHEALTHY + 1;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 2);
  scene.containers[0].state = NOBODY_KNOWS;
  scene.containers[0].memory_percent = NOBODY_KNOWS;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 2);
  assert_int_equal(scene_container_level("web"), CRITICAL);
  drain();
  scene.containers[0].state = TALLY_CONTAINER_EXITED + 1;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
  assert_int_equal(scene_container_level("web"), OK);
  assert_notice(CLEARED, "container/web", OK, CRITICAL);
  assert_notice(CLEARED, "container/web", OK, WARNING);
}

static void test_container_health(void **state) {
  scene_judge();
  scene.containers[0].health = TALLY_HEALTH_UNHEALTHY + 1;
  scene_judge();
  assert_text("container/web", "unhealthy",
              "container web: its health check fails");
  assert_notice(RAISED, "container/web", WARNING, OK);
  drain();
  scene.containers[0].health = NOBODY_KNOWS;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 1);
  scene.containers[0].health = TALLY_HEALTH_STARTING + 1;
  scene_judge();
  assert_notice(CLEARED, "container/web", OK, WARNING);
}

static void test_container_states(void **state) {
  static const uint64_t quiet[] = {
      TALLY_CONTAINER_CREATED, TALLY_CONTAINER_RESTARTING,
      TALLY_CONTAINER_REMOVING, TALLY_CONTAINER_EXITED};
  scene.containers[0].memory_percent = 9900; /* of an earlier sample */
  for (size_t i = 0; i < COUNT_OF(quiet); i++) {
    scene.containers[0].state = quiet[i] + 1;
    scene_judge();
    assert_int_equal(scene_alarms_count(), 0);
  }
  scene.containers[0].state = TALLY_CONTAINER_DEAD + 1;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 1);
  assert_int_equal(scene_alarm("container/web", "dead")->level, WARNING);
  scene.containers[0].state = TALLY_CONTAINER_PAUSED + 1;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 1);
  assert_int_equal(scene_alarm("container/web", "memory")->level, CRITICAL);
}

/* Names come from Docker, which takes them from its users. */
static void test_names(void **state) {
  char name[5001];
  memset(name, 'x', sizeof(name) - 1);
  name[sizeof(name) - 1] = '\0';
  char twin[sizeof(name)];
  strcpy(twin, name);
  twin[sizeof(twin) - 2] = 'y';
  scene.containers[0].name = name;
  scene.containers[1] = scene.containers[0];
  scene.containers[1].name = twin;
  scene.containers[1].memory_percent = 9500;
  scene.containers[2] = scene.containers[1];
  scene.containers[2].name = "\x1b[31m%s%n\xff\xc3";
  scene.disks[1] =
      (scene_disk_t){"/a\nb/c/%n", 9900, 0, TALLY_FALSE, TALLY_TRUE};
  scene_judge();
  assert_int_equal(scene_alarms_count(), 3);
  assert_int_equal(scene_container_level(name), OK);
  assert_int_equal(scene_container_level(twin), CRITICAL);
  const tally_notice_t *notice;
  while ((notice = scene_notice()) != NULL)
    for (const char *p = notice->text; *p != '\0'; p++)
      assert_true((unsigned char)*p >= ' ' && (unsigned char)*p < 0x7f);
  assert_text("disk//a\nb/c/%n", "space",
              "/a b/c/%n: 99.0 % of the space is used (critical from 90)");
}

/* A notice has less room than a path: there it is named as its index is. */
static void test_long_mount(void **state) {
  char mount[301];
  memset(mount, 'm', sizeof(mount) - 1);
  mount[0] = '/';
  mount[sizeof(mount) - 1] = '\0';
  scene.disks[1] = (scene_disk_t){mount, 9900, 0, TALLY_FALSE, TALLY_TRUE};
  scene_judge();
  tally_subid_t in_table[TALLY_INDEX_MAX], in_notice[TALLY_INDEX_MAX];
  size_t length = tally_view_index(mount, in_table);
  assert_int_equal(tally_view_index(scene_notice()->object, in_notice), length);
  assert_memory_equal(in_notice, in_table, length * sizeof(*in_table));
}

/* ---- sinks --------------------------------------------------------------- */

static void judge_sink(uint64_t sink_state) {
  scene.sinks[0].state = sink_state;
  scene.sinks[0].oldest_age_ms = 400000;
  scene_judge();
}

static void test_sinks(void **state) {
  judge_sink(1);
  assert_no_notice();
  judge_sink(2);
  assert_text("sink/write_nsq", "delivery",
              "write_nsq: the oldest record waits for 400 s HTTP 503");
  assert_notice(HEALTH, "node", WARNING, OK);
  assert_no_notice(); /* late is not stalled */
  judge_sink(3);
  assert_notice(TALLY_NOTICE_SINK_STALLED, "write_nsq", CRITICAL, WARNING);
  assert_notice(HEALTH, "node", CRITICAL, WARNING);
  judge_sink(4);
  assert_non_null(
      strstr(scene_alarm("sink/write_nsq", "delivery")->text, "loses records"));
  assert_no_notice();
  judge_sink(2); /* better, not well */
  assert_notice(HEALTH, "node", WARNING, CRITICAL);
  assert_no_notice();
  judge_sink(1);
  assert_notice(TALLY_NOTICE_SINK_RECOVERED, "write_nsq", OK, WARNING);
  drain();

  judge_sink(2);
  judge_sink(1); /* it was never said that it had stalled */
  assert_int_equal(scene_alarms_count(), 0);
  const tally_notice_t *notice;
  while ((notice = scene_notice()) != NULL)
    assert_int_equal(notice->kind, HEALTH);
}

static void test_sinks_of_a_collectd_that_is_away(void **state) {
  judge_sink(3);
  drain();
  scene.sinks[0].name = NULL;
  scene.node.sinks_state = 3;
  scene.node.sinks_problem = "connection refused";
  scene_judge();
  assert_non_null(scene_alarm("sink/write_nsq", "delivery"));
  assert_text("node", "collectd",
              "collectd does not answer: connection refused");
  assert_notice(RAISED, "node", WARNING, OK);
  scene.node.sinks_state = 1; /* another configuration of it */
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
  assert_notice(CLEARED, "node", OK, WARNING);
  assert_notice(TALLY_NOTICE_SINK_RECOVERED, "write_nsq", OK, CRITICAL);
  scene.node.sinks_state = 3;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 1);
  scene.node.sinks_state = 2; /* switched off */
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
}

static void test_collectd_that_was_never_there(void **state) {
  scene.sinks[0].name = NULL;
  scene.node.sinks_state = 3;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 0);
  assert_int_equal(scene_node()->health, OK);
}

static void test_sink_of_which_nothing_is_known(void **state) {
  judge_sink(NOBODY_KNOWS);
  assert_int_equal(scene_alarms_count(), 0);
  judge_sink(3);
  scene.sinks[0].oldest_age_ms = NOBODY_KNOWS;
  scene.sinks[0].state = 77;
  scene_judge();
  assert_int_equal(scene_alarms_count(), 1);
}

/* ---- health of the node -------------------------------------------------- */

static void assert_reason_begins(const char *text) {
  assert_int_equal(strncmp(scene_node()->health_reason, text, strlen(text)), 0);
}

static void test_health_is_the_worst(void **state) {
  scene.containers[0].memory_percent = 8500; /* first */
  scene_judge();
  assert_string_equal(scene_node()->health_reason,
                      scene_alarm("container/web", "memory")->text);
  assert_int_equal(scene_node()->health, WARNING);
  uint64_t changed = SCENE_START + SECOND;
  assert_int_equal(scene_node()->health_changed_ns, changed);

  scene.containers[0].cpu_limit_percent = 8500; /* as bad, but later */
  scene_judge();
  assert_reason_begins(scene_alarm("container/web", "memory")->text);
  assert_non_null(strstr(scene_node()->health_reason, " (and 1 more)"));
  assert_int_equal(scene_node()->health_changed_ns, changed);
  drain();

  scene.disks[0].percent = 9900;
  scene_judge();
  assert_reason_begins(scene_alarm("disk//", "space")->text);
  changed = SCENE_START + 3 * SECOND;
  assert_int_equal(scene_node()->health_changed_ns, changed);
  assert_notice(TALLY_NOTICE_DISK_RAISED, "/", CRITICAL, OK);
  const tally_notice_t *notice = scene_notice();
  assert_int_equal(notice->kind, HEALTH);
  assert_string_equal(notice->text, scene_node()->health_reason);

  /* another reason for the same health is no change of it */
  scene.disks[0].percent = 100;
  scene.containers[0].memory_percent = 9500;
  scene_judge();
  assert_int_equal(scene_node()->health, CRITICAL);
  assert_reason_begins(scene_alarm("container/web", "memory")->text);
  assert_int_equal(scene_node()->health_changed_ns, changed);
}

static void test_health_at_the_start(void **state) {
  scene.node.docker_reachable = NOBODY_KNOWS;
  scene_judge();
  assert_int_equal(scene_node()->health, UNKNOWN);
  assert_string_not_equal(scene_node()->health_reason, "");
  assert_int_equal(scene_node()->health_changed_ns, SCENE_START + SECOND);
  assert_no_notice();
  scene.node.docker_reachable = TALLY_TRUE;
  scene_judge();
  assert_int_equal(scene_node()->health, OK);
  assert_int_equal(scene_node()->health_changed_ns, SCENE_START + 2 * SECOND);
  assert_no_notice(); /* that it begins well is no news */
}

#define CASE(test)                                                             \
  cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(test_node),
      CASE(test_node_without),
      CASE(test_docker),
      CASE(test_disks),
      CASE(test_disk_rules),
      CASE(test_disk_that_hangs),
      CASE(test_disk_that_is_read_only),
      CASE(test_container_limits),
      CASE(test_container_without_limits),
      CASE(test_container_with_the_limits_of_the_node),
      CASE(test_container_that_ends),
      CASE(test_container_health),
      CASE(test_container_states),
      CASE(test_names),
      CASE(test_long_mount),
      CASE(test_sinks),
      CASE(test_sinks_of_a_collectd_that_is_away),
      CASE(test_collectd_that_was_never_there),
      CASE(test_sink_of_which_nothing_is_known),
      CASE(test_health_is_the_worst),
      CASE(test_health_at_the_start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
