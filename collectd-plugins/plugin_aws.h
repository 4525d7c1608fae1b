/* SPDX-License-Identifier: MIT */
#ifndef PLUGIN_AWS_H
#define PLUGIN_AWS_H

/* The options of everything that talks to AWS: who we are, and where to.
 * Include after collectd's headers. */

#include "aws/aws.h"
#include "plugin_util.h"

/* Owned strings; NULL: what environment, files and metadata say. */
typedef struct plugin_aws_s {
  char *region;            /* Region */
  char *endpoint;          /* Endpoint: http(s)://host[:port][/path] */
  char *access_key;        /* AccessKeyID, with SecretAccessKey */
  char *secret_key;        /* SecretAccessKey; a warning if the file that names
                              it may be read by everybody is not ours to give */
  char *session_token;     /* SessionToken */
  char *profile;           /* Profile */
  char *role_arn;          /* RoleARN */
  char *external_id;       /* ExternalID */
  char *ca_file;           /* CACert */
  char *proxy;             /* Proxy */
  double timeout;          /* Timeout, seconds [30] */
  bool fips, dualstack;    /* UseFIPS, UseDualStack [what the environment says] */
  bool fips_given, dualstack_given;
} plugin_aws_t;

int plugin_aws_set_timeout(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_aws_set_fips(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_aws_set_dualstack(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_aws_set_endpoint(const char *plugin, oconfig_item_t *ci, void *to);

#define PLUGIN_AWS_OPTION(key, set, type, member, field)                       \
  { key, set, offsetof(type, member) + offsetof(plugin_aws_t, field) }
#define PLUGIN_AWS_OPTIONS(type, member)                                       \
  PLUGIN_AWS_OPTION("Region", plugin_config_string, type, member, region),     \
      {"Endpoint", plugin_aws_set_endpoint, offsetof(type, member)},           \
      PLUGIN_AWS_OPTION("AccessKeyID", plugin_config_string, type, member,     \
                        access_key),                                           \
      PLUGIN_AWS_OPTION("SecretAccessKey", plugin_config_string, type, member, \
                        secret_key),                                           \
      PLUGIN_AWS_OPTION("SessionToken", plugin_config_string, type, member,    \
                        session_token),                                        \
      PLUGIN_AWS_OPTION("Profile", plugin_config_string, type, member,         \
                        profile),                                              \
      PLUGIN_AWS_OPTION("RoleARN", plugin_config_string, type, member,         \
                        role_arn),                                             \
      PLUGIN_AWS_OPTION("ExternalID", plugin_config_string, type, member,      \
                        external_id),                                          \
      PLUGIN_AWS_OPTION("CACert", plugin_config_string, type, member,          \
                        ca_file),                                              \
      PLUGIN_AWS_OPTION("Proxy", plugin_config_string, type, member, proxy),   \
      {"Timeout", plugin_aws_set_timeout, offsetof(type, member)},             \
      {"UseFIPS", plugin_aws_set_fips, offsetof(type, member)}, {              \
    "UseDualStack", plugin_aws_set_dualstack, offsetof(type, member)           \
  }

/* A session that says what the options say. NULL (logged): half a pair of keys,
 * a CACert that is not there, …; the caller refuses the configuration. */
tally_aws_session_t *plugin_aws_session(const char *plugin,
                                        const plugin_aws_t *aws);
void plugin_aws_clear(plugin_aws_t *aws); /* wipes the secrets */

#endif
