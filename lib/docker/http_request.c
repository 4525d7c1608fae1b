/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/http_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/http.h"

#define CONNECT_TIMEOUT_MS 5000L
#define ERROR_BODY_MAX 65536

/* ---- callbacks of libcurl ------------------------------------------------ */

int tally_http_request_status(const tally_transfer_t *transfer) {
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
  if (is_last && transfer->on_open != NULL &&
      tally_http_request_status(transfer) == 200)
    transfer->on_open(transfer);
  return len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
  tally_transfer_t *transfer = data;
  size_t len = size * count;
  int status = tally_http_request_status(transfer);

  if (status == 200 && transfer->on_data != NULL) {
    int taken = transfer->on_data(transfer, bytes, len);
    if (taken == TALLY_TRANSFER_PAUSE)
      return CURL_WRITEFUNC_PAUSE;
    return taken < 0 ? 0 : len;
  }
  if (status >= 400 && transfer->answer.len + len > ERROR_BODY_MAX)
    return len; /* nobody reads error messages of that length */
  if (tally_buffer_append(&transfer->answer, bytes, len) == 0)
    return len;
  tally_error_set(&transfer->error, 0, "the answer is longer than %zu bytes",
                  transfer->answer.cap);
  return 0;
}

/* ---- options ------------------------------------------------------------- */

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

  /* Without it the peer of an idle stream could vanish unnoticed. */
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
  if (transfer->buffer_size > 0)
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)transfer->buffer_size);

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

/* ---- life ---------------------------------------------------------------- */

int tally_http_request_make(tally_http_t *http, tally_transfer_t *transfer) {
  transfer->headers = NULL;
  transfer->easy = curl_easy_init();
  if (transfer->easy == NULL)
    return -1;
  set_connection_options(http, transfer->easy);
  if (set_request_options(http, transfer, transfer->easy) == 0)
    return 0;
  tally_http_request_free(transfer);
  return -1;
}

void tally_http_request_free(tally_transfer_t *transfer) {
  curl_easy_cleanup(transfer->easy);
  curl_slist_free_all(transfer->headers);
  transfer->easy = NULL;
  transfer->headers = NULL;
}
