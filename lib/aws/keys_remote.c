/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aws/keys.h"
#include "aws/request.h"
#include "aws/secret.h"

#define ANSWER_MAX 65536
#define CONTAINER_HOST "http://169.254.170.2"
#define CONTAINER_TRIES 3

/* ---- container ----------------------------------------------------------- */

/* The token in the request must not go in clear to anywhere but this host. */
static bool is_trusted(const char *host) {
  char name[300];
  snprintf(name, sizeof(name), "%s", host);
  if (*name == '[') {
    char *end = strchr(name, ']');
    if (end == NULL || (end[1] != '\0' && end[1] != ':'))
      return false;
    *end = '\0';
    struct in6_addr address, eks;
    if (inet_pton(AF_INET6, name + 1, &address) != 1)
      return false;
    inet_pton(AF_INET6, "fd00:ec2::23", &eks);
    return IN6_IS_ADDR_LOOPBACK(&address) ||
           memcmp(&address, &eks, sizeof(eks)) == 0;
  }
  name[strcspn(name, ":")] = '\0';
  struct in_addr address;
  if (inet_pton(AF_INET, name, &address) != 1)
    return strcasecmp(name, "localhost") == 0;
  uint32_t number = ntohl(address.s_addr);
  return number >> 24 == 127 || number == 0xa9feaa02 /* 169.254.170.2 */ ||
         number == 0xa9feaa17 /* 169.254.170.23 */;
}

static bool is_plain(const char *s) {
  for (; *s != '\0'; s++)
    if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f)
      return false;
  return true;
}

int tally_aws_container_url(const char *relative_uri, const char *full_uri,
                            char url[TALLY_AWS_URL_MAX], tally_error_t *err) {
  if (relative_uri == NULL && full_uri == NULL) {
    tally_error_set(err, 0, "AWS_CONTAINER_CREDENTIALS_… is not set");
    return 0;
  }
  const char *given = relative_uri != NULL ? relative_uri : full_uri;
  int len = snprintf(url, TALLY_AWS_URL_MAX, "%s%s",
                     relative_uri != NULL ? CONTAINER_HOST : "", given);
  if (len >= TALLY_AWS_URL_MAX || !is_plain(given))
    return tally_error_set(err, 0, "`%.100s' is no URL",
                           tally_aws_url_shown(given));
  if (relative_uri != NULL)
    return *relative_uri == '/' ? 1
                                : tally_error_set(err, 0,
                                                  "`%.100s' does not begin "
                                                  "with a slash",
                                                  relative_uri);
  /* Its path may have what an endpoint's may not. */
  char host[300], path[256], front[TALLY_AWS_URL_MAX];
  const char *slashes = strstr(full_uri, "://");
  size_t front_len = slashes == NULL ? strlen(full_uri)
                                     : (size_t)(slashes + 3 - full_uri) +
                                           strcspn(slashes + 3, "/?#");
  snprintf(front, sizeof(front), "%.*s", (int)front_len, full_uri);
  if (tally_aws_url_split(front, host, path, err) != 0)
    return -1;
  if (strncasecmp(full_uri, "https://", 8) == 0 || is_trusted(host))
    return 1;
  return tally_error_set(err, 0,
                         "`%.100s': http only to loopback, 169.254.170.2, "
                         "169.254.170.23 and [fd00:ec2::23]",
                         front);
}

/* "": none is wanted. Read anew each time, because it is rotated. */
static int container_token(char *line, size_t size, tally_error_t *err) {
  static const char name[] = "Authorization: ";
  const size_t front = sizeof(name) - 1;
  memcpy(line, name, sizeof(name));
  const char *file =
      tally_aws_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (file != NULL)
    return tally_aws_token_read(file, line + front, size - front, err);
  const char *token =
      tally_aws_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (token == NULL) {
    line[0] = '\0';
    return 0;
  }
  if (strlen(token) >= size - front || strpbrk(token, "\r\n") != NULL)
    return tally_error_set(err, 0,
                           "AWS_CONTAINER_AUTHORIZATION_TOKEN is no "
                           "token");
  memcpy(line + front, token, strlen(token) + 1);
  return 0;
}

static int ask_container(tally_aws_session_t *session,
                         tally_aws_exchange_t *exchange, tally_error_t *err) {
  for (int i = 0;; i++) {
    int code = tally_aws_http_run(session->http, exchange, err);
    bool again =
        code == 0 && (exchange->status == 429 || exchange->status >= 500);
    if (!again || i == CONTAINER_TRIES - 1)
      return code;
    tally_secret_buffer_clear(&exchange->answer);
    if (tally_aws_http_wait(session->http, 100 << i, err) != 0)
      return -1;
  }
}

static int read_container(tally_aws_exchange_t *exchange,
                          tally_aws_keys_t *keys, tally_error_t *err) {
  if (exchange->status == 200)
    return tally_aws_keys_parse_json(keys, exchange->answer.data,
                                     exchange->answer.len, err);
  tally_aws_refusal_t refusal;
  tally_aws_refusal_read(&refusal, exchange->answer.data, exchange->answer.len,
                         "");
  return tally_error_set(err, 0, "status %d %s", exchange->status,
                         refusal.code);
}

int tally_aws_keys_from_container(tally_aws_session_t *session,
                                  tally_aws_keys_t *keys, tally_error_t *err) {
  char url[TALLY_AWS_URL_MAX];
  int code = tally_aws_container_url(
      tally_aws_environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
      tally_aws_environment("AWS_CONTAINER_CREDENTIALS_FULL_URI"), url, err);
  if (code <= 0)
    return code;
  char token[8192];
  if (container_token(token, sizeof(token), err) != 0)
    return -1;
  const char *headers[] = {*token != '\0' ? token : NULL, NULL};
  tally_aws_exchange_t exchange = {
      .method = "GET",
      .url = url,
      .headers = headers,
      .answer_max = ANSWER_MAX,
      .timeout_ms = session->options.metadata_ms,
      .connect_ms = session->options.metadata_ms,
      .ca_file = session->options.ca_file,
      .direct = true,
  };
  code = ask_container(session, &exchange, err);
  tally_secret_wipe(token, sizeof(token));
  if (code == 0)
    code = read_container(&exchange, keys, err);
  tally_secret_buffer_clear(&exchange.answer);
  return code == 0 ? 1 : tally_error_wrap(err, "%.200s", url);
}

/* ---- instance metadata --------------------------------------------------- */

#define ROLE_PATH "/meta-data/iam/security-credentials/"

static int get_role(tally_aws_session_t *session, char path[256],
                    tally_error_t *err) {
  tally_secret_autobuffer tally_buffer_t answer = {0};
  if (tally_aws_metadata_get(&session->metadata, session->http, ROLE_PATH,
                             &answer, err) != 0)
    return -1;
  size_t len = strcspn(answer.data, " \r\n");
  if (len == 0 || len > 128)
    return tally_error_set(err, ENOENT, "the instance has no role");
  memcpy(path, ROLE_PATH, sizeof(ROLE_PATH));
  for (size_t i = 0; i < len; i++) {
    char c = answer.data[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
          (c >= '0' && c <= '9') || (c != '\0' && strchr("+=,.@_-", c))))
      return tally_error_set(err, 0, "a role with an impossible name");
  }
  memcpy(path + sizeof(ROLE_PATH) - 1, answer.data, len);
  path[sizeof(ROLE_PATH) - 1 + len] = '\0';
  return 0;
}

int tally_aws_keys_from_metadata(tally_aws_session_t *session,
                                 tally_aws_keys_t *keys, tally_error_t *err) {
  if (tally_aws_environment_is_true("AWS_EC2_METADATA_DISABLED")) {
    tally_error_set(err, 0, "AWS_EC2_METADATA_DISABLED is true");
    return 0;
  }
  if (*session->metadata.base == '\0' &&
      tally_aws_metadata_init(&session->metadata, false,
                              session->options.metadata_ms, err) != 0)
    return -1;
  char path[256];
  if (get_role(session, path, err) != 0)
    return 0; /* the end of the chain: no such service, or no role */
  tally_secret_autobuffer tally_buffer_t answer = {0};
  if (tally_aws_metadata_get(&session->metadata, session->http, path, &answer,
                             err) != 0)
    return -1;
  return tally_aws_keys_parse_json(keys, answer.data, answer.len, err) == 0
             ? 1
             : -1;
}
