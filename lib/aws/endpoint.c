/* SPDX-License-Identifier: MIT */
#include "config.h"

/* Region and endpoints. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aws/endpoint.h"
#include "aws/request.h"
#include "aws/secret.h"

/* ---- region -------------------------------------------------------------- */

bool tally_aws_region_is_valid(const char *region) {
  size_t len = strlen(region);
  if (len == 0 || len >= TALLY_AWS_REGION_MAX || *region == '-')
    return false;
  for (size_t i = 0; i < len; i++)
    if (!((region[i] >= 'a' && region[i] <= 'z') ||
          (region[i] >= '0' && region[i] <= '9') || region[i] == '-'))
      return false;
  return true;
}

static int take_region(tally_aws_region_t *region, const char *text,
                       const char *origin, tally_error_t *err) {
  if (!tally_aws_region_is_valid(text))
    return tally_error_set(err, 0, "AWS region `%.60s' (%s): no region", text,
                           origin);
  snprintf(region->name, sizeof(region->name), "%s", text);
  snprintf(region->origin, sizeof(region->origin), "%s", origin);
  return 0;
}

static int region_of_profile(const tally_aws_session_t *session,
                             tally_aws_region_t *region, const char *text,
                             tally_error_t *err) {
  bool explicitly;
  char origin[TALLY_AWS_ORIGIN_MAX];
  tally_aws_session_profile_origin(
      session, tally_aws_session_profile(session, &explicitly), "region",
      origin);
  return take_region(region, text, origin, err);
}

static int region_of_instance(tally_aws_session_t *session,
                              tally_aws_region_t *region, tally_error_t *err) {
  char nobody[TALLY_AWS_ORIGIN_MAX];
  snprintf(nobody, sizeof(nobody),
           "no AWS region: not in %.60s, AWS_REGION, AWS_DEFAULT_REGION, or "
           "the profile",
           session->options.names->region);
  if (tally_aws_environment_is_true("AWS_EC2_METADATA_DISABLED"))
    return tally_error_set(err, 0, "%s", nobody);
  tally_error_t problem;
  tally_secret_autobuffer tally_buffer_t answer = {0};
  if ((*session->metadata.base == '\0' &&
       tally_aws_metadata_init(&session->metadata, false,
                               session->options.metadata_ms, &problem) != 0) ||
      tally_aws_metadata_get(&session->metadata, session->http,
                             "/meta-data/placement/region", &answer,
                             &problem) != 0)
    return tally_error_set(err, problem.code == ECANCELED ? ECANCELED : 0,
                           "%s; instance metadata: %.200s", nobody,
                           problem.message);
  answer.data[strcspn(answer.data, " \r\n")] = '\0';
  return take_region(region, answer.data, "instance metadata", err);
}

static int find_region(tally_aws_session_t *session, tally_aws_region_t *region,
                       tally_error_t *err) {
  const char *text = session->options.region;
  if (text != NULL)
    return take_region(region, text, session->options.names->region, err);
  if ((text = tally_aws_environment("AWS_REGION")) != NULL)
    return take_region(region, text, "AWS_REGION", err);
  if ((text = tally_aws_environment("AWS_DEFAULT_REGION")) != NULL)
    return take_region(region, text, "AWS_DEFAULT_REGION", err);
  if ((text = tally_aws_session_setting(session, "region")) != NULL)
    return region_of_profile(session, region, text, err);
  return region_of_instance(session, region, err);
}

int tally_aws_region_find(tally_aws_session_t *session,
                          tally_aws_region_t *region, tally_error_t *err) {
  pthread_mutex_lock(&session->lock);
  *region = session->region;
  pthread_mutex_unlock(&session->lock);
  if (*region->name != '\0')
    return 0;
  if (find_region(session, region, err) != 0)
    return -1;
  pthread_mutex_lock(&session->lock);
  session->region = *region;
  pthread_mutex_unlock(&session->lock);
  return 0;
}

int tally_aws_session_region(tally_aws_session_t *session,
                             char region[TALLY_AWS_REGION_MAX],
                             tally_error_t *err) {
  tally_aws_region_t found;
  if (tally_aws_session_sit(session, err) != 0)
    return -1;
  int code = tally_aws_region_find(session, &found, err);
  tally_aws_session_rise(session);
  if (code == 0)
    memcpy(region, found.name, sizeof(found.name));
  return code;
}

/* ---- endpoints ----------------------------------------------------------- */

static const tally_aws_service_names_t names[TALLY_AWS_SERVICES] = {
    [TALLY_AWS_KINESIS] = {"kinesis", "KINESIS", "kinesis"},
    [TALLY_AWS_CLOUDWATCH] = {"monitoring", "CLOUDWATCH", "cloudwatch"},
    [TALLY_AWS_LOGS] = {"logs", "CLOUDWATCH_LOGS", "cloudwatch_logs"},
    [TALLY_AWS_AUTOSCALING] = {"autoscaling", "AUTO_SCALING", "auto_scaling"},
    [TALLY_AWS_ECS] = {"ecs", "ECS", "ecs"},
    [TALLY_AWS_STS] = {"sts", "STS", "sts"},
};

const tally_aws_service_names_t *
tally_aws_service_names(tally_aws_service_t service) {
  return &names[service];
}

static const struct {
  const char *region_prefix;
  const char *suffix, *dualstack;
  bool fips_is_plain; /* the usual endpoints are the FIPS ones */
} partitions[] = {
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", false},
    {"us-gov-", "amazonaws.com", "api.aws", true},
    {"", "amazonaws.com", "api.aws", false},
};

void tally_aws_endpoint_make(tally_aws_service_t service, const char *region,
                             bool fips, bool dualstack,
                             char url[TALLY_AWS_URL_MAX]) {
  size_t i = 0;
  while (strncmp(region, partitions[i].region_prefix,
                 strlen(partitions[i].region_prefix)) != 0)
    i++;
  /* ECS came later and has its own name there too. */
  bool plain =
      partitions[i].fips_is_plain && !dualstack && service != TALLY_AWS_ECS;
  snprintf(url, TALLY_AWS_URL_MAX, "https://%s%s.%s.%s", names[service].host,
           fips && !plain ? "-fips" : "", region,
           dualstack ? partitions[i].dualstack : partitions[i].suffix);
}

static bool choose(const tally_aws_session_t *session,
                   tally_aws_choice_t option, const char *variable,
                   const char *key) {
  if (option != TALLY_AWS_UNSET)
    return option == TALLY_AWS_YES;
  const char *text = tally_aws_environment(variable);
  if (text == NULL)
    text = tally_aws_session_setting(session, key);
  return text != NULL && strcasecmp(text, "true") == 0;
}

static const char *of_profile(const tally_aws_session_t *session,
                              const char *key, const char *url,
                              char origin[TALLY_AWS_ORIGIN_MAX]) {
  bool explicitly;
  if (url != NULL)
    tally_aws_session_profile_origin(
        session, tally_aws_session_profile(session, &explicitly), key, origin);
  return url;
}

/* The URL that somebody wrote down, and where; NULL without. */
static const char *configured(const tally_aws_session_t *session,
                              tally_aws_service_t service,
                              char origin[TALLY_AWS_ORIGIN_MAX]) {
  if (session->options.endpoint_url != NULL && service != TALLY_AWS_STS) {
    snprintf(origin, TALLY_AWS_ORIGIN_MAX, "%s",
             session->options.names->endpoint_url);
    return session->options.endpoint_url;
  }
  if (choose(session, TALLY_AWS_UNSET, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
             "ignore_configured_endpoint_urls"))
    return NULL;
  snprintf(origin, TALLY_AWS_ORIGIN_MAX, "AWS_ENDPOINT_URL_%s",
           names[service].variable);
  const char *url = tally_aws_environment(origin);
  if (url != NULL)
    return url;
  snprintf(origin, TALLY_AWS_ORIGIN_MAX, "AWS_ENDPOINT_URL");
  url = tally_aws_environment(origin);
  if (url != NULL)
    return url;
  const char *services = tally_aws_session_setting(session, "services");
  if (services != NULL) {
    char key[64];
    snprintf(key, sizeof(key), "%s.endpoint_url", names[service].key);
    url = tally_aws_profiles_service(&session->profiles, services, key);
  }
  if (url != NULL)
    return of_profile(session, "services", url, origin);
  return of_profile(session, "endpoint_url",
                    tally_aws_session_setting(session, "endpoint_url"), origin);
}

int tally_aws_endpoint_find(tally_aws_session_t *session,
                            tally_aws_service_t service, const char *region,
                            tally_aws_endpoint_t *endpoint,
                            tally_error_t *err) {
  const char *given = configured(session, service, endpoint->origin);
  if (given == NULL) {
    endpoint->origin[0] = '\0';
    tally_aws_endpoint_make(
        service, region,
        choose(session, session->options.fips, "AWS_USE_FIPS_ENDPOINT",
               "use_fips_endpoint"),
        choose(session, session->options.dualstack,
               "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
        endpoint->url);
    return 0;
  }
  char host[300], path[256];
  if (tally_aws_url_split(given, host, path, err) != 0)
    return tally_error_wrap(err, "%s", endpoint->origin);
  int len = snprintf(endpoint->url, sizeof(endpoint->url), "%s", given);
  if (len >= TALLY_AWS_URL_MAX)
    return tally_error_set(err, ENAMETOOLONG, "%s: endpoint `%.100s'",
                           endpoint->origin, given);
  while (len > 0 && endpoint->url[len - 1] == '/')
    endpoint->url[--len] = '\0';
  return 0;
}

int tally_aws_session_find(tally_aws_session_t *session,
                           tally_aws_service_t service,
                           tally_aws_region_t *region,
                           tally_aws_endpoint_t *endpoint, tally_error_t *err) {
  if (tally_aws_session_sit(session, err) != 0)
    return -1;
  int code = tally_aws_region_find(session, region, err);
  if (code == 0)
    code =
        tally_aws_endpoint_find(session, service, region->name, endpoint, err);
  tally_aws_session_rise(session);
  return code;
}

int tally_aws_session_endpoint(tally_aws_session_t *session,
                               tally_aws_service_t service,
                               char url[TALLY_AWS_URL_MAX],
                               tally_error_t *err) {
  tally_aws_region_t region;
  tally_aws_endpoint_t endpoint;
  if (tally_aws_session_find(session, service, &region, &endpoint, err) != 0)
    return -1;
  memcpy(url, endpoint.url, sizeof(endpoint.url));
  return 0;
}
