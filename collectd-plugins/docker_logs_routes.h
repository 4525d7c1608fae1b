/* SPDX-License-Identifier: MIT */
#ifndef DOCKER_LOGS_ROUTES_H
#define DOCKER_LOGS_ROUTES_H

/*
 * Which containers are shipped where: <Route "name"> blocks, and what
 * containers say themselves. Include after collectd's headers.
 */

#include "docker_logs_sinks.h"
#include "logs/route.h"
#include "plugin_util.h"

/* One <Route> block. */
typedef struct docker_logs_route_s {
  char *name;
  plugin_watch_t watch; /* patterns only */
  char *targets[DOCKER_LOGS_KINDS];
  docker_logs_kind_t kind; /* the one that has a target */
  tally_log_layout_t layout;
  bool streams[TALLY_LOG_STREAMS];
  bool lifecycle;
  char *multiline;
  double multiline_lines, multiline_wait;
  tally_log_join_rule_t *join; /* NULL: a line is a record */
  tally_select_t *labels;      /* NULL: those of the whole block */
  struct docker_logs_route_s *next;
} docker_logs_route_t;

typedef struct docker_logs_routes_s {
  docker_logs_route_t *blocks; /* in the order of the configuration */
  bool from_environment;
  bool lifecycle;         /* of routes from the environment */
  tally_select_t *labels; /* that JSON carries, unless a block says others */
} docker_logs_routes_t;

/* For the plugin's table; the target is `blocks`. */
int docker_logs_routes_add(const char *plugin, oconfig_item_t *ci,
                           void *target);
void docker_logs_routes_clear(docker_logs_routes_t *routes);

/* The routes of a container, at most TALLY_LOG_ROUTES_MAX, blocks first. */
size_t docker_logs_routes_of(const docker_logs_routes_t *routes,
                             const docker_logs_sinks_t *sinks,
                             const tally_container_t *container,
                             tally_log_route_t *found);

/* By what the user knows a target of that kind: the first block that names it
 * (`Route "web": Kinesis "orders"'), or else what containers have in their
 * environment (`KINESIS "orders" of a container'). A docker_logs_title_t whose
 * data are the routes. */
void docker_logs_routes_title(docker_logs_kind_t kind, const char *target,
                              char title[DOCKER_LOGS_TITLE_SIZE],
                              const void *routes);

#endif
