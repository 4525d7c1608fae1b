/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "docker_logs_routes.h"

#include "core/clock.h"

#define MULTILINE_LINES_MAX 10000
#define MULTILINE_WAIT_MAX 60 /* seconds */

/* ---- options ------------------------------------------------------------- */

static int set_streams(const char *plugin, oconfig_item_t *ci, void *target) {
  static const char *const names[] = {
      [TALLY_LOG_STDOUT] = "stdout", [TALLY_LOG_STDERR] = "stderr"};
  bool *streams = target;
  memset(streams, 0, TALLY_LOG_STREAMS * sizeof(*streams));
  bool good = ci->values_num > 0;
  for (int i = 0; i < ci->values_num; i++) {
    bool known = false;
    for (int s = 0; s < TALLY_LOG_STREAMS; s++)
      if (ci->values[i].type == OCONFIG_TYPE_STRING &&
          strcasecmp(ci->values[i].value.string, names[s]) == 0)
        known = streams[s] = true;
    good = good && known;
  }
  if (good)
    return 0;
  return plugin_config_error(plugin, ci, "takes stdout, stderr, or both");
}

static int set_lines(const char *plugin, oconfig_item_t *ci, void *target) {
  return plugin_config_number(plugin, ci, 1, MULTILINE_LINES_MAX, target);
}

static int set_wait(const char *plugin, oconfig_item_t *ci, void *target) {
  return plugin_config_number(plugin, ci, 0.01, MULTILINE_WAIT_MAX, target);
}

static int set_file(const char *plugin, oconfig_item_t *ci, void *target) {
  if (plugin_config_string(plugin, ci, target) != 0)
    return -1;
  const char *path = *(char **)target;
  if (path[0] == '/' && path[strlen(path) - 1] != '/')
    return 0;
  return plugin_config_error(plugin, ci, "takes the absolute path of a file");
}

#define ROUTE_OPTION(key, set, member)                                         \
  { key, set, offsetof(docker_logs_route_t, member) }

static const plugin_option_t route_options[] = {
    ROUTE_OPTION("Container", plugin_config_pattern, watch.names),
    ROUTE_OPTION("Image", plugin_config_pattern, watch.images),
    ROUTE_OPTION("Label", plugin_config_pattern, watch.labels),
    ROUTE_OPTION("IgnoreSelected", plugin_config_bool, watch.ignore_selected),
    ROUTE_OPTION("Kinesis", plugin_config_string, targets[DOCKER_LOGS_KINESIS]),
    ROUTE_OPTION("LogGroup", plugin_config_string,
                 targets[DOCKER_LOGS_CLOUDWATCH]),
    ROUTE_OPTION("File", set_file, targets[DOCKER_LOGS_FILE]),
    ROUTE_OPTION("Format", docker_logs_sinks_set_format, layout),
    ROUTE_OPTION("Streams", set_streams, streams),
    ROUTE_OPTION("Lifecycle", plugin_config_bool, lifecycle),
    ROUTE_OPTION("Multiline", plugin_config_string, multiline),
    ROUTE_OPTION("MultilineLines", set_lines, multiline_lines),
    ROUTE_OPTION("MultilineWait", set_wait, multiline_wait),
    ROUTE_OPTION("CarryLabel", plugin_config_pattern, labels),
    {NULL, NULL, 0},
};

/* ---- blocks -------------------------------------------------------------- */

static docker_logs_route_t *create_route(const char *name) {
  docker_logs_route_t *route = calloc(1, sizeof(*route));
  if (route == NULL)
    return NULL;
  route->streams[TALLY_LOG_STDOUT] = route->streams[TALLY_LOG_STDERR] = true;
  route->lifecycle = true;
  route->multiline_lines = TALLY_LOG_JOIN_LINES;
  route->multiline_wait = TALLY_LOG_JOIN_WAIT_MS / 1000.0;
  route->name = strdup(name);
  if (route->name != NULL)
    return route;
  free(route);
  return NULL;
}

static void destroy_route(docker_logs_route_t *route) {
  plugin_watch_clear(&route->watch);
  for (int i = 0; i < DOCKER_LOGS_KINDS; i++)
    free(route->targets[i]);
  tally_log_join_rule_destroy(route->join);
  tally_select_destroy(route->labels);
  free(route->multiline);
  free(route->name);
  free(route);
}

/* What can be wrong with a block as a whole. */
static int finish_route(const char *plugin, const oconfig_item_t *ci,
                        docker_logs_route_t *route) {
  int targets = 0;
  for (int i = 0; i < DOCKER_LOGS_KINDS; i++)
    if (route->targets[i] != NULL) {
      route->kind = (docker_logs_kind_t)i;
      targets++;
    }
  if (targets != 1)
    return plugin_config_error(plugin, ci,
                               "names %s; it takes one of Kinesis, LogGroup "
                               "and File",
                               targets == 0 ? "no sink" : "several sinks");
  if (route->multiline == NULL)
    return 0;
  tally_error_t err = {0};
  route->join = tally_log_join_rule_create(
      route->multiline, (unsigned)route->multiline_lines, TALLY_LOG_JOIN_BYTES,
      (unsigned)(route->multiline_wait * 1000), &err);
  if (route->join == NULL)
    return plugin_config_error(plugin, ci, "Multiline: %s", err.message);
  return 0;
}

int docker_logs_routes_add(const char *plugin, oconfig_item_t *ci,
                           void *target) {
  if (ci->values_num != 1 || ci->values[0].type != OCONFIG_TYPE_STRING ||
      ci->values[0].value.string[0] == '\0')
    return plugin_config_error(plugin, ci, "takes a name: <Route \"name\">");
  const char *name = ci->values[0].value.string;
  docker_logs_route_t **last = target;
  for (; *last != NULL; last = &(*last)->next)
    if (strcasecmp((*last)->name, name) == 0)
      return plugin_config_error(plugin, ci, "there is such a route already");
  *last = create_route(name);
  if (*last == NULL)
    return plugin_config_error(plugin, ci, "out of memory");
  if (plugin_config_block(plugin, ci, route_options, *last) != 0)
    return -1;
  return finish_route(plugin, ci, *last);
}

void docker_logs_routes_clear(docker_logs_routes_t *routes) {
  while (routes->blocks != NULL) {
    docker_logs_route_t *route = routes->blocks;
    routes->blocks = route->next;
    destroy_route(route);
  }
  tally_select_destroy(routes->labels);
  routes->labels = NULL;
}

/* ---- the routes of a container ------------------------------------------- */

/* Nobody gets a line twice: the first route to a sink counts. */
static size_t add(tally_log_route_t *found, size_t count,
                  const tally_log_route_t *route) {
  for (size_t i = 0; i < count; i++)
    if (found[i].kind == route->kind &&
        strcmp(found[i].target, route->target) == 0)
      return count;
  if (count < TALLY_LOG_ROUTES_MAX)
    found[count++] = *route;
  return count;
}

static tally_log_route_t from_block(const docker_logs_routes_t *routes,
                                    const docker_logs_sinks_t *sinks,
                                    const docker_logs_route_t *block) {
  const tally_log_kind_t *kind = &sinks->kinds[block->kind];
  tally_log_route_t route = {
      .kind = kind,
      .target = block->targets[block->kind],
      .layout =
          block->layout != TALLY_LOG_LAYOUT_NONE ? block->layout : kind->layout,
      .lifecycle = block->lifecycle,
      .join = block->join,
      .labels = block->labels != NULL ? block->labels : routes->labels};
  memcpy(route.streams, block->streams, sizeof(route.streams));
  return route;
}

static tally_log_route_t from_environment(const docker_logs_routes_t *routes,
                                          const tally_log_kind_t *kind,
                                          const char *target) {
  return (tally_log_route_t){.kind = kind,
                             .target = target,
                             .layout = kind->layout,
                             .streams = {true, true},
                             .lifecycle = routes->lifecycle,
                             .labels = routes->labels};
}

size_t docker_logs_routes_of(const docker_logs_routes_t *routes,
                             const docker_logs_sinks_t *sinks,
                             const tally_container_t *container,
                             tally_log_route_t *found) {
  size_t count = 0;
  for (const docker_logs_route_t *b = routes->blocks; b != NULL; b = b->next) {
    if (!plugin_watch_wants(&b->watch, container))
      continue;
    tally_log_route_t route = from_block(routes, sinks, b);
    count = add(found, count, &route);
  }
  if (!routes->from_environment)
    return count;
  for (int i = 0; i < DOCKER_LOGS_KINDS; i++) {
    const tally_log_kind_t *kind = &sinks->kinds[i];
    const char *target = kind->variable != NULL
                             ? tally_container_env(container, kind->variable)
                             : NULL;
    if (target == NULL || target[0] == '\0')
      continue;
    tally_log_route_t route = from_environment(routes, kind, target);
    count = add(found, count, &route);
  }
  return count;
}

/* ---- words --------------------------------------------------------------- */

void docker_logs_routes_title(docker_logs_kind_t kind, const char *target,
                              char title[DOCKER_LOGS_TITLE_SIZE],
                              const void *data) {
  static const struct {
    const char *option, *variable;
  } words[DOCKER_LOGS_KINDS] = {
      [DOCKER_LOGS_KINESIS] = {"Kinesis", "KINESIS"},
      [DOCKER_LOGS_CLOUDWATCH] = {"LogGroup", "LOG_GROUP"},
      [DOCKER_LOGS_FILE] = {"File", ""},
  };
  const docker_logs_routes_t *routes = data;
  const docker_logs_route_t *b = routes->blocks;
  while (b != NULL &&
         (b->kind != kind || strcmp(b->targets[kind], target) != 0))
    b = b->next;
  if (b != NULL)
    snprintf(title, DOCKER_LOGS_TITLE_SIZE, "Route \"%.40s\": %s \"%.180s\"",
             b->name, words[kind].option, target);
  else
    snprintf(title, DOCKER_LOGS_TITLE_SIZE, "%s \"%.200s\" of a container",
             words[kind].variable, target);
}
