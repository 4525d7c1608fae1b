/* SPDX-License-Identifier: MIT */
#ifndef TALLY_LOGS_ROUTE_H
#define TALLY_LOGS_ROUTE_H

/*
 * What of a container goes where, and how it looks there. A container has a
 * route for each sink that it or the configuration names; of several to the
 * same sink the first one counts.
 */

#include "docker/logs.h"
#include "logs/join.h"
#include "logs/layout.h"
#include "logs/sink.h"

#define TALLY_LOG_ROUTES_MAX 16 /* of one container */

typedef struct tally_log_route_s {
  const tally_log_kind_t *kind;
  const char *target;
  tally_log_layout_t layout;
  bool streams[TALLY_LOG_STREAMS];   /* which of them */
  bool lifecycle;                    /* the sentences, too */
  const tally_log_join_rule_t *join; /* NULL: a line is a record */
  const tally_select_t *labels;      /* that JSON carries; NULL: none */
} tally_log_route_t;

#endif
