/* SPDX-License-Identifier: MIT */
/* Meta data of value lists and of notifications. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "utils/common/common.h"

#include "mock.h"
#include "mock_private.h"

/* ---- value lists -----------------------------------------------------------
 */

typedef struct entry_s {
  char *key;
  int type; /* MD_TYPE_… */
  char *text;
  int64_t number;
  uint64_t count;
  double gauge;
  bool flag;
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
    free(e->text);
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

/* Takes the text of `entry`; a key that is there is overwritten. */
static int put(meta_data_t *md, const char *key, entry_t entry) {
  entry_t *e = lookup(md, key);
  if (e != NULL) {
    free(e->text);
    entry.key = e->key;
    entry.next = e->next;
    *e = entry;
    return 0;
  }
  e = malloc(sizeof(*e));
  if (e == NULL)
    return -ENOMEM;
  entry.key = strdup(key);
  entry.next = md->entries;
  *e = entry;
  md->entries = e;
  return 0;
}

int meta_data_add_string(meta_data_t *md, const char *key, const char *value) {
  if (md == NULL || key == NULL || value == NULL)
    return -EINVAL;
  return put(md, key, (entry_t){.type = MD_TYPE_STRING, .text = strdup(value)});
}

int meta_data_add_signed_int(meta_data_t *md, const char *key, int64_t value) {
  return put(md, key, (entry_t){.type = MD_TYPE_SIGNED_INT, .number = value});
}

int meta_data_add_unsigned_int(meta_data_t *md, const char *key,
                               uint64_t value) {
  return put(md, key, (entry_t){.type = MD_TYPE_UNSIGNED_INT, .count = value});
}

int meta_data_add_double(meta_data_t *md, const char *key, double value) {
  return put(md, key, (entry_t){.type = MD_TYPE_DOUBLE, .gauge = value});
}

int meta_data_add_boolean(meta_data_t *md, const char *key, bool value) {
  return put(md, key, (entry_t){.type = MD_TYPE_BOOLEAN, .flag = value});
}

int meta_data_type(meta_data_t *md, const char *key) {
  entry_t *e = lookup(md, key);
  return e != NULL ? e->type : 0;
}

/* The newest key is the first. */
int meta_data_toc(meta_data_t *md, char ***toc) {
  int count = 0;
  for (entry_t *e = md->entries; e != NULL; e = e->next)
    count++;
  if (count == 0)
    return 0;
  *toc = calloc((size_t)count, sizeof(**toc));
  count = 0;
  for (entry_t *e = md->entries; e != NULL; e = e->next)
    (*toc)[count++] = strdup(e->key);
  return count;
}

int meta_data_get_string(meta_data_t *md, const char *key, char **value) {
  entry_t *e = lookup(md, key);
  if (e == NULL || e->type != MD_TYPE_STRING)
    return -ENOENT;
  *value = strdup(e->text);
  return *value != NULL ? 0 : -ENOMEM;
}

int meta_data_get_signed_int(meta_data_t *md, const char *key, int64_t *value) {
  entry_t *e = lookup(md, key);
  if (e == NULL || e->type != MD_TYPE_SIGNED_INT)
    return -ENOENT;
  *value = e->number;
  return 0;
}

int meta_data_get_unsigned_int(meta_data_t *md, const char *key,
                               uint64_t *value) {
  entry_t *e = lookup(md, key);
  if (e == NULL || e->type != MD_TYPE_UNSIGNED_INT)
    return -ENOENT;
  *value = e->count;
  return 0;
}

int meta_data_get_double(meta_data_t *md, const char *key, double *value) {
  entry_t *e = lookup(md, key);
  if (e == NULL || e->type != MD_TYPE_DOUBLE)
    return -ENOENT;
  *value = e->gauge;
  return 0;
}

int meta_data_get_boolean(meta_data_t *md, const char *key, bool *value) {
  entry_t *e = lookup(md, key);
  if (e == NULL || e->type != MD_TYPE_BOOLEAN)
    return -ENOENT;
  *value = e->flag;
  return 0;
}

meta_data_t *meta_data_clone(meta_data_t *orig) {
  if (orig == NULL)
    return NULL;
  meta_data_t *copy = meta_data_create();
  for (entry_t *e = orig->entries; e != NULL; e = e->next) {
    entry_t entry = *e;
    entry.text = e->text != NULL ? strdup(e->text) : NULL;
    put(copy, e->key, entry);
  }
  return copy;
}

const char *mock_meta(const char *name, const char *key) {
  const value_list_t *vl = mock_find(name);
  entry_t *e = vl != NULL ? lookup(vl->meta, key) : NULL;
  return e != NULL ? e->text : NULL;
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
