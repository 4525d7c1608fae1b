/* SPDX-License-Identifier: MIT */
/* docker_logs: its options, and which containers are shipped where. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include <setjmp.h>

#include <cmocka.h>

#include "docker_logs_routes.h"
#include "docker_logs_sinks.h"
#include "mock.h"

static int load(void **state) {
  mock_load();
  return 0;
}

static int unload(void **state) {
  mock_assert_content();
  mock_unload();
  return 0;
}

/* ---- options ------------------------------------------------------------- */

static void test_all_options(void **state) {
  assert_int_equal(mock_config("<Plugin docker_logs>\n"
                               "  Endpoint \"unix:///nowhere\"\n"
                               "  FromEnvironment false\n"
                               "  Lifecycle false\n"
                               "  CarryLabel \"/^com/\"\n"
                               "  ReadExisting true\n"
                               "  StateDir \"/tmp/x\"\n"
                               "  SpoolLimit 16\n"
                               "  Linger 0.5\n"
                               "  <Route \"all of it\">\n"
                               "    Container \"/^web/\"\n"
                               "    LogGroup \"/ecs/web\"\n"
                               "    Format json\n"
                               "    Streams stdout stderr\n"
                               "    Lifecycle true\n"
                               "    Multiline \"^[0-9]{4}\"\n"
                               "    MultilineLines 10\n"
                               "    MultilineWait 0.5\n"
                               "    CarryLabel \"x\"\n"
                               "  </Route>\n"
                               "  <Kinesis>\n"
                               "    Region \"eu-central-1\"\n"
                               "    Endpoint \"http://127.0.0.1:4567\"\n"
                               "    Order none\n"
                               "    Aggregate true\n"
                               "    Compression gzip\n"
                               "    Format raw\n"
                               "  </Kinesis>\n"
                               "  <CloudWatchLogs>\n"
                               "    CreateGroup true\n"
                               "    Retention 30\n"
                               "  </CloudWatchLogs>\n"
                               "  <File>\n"
                               "    RotateSize 1.5\n"
                               "    RotateKeep 2\n"
                               "  </File>\n"
                               "</Plugin>\n"),
                   0);
}

/* Each is refused, with one line that has these words. */
static void test_wrong_options(void **state) {
  static const struct {
    const char *text, *words[2];
  } cases[] = {
      {"SpoolLimit 0", {"SpoolLimit 0", "by way of a spool"}},
      {"SpoolLimit 15", {"SpoolLimit 15", "16 MiB"}},
      {"Colour \"red\"", {"Colour", "no such option"}},
      {"<Route>\nFile \"/x\"\n</Route>", {"Route", "takes a name"}},
      {"<Route \"a\">\n</Route>", {"Route \"a\"", "no sink"}},
      {"<Route \"a\">\nFile \"/x\"\nKinesis \"y\"\n</Route>",
       {"Route \"a\"", "several sinks"}},
      {"<Route \"a\">\nFile \"/x\"\n</Route>\n<Route \"A\">\nFile \"/y\"\n"
       "</Route>",
       {"Route \"A\"", "already"}},
      {"<Route \"a\">\nFile \"x\"\n</Route>", {"File \"x\"", "absolute"}},
      {"<Route \"a\">\nFile \"/x/\"\n</Route>", {"File \"/x/\"", "absolute"}},
      {"<Route \"a\">\nFile \"/x\"\nFormat \"xml\"\n</Route>",
       {"Format \"xml\"", "cloudwatch"}},
      {"<Route \"a\">\nFile \"/x\"\nStreams \"stdin\"\n</Route>",
       {"Streams \"stdin\"", "stderr"}},
      {"<Route \"a\">\nFile \"/x\"\nStreams \"stdout\" 3\n</Route>",
       {"Streams", "stderr"}},
      {"<Route \"a\">\nFile \"/x\"\nMultiline \"(\"\n</Route>",
       {"Route \"a\"", "Multiline"}},
      {"<Route \"a\">\nFile \"/x\"\nMultilineWait 0\n</Route>",
       {"MultilineWait 0", "0.01"}},
      {"<Route \"a\">\nFile \"/x\"\nEndpoint \"unix:///y\"\n</Route>",
       {"Endpoint", "no such option"}},
      {"<Kinesis>\nOrder \"random\"\n</Kinesis>", {"Order \"random\"", "key"}},
      {"<Kinesis>\nAccessKeyID \"AKIA\"\n</Kinesis>", {"AccessKeyID", ""}},
      {"<CloudWatchLogs>\nRetention 4\n</CloudWatchLogs>",
       {"Retention 4", "for ever"}},
      {"<CloudWatchLogs>\nRetention 1.5\n</CloudWatchLogs>",
       {"Retention 1.5", "for ever"}},
      {"<File>\nRotateSize -1\n</File>", {"RotateSize -1", "from 0"}},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    mock_forget();
    char text[512];
    snprintf(text, sizeof(text), "<Plugin docker_logs>\n%s\n</Plugin>\n",
             cases[i].text);
    if (mock_config(text) == 0)
      fail_msg("taken: %s", cases[i].text);
    assert_int_equal(mock_logged(LOG_ERR, NULL), 1);
    for (size_t w = 0; w < 2; w++)
      if (mock_logged(LOG_ERR, cases[i].words[w]) == 0)
        fail_msg("\"%s\" is not in: %s", cases[i].words[w], mock_log_line(0));
  }
}

/* ---- routes -------------------------------------------------------------- */

static docker_logs_sinks_t sinks;
static docker_logs_routes_t routes;

static int begin(void **state) {
  sinks = (docker_logs_sinks_t){0};
  routes = (docker_logs_routes_t){.from_environment = true, .lifecycle = true};
  assert_int_equal(docker_logs_sinks_finish("docker_logs", &sinks,
                                            docker_logs_routes_title, &routes),
                   0);
  return load(state);
}

static int end(void **state) {
  docker_logs_routes_clear(&routes);
  docker_logs_sinks_clear(&sinks);
  return unload(state);
}

/* A <Route> block of options with one string each; ends with NULL. */
static void add_route(const char *name, const char *const *options) {
  oconfig_value_t names = {.type = OCONFIG_TYPE_STRING,
                           .value.string = (char *)name};
  oconfig_item_t children[8];
  oconfig_value_t values[8];
  oconfig_item_t block = {.key = (char *)"Route",
                          .values = &names,
                          .values_num = 1,
                          .children = children};
  for (; options[2 * block.children_num] != NULL; block.children_num++) {
    int n = block.children_num;
    values[n] = (oconfig_value_t){.type = OCONFIG_TYPE_STRING,
                                  .value.string = (char *)options[2 * n + 1]};
    children[n] = (oconfig_item_t){
        .key = (char *)options[2 * n], .values = &values[n], .values_num = 1};
  }
  assert_int_equal(
      docker_logs_routes_add("docker_logs", &block, &routes.blocks), 0);
}

#define ADD_ROUTE(name, ...)                                                   \
  add_route(name, (const char *const[]){__VA_ARGS__, NULL})

static size_t routes_of(const char *name, const char *stream, const char *group,
                        tally_log_route_t *found) {
  tally_pair_t env[] = {{"KINESIS", stream}, {"LOG_GROUP", group}};
  tally_container_t c = {
      .id = "0123", .name = name, .image = "i", .env = env, .env_count = 2};
  return docker_logs_routes_of(&routes, &sinks, &c, found);
}

static void test_what_containers_ask_for(void **state) {
  tally_log_route_t found[TALLY_LOG_ROUTES_MAX];
  assert_int_equal(routes_of("web", "", "", found), 0);
  assert_int_equal(routes_of("web", "orders", "/ecs/web", found), 2);
  assert_string_equal(found[0].kind->name, "kinesis");
  assert_string_equal(found[0].target, "orders");
  assert_int_equal(found[0].layout, TALLY_LOG_LAYOUT_KINESIS);
  assert_true(found[0].streams[TALLY_LOG_STDOUT] &&
              found[0].streams[TALLY_LOG_STDERR] && found[0].lifecycle);
  assert_null(found[0].join);
  assert_string_equal(found[1].kind->name, "cloudwatch");
  assert_string_equal(found[1].target, "/ecs/web");
  assert_int_equal(found[1].layout, TALLY_LOG_LAYOUT_CLOUDWATCH);

  routes.lifecycle = false;
  assert_int_equal(routes_of("web", "orders", "", found), 1);
  assert_false(found[0].lifecycle);
  routes.from_environment = false;
  assert_int_equal(routes_of("web", "orders", "/ecs/web", found), 0);
}

static void test_what_the_operator_says(void **state) {
  tally_log_route_t found[TALLY_LOG_ROUTES_MAX];
  ADD_ROUTE("web", "Container", "/^web/", "File", "/var/log/web", "Format",
            "json", "Streams", "stderr", "Multiline", "^x");
  ADD_ROUTE("all", "Kinesis", "all");
  assert_int_equal(routes_of("web-1", "", "", found), 2);
  assert_string_equal(found[0].kind->name, "file");
  assert_string_equal(found[0].target, "/var/log/web");
  assert_int_equal(found[0].layout, TALLY_LOG_LAYOUT_JSON);
  assert_false(found[0].streams[TALLY_LOG_STDOUT]);
  assert_true(found[0].streams[TALLY_LOG_STDERR]);
  assert_non_null(found[0].join);
  assert_int_equal(found[1].layout, TALLY_LOG_LAYOUT_KINESIS);
  assert_int_equal(routes_of("db", "", "", found), 1);
  assert_string_equal(found[0].target, "all");
}

/* Nobody gets a line twice. */
static void test_the_same_place_twice(void **state) {
  tally_log_route_t found[TALLY_LOG_ROUTES_MAX];
  ADD_ROUTE("first", "Kinesis", "all", "Format", "raw");
  ADD_ROUTE("second", "Kinesis", "all");
  assert_int_equal(routes_of("web", "all", "all", found), 2);
  assert_int_equal(found[0].layout, TALLY_LOG_LAYOUT_RAW);
  assert_string_equal(found[1].kind->name, "cloudwatch");
}

/* What a message calls a target leads to where it was named. */
static void test_titles(void **state) {
  ADD_ROUTE("shop", "Kinesis", "orders");
  ADD_ROUTE("more", "Kinesis", "orders");
  ADD_ROUTE("all", "LogGroup", "/all");
  static const struct {
    docker_logs_kind_t kind;
    const char *target, *title;
  } cases[] = {
      {DOCKER_LOGS_KINESIS, "orders", "Route \"shop\": Kinesis \"orders\""},
      {DOCKER_LOGS_CLOUDWATCH, "/all", "Route \"all\": LogGroup \"/all\""},
      {DOCKER_LOGS_KINESIS, "/all", "KINESIS \"/all\" of a container"},
      {DOCKER_LOGS_CLOUDWATCH, "orders", "LOG_GROUP \"orders\" of a container"},
  };
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(cases); i++) {
    char title[DOCKER_LOGS_TITLE_SIZE];
    docker_logs_routes_title(cases[i].kind, cases[i].target, title, &routes);
    assert_string_equal(title, cases[i].title);
  }
}

static void test_too_many_routes(void **state) {
  tally_log_route_t found[TALLY_LOG_ROUTES_MAX];
  for (int i = 0; i < TALLY_LOG_ROUTES_MAX + 3; i++) {
    char name[16];
    snprintf(name, sizeof(name), "r%d", i);
    ADD_ROUTE(name, "Kinesis", name);
  }
  assert_int_equal(routes_of("web", "own", "", found), TALLY_LOG_ROUTES_MAX);
}

#define OPTIONS(name) cmocka_unit_test_setup_teardown(name, load, unload)
#define ROUTES(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
  const struct CMUnitTest tests[] = {
      OPTIONS(test_all_options),
      OPTIONS(test_wrong_options),
      ROUTES(test_what_containers_ask_for),
      ROUTES(test_what_the_operator_says),
      ROUTES(test_the_same_place_twice),
      ROUTES(test_titles),
      ROUTES(test_too_many_routes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
