/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aws/keys.h"
#include "aws/secret.h"

#define PROFILES_DEEP 5 /* profiles that name each other */

static int resolve(tally_aws_session_t *session, const char *profile, int depth,
                   bool keys_first, tally_aws_keys_t *keys, tally_error_t *err);

static const char *setting(const tally_aws_session_t *session,
                           const char *profile, const char *key) {
  return tally_aws_profiles_get(&session->profiles, profile, key);
}

static int from_static(tally_aws_session_t *session, const char *profile,
                       tally_aws_keys_t *keys, tally_error_t *err) {
  const char *access_key = setting(session, profile, "aws_access_key_id");
  const char *secret_key = setting(session, profile, "aws_secret_access_key");
  if (access_key == NULL && secret_key == NULL)
    return 0;
  if (tally_aws_keys_set(keys, access_key, secret_key,
                         setting(session, profile, "aws_session_token"),
                         err) != 0)
    return -1;
  return 1;
}

static int from_process(tally_aws_session_t *session, const char *profile,
                        tally_aws_keys_t *keys, tally_error_t *err) {
  const char *command = setting(session, profile, "credential_process");
  if (command == NULL)
    return 0;
  tally_secret_autobuffer tally_buffer_t output = {0};
  if (tally_aws_process_run(session->http, command, session->options.process_ms,
                            &output, err) != 0)
    return -1;
  if (tally_aws_keys_parse_json(keys, output.data, output.len, err) != 0)
    return tally_error_wrap(err, "credential_process");
  return 1;
}

/* Whose keys a role is taken on with, if no profile says so. */
static int from_source(tally_aws_session_t *session, const char *source,
                       tally_aws_keys_t *keys, tally_error_t *err) {
  static const struct {
    const char *name;
    tally_aws_link_t link;
  } sources[] = {{"Environment", tally_aws_keys_from_environment},
                 {"EcsContainer", tally_aws_keys_from_container},
                 {"Ec2InstanceMetadata", tally_aws_keys_from_metadata}};
  for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
    if (strcasecmp(source, sources[i].name) == 0)
      return sources[i].link(session, keys, err) == 1
                 ? 0
                 : tally_error_wrap(err, "credential_source %s", source);
  return tally_error_set(err, 0, "credential_source `%.60s': no such source",
                         source);
}

static int get_base(tally_aws_session_t *session, const char *profile,
                    int depth, tally_aws_keys_t *base, tally_error_t *err) {
  const char *source_profile = setting(session, profile, "source_profile");
  const char *source = setting(session, profile, "credential_source");
  if (source_profile != NULL) {
    /* One that names itself means its own keys. */
    bool itself = strcmp(source_profile, profile) == 0;
    int code = resolve(session, source_profile, depth + 1, itself, base, err);
    if (code == 1)
      return 0;
    return tally_error_wrap(err, "source_profile `%.60s'", source_profile);
  }
  if (source != NULL)
    return from_source(session, source, base, err);
  return tally_error_set(err, 0,
                         "role_arn without source_profile, credential_source "
                         "or web_identity_token_file");
}

static int from_role(tally_aws_session_t *session, const char *profile,
                     int depth, tally_aws_keys_t *keys, tally_error_t *err) {
  const char *duration = setting(session, profile, "duration_seconds");
  tally_aws_role_t role = {
      .arn = setting(session, profile, "role_arn"),
      .external_id = setting(session, profile, "external_id"),
      .session_name = setting(session, profile, "role_session_name"),
      .token_file = setting(session, profile, "web_identity_token_file"),
      .region = setting(session, profile, "region"),
      .duration_s = duration != NULL ? atoi(duration) : 0,
  };
  if (role.arn == NULL)
    return 0;
  if (setting(session, profile, "mfa_serial") != NULL)
    return tally_error_set(err, 0, "mfa_serial: nobody is here to type a code");
  tally_aws_autokeys tally_aws_keys_t base = {0};
  if (role.token_file == NULL &&
      get_base(session, profile, depth, &base, err) != 0)
    return -1;
  return tally_aws_sts_assume(session, &role, &base, keys, err) == 0 ? 1 : -1;
}

/* 1, 0 (it says nothing about credentials), -1. */
static int resolve(tally_aws_session_t *session, const char *profile, int depth,
                   bool keys_first, tally_aws_keys_t *keys,
                   tally_error_t *err) {
  if (depth > PROFILES_DEEP)
    return tally_error_set(err, 0, "profiles that name each other");
  if (!tally_aws_profiles_has(&session->profiles, profile)) {
    tally_error_set(err, 0, "not in %.120s or %.120s",
                    session->profiles.credentials_path,
                    session->profiles.config_path);
    return 0;
  }
  int code = keys_first ? 0 : from_role(session, profile, depth, keys, err);
  if (code == 0)
    code = from_static(session, profile, keys, err);
  if (code == 0)
    code = from_process(session, profile, keys, err);
  if (code != 0)
    return code;
  bool sso = setting(session, profile, "sso_session") != NULL ||
             setting(session, profile, "sso_start_url") != NULL;
  if (sso)
    return tally_error_set(err, 0, "SSO needs somebody to log in");
  tally_error_set(err, 0, "has no credentials");
  return 0;
}

int tally_aws_keys_from_profile(tally_aws_session_t *session,
                                tally_aws_keys_t *keys, tally_error_t *err) {
  bool explicitly;
  const char *profile = tally_aws_session_profile(session, &explicitly);
  int code = resolve(session, profile, 0, false, keys, err);
  if (code == 1)
    tally_aws_session_profile_origin(session, profile, NULL, keys->source);
  if (code == 0 && explicitly &&
      !tally_aws_profiles_has(&session->profiles, profile))
    code = -1; /* a name with a typing error */
  if (code == -1 && explicitly)
    tally_error_wrap(err, "`%.60s' (%s)", profile,
                     session->options.profile != NULL
                         ? session->options.names->profile
                         : "AWS_PROFILE");
  return code;
}
