/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"

#include "write_cloudwatch_template.h"

#define META "meta:"

typedef enum variable_e {
  LITERAL = 0,
  HOST,
  PLUGIN,
  PLUGIN_INSTANCE,
  TYPE,
  TYPE_INSTANCE,
  DS,
  SEVERITY,
  META_DATA,
  INSTANCE, /* from here on of the EC2 instance */
  IMAGE,
  INSTANCE_TYPE,
  ZONE,
  REGION,
  ACCOUNT,
  SCALING_GROUP,
  VARIABLES
} variable_t;

static const char *const names[VARIABLES] = {
    [HOST] = "host",
    [PLUGIN] = "plugin",
    [PLUGIN_INSTANCE] = "plugin_instance",
    [TYPE] = "type",
    [TYPE_INSTANCE] = "type_instance",
    [DS] = "ds",
    [SEVERITY] = "severity",
    [INSTANCE] = "instance",
    [IMAGE] = "image",
    [INSTANCE_TYPE] = "instance_type",
    [ZONE] = "az",
    [REGION] = "region",
    [ACCOUNT] = "account",
    [SCALING_GROUP] = "asg",
};

struct write_cloudwatch_piece_s {
  variable_t variable;
  char *text; /* the literal, or the key of the meta data; else NULL */
};

/* ---- reading ------------------------------------------------------------- */

static int add_piece(write_cloudwatch_template_t *template, variable_t variable,
                     const char *text, size_t len, tally_error_t *err) {
  write_cloudwatch_piece_t *pieces =
      realloc(template->pieces, (template->count + 1) * sizeof(*pieces));
  if (pieces == NULL)
    return tally_error_set(err, ENOMEM, "template");
  template->pieces = pieces;
  write_cloudwatch_piece_t *piece = &pieces[template->count];
  *piece = (write_cloudwatch_piece_t){.variable = variable};
  if (variable == LITERAL || variable == META_DATA) {
    piece->text = strndup(text, len);
    if (piece->text == NULL)
      return tally_error_set(err, ENOMEM, "template");
  }
  template->count++;
  template->has_variables |= variable != LITERAL;
  template->asks_identity |= variable >= INSTANCE;
  return 0;
}

static int add_variable(write_cloudwatch_template_t *template, const char *name,
                        size_t len, tally_error_t *err) {
  size_t meta_len = strlen(META);
  if (len > meta_len && strncmp(name, META, meta_len) == 0)
    return add_piece(template, META_DATA, name + meta_len, len - meta_len, err);
  for (variable_t v = 0; v < VARIABLES; v++)
    if (names[v] != NULL && strlen(names[v]) == len &&
        memcmp(names[v], name, len) == 0)
      return add_piece(template, v, NULL, 0, err);
  return tally_error_set(err, 0, "there is no %%{%.*s}", (int)len, name);
}

static int parse(write_cloudwatch_template_t *template, const char *text,
                 tally_error_t *err) {
  while (*text != '\0') {
    const char *begin = strstr(text, "%{");
    size_t len = begin != NULL ? (size_t)(begin - text) : strlen(text);
    if (len > 0 && add_piece(template, LITERAL, text, len, err) != 0)
      return -1;
    if (begin == NULL)
      return 0;
    const char *name = begin + strlen("%{");
    const char *end = strchr(name, '}');
    if (end == NULL)
      return tally_error_set(err, 0, "%%{ without }");
    if (add_variable(template, name, (size_t)(end - name), err) != 0)
      return -1;
    text = end + 1;
  }
  return 0;
}

int write_cloudwatch_template_parse(write_cloudwatch_template_t *template,
                                    const char *text, tally_error_t *err) {
  write_cloudwatch_template_clear(template);
  if (parse(template, text, err) == 0)
    return 0;
  write_cloudwatch_template_clear(template);
  return -1;
}

void write_cloudwatch_template_clear(write_cloudwatch_template_t *template) {
  for (size_t i = 0; i < template->count; i++)
    free(template->pieces[i].text);
  free(template->pieces);
  memset(template, 0, sizeof(*template));
}

/* ---- filling in ---------------------------------------------------------- */

/* A number or a boolean of meta data is a text here as well. */
static char *meta_text(meta_data_t *meta, const char *key) {
  char number[32];
  char *text = NULL;
  int64_t signed_number;
  uint64_t unsigned_number;
  bool boolean;
  switch (meta != NULL ? meta_data_type(meta, key) : 0) {
  case MD_TYPE_STRING:
    return meta_data_get_string(meta, key, &text) == 0 ? text : NULL;
  case MD_TYPE_SIGNED_INT:
    if (meta_data_get_signed_int(meta, key, &signed_number) != 0)
      return NULL;
    snprintf(number, sizeof(number), "%" PRIi64, signed_number);
    return strdup(number);
  case MD_TYPE_UNSIGNED_INT:
    if (meta_data_get_unsigned_int(meta, key, &unsigned_number) != 0)
      return NULL;
    snprintf(number, sizeof(number), "%" PRIu64, unsigned_number);
    return strdup(number);
  case MD_TYPE_BOOLEAN:
    if (meta_data_get_boolean(meta, key, &boolean) != 0)
      return NULL;
    return strdup(boolean ? "true" : "false");
  default:
    return NULL;
  }
}

static const char *text_of(variable_t variable,
                           const write_cloudwatch_source_t *s) {
  static const tally_aws_identity_t unknown;
  const tally_aws_identity_t *id = s->identity != NULL ? s->identity : &unknown;
  const char *const texts[VARIABLES] = {
      [HOST] = s->host,
      [PLUGIN] = s->plugin,
      [PLUGIN_INSTANCE] = s->plugin_instance,
      [TYPE] = s->type,
      [TYPE_INSTANCE] = s->type_instance,
      [DS] = s->ds,
      [SEVERITY] = s->severity,
      [INSTANCE] = id->instance,
      [IMAGE] = id->image,
      [INSTANCE_TYPE] = id->type,
      [ZONE] = id->zone,
      [REGION] = id->region,
      [ACCOUNT] = id->account,
      [SCALING_GROUP] = id->scaling_group,
  };
  return texts[variable] != NULL ? texts[variable] : "";
}

write_cloudwatch_filled_t
write_cloudwatch_template_fill(const write_cloudwatch_template_t *template,
                               const write_cloudwatch_source_t *source,
                               tally_buffer_t *out) {
  bool gaps = false;
  for (size_t i = 0; i < template->count; i++) {
    const write_cloudwatch_piece_t *piece = &template->pieces[i];
    char *meta = piece->variable == META_DATA
                     ? meta_text(source->meta, piece->text)
                     : NULL;
    const char *text = meta;
    if (piece->variable == LITERAL)
      text = piece->text;
    else if (piece->variable != META_DATA)
      text = text_of(piece->variable, source);
    else if (meta == NULL)
      text = "";
    gaps |= *text == '\0';
    int status = tally_buffer_append_str(out, text);
    free(meta);
    if (status != 0)
      return WRITE_CLOUDWATCH_NO_ROOM;
  }
  return gaps ? WRITE_CLOUDWATCH_GAPS : WRITE_CLOUDWATCH_FULL;
}
