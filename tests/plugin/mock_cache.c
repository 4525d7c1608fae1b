/* SPDX-License-Identifier: MIT */
/* The daemon's cache, as far as writers ask it: rates. */
#include "daemon/collectd.h"

#include "daemon/plugin.h"
#include "daemon/utils_cache.h"
#include "utils/common/common.h"

#include "mock.h"
#include "mock_private.h"

typedef struct cached_s {
  char name[6 * DATA_MAX_NAME_LEN];
  cdtime_t time;
  size_t count;
  value_t *values;
  gauge_t *rates;
  struct cached_s *next;
} cached_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cached_t *cache; /* guarded by lock */

static cached_t *find(const value_list_t *vl) {
  char name[sizeof(cache->name)];
  mock_name(vl, name, sizeof(name));
  for (cached_t *c = cache; c != NULL; c = c->next)
    if (strcmp(c->name, name) == 0)
      return c;
  return NULL;
}

static gauge_t rate_of(int type, value_t now, value_t before, double seconds) {
  if (type == DS_TYPE_GAUGE)
    return now.gauge;
  gauge_t rate = (double)(now.derive - before.derive) / seconds;
  return rate < 0 ? NAN : rate; /* all of ours have the minimum 0 */
}

void mock_cache_update(const data_set_t *ds, const value_list_t *vl) {
  pthread_mutex_lock(&lock);
  cached_t *c = find(vl);
  bool is_new = c == NULL;
  if (is_new) {
    c = calloc(1, sizeof(*c));
    if (c == NULL)
      mock_die("out of memory");
    mock_name(vl, c->name, sizeof(c->name));
    c->count = vl->values_len;
    c->values = calloc(c->count, sizeof(*c->values));
    c->rates = calloc(c->count, sizeof(*c->rates));
    c->next = cache;
    cache = c;
  }
  double seconds = CDTIME_T_TO_DOUBLE(vl->time - c->time);
  for (size_t i = 0; i < c->count; i++) {
    bool is_gauge = ds->ds[i].type == DS_TYPE_GAUGE;
    c->rates[i] = is_new && !is_gauge ? NAN
                                      : rate_of(ds->ds[i].type, vl->values[i],
                                                c->values[i], seconds);
    c->values[i] = vl->values[i];
  }
  c->time = vl->time;
  pthread_mutex_unlock(&lock);
}

gauge_t *uc_get_rate(const data_set_t *ds, const value_list_t *vl) {
  gauge_t *rates = NULL;
  pthread_mutex_lock(&lock);
  cached_t *c = find(vl);
  if (c != NULL && (rates = calloc(c->count, sizeof(*rates))) != NULL)
    memcpy(rates, c->rates, c->count * sizeof(*rates));
  pthread_mutex_unlock(&lock);
  return rates;
}

void mock_cache_clear(void) {
  while (cache != NULL) {
    cached_t *c = cache;
    cache = c->next;
    free(c->values);
    free(c->rates);
    free(c);
  }
}
