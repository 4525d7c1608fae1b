/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/http.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "aws/secret.h"
#include "core/clock.h"
#include "core/http.h"
#include "core/text.h"

#define CONNECTIONS_KEPT 4L
#define SECRETS_MAX 65536
/* Megabytes go out in pieces of this, not of 64 KiB: a tenth less CPU. */
#define LARGE_BODY (512 * 1024)

struct tally_aws_http_s {
  CURLM *multi; /* has the connections */
  CURL *easy;
  atomic_bool stopped;
};

/* What the callbacks of one exchange share. */
typedef struct transfer_s {
  tally_aws_exchange_t *exchange;
  size_t sent;   /* of the body */
  bool too_long; /* the answer */
  bool resent;   /* libcurl began anew on another connection */
} transfer_t;

const char *tally_aws_url_shown(const char *url) {
  return strchr(url, '@') == NULL ? url : "(with '@')";
}

/* ---- life ---------------------------------------------------------------- */

tally_aws_http_t *tally_aws_http_create(tally_error_t *err) {
  tally_http_global_init();
  tally_aws_http_t *http = calloc(1, sizeof(*http));
  if (http != NULL) {
    http->multi = curl_multi_init();
    http->easy = curl_easy_init();
    if (http->multi != NULL && http->easy != NULL) {
      curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
      return http;
    }
  }
  tally_aws_http_destroy(http);
  tally_error_set(err, ENOMEM, "HTTP");
  return NULL;
}

void tally_aws_http_destroy(tally_aws_http_t *http) {
  if (http == NULL)
    return;
  if (http->easy != NULL)
    curl_easy_cleanup(http->easy);
  if (http->multi != NULL)
    curl_multi_cleanup(http->multi);
  free(http);
}

void tally_aws_http_stop(tally_aws_http_t *http) {
  atomic_store(&http->stopped, true);
  curl_multi_wakeup(http->multi);
}

bool tally_aws_http_is_stopped(const tally_aws_http_t *http) {
  return atomic_load(&http->stopped);
}

/* ---- callbacks of libcurl ------------------------------------------------ */

static size_t on_header(char *line, size_t size, size_t count, void *data) {
  tally_aws_exchange_t *exchange = ((transfer_t *)data)->exchange;
  size_t len = size * count;
  char text[64];
  if (tally_http_take_header(line, len, "Date", text, sizeof(text))) {
    time_t seconds = curl_getdate(text, NULL);
    exchange->date_s = seconds > 0 ? (int64_t)seconds : 0;
  } else if (tally_http_take_header(line, len, "Retry-After", text,
                                    sizeof(text))) {
    long seconds = strtol(text, NULL, 10); /* a date gives its day: ignored */
    exchange->retry_after_s = seconds > 0 && strchr(text, ' ') == NULL
                                  ? (int)(seconds < 3600 ? seconds : 3600)
                                  : 0;
  }
  tally_http_take_header(line, len, "x-amzn-ErrorType", exchange->error_type,
                         sizeof(exchange->error_type));
  tally_http_take_header(line, len, "x-amzn-RequestId", exchange->request_id,
                         sizeof(exchange->request_id));
  return len;
}

static size_t on_answer(char *bytes, size_t size, size_t count, void *data) {
  transfer_t *transfer = data;
  size_t len = size * count;
  if (tally_buffer_append(&transfer->exchange->answer, bytes, len) == 0)
    return len;
  transfer->too_long = true;
  return 0;
}

static size_t on_body(char *target, size_t size, size_t count, void *data) {
  transfer_t *transfer = data;
  size_t len = size * count;
  if (len > transfer->exchange->body_len - transfer->sent)
    len = transfer->exchange->body_len - transfer->sent;
  if (len > 0)
    memcpy(target, (const char *)transfer->exchange->body + transfer->sent,
           len);
  transfer->sent += len;
  return len;
}

/* A kept connection died under the request; libcurl sends it once more. The
 * service may have got it both times. */
static int on_rewind(void *data, curl_off_t offset, int origin) {
  transfer_t *transfer = data;
  if (origin != SEEK_SET || offset < 0 ||
      (size_t)offset > transfer->exchange->body_len)
    return CURL_SEEKFUNC_FAIL;
  transfer->resent |= transfer->sent > (size_t)offset;
  transfer->sent = (size_t)offset;
  return CURL_SEEKFUNC_OK;
}

/* ---- an exchange --------------------------------------------------------- */

static void set_body(CURL *easy, transfer_t *transfer) {
  const tally_aws_exchange_t *exchange = transfer->exchange;
  if (exchange->body != NULL || strcmp(exchange->method, "POST") == 0) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)exchange->body_len);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
    if (exchange->body_len >= LARGE_BODY)
      curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)LARGE_BODY);
    return;
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
}

static void set_connection(CURL *easy, const tally_aws_exchange_t *exchange) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, tally_http_open_socket);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)exchange->timeout_ms);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)exchange->connect_ms);
#if LIBCURL_VERSION_NUM >= 0x075700
  /* Do not wait for a resolver thread when a transfer is cancelled. */
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
  if (exchange->direct)
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
  else if (exchange->proxy != NULL)
    curl_easy_setopt(easy, CURLOPT_PROXY, exchange->proxy);
  if (exchange->ca_file != NULL)
    curl_easy_setopt(easy, CURLOPT_CAINFO, exchange->ca_file);
}

static void cleanup_slist(struct curl_slist **list) {
  /* They may carry a session token. */
  for (struct curl_slist *item = *list; item != NULL; item = item->next)
    tally_secret_wipe(item->data, strlen(item->data));
  curl_slist_free_all(*list);
}

static int add_header(struct curl_slist **list, const char *line) {
  struct curl_slist *longer = curl_slist_append(*list, line);
  if (longer == NULL)
    return -1;
  *list = longer;
  return 0;
}

static int perform(tally_aws_http_t *http, CURLcode *code, tally_error_t *err) {
  int running = 1;
  while (running > 0) {
    if (atomic_load(&http->stopped))
      return tally_error_set(err, ECANCELED, "request");
    curl_multi_perform(http->multi, &running);
    if (running > 0)
      curl_multi_poll(http->multi, NULL, 0, 1000, NULL);
  }
  int left;
  CURLMsg *message = curl_multi_info_read(http->multi, &left);
  *code = message != NULL ? message->data.result : CURLE_RECV_ERROR;
  return 0;
}

static tally_aws_obstacle_t obstacle_of(CURLcode code, bool sent,
                                        bool by_proxy) {
  switch (code) {
  case CURLE_COULDNT_RESOLVE_HOST:
    return TALLY_AWS_OBSTACLE_NAME;
  case CURLE_COULDNT_RESOLVE_PROXY:
#if LIBCURL_VERSION_NUM >= 0x074900
  case CURLE_PROXY:
#endif
    return TALLY_AWS_OBSTACLE_PROXY;
  case CURLE_SSL_CACERT_BADFILE:
    return TALLY_AWS_OBSTACLE_CA_FILE;
  case CURLE_COULDNT_CONNECT:
    return by_proxy ? TALLY_AWS_OBSTACLE_PROXY : TALLY_AWS_OBSTACLE_PEER;
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9: not HTTP at all */
  case CURLE_WEIRD_SERVER_REPLY:
    return TALLY_AWS_OBSTACLE_PEER;
  case CURLE_OPERATION_TIMEDOUT:
    return sent ? TALLY_AWS_OBSTACLE_NONE : TALLY_AWS_OBSTACLE_PEER;
  default:
    return TALLY_AWS_OBSTACLE_NONE;
  }
}

static int report(tally_aws_http_t *http, const transfer_t *transfer,
                  CURLcode code, const char *words, tally_error_t *err) {
  if (transfer->too_long)
    return tally_error_set(err, EMSGSIZE, "the answer is longer than %zu bytes",
                           transfer->exchange->answer_max);
  long os_errno = 0;
  if (code == CURLE_COULDNT_CONNECT)
    curl_easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &os_errno);
  else if (code == CURLE_OPERATION_TIMEDOUT)
    os_errno = ETIMEDOUT;
  char text[200]; /* of a name, a port, a certificate: the peer's words */
  tally_text_copy(text, sizeof(text),
                  *words != '\0' ? words : curl_easy_strerror(code));
  tally_error_set(err, 0, "%s", text);
  if (err != NULL)
    err->code = (int)os_errno;
  return -1;
}

static int run(tally_aws_http_t *http, transfer_t *transfer,
               struct curl_slist *headers, tally_error_t *err) {
  tally_aws_exchange_t *exchange = transfer->exchange;
  CURL *easy = http->easy;
  char words[CURL_ERROR_SIZE] = "";
  curl_easy_reset(easy);
  set_connection(easy, exchange);
  set_body(easy, transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  if (curl_easy_setopt(easy, CURLOPT_URL, exchange->url) != CURLE_OK ||
      curl_multi_add_handle(http->multi, easy) != CURLM_OK)
    return tally_error_set(err, ENOMEM, "request");

  CURLcode code = CURLE_OK;
  int result = perform(http, &code, err);
  long status = 0, request_size = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_size);
  curl_multi_remove_handle(http->multi, easy);

  bool answered = result == 0 && code == CURLE_OK;
  exchange->status = answered ? (int)status : 0;
  exchange->uncertain = transfer->resent || (!answered && request_size > 0);
  if (result == 0 && !answered)
    exchange->obstacle =
        obstacle_of(code, request_size > 0, exchange->proxy != NULL);
  if (result == 0 && !answered)
    result = report(http, transfer, code, words, err);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
  return result;
}

int tally_aws_http_run(tally_aws_http_t *http, tally_aws_exchange_t *exchange,
                       tally_error_t *err) {
  transfer_t transfer = {.exchange = exchange};
  exchange->status = 0;
  exchange->uncertain = false;
  exchange->obstacle = TALLY_AWS_OBSTACLE_NONE;
  exchange->date_s = 0;
  exchange->retry_after_s = 0;
  exchange->error_type[0] = exchange->request_id[0] = '\0';
  /* A buffer that grows leaves copies behind; those of secrets do not grow. */
  if (exchange->answer_max > SECRETS_MAX)
    tally_buffer_init(&exchange->answer, exchange->answer_max);
  else if (tally_secret_buffer_init(&exchange->answer, exchange->answer_max) !=
           0)
    return tally_error_set(err, ENOMEM, "request");

  __attribute__((cleanup(cleanup_slist))) struct curl_slist *headers = NULL;
  int code = add_header(&headers, "Expect:"); /* saves a round trip */
  code |= add_header(&headers, "Accept:");
  for (const char *const *line = exchange->headers;
       line != NULL && *line != NULL; line++)
    code |= add_header(&headers, *line);
  if (code != 0)
    return tally_error_set(err, ENOMEM, "request");
  return run(http, &transfer, headers, err);
}

int tally_aws_http_wait(tally_aws_http_t *http, int ms, tally_error_t *err) {
  uint64_t until_ns =
      tally_clock_monotonic_ns() + (uint64_t)ms * TALLY_NS_PER_MS;
  for (;;) {
    if (atomic_load(&http->stopped))
      return tally_error_set(err, ECANCELED, "request");
    uint64_t now_ns = tally_clock_monotonic_ns();
    if (now_ns >= until_ns)
      return 0;
    curl_multi_poll(http->multi, NULL, 0,
                    (int)((until_ns - now_ns) / TALLY_NS_PER_MS) + 1, NULL);
  }
}
