/* SPDX-License-Identifier: MIT */
/* Containers from what daemons answer. */
#include "config.h"

#include "unit.h"

#include "core/file.h"
#include "docker/container_private.h"
#include "docker/event_private.h"
#include "tree.h"

#define ID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static tally_json_t *load(const char *fixture) {
  static char text[65536];
  ssize_t len =
      tally_file_read(tree_fixture(fixture), text, sizeof(text), NULL);
  assert_true(len > 0);
  tally_json_t *json = tally_json_parse(text, (size_t)len, NULL);
  assert_non_null(json);
  return json;
}

static const tally_container_t *inspect_fixture(const char *fixture) {
  tally_json_t *json = load(fixture);
  const tally_container_t *c = tally_container_parse(json, NULL);
  tally_json_destroy(json);
  assert_non_null(c);
  return c;
}

static const tally_container_t *inspect(const char *text, tally_error_t *err) {
  tally_json_t *json = tally_json_parse(text, strlen(text), NULL);
  assert_non_null(json);
  const tally_container_t *c = tally_container_parse(json, err);
  tally_json_destroy(json);
  return c;
}

/* docker run -t -e … --label … --health-cmd true, Engine 20.10.24 */
static void test_running(void **state) {
  const tally_container_t *c = inspect_fixture("docker-20.10/inspect-web.json");
  assert_int_equal(strlen(c->id), 64);
  assert_string_equal(c->name, "web");
  assert_string_equal(c->image, "busy:1");
  assert_memory_equal(c->image_id, "sha256:", 7);
  assert_int_equal(c->state, TALLY_CONTAINER_RUNNING);
  assert_int_equal(c->health, TALLY_HEALTH_HEALTHY);
  assert_true(tally_container_is_up(c));
  assert_false(tally_container_is_partial(c));
  assert_true(c->pid > 0);
  assert_true(c->created_ns > 0 && c->started_ns > c->created_ns);
  assert_true(c->finished_ns == 0);
  assert_true(c->tty);
  assert_string_equal(c->network_mode, "none");
  assert_string_equal(c->log_driver, "json-file");

  assert_int_equal(c->labels_count, 2);
  assert_string_equal(tally_container_label(c, "com.example.role"), "front");
  assert_string_equal(tally_container_label(c, "a"), "b");
  assert_null(tally_container_label(c, "c"));
  assert_string_equal(tally_container_env(c, "SWAP"), "1");
  assert_string_equal(tally_container_env(c, "PAIR"), "a=b");
  assert_string_equal(tally_container_env(c, "EMPTY"), "");
  assert_string_equal(tally_container_env(c, "NAKED"), "");
  assert_null(tally_container_env(c, "PAI"));
  tally_container_unref(c);
}

static void test_exited_and_created(void **state) {
  const tally_container_t *c =
      inspect_fixture("docker-20.10/inspect-fail.json");
  assert_int_equal(c->state, TALLY_CONTAINER_EXITED);
  assert_int_equal(c->exit_code, 3);
  assert_int_equal(c->pid, 0);
  assert_true(c->finished_ns > c->created_ns);
  assert_false(tally_container_is_up(c));
  tally_container_unref(c);

  c = inspect_fixture("docker-20.10/inspect-new.json");
  assert_int_equal(c->state, TALLY_CONTAINER_CREATED);
  assert_true(c->created_ns > 0);
  assert_true(c->started_ns == 0 && c->finished_ns == 0);
  tally_container_unref(c);
}

static void test_list(void **state) {
  tally_json_t *json = load("docker-20.10/list.json");
  static const struct {
    const char *name;
    tally_container_state_t state;
  } expected[] = {{"new", TALLY_CONTAINER_CREATED},
                  {"fail", TALLY_CONTAINER_EXITED},
                  {"web", TALLY_CONTAINER_EXITED}};
  assert_int_equal(tally_json_count(json), COUNT_OF(expected));
  for (size_t i = 0; i < COUNT_OF(expected); i++) {
    const tally_container_t *c =
        tally_container_parse_listed(tally_json_at(json, i, NULL), NULL);
    assert_non_null(c);
    assert_string_equal(c->name, expected[i].name);
    assert_int_equal(c->state, expected[i].state);
    assert_true(tally_container_is_partial(c));
    assert_string_equal(c->image, "busy:1");
    assert_true(c->created_ns > 0);
    tally_container_unref(c);
  }
  tally_json_destroy(json);
}

/* API before 1.23: no State, only a text for people; links among the names. */
static void test_old_list(void **state) {
  static const struct {
    const char *status;
    tally_container_state_t state;
  } cases[] = {
      {"Up 3 minutes", TALLY_CONTAINER_RUNNING},
      {"Up 3 minutes (Paused)", TALLY_CONTAINER_PAUSED},
      {"Exited (0) 2 hours ago", TALLY_CONTAINER_EXITED},
      {"Restarting (1) 2 seconds ago", TALLY_CONTAINER_RESTARTING},
      {"Created", TALLY_CONTAINER_CREATED},
      {"", TALLY_CONTAINER_CREATED},
      {"Dead", TALLY_CONTAINER_DEAD},
      {"Removal In Progress", TALLY_CONTAINER_REMOVING},
      {"Levitating", TALLY_CONTAINER_UNKNOWN},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char text[256];
    snprintf(text, sizeof(text),
             "{\"Id\":\"" ID64 "\",\"Names\":[\"/proxy/db\",\"/db\"],"
             "\"Status\":\"%s\"}",
             cases[i].status);
    tally_json_t *json = tally_json_parse(text, strlen(text), NULL);
    const tally_container_t *c = tally_container_parse_listed(json, NULL);
    assert_int_equal(c->state, cases[i].state);
    assert_string_equal(c->name, "db");
    tally_container_unref(c);
    tally_json_destroy(json);
  }
}

/* API before 1.21: no State.Status, only flags. */
static void test_old_inspect(void **state) {
  static const struct {
    const char *flags;
    tally_container_state_t state;
    int pid;
  } cases[] = {
      {"\"Running\":true", TALLY_CONTAINER_RUNNING, 17},
      {"\"Running\":true,\"Paused\":true", TALLY_CONTAINER_PAUSED, 17},
      {"\"Running\":true,\"Restarting\":true", TALLY_CONTAINER_RESTARTING, 0},
      {"\"Running\":false", TALLY_CONTAINER_EXITED, 0},
      {"\"Running\":false,\"Dead\":true", TALLY_CONTAINER_DEAD, 0},
      {"\"Odd\":1", TALLY_CONTAINER_UNKNOWN, 0},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char text[512];
    snprintf(text, sizeof(text),
             "{\"Id\":\"" ID64 "\",\"Name\":\"/old\",\"State\":{%s,\"Pid\":17,"
             "\"StartedAt\":\"2015-08-01T10:00:00.5Z\"}}",
             cases[i].flags);
    const tally_container_t *c = inspect(text, NULL);
    assert_int_equal(c->state, cases[i].state);
    assert_int_equal(c->pid, cases[i].pid);
    assert_true(c->started_ns == UINT64_C(1438423200500000000));
    tally_container_unref(c);
  }
}

static void test_hostile(void **state) {
  static const char *const without_id[] = {
      "{}",
      "[]",
      "7",
      "{\"Id\":\"\"}",
      "{\"Id\":17}",
      "{\"Id\":\"../../etc/passwd\"}",
      "{\"Id\":\"" ID64 "0\"}",
      "{\"Id\":\"abc?all=1\"}",
  };
  for (size_t i = 0; i < COUNT_OF(without_id); i++) {
    tally_error_t err = {0};
    assert_null(inspect(without_id[i], &err));
    assert_non_null(strstr(err.message, "Id"));
  }

  /* the wrong kind of everything is as good as nothing */
  const tally_container_t *c = inspect(
      "{\"Id\":\"abc\",\"Name\":[],\"Image\":7,\"Created\":{},"
      "\"RestartCount\":99999999999,\"State\":\"x\",\"Config\":{\"Env\":"
      "{\"a\":\"b\"},\"Labels\":[\"l\"],\"Tty\":\"yes\"},\"HostConfig\":[]}",
      NULL);
  assert_non_null(c);
  assert_string_equal(c->name, "");
  assert_string_equal(c->image_id, "");
  assert_int_equal(c->state, TALLY_CONTAINER_UNKNOWN);
  assert_int_equal(c->restart_count, 0);
  assert_int_equal(c->labels_count, 0);
  assert_false(c->tty);
  tally_container_unref(c);

  c = inspect("{\"Id\":\"abc\",\"State\":{\"Status\":\"running\",\"Pid\":-5}}",
              NULL);
  assert_int_equal(c->pid, 0);
  tally_container_unref(c);
}

static void test_equal(void **state) {
  const tally_container_t *a = inspect_fixture("docker-20.10/inspect-web.json");
  const tally_container_t *b = inspect_fixture("docker-20.10/inspect-web.json");
  assert_true(tally_container_equal(a, b));
  tally_container_t draft = *b;
  draft.name = "other";
  const tally_container_t *renamed = tally_container_pack(&draft, NULL);
  assert_false(tally_container_equal(a, renamed));
  assert_int_equal(renamed->env_count, a->env_count);
  tally_container_unref(renamed);
  tally_container_unref(b);
  tally_container_unref(a);
}

static void test_after(void **state) {
  const tally_container_t *c = inspect_fixture("docker-20.10/inspect-web.json");
  const tally_pair_t code = {"exitCode", "137"};
  tally_event_t event = {.type = "container",
                         .action = "die",
                         .actor_id = c->id,
                         .actor_name = "neu",
                         .image = "",
                         .attributes = &code,
                         .attributes_count = 1,
                         .time_ns = c->started_ns + 1};
  const tally_container_t *after = tally_container_after(c, &event);
  assert_int_equal(after->state, TALLY_CONTAINER_EXITED);
  assert_int_equal(after->exit_code, 137);
  assert_int_equal(after->pid, 0);
  assert_true(after->finished_ns == event.time_ns);
  assert_string_equal(tally_container_env(after, "SWAP"), "1");

  event.action = "start";
  const tally_container_t *again = tally_container_after(after, &event);
  assert_int_equal(again->state, TALLY_CONTAINER_RUNNING);
  assert_int_equal(again->exit_code, 0);
  tally_container_unref(again);

  event.action = "rename";
  again = tally_container_after(c, &event);
  assert_string_equal(again->name, "neu");
  tally_container_unref(again);

  event.action = "top"; /* changes nothing: the same container */
  again = tally_container_after(c, &event);
  assert_ptr_equal(again, c);
  tally_container_unref(again);
  tally_container_unref(after);
  tally_container_unref(c);
}

/* As docker writes sizes, in powers of 1000. */
static void test_log_files(void **state) {
  static const struct {
    const char *log;
    uint64_t max;
    unsigned files;
  } cases[] = {
      {"'json-file','Config':{}", 0, 0},
      {"'json-file','Config':{'max-size':'10m'}", 10000000, 1},
      {"'json-file','Config':{'max-size':'1.5 GB','max-file':'7'}",
       UINT64_C(1500000000), 7},
      {"'json-file','Config':{'max-size':'-1','max-file':'7'}", 0, 0},
      {"'json-file','Config':{'max-size':'inf'}", 0, 0},
      {"'json-file','Config':{'max-size':10}", 0, 0},
      {"'local','Config':null", 20 << 20, 5},
      {"'local','Config':{'max-size':'20k','max-file':'2'}", 20000, 2},
      {"'local','Config':{'max-size':'-1'}", 0, 0},
      {"null", 0, 0},
  };
  for (unsigned i = 0; i < COUNT_OF(cases); i++) {
    char text[512];
    snprintf(text, sizeof(text),
             "{'Id':'" ID64 "','HostConfig':{'LogConfig':{'Type':%s}}}",
             cases[i].log);
    for (char *quote; (quote = strchr(text, '\'')) != NULL;)
      *quote = '"';
    const tally_container_t *c = inspect(text, NULL);
    assert_non_null(c);
    assert_int_equal(c->log_file_max, cases[i].max);
    assert_int_equal(c->log_files, cases[i].files);
    tally_container_unref(c);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_log_files),
      cmocka_unit_test(test_running),
      cmocka_unit_test(test_exited_and_created),
      cmocka_unit_test(test_list),
      cmocka_unit_test(test_old_list),
      cmocka_unit_test(test_old_inspect),
      cmocka_unit_test(test_hostile),
      cmocka_unit_test(test_equal),
      cmocka_unit_test(test_after),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
