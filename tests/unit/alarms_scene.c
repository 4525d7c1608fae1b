/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "alarms_scene.h"

#include "docker/docker.h"

scene_t scene;
static tally_alarms_t *alarms;
static tally_notices_t *notices;
static tally_disk_rule_t disk_rule;
static tally_container_rule_t container_rule;

int scene_setup(void **state) {
  const tally_threshold_t usual = {.warning = 80, .critical = 90};
  disk_rule = (tally_disk_rule_t){.space = usual, .inodes = usual};
  disk_rule.match = tally_select_create();
  container_rule =
      (tally_container_rule_t){.memory = usual, .cpu = usual, .threads = usual};
  if (tally_select_add(disk_rule.match, "/.*/", NULL) != 0)
    return -1;
  scene = (scene_t){
      .settings = {.node_cpu = usual,
                   .node_memory = usual,
                   .node_swap = usual,
                   .node_load = {.warning = 2, .critical = 4},
                   .disk_rules = &disk_rule,
                   .container_rules = &container_rule,
                   .hysteresis = 5,
                   .notices_per_minute = 1000000},
      .node = {.cpu_percent = 1000,
               .cpus = 2,
               .load1 = 50,
               .memory_total = 1000,
               .memory_used = 300,
               .swap_total = 1000,
               .swap_used = 0,
               .docker_reachable = TALLY_TRUE,
               .docker_problem = "",
               .sinks_state = 1},
      .disks = {{"/", 5000, 1000, TALLY_FALSE, TALLY_TRUE}},
      .containers = {{"web", TALLY_CONTAINER_RUNNING + 1,
                      TALLY_HEALTH_HEALTHY + 1, 1000, 1000, 5, 100, 500, 50}},
      .sinks = {{"write_nsq", 1, 0}},
      .rule = &container_rule,
  };
  for (int kind = 0; kind < TALLY_NOTICES; kind++)
    scene.settings.notify[kind] = true;
  alarms = tally_alarms_create();
  notices = tally_notices_create(NULL, NULL, NULL);
  if (alarms == NULL || notices == NULL)
    return -1;
  tally_notices_configure(notices, &scene.settings);
  return 0;
}

int scene_teardown(void **state) {
  tally_view_unref(scene.view);
  tally_alarms_destroy(alarms);
  tally_notices_destroy(notices);
  tally_select_destroy(disk_rule.match);
  return 0;
}

/* ---- a view of it -------------------------------------------------------- */

static void show_node(tally_node_row_t *row) {
  row->cpu_percent = scene.node.cpu_percent;
  row->cpus = scene.node.cpus;
  row->load1 = scene.node.load1;
  row->memory_total = scene.node.memory_total;
  row->memory_used = scene.node.memory_used;
  row->swap_total = scene.node.swap_total;
  row->swap_used = scene.node.swap_used;
  row->docker_reachable = scene.node.docker_reachable;
  row->docker_problem = scene.node.docker_problem;
  row->sinks_state = scene.node.sinks_state;
  row->sinks_problem = scene.node.sinks_problem;
}

static void show_disks(tally_view_t *view) {
  for (size_t i = 0; i < COUNT_OF(scene.disks); i++) {
    const scene_disk_t *disk = &scene.disks[i];
    if (disk->mount == NULL)
      continue;
    tally_disk_row_t *row = tally_view_add_disk(view, disk->mount);
    row->percent = disk->percent;
    row->inodes_percent = disk->inodes_percent;
    row->read_only = disk->read_only;
    row->answering = disk->answering;
  }
}

static void show_containers(tally_view_t *view) {
  for (size_t i = 0; i < COUNT_OF(scene.containers); i++) {
    const scene_container_t *container = &scene.containers[i];
    if (container->name == NULL)
      continue;
    tally_container_row_t *row =
        tally_view_add_container(view, container->name);
    row->id = "4f5e";
    row->image = "shop/web:3";
    row->state = container->state;
    row->health = container->health;
    row->memory_percent = container->memory_percent;
    row->cpu_limit_percent = container->cpu_limit_percent;
    row->memory_limit = container->memory_limit;
    row->cpu_limit = container->cpu_limit;
    row->threads = container->threads;
    row->threads_limit = container->threads_limit;
  }
}

static void show_sinks(tally_view_t *view) {
  for (size_t i = 0; i < COUNT_OF(scene.sinks); i++) {
    const scene_sink_t *sink = &scene.sinks[i];
    if (sink->name == NULL)
      continue;
    tally_sink_row_t *row = tally_view_add_sink(view, sink->name);
    row->state = sink->state;
    row->oldest_age_ms = sink->oldest_age_ms;
    row->last_error_text = "HTTP 503";
  }
}

static const tally_container_rule_t *rule_of(const tally_container_row_t *row,
                                             void *data) {
  assert_ptr_equal(data, &scene);
  return scene.rule;
}

void scene_judge(void) {
  tally_view_unref(scene.view);
  scene.view = tally_view_create();
  assert_non_null(scene.view);
  show_node(tally_view_node(scene.view));
  show_disks(scene.view);
  show_containers(scene.view);
  show_sinks(scene.view);
  scene.second++;
  tally_alarms_judge(alarms, &scene.settings, scene.view, rule_of, &scene,
                     SCENE_START + scene.second * SECOND, notices);
  assert_int_equal(tally_view_finish(scene.view, NULL), 0);
}

/* ---- what came of it ----------------------------------------------------- */

const tally_notice_t *scene_notice(void) {
  static tally_notice_t notice;
  return tally_notices_take(notices, &notice) ? &notice : NULL;
}

void assert_notice(tally_notice_kind_t kind, const char *object, uint64_t level,
                   uint64_t previous_level) {
  const tally_notice_t *notice = scene_notice();
  assert_non_null(notice);
  assert_int_equal(notice->kind, kind);
  assert_string_equal(notice->object, object);
  assert_int_equal(notice->level, level);
  assert_int_equal(notice->previous_level, previous_level);
  assert_int_equal(notice->time_ns, SCENE_START + scene.second * SECOND);
  if (kind != TALLY_NOTICE_NODE_HEALTH || level != TALLY_LEVEL_OK)
    assert_string_not_equal(notice->text, "");
}

size_t scene_alarms_count(void) {
  return tally_view_count(scene.view, TALLY_TABLE_ALARMS);
}

const tally_alarm_row_t *scene_alarm(const char *object, const char *cause) {
  for (size_t i = 0; i < scene_alarms_count(); i++) {
    const tally_alarm_row_t *row = (const tally_alarm_row_t *)tally_view_row(
        scene.view, TALLY_TABLE_ALARMS, i);
    if (strcmp(row->object, object) == 0 && strcmp(row->cause, cause) == 0)
      return row;
  }
  return NULL;
}

const tally_node_row_t *scene_node(void) {
  return (const tally_node_row_t *)tally_view_row(scene.view, TALLY_TABLE_NODE,
                                                  0);
}

uint64_t scene_disk_level(const char *mount) {
  for (size_t i = 0; i < tally_view_count(scene.view, TALLY_TABLE_DISKS); i++) {
    const tally_disk_row_t *row = (const tally_disk_row_t *)tally_view_row(
        scene.view, TALLY_TABLE_DISKS, i);
    if (strcmp(row->mount, mount) == 0)
      return row->level;
  }
  return 0;
}

uint64_t scene_container_level(const char *name) {
  for (size_t i = 0; i < tally_view_count(scene.view, TALLY_TABLE_CONTAINERS);
       i++) {
    const tally_container_row_t *row =
        (const tally_container_row_t *)tally_view_row(
            scene.view, TALLY_TABLE_CONTAINERS, i);
    if (strcmp(row->name, name) == 0)
      return row->level;
  }
  return 0;
}
