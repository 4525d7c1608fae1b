/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "core/cleanup.h"
#include "core/http.h"
#include "core/json.h"

#define CONNECT_TIMEOUT_MS 5000L
#define CONNECTIONS_KEPT TRANSFERS_MAX /* or it would close and open them */
#define ERROR_BODY_MAX 65536
#define TRANSFERS_MAX 12 /* at a time */

struct tally_http_s {
  CURLM *multi;
  atomic_bool stopped;
  /* Copies of what the endpoint says; NULL where it says nothing. */
  char *socket_path;
  char *base_url;
  char *ca_file, *cert_file, *key_file;
  bool verify;
  tally_transfer_t *under_way[TRANSFERS_MAX]; /* so that destroy finds them */
};

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
  return http;
}

void tally_http_destroy(tally_http_t *http) {
  if (http == NULL)
    return;
  for (size_t i = 0; i < TRANSFERS_MAX; i++)
    if (http->under_way[i] != NULL)
      tally_http_cancel(http->under_way[i]);
  if (http->multi != NULL)
    curl_multi_cleanup(http->multi);
  free(http->socket_path);
  free(http->base_url);
  free(http->ca_file);
  free(http->cert_file);
  free(http->key_file);
  free(http);
}

/* ---- callbacks of libcurl ------------------------------------------------ */

static int status_of(const tally_transfer_t *transfer) {
  long status = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  return (int)status;
}

static size_t on_header(char *line, size_t size, size_t count, void *data) {
  tally_transfer_t *transfer = data;
  size_t len = size * count;
  char date[64];
  tally_http_take_header(line, len, "Api-Version", transfer->api_version,
                         sizeof(transfer->api_version));
  if (tally_http_take_header(line, len, "Date", date, sizeof(date))) {
    time_t seconds = curl_getdate(date, NULL);
    transfer->date_s = seconds > 0 ? (int64_t)seconds : 0;
  }
  bool is_last = len > 0 && (line[0] == '\r' || line[0] == '\n');
  if (is_last && transfer->on_open != NULL && status_of(transfer) == 200)
    transfer->on_open(transfer);
  return len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
  tally_transfer_t *transfer = data;
  size_t len = size * count;
  int status = status_of(transfer);

  if (status == 200 && transfer->on_data != NULL)
    return transfer->on_data(transfer, bytes, len) < 0 ? 0 : len;
  if (status >= 400 && transfer->answer.len + len > ERROR_BODY_MAX)
    return len; /* nobody reads error messages of that length */
  if (tally_buffer_append(&transfer->answer, bytes, len) == 0)
    return len;
  tally_error_set(&transfer->error, 0, "the answer is longer than %zu bytes",
                  transfer->answer.cap);
  return 0;
}

/* ---- transfers ----------------------------------------------------------- */

static void set_connection_options(tally_http_t *http, CURL *easy) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, tally_http_open_socket);
  curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not even from the environment */
#if LIBCURL_VERSION_NUM >= 0x075700
  /* Do not wait for a resolver thread when a transfer is cancelled. */
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
  if (http->socket_path != NULL) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, http->socket_path);
    return;
  }

  /* Without it the peer of an idle event stream could vanish unnoticed. */
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, http->verify ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, http->verify ? 2L : 0L);
  if (http->ca_file != NULL)
    curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
  if (http->cert_file != NULL)
    curl_easy_setopt(easy, CURLOPT_SSLCERT, http->cert_file);
  if (http->key_file != NULL)
    curl_easy_setopt(easy, CURLOPT_SSLKEY, http->key_file);
}

static int set_request_options(tally_http_t *http, tally_transfer_t *transfer,
                               CURL *easy) {
  tally_autofree char *url = NULL; /* libcurl copies it */
  if (asprintf(&url, "%s%s", http->base_url, transfer->path) < 0) {
    url = NULL;
    return -1;
  }
  if (curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK)
    return -1;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)transfer->timeout_ms);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);

  if (transfer->body != NULL) {
    transfer->headers =
        curl_slist_append(NULL, "Content-Type: application/json");
    if (transfer->headers == NULL)
      return -1;
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body);
  }
  if (transfer->method != NULL)
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, transfer->method);
  return 0;
}

static tally_transfer_t **slot_of(tally_http_t *http,
                                  const tally_transfer_t *transfer) {
  for (size_t i = 0; i < TRANSFERS_MAX; i++)
    if (http->under_way[i] == transfer)
      return &http->under_way[i];
  return NULL;
}

int tally_http_start(tally_http_t *http, tally_transfer_t *transfer,
                     tally_error_t *err) {
  transfer->done = false;
  transfer->failed = false;
  transfer->error = (tally_error_t){0};
  transfer->status = 0;
  transfer->api_version[0] = '\0';
  transfer->date_s = 0;
  transfer->headers = NULL;
  tally_buffer_init(&transfer->answer, TALLY_HTTP_ANSWER_MAX);

  tally_transfer_t **slot = slot_of(http, NULL);
  if (slot == NULL)
    return tally_error_set(err, EAGAIN, "too many requests at a time");
  CURL *easy = curl_easy_init();
  if (easy == NULL)
    return tally_error_set(err, ENOMEM, "request");
  transfer->easy = easy;
  set_connection_options(http, easy);
  if (set_request_options(http, transfer, easy) != 0 ||
      curl_multi_add_handle(http->multi, easy) != CURLM_OK) {
    curl_easy_cleanup(easy);
    curl_slist_free_all(transfer->headers);
    transfer->easy = NULL;
    return tally_error_set(err, ENOMEM, "request");
  }
  transfer->http = http;
  *slot = transfer;
  return 0;
}

/* Takes it out of libcurl's hands. */
static void detach(tally_transfer_t *transfer) {
  tally_http_t *http = transfer->http;
  *slot_of(http, transfer) = NULL;
  curl_multi_remove_handle(http->multi, transfer->easy);
  curl_easy_cleanup(transfer->easy);
  curl_slist_free_all(transfer->headers);
  transfer->easy = NULL;
  transfer->headers = NULL;
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
  transfer->status = status_of(transfer);
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

void tally_http_run(tally_http_t *http, int wait_ms) {
  int running;
  curl_multi_perform(http->multi, &running);

  bool finished = false;
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
    if (message->msg != CURLMSG_DONE)
      continue;
    tally_transfer_t *transfer = NULL;
    CURLcode code = message->data.result; /* gone with the handle */
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    finish(transfer, code);
    finished = true;
  }
  if (!finished && wait_ms > 0)
    curl_multi_poll(http->multi, NULL, 0, wait_ms, NULL);
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

void tally_http_wake(tally_http_t *http) { curl_multi_wakeup(http->multi); }

void tally_http_stop(tally_http_t *http) {
  atomic_store(&http->stopped, true);
  tally_http_wake(http);
}
