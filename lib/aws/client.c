/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/request.h"
#include "aws/secret.h"
#include "core/text.h"

struct tally_aws_client_s {
  tally_aws_session_t *session;
  tally_aws_http_t *http;
  tally_aws_service_t service;
  char url[TALLY_AWS_URL_MAX]; /* "": not known yet */
  char region[TALLY_AWS_REGION_MAX];
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
  if (*client->url != '\0')
    return 0;
  char url[TALLY_AWS_URL_MAX];
  if (tally_aws_session_region(client->session, client->region, err) != 0 ||
      tally_aws_session_endpoint(client->session, client->service, url, err) !=
          0)
    return -1;
  memcpy(client->url, url, sizeof(url));
  return 0;
}

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
      .url = client->url,
      .region = client->region,
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
