/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_SESSION_PRIVATE_H
#define TALLY_AWS_SESSION_PRIVATE_H

/* What the files of this folder share of a session. */

#include <pthread.h>
#include <stdatomic.h>

#include "aws/aws.h"
#include "aws/endpoint.h"
#include "aws/http.h"
#include "aws/metadata.h"
#include "aws/profile.h"

struct tally_aws_session_s {
  atomic_uint references;
  tally_aws_options_t options; /* strings are ours */

  pthread_mutex_t lock;
  pthread_cond_t changed;
  /* Guarded by `lock`. */
  bool stopped;
  bool busy; /* somebody is at the desk */
  tally_aws_keys_t keys;
  bool have_keys, rejected;
  uint64_t renew_ns, retry_ns; /* monotonic; not before */
  unsigned failures;           /* in a row */
  tally_error_t why_no_keys;
  tally_aws_region_t region; /* its name "": not known yet */

  /* The desk: used by one thread at a time, the one that set `busy`. */
  tally_aws_http_t *http;
  tally_aws_metadata_t metadata; /* for credentials and region */
  tally_aws_profiles_t profiles; /* as long as somebody is at the desk */
};

/* Waits for the desk and sits down, with the shared files read. -1 and *err:
 * stopped, or a shared file is unreadable (nobody sits then). */
int tally_aws_session_sit(tally_aws_session_t *session, tally_error_t *err);
void tally_aws_session_rise(tally_aws_session_t *session);
/* With the lock held by the caller; files are read without it. */
int tally_aws_session_sit_locked(tally_aws_session_t *session,
                                 tally_error_t *err);
void tally_aws_session_rise_locked(tally_aws_session_t *session);

/* As if `seconds` had gone by for everything that is kept. */
void tally_aws_session_age(tally_aws_session_t *session, unsigned seconds);

/* NULL if it is not set or empty. */
const char *tally_aws_environment(const char *name);
bool tally_aws_environment_is_true(const char *name);

/* The name of the profile, and whether somebody asked for it. */
const char *tally_aws_session_profile(const tally_aws_session_t *session,
                                      bool *explicitly);
/* "profile `NAME' of FILE": the one that says so, at the desk. `key` NULL: the
 * profile as a whole. */
void tally_aws_session_profile_origin(const tally_aws_session_t *session,
                                      const char *profile, const char *key,
                                      char origin[TALLY_AWS_ORIGIN_MAX]);
/* Of that profile; NULL. At the desk. */
const char *tally_aws_session_setting(const tally_aws_session_t *session,
                                      const char *key);

/* The same as the public ones, at the desk, and with their origins. */
int tally_aws_region_find(tally_aws_session_t *session,
                          tally_aws_region_t *region, tally_error_t *err);
int tally_aws_endpoint_find(tally_aws_session_t *session,
                            tally_aws_service_t service, const char *region,
                            tally_aws_endpoint_t *endpoint, tally_error_t *err);
/* Both, for who is not at the desk. */
int tally_aws_session_find(tally_aws_session_t *session,
                           tally_aws_service_t service,
                           tally_aws_region_t *region,
                           tally_aws_endpoint_t *endpoint, tally_error_t *err);
/* Time limits, proxy and CA for an exchange with AWS. */
void tally_aws_session_prepare(const tally_aws_session_t *session,
                               tally_aws_exchange_t *exchange);

#endif
