/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "write_cloudwatch_rules.h"
#include "write_cloudwatch_units.h"

/* Of all texts of a metric: 30 dimensions of 1 KiB, and some that are longer
 * than CloudWatch takes, which it is for the gatherer to say. */
#define TEXTS_MAX (128 * 1024)

void write_cloudwatch_mapping_init(write_cloudwatch_mapping_t *mapping) {
  tally_buffer_init(&mapping->texts, TEXTS_MAX);
}

void write_cloudwatch_mapping_clear(write_cloudwatch_mapping_t *mapping) {
  tally_buffer_clear(&mapping->texts);
}

/* Texts are built one behind the other; until all are there they may move, so
 * they are known by where they begin. */
typedef struct builder_s {
  tally_buffer_t *texts;
  const write_cloudwatch_source_t *source;
  int failed;
} builder_t;

static void end_text(builder_t *builder) {
  builder->failed |= tally_buffer_append(builder->texts, "", 1);
}

static size_t put(builder_t *builder,
                  const write_cloudwatch_template_t *template, bool *gaps) {
  size_t at = builder->texts->len;
  write_cloudwatch_filled_t filled =
      write_cloudwatch_template_fill(template, builder->source, builder->texts);
  *gaps = filled == WRITE_CLOUDWATCH_GAPS;
  if (filled == WRITE_CLOUDWATCH_NO_ROOM)
    builder->failed = -1;
  end_text(builder);
  return at;
}

/* plugin.type.type_instance.source, without what is empty or says nothing. */
static size_t put_default_name(builder_t *builder, const data_set_t *ds) {
  const write_cloudwatch_source_t *s = builder->source;
  const char *const parts[] = {s->plugin,
                               strcmp(s->plugin, s->type) != 0 ? s->type : "",
                               s->type_instance, ds->ds_num > 1 ? s->ds : ""};
  size_t at = builder->texts->len;
  for (size_t i = 0; i < STATIC_ARRAY_SIZE(parts); i++)
    if (parts[i][0] != '\0')
      builder->failed |=
          tally_buffer_printf(builder->texts, "%s%s",
                              builder->texts->len > at ? "." : "", parts[i]);
  end_text(builder);
  return at;
}

/* Sets names and counts; the values are offsets in `at`. */
static void put_dimensions(builder_t *builder,
                           write_cloudwatch_mapping_t *mapping,
                           const write_cloudwatch_rule_t *rule, size_t *at) {
  size_t count = 0;
  for (size_t i = 0; i < rule->dimensions.count; i++) {
    bool gaps;
    at[count] = put(builder, &rule->dimensions.list[i].value, &gaps);
    if (gaps)
      continue;
    mapping->dimensions[count++].name = rule->dimensions.list[i].name;
  }
  mapping->metric.dimensions_count = count;
}

int write_cloudwatch_map(write_cloudwatch_mapping_t *mapping,
                         const write_cloudwatch_rule_t *rule,
                         const write_cloudwatch_template_t *namespace_,
                         const data_set_t *ds, const value_list_t *vl, size_t i,
                         bool is_rate, const tally_aws_identity_t *identity) {
  const write_cloudwatch_source_t source = {
      .host = vl->host,
      .plugin = vl->plugin,
      .plugin_instance = vl->plugin_instance,
      .type = vl->type,
      .type_instance = vl->type_instance,
      .ds = ds->ds[i].name,
      .meta = vl->meta,
      .identity = identity,
  };
  builder_t builder = {.texts = &mapping->texts, .source = &source};
  tally_buffer_reset(&mapping->texts);
  bool gaps;
  size_t values[TALLY_METRIC_DIMENSIONS_MAX];
  size_t space =
      put(&builder, rule->namespace_.count > 0 ? &rule->namespace_ : namespace_,
          &gaps);
  size_t name = rule->metric_name.count > 0
                    ? put(&builder, &rule->metric_name, &gaps)
                    : put_default_name(&builder, ds);
  put_dimensions(&builder, mapping, rule, values);
  if (builder.failed != 0)
    return -1;

  const char *texts = mapping->texts.data;
  tally_metric_t *metric = &mapping->metric;
  metric->namespace_ = texts + space;
  metric->name = texts + name;
  metric->dimensions = mapping->dimensions;
  for (size_t d = 0; d < metric->dimensions_count; d++)
    mapping->dimensions[d].value = texts + values[d];
  metric->unit = rule->unit != NULL
                     ? rule->unit
                     : write_cloudwatch_unit(vl->type, source.ds, is_rate);
  metric->resolution_s = (unsigned)rule->resolution;
  metric->statistics = rule->statistics;
  return 0;
}
