/* SPDX-License-Identifier: MIT */
#ifndef TALLY_DOCKER_ENGINE_H
#define TALLY_DOCKER_ENGINE_H

/*
 * What a daemon says of itself, and how it wants to be addressed.
 *
 * The version is negotiated at every connect (the daemon may have been
 * replaced): we speak the smaller of its API version and ours, and refuse a
 * daemon whose minimum is above ours. Docker 29 accepts 1.44 and later only,
 * Docker 1.7 speaks 1.19.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "docker/http.h"

typedef struct tally_engine_s {
  char version[32];       /* "20.10.24" */
  char api_version[16];   /* the one to speak: "1.41" */
  int api_minor;          /* 41 */
  int64_t clock_ahead_ns; /* of its clock before ours; 0 if they agree */
} tally_engine_t;

/* GET /_ping and GET /version. -1 and *err: no answer, or not a daemon that we
 * can talk to. */
int tally_engine_negotiate(tally_engine_t *engine, tally_http_t *http,
                           tally_error_t *err);

/* What somebody else has negotiated: "1.41". */
void tally_engine_adopt_api(tally_engine_t *engine, const char *api_version);

/* GET /_ping alone: is it alive? */
int tally_engine_ping(tally_http_t *http, int timeout_ms, tally_error_t *err);

/* The daemon's clock. Exact where it shares ours, else good to a second. */
uint64_t tally_engine_now_ns(const tally_engine_t *engine);

/* Whether two versions "1.41" and "1.9" are in order; < 0, 0, > 0 like strcmp.
 * -1.0 and other nonsense counts as 0.0. */
int tally_engine_compare_api(const char *a, const char *b);

/* Paths, at most 256 bytes including the NUL. `until_ns` 0: no end. */
#define TALLY_ENGINE_PATH_SIZE 256
void tally_engine_events_path(const tally_engine_t *engine, char *path,
                              uint64_t since_ns, uint64_t until_ns);
void tally_engine_list_path(const tally_engine_t *engine, char *path);
void tally_engine_inspect_path(const tally_engine_t *engine, char *path,
                               const char *id);
/* Of what the container wrote since a time (0: ever), with time stamps; of the
 * last `tail` pieces (0: of all). */
void tally_engine_logs_path(const tally_engine_t *engine, char *path,
                            const char *id, uint64_t since_ns, unsigned tail,
                            bool follow);

#endif
