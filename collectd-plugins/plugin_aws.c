/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "plugin_aws.h"

#include "aws/endpoint.h"
#include "aws/request.h"
#include "aws/secret.h"

#define TIMEOUT_MIN 1
#define TIMEOUT_MAX 300 /* seconds; nobody waits longer for a shutdown */

/* ---- options ------------------------------------------------------------- */

int plugin_aws_set_region(const char *plugin, oconfig_item_t *ci, void *to) {
  if (plugin_config_string(plugin, ci, to) != 0)
    return -1;
  if (!tally_aws_region_is_valid(*(char **)to))
    return plugin_config_error(plugin, ci, "no region (such as eu-west-1)");
  return 0;
}

int plugin_aws_set_endpoint(const char *plugin, oconfig_item_t *ci, void *to) {
  char host[300], path[256];
  tally_error_t err;
  if (plugin_config_string(plugin, ci, to) != 0)
    return -1;
  if (strlen(*(char **)to) >= TALLY_AWS_URL_MAX ||
      tally_aws_url_split(*(char **)to, host, path, &err) != 0)
    return plugin_config_error(plugin, ci,
                               "takes http(s)://host[:port][/path]");
  return 0;
}

int plugin_aws_set_key(const char *plugin, oconfig_item_t *ci, void *to) {
  char **key = to;
  tally_secret_free(*key);
  *key = NULL;
  if (plugin_config_string(plugin, ci, key) != 0)
    return -1;
  for (const char *p = *key; *p != '\0'; p++)
    if ((unsigned char)*p <= ' ' || *p == 0x7f)
      return plugin_config_error(plugin, ci,
                                 "has blanks or control characters");
  return 0;
}

int plugin_aws_set_arn(const char *plugin, oconfig_item_t *ci, void *to) {
  if (plugin_config_string(plugin, ci, to) != 0)
    return -1;
  if (strncmp(*(char **)to, "arn:", 4) != 0)
    return plugin_config_error(plugin, ci, "takes an ARN (arn:aws:iam::…)");
  return 0;
}

int plugin_aws_set_file(const char *plugin, oconfig_item_t *ci, void *to) {
  if (plugin_config_string(plugin, ci, to) != 0)
    return -1;
  if (access(*(char **)to, R_OK) != 0)
    return plugin_config_error(plugin, ci, "%s", STRERRNO);
  return 0;
}

int plugin_aws_set_timeout(const char *plugin, oconfig_item_t *ci, void *to) {
  return plugin_config_number(plugin, ci, TIMEOUT_MIN, TIMEOUT_MAX, to);
}

int plugin_aws_set_choice(const char *plugin, oconfig_item_t *ci, void *to) {
  bool yes;
  if (plugin_config_bool(plugin, ci, &yes) != 0)
    return -1;
  *(tally_aws_choice_t *)to = yes ? TALLY_AWS_YES : TALLY_AWS_NO;
  return 0;
}

/* ---- session ------------------------------------------------------------- */

/* What is wrong with the options as a whole, NULL: nothing. */
static const char *contradiction(const plugin_aws_t *aws) {
  if (aws->access_key != NULL && aws->secret_key == NULL)
    return "AccessKeyID needs SecretAccessKey";
  if (aws->access_key == NULL && aws->secret_key != NULL)
    return "SecretAccessKey needs AccessKeyID";
  if (aws->access_key == NULL && aws->session_token != NULL)
    return "SessionToken needs AccessKeyID and SecretAccessKey";
  if (aws->access_key != NULL && aws->profile != NULL)
    return "AccessKeyID and Profile exclude each other";
  if (aws->external_id != NULL && aws->role_arn == NULL)
    return "ExternalID needs RoleARN";
  return NULL;
}

tally_aws_session_t *plugin_aws_session(const char *plugin,
                                        const plugin_aws_t *aws) {
  const char *wrong = contradiction(aws);
  if (wrong != NULL) {
    ERROR("%s plugin: configuration: %s", plugin, wrong);
    return NULL;
  }
  static const tally_aws_names_t names = {
      .region = "option Region",
      .endpoint_url = "option Endpoint",
      .profile = "option Profile",
      .role_arn = "option RoleARN",
      .ca_file = "option CACert",
      .proxy = "option Proxy",
      .keys = "options AccessKeyID, SecretAccessKey",
  };
  tally_aws_options_t options = {
      .names = &names,
      .access_key = aws->access_key,
      .secret_key = aws->secret_key,
      .session_token = aws->session_token,
      .profile = aws->profile,
      .role_arn = aws->role_arn,
      .external_id = aws->external_id,
      .region = aws->region,
      .endpoint_url = aws->endpoint,
      .fips = aws->fips,
      .dualstack = aws->dualstack,
      .ca_file = aws->ca_file,
      .proxy = aws->proxy,
      .timeout_ms = (int)(aws->timeout * 1000),
  };
  tally_error_t err;
  tally_aws_session_t *session = tally_aws_session_create(&options, &err);
  if (session == NULL)
    ERROR("%s plugin: %s", plugin, err.message);
  return session;
}

void plugin_aws_clear(plugin_aws_t *aws) {
  tally_secret_free(aws->access_key);
  tally_secret_free(aws->secret_key);
  tally_secret_free(aws->session_token);
  free(aws->region);
  free(aws->endpoint);
  free(aws->profile);
  free(aws->role_arn);
  free(aws->external_id);
  free(aws->ca_file);
  free(aws->proxy);
  memset(aws, 0, sizeof(*aws));
}
