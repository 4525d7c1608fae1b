/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_KEYS_H
#define TALLY_AWS_KEYS_H

/*
 * The links of the credentials chain.
 *
 * Each gives 1 and fills in `keys` (but for keys->source, unless it knows
 * better than its name); 0 and *err: it is not configured, in a few words; -1
 * and *err: it is, and failed. They run at the desk of the session, one at a
 * time, and may take as long as its time limits say.
 */

#include "aws/session_private.h"

typedef int (*tally_aws_link_t)(tally_aws_session_t *session,
                                tally_aws_keys_t *keys, tally_error_t *err);

int tally_aws_keys_from_options(tally_aws_session_t *session,
                                tally_aws_keys_t *keys, tally_error_t *err);
int tally_aws_keys_from_environment(tally_aws_session_t *session,
                                    tally_aws_keys_t *keys, tally_error_t *err);
int tally_aws_keys_from_profile(tally_aws_session_t *session,
                                tally_aws_keys_t *keys, tally_error_t *err);
int tally_aws_keys_from_web_identity(tally_aws_session_t *session,
                                     tally_aws_keys_t *keys,
                                     tally_error_t *err);
int tally_aws_keys_from_container(tally_aws_session_t *session,
                                  tally_aws_keys_t *keys, tally_error_t *err);
int tally_aws_keys_from_metadata(tally_aws_session_t *session,
                                 tally_aws_keys_t *keys, tally_error_t *err);

/* The whole chain, and the options' role on top. 0 or -1. */
int tally_aws_keys_find(tally_aws_session_t *session, tally_aws_keys_t *keys,
                        tally_error_t *err);

/* ---- what links are made of ---------------------------------------------- */

/* The three texts; -1 and *err if one is missing (but for the token) or is no
 * such thing. */
int tally_aws_keys_set(tally_aws_keys_t *keys, const char *access_key,
                       const char *secret_key, const char *token,
                       tally_error_t *err);

/* What a credential_process, a container endpoint and the metadata service
 * say. -1 and *err: that is no such document, or says why there are none. */
int tally_aws_keys_parse_json(tally_aws_keys_t *keys, const char *text,
                              size_t len, tally_error_t *err);
/* The <Credentials> of STS. */
int tally_aws_keys_parse_xml(tally_aws_keys_t *keys, const char *text,
                             tally_error_t *err);

/* A role and how to take it on. NULL: not given. */
typedef struct tally_aws_role_s {
  const char *arn, *external_id, *session_name;
  const char *token_file; /* web identity; else signed with keys */
  const char *region;     /* of the profile */
  int duration_s;         /* 0: the role's */
} tally_aws_role_t;

/* AssumeRole with `base`, or AssumeRoleWithWebIdentity. `keys` may be `base`.
 * 0, or -1 and *err. */
int tally_aws_sts_assume(tally_aws_session_t *session,
                         const tally_aws_role_t *role,
                         const tally_aws_keys_t *base, tally_aws_keys_t *keys,
                         tally_error_t *err);

/* Runs a credential_process: words are cut at blanks, quotes hold together, no
 * shell. 0 and its output (at most 64 KiB; to be cleared by
 * tally_secret_buffer_clear()), or -1 and *err; what it writes to stderr is
 * dropped, it may be secret. Killed, with its process group, at the time limit
 * and on stop. */
int tally_aws_process_run(tally_aws_http_t *http, const char *command,
                          int timeout_ms, tally_buffer_t *output,
                          tally_error_t *err);

/* The URL of the container endpoint, checked: http only to loopback and the
 * addresses of ECS and EKS. 1, 0 (none is configured), -1 and *err. */
int tally_aws_container_url(const char *relative_uri, const char *full_uri,
                            char url[TALLY_AWS_URL_MAX], tally_error_t *err);

/* A small file with a token in it, without the blanks around. -1 and *err. */
int tally_aws_token_read(const char *path, char *token, size_t size,
                         tally_error_t *err);

#endif
