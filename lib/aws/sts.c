/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aws/fault.h"
#include "aws/form.h"
#include "aws/keys.h"
#include "aws/request.h"
#include "aws/secret.h"

#define TOKEN_MAX 20001 /* what STS accepts */
#define FORM_MAX 65536  /* a token with each byte encoded, and the rest */
#define ANSWER_MAX 65536

static int add(tally_buffer_t *form, const char *name, const char *value) {
  return tally_buffer_printf(form, "&%s=", name) |
         tally_form_put(form, value, strlen(value));
}

static const char *session_name(const tally_aws_session_t *session,
                                const tally_aws_role_t *role) {
  if (session->options.session_name != NULL)
    return session->options.session_name;
  if (role->session_name != NULL)
    return role->session_name;
  const char *name = tally_aws_environment("AWS_ROLE_SESSION_NAME");
  return name != NULL ? name : "tallyman";
}

static int write_form(const tally_aws_session_t *session,
                      const tally_aws_role_t *role, tally_buffer_t *form,
                      tally_error_t *err) {
  int code = tally_buffer_printf(
      form, "Action=%s&Version=2011-06-15",
      role->token_file != NULL ? "AssumeRoleWithWebIdentity" : "AssumeRole");
  code |= add(form, "RoleArn", role->arn);
  code |= add(form, "RoleSessionName", session_name(session, role));
  if (role->duration_s > 0)
    code |= tally_buffer_printf(form, "&DurationSeconds=%d", role->duration_s);
  if (role->external_id != NULL && role->token_file == NULL)
    code |= add(form, "ExternalId", role->external_id);
  if (role->token_file != NULL) {
    char token[TOKEN_MAX];
    if (tally_aws_token_read(role->token_file, token, sizeof(token), err) != 0)
      return -1;
    code |= add(form, "WebIdentityToken", token);
    tally_secret_wipe(token, sizeof(token));
  }
  return code == 0 ? 0 : tally_error_set(err, E2BIG, "request");
}

/* Without a region STS is asked where it has always been. */
static int find_endpoint(tally_aws_session_t *session,
                         const tally_aws_role_t *role,
                         tally_aws_region_t *region,
                         tally_aws_endpoint_t *endpoint, tally_error_t *err) {
  if (tally_aws_region_find(session, region, NULL) != 0)
    snprintf(region->name, sizeof(region->name), "%s",
             role->region != NULL ? role->region : "us-east-1");
  return tally_aws_endpoint_find(session, TALLY_AWS_STS, region->name, endpoint,
                                 err);
}

int tally_aws_sts_assume(tally_aws_session_t *session,
                         const tally_aws_role_t *role,
                         const tally_aws_keys_t *base, tally_aws_keys_t *keys,
                         tally_error_t *err) {
  tally_aws_region_t region;
  tally_aws_endpoint_t endpoint;
  if (find_endpoint(session, role, &region, &endpoint, err) != 0)
    return tally_error_wrap(err, "role %.160s", role->arn);

  tally_secret_autobuffer tally_buffer_t form = {0};
  if (tally_secret_buffer_init(&form, FORM_MAX) != 0)
    return tally_error_set(err, ENOMEM, "role %.160s", role->arn);
  if (write_form(session, role, &form, err) != 0)
    return tally_error_wrap(err, "role %.160s", role->arn);

  tally_aws_signed_t request = {
      .url = endpoint.url,
      .region = region.name,
      .service = "sts",
      .content_type = TALLY_FORM_TYPE,
      .body = form.data,
      .body_len = form.len,
      .answer_max = ANSWER_MAX,
      .keys = role->token_file == NULL ? base : NULL,
  };
  int code = tally_aws_signed_send(session, session->http, &request, err);
  if (code != 0)
    tally_error_wrap(err, "sts at %s", endpoint.url);
  else
    code = tally_aws_keys_parse_xml(keys, request.exchange.answer.data, err);
  tally_secret_buffer_clear(&request.exchange.answer);
  return code == 0 ? 0 : tally_error_wrap(err, "role %.160s", role->arn);
}

int tally_aws_keys_from_web_identity(tally_aws_session_t *session,
                                     tally_aws_keys_t *keys,
                                     tally_error_t *err) {
  tally_aws_role_t role = {
      .arn = tally_aws_environment("AWS_ROLE_ARN"),
      .token_file = tally_aws_environment("AWS_WEB_IDENTITY_TOKEN_FILE"),
  };
  if (role.token_file == NULL) {
    tally_error_set(err, 0, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    return 0;
  }
  if (role.arn == NULL)
    return tally_error_set(err, 0, "AWS_ROLE_ARN is not set");
  return tally_aws_sts_assume(session, &role, NULL, keys, err) == 0 ? 1 : -1;
}
