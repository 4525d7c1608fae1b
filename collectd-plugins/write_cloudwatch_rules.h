/* SPDX-License-Identifier: MIT */
#ifndef WRITE_CLOUDWATCH_RULES_H
#define WRITE_CLOUDWATCH_RULES_H

/*
 * Rules: which values are sent, and as what. The first one that matches counts.
 * Built during configuration, then read by any number of threads. Include after
 * collectd's headers.
 */

#include "aws/cloudwatch.h"
#include "plugin_util.h"
#include "write_cloudwatch_template.h"

typedef struct write_cloudwatch_rule_s {
  struct write_cloudwatch_rule_s *next;
  char *name;
  /* NULL: whatever it is */
  tally_select_t *hosts, *plugins, *plugin_instances, *types, *type_instances,
      *sources;
  bool ignore;
  write_cloudwatch_template_t namespace_;
  write_cloudwatch_template_t metric_name; /* empty: the identifier's parts */
  char *unit;                              /* NULL: by type */
  double resolution;                       /* 1 or 60 */
  bool statistics;
  bool default_dimensions; /* where none are given */
  struct write_cloudwatch_dimensions_s {
    size_t count;
    struct {
      char *name;
      write_cloudwatch_template_t value;
    } list[TALLY_METRIC_DIMENSIONS_MAX];
  } dimensions;
} write_cloudwatch_rule_t;

/* For a table of options: reads <Rule "name"> and appends it to the list that
 * is the target. */
int write_cloudwatch_rule_add(const char *plugin, oconfig_item_t *ci,
                              void *target);
/* For a table: the target is a template. */
int write_cloudwatch_rule_set_namespace(const char *plugin, oconfig_item_t *ci,
                                        void *target);
/* Appends a rule that matches everything. -1: no memory. */
int write_cloudwatch_rule_add_all(write_cloudwatch_rule_t **rules);
void write_cloudwatch_rules_free(write_cloudwatch_rule_t *rules);

/* NULL: none matches. */
const write_cloudwatch_rule_t *
write_cloudwatch_rules_find(const write_cloudwatch_rule_t *rules,
                            const value_list_t *vl, const char *source);
/* Whether any of them has to know the instance. */
bool write_cloudwatch_rules_ask_identity(const write_cloudwatch_rule_t *rules);

/* ---- a value becomes a metric -------------------------------------------- */

typedef struct write_cloudwatch_mapping_s {
  tally_metric_t metric; /* value and time are not set */
  tally_dimension_t dimensions[TALLY_METRIC_DIMENSIONS_MAX];
  tally_buffer_t texts; /* what the above point at */
} write_cloudwatch_mapping_t;

void write_cloudwatch_mapping_init(write_cloudwatch_mapping_t *mapping);
void write_cloudwatch_mapping_clear(write_cloudwatch_mapping_t *mapping);

/* Data source number `i`, as a rate or as it is. `namespace_` is for rules
 * without one. Good until the next one. -1: no memory. */
int write_cloudwatch_map(write_cloudwatch_mapping_t *mapping,
                         const write_cloudwatch_rule_t *rule,
                         const write_cloudwatch_template_t *namespace_,
                         const data_set_t *ds, const value_list_t *vl, size_t i,
                         bool is_rate, const tally_aws_identity_t *identity);

#endif
