/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/secret.h"
#include "aws/session_private.h"
#include "core/thread.h"

const char *tally_aws_environment(const char *name) {
  const char *value = getenv(name);
  return value != NULL && *value != '\0' ? value : NULL;
}

bool tally_aws_environment_is_true(const char *name) {
  const char *value = getenv(name);
  return value != NULL && strcasecmp(value, "true") == 0;
}

/* ---- life ---------------------------------------------------------------- */

static const tally_aws_names_t plain_names = {
    .region = "option region",
    .endpoint_url = "option endpoint_url",
    .profile = "option profile",
    .role_arn = "option role_arn",
    .ca_file = "option ca_file",
    .proxy = "option proxy",
    .keys = "options",
};

/* The strings of the options, so that they are copied and freed alike. */
#define STRINGS 11
static void list_strings(tally_aws_options_t *options,
                         const char **strings[STRINGS]) {
  const char **all[STRINGS] = {
      &options->access_key,   &options->secret_key, &options->session_token,
      &options->profile,      &options->role_arn,   &options->external_id,
      &options->session_name, &options->region,     &options->endpoint_url,
      &options->ca_file,      &options->proxy};
  memcpy(strings, all, sizeof(all));
}

static int copy_options(tally_aws_options_t *options, tally_error_t *err) {
  const char **strings[STRINGS];
  list_strings(options, strings);
  int code = 0;
  for (size_t i = 0; i < STRINGS; i++) {
    const char *given = *strings[i];
    *strings[i] = NULL;
    if (given == NULL || *given == '\0')
      continue;
    *strings[i] = tally_secret_copy(given);
    if (*strings[i] == NULL)
      code = -1;
  }
  return code == 0 ? 0 : tally_error_set(err, ENOMEM, "AWS session");
}

static void free_options(tally_aws_options_t *options) {
  const char **strings[STRINGS];
  list_strings(options, strings);
  for (size_t i = 0; i < STRINGS; i++)
    tally_secret_free((char *)*strings[i]);
}

static void set_default(int *value, int fallback) {
  if (*value <= 0)
    *value = fallback;
}

static void destroy(tally_aws_session_t *session) {
  tally_aws_http_destroy(session->http);
  free_options(&session->options);
  tally_aws_keys_clear(&session->keys);
  tally_aws_metadata_clear(&session->metadata);
  pthread_mutex_destroy(&session->lock);
  pthread_cond_destroy(&session->changed);
  free(session);
}

tally_aws_session_t *
tally_aws_session_create(const tally_aws_options_t *options,
                         tally_error_t *err) {
  if ((options->access_key == NULL) != (options->secret_key == NULL)) {
    tally_error_set(err, 0,
                    "AWS: of access key and secret key only one is "
                    "given");
    return NULL;
  }
  tally_aws_session_t *session = calloc(1, sizeof(*session));
  if (session == NULL) {
    tally_error_set(err, ENOMEM, "AWS session");
    return NULL;
  }
  atomic_init(&session->references, 1);
  pthread_mutex_init(&session->lock, NULL);
  tally_condition_init(&session->changed);
  session->options = *options;
  if (session->options.names == NULL)
    session->options.names = &plain_names;
  set_default(&session->options.timeout_ms, 30000);
  set_default(&session->options.connect_ms, 5000);
  set_default(&session->options.metadata_ms, 1000);
  set_default(&session->options.process_ms, 30000);
  if (copy_options(&session->options, err) != 0 ||
      (session->http = tally_aws_http_create(err)) == NULL) {
    destroy(session);
    return NULL;
  }
  return session;
}

tally_aws_session_t *tally_aws_session_ref(tally_aws_session_t *session) {
  atomic_fetch_add(&session->references, 1);
  return session;
}

void tally_aws_session_unref(tally_aws_session_t *session) {
  if (session != NULL && atomic_fetch_sub(&session->references, 1) == 1)
    destroy(session);
}

void tally_aws_session_stop(tally_aws_session_t *session) {
  pthread_mutex_lock(&session->lock);
  session->stopped = true;
  pthread_cond_broadcast(&session->changed);
  pthread_mutex_unlock(&session->lock);
  tally_aws_http_stop(session->http);
}

/* ---- the desk ------------------------------------------------------------ */

int tally_aws_session_sit_locked(tally_aws_session_t *session,
                                 tally_error_t *err) {
  while (session->busy && !session->stopped)
    pthread_cond_wait(&session->changed, &session->lock);
  if (session->stopped)
    return tally_error_set(err, ECANCELED, "AWS session");
  session->busy = true;
  pthread_mutex_unlock(&session->lock);
  int code = tally_aws_profiles_load(&session->profiles, err);
  pthread_mutex_lock(&session->lock);
  if (code != 0)
    tally_aws_session_rise_locked(session);
  return code;
}

void tally_aws_session_rise_locked(tally_aws_session_t *session) {
  tally_aws_profiles_clear(&session->profiles);
  session->busy = false;
  pthread_cond_broadcast(&session->changed);
}

int tally_aws_session_sit(tally_aws_session_t *session, tally_error_t *err) {
  pthread_mutex_lock(&session->lock);
  int code = tally_aws_session_sit_locked(session, err);
  pthread_mutex_unlock(&session->lock);
  return code;
}

void tally_aws_session_rise(tally_aws_session_t *session) {
  pthread_mutex_lock(&session->lock);
  tally_aws_session_rise_locked(session);
  pthread_mutex_unlock(&session->lock);
}

/* ---- settings ------------------------------------------------------------ */

const char *tally_aws_session_profile(const tally_aws_session_t *session,
                                      bool *explicitly) {
  const char *profile = session->options.profile;
  if (profile == NULL)
    profile = tally_aws_environment("AWS_PROFILE");
  *explicitly = profile != NULL;
  return profile != NULL ? profile : "default";
}

void tally_aws_session_profile_origin(const tally_aws_session_t *session,
                                      const char *profile, const char *key,
                                      char origin[TALLY_AWS_ORIGIN_MAX]) {
  snprintf(origin, TALLY_AWS_ORIGIN_MAX, "profile `%.40s' of %.100s", profile,
           tally_aws_profiles_file(&session->profiles, profile, key));
}

const char *tally_aws_session_setting(const tally_aws_session_t *session,
                                      const char *key) {
  bool explicitly;
  return tally_aws_profiles_get(
      &session->profiles, tally_aws_session_profile(session, &explicitly), key);
}

void tally_aws_session_prepare(const tally_aws_session_t *session,
                               tally_aws_exchange_t *exchange) {
  exchange->timeout_ms = session->options.timeout_ms;
  exchange->connect_ms = session->options.connect_ms;
  exchange->proxy = session->options.proxy;
  exchange->ca_file = session->options.ca_file;
  if (exchange->ca_file == NULL)
    exchange->ca_file = tally_aws_environment("AWS_CA_BUNDLE");
}
