/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"

#define API_NEWEST "1.52" /* what this code has been written for */
#define API_OLDEST "1.19"
#define TIMEOUT_MS 5000
/* Clocks that differ by less are taken to be the same one: the header Date
 * has whole seconds. */
#define CLOCK_TOLERANCE_NS (INT64_C(2) * 1000000000)

static void parse_api(const char *text, long *major, long *minor) {
  char *end;
  *major = strtol(text, &end, 10);
  *minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
  if (*major < 0 || *major > 1000 || *minor < 0 || *minor > 1000)
    *major = *minor = 0;
}

int tally_engine_compare_api(const char *a, const char *b) {
  long a_major, a_minor, b_major, b_minor;
  parse_api(a, &a_major, &a_minor);
  parse_api(b, &b_major, &b_minor);
  long difference = a_major != b_major ? a_major - b_major : a_minor - b_minor;
  return difference < 0 ? -1 : difference > 0;
}

/* A daemon on another machine, or in a VM behind a socket, has its own. */
static int64_t clock_ahead(int64_t date_s) {
  if (date_s == 0)
    return 0;
  int64_t middle = date_s * 1000000000 + 500000000; /* of that second */
  int64_t ahead = middle - (int64_t)tally_clock_realtime_ns();
  return ahead > -CLOCK_TOLERANCE_NS && ahead < CLOCK_TOLERANCE_NS ? 0 : ahead;
}

uint64_t tally_engine_now_ns(const tally_engine_t *engine) {
  return tally_clock_realtime_ns() + (uint64_t)engine->clock_ahead_ns;
}

int tally_engine_ping(tally_http_t *http, int timeout_ms, tally_error_t *err) {
  tally_transfer_t ping = {.path = "/_ping", .timeout_ms = timeout_ms};
  int status = tally_http_perform(http, &ping, err);
  tally_transfer_clear(&ping);
  return status == 0 ? 0 : tally_error_wrap(err, "GET /_ping");
}

void tally_engine_adopt_api(tally_engine_t *engine, const char *api_version) {
  long major, minor;
  parse_api(api_version, &major, &minor);
  snprintf(engine->api_version, sizeof(engine->api_version), "%ld.%ld", major,
           minor);
  engine->api_minor = (int)(major > 1 ? 1000 : minor);
}

static int choose_api(tally_engine_t *engine, const char *theirs,
                      const char *minimum, tally_error_t *err) {
  if (tally_engine_compare_api(theirs, API_OLDEST) < 0)
    return tally_error_set(
        err, 0, "the daemon speaks API %.15s, " API_OLDEST " is needed",
        theirs);
  if (minimum != NULL && tally_engine_compare_api(minimum, API_NEWEST) > 0)
    return tally_error_set(err, 0,
                           "the daemon wants API %.15s or later, " API_NEWEST
                           " is spoken here",
                           minimum);

  const char *chosen =
      tally_engine_compare_api(theirs, API_NEWEST) < 0 ? theirs : API_NEWEST;
  tally_engine_adopt_api(engine, chosen);
  return 0;
}

/* Docker before 1.12 has no header Api-Version, then /version tells alone. */
static int parse_version(tally_engine_t *engine, const tally_transfer_t *answer,
                         const char *pinged, tally_error_t *err) {
  tally_json_t *json =
      tally_json_parse(answer->answer.data, answer->answer.len, err);
  if (json == NULL)
    return -1;

  const char *version = tally_json_string(tally_json_get(json, "Version"));
  const char *api = tally_json_string(tally_json_get(json, "ApiVersion"));
  snprintf(engine->version, sizeof(engine->version), "%s",
           version != NULL ? version : "");
  if (api == NULL)
    api = pinged;
  int status =
      *api == '\0'
          ? tally_error_set(err, 0, "no API version in the answer")
          : choose_api(engine, api,
                       tally_json_string(tally_json_get(json, "MinAPIVersion")),
                       err);
  tally_json_destroy(json);
  return status;
}

int tally_engine_negotiate(tally_engine_t *engine, tally_http_t *http,
                           tally_error_t *err) {
  *engine = (tally_engine_t){0};
  tally_transfer_t ping = {.path = "/_ping", .timeout_ms = TIMEOUT_MS};
  int status = tally_http_perform(http, &ping, err);
  tally_transfer_clear(&ping);
  if (status != 0)
    return tally_error_wrap(err, "GET /_ping");
  engine->clock_ahead_ns = clock_ahead(ping.date_s);

  tally_transfer_t version = {.path = "/version", .timeout_ms = TIMEOUT_MS};
  status = tally_http_perform(http, &version, err);
  if (status == 0)
    status = parse_version(engine, &version, ping.api_version, err);
  tally_transfer_clear(&version);
  return status == 0 ? 0 : tally_error_wrap(err, "GET /version");
}

/* ---- paths --------------------------------------------------------------- */

/* Fractions of seconds are understood since Docker 1.10 (API 1.22). Without
 * them a range is widened to whole seconds. */
static int put_time(const tally_engine_t *engine, char *text, size_t size,
                    const char *key, uint64_t ns, bool up) {
  uint64_t seconds = ns / TALLY_NS_PER_S, rest = ns % TALLY_NS_PER_S;
  if (engine->api_minor >= 22)
    return snprintf(text, size, "%s=%" PRIu64 ".%09" PRIu64, key, seconds,
                    rest);
  return snprintf(text, size, "%s=%" PRIu64, key,
                  seconds + (up && rest > 0 ? 1 : 0));
}

void tally_engine_events_path(const tally_engine_t *engine, char *path,
                              uint64_t since_ns, uint64_t until_ns) {
  char since[64], until[64] = "";
  put_time(engine, since, sizeof(since), "since", since_ns, false);
  if (until_ns != 0)
    put_time(engine, until, sizeof(until), "&until", until_ns, true);
  snprintf(path, TALLY_ENGINE_PATH_SIZE, "/v%s/events?%s%s",
           engine->api_version, since, until);
}

void tally_engine_list_path(const tally_engine_t *engine, char *path) {
  snprintf(path, TALLY_ENGINE_PATH_SIZE, "/v%s/containers/json?all=1",
           engine->api_version);
}

void tally_engine_inspect_path(const tally_engine_t *engine, char *path,
                               const char *id) {
  snprintf(path, TALLY_ENGINE_PATH_SIZE, "/v%s/containers/%.64s/json",
           engine->api_version, id);
}

void tally_engine_logs_path(const tally_engine_t *engine, char *path,
                            const char *id, uint64_t since_ns, unsigned tail,
                            bool follow) {
  char since[64] = "", last[32] = "";
  if (since_ns != 0)
    put_time(engine, since, sizeof(since), "&since", since_ns, false);
  if (tail != 0)
    snprintf(last, sizeof(last), "&tail=%u", tail);
  snprintf(path, TALLY_ENGINE_PATH_SIZE,
           "/v%s/containers/%.64s/logs?follow=%d&stdout=1&stderr=1&"
           "timestamps=1%s%s",
           engine->api_version, id, follow, since, last);
}
