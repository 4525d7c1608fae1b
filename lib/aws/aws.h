/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_AWS_H
#define TALLY_AWS_AWS_H

/*
 * Talking to AWS: who we are, where to, and a signed request.
 *
 * A *session* holds options, credentials and region; any number of threads may
 * share it. A *client* sends requests to one service over its own connections;
 * one thread at a time uses it. Only the stop functions may come from anywhere
 * at any moment.
 *
 *   session ─ keys: options, environment, profile, web identity,
 *      │            container, instance metadata; renewed ahead of expiry
 *      └─ client (kinesis) ─► POST, signed with SigV4 ─► answer or fault
 *
 * Nobody has a thread here. Whoever asks for keys that are due renews them;
 * the others go on with those that are still good, and wait only when there are
 * none. Every wait ends: by a time limit or by stop.
 *
 * Secrets live in tally_aws_keys_t and in the requests; they are wiped where
 * they are given back, and no message contains one.
 *
 * Contract: AWS SDKs and Tools Reference Guide (the environment variables and
 * settings of the shared files); AWS Signature Version 4; EC2 User Guide
 * (instance metadata); STS API Reference 2011-06-15; the service's own API
 * reference for targets and bodies.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/error.h"

/* ---- session ------------------------------------------------------------- */

typedef enum tally_aws_choice_e {
  TALLY_AWS_UNSET = 0, /* what environment and profile say; else no */
  TALLY_AWS_NO,
  TALLY_AWS_YES,
} tally_aws_choice_t;

/* What their user calls the options below, so that messages can say where a
 * wrong value came from: "region eu-wset-1 (option Region)". What comes from
 * elsewhere is named by itself: "(AWS_REGION)", "(profile `x' of FILE)". */
typedef struct tally_aws_names_s {
  const char *region, *endpoint_url, *profile, *role_arn, *ca_file, *proxy;
  const char *keys; /* access key and secret key together */
} tally_aws_names_t;

/* What a configuration may say. NULL and 0: nothing. All strings are copied.
 * A value given here wins over environment and files. */
typedef struct tally_aws_options_s {
  const tally_aws_names_t *names; /* static, all of them set; NULL: "option
                                     region" and the like */
  const char *access_key, *secret_key, *session_token;
  const char *profile;      /* else AWS_PROFILE, else "default" */
  const char *role_arn;     /* taken on with what the chain gives */
  const char *external_id;  /* for that role */
  const char *session_name; /* for any role; else AWS_ROLE_SESSION_NAME */
  const char *region;
  const char *endpoint_url; /* of the service of every client; not of STS */
  tally_aws_choice_t fips, dualstack;
  const char *ca_file; /* else AWS_CA_BUNDLE, else libcurl's */
  const char *proxy;   /* else what libcurl takes from the environment */
  int timeout_ms;      /* of a whole request; 30 000 */
  int connect_ms;      /* of connecting; 5 000 */
  int metadata_ms;     /* of one question to the metadata service; 1 000 */
  int process_ms;      /* of a credential_process; 30 000 */
} tally_aws_options_t;

typedef struct tally_aws_session_s tally_aws_session_t;

/* Neither reads files nor asks anybody. NULL and *err: half a pair of keys,
 * out of memory. */
tally_aws_session_t *
tally_aws_session_create(const tally_aws_options_t *options,
                         tally_error_t *err);
tally_aws_session_t *tally_aws_session_ref(tally_aws_session_t *session);
/* The last one wipes and frees. NULL is allowed. */
void tally_aws_session_unref(tally_aws_session_t *session);

/* From any thread: ends everybody's wait inside the session (ECANCELED), now
 * and for ever. Clients are stopped on their own. */
void tally_aws_session_stop(tally_aws_session_t *session);

/* ---- credentials --------------------------------------------------------- */

#define TALLY_AWS_ORIGIN_MAX 160 /* with its NUL; longer ones are cut */

/* Plain memory; wipe it. Longer values are refused where they come in. */
typedef struct tally_aws_keys_s {
  char access_key[129];
  char secret_key[257];
  char token[8193];    /* "": none */
  uint64_t expires_ns; /* since 1970; 0: never */
  /* Who gave them, for messages: "profile `x' of FILE" */
  char source[TALLY_AWS_ORIGIN_MAX];
} tally_aws_keys_t;

void tally_aws_keys_clear(tally_aws_keys_t *keys);
#define tally_aws_autokeys __attribute__((cleanup(tally_aws_keys_clear)))

/*
 * Keys to sign with, from the cache or from the first link of the chain that
 * has some:
 *
 *   options        access_key and secret_key
 *   environment    AWS_ACCESS_KEY_ID (or AWS_ACCESS_KEY), AWS_SECRET_ACCESS_KEY
 *                  (or AWS_SECRET_KEY), AWS_SESSION_TOKEN; passed over when the
 *                  options name a profile
 *   profile        of AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE (default
 *                  ~/.aws): keys, role_arn with source_profile or
 *                  credential_source, role_arn with web_identity_token_file,
 *                  credential_process. No SSO.
 *   web identity   AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN
 *   container      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, with
 *                  AWS_CONTAINER_AUTHORIZATION_TOKEN(_FILE)
 *   metadata       of the instance, version 2, then 1; unless
 *                  AWS_EC2_METADATA_DISABLED is true
 *
 * A link that is not configured is passed over; one that is configured and
 * fails ends the walk, so that nobody works under another identity than meant.
 * Keys are renewed five minutes before they expire (short-lived ones at half
 * their life); while that fails, the old ones are handed out, also beyond their
 * expiry, and it is tried again after 1, 2, 4, … 30 seconds. Files and token
 * files are read anew each time.
 *
 * -1 and *err: nothing gave keys, with each link's reason, or why the
 * configured one failed. Takes as long as the time limits in the options allow.
 */
int tally_aws_session_keys(tally_aws_session_t *session, tally_aws_keys_t *keys,
                           tally_error_t *err);

/* The service did not accept these keys: the next one who asks renews them,
 * though not more than every 10 seconds while the chain gives the same again.
 * Clients call it themselves. */
void tally_aws_session_reject(tally_aws_session_t *session,
                              const tally_aws_keys_t *keys);

/* ---- region and endpoints ------------------------------------------------ */

#define TALLY_AWS_REGION_MAX 64 /* with its NUL */

/* Option, AWS_REGION, AWS_DEFAULT_REGION, the profile's region, metadata; what
 * was found is kept. -1 and *err: none of them says, or what it says is no
 * region (letters, digits, '-'). */
int tally_aws_session_region(tally_aws_session_t *session,
                             char region[TALLY_AWS_REGION_MAX],
                             tally_error_t *err);

typedef enum tally_aws_service_e {
  TALLY_AWS_KINESIS = 0,
  TALLY_AWS_CLOUDWATCH,
  TALLY_AWS_LOGS,
  TALLY_AWS_AUTOSCALING,
  TALLY_AWS_ECS,
  TALLY_AWS_STS,
  TALLY_AWS_SERVICES /* how many there are */
} tally_aws_service_t;

#define TALLY_AWS_URL_MAX 512

/*
 * Where a service listens: the option (not for STS), AWS_ENDPOINT_URL_SERVICE,
 * AWS_ENDPOINT_URL, the profile's services section and endpoint_url (those four
 * unless AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true); else made from service,
 * region, partition (aws, aws-cn, aws-us-gov), AWS_USE_FIPS_ENDPOINT and
 * AWS_USE_DUALSTACK_ENDPOINT. No slash at the end.
 * -1 and *err: no region, or a URL that is not http(s)://host[:port][/path].
 */
int tally_aws_session_endpoint(tally_aws_session_t *session,
                               tally_aws_service_t service,
                               char url[TALLY_AWS_URL_MAX], tally_error_t *err);

/* ---- requests ------------------------------------------------------------ */

typedef struct tally_aws_client_s tally_aws_client_t;

/* Keeps the session. Asks nobody yet. */
tally_aws_client_t *tally_aws_client_create(tally_aws_session_t *session,
                                            tally_aws_service_t service,
                                            tally_error_t *err);
void tally_aws_client_destroy(tally_aws_client_t *client); /* NULL allowed */
/* From any thread: ends the request under way (ECANCELED), and all to come. */
void tally_aws_client_stop(tally_aws_client_t *client);

/* A POST to "/" of the endpoint. Strings and body must live until it is over;
 * none may contain a line break. */
typedef struct tally_aws_request_s {
  const char *target;           /* X-Amz-Target; NULL: none (Query protocol) */
  const char *content_type;     /* "application/x-amz-json-1.1" */
  const char *content_encoding; /* "gzip"; NULL: none */
  const void *body;
  size_t body_len;
} tally_aws_request_t;

typedef enum tally_aws_fault_e {
  TALLY_AWS_OK = 0,
  TALLY_AWS_THROTTLED, /* slow down, then again */
  TALLY_AWS_TEMPORARY, /* no answer, or a server's trouble: again later */
  TALLY_AWS_EXPIRED,   /* keys that do not count any more, or not yet */
  TALLY_AWS_SKEW,      /* our clock and the service's differ too much */
  TALLY_AWS_NO_KEYS,   /* nothing was sent: no credentials, region, endpoint */
  TALLY_AWS_MISCONFIGURED, /* names, permissions or keys: somebody must repair
                              that, the data are not to blame */
  TALLY_AWS_PERMANENT,     /* the same request will be refused again */
} tally_aws_fault_t;

#define TALLY_AWS_ANSWER_MAX (1024 * 1024)

typedef struct tally_aws_answer_s {
  tally_aws_fault_t fault;
  int status;          /* of HTTP; 0: no answer */
  tally_buffer_t body; /* at most TALLY_AWS_ANSWER_MAX; also of a refusal */
  char code[96];       /* of a refusal: "ResourceNotFoundException"; "" */
  char request_id[64]; /* as the service counts it, for its support; "" */
  int retry_after_s;   /* header Retry-After; 0: none */
  bool uncertain;      /* sent, perhaps twice, without an answer to each: the
                          service may have done what it was asked to */
} tally_aws_answer_t;

void tally_aws_answer_clear(tally_aws_answer_t *answer);

/* Whether a refusal (PERMANENT) speaks of what the body carries, so that a part
 * of it may be taken: see halving.h. Others may come from a wrong endpoint or a
 * broken proxy, and no record is to blame. */
bool tally_aws_answer_blames_body(const tally_aws_answer_t *answer);

/*
 * Sends it and waits for the answer, at most options.timeout_ms plus what
 * renewing keys takes. 0: a status of 200 to 299. -1 and *err otherwise, naming
 * service, endpoint and the service's own words; `answer` is filled in either
 * case and must be cleared.
 *
 * If a setting may be to blame (a region or endpoint that is none, keys that
 * are not known or not allowed to), *err begins with it, its value and where it
 * came from, so that this survives where long texts are cut:
 *
 *   region us-gov-east-1 (AWS_REGION): kinesis at https://…: Credential should…
 *   access key AKID…MPLE (profile `x' of FILE): kinesis at …: UnrecognizedCl…
 *   endpoint http://h:1 (option endpoint_url): kinesis: Connection refused
 *
 * Of an access key the first and the last four characters are shown.
 *
 * What does not depend on the caller's patience is repaired here, once: a clock
 * that differs from the service's (its Date header is believed from then on),
 * and keys that have expired. Whether and when to repeat anything else is the
 * caller's decision, by `fault`.
 */
int tally_aws_client_send(tally_aws_client_t *client,
                          const tally_aws_request_t *request,
                          tally_aws_answer_t *answer, tally_error_t *err);

/* For callers that cannot read what came with status 200: who answered is not
 * the service. Puts the endpoint and its origin in front of *err; -1. */
int tally_aws_client_doubt(const tally_aws_client_t *client,
                           tally_error_t *err);

/* ---- this instance ------------------------------------------------------- */

typedef struct tally_aws_identity_s {
  bool real;         /* false: the values of development, see below */
  char instance[64]; /* "i-0123…" */
  char image[64];    /* "ami-…" */
  char type[64];     /* "m5.large" */
  char zone[64];
  char region[TALLY_AWS_REGION_MAX];
  char account[32];        /* "": not known */
  char scaling_group[256]; /* tag aws:autoscaling:groupName, if the instance
                              exposes its tags; "": not known */
} tally_aws_identity_t;

/*
 * From the metadata service; EC2_METADATA_ENDPOINT names another one (with
 * "/latest" and the like at its end). With DEVELOPMENT=true nobody is asked and
 * the values are "i-dev", "ami-dev", "d1.dev", "us-dev-1b" and "us-dev-1".
 * -1 and *err: there is no such service; the identity then holds the values of
 * development too.
 */
int tally_aws_session_identity(tally_aws_session_t *session,
                               tally_aws_identity_t *identity,
                               tally_error_t *err);

#endif
