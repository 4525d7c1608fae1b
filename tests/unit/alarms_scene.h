/* SPDX-License-Identifier: MIT */
#ifndef TALLY_TESTS_ALARMS_SCENE_H
#define TALLY_TESTS_ALARMS_SCENE_H

/*
 * A node to judge: what the view will show of it stands in `scene`, which a
 * test changes between two calls of scene_judge().
 */

#include "alarms.h"
#include "unit.h"

#define SECOND UINT64_C(1000000000)
#define SCENE_START (UINT64_C(1700000000) * SECOND)

typedef struct scene_container_s {
  const char *name; /* NULL: not there */
  uint64_t state, health;
  uint64_t memory_percent, cpu_limit_percent;
  uint64_t threads, threads_limit;
  uint64_t memory_limit, cpu_limit;
} scene_container_t;

typedef struct scene_disk_s {
  const char *mount;
  uint64_t percent, inodes_percent, read_only, answering;
} scene_disk_t;

typedef struct scene_sink_s {
  const char *name;
  uint64_t state, oldest_age_ms;
} scene_sink_t;

typedef struct scene_s {
  tally_settings_t settings;
  tally_node_row_t node; /* only what is judged */
  scene_disk_t disks[3];
  scene_container_t containers[3];
  scene_sink_t sinks[3];
  const tally_container_rule_t *rule; /* of every container */
  uint64_t second;                    /* since SCENE_START */

  tally_view_t *view; /* as it was judged last, finished */
} scene_t;

extern scene_t scene;

/* A node on which all is well and every threshold is 80 and 90 percent, with
 * hysteresis 5 and no hold. For cmocka. */
int scene_setup(void **state);
int scene_teardown(void **state);

/* A second later. */
void scene_judge(void);

/* The next notice; NULL: none. Lives until the next call. */
const tally_notice_t *scene_notice(void);
#define assert_no_notice() assert_null(scene_notice())
void assert_notice(tally_notice_kind_t kind, const char *object, uint64_t level,
                   uint64_t previous_level);

size_t scene_alarms_count(void);
/* By object and cause; NULL: does not stand. */
const tally_alarm_row_t *scene_alarm(const char *object, const char *cause);
const tally_node_row_t *scene_node(void);
uint64_t scene_disk_level(const char *mount);
uint64_t scene_container_level(const char *name);

#endif
