/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/fault.h"
#include "aws/secret.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/json.h"

void tally_aws_keys_clear(tally_aws_keys_t *keys) {
  tally_secret_wipe(keys, sizeof(*keys));
}

int tally_aws_keys_set(tally_aws_keys_t *keys, const char *access_key,
                       const char *secret_key, const char *token,
                       tally_error_t *err) {
  tally_aws_keys_clear(keys);
  if (!tally_secret_take(keys->access_key, sizeof(keys->access_key),
                         access_key))
    return tally_error_set(err, 0, "no usable access key id");
  if (!tally_secret_take(keys->secret_key, sizeof(keys->secret_key),
                         secret_key)) {
    tally_aws_keys_clear(keys);
    return tally_error_set(err, 0, "no usable secret access key");
  }
  if (token != NULL && *token != '\0' &&
      !tally_secret_take(keys->token, sizeof(keys->token), token)) {
    tally_aws_keys_clear(keys);
    return tally_error_set(err, 0, "a session token of no use");
  }
  return 0;
}

/* ---- documents ----------------------------------------------------------- */

static const char *member(const tally_json_t *json, const char *key) {
  return tally_json_string(tally_json_get(json, key));
}

/* The tree is freed by others, who do not wipe. */
static void wipe_members(const tally_json_t *json) {
  static const char *const secret[] = {"SecretAccessKey", "Token",
                                       "SessionToken"};
  for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
    char *text = (char *)member(json, secret[i]);
    if (text != NULL)
      tally_secret_wipe(text, strlen(text));
  }
}

static int set_expiry(tally_aws_keys_t *keys, const char *text,
                      tally_error_t *err) {
  if (text == NULL || *text == '\0')
    return 0;
  if (tally_clock_parse_rfc3339(text, &keys->expires_ns) == 0 &&
      keys->expires_ns != 0)
    return 0;
  tally_aws_keys_clear(keys);
  return tally_error_set(err, 0, "an expiry that is no time");
}

static int from_json(tally_aws_keys_t *keys, const tally_json_t *json,
                     tally_error_t *err) {
  const char *code = member(json, "Code");
  if (code != NULL && strcmp(code, "Success") != 0)
    return tally_error_set(err, 0, "%.60s", code);
  const char *token = member(json, "Token");
  if (token == NULL)
    token = member(json, "SessionToken");
  if (tally_aws_keys_set(keys, member(json, "AccessKeyId"),
                         member(json, "SecretAccessKey"), token, err) != 0)
    return -1;
  return set_expiry(keys, member(json, "Expiration"), err);
}

int tally_aws_keys_parse_json(tally_aws_keys_t *keys, const char *text,
                              size_t len, tally_error_t *err) {
  /* What the parser says of a broken text would quote it. */
  tally_json_t *json = tally_json_parse(text, len, NULL);
  if (json == NULL)
    return tally_error_set(err, 0, "the answer is not JSON");
  int code = from_json(keys, json, err);
  wipe_members(json);
  tally_json_destroy(json);
  return code;
}

int tally_aws_keys_parse_xml(tally_aws_keys_t *keys, const char *text,
                             tally_error_t *err) {
  tally_aws_autokeys tally_aws_keys_t found = {0};
  char expiry[64];
  if (!tally_aws_xml_text(text, "AccessKeyId", found.access_key,
                          sizeof(found.access_key)) ||
      !tally_aws_xml_text(text, "SecretAccessKey", found.secret_key,
                          sizeof(found.secret_key)) ||
      !tally_aws_xml_text(text, "SessionToken", found.token,
                          sizeof(found.token)) ||
      !tally_aws_xml_text(text, "Expiration", expiry, sizeof(expiry)))
    return tally_error_set(err, 0, "an answer without credentials");
  if (tally_aws_keys_set(keys, found.access_key, found.secret_key, found.token,
                         err) != 0)
    return -1;
  return set_expiry(keys, expiry, err);
}

int tally_aws_token_read(const char *path, char *token, size_t size,
                         tally_error_t *err) {
  ssize_t len = tally_file_read(path, token, size, err);
  if (len < 0)
    return -1;
  while (len > 0 && (unsigned char)token[len - 1] <= ' ')
    token[--len] = '\0';
  for (ssize_t i = 0; i < len; i++)
    if ((unsigned char)token[i] < ' ')
      len = 0;
  if (len == 0 || (size_t)len + 1 >= size) {
    tally_secret_wipe(token, size);
    return tally_error_set(err, 0, "`%s' holds no token", path);
  }
  return 0;
}

/* ---- the two simple links ------------------------------------------------ */

int tally_aws_keys_from_options(tally_aws_session_t *session,
                                tally_aws_keys_t *keys, tally_error_t *err) {
  const tally_aws_options_t *options = &session->options;
  if (options->access_key == NULL) {
    tally_error_set(err, 0, "none");
    return 0;
  }
  if (tally_aws_keys_set(keys, options->access_key, options->secret_key,
                         options->session_token, err) != 0)
    return -1;
  snprintf(keys->source, sizeof(keys->source), "%s", options->names->keys);
  return 1;
}

int tally_aws_keys_from_environment(tally_aws_session_t *session,
                                    tally_aws_keys_t *keys,
                                    tally_error_t *err) {
  if (session->options.profile != NULL) {
    tally_error_set(err, 0, "passed over for the profile");
    return 0;
  }
  const char *access_name = "AWS_ACCESS_KEY_ID";
  const char *secret_name = "AWS_SECRET_ACCESS_KEY";
  const char *access_key = tally_aws_environment(access_name);
  if (access_key == NULL)
    access_key = tally_aws_environment(access_name = "AWS_ACCESS_KEY");
  const char *secret_key = tally_aws_environment(secret_name);
  if (secret_key == NULL)
    secret_key = tally_aws_environment(secret_name = "AWS_SECRET_KEY");
  if (access_key == NULL && secret_key == NULL) {
    tally_error_set(err, 0, "AWS_ACCESS_KEY_ID is not set");
    return 0;
  }
  if (access_key == NULL || secret_key == NULL)
    return tally_error_set(err, 0,
                           "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                           "only one is set");
  if (tally_aws_keys_set(keys, access_key, secret_key,
                         tally_aws_environment("AWS_SESSION_TOKEN"), err) != 0)
    return -1;
  snprintf(keys->source, sizeof(keys->source), "%s, %s", access_name,
           secret_name);
  return 1;
}
