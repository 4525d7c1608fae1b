/* SPDX-License-Identifier: MIT */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "docker_stats_identity.h"
#include "node/node.h"
#include "plugin_name.h"

#define BUCKETS_MIN 64 /* a power of two */

struct docker_stats_identities_s {
  const docker_stats_naming_t *naming;
  docker_stats_identity_t **buckets;
  size_t buckets_count; /* a power of two */
  size_t count;
  uint64_t run;
};

/* ---- names --------------------------------------------------------------- */

static void set_names(const docker_stats_naming_t *naming,
                      docker_stats_identity_t *identity) {
  const tally_container_t *c = identity->container;
  const char *instance = naming->instance != NULL ? naming->instance : "";
  if (naming->host_format == DOCKER_STATS_HOST_NODE) {
    identity->host[0] = '\0';
    plugin_name_container(identity->plugin_instance,
                          sizeof(identity->plugin_instance), instance, c->name,
                          c->id);
    return;
  }
  sstrncpy(identity->plugin_instance, instance,
           sizeof(identity->plugin_instance));
  if (naming->host_format == DOCKER_STATS_HOST_CONTAINER) {
    plugin_name_container(identity->host, sizeof(identity->host), NULL, c->name,
                          c->id);
    return;
  }
  char uuid[TALLY_UUID_SIZE];
  tally_node_container_fingerprint(c->id, uuid);
  sstrncpy(identity->host, uuid, sizeof(identity->host));
}

static void set_meta(const docker_stats_naming_t *naming,
                     docker_stats_identity_t *identity) {
  meta_data_destroy(identity->meta);
  identity->meta = NULL;
  if (naming->meta_labels == NULL)
    return;
  const tally_container_t *c = identity->container;
  meta_data_t *meta = meta_data_create();
  if (meta == NULL)
    return;
  meta_data_add_string(meta, "container_id", c->id);
  meta_data_add_string(meta, "container_image", c->image ? c->image : "");
  for (size_t i = 0; i < c->labels_count; i++) {
    const tally_pair_t *label = &c->labels[i];
    if (!tally_select_match(naming->meta_labels, label->key))
      continue;
    char key[512];
    snprintf(key, sizeof(key), "label:%s", label->key);
    meta_data_add_string(meta, key, label->value);
  }
  identity->meta = meta;
}

static void set_container(docker_stats_identities_t *identities,
                          docker_stats_identity_t *identity,
                          const tally_container_t *container) {
  tally_container_unref(identity->container);
  identity->container = tally_container_ref(container);
  set_names(identities->naming, identity);
  set_meta(identities->naming, identity);
}

/* ---- the table ----------------------------------------------------------- */

/* FNV-1a. */
static uint64_t hash_id(const char *id) {
  uint64_t hash = UINT64_C(14695981039346656037);
  for (; *id != '\0'; id++)
    hash = (hash ^ (unsigned char)*id) * UINT64_C(1099511628211);
  return hash;
}

static docker_stats_identity_t **
bucket_of(docker_stats_identities_t *identities, const char *id) {
  return &identities->buckets[hash_id(id) & (identities->buckets_count - 1)];
}

/* Twice the buckets, so that chains stay short. Without memory they grow
 * longer, which only costs time. */
static void grow(docker_stats_identities_t *identities) {
  docker_stats_identity_t **old = identities->buckets;
  size_t old_count = identities->buckets_count;
  docker_stats_identity_t **buckets = calloc(2 * old_count, sizeof(*buckets));
  if (buckets == NULL)
    return;
  identities->buckets = buckets;
  identities->buckets_count = 2 * old_count;
  for (size_t i = 0; i < old_count; i++) {
    for (docker_stats_identity_t *it = old[i], *next; it != NULL; it = next) {
      next = it->next;
      docker_stats_identity_t **bucket =
          bucket_of(identities, it->container->id);
      it->next = *bucket;
      *bucket = it;
    }
  }
  free(old);
}

static void destroy_identity(docker_stats_identity_t *identity) {
  meta_data_destroy(identity->meta);
  tally_container_unref(identity->container);
  free(identity);
}

docker_stats_identities_t *
docker_stats_identities_create(const docker_stats_naming_t *naming) {
  docker_stats_identities_t *identities = calloc(1, sizeof(*identities));
  if (identities == NULL)
    return NULL;
  identities->naming = naming;
  identities->buckets_count = BUCKETS_MIN;
  identities->buckets = calloc(BUCKETS_MIN, sizeof(*identities->buckets));
  if (identities->buckets == NULL)
    sfree(identities);
  return identities;
}

void docker_stats_identities_destroy(docker_stats_identities_t *identities) {
  if (identities == NULL)
    return;
  for (size_t i = 0; i < identities->buckets_count; i++)
    for (docker_stats_identity_t *it = identities->buckets[i], *next;
         it != NULL; it = next) {
      next = it->next;
      destroy_identity(it);
    }
  free(identities->buckets);
  free(identities);
}

docker_stats_identity_t *
docker_stats_identities_get(docker_stats_identities_t *identities,
                            const tally_container_t *container) {
  docker_stats_identity_t *it = *bucket_of(identities, container->id);
  while (it != NULL && strcmp(it->container->id, container->id) != 0)
    it = it->next;
  if (it != NULL) {
    /* Containers are immutable: the same pointer is the same knowledge. */
    if (it->container != container)
      set_container(identities, it, container);
    it->run = identities->run;
    return it;
  }

  it = calloc(1, sizeof(*it));
  if (it == NULL)
    return NULL;
  set_container(identities, it, container);
  it->run = identities->run;
  if (++identities->count > identities->buckets_count)
    grow(identities);
  docker_stats_identity_t **bucket = bucket_of(identities, container->id);
  it->next = *bucket;
  *bucket = it;
  return it;
}

void docker_stats_identities_sweep(docker_stats_identities_t *identities) {
  for (size_t i = 0; i < identities->buckets_count; i++) {
    docker_stats_identity_t **link = &identities->buckets[i];
    while (*link != NULL) {
      docker_stats_identity_t *it = *link;
      if (it->run == identities->run) {
        link = &it->next;
        continue;
      }
      *link = it->next;
      identities->count--;
      destroy_identity(it);
    }
  }
  identities->run++;
}
