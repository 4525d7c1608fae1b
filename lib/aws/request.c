/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/secret.h"
#include "aws/sigv4.h"
#include "core/clock.h"

/* A second or two between the clocks is not worth a second request. */
#define SKEW_WORTH_S 30

/* ---- URL ----------------------------------------------------------------- */

static bool consists_of(const char *s, size_t len, const char *more) {
  for (size_t i = 0; i < len; i++) {
    char c = s[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
          (c >= '0' && c <= '9')) &&
        (c == '\0' || strchr(more, c) == NULL))
      return false;
  }
  return true;
}

/* libcurl leaves the default port out of header Host; what is signed must be
 * the same text, so both get it from here. */
int tally_aws_url_split(const char *url, char host[300], char path[256],
                        tally_error_t *err) {
  const char *p = NULL, *port = NULL;
  if (strncasecmp(url, "http://", 7) == 0) {
    p = url + 7;
    port = ":80";
  } else if (strncasecmp(url, "https://", 8) == 0) {
    p = url + 8;
    port = ":443";
  }
  size_t len = p != NULL ? strcspn(p, "/?#") : 0;
  if (len == 0 || len >= 300 || *p == ':' || !consists_of(p, len, "-._:[]"))
    return tally_error_set(
        err, 0, "endpoint `%.100s': not http(s)://HOST[:PORT][/PATH]",
        tally_aws_url_shown(url));
  memcpy(host, p, len);
  host[len] = '\0';
  size_t port_len = strlen(port);
  if (len > port_len && strcmp(host + len - port_len, port) == 0)
    host[len - port_len] = '\0';

  const char *rest = p + len;
  size_t rest_len = strlen(rest);
  while (rest_len > 1 && rest[rest_len - 1] == '/')
    rest_len--;
  if (rest_len >= 256 || !consists_of(rest, rest_len, "/-._~"))
    return tally_error_set(err, 0,
                           "endpoint `%.100s': only letters, digits and -._~ "
                           "in its path",
                           tally_aws_url_shown(url));
  memcpy(path, rest, rest_len);
  path[rest_len] = '\0';
  if (rest_len == 0)
    memcpy(path, "/", 2);
  return 0;
}

/* ---- signature ----------------------------------------------------------- */

#define LINES_MAX 10

/* The header lines of a request: those that are signed, and the signature. */
typedef struct header_s {
  tally_sigv4_header_t pairs[LINES_MAX];
  size_t count;
  const char *lines[LINES_MAX + 2];
  char date[TALLY_SIGV4_DATE], hash[TALLY_SIGV4_HEX];
  char text[12288]; /* what the lines point at; the token is the most of it */
  size_t used;
} header_t;

static int add(header_t *header, const char *name, const char *value) {
  if (value == NULL)
    return 0;
  size_t room = sizeof(header->text) - header->used;
  char *line = header->text + header->used;
  int len = snprintf(line, room, "%s: %s", name, value);
  if (len < 0 || (size_t)len >= room || strpbrk(line, "\r\n") != NULL)
    return -1;
  header->used += (size_t)len + 1;
  header->lines[header->count] = line;
  header->pairs[header->count++] =
      (tally_sigv4_header_t){.name = name, .value = line + strlen(name) + 2};
  return 0;
}

static int sign(header_t *header, const tally_aws_signed_t *request,
                const char *path, tally_error_t *err) {
  tally_sigv4_request_t to_sign = {
      .method = "POST",
      .path = path,
      .query = "",
      .headers = header->pairs,
      .headers_count = header->count,
      .body_sha256 = header->hash,
      .region = request->region,
      .service = request->service,
      .date = header->date,
  };
  tally_autobuffer tally_buffer_t value;
  tally_buffer_init(&value, 2048);
  if (tally_buffer_append_str(&value, "Authorization: ") != 0 ||
      tally_sigv4_sign(&to_sign, request->keys, &value, err) != 0)
    return -1;
  size_t room = sizeof(header->text) - header->used;
  if (value.len >= room)
    return tally_error_set(err, E2BIG, "header");
  memcpy(header->text + header->used, value.data, value.len + 1);
  header->lines[header->count] = header->text + header->used;
  return 0;
}

/* At time `now_s` of the service's clock. */
static int prepare(header_t *header, const tally_aws_signed_t *request,
                   int64_t now_s, const char *host, const char *path,
                   tally_error_t *err) {
  *header = (header_t){0};
  tally_sigv4_date(now_s, header->date);
  tally_sigv4_sha256(request->body, request->body_len, header->hash);
  int code = add(header, "content-type", request->content_type);
  code |= add(header, "content-encoding", request->content_encoding);
  code |= add(header, "host", host);
  if (request->keys != NULL) {
    code |= add(header, "x-amz-content-sha256", header->hash);
    code |= add(header, "x-amz-date", header->date);
    if (*request->keys->token != '\0')
      code |= add(header, "x-amz-security-token", request->keys->token);
  }
  code |= add(header, "x-amz-target", request->target);
  if (code != 0)
    return tally_error_set(err, EINVAL, "header");
  return request->keys != NULL ? sign(header, request, path, err) : 0;
}

/* ---- sending ------------------------------------------------------------- */

/* Services quote what they dislike, and the words are cut: the beginning of a
 * secret is enough. */
static bool quotes(const char *words, const char *secret) {
  char part[21];
  snprintf(part, sizeof(part), "%.20s", secret);
  bool found = *part != '\0' && strstr(words, part) != NULL;
  tally_secret_wipe(part, sizeof(part));
  return found;
}

static int refuse(tally_aws_signed_t *request, tally_error_t *err) {
  tally_aws_refusal_t *refusal = &request->refusal;
  const tally_aws_keys_t *keys = request->keys;
  if (keys != NULL && (quotes(refusal->words, keys->secret_key) ||
                       quotes(refusal->words, keys->token)))
    refusal->words[0] = '\0';
  const char *code = refusal->code, *words = refusal->words;
  if (*code == '\0' && *words == '\0')
    return tally_error_set(err, 0, "status %d", request->exchange.status);
  return tally_error_set(err, 0, "%s%s%s (status %d)", code,
                         *code != '\0' && *words != '\0' ? ": " : "", words,
                         request->exchange.status);
}

static int send_once(const tally_aws_session_t *session, tally_aws_http_t *http,
                     tally_aws_signed_t *request, const char *host,
                     const char *path, tally_error_t *err) {
  request->refusal = (tally_aws_refusal_t){0}; /* of an earlier attempt */
  request->blamed = TALLY_AWS_SETTING_NONE;
  header_t header;
  int64_t sent_s =
      (int64_t)(tally_clock_realtime_ns() / TALLY_NS_PER_S) + request->skew_s;
  if (prepare(&header, request, sent_s, host, path, err) != 0) {
    tally_secret_wipe(&header, sizeof(header));
    request->fault = TALLY_AWS_PERMANENT;
    return -1;
  }
  tally_aws_exchange_t *exchange = &request->exchange;
  *exchange = (tally_aws_exchange_t){
      .method = "POST",
      .url = request->url,
      .headers = header.lines,
      .body = request->body,
      .body_len = request->body_len,
      .answer_max = request->answer_max,
  };
  tally_aws_session_prepare(session, exchange);
  int code = tally_aws_http_run(http, exchange, err);
  exchange->headers = NULL;
  tally_secret_wipe(&header, sizeof(header));
  request->uncertain |= exchange->uncertain;
  if (code != 0) {
    request->fault = TALLY_AWS_TEMPORARY;
    request->blamed = tally_aws_obstacle_blames(exchange->obstacle);
    return -1;
  }
  if (exchange->status >= 200 && exchange->status < 300) {
    request->fault = TALLY_AWS_OK;
    return 0;
  }
  tally_aws_refusal_read(&request->refusal, exchange->answer.data,
                         exchange->answer.len, exchange->error_type);
  request->fault = tally_aws_refusal_classify(
      &request->refusal, exchange->status,
      exchange->date_s != 0 ? exchange->date_s - sent_s : 0);
  request->blamed = tally_aws_refusal_blames(&request->refusal,
                                             exchange->status, request->fault);
  return refuse(request, err);
}

int tally_aws_signed_send(const tally_aws_session_t *session,
                          tally_aws_http_t *http, tally_aws_signed_t *request,
                          tally_error_t *err) {
  char host[300], path[256];
  if (tally_aws_url_split(request->url, host, path, err) != 0) {
    request->fault = TALLY_AWS_NO_KEYS;
    return -1;
  }
  int code = send_once(session, http, request, host, path, err);
  if (request->fault != TALLY_AWS_SKEW || request->exchange.date_s == 0)
    return code;
  int64_t skew_s = request->exchange.date_s -
                   (int64_t)(tally_clock_realtime_ns() / TALLY_NS_PER_S);
  if (llabs(skew_s - request->skew_s) < SKEW_WORTH_S)
    return code;
  request->skew_s = skew_s;
  tally_secret_buffer_clear(&request->exchange.answer);
  return send_once(session, http, request, host, path, err);
}
