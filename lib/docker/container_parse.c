/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/container_private.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"

/* What the driver "local" takes, unless it is told. */
#define LOCAL_FILE_MAX (20 * 1024 * 1024)
#define LOCAL_FILES 5

static const char *string_at(const tally_json_t *object, const char *key) {
  const char *s = tally_json_string(tally_json_get(object, key));
  return s != NULL ? s : "";
}

static int int_at(const tally_json_t *object, const char *key) {
  int64_t value = tally_json_int(tally_json_get(object, key), 0);
  return value >= INT_MIN && value <= INT_MAX ? (int)value : 0;
}

static bool bool_at(const tally_json_t *object, const char *key) {
  return tally_json_bool(tally_json_get(object, key), false);
}

/* 0 for "never" and for what is no time. */
static uint64_t time_at(const tally_json_t *object, const char *key) {
  uint64_t ns;
  return tally_clock_parse_rfc3339(string_at(object, key), &ns) == 0 ? ns : 0;
}

static int take_id(tally_container_t *draft, const tally_json_t *json,
                   tally_error_t *err) {
  const char *id = string_at(json, "Id");
  if (!tally_container_id_is_valid(id))
    return tally_error_set(err, 0, "a container without a valid Id");
  memcpy(draft->id, id, strlen(id) + 1);
  return 0;
}

static tally_container_state_t state_by_name(const char *name) {
  for (int i = 1; i < TALLY_CONTAINER_STATES; i++)
    if (strcmp(name, tally_container_state_name((tally_container_state_t)i)) ==
        0)
      return (tally_container_state_t)i;
  return TALLY_CONTAINER_UNKNOWN;
}

/* ---- inspect ------------------------------------------------------------- */

/* State.Status exists since API 1.21; before, there are only the flags. */
static tally_container_state_t parse_state(const tally_json_t *state,
                                           uint64_t started_ns) {
  const char *status = string_at(state, "Status");
  if (*status != '\0')
    return state_by_name(status);
  if (bool_at(state, "Dead"))
    return TALLY_CONTAINER_DEAD;
  if (bool_at(state, "Restarting"))
    return TALLY_CONTAINER_RESTARTING;
  if (bool_at(state, "Paused"))
    return TALLY_CONTAINER_PAUSED;
  if (bool_at(state, "Running"))
    return TALLY_CONTAINER_RUNNING;
  if (tally_json_get(state, "Running") == NULL)
    return TALLY_CONTAINER_UNKNOWN;
  return started_ns == 0 ? TALLY_CONTAINER_CREATED : TALLY_CONTAINER_EXITED;
}

static tally_health_t parse_health(const char *status) {
  for (int i = TALLY_HEALTH_STARTING; i <= TALLY_HEALTH_UNHEALTHY; i++)
    if (strcmp(status, tally_health_name((tally_health_t)i)) == 0)
      return (tally_health_t)i;
  return TALLY_HEALTH_NONE;
}

/* Borrows from `object`. NULL with *count > 0: out of memory. */
static tally_pair_t *pairs_of_object(const tally_json_t *object,
                                     size_t *count) {
  *count = 0;
  size_t members = tally_json_count(object);
  tally_pair_t *pairs = calloc(members ? members : 1, sizeof(*pairs));
  if (pairs == NULL) {
    *count = members;
    return NULL;
  }
  for (size_t i = 0; i < members; i++) {
    const char *key;
    const tally_json_t *member = tally_json_at(object, i, &key);
    const char *value = tally_json_string(member);
    if (key != NULL && value != NULL)
      pairs[(*count)++] = (tally_pair_t){.key = key, .value = value};
  }
  return pairs;
}

/* "KEY=VALUE" texts, split in a copy, which *texts owns. */
static tally_pair_t *pairs_of_env(const tally_json_t *array, size_t *count,
                                  char **texts) {
  size_t elements = tally_json_count(array);
  size_t size = 1;
  for (size_t i = 0; i < elements; i++) {
    const char *text = tally_json_string(tally_json_at(array, i, NULL));
    size += text != NULL ? strlen(text) + 1 : 0;
  }
  *count = 0;
  *texts = malloc(size);
  tally_pair_t *pairs = calloc(elements + 1, sizeof(*pairs));
  if (*texts == NULL || pairs == NULL) {
    free(pairs);
    return NULL;
  }

  char *room = *texts;
  for (size_t i = 0; i < elements; i++) {
    const char *text = tally_json_string(tally_json_at(array, i, NULL));
    if (text == NULL)
      continue;
    size_t len = strlen(text);
    memcpy(room, text, len + 1);
    char *equals = strchr(room, '=');
    if (equals != NULL)
      *equals = '\0';
    pairs[*count].key = room;
    pairs[*count].value = equals != NULL ? equals + 1 : room + len;
    (*count)++;
    room += len + 1;
  }
  return pairs;
}

/* "10m", "1.5 GB": in powers of 1000, as go-units has it. 0: no size. */
static uint64_t parse_size(const char *text) {
  char *unit;
  double size = strtod(text, &unit);
  unit += strspn(unit, " ");
  static const char units[] = "kmgtp";
  const char *found =
      *unit != '\0' ? strchr(units, tolower((unsigned char)*unit)) : NULL;
  for (const char *u = units; found != NULL && u <= found; u++)
    size *= 1000;
  return size > 0 && size < 1e18 ? (uint64_t)size : 0;
}

static void take_log(tally_container_t *draft, const tally_json_t *config) {
  draft->log_driver = string_at(config, "Type");
  if (*draft->log_driver == '\0')
    draft->log_driver = "default"; /* as dockerd takes an empty one */
  bool local = strcmp(draft->log_driver, "local") == 0;
  const tally_json_t *options = tally_json_get(config, "Config");
  const char *max = string_at(options, "max-size");
  const char *files = string_at(options, "max-file");
  if (*max != '\0')
    draft->log_file_max = parse_size(max);
  else if (local)
    draft->log_file_max = LOCAL_FILE_MAX;
  if (draft->log_file_max == 0)
    return;
  draft->log_files = local ? LOCAL_FILES : 1;
  if (*files != '\0')
    draft->log_files = (unsigned)strtoul(files, NULL, 10);
}

const tally_container_t *tally_container_parse(const tally_json_t *json,
                                               tally_error_t *err) {
  tally_container_t draft = {0};
  if (take_id(&draft, json, err) != 0)
    return NULL;
  const tally_json_t *state = tally_json_get(json, "State");
  const tally_json_t *config = tally_json_get(json, "Config");
  const tally_json_t *host = tally_json_get(json, "HostConfig");

  draft.name = string_at(json, "Name");
  if (*draft.name == '/')
    draft.name++;
  draft.image = string_at(config, "Image");
  draft.image_id = string_at(json, "Image");
  draft.tty = bool_at(config, "Tty");
  draft.network_mode = string_at(host, "NetworkMode");
  take_log(&draft, tally_json_get(host, "LogConfig"));

  draft.created_ns = time_at(json, "Created");
  draft.started_ns = time_at(state, "StartedAt");
  draft.finished_ns = time_at(state, "FinishedAt");
  draft.state = parse_state(state, draft.started_ns);
  draft.health =
      parse_health(string_at(tally_json_get(state, "Health"), "Status"));
  int pid = int_at(state, "Pid");
  draft.pid = pid > 0 && tally_container_is_up(&draft) ? pid : 0;
  draft.exit_code = int_at(state, "ExitCode");
  draft.oom_killed = bool_at(state, "OOMKilled");
  draft.restart_count = int_at(json, "RestartCount");

  tally_autofree tally_pair_t *labels =
      pairs_of_object(tally_json_get(config, "Labels"), &draft.labels_count);
  tally_autofree char *env_texts = NULL;
  tally_autofree tally_pair_t *env =
      pairs_of_env(tally_json_get(config, "Env"), &draft.env_count, &env_texts);
  if (labels == NULL || env == NULL) {
    tally_error_set(err, ENOMEM, "container %.12s", draft.id);
    return NULL;
  }
  draft.labels = labels;
  draft.env = env;
  return tally_container_pack(&draft, err);
}

/* ---- list ---------------------------------------------------------------- */

/* Before API 1.23 a list has no State, only a text for people: "Up 3 minutes
 * (Paused)", "Exited (0) 2 hours ago", "" for created ones. */
static tally_container_state_t state_by_status(const char *status) {
  static const struct {
    const char *prefix;
    tally_container_state_t state;
  } known[] = {
      {"Up ", TALLY_CONTAINER_RUNNING},
      {"Exited (", TALLY_CONTAINER_EXITED},
      {"Restarting (", TALLY_CONTAINER_RESTARTING},
      {"Created", TALLY_CONTAINER_CREATED},
      {"Dead", TALLY_CONTAINER_DEAD},
      {"Removal", TALLY_CONTAINER_REMOVING},
  };
  if (*status == '\0')
    return TALLY_CONTAINER_CREATED;
  if (strncmp(status, "Up ", 3) == 0 && strstr(status, "(Paused)") != NULL)
    return TALLY_CONTAINER_PAUSED;
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    if (strncmp(status, known[i].prefix, strlen(known[i].prefix)) == 0)
      return known[i].state;
  return TALLY_CONTAINER_UNKNOWN;
}

/* Of several names ("/web", "/proxy/alias" through a link) the own one. */
static const char *own_name(const tally_json_t *names) {
  const char *fallback = "";
  for (size_t i = 0; i < tally_json_count(names); i++) {
    const char *name = tally_json_string(tally_json_at(names, i, NULL));
    if (name == NULL)
      continue;
    if (*name == '/')
      name++;
    if (strchr(name, '/') == NULL)
      return name;
    fallback = name;
  }
  return fallback;
}

const tally_container_t *tally_container_parse_listed(const tally_json_t *json,
                                                      tally_error_t *err) {
  tally_container_t draft = {0};
  if (take_id(&draft, json, err) != 0)
    return NULL;

  draft.name = own_name(tally_json_get(json, "Names"));
  draft.image = string_at(json, "Image");
  draft.image_id = string_at(json, "ImageID");
  draft.network_mode =
      string_at(tally_json_get(json, "HostConfig"), "NetworkMode");
  const char *state = string_at(json, "State");
  draft.state = *state != '\0' ? state_by_name(state)
                               : state_by_status(string_at(json, "Status"));
  int64_t created = tally_json_int(tally_json_get(json, "Created"), 0);
  if (created > 0 && (uint64_t)created < UINT64_MAX / TALLY_NS_PER_S)
    draft.created_ns = (uint64_t)created * TALLY_NS_PER_S;

  tally_autofree tally_pair_t *labels =
      pairs_of_object(tally_json_get(json, "Labels"), &draft.labels_count);
  if (labels == NULL) {
    tally_error_set(err, ENOMEM, "container %.12s", draft.id);
    return NULL;
  }
  draft.labels = labels;
  return tally_container_pack(&draft, err);
}
