/* SPDX-License-Identifier: MIT */
/* Meta data of value lists and of notifications. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "mock.h"
#include "mock_private.h"

/* ---- value lists: strings only, no plugin of ours adds anything else ----- */

typedef struct entry_s {
  char *key, *value;
  struct entry_s *next;
} entry_t;

struct meta_data_s {
  entry_t *entries;
};

meta_data_t *meta_data_create(void) { return calloc(1, sizeof(meta_data_t)); }

void meta_data_destroy(meta_data_t *md) {
  if (md == NULL)
    return;
  for (entry_t *e = md->entries, *next; e != NULL; e = next) {
    next = e->next;
    free(e->key);
    free(e->value);
    free(e);
  }
  free(md);
}

static entry_t *lookup(meta_data_t *md, const char *key) {
  if (md == NULL)
    return NULL;
  for (entry_t *e = md->entries; e != NULL; e = e->next)
    if (strcasecmp(e->key, key) == 0)
      return e;
  return NULL;
}

int meta_data_add_string(meta_data_t *md, const char *key, const char *value) {
  if (md == NULL || key == NULL || value == NULL)
    return -EINVAL;
  entry_t *e = lookup(md, key);
  if (e != NULL) {
    free(e->value);
    e->value = strdup(value);
    return 0;
  }
  e = calloc(1, sizeof(*e));
  if (e == NULL)
    return -ENOMEM;
  *e = (entry_t){strdup(key), strdup(value), md->entries};
  md->entries = e;
  return 0;
}

int meta_data_get_string(meta_data_t *md, const char *key, char **value) {
  entry_t *e = lookup(md, key);
  if (e == NULL)
    return -ENOENT;
  *value = strdup(e->value);
  return *value != NULL ? 0 : -ENOMEM;
}

meta_data_t *meta_data_clone(meta_data_t *orig) {
  if (orig == NULL)
    return NULL;
  meta_data_t *copy = meta_data_create();
  for (entry_t *e = orig->entries; e != NULL; e = e->next)
    meta_data_add_string(copy, e->key, e->value);
  return copy;
}

const char *mock_meta(const char *name, const char *key) {
  const value_list_t *vl = mock_find(name);
  entry_t *e = vl != NULL ? lookup(vl->meta, key) : NULL;
  return e != NULL ? e->value : NULL;
}

/* ---- notifications ------------------------------------------------------- */

static int add_meta(notification_t *n, const char *name,
                    notification_meta_t meta) {
  notification_meta_t **last = &n->meta;
  if (name == NULL)
    return -1;
  while (*last != NULL)
    last = &(*last)->next;
  *last = malloc(sizeof(meta));
  if (*last == NULL)
    return -1;
  sstrncpy(meta.name, name, sizeof(meta.name));
  **last = meta;
  return 0;
}

int plugin_notification_meta_add_string(notification_t *n, const char *name,
                                        const char *value) {
  notification_meta_t meta = {.type = NM_TYPE_STRING};
  if (value == NULL)
    return -1;
  meta.nm_value.nm_string = strdup(value);
  return add_meta(n, name, meta);
}

int plugin_notification_meta_add_signed_int(notification_t *n, const char *name,
                                            int64_t value) {
  return add_meta(n, name,
                  (notification_meta_t){.type = NM_TYPE_SIGNED_INT,
                                        .nm_value.nm_signed_int = value});
}

int plugin_notification_meta_add_unsigned_int(notification_t *n,
                                              const char *name,
                                              uint64_t value) {
  return add_meta(n, name,
                  (notification_meta_t){.type = NM_TYPE_UNSIGNED_INT,
                                        .nm_value.nm_unsigned_int = value});
}

int plugin_notification_meta_add_double(notification_t *n, const char *name,
                                        double value) {
  return add_meta(n, name,
                  (notification_meta_t){.type = NM_TYPE_DOUBLE,
                                        .nm_value.nm_double = value});
}

int plugin_notification_meta_add_boolean(notification_t *n, const char *name,
                                         bool value) {
  return add_meta(n, name,
                  (notification_meta_t){.type = NM_TYPE_BOOLEAN,
                                        .nm_value.nm_boolean = value});
}

int plugin_notification_meta_copy(notification_t *dst,
                                  const notification_t *src) {
  for (const notification_meta_t *m = src->meta; m != NULL; m = m->next) {
    notification_meta_t copy = *m;
    copy.next = NULL;
    if (m->type == NM_TYPE_STRING)
      copy.nm_value.nm_string = strdup(m->nm_value.nm_string);
    add_meta(dst, m->name, copy);
  }
  return 0;
}

int plugin_notification_meta_free(notification_meta_t *n) {
  while (n != NULL) {
    notification_meta_t *next = n->next;
    if (n->type == NM_TYPE_STRING)
      free((char *)n->nm_value.nm_string);
    free(n);
    n = next;
  }
  return 0;
}

const char *mock_notification_meta(const notification_t *n, const char *key) {
  for (const notification_meta_t *m = n->meta; m != NULL; m = m->next)
    if (strcmp(m->name, key) == 0 && m->type == NM_TYPE_STRING)
      return m->nm_value.nm_string;
  return NULL;
}
