/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "aws/secret.h"
#include "aws/session_private.h"
#include "core/json.h"
#include "core/text.h"

#define DOCUMENT "/dynamic/instance-identity/document"
#define GROUP "/meta-data/tags/instance/aws:autoscaling:groupName"

static const tally_aws_identity_t development = {
    .instance = "i-dev",
    .image = "ami-dev",
    .type = "d1.dev",
    .zone = "us-dev-1b",
    .region = "us-dev-1",
};

typedef struct source_s {
  tally_aws_metadata_t metadata;
  tally_aws_http_t *http;
} source_t;

/* One line of plain text; 0, or -1 with "" in `text`. */
static int read_line(source_t *source, const char *path, char *text,
                     size_t size, tally_error_t *err) {
  *text = '\0';
  tally_secret_autobuffer tally_buffer_t answer = {0};
  if (tally_aws_metadata_get(&source->metadata, source->http, path, &answer,
                             err) != 0)
    return -1;
  answer.data[strcspn(answer.data, "\r\n")] = '\0';
  tally_text_copy(text, size, answer.data);
  return 0;
}

static void copy_member(const tally_json_t *json, const char *key, char *text,
                        size_t size) {
  tally_text_copy(text, size, tally_json_string(tally_json_get(json, key)));
}

static int read_document(source_t *source, tally_aws_identity_t *identity,
                         tally_error_t *err) {
  tally_secret_autobuffer tally_buffer_t answer = {0};
  if (tally_aws_metadata_get(&source->metadata, source->http, DOCUMENT, &answer,
                             err) != 0)
    return -1;
  tally_json_t *json = tally_json_parse(answer.data, answer.len, err);
  if (json == NULL)
    return -1;
  copy_member(json, "instanceId", identity->instance,
              sizeof(identity->instance));
  copy_member(json, "imageId", identity->image, sizeof(identity->image));
  copy_member(json, "instanceType", identity->type, sizeof(identity->type));
  copy_member(json, "availabilityZone", identity->zone, sizeof(identity->zone));
  copy_member(json, "region", identity->region, sizeof(identity->region));
  copy_member(json, "accountId", identity->account, sizeof(identity->account));
  tally_json_destroy(json);
  return *identity->instance != '\0'
             ? 0
             : tally_error_set(err, 0, "a document without an instance");
}

/* Metadata services that have no document. */
static int read_lines(source_t *source, tally_aws_identity_t *identity,
                      tally_error_t *err) {
  if (read_line(source, "/meta-data/instance-id", identity->instance,
                sizeof(identity->instance), err) != 0)
    return -1;
  read_line(source, "/meta-data/ami-id", identity->image,
            sizeof(identity->image), NULL);
  read_line(source, "/meta-data/instance-type", identity->type,
            sizeof(identity->type), NULL);
  read_line(source, "/meta-data/placement/availability-zone", identity->zone,
            sizeof(identity->zone), NULL);
  if (read_line(source, "/meta-data/placement/region", identity->region,
                sizeof(identity->region), NULL) == 0)
    return 0;
  size_t len = strlen(identity->zone); /* a zone is its region and a letter */
  if (len > 0)
    snprintf(identity->region, sizeof(identity->region), "%.*s", (int)(len - 1),
             identity->zone);
  return 0;
}

static int read_identity(source_t *source, tally_aws_identity_t *identity,
                         tally_error_t *err) {
  tally_error_t problem;
  if (read_document(source, identity, &problem) != 0) {
    if (problem.code != ENOENT && *source->metadata.token == '\0' &&
        !source->metadata.is_v1) {
      if (err != NULL)
        *err = problem;
      return -1; /* nobody there */
    }
    if (read_lines(source, identity, err) != 0)
      return -1;
  }
  read_line(source, GROUP, identity->scaling_group,
            sizeof(identity->scaling_group), NULL);
  return 0;
}

int tally_aws_session_identity(tally_aws_session_t *session,
                               tally_aws_identity_t *identity,
                               tally_error_t *err) {
  *identity = development;
  const char *flag = tally_aws_environment("DEVELOPMENT");
  if (flag != NULL && strcmp(flag, "true") == 0)
    return 0;
  if (tally_aws_environment_is_true("AWS_EC2_METADATA_DISABLED"))
    return tally_error_set(err, 0, "AWS_EC2_METADATA_DISABLED is true");
  source_t source = {.http = session->http};
  if (tally_aws_metadata_init(&source.metadata, true,
                              session->options.metadata_ms, err) != 0 ||
      tally_aws_session_sit(session, err) != 0)
    return -1;
  tally_aws_identity_t found = {.real = true};
  int code = read_identity(&source, &found, err);
  tally_aws_session_rise(session);
  tally_aws_metadata_clear(&source.metadata);
  if (code != 0)
    return tally_error_wrap(err, "instance metadata");
  *identity = found;
  return 0;
}
