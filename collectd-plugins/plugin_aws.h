/* SPDX-License-Identifier: MIT */
#ifndef PLUGIN_AWS_H
#define PLUGIN_AWS_H

/*
 * The options of everything that talks to AWS: who we are, and where to. What
 * they do not say is left to environment, shared files and metadata (aws.h).
 * Include after collectd's headers.
 *
 *   typedef struct {
 *     plugin_aws_t aws;
 *   } block_t;
 *
 *   static const plugin_option_t options[] = {
 *       PLUGIN_AWS_OPTIONS(block_t, aws), …
 *
 *   plugin_config_block(…);              in the config callback
 *   session = plugin_aws_session(…);     NULL: collectd does not start
 *   plugin_aws_clear(&block->aws);       the session has copies
 */

#include "aws/aws.h"
#include "plugin_util.h"

/* Owned strings; NULL, 0: nothing was said. */
typedef struct plugin_aws_s {
  char *region;                 /* Region */
  char *endpoint;               /* Endpoint: http(s)://host[:port][/path] */
  char *access_key;             /* AccessKeyID, with SecretAccessKey */
  char *secret_key;             /* SecretAccessKey */
  char *session_token;          /* SessionToken, with those two */
  char *profile;                /* Profile, instead of them */
  char *role_arn;               /* RoleARN */
  char *external_id;            /* ExternalID, with RoleARN */
  char *ca_file;                /* CACert */
  char *proxy;                  /* Proxy */
  double timeout;               /* Timeout, seconds [30] */
  tally_aws_choice_t fips;      /* UseFIPS */
  tally_aws_choice_t dualstack; /* UseDualStack */
} plugin_aws_t;

#define PLUGIN_AWS_OPTION(key, set, type, member, field)                       \
  { key, set, offsetof(type, member) + offsetof(plugin_aws_t, field) }
#define PLUGIN_AWS_OPTIONS(type, member)                                       \
  PLUGIN_AWS_OPTION("Region", plugin_aws_set_region, type, member, region),    \
      PLUGIN_AWS_OPTION("Endpoint", plugin_aws_set_endpoint, type, member,     \
                        endpoint),                                             \
      PLUGIN_AWS_OPTION("AccessKeyID", plugin_aws_set_key, type, member,       \
                        access_key),                                           \
      PLUGIN_AWS_OPTION("SecretAccessKey", plugin_aws_set_key, type, member,   \
                        secret_key),                                           \
      PLUGIN_AWS_OPTION("SessionToken", plugin_aws_set_key, type, member,      \
                        session_token),                                        \
      PLUGIN_AWS_OPTION("Profile", plugin_config_string, type, member,         \
                        profile),                                              \
      PLUGIN_AWS_OPTION("RoleARN", plugin_aws_set_arn, type, member,           \
                        role_arn),                                             \
      PLUGIN_AWS_OPTION("ExternalID", plugin_config_string, type, member,      \
                        external_id),                                          \
      PLUGIN_AWS_OPTION("CACert", plugin_aws_set_file, type, member, ca_file), \
      PLUGIN_AWS_OPTION("Proxy", plugin_config_string, type, member, proxy),   \
      PLUGIN_AWS_OPTION("Timeout", plugin_aws_set_timeout, type, member,       \
                        timeout),                                              \
      PLUGIN_AWS_OPTION("UseFIPS", plugin_aws_set_choice, type, member, fips), \
      PLUGIN_AWS_OPTION("UseDualStack", plugin_aws_set_choice, type, member,   \
                        dualstack)

/* For the table above; the target is the field. */
int plugin_aws_set_region(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_aws_set_endpoint(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_aws_set_key(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_aws_set_arn(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_aws_set_file(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_aws_set_timeout(const char *plugin, oconfig_item_t *ci, void *to);
int plugin_aws_set_choice(const char *plugin, oconfig_item_t *ci, void *to);

/*
 * A session that says what the options say; asks nobody, so a config callback
 * may call it. NULL (logged): options that make no sense together, such as half
 * a pair of keys; the caller refuses the configuration.
 */
tally_aws_session_t *plugin_aws_session(const char *plugin,
                                        const plugin_aws_t *aws);

/* Wipes the secrets and frees everything; may be called again. */
void plugin_aws_clear(plugin_aws_t *aws);

#endif
