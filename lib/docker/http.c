/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/http_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/http.h"
#include "core/json.h"

/* As many as anybody uses for short requests, or they would be closed and
 * opened all the time. */
#define CONNECTIONS_KEPT 12

/* ---- life ---------------------------------------------------------------- */

/* The path of a certificate, NULL if there is no such file: then libcurl's
 * defaults apply, and what is missing shows in the handshake. */
static char *certificate(const char *dir, const char *name) {
  char *path;
  if (asprintf(&path, "%s/%s", dir, name) < 0)
    return NULL;
  if (access(path, R_OK) == 0)
    return path;
  free(path);
  return NULL;
}

tally_http_t *tally_http_create(const tally_endpoint_t *endpoint,
                                tally_error_t *err) {
  tally_http_global_init();
  tally_http_t *http = calloc(1, sizeof(*http));
  if (http == NULL) {
    tally_error_set(err, ENOMEM, "Docker endpoint %s", endpoint->name);
    return NULL;
  }
  http->epoll_fd = http->wake_fd = -1;
  LIST_INIT(&http->under_way);
  http->verify = endpoint->verify;
  http->base_url = strdup(endpoint->base_url);
  if (endpoint->socket_path != NULL)
    http->socket_path = strdup(endpoint->socket_path);
  if (endpoint->cert_dir != NULL) {
    http->ca_file = certificate(endpoint->cert_dir, "ca.pem");
    http->cert_file = certificate(endpoint->cert_dir, "cert.pem");
    http->key_file = certificate(endpoint->cert_dir, "key.pem");
  }
  http->multi = curl_multi_init();
  if (http->multi == NULL || http->base_url == NULL ||
      (endpoint->socket_path != NULL && http->socket_path == NULL)) {
    tally_error_set(err, ENOMEM, "Docker endpoint %s", endpoint->name);
    tally_http_destroy(http);
    return NULL;
  }
  curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
  if (tally_http_loop_open(http, err) != 0) {
    tally_error_wrap(err, "Docker endpoint %s", endpoint->name);
    tally_http_destroy(http);
    return NULL;
  }
  return http;
}

void tally_http_destroy(tally_http_t *http) {
  if (http == NULL)
    return;
  while (!LIST_EMPTY(&http->under_way))
    tally_http_cancel(LIST_FIRST(&http->under_way));
  if (http->multi != NULL)
    curl_multi_cleanup(http->multi);
  tally_http_loop_close(http);
  free(http->socket_path);
  free(http->base_url);
  free(http->ca_file);
  free(http->cert_file);
  free(http->key_file);
  free(http);
}

/* ---- transfers ----------------------------------------------------------- */

int tally_http_start(tally_http_t *http, tally_transfer_t *transfer,
                     tally_error_t *err) {
  transfer->done = false;
  transfer->failed = false;
  transfer->error = (tally_error_t){0};
  transfer->status = 0;
  transfer->api_version[0] = '\0';
  transfer->date_s = 0;
  tally_buffer_init(&transfer->answer, TALLY_HTTP_ANSWER_MAX);

  if (tally_http_request_make(http, transfer) != 0)
    return tally_error_set(err, ENOMEM, "request");
  if (curl_multi_add_handle(http->multi, transfer->easy) != CURLM_OK) {
    tally_http_request_free(transfer);
    return tally_error_set(err, ENOMEM, "request");
  }
  transfer->http = http;
  LIST_INSERT_HEAD(&http->under_way, transfer, link);
  return 0;
}

/* Takes it out of libcurl's hands. */
static void detach(tally_transfer_t *transfer) {
  LIST_REMOVE(transfer, link);
  curl_multi_remove_handle(transfer->http->multi, transfer->easy);
  tally_http_request_free(transfer);
  transfer->http = NULL;
}

void tally_http_cancel(tally_transfer_t *transfer) {
  if (transfer->http == NULL)
    return;
  detach(transfer);
  tally_transfer_clear(transfer);
}

void tally_transfer_clear(tally_transfer_t *transfer) {
  tally_buffer_clear(&transfer->answer);
}

static void finish(tally_transfer_t *transfer, CURLcode code) {
  transfer->status = tally_http_request_status(transfer);
  transfer->failed = code != CURLE_OK;
  if (transfer->failed && transfer->error.message[0] == '\0') {
    long os_errno = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_errno);
    if (code != CURLE_COULDNT_CONNECT)
      os_errno = 0; /* of something that does not matter any more */
    tally_error_set(&transfer->error, (int)os_errno, "%s",
                    curl_easy_strerror(code));
  }
  detach(transfer);
  transfer->done = true;
  if (transfer->on_done != NULL)
    transfer->on_done(transfer);
}

void tally_transfer_resume(tally_transfer_t *transfer) {
  if (transfer->http == NULL)
    return;
  /* Delivers what libcurl has kept; a refusal is no end in its eyes. */
  CURLcode code = curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
  if (code != CURLE_OK)
    finish(transfer, code);
}

static void take_finished(tally_http_t *http) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
    if (message->msg != CURLMSG_DONE)
      continue;
    tally_transfer_t *transfer = NULL;
    CURLcode code = message->data.result; /* gone with the handle */
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    finish(transfer, code);
  }
}

void tally_http_run(tally_http_t *http, int wait_ms) {
  tally_http_loop_turn(http, wait_ms);
  take_finished(http);
}

int tally_http_perform(tally_http_t *http, tally_transfer_t *transfer,
                       tally_error_t *err) {
  if (tally_http_start(http, transfer, err) != 0)
    return -1;
  while (!transfer->done) {
    if (atomic_load(&http->stopped)) {
      tally_http_cancel(transfer);
      return tally_error_set(err, ECANCELED, "request");
    }
    tally_http_run(http, 1000);
  }
  return tally_transfer_check(transfer, err);
}

/* {"message":"No such container: x"}; before API 1.24 it is plain text. */
static void report_status(const tally_transfer_t *transfer,
                          tally_error_t *err) {
  tally_json_t *json =
      tally_json_parse(transfer->answer.data, transfer->answer.len, NULL);
  const char *text = tally_json_string(tally_json_get(json, "message"));
  if (text == NULL)
    text = transfer->answer.data;
  size_t len = strcspn(text, "\r\n");
  if (len > 300)
    len = 300;
  if (len > 0)
    tally_error_set(err, 0, "%.*s", (int)len, text);
  else
    tally_error_set(err, 0, "HTTP status %d", transfer->status);
  tally_json_destroy(json);
}

int tally_transfer_check(const tally_transfer_t *transfer, tally_error_t *err) {
  if (transfer->failed) {
    if (err != NULL)
      *err = transfer->error;
    return -1;
  }
  if (transfer->status >= 200 && transfer->status < 400)
    return 0;
  report_status(transfer, err);
  return -1;
}

void tally_http_stop(tally_http_t *http) {
  atomic_store(&http->stopped, true);
  tally_http_wake(http);
}
