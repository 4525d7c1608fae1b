/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aws/request.h"
#include "aws/secret.h"
#include "core/text.h"

struct tally_aws_client_s {
  tally_aws_session_t *session;
  tally_aws_http_t *http;
  tally_aws_service_t service;
  tally_aws_endpoint_t endpoint; /* its URL "": not known yet */
  tally_aws_region_t region;
  int64_t skew_s; /* of the service's clock, once it has complained */
};

tally_aws_client_t *tally_aws_client_create(tally_aws_session_t *session,
                                            tally_aws_service_t service,
                                            tally_error_t *err) {
  tally_aws_client_t *client = calloc(1, sizeof(*client));
  if (client == NULL) {
    tally_error_set(err, ENOMEM, "AWS client");
    return NULL;
  }
  client->http = tally_aws_http_create(err);
  if (client->http == NULL) {
    free(client);
    return NULL;
  }
  client->session = tally_aws_session_ref(session);
  client->service = service;
  return client;
}

void tally_aws_client_destroy(tally_aws_client_t *client) {
  if (client == NULL)
    return;
  tally_aws_http_destroy(client->http);
  tally_aws_session_unref(client->session);
  free(client);
}

void tally_aws_client_stop(tally_aws_client_t *client) {
  tally_aws_http_stop(client->http);
}

void tally_aws_answer_clear(tally_aws_answer_t *answer) {
  tally_buffer_clear(&answer->body);
}

static int find_service(tally_aws_client_t *client, tally_error_t *err) {
  if (*client->endpoint.url != '\0')
    return 0;
  tally_aws_endpoint_t endpoint;
  if (tally_aws_session_find(client->session, client->service, &client->region,
                             &endpoint, err) != 0)
    return -1;
  client->endpoint = endpoint;
  return 0;
}

/* ---- words --------------------------------------------------------------- */

static int say_where(const tally_aws_client_t *client, tally_error_t *err) {
  return tally_error_wrap(err, "%s at %s",
                          tally_aws_service_names(client->service)->host,
                          client->endpoint.url);
}

/* One that was made from the region is as right as that. */
static int say_endpoint(const tally_aws_client_t *client, tally_error_t *err) {
  if (*client->endpoint.origin == '\0')
    return say_where(client, err);
  return tally_error_wrap(err, "endpoint %s (%s): %s", client->endpoint.url,
                          client->endpoint.origin,
                          tally_aws_service_names(client->service)->host);
}

static int say_region(const tally_aws_client_t *client, tally_error_t *err) {
  say_where(client, err);
  return tally_error_wrap(err, "region %s (%s)", client->region.name,
                          client->region.origin);
}

static int say_keys(const tally_aws_client_t *client,
                    const tally_aws_keys_t *keys, tally_error_t *err) {
  char hint[TALLY_AWS_KEY_HINT_MAX];
  tally_aws_key_hint(keys->access_key, hint);
  say_where(client, err);
  return tally_error_wrap(err, "access key %s (%s)", hint, keys->source);
}

/* A URL of a proxy may hold a password: its origin has to do. */
static int say_proxy(const tally_aws_client_t *client, tally_error_t *err) {
  const tally_aws_options_t *options = &client->session->options;
  say_where(client, err);
  return tally_error_wrap(err, "proxy (%s)",
                          options->proxy != NULL ? options->names->proxy
                                                 : "environment");
}

static int say_ca_file(const tally_aws_client_t *client, tally_error_t *err) {
  const tally_aws_options_t *options = &client->session->options;
  const char *origin = options->names->ca_file, *file = options->ca_file;
  if (file == NULL) {
    origin = "AWS_CA_BUNDLE";
    file = tally_aws_environment(origin);
  }
  say_where(client, err);
  return file == NULL
             ? -1
             : tally_error_wrap(err, "certificates %.200s (%s)", file, origin);
}

/* What may be wrong comes first: short messages keep their beginning. */
static int explain(const tally_aws_client_t *client, tally_aws_setting_t blamed,
                   const tally_aws_keys_t *keys, tally_error_t *err) {
  switch (blamed) {
  case TALLY_AWS_SETTING_REGION:
    return say_region(client, err);
  case TALLY_AWS_SETTING_KEYS:
    return say_keys(client, keys, err);
  case TALLY_AWS_SETTING_HOST:
    return *client->endpoint.origin == '\0' ? say_region(client, err)
                                            : say_endpoint(client, err);
  case TALLY_AWS_SETTING_ENDPOINT:
    return say_endpoint(client, err);
  case TALLY_AWS_SETTING_PROXY:
    return say_proxy(client, err);
  case TALLY_AWS_SETTING_CA_FILE:
    return say_ca_file(client, err);
  default:
    return say_where(client, err);
  }
}

int tally_aws_client_doubt(const tally_aws_client_t *client,
                           tally_error_t *err) {
  return say_endpoint(client, err);
}

/* ---- sending ------------------------------------------------------------- */

static void take_answer(tally_aws_answer_t *answer,
                        tally_aws_signed_t *request) {
  tally_buffer_clear(&answer->body);
  answer->body = request->exchange.answer;
  answer->fault = request->fault;
  answer->status = request->exchange.status;
  answer->retry_after_s = request->exchange.retry_after_s;
  answer->uncertain |= request->uncertain;
  memcpy(answer->code, request->refusal.code, sizeof(answer->code));
  const char *id = *request->exchange.request_id != '\0'
                       ? request->exchange.request_id
                       : request->refusal.request_id;
  tally_text_copy(answer->request_id, sizeof(answer->request_id), id);
}

static int send_with(tally_aws_client_t *client,
                     const tally_aws_request_t *request,
                     const tally_aws_keys_t *keys, tally_aws_answer_t *answer,
                     tally_error_t *err) {
  tally_aws_signed_t attempt = {
      .url = client->endpoint.url,
      .region = client->region.name,
      .service = tally_aws_service_names(client->service)->host,
      .target = request->target,
      .content_type = request->content_type,
      .content_encoding = request->content_encoding,
      .body = request->body,
      .body_len = request->body_len,
      .answer_max = TALLY_AWS_ANSWER_MAX,
      .keys = keys,
      .skew_s = client->skew_s,
  };
  tally_buffer_init(&attempt.exchange.answer, TALLY_AWS_ANSWER_MAX);
  int code =
      tally_aws_signed_send(client->session, client->http, &attempt, err);
  if (code != 0)
    explain(client, attempt.blamed, keys, err);
  client->skew_s = attempt.skew_s;
  take_answer(answer, &attempt);
  return code;
}

int tally_aws_client_send(tally_aws_client_t *client,
                          const tally_aws_request_t *request,
                          tally_aws_answer_t *answer, tally_error_t *err) {
  *answer = (tally_aws_answer_t){.fault = TALLY_AWS_NO_KEYS};
  tally_buffer_init(&answer->body, TALLY_AWS_ANSWER_MAX);
  if (tally_aws_http_is_stopped(client->http))
    return tally_error_set(err, ECANCELED, "request");
  if (find_service(client, err) != 0)
    return -1;
  tally_aws_autokeys tally_aws_keys_t keys = {0};
  if (tally_aws_session_keys(client->session, &keys, err) != 0)
    return -1;
  int code = send_with(client, request, &keys, answer, err);
  if (answer->fault != TALLY_AWS_EXPIRED)
    return code;

  tally_aws_autokeys tally_aws_keys_t fresh = {0};
  tally_aws_session_reject(client->session, &keys);
  if (tally_aws_session_keys(client->session, &fresh, NULL) != 0 ||
      memcmp(&fresh, &keys, sizeof(keys)) == 0)
    return code; /* what the service said is the better message */
  return send_with(client, request, &fresh, answer, err);
}
