/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "aws/metadata.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aws/secret.h"
#include "aws/session_private.h"
#include "core/clock.h"

#define ANSWER_MAX 16384
#define TOKEN_LIFE_S 21600
#define TRIES 3

/* ---- where --------------------------------------------------------------- */

static void take_base(tally_aws_metadata_t *metadata, const char *url,
                      bool with_latest) {
  size_t len = strlen(url);
  while (len > 0 && url[len - 1] == '/')
    len--;
  const char *tail = "/latest";
  if (with_latest || (len >= 7 && strncmp(url + len - 7, tail, 7) == 0))
    tail = "";
  snprintf(metadata->base, sizeof(metadata->base), "%.*s%s", (int)len, url,
           tail);
}

int tally_aws_metadata_init(tally_aws_metadata_t *metadata, bool for_identity,
                            int timeout_ms, tally_error_t *err) {
  *metadata = (tally_aws_metadata_t){.timeout_ms = timeout_ms};
  const char *ours = tally_aws_environment("EC2_METADATA_ENDPOINT");
  const char *theirs =
      tally_aws_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  const char *mode =
      tally_aws_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
  const char *given = (theirs == NULL || for_identity) && ours ? ours : theirs;
  if (given != NULL) {
    if (strncmp(given, "http://", 7) != 0 || strlen(given) > 200 ||
        strchr(given, '@') != NULL)
      return tally_error_set(err, 0,
                             "metadata endpoint `%.100s': not an http "
                             "URL",
                             tally_aws_url_shown(given));
    take_base(metadata, given, given == ours);
  } else if (mode != NULL && strcasecmp(mode, "ipv6") == 0) {
    take_base(metadata, "http://[fd00:ec2::254]", false);
  } else {
    take_base(metadata, "http://169.254.169.254", false);
  }
  return 0;
}

void tally_aws_metadata_clear(tally_aws_metadata_t *metadata) {
  tally_secret_wipe(metadata, sizeof(*metadata));
}

/* ---- one question -------------------------------------------------------- */

static int ask(const tally_aws_metadata_t *metadata, tally_aws_http_t *http,
               const char *method, const char *path, const char *header,
               tally_aws_exchange_t *exchange, tally_error_t *err) {
  char url[640];
  int len = snprintf(url, sizeof(url), "%s%s", metadata->base, path);
  if (len < 0 || (size_t)len >= sizeof(url))
    return tally_error_set(err, ENAMETOOLONG, "metadata");
  const char *headers[] = {header, NULL};
  *exchange = (tally_aws_exchange_t){
      .method = method,
      .url = url,
      .headers = headers,
      .timeout_ms = metadata->timeout_ms,
      .connect_ms = metadata->timeout_ms,
      .direct = true,
      .answer_max = ANSWER_MAX,
  };
  static const int pause_ms[TRIES] = {100, 300, 0};
  for (int i = 0;; i++) {
    int code = tally_aws_http_run(http, exchange, err);
    bool again =
        code == 0 && (exchange->status == 429 || exchange->status >= 500);
    if (!again || i == TRIES - 1)
      return code;
    tally_secret_buffer_clear(&exchange->answer);
    if (tally_aws_http_wait(http, pause_ms[i], err) != 0)
      return -1;
  }
}

static void forget_token(tally_aws_metadata_t *metadata) {
  tally_secret_wipe(metadata->token, sizeof(metadata->token));
  metadata->is_v1 = false;
  metadata->token_end_ns = 0;
}

static int fetch_token(tally_aws_metadata_t *metadata, tally_aws_http_t *http,
                       tally_error_t *err) {
  forget_token(metadata);
  tally_aws_exchange_t exchange = {0};
  int code = ask(metadata, http, "PUT", "/api/token",
                 "X-aws-ec2-metadata-token-ttl-seconds: 21600", &exchange, err);
  int status = exchange.status;
  bool good = code == 0 && status == 200 &&
              tally_secret_take(metadata->token, sizeof(metadata->token),
                                exchange.answer.data);
  tally_secret_buffer_clear(&exchange.answer);
  uint64_t now_ns = tally_clock_monotonic_ns();
  if (good) {
    metadata->token_end_ns = now_ns + (TOKEN_LIFE_S - 60) * TALLY_NS_PER_S;
    return 0;
  }
  if (code != 0 && err->code != ETIMEDOUT)
    return -1; /* nobody there, or stopped */
  if (code == 0 && status != 403 && status != 404 && status != 405)
    return tally_error_set(err, 0, "no session token (status %d)", status);
  if (tally_aws_environment_is_true("AWS_EC2_METADATA_V1_DISABLED"))
    return tally_error_set(err, 0,
                           code != 0 ? "no answer to the request for a session "
                                       "token (hop limit?)"
                                     : "no session token (status %d)",
                           status);
  metadata->is_v1 = true;
  metadata->token_end_ns = now_ns + 300 * TALLY_NS_PER_S;
  return 0;
}

static int get(tally_aws_metadata_t *metadata, tally_aws_http_t *http,
               const char *path, tally_aws_exchange_t *exchange,
               tally_error_t *err) {
  if (tally_clock_monotonic_ns() >= metadata->token_end_ns &&
      fetch_token(metadata, http, err) != 0)
    return -1;
  char header[600];
  snprintf(header, sizeof(header), "X-aws-ec2-metadata-token: %s",
           metadata->token);
  int code = ask(metadata, http, "GET", path, metadata->is_v1 ? NULL : header,
                 exchange, err);
  tally_secret_wipe(header, sizeof(header));
  return code;
}

int tally_aws_metadata_get(tally_aws_metadata_t *metadata,
                           tally_aws_http_t *http, const char *path,
                           tally_buffer_t *answer, tally_error_t *err) {
  tally_error_t dropped;
  if (err == NULL)
    err = &dropped; /* its code is needed in between */
  tally_aws_exchange_t exchange = {0};
  int code = get(metadata, http, path, &exchange, err);
  if (code == 0 && exchange.status == 401) { /* the token does not count */
    tally_secret_buffer_clear(&exchange.answer);
    forget_token(metadata);
    code = get(metadata, http, path, &exchange, err);
  }
  if (code == 0 && exchange.status == 200) {
    *answer = exchange.answer;
    return 0;
  }
  tally_secret_buffer_clear(&exchange.answer);
  if (code != 0)
    return -1;
  tally_error_set(err, 0, "status %d", exchange.status);
  if (exchange.status == 404)
    err->code = ENOENT;
  return -1;
}
