/* SPDX-License-Identifier: MIT */
/* Docker events as an operator reads them: severity and sentence. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "container/lifecycle.h"
#include "core/clock.h"

#define ID "3fe1aa90bc21d8f1a5c1f0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5"
#define OTHER_ID                                                               \
  "77e1aa90bc21d8f1a5c1f0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5"
#define SECOND TALLY_NS_PER_S
#define OKAY TALLY_SEVERITY_OKAY
#define WARNING TALLY_SEVERITY_WARNING
#define FAILURE TALLY_SEVERITY_FAILURE

static const tally_pair_t api_env[] = {{"PATH", "/bin"}, {"PROCESS", "api"}};
static const tally_container_t api = {
    .id = ID, .name = "billing-api", .env = api_env, .env_count = 2};

/* An event of a container with at most one attribute. */
typedef struct {
  tally_event_t event;
  tally_pair_t attribute;
} made_t;

static const tally_event_t *make(made_t *m, const char *action, const char *key,
                                 const char *value, double at) {
  m->attribute = (tally_pair_t){key, value};
  m->event = (tally_event_t){.type = "container",
                             .action = action,
                             .actor_id = ID,
                             .actor_name = "billing-api",
                             .image = "busybox",
                             .attributes = &m->attribute,
                             .attributes_count = key != NULL,
                             .time_ns = (uint64_t)((1e6 + at) * 1e9)};
  return &m->event;
}

static tally_severity_t judge(tally_lifecycle_t *l, const tally_event_t *event,
                              const tally_container_t *container,
                              const char *sentence) {
  tally_verdict_t v;
  char text[256];
  tally_lifecycle_judge(l, event, container, &v);
  tally_event_sentence(event, container, &v, text, sizeof(text));
  if (sentence != NULL)
    assert_string_equal(text, sentence);
  return v.severity;
}

static int new_lifecycle(void **state) {
  *state = tally_lifecycle_create(60 * SECOND, NULL);
  return *state == NULL;
}

static int end_lifecycle(void **state) {
  tally_lifecycle_destroy(*state);
  return 0;
}

static void test_container_events(void **state) {
  static const struct {
    const char *action, *key, *value;
    tally_severity_t severity;
    const char *sentence;
  } cases[] = {
      {"create", NULL, NULL, OKAY, "Starting api process 3fe1aa90bc21"},
      {"start", NULL, NULL, OKAY, "Started api process 3fe1aa90bc21"},
      {"die", "exitCode", "0", OKAY,
       "Dead api process 3fe1aa90bc21 (exit code 0)"},
      {"die", "exitCode", "3", FAILURE,
       "Dead api process 3fe1aa90bc21 (exit code 3)"},
      {"die", "exitCode", "139", FAILURE,
       "Dead api process 3fe1aa90bc21 (exit code 139, as from SIGSEGV)"},
      {"die", "exitCode", "255", FAILURE,
       "Dead api process 3fe1aa90bc21 (exit code 255)"},
      {"die", "exitCode", "x", WARNING, "Dead api process 3fe1aa90bc21"},
      {"die", NULL, NULL, WARNING, "Dead api process 3fe1aa90bc21"},
      {"kill", "signal", "15", OKAY,
       "Stopped api process 3fe1aa90bc21 via SIGTERM"},
      {"kill", "signal", "SIGUSR1", OKAY,
       "Stopped api process 3fe1aa90bc21 via SIGUSR1"},
      {"kill", "signal", "?", OKAY, "Stopped api process 3fe1aa90bc21"},
      {"oom", NULL, NULL, FAILURE,
       "Stopped api process 3fe1aa90bc21 due to OOM"},
      {"health_status: unhealthy", NULL, NULL, FAILURE,
       "Health of api process 3fe1aa90bc21: unhealthy"},
      {"health_status: healthy", NULL, NULL, OKAY,
       "Health of api process 3fe1aa90bc21: healthy"},
      {"health_status: starting", NULL, NULL, OKAY,
       "Health of api process 3fe1aa90bc21: starting"},
      {"destroy", NULL, NULL, OKAY, "Removed api process 3fe1aa90bc21"},
      {"rename", "oldName", "/old", OKAY,
       "Renamed api process 3fe1aa90bc21 from old to billing-api"},
      {"exec_create: ls -l", NULL, NULL, OKAY,
       "Prepared a command in api process 3fe1aa90bc21: ls -l"},
      {"exec_die", "exitCode", "2", OKAY,
       "Ended a command in api process 3fe1aa90bc21 (exit code 2)"},
      {"exec_start: sh -c\n\x1b[2J", NULL, NULL, OKAY,
       "Started a command in api process 3fe1aa90bc21: sh -c  [2J"},
      {"invented", NULL, NULL, OKAY,
       "Event invented of api process 3fe1aa90bc21"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    tally_lifecycle_t *l = tally_lifecycle_create(60 * SECOND, NULL);
    made_t m;
    make(&m, cases[i].action, cases[i].key, cases[i].value, 0);
    assert_int_equal(judge(l, &m.event, &api, cases[i].sentence),
                     cases[i].severity);
    tally_lifecycle_destroy(l);
  }
}

static void test_process_is_left_out(void **state) {
  static const tally_pair_t empty_env[] = {{"PROCESS", ""}};
  tally_container_t plain = {.id = ID, .env = empty_env, .env_count = 1};
  made_t m;
  make(&m, "create", NULL, NULL, 0);
  judge(*state, &m.event, &plain, "Starting process 3fe1aa90bc21");
  judge(*state, &m.event, NULL, "Starting process 3fe1aa90bc21");
}

static void test_first_scan_says_starting(void **state) {
  made_t m;
  make(&m, "start", NULL, NULL, 0);
  m.event.origin = TALLY_EVENT_SCAN;
  judge(*state, &m.event, &api, "Starting api process 3fe1aa90bc21");
}

/* docker stop: TERM, after the grace period KILL, then the end. */
static void test_stop_is_no_failure(void **state) {
  made_t m;
  judge(*state, make(&m, "kill", "signal", "15", 0), &api, NULL);
  judge(*state, make(&m, "kill", "signal", "9", 10), &api, NULL);
  assert_int_equal(judge(*state, make(&m, "die", "exitCode", "137", 10.1), &api,
                         "Dead api process 3fe1aa90bc21 (killed by SIGKILL)"),
                   WARNING);
  assert_int_equal(judge(*state, make(&m, "stop", NULL, NULL, 10.2), &api,
                         "Stopped api process 3fe1aa90bc21 via SIGKILL"),
                   OKAY);
}

static void test_signal_that_did_not_end_it(void **state) {
  made_t m;
  judge(*state, make(&m, "kill", "signal", "15", 0), &api, NULL);
  assert_int_equal(judge(*state, make(&m, "die", "exitCode", "1", 3), &api,
                         "Dead api process 3fe1aa90bc21 (exit code 1)"),
                   WARNING);
}

static void test_signal_is_forgotten(void **state) {
  made_t m;
  /* after the window */
  judge(*state, make(&m, "kill", "signal", "1", 0), &api, NULL);
  assert_int_equal(
      judge(*state, make(&m, "die", "exitCode", "1", 61), &api, NULL), FAILURE);
  /* with the next run */
  judge(*state, make(&m, "kill", "signal", "15", 70), &api, NULL);
  judge(*state, make(&m, "start", NULL, NULL, 71), &api, NULL);
  assert_int_equal(
      judge(*state, make(&m, "die", "exitCode", "1", 72), &api, NULL), FAILURE);
  judge(*state, make(&m, "stop", NULL, NULL, 73), &api,
        "Stopped api process 3fe1aa90bc21");
}

static void test_signal_to_another_container(void **state) {
  made_t m;
  make(&m, "kill", "signal", "15", 0);
  m.event.actor_id = OTHER_ID;
  judge(*state, &m.event, NULL, "Stopped process 77e1aa90bc21 via SIGTERM");
  assert_int_equal(
      judge(*state, make(&m, "die", "exitCode", "1", 1), &api, NULL), FAILURE);
}

static void test_oom_then_die(void **state) {
  made_t m;
  judge(*state, make(&m, "oom", NULL, NULL, 0), &api, NULL);
  /* even while somebody stops it */
  judge(*state, make(&m, "kill", "signal", "15", 0), &api, NULL);
  assert_int_equal(
      judge(*state, make(&m, "die", "exitCode", "137", 0.1), &api,
            "Dead api process 3fe1aa90bc21 (exit code 137, out of memory)"),
      FAILURE);
}

/* A child was killed, the container lives on and ends of something else. */
static void test_oom_of_a_child(void **state) {
  tally_container_t gone = api;
  gone.state = TALLY_CONTAINER_EXITED;
  gone.oom_killed = true; /* says Docker, in all these cases */
  made_t m;
  judge(*state, make(&m, "oom", NULL, NULL, 0), &api, NULL);
  assert_int_equal(judge(*state, make(&m, "die", "exitCode", "0", 1), &gone,
                         "Dead api process 3fe1aa90bc21 (exit code 0)"),
                   OKAY);
  assert_int_equal(judge(*state, make(&m, "die", "exitCode", "1", 3600), &gone,
                         "Dead api process 3fe1aa90bc21 (exit code 1)"),
                   FAILURE);
  judge(*state, make(&m, "die", "exitCode", "1", 2), &gone,
        "Dead api process 3fe1aa90bc21 (exit code 1, out of memory)");
  judge(*state, make(&m, "die", "exitCode", "137", 3600), &gone,
        "Dead api process 3fe1aa90bc21 (exit code 137, out of memory)");
}

/* Docker before 1.10 sends no attributes; inspect knows. */
static void test_facts_from_inspect(void **state) {
  tally_container_t gone = api;
  gone.state = TALLY_CONTAINER_EXITED;
  gone.exit_code = 137;
  gone.oom_killed = true;
  made_t m;
  assert_int_equal(
      judge(*state, make(&m, "die", NULL, NULL, 0), &gone,
            "Dead api process 3fe1aa90bc21 (exit code 137, out of memory)"),
      FAILURE);
}

/* A whole host is stopped: every signal comes before the first end. */
static void test_many_at_once(void **state) {
  char ids[3000][65];
  made_t m;
  for (int i = 0; i < 3000; i++) {
    snprintf(ids[i], sizeof(ids[i]), "%016x%.48s", i + 1, ID);
    make(&m, "kill", "signal", "15", 0);
    m.event.actor_id = ids[i];
    judge(*state, &m.event, NULL, NULL);
  }
  for (int i = 0; i < 3000; i++) {
    make(&m, "die", "exitCode", "143", 1);
    m.event.actor_id = ids[i];
    assert_int_equal(judge(*state, &m.event, NULL, NULL), WARNING);
  }
}

static void test_other_types(void **state) {
  static const struct {
    const char *type, *action, *id, *name;
    tally_pair_t attributes[2];
    tally_severity_t severity;
    const char *sentence;
  } cases[] = {
      {"image", "pull", "redis:7", "redis", {}, OKAY, "Image redis pulled"},
      {"image",
       "delete",
       "sha256:" ID,
       "",
       {},
       OKAY,
       "Image sha256:3fe1aa90bc21 deleted"},
      {"network",
       "connect",
       ID,
       "bridge",
       {{"container", OTHER_ID}},
       OKAY,
       "Network bridge connected to container 77e1aa90bc21"},
      {"volume",
       "mount",
       ID,
       "",
       {{"container", OTHER_ID}},
       OKAY,
       "Volume 3fe1aa90bc21 mounted in container 77e1aa90bc21"},
      {"volume",
       "prune",
       "",
       "",
       {{"reclaimed", "4096"}},
       OKAY,
       "Pruned every unused volume (4096 bytes reclaimed)"},
      {"container",
       "prune",
       "",
       "",
       {{"reclaimed", "0"}},
       OKAY,
       "Pruned every unused container (0 bytes reclaimed)"},
      {"daemon",
       "reload",
       "ABCD:EF",
       "host1",
       {},
       OKAY,
       "Daemon host1 reloaded its configuration"},
      {"node",
       "update",
       "n1",
       "worker",
       {{"state.old", "ready"}, {"state.new", "down"}},
       FAILURE,
       "Node worker updated (state ready -> down)"},
      {"node",
       "update",
       "n1",
       "worker",
       {{"state.old", "down"}, {"state.new", "ready"}},
       OKAY,
       "Node worker updated (state down -> ready)"},
      {"service",
       "update",
       "s1",
       "web",
       {{"updatestate.old", "updating"}, {"updatestate.new", "paused"}},
       WARNING,
       "Service web updated (updatestate updating -> paused)"},
      {"", "", "", "", {}, OKAY, "Unknown - event"},
      {"new", "thing done", "x", "", {}, OKAY, "New x thing done"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    size_t count = 0;
    while (count < 2 && cases[i].attributes[count].key != NULL)
      count++;
    tally_event_t e = {.type = cases[i].type,
                       .action = cases[i].action,
                       .actor_id = cases[i].id,
                       .actor_name = cases[i].name,
                       .image = "",
                       .attributes = cases[i].attributes,
                       .attributes_count = count};
    assert_int_equal(judge(*state, &e, NULL, cases[i].sentence),
                     cases[i].severity);
  }
}

static void test_long_texts_are_cut(void **state) {
  char process[1000], command[1000];
  memset(process, 'p', sizeof(process));
  memset(command, 'c', sizeof(command));
  process[999] = command[999] = '\0';
  memcpy(command, "exec_create: ", 13);
  tally_pair_t env = {"PROCESS", process};
  tally_container_t c = {.id = ID, .env = &env, .env_count = 1};
  made_t m;
  make(&m, command, NULL, NULL, 0);
  tally_verdict_t v;
  char text[256];
  tally_lifecycle_judge(*state, &m.event, &c, &v);
  tally_event_sentence(&m.event, &c, &v, text, sizeof(text));
  assert_int_equal(strlen(text), 255);
  assert_non_null(strstr(text, "process 3fe1aa90bc21: ccc"));
}

static void test_action_names(void **state) {
  static const struct {
    const char *action, *name;
  } cases[] = {
      {"start", "start"},
      {"exec_create: ls -l", "exec_create"},
      {"health_status: unhealthy", "health_status_unhealthy"},
      {"health_status", "health_status"},
      {"archive-path", "archive-path"},
      {"a/b c", "a_b_c"},
      {"", ""},
  };
  char name[TALLY_ACTION_NAME_SIZE];
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    tally_event_action_name(cases[i].action, name);
    assert_string_equal(name, cases[i].name);
  }
  char longer[200];
  memset(longer, 'x', sizeof(longer));
  longer[199] = '\0';
  tally_event_action_name(longer, name);
  assert_int_equal(strlen(name), TALLY_ACTION_NAME_SIZE - 1);
}

static void test_actors(void **state) {
  char text[32];
  tally_event_t e = {.actor_id = ID, .actor_name = "web"};
  assert_string_equal(tally_event_actor(&e, text, sizeof(text)), "web");
  e.actor_name = "";
  assert_string_equal(tally_event_actor(&e, text, sizeof(text)),
                      "3fe1aa90bc21");
  e.actor_id = "";
  assert_string_equal(tally_event_actor(&e, text, sizeof(text)), "-");
  e.actor_id = "deadbeef"; /* too short for a digest */
  assert_string_equal(tally_event_actor(&e, text, sizeof(text)), "deadbeef");
}

#define lifecycle_test(f)                                                      \
  cmocka_unit_test_setup_teardown(f, new_lifecycle, end_lifecycle)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_container_events),
      lifecycle_test(test_process_is_left_out),
      lifecycle_test(test_first_scan_says_starting),
      lifecycle_test(test_stop_is_no_failure),
      lifecycle_test(test_signal_that_did_not_end_it),
      lifecycle_test(test_signal_is_forgotten),
      lifecycle_test(test_signal_to_another_container),
      lifecycle_test(test_oom_then_die),
      lifecycle_test(test_oom_of_a_child),
      lifecycle_test(test_facts_from_inspect),
      lifecycle_test(test_many_at_once),
      lifecycle_test(test_other_types),
      lifecycle_test(test_long_texts_are_cut),
      cmocka_unit_test(test_action_names),
      cmocka_unit_test(test_actors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
