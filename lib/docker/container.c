/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "docker/container_private.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The whole of a container in one allocation: this, the pairs of the labels,
 * the pairs of the environment, all strings. */
typedef struct record_s {
  tally_container_t container; /* what the world sees; first on purpose */
  atomic_uint refs;
  tally_pair_t pairs[];
} record_t;

static record_t *record_of(const tally_container_t *c) {
  return (record_t *)(uintptr_t)c;
}

/* ---- references ---------------------------------------------------------- */

const tally_container_t *tally_container_ref(const tally_container_t *c) {
  if (c != NULL)
    atomic_fetch_add_explicit(&record_of(c)->refs, 1, memory_order_relaxed);
  return c;
}

void tally_container_unref(const tally_container_t *c) {
  if (c != NULL && atomic_fetch_sub_explicit(&record_of(c)->refs, 1,
                                             memory_order_acq_rel) == 1)
    free(record_of(c));
}

/* ---- packing ------------------------------------------------------------- */

static size_t string_size(const char *s) {
  return s != NULL ? strlen(s) + 1 : 1;
}

static size_t pairs_size(const tally_pair_t *pairs, size_t count) {
  size_t size = count * sizeof(*pairs);
  for (size_t i = 0; i < count; i++)
    size += string_size(pairs[i].key) + string_size(pairs[i].value);
  return size;
}

/* Copies `s` to *room, which moves behind it. */
static const char *put_string(char **room, const char *s) {
  char *copy = *room;
  size_t size = string_size(s);
  memcpy(copy, s != NULL ? s : "", size);
  *room += size;
  return copy;
}

static void put_pairs(tally_pair_t *to, const tally_pair_t *from, size_t count,
                      char **room) {
  for (size_t i = 0; i < count; i++) {
    to[i].key = put_string(room, from[i].key);
    to[i].value = put_string(room, from[i].value);
  }
}

static int compare_pairs(const void *a, const void *b) {
  return strcmp(((const tally_pair_t *)a)->key, ((const tally_pair_t *)b)->key);
}

const tally_container_t *tally_container_pack(const tally_container_t *draft,
                                              tally_error_t *err) {
  size_t size =
      sizeof(record_t) + pairs_size(draft->labels, draft->labels_count) +
      pairs_size(draft->env, draft->env_count) + string_size(draft->name) +
      string_size(draft->image) + string_size(draft->image_id) +
      string_size(draft->network_mode) + string_size(draft->log_driver);
  record_t *record = malloc(size);
  if (record == NULL) {
    tally_error_set(err, ENOMEM, "container %.12s", draft->id);
    return NULL;
  }

  tally_pair_t *labels = record->pairs;
  tally_pair_t *env = labels + draft->labels_count;
  char *room = (char *)(env + draft->env_count);
  put_pairs(labels, draft->labels, draft->labels_count, &room);
  put_pairs(env, draft->env, draft->env_count, &room);
  qsort(labels, draft->labels_count, sizeof(*labels), compare_pairs);

  tally_container_t *c = &record->container;
  *c = *draft;
  c->labels = labels;
  c->env = env;
  c->name = put_string(&room, draft->name);
  c->image = put_string(&room, draft->image);
  c->image_id = put_string(&room, draft->image_id);
  c->network_mode = put_string(&room, draft->network_mode);
  c->log_driver = put_string(&room, draft->log_driver);
  atomic_init(&record->refs, 1);
  return c;
}

/* ---- questions ----------------------------------------------------------- */

static bool pairs_equal(const tally_pair_t *a, size_t a_count,
                        const tally_pair_t *b, size_t b_count) {
  if (a_count != b_count)
    return false;
  for (size_t i = 0; i < a_count; i++)
    if (strcmp(a[i].key, b[i].key) != 0 || strcmp(a[i].value, b[i].value) != 0)
      return false;
  return true;
}

bool tally_container_equal(const tally_container_t *a,
                           const tally_container_t *b) {
  return a->state == b->state && a->health == b->health && a->pid == b->pid &&
         a->exit_code == b->exit_code && a->oom_killed == b->oom_killed &&
         a->restart_count == b->restart_count &&
         a->created_ns == b->created_ns && a->started_ns == b->started_ns &&
         a->finished_ns == b->finished_ns && a->tty == b->tty &&
         strcmp(a->id, b->id) == 0 && strcmp(a->name, b->name) == 0 &&
         strcmp(a->image, b->image) == 0 &&
         strcmp(a->image_id, b->image_id) == 0 &&
         strcmp(a->network_mode, b->network_mode) == 0 &&
         strcmp(a->log_driver, b->log_driver) == 0 &&
         a->log_file_max == b->log_file_max && a->log_files == b->log_files &&
         pairs_equal(a->labels, a->labels_count, b->labels, b->labels_count) &&
         pairs_equal(a->env, a->env_count, b->env, b->env_count);
}

bool tally_container_is_up(const tally_container_t *c) {
  return c->state == TALLY_CONTAINER_RUNNING ||
         c->state == TALLY_CONTAINER_PAUSED;
}

bool tally_container_is_partial(const tally_container_t *c) {
  return *c->log_driver == '\0'; /* inspect always names one, a list never */
}

bool tally_container_id_is_valid(const char *id) {
  size_t len = strspn(id, "0123456789abcdefABCDEF");
  return len > 0 && len <= 64 && id[len] == '\0';
}

const char *tally_container_label(const tally_container_t *c, const char *key) {
  const tally_pair_t wanted = {.key = key};
  const tally_pair_t *pair = bsearch(&wanted, c->labels, c->labels_count,
                                     sizeof(wanted), compare_pairs);
  return pair != NULL ? pair->value : NULL;
}

const char *tally_container_env(const tally_container_t *c, const char *key) {
  for (size_t i = 0; i < c->env_count; i++)
    if (strcmp(c->env[i].key, key) == 0)
      return c->env[i].value;
  return NULL;
}

const char *tally_container_state_name(tally_container_state_t state) {
  static const char *const names[TALLY_CONTAINER_STATES] = {
      [TALLY_CONTAINER_UNKNOWN] = "unknown",
      [TALLY_CONTAINER_CREATED] = "created",
      [TALLY_CONTAINER_RUNNING] = "running",
      [TALLY_CONTAINER_PAUSED] = "paused",
      [TALLY_CONTAINER_RESTARTING] = "restarting",
      [TALLY_CONTAINER_REMOVING] = "removing",
      [TALLY_CONTAINER_EXITED] = "exited",
      [TALLY_CONTAINER_DEAD] = "dead",
  };
  return (unsigned)state < TALLY_CONTAINER_STATES ? names[state] : names[0];
}

const char *tally_health_name(tally_health_t health) {
  switch (health) {
  case TALLY_HEALTH_STARTING:
    return "starting";
  case TALLY_HEALTH_HEALTHY:
    return "healthy";
  case TALLY_HEALTH_UNHEALTHY:
    return "unhealthy";
  case TALLY_HEALTH_NONE:
    break;
  }
  return "none";
}
